"""Upload requests that are under way: while one is open for a hospital, its studies may still be growing."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import SQLAlchemyError

from foundation.clock import Clock
from foundation.database import Database
from foundation.ids import new_id
from imaging.store.tables import Upload

log = logging.getLogger(__name__)

# A request that ends sooner leaves no row: quiet time, counted from the last instance, is longer than that.
OPEN_AFTER_S: Final = 0.5
RENEW_EVERY_S: Final = 10.0


class OpenUpload:
    """One request's row. Call :meth:`arriving` as bytes come in."""

    def __init__(self, database: Database, clock: Clock, owner: str) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner
        self._key: str | None = None
        self._due_s = time.monotonic() + OPEN_AFTER_S

    async def arriving(self) -> None:
        """Make the row or renew it when that is due; cheap otherwise."""
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + RENEW_EVERY_S
        now = self._clock()
        async with self._database.write() as session:
            if self._key is None:
                self._key = new_id()
                row = {"id": self._key, "owner": self._owner, "started_at": now, "seen_at": now}
                await session.execute(insert(Upload).values(row))
            else:
                await session.execute(update(Upload).where(Upload.id == self._key).values(seen_at=now))

    async def end(self) -> None:
        """Remove the row. A database that is away just now keeps it; it is ignored after a while."""
        if self._key is None:
            return
        try:
            async with self._database.write() as session:
                await session.execute(delete(Upload).where(Upload.id == self._key))
        except (SQLAlchemyError, OSError) as error:
            log.warning("an upload's row could not be removed", extra={"error": type(error).__name__})


@asynccontextmanager
async def open_upload(database: Database, clock: Clock, owner: str) -> AsyncIterator[OpenUpload]:
    """The row is gone when the block ends, however it ends."""
    upload = OpenUpload(database, clock, owner)
    try:
        yield upload
    finally:
        await upload.end()
