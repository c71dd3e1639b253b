"""Copies for viewers, made in the background: HTJ2K frames and thumbnails (docs/decisions/0007-derivatives.md).

Work is found by a query, never by what somebody remembered, so a kill costs one batch at most. The bytes lie in a
folder of their own, one blob for each instance under the instance's key; originals are never touched.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, cast

from sqlalchemy import Connection, Table, bindparam, delete, exists, insert, select
from ulid import ULID

from foundation.background import Ticker
from foundation.clock import Clock
from foundation.database import Database
from imaging.dicom.htj2k import RECIPE, Derived, Unfit, derive
from imaging.dicom.layout import Span
from imaging.dicom.rendering import thumbnail_options
from imaging.errors import BlobAway, TooMuchMemory, WorkerDied
from imaging.store import tables
from imaging.store.blobs import Blobs, FolderBlobs
from imaging.store.catalog import Catalog
from imaging.workers import Workers

# Instances of one transaction; fewer where they are large, so that what is made is soon of use.
BATCH: Final = 16
BATCH_SECONDS: Final = 1.0
POLL_SECONDS: Final = 30.0
# Between two batches while uploads are under way: the disk is theirs.
UPLOAD_PAUSE_SECONDS: Final = 1.0
# An upload whose row was not renewed for so long has died.
UPLOAD_SEEN_WITHIN: Final = timedelta(minutes=1)
# Keys begin with the time they were made; a row committed later than this is found after the next start.
LATE_SECONDS: Final = 600.0
TIME_CHARACTERS: Final = 10

Instance, Derivative, Upload = tables.Instance.core(), tables.Derivative.core(), tables.Upload.core()
_ROWS: Final = cast(Table, tables.Derivative.__table__)
_UNDONE: Final = (
    select(Instance.id, Instance.blob_key, Instance.transfer_syntax_uid, Instance.number_of_frames)
    .where(
        Instance.id > bindparam("after"),
        ~exists().where(Derivative.instance_key == Instance.id, Derivative.recipe == RECIPE),
    )
    .order_by(Instance.id)
    .limit(BATCH)
)
_FOUND: Final = select(Derivative.frames, Derivative.thumbnail).where(
    Derivative.instance_key == bindparam("key"), Derivative.recipe == RECIPE
)


class _Due(NamedTuple):
    id: str
    blob_key: str
    transfer_syntax_uid: str
    number_of_frames: int


@dataclass(frozen=True, slots=True)
class Copies:
    """(start, length) in bytes of each HTJ2K frame of one instance, and of its thumbnail; empty where it has none."""

    frames: Sequence[Span]
    thumbnail: Span | None


class Derivatives:
    """Makes the copies and gives them out. Create with :func:`open_derivatives`.

    sources: the originals. blobs: the copies, under the keys of their instances.
    """

    def __init__(
        self, database: Database, catalog: Catalog, *, sources: Blobs, blobs: Blobs, workers: Workers, clock: Clock
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._sources = sources
        self._blobs = blobs
        self._workers = workers
        self._clock = clock
        # Up to here nothing is left over from before.
        self._after = ""
        self._swept = False
        self._ticker = Ticker("derivatives", self.step, POLL_SECONDS)

    def start(self) -> None:
        self._ticker.start()

    def wake(self) -> None:
        """Instances have arrived."""
        self._ticker.wake()

    async def close(self) -> None:
        await self._ticker.close()

    async def find(self, instance_id: str) -> Copies | None:
        """What is ready for an instance that the caller may see; None: not yet made."""
        rows = await self._database.look(lambda connection: connection.execute(_FOUND, {"key": instance_id}).all())
        return Copies(rows[0][0], tuple(rows[0][1]) or None) if rows else None

    async def read(self, instance_id: str, span: Span) -> bytes | None:
        """The bytes of a copy; None when they are away: they are made again."""
        try:
            data = await self._blobs.read(instance_id, *span)
        except BlobAway:
            data = b""
        if len(data) == span[1]:
            return data
        await self.forget([instance_id])
        return None

    async def forget(self, instance_ids: Sequence[str]) -> None:
        """Remove the copies of instances, as before they were made: with the instances when these are deleted."""
        condition = Derivative.instance_key.in_(instance_ids)
        await self._database.change(lambda connection: connection.execute(delete(_ROWS).where(condition)))
        for key in instance_ids:
            await self._blobs.delete(key)
        self._after = min([self._after, *(key[:TIME_CHARACTERS] for key in instance_ids)])

    async def step(self) -> float:
        """Make one batch; seconds until the next."""
        due, uploading = await self._database.look(self._look)
        if not due:
            await self._sweep()
            return POLL_SECONDS
        end = time.monotonic() + BATCH_SECONDS
        made: dict[str, Derived] = {}
        for one in due:
            derived = await self._made(one)
            if derived is not None:
                made[one.id] = derived
            if time.monotonic() > end:
                break
        now = self._clock()
        gone = await self._database.change(lambda connection: _record(connection, made, now))
        for key in gone:
            await self._blobs.delete(key)
        return UPLOAD_PAUSE_SECONDS if uploading else 0.0

    async def _sweep(self) -> None:
        """Once after a start: copies whose instance was deleted while nobody could remove them."""
        if self._swept:
            return
        async for keys in self._blobs.keys():
            for key in await self._database.look(partial(_strays, keys)):
                await self._blobs.delete(key)
        self._swept = True

    def _look(self, connection: Connection) -> tuple[list[_Due], bool]:
        """What is new comes first, so that the study just sent does not wait for an archive of years."""
        recent = _bound(time.time() - LATE_SECONDS)
        due = connection.execute(_UNDONE, {"after": recent}).all()
        if not due and self._after < recent:
            due = connection.execute(_UNDONE, {"after": self._after}).all()
            self._after = due[0].id[:TIME_CHARACTERS] if due else recent
        fresh = self._clock() - UPLOAD_SEEN_WITHIN
        uploading = bool(connection.scalar(select(exists().where(Upload.seen_at > fresh))))
        return [_Due(*row) for row in due], uploading

    async def _made(self, due: _Due) -> Derived | None:
        """None: deleted meanwhile."""
        headers = [packed async for some in self._catalog.headers([due.id]) for _, packed in some]
        if not headers:
            return None
        layout = await self._catalog.layout(due.id)
        source, target = await self._sources.local_path(due.blob_key), await self._blobs.spool()
        options = thumbnail_options(due.number_of_frames)
        what = (source, due.transfer_syntax_uid, layout, headers[0])
        try:
            await asyncio.to_thread(target.touch)
            derived = await self._workers.run(derive, *what, thumbnail=options, target=target)
            if derived.frames or derived.thumbnail:
                await self._blobs.keep(target, due.id)
        except (WorkerDied, TooMuchMemory, FileNotFoundError):
            return Derived(Unfit.DAMAGED)
        finally:
            # Taken away from a worker that is still at it, this ends its work.
            await asyncio.shield(asyncio.to_thread(target.unlink, missing_ok=True))
        return derived


@asynccontextmanager
async def open_derivatives(
    database: Database, catalog: Catalog, sources: Blobs, folder: Path, clock: Clock, *, background: bool
) -> AsyncIterator[Derivatives]:
    """``folder``: for the copies. background: they are made while the block runs, otherwise by ``step`` alone."""
    blobs = await FolderBlobs.open(folder)
    workers = await asyncio.to_thread(lambda: Workers(1, idle=True))
    derivatives = Derivatives(database, catalog, sources=sources, blobs=blobs, workers=workers, clock=clock)
    if background:
        derivatives.start()
    try:
        yield derivatives
    finally:
        await derivatives.close()
        await workers.close()
        await blobs.close()


def _record(connection: Connection, made: dict[str, Derived], now: datetime) -> list[str]:
    """Rows for what was made; those whose instance was deleted meanwhile."""
    still = select(Instance.id).where(Instance.id.in_(made)).with_for_update(read=True, key_share=True)
    there = set(connection.scalars(still))
    rows = [
        {
            "instance_key": key,
            "recipe": RECIPE,
            "unfit": derived.unfit or "",
            "frames": derived.frames,
            "thumbnail": list(derived.thumbnail or ()),
            "made_at": now,
        }
        for key, derived in made.items()
        if key in there
    ]
    if rows:
        connection.execute(delete(_ROWS).where(Derivative.instance_key.in_(there)))
        connection.execute(insert(_ROWS), rows)
    return sorted(made.keys() - there)


def _strays(keys: list[str], connection: Connection) -> set[str]:
    """Those of ``keys`` that are no instance's."""
    return set(keys) - set(connection.scalars(select(Instance.id).where(Instance.id.in_(keys))))


def _bound(timestamp: float) -> str:
    """Below every key made from then on."""
    return str(ULID.from_timestamp(timestamp))[:TIME_CHARACTERS]
