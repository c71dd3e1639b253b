"""Bytes behind one small interface: written once, never changed, found by our own key."""

import asyncio
import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from foundation.ids import new_id
from imaging.store.open_files import OpenFiles

_KEY: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
PAST_ALL_KEYS: Final = "~"
PIECE_BYTES: Final = 256 * 1024


class Blobs(Protocol):
    """A place for immutable bytes. Today a local folder (:class:`FolderBlobs`), next an object store.

    Keys are ULIDs made by ``foundation.ids.new_id``; anything else is refused with ``ValueError``.
    """

    async def spool(self) -> Path:
        """An unused path for bytes that arrive. On the same file system as the blobs where those are local."""
        ...

    async def keep(self, spooled: Path, key: str) -> None:
        """Make the spooled file the blob ``key``. When this returns the bytes survive a power cut."""
        ...

    async def keep_all(self, blobs: Sequence[tuple[str, bytes]]) -> list[OSError | None]:
        """Make (key, bytes) blobs; for each what went wrong with it, or None: these survive a power cut."""
        ...

    async def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """``length`` bytes from ``start`` (to the end when None). Raises ``foundation.errors.Unavailable``."""
        ...

    def stream(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The same in pieces of bounded size, for bodies larger than memory should hold."""
        ...

    async def local_path(self, key: str) -> Path:
        """A file with these bytes that a worker process may read (a cached copy for an object store)."""
        ...

    async def set_aside(self, key: str) -> None:
        """Keep damaged bytes where nothing reads them: from now on the key is away."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the bytes, also those set aside; a key that is not there is no error."""
        ...

    def keys(self, after: str = "", before: str = PAST_ALL_KEYS) -> AsyncIterator[list[str]]:
        """Keys from ``after`` on and below ``before``, some at a time, in no order.

        Those that come or go meanwhile may be among them or not.
        """
        ...


class FolderBlobs:
    """Blobs as files of one folder: ``blobs/<5>/<2>/<key>`` with the key's first characters, which are its time.

    So what comes within half a minute lies in one folder: one fsync makes all its entries durable, and what is new is
    found without reading the whole archive. Bytes arrive in ``spool/<process>/``; a process holds a lock on its spool
    folder while it lives, so that the next start can tell an abandoned one. Create with :meth:`open`, end with
    :meth:`close`.
    """

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._damaged = root / "damaged"
        self._spool = root / "spool" / new_id()
        self._lock = -1
        # Folders whose entry in their parent is known to be durable.
        self._durable: set[Path] = set()
        self._open = OpenFiles()

    @classmethod
    async def open(cls, root: Path) -> "FolderBlobs":
        """``root`` is made where it is missing; spool files of processes that died are removed."""
        blobs = cls(root)
        await asyncio.to_thread(blobs._prepare)
        return blobs

    async def close(self) -> None:
        self._open.close_all()
        await asyncio.to_thread(self._end)

    async def spool(self) -> Path:
        return self._spool / new_id()

    async def keep(self, spooled: Path, key: str) -> None:
        self._open.close(key)
        await asyncio.to_thread(self._keep, spooled, self._path(key))

    async def keep_all(self, blobs: Sequence[tuple[str, bytes]]) -> list[OSError | None]:
        return await asyncio.to_thread(self._keep_all, blobs)

    async def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        file = await self._open.get(key, self._path(key))
        return await file.read(start, max(file.size - start, 0) if length is None else length)

    async def stream(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        file = await self._open.get(key, self._path(key))
        end = file.size if length is None else min(start + length, file.size)
        while start < end and (piece := await file.read(start, min(PIECE_BYTES, end - start))):
            yield piece
            start += len(piece)

    async def local_path(self, key: str) -> Path:
        return self._path(key)

    async def set_aside(self, key: str) -> None:
        await asyncio.to_thread(self._set_aside, key)
        self._open.close(key)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._delete, key)
        self._open.close(key)

    async def keys(self, after: str = "", before: str = PAST_ALL_KEYS) -> AsyncIterator[list[str]]:
        for folder in await asyncio.to_thread(self._folders_between, after, before):
            names = await asyncio.to_thread(os.listdir, folder)
            yield [name for name in names if after <= name < before and _KEY.fullmatch(name)]

    def _folders_between(self, after: str, before: str) -> list[Path]:
        return [
            inner
            for outer in sorted(self._blobs.iterdir())
            if after[:5] <= outer.name <= before[:5]
            for inner in sorted(outer.iterdir())
            if after[:7] <= outer.name + inner.name <= before[:7]
        ]

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("a blob key is a ULID")
        return self._blobs / key[:5] / key[5:7] / key

    def _set_aside(self, key: str) -> None:
        self._damaged.mkdir(parents=True, exist_ok=True)
        self._path(key).rename(self._damaged / key)
        _sync(self._damaged)

    def _delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)
        (self._damaged / key).unlink(missing_ok=True)

    def _prepare(self) -> None:
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._spool.mkdir(parents=True)
        self._lock = _lock(self._spool)
        for path in self._blobs.glob("?/?/*"):
            # As the first version laid them out.
            self._make_durable(self._path(path.name).parent)
            path.rename(self._path(path.name))
        for folder in self._spool.parent.iterdir():
            if folder != self._spool:
                _remove_if_abandoned(folder)

    def _end(self) -> None:
        shutil.rmtree(self._spool, ignore_errors=True)
        os.close(self._lock)

    def _keep(self, spooled: Path, path: Path) -> None:
        _sync(spooled)
        self._make_durable(path.parent)
        spooled.rename(path)
        _sync(path.parent)

    def _keep_all(self, blobs: Sequence[tuple[str, bytes]]) -> list[OSError | None]:
        """Written straight to their places: until a row names it, nobody knows of a blob."""
        paths = [self._path(key) for key, _ in blobs]
        failed = [_failure(self._written, path, data) for path, (_, data) in zip(paths, blobs, strict=True)]
        for folder in {path.parent for path, failure in zip(paths, failed, strict=True) if failure is None}:
            _sync(folder)
        return failed

    def _written(self, path: Path, data: bytes) -> None:
        self._make_durable(path.parent)
        try:
            _write(path, data)
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def _make_durable(self, folder: Path) -> None:
        if folder in self._durable:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for parent in (folder.parent, self._blobs, self._blobs.parent):
            _sync(parent)
        self._durable.add(folder)


def _failure(work: Callable[[Path, bytes], None], path: Path, data: bytes) -> OSError | None:
    try:
        work(path, data)
    except OSError as error:
        return error
    return None


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, memoryview(data)[written:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(folder: Path) -> int:
    """A descriptor that holds the folder's lock until it is closed. Raises BlockingIOError when another holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_if_abandoned(folder: Path) -> None:
    with suppress(BlockingIOError):
        descriptor = _lock(folder)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)
