"""The driver of one room: binds the pure room to its sockets and its journal.

Order matters here and nowhere else. A durable command is proposed, journalled and only then told; such commands wait
for each other, so that the sequence has no gaps. Everything else is told at once and never waits for the journal.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from foundation.clock import Clock
from foundation.ids import new_id
from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.commands import is_durable
from signaling.guard import Journal
from signaling.limits import Limits, Timers
from signaling.messages import Message, encode
from signaling.peer import Peer
from signaling.room import Arrival, Proposal, Room
from signaling.state import Close, Output, Send

log = logging.getLogger(__name__)


class Host:
    """Holds one room in memory while somebody is in it. Made by :func:`open_host`."""

    def __init__(self, room: Room, journal: Journal, timers: Timers, clock: Clock) -> None:
        self.room = room
        self._journal = journal
        self._timers = timers
        self._clock = clock
        self._peers: dict[str, Peer] = {}
        self._one_at_a_time = asyncio.Lock()
        self._doubtful: Proposal | None = None
        self._flushing: asyncio.TimerHandle | None = None
        self.superseded = False
        """Somebody else wrote to the journal: this room's memory is worth nothing any more."""

    @property
    def idle(self) -> bool:
        """Nobody is here, no seat is held and nothing is being journalled: the room may leave memory."""
        return self.room.deserted and not self._one_at_a_time.locked()

    @property
    def peers(self) -> int:
        """How many sockets are in the room."""
        return len(self._peers)

    def enter(self, peer: Peer, arrival: Arrival) -> None:
        """Raises Refusal ROOM_FULL."""
        outputs = self.room.join(arrival, self._clock())
        self._peers[peer.link] = peer
        self._distribute(outputs)

    def lost(self, peer: Peer) -> None:
        """The socket has ended, for whatever reason."""
        self._peers.pop(peer.link, None)
        self._distribute(self.room.leave(peer.link, self._clock()))

    async def receive(self, peer: Peer, message: Message) -> None:
        """Do what ``message`` asks; returns when it has happened, so that one peer's messages keep their order."""
        if is_durable(message.kind):
            # Shielded: a socket that dies now must not leave the journal ahead of the room.
            await asyncio.shield(self._durable(peer.link, message))
            return
        self._distribute(self.room.handle(peer.link, message, self._clock()).outputs)
        self._flush_soon()

    def fault(self, peer: Peer, refusal: Refusal) -> None:
        self._distribute(self.room.fault(peer.link, refusal, self._clock()))

    def tick(self) -> None:
        self._distribute(self.room.tick(self._clock()))

    def notice(self, topic: str, about: str) -> None:
        self._distribute(self.room.notice(topic, about))

    def remove(self, person: str) -> None:
        self._distribute(self.room.remove(person, self._clock()))

    def close(self, code: CloseCode) -> None:
        self._distribute(self.room.close(code))

    def drain(self, first_ms: float, step_ms: float) -> None:
        self._distribute(self.room.drain(first_ms, step_ms))

    async def settled(self) -> None:
        """Wait until nothing is being journalled, and stop the timer."""
        async with self._one_at_a_time:
            if self._flushing is not None:
                self._flushing.cancel()

    async def _durable(self, link: str, message: Message) -> None:
        async with self._one_at_a_time:
            if self._doubtful is not None and not await self._resolved(self._doubtful):
                self._distribute(self.room.refuse(link, message, ErrorCode.UNAVAILABLE))
                return
            proposal = self.room.handle(link, message, self._clock())
            self._distribute(proposal.outputs)
            if proposal.events:
                await self._settle(proposal)

    async def _settle(self, proposal: Proposal) -> None:
        try:
            async with asyncio.timeout(self._timers.journal_ms / 1000):
                await self._journal.append(self.room.name, proposal.events)
        except Exception:
            log.exception("a room's journal did not take an event", extra={"room": self.room.name})
            self._doubtful = proposal
            self._distribute(self.room.abandon(proposal))
        else:
            self._distribute(self.room.commit(proposal))

    async def _resolved(self, doubtful: Proposal) -> bool:
        """A failed append may have happened all the same; the journal's word counts."""
        try:
            async with asyncio.timeout(self._timers.journal_ms / 1000):
                stored = await self._journal.load(self.room.name)
        except Exception:
            log.exception("a room's journal cannot be read", extra={"room": self.room.name})
            return False
        self._doubtful = None
        unknown = tuple(stored[self.room.seq :])
        if unknown == doubtful.events:
            self._distribute(self.room.commit(doubtful))
        elif unknown:
            log.error("somebody else wrote to a room's journal", extra={"room": self.room.name})
            self.superseded = True
            self.close(CloseCode.UNAVAILABLE)
        return not self.superseded

    def _distribute(self, outputs: Iterable[Output]) -> None:
        due = deque(outputs)
        while due:
            output = due.popleft()
            if isinstance(output, Close):
                self._end(output.link, output.code)
            else:
                due.extend(self._send(output))

    def _send(self, output: Send) -> list[Output]:
        """Encode once, hand to many; whoever has no room left is cut, and the others are told."""
        frame = encode(output.message)
        consequences: list[Output] = []
        for link in output.links:
            peer = self._peers.get(link)
            if peer is not None and not peer.send(frame, output.slot):
                self._end(link, CloseCode.TOO_SLOW)
                consequences += self.room.leave(link, self._clock())
        return consequences

    def _end(self, link: str, code: CloseCode) -> None:
        peer = self._peers.pop(link, None)
        if peer is not None:
            peer.end(code)

    def _flush_soon(self) -> None:
        if self.room.holding_back and self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(self._timers.flush_ms / 1000, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        self._distribute(self.room.flush())


async def open_host(name: str, journal: Journal, limits: Limits, timers: Timers, clock: Clock) -> Host:
    """The room as its journal tells it. Raises Refusal UNAVAILABLE when the journal cannot be read."""
    try:
        async with asyncio.timeout(timers.journal_ms / 1000):
            room = Room(name, await journal.load(name), new_id(), limits, timers)
    except Exception as error:
        log.exception("a room cannot be restored", extra={"room": name})
        raise Refusal(ErrorCode.UNAVAILABLE, close=CloseCode.UNAVAILABLE) from error
    return Host(room, journal, timers, clock)
