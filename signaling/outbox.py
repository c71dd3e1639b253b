"""What waits to be written to one peer: bounded, in order, with room for the newest of what may be skipped.

Frames without a slot (durable events, answers, call set-up) are never dropped: when too many wait, the peer is too
slow and is cut. Frames with a slot (keyed state, pointers) replace the waiting one of the same slot, so that their
number is bounded by the number of slots however slowly the peer reads.
"""

import asyncio
from collections import OrderedDict
from typing import Final

from signaling.limits import Limits
from signaling.state import Slot

# A slot of its own, because a long history may be larger than all that may wait in line for one peer. A welcome
# replaces what the client has, so that nothing that waits before it is worth sending.
WELCOME_SLOT: Final = ("welcome",)


class Outbox:
    """One writer takes, anybody puts. Not thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._frames: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._in_line = 0
        self._in_line_bytes = 0
        self._placed = 0
        self._closed = False
        self._changed = asyncio.Event()

    def __bool__(self) -> bool:
        """Whether something waits."""
        return bool(self._frames)

    def put(self, frame: bytes, slot: Slot) -> bool:
        """False when the frame finds no room: the peer must be cut."""
        if self._closed:
            return True
        if slot is None:
            return self._put_in_line(frame)
        if slot == WELCOME_SLOT:
            self.clear()
        # Popped first, so that the newer frame waits at the end: what was said before it arrives before it.
        self._frames.pop(slot, None)
        self._frames[slot] = frame
        self._changed.set()
        return True

    def close(self) -> None:
        """Take nothing more in; the writer still gets what waits, then None."""
        self._closed = True
        self._changed.set()

    def clear(self) -> None:
        """Forget what waits."""
        self._frames.clear()
        self._in_line = self._in_line_bytes = 0

    async def take(self) -> bytes | None:
        """The next frame, as soon as there is one; None when the outbox is closed and empty."""
        while not self._frames:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self.take_now()

    def take_now(self) -> bytes | None:
        """The next frame if one waits."""
        if not self._frames:
            return None
        key, frame = self._frames.popitem(last=False)
        if isinstance(key[0], int):
            self._in_line -= 1
            self._in_line_bytes -= len(frame)
        return frame

    def _put_in_line(self, frame: bytes) -> bool:
        full = self._in_line >= self._limits.outbox_frames
        if full or self._in_line_bytes + len(frame) > self._limits.outbox_bytes:
            return False
        self._in_line += 1
        self._in_line_bytes += len(frame)
        self._placed += 1
        self._frames[(self._placed,)] = frame
        self._changed.set()
        return True
