"""Bytes behind one small interface: written once, never changed, found by our own key."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol


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

    async def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """``length`` bytes from ``start`` (to the end when None). Raises ``foundation.errors.Unavailable``."""
        ...

    def stream(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The same in pieces of bounded size, for bodies larger than memory should hold."""
        ...

    async def local_path(self, key: str) -> Path:
        """A file with these bytes that a worker process may read (a cached copy for an object store)."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the bytes; a key that is not there is no error."""
        ...
