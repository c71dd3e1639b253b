"""The archive as the rest of the program holds it: one object with everything that reads or writes images."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from foundation.background import Ticker
from foundation.clock import Clock, utc_now
from foundation.database import Database
from imaging.dicom.reading import ReadingLimits
from imaging.store.blobs import Blobs, FolderBlobs
from imaging.store.catalog import Catalog
from imaging.store.changes import Feed
from imaging.store.commitment import Commitments
from imaging.store.deletion import Deletion
from imaging.store.derivatives import Derivatives, open_derivatives
from imaging.store.ingest import Ingest
from imaging.store.inventory import Inventory
from imaging.store.memory import Memory
from imaging.store.retention import Retention
from imaging.store.sweeping import Sweeper
from imaging.store.verification import Verifier
from imaging.workers import CPU_LIMIT_SECONDS, Workers


@dataclass(frozen=True, slots=True)
class Keeping:
    """grace: how long deleted bytes are kept. verify_every: between two runs over everything, None: on demand only.

    verify_bytes_per_second: what a run may read. in_background: whether erasing, retention and runs go on alone.
    """

    grace: timedelta = timedelta(days=30)
    verify_every: timedelta | None = None
    verify_bytes_per_second: int = 20 << 20
    in_background: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Published limits. max_part_bytes: one instance; max_request_parts: instances of one upload request.

    held_bytes: instances that wait in memory, of all requests together.
    derive_in_background: whether copies for viewers are made (imaging.store.derivatives).
    worker_cpu_seconds: processor time of reading, decoding or rewriting one object.
    """

    max_part_bytes: int = 2 << 30
    max_request_parts: int = 10_000
    held_bytes: int = 64 << 20
    worker_processes: int = 2
    derive_in_background: bool = False
    worker_cpu_seconds: float = CPU_LIMIT_SECONDS
    keeping: Keeping = field(default_factory=Keeping)
    reading: ReadingLimits = field(default_factory=ReadingLimits)


# Told the key of a study after instances of it were stored.
OnStored = Callable[[str], Awaitable[None]]


async def tell_nobody(_study_id: str) -> None:
    """Who needs no news of stored studies."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Create with :func:`open_archive`. on_stored: called once per request and study, before the answer.

    memory: for instances that are being received. sweeper: removes blobs that no row names.
    """

    database: Database
    blobs: Blobs
    workers: Workers
    limits: Limits
    memory: Memory
    sweeper: Sweeper
    ingest: Ingest
    catalog: Catalog
    derivatives: Derivatives
    feed: Feed
    deletion: Deletion
    retention: Retention
    inventory: Inventory
    verifier: Verifier
    commitments: Commitments
    clock: Clock
    on_stored: OnStored


@asynccontextmanager
async def open_archive(
    database: Database,
    folder: Path,
    limits: Limits | None = None,
    clock: Clock = utc_now,
    on_stored: OnStored = tell_nobody,
) -> AsyncIterator[Archive]:
    """An archive with its bytes in ``folder``; the caller owns ``database``. Ends when all is durable."""
    limits = limits or Limits()
    blobs = await FolderBlobs.open(folder)
    # Making a pool starts helpers and writes to pipes: not in the event loop.
    workers = await asyncio.to_thread(Workers, limits.worker_processes, limits.worker_cpu_seconds)
    ingest, catalog = Ingest(database, blobs, workers, limits.reading, clock), Catalog(database)
    memory, sweeper = Memory(limits.held_bytes), Sweeper(database, blobs, clock)
    copies = open_derivatives(
        database, catalog, blobs, folder / "derivatives", clock, background=limits.derive_in_background
    )
    sweeper.start()
    try:
        async with copies as derivatives:
            keeping = limits.keeping
            deletion = Deletion(database, blobs, ingest, catalog, derivatives, clock=clock, grace=keeping.grace)
            verifier = Verifier(
                database,
                blobs,
                clock=clock,
                every=keeping.verify_every,
                bytes_per_second=keeping.verify_bytes_per_second,
            )
            archive = Archive(
                database=database,
                blobs=blobs,
                workers=workers,
                limits=limits,
                memory=memory,
                sweeper=sweeper,
                ingest=ingest,
                catalog=catalog,
                derivatives=derivatives,
                feed=Feed(database),
                deletion=deletion,
                retention=Retention(database, clock),
                inventory=Inventory(database, ingest, clock),
                verifier=verifier,
                commitments=Commitments(database, blobs, clock),
                clock=clock,
                on_stored=_waking(derivatives, on_stored),
            )
            async with _keeping(archive, keeping.in_background):
                yield archive
    finally:
        await sweeper.close()
        await ingest.close()
        await workers.close()
        await blobs.close()


KEEPING_POLL_SECONDS: Final = 60.0


@asynccontextmanager
async def _keeping(archive: Archive, in_background: bool) -> AsyncIterator[None]:
    """Erasing what is due and deleting what is over, verification, long storage commitments."""

    async def erase() -> float:
        done = await archive.deletion.delete_overdue() + await archive.deletion.erase_due()
        return 0.0 if done else KEEPING_POLL_SECONDS

    steps = {"erasing": erase, "verification": archive.verifier.step, "commitments": archive.commitments.step}
    tickers = [Ticker(name, step, KEEPING_POLL_SECONDS) for name, step in steps.items()]
    for ticker in tickers if in_background else []:
        ticker.start()
    try:
        yield
    finally:
        for ticker in tickers:
            await ticker.close()


def _waking(derivatives: Derivatives, on_stored: OnStored) -> OnStored:
    async def stored(study_id: str) -> None:
        derivatives.wake()
        await on_stored(study_id)

    return stored
