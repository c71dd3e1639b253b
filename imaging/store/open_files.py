"""Files of blobs held open, and read without a thread while their bytes are in the kernel's memory anyway."""

import asyncio
import os
import resource
from collections import OrderedDict
from pathlib import Path
from typing import Final

from imaging.errors import BlobAway

# Up to this size copying takes the event loop 0.1 ms, less than a trip to a thread.
AT_HAND_BYTES: Final = 1 << 20
MAX_KEPT_FILES: Final = 4_000
# Linux; elsewhere a flag that no kernel knows, so that every read goes to a thread.
_NO_WAIT: Final = getattr(os, "RWF_NOWAIT", 1 << 30)


class OpenFile:
    """A file held open for reading; closed when the last holder lets go of it. Reads fewer bytes where it ends."""

    def __init__(self, path: Path) -> None:
        try:
            self.descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            self.descriptor = -1
            raise BlobAway() from error
        self.size = os.fstat(self.descriptor).st_size

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)

    async def read(self, start: int, length: int) -> bytes:
        if length <= AT_HAND_BYTES and self._in_memory(start, length):
            return os.pread(self.descriptor, length, start)
        return await asyncio.to_thread(os.pread, self.descriptor, length, start)

    def _in_memory(self, start: int, length: int) -> bool:
        """Would reading wait for no disk? By its first and last byte: the kernel reads and forgets in long runs."""
        try:
            return all(os.preadv(self.descriptor, [bytearray(1)], at, _NO_WAIT) for at in (start, start + length - 1))
        except OSError:
            return False


class OpenFiles:
    """The files read last, by blob key. A blob never changes, so an open one can only be wrong by being deleted."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, OpenFile] = OrderedDict()
        self._limit = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4, MAX_KEPT_FILES)

    async def get(self, key: str, path: Path) -> OpenFile:
        """Raises BlobAway."""
        file = self._open.get(key)
        if file is None:
            file = self._open[key] = await asyncio.to_thread(OpenFile, path)
            while len(self._open) > self._limit:
                self._open.popitem(last=False)
        else:
            self._open.move_to_end(key)
        return file

    def close(self, key: str) -> None:
        """The blob is no longer there. Who reads it at this moment reads on."""
        self._open.pop(key, None)

    def close_all(self) -> None:
        self._open.clear()
