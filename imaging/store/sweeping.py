"""Removes blobs that no row names: what a process left that died between its bytes and its rows."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, select, union_all
from ulid import ULID

from foundation.background import Ticker
from foundation.clock import Clock
from foundation.database import Database
from imaging.store.blobs import Blobs
from imaging.store.tables import Base

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 3600.0
# A blob's row follows within seconds; a database that makes writers wait longer than this fails them first.
OLD_ENOUGH: Final = timedelta(hours=1)
_ASKED_AT_ONCE: Final = 500
_TIME_CHARACTERS: Final = 10


class Sweeper:
    """Sweeps at the start and every hour; after the first time only what is new since then."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._after = ""
        self._ticker = Ticker("blob-sweep", self._step, SWEEP_SECONDS)

    def start(self) -> None:
        self._ticker.start()

    async def close(self) -> None:
        await self._ticker.close()

    async def sweep(self, old_enough: timedelta = OLD_ENOUGH) -> int:
        """How many blobs without a row, made longer ago than ``old_enough``, were removed."""
        bound = str(ULID.from_datetime(self._clock() - old_enough))[:_TIME_CHARACTERS]
        removed = 0
        async for folder in self._blobs.keys(self._after, bound):
            for start in range(0, len(folder), _ASKED_AT_ONCE):
                removed += await self._sweep(folder[start : start + _ASKED_AT_ONCE])
        self._after = bound
        if removed:
            log.warning("blobs without a row were removed", extra={"count": removed})
        return removed

    async def _step(self) -> float:
        await self.sweep()
        return SWEEP_SECONDS

    async def _sweep(self, keys: Sequence[str]) -> int:
        named = await self._database.look(lambda connection: _named(connection, keys))
        orphans = [key for key in keys if key not in named]
        for key in orphans:
            await self._blobs.delete(key)
        return len(orphans)


def _named(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those that a row names, in whatever table: every column ``blob_key`` counts."""
    columns = [table.c.blob_key for table in Base.metadata.sorted_tables if "blob_key" in table.c]
    return set(connection.scalars(union_all(*(select(column).where(column.in_(keys)) for column in columns))))
