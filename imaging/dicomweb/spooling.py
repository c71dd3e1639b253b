"""Instances from the network into memory, or into a spool file where they are large: no disk call in the event loop."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

from imaging.dicom.remarks import RefusedAs, Unreadable
from imaging.dicomweb.parts import Piece
from imaging.store.blobs import Blobs
from imaging.store.ingest import Held, Received, Spooled, refusing
from imaging.store.memory import Memory
from imaging.store.uploads import OpenUpload

# Slices fit; what is larger costs so much by itself that a trip to a file and a worker matters little.
HELD_LIMIT_BYTES: Final = 2 << 20
# A spool file grows by this much at once.
BUFFER_BYTES: Final = 1 << 20


class Receiver:
    """Receives the instances of one request, each of at most ``limit_bytes``; where memory is short they spool."""

    def __init__(self, blobs: Blobs, memory: Memory, limit_bytes: int, upload: OpenUpload) -> None:
        self._blobs = blobs
        self._memory = memory
        self._limit_bytes = limit_bytes
        self._upload = upload

    async def receive(self, pieces: AsyncIterator[Piece]) -> Received:
        """One instance, to be given to :meth:`release` when it is settled.

        Raises Unreadable: TOO_LARGE, DISK_FULL, DISK_FAILS or INDEX_AWAY; the rest of ``pieces`` is then unread.
        Whatever is raised, nothing is left behind.
        """
        held: list[Piece] = []
        size = 0
        try:
            async for piece in pieces:
                await self._arriving(size + len(piece))
                held.append(piece)
                if size + len(piece) > HELD_LIMIT_BYTES or not self._memory.take(len(piece)):
                    return await self._spooled(held, pieces)
                size += len(piece)
            size, whole = 0, Held(b"".join(held))
            return whole
        finally:
            self._memory.give(size)

    def release(self, received: Received) -> None:
        """Its memory may be used by others."""
        if isinstance(received, Held):
            self._memory.give(len(received.data))

    async def _arriving(self, size_bytes: int) -> None:
        with refusing(RefusedAs.INDEX_AWAY):
            await self._upload.arriving()
        if size_bytes > self._limit_bytes:
            raise Unreadable(RefusedAs.TOO_LARGE)

    async def _spooled(self, begun: list[Piece], rest: AsyncIterator[Piece]) -> Spooled:
        path, digest = await self._blobs.spool(), hashlib.sha256()
        size = pending = sum(map(len, begun))
        try:
            async for piece in rest:
                if pending >= BUFFER_BYTES:
                    await _append(path, begun, digest)
                    begun, pending = [], 0
                size, pending = size + len(piece), pending + len(piece)
                await self._arriving(size)
                begun.append(piece)
            await _append(path, begun, digest)
        except BaseException:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise
        return Spooled(path, digest.hexdigest())


async def _append(path: Path, pieces: Sequence[Piece], digest: Any) -> None:
    with refusing(RefusedAs.DISK_FAILS):
        await asyncio.to_thread(_write, path, pieces, digest)


def _write(path: Path, pieces: Sequence[Piece], digest: Any) -> None:
    with path.open("ab") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
