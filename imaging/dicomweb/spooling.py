"""Bytes from the network into a spool file: bounded in memory and in length, no disk call in the event loop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from imaging.dicom.remarks import RefusedAs, Unreadable
from imaging.store.ingest import refusing
from imaging.store.uploads import OpenUpload

# Most CT slices fit, so that they cost one trip to a thread.
BUFFER_BYTES: Final = 1 << 20


async def spool(pieces: AsyncIterator[bytes], path: Path, limit_bytes: int, upload: OpenUpload) -> None:
    """Write ``pieces`` to ``path``.

    Raises Unreadable: TOO_LARGE over ``limit_bytes``, DISK_FULL, DISK_FAILS or INDEX_AWAY. The rest of ``pieces`` is
    then unread and the file may be there: the caller clears both away.
    """
    pending, size = bytearray(), 0
    async for piece in pieces:
        with refusing(RefusedAs.INDEX_AWAY):
            await upload.arriving()
        size += len(piece)
        if size > limit_bytes:
            raise Unreadable(RefusedAs.TOO_LARGE)
        pending += piece
        if len(pending) >= BUFFER_BYTES:
            await _append(path, bytes(pending))
            pending.clear()
    await _append(path, bytes(pending))


async def _append(path: Path, data: bytes) -> None:
    with refusing(RefusedAs.DISK_FAILS):
        await asyncio.to_thread(_write, path, data)


def _write(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
