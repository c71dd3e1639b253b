"""One socket: its outbox, its one writer, and its end.

A frame goes straight to the socket as long as nothing waits and the kernel takes it; else it waits in the outbox, which
the writer empties at the peer's own pace.

Whatever happens to this peer stays with this peer: nobody waits for its writer, and an ending that it does not read in
time is enforced by dropping the connection.
"""

import asyncio

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from foundation.ids import new_id
from signaling.codes import CloseCode
from signaling.limits import Limits, Timers
from signaling.messages import Message, decode
from signaling.outbox import Outbox
from signaling.state import Slot


def on_the_wire(frame: bytes) -> bytes:
    """A text message as one WebSocket frame (RFC 6455 section 5.2); a server's frames are the same for every peer."""
    return Frame(Opcode.TEXT, frame).serialize(mask=False)


class Peer:
    """Wraps an open connection. Run :meth:`write` in a task of its own until it returns."""

    def __init__(self, connection: ServerConnection, limits: Limits, timers: Timers) -> None:
        self.link = new_id()
        self._connection = connection
        self._limits = limits
        self._timers = timers
        self._outbox = Outbox(limits)
        self._code: CloseCode | None = None

    def send(self, frame: bytes, slot: Slot, wire: bytes | None = None) -> bool:
        """Never waits. False: too much waits already, so the peer must be ended with TOO_SLOW.

        wire: ``frame`` as :func:`on_the_wire` makes it, when it is made once for many.
        """
        connection = self._connection
        if self._code is not None or self._outbox or connection.paused:
            return self._outbox.put(frame, slot)
        if connection.state is State.OPEN:
            connection.transport.write(wire or on_the_wire(frame))
        return True

    def end(self, code: CloseCode) -> None:
        """Close after what was sent before has gone out; the first code stands. Never waits."""
        if self._code is not None:
            return
        self._code = code
        if code is CloseCode.TOO_SLOW:
            self._outbox.clear()
        self._outbox.close()
        # websockets' own close waits for a full buffer to drain, which a stopped reader never lets happen.
        asyncio.get_running_loop().call_later(self._timers.close_ms / 1000, self._connection.transport.abort)

    async def write(self) -> None:
        """Write what is put, in order, until the end."""
        try:
            while (frame := await self._outbox.take()) is not None:
                await self._connection.send(frame, text=True)
        except ConnectionClosed:
            return
        code = self._code or CloseCode.NORMAL
        await self._connection.close(code, code.sentence)

    async def receive(self) -> Message:
        """The next message; raises Refusal for one that nobody can read, ConnectionClosed at the end."""
        frame = await self._connection.recv(decode=False)
        return decode(frame, self._limits.frame_bytes)
