"""The archive as the rest of the program holds it: one object with everything that reads or writes images."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from foundation.clock import Clock, utc_now
from foundation.database import Database
from imaging.dicom.reading import ReadingLimits
from imaging.store.blobs import Blobs, FolderBlobs
from imaging.store.catalog import Catalog
from imaging.store.derivatives import Derivatives, open_derivatives
from imaging.store.ingest import Ingest
from imaging.store.memory import Memory
from imaging.workers import CPU_LIMIT_SECONDS, Workers


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
    reading: ReadingLimits = field(default_factory=ReadingLimits)


# Told the key of a study after instances of it were stored.
OnStored = Callable[[str], Awaitable[None]]


async def tell_nobody(_study_id: str) -> None:
    """Who needs no news of stored studies."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Create with :func:`open_archive`. on_stored: called once per request and study, before the answer.

    memory: for instances that are being received.
    """

    database: Database
    blobs: Blobs
    workers: Workers
    limits: Limits
    memory: Memory
    ingest: Ingest
    catalog: Catalog
    derivatives: Derivatives
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
    memory = Memory(limits.held_bytes)
    copies = open_derivatives(
        database, catalog, blobs, folder / "derivatives", clock, background=limits.derive_in_background
    )
    try:
        async with copies as derivatives:
            telling = _waking(derivatives, on_stored)
            yield Archive(database, blobs, workers, limits, memory, ingest, catalog, derivatives, clock, telling)
    finally:
        await ingest.close()
        await workers.close()
        await blobs.close()


def _waking(derivatives: Derivatives, on_stored: OnStored) -> OnStored:
    async def stored(study_id: str) -> None:
        derivatives.wake()
        await on_stored(study_id)

    return stored
