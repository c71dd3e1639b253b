"""Metadata of studies and series ready to send, held in memory.

Why it cannot be wrong: an answer is held under the revision of its study, which grows with every change below it
(``imaging.store.tables.Study``) and is read, with the caller's access applied, for every request; and under the root
that its addresses begin with. A change makes another name; what nobody asks for any more makes room.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

KEPT_BYTES: Final = 64 << 20

# Our key of the study, its revision, the series where one is named, the service root.
Name = tuple[str, int, str | None, str]


@dataclass(frozen=True, slots=True)
class Ready:
    """packed: the JSON array, gzip. content: hash of what it was made from. warning: a Warning header, if any."""

    packed: bytes
    content: str
    warning: str | None


class RecentMetadata:
    """The answers given last, as many as fit."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._ready: OrderedDict[Name, Ready] = OrderedDict()

    def get(self, name: Name) -> Ready | None:
        ready = self._ready.get(name)
        if ready is not None:
            self._ready.move_to_end(name)
        return ready

    def keep(self, name: Name, ready: Ready) -> None:
        if name in self._ready:
            return
        self._ready[name] = ready
        self._size += len(ready.packed)
        while self._size > self._limit:
            _, dropped = self._ready.popitem(last=False)
            self._size -= len(dropped.packed)
