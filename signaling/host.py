"""The driver of one room: binds the pure room to its sockets and its journal.

Order matters here and nowhere else. Durable commands stand in one line; what has gathered there while the journal was
writing is proposed, journalled in one transaction and only then told. Streams (views, pointers) pass the line, because
only the newest of them matters; every other message of a peer waits until the peer's durable commands have happened.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from foundation.clock import Clock
from foundation.ids import new_id
from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.commands import is_durable, is_stream
from signaling.guard import Fenced, Journal, Lease
from signaling.limits import Limits, Timers
from signaling.messages import ClientKind, Message, encode
from signaling.peer import Peer, on_the_wire
from signaling.room import Proposal, Room
from signaling.seating import Arrival
from signaling.state import Close, Output, Send
from signaling.tickets import Claims

log = logging.getLogger(__name__)


class Host:
    """Holds one room in memory while somebody is in it. Made by :func:`open_host`."""

    def __init__(
        self, room: Room, lease: Lease, journal: Journal, *, limits: Limits, timers: Timers, clock: Clock
    ) -> None:
        self.room = room
        self.lease = lease
        self._journal = journal
        self._limits = limits
        self._timers = timers
        self._clock = clock
        self._peers: dict[str, Peer] = {}
        self._line: deque[tuple[Peer, Message]] = deque()
        self._in_line: Counter[str] = Counter()
        self._moved_up = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._doubtful: tuple[Proposal, ...] = ()
        self._flushing: asyncio.TimerHandle | None = None
        self.arriving = 0
        """How many have shown a token and are being asked about."""
        self.superseded = False
        """Somebody else serves the room: this memory of it is worth nothing any more."""

    @property
    def idle(self) -> bool:
        """Nobody is here, no seat is held and nothing is being journalled: the room may leave memory."""
        return self.room.deserted and self._writing is None and not self.arriving

    @property
    def peers(self) -> int:
        """How many sockets are in the room."""
        return len(self._peers)

    @property
    def claims(self) -> list[Claims]:
        """Of everybody who has a seat."""
        return self.room.claims

    def enter(self, peer: Peer, arrival: Arrival) -> None:
        """Raises Refusal ROOM_FULL or AUTH_REVOKED."""
        outputs = self.room.join(arrival, self._clock())
        self._peers[peer.link] = peer
        self._distribute(outputs)

    def lost(self, peer: Peer) -> None:
        """The socket has ended, for whatever reason."""
        self._peers.pop(peer.link, None)
        self._distribute(self.room.leave(peer.link, self._clock()))

    async def receive(self, peer: Peer, message: Message) -> None:
        """Do what ``message`` asks, or put it in line; waits only as long as the peer's own messages need."""
        if is_durable(message.kind):
            self._line.append((peer, message))
            self._in_line[peer.link] += 1
            if self._writing is None:
                self._writing = asyncio.create_task(self._write())
            await self._until_in_line(peer, self._limits.commands_in_line)
            return
        if not is_stream(message.kind) and message.kind is not ClientKind.PONG:
            await self._until_in_line(peer, 1)
        self._distribute(self.room.handle(peer.link, message, self._clock()).outputs)
        self._flush_soon()

    def fault(self, peer: Peer, refusal: Refusal) -> None:
        self._distribute(self.room.fault(peer.link, refusal, self._clock()))

    def tick(self) -> None:
        now = self._clock()
        if now >= self.lease.until:
            self.supersede()
        self._distribute(self.room.tick(now))

    def notice(self, topic: str, about: str) -> None:
        self._distribute(self.room.notice(topic, about))

    def remove(self, person: str) -> None:
        self._distribute(self.room.remove(person, self._clock()))

    def close(self, code: CloseCode) -> None:
        self._distribute(self.room.close(code))

    def supersede(self) -> None:
        """The lease is lost: everybody comes back and finds the process that serves the room now."""
        if not self.superseded:
            log.warning("a room is served elsewhere now", extra={"room": self.room.name})
        self.superseded = True
        self.close(CloseCode.UNAVAILABLE)

    def drain(self, first_ms: float, step_ms: float) -> None:
        self._distribute(self.room.drain(first_ms, step_ms))

    async def settled(self) -> None:
        """Wait until nothing is being journalled."""
        while self._writing is not None:
            await asyncio.shield(self._writing)

    def stop(self) -> None:
        """No timer outlives the room."""
        if self._flushing is not None:
            self._flushing.cancel()

    async def _until_in_line(self, peer: Peer, fewer_than: int) -> None:
        while self._in_line[peer.link] >= fewer_than:
            self._moved_up.clear()
            await self._moved_up.wait()

    async def _write(self) -> None:
        """Empty the line, as much at a time as has gathered."""
        try:
            while self._line:
                together = [self._line.popleft() for _ in range(min(len(self._line), self._limits.journalled_together))]
                await self._write_together(together)
                for peer, _ in together:
                    self._in_line[peer.link] -= 1
                # Links come and go; only those that wait for something are remembered.
                self._in_line = +self._in_line
                self._moved_up.set()
        finally:
            self._writing = None

    async def _write_together(self, together: Iterable[tuple[Peer, Message]]) -> None:
        if self._doubtful and not await self._resolved():
            for peer, message in together:
                self._distribute(self.room.refuse(peer.link, message, ErrorCode.UNAVAILABLE))
            return
        await self._settle(self._proposed(together))

    def _proposed(self, together: Iterable[tuple[Peer, Message]]) -> tuple[Proposal, ...]:
        ahead, proposals = self.room.ahead(), []
        for peer, message in together:
            try:
                proposal = self.room.handle(peer.link, message, self._clock(), ahead)
            except Exception:
                log.exception("a command failed", extra={"room": self.room.name})
                self._end(peer.link, CloseCode.UNAVAILABLE)
                self.lost(peer)
                continue
            self._distribute(proposal.outputs)
            proposals.append(proposal)
        return tuple(proposals)

    async def _settle(self, proposals: tuple[Proposal, ...]) -> None:
        events = [event for proposal in proposals for event in proposal.events]
        try:
            if events:
                async with asyncio.timeout(self._timers.journal_ms / 1000):
                    await self._journal.append(self.lease, events)
        except Fenced:
            self._distribute(self.room.abandon(*proposals))
            self.supersede()
        except Exception:
            log.exception("a room's journal did not take an event", extra={"room": self.room.name})
            self._doubtful = proposals
            self._distribute(self.room.abandon(*proposals))
        else:
            self._distribute(self.room.commit(*proposals))

    async def _resolved(self) -> bool:
        """A failed append may have happened all the same; the journal's word counts."""
        try:
            async with asyncio.timeout(self._timers.journal_ms / 1000):
                stored = await self._journal.load(self.room.name)
        except Exception:
            log.exception("a room's journal cannot be read", extra={"room": self.room.name})
            return False
        doubtful, self._doubtful = self._doubtful, ()
        unknown = list(stored[self.room.seq :])
        if unknown == [event for proposal in doubtful for event in proposal.events]:
            self._distribute(self.room.commit(*doubtful))
        elif unknown:
            log.error("somebody else wrote to a room's journal", extra={"room": self.room.name})
            self.supersede()
        return not self.superseded

    def _distribute(self, outputs: Sequence[Output]) -> None:
        due = deque(outputs)
        while due:
            output = due.popleft()
            if isinstance(output, Close):
                self._end(output.link, output.code)
            else:
                due.extend(self._send(output))

    def _send(self, output: Send) -> list[Output]:
        """Encode once, hand to many; whoever has no room left is cut, and the others are told."""
        frame, peers, slot = encode(output.message), self._peers, output.slot
        wire = on_the_wire(frame)
        consequences: list[Output] = []
        for link in output.links:
            peer = peers.get(link)
            if peer is not None and not peer.send(frame, slot, wire):
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


async def open_host(lease: Lease, journal: Journal, limits: Limits, timers: Timers, clock: Clock) -> Host:
    """The room as its journal tells it. Raises Refusal UNAVAILABLE when the journal cannot be read."""
    name = lease.room
    try:
        async with asyncio.timeout(timers.journal_ms / 1000):
            room = Room(name, await journal.load(name), new_id(), limits, timers)
    except Exception as error:
        log.exception("a room cannot be restored", extra={"room": name})
        raise Refusal(ErrorCode.UNAVAILABLE, close=CloseCode.UNAVAILABLE) from error
    return Host(room, lease, journal, limits=limits, timers=timers, clock=clock)
