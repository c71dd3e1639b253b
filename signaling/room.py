"""A room: the pure state machine that turns messages into messages.

No await, no socket, no clock: everything takes ``now`` and returns outputs. Durable facts are told to nobody before
they are journalled: :meth:`Room.handle` only proposes them, and the driver calls :meth:`Room.commit` after the journal
has them, or :meth:`Room.abandon`, which leaves the room as it was. The driver lets one proposal be open at a time;
everything that is not durable goes on meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from signaling import messages
from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.commands import COMMANDS, Command, Effect, Stream, Turn
from signaling.history import Event, History
from signaling.limits import Limits, Timers
from signaling.messages import ClientKind, Envelope, Message, ServerKind
from signaling.pace import Pace, allowances
from signaling.state import Answers, Close, Output, Seat, Send, State
from signaling.tickets import Claims


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody at the door whose right to enter has been checked.

    link: the new socket. visit: the stay of the page; the same as before for one that resumes. since: (epoch, seq) of
    the last durable event the client has; None for a page that has nothing.
    """

    claims: Claims
    link: str
    visit: str
    resume_token: str
    since: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """outputs: true already. events: true once they are journalled; then ``author`` gets the answer to ``message``."""

    outputs: tuple[Output, ...] = ()
    events: tuple[Event, ...] = ()
    author: str = ""
    message: Message | None = None


class Room:
    """One live session. Not thread-safe; every method returns what must be sent, in order."""

    def __init__(self, name: str, events: Sequence[Event], epoch: str, limits: Limits, timers: Timers) -> None:
        """The room that ``events`` tell of; ``epoch`` names its history if it has none yet. Raises BrokenHistory."""
        self.name = name
        self._limits = limits
        self._timers = timers
        history = History.restore(events, epoch, limits)
        self._state = State(history, limits, Answers(limits.remembered_commands, events))
        self._person_of: dict[str, str] = {}
        self._ordinals = 0
        self._ticked_at: datetime | None = None

    @property
    def epoch(self) -> str:
        return self._state.history.epoch

    @property
    def seq(self) -> int:
        return self._state.history.seq

    @property
    def deserted(self) -> bool:
        """Nobody is here and no seat is held."""
        return not self._state.seats

    @property
    def holding_back(self) -> bool:
        """Streams wait for :meth:`flush`."""
        return bool(self._state.paced)

    def snapshot(self) -> dict[str, Any]:
        return self._state.snapshot(durable=True)

    # Coming and going

    def join(self, arrival: Arrival, now: datetime) -> list[Output]:
        """Give the person a seat, or the seat back; the newest socket of a person speaks for it.

        Raises Refusal ROOM_FULL.
        """
        claims = arrival.claims
        before = self._state.seats.get(claims.person)
        if before is None and len(self._state.seats) >= self._limits.participants:
            raise Refusal(ErrorCode.ROOM_FULL, close=CloseCode.FULL)
        outputs = self._unseat_older(before, arrival)
        seat = self._seated(before, arrival, now)
        self._state.seats[claims.person] = seat
        self._person_of[arrival.link] = claims.person
        outputs.append(Send((arrival.link,), _WELCOME_SLOT, self._welcome(seat, arrival)))
        return outputs + self._state.presence(seat.id, now, but=seat.id)

    def leave(self, link: str, now: datetime) -> list[Output]:
        """The socket is gone; the seat is held for a while."""
        seat = self._seat_of(link)
        return [] if seat is None else self._lost(seat, now)

    def remove(self, person: str, now: datetime, code: CloseCode = CloseCode.REMOVED) -> list[Output]:
        """Take the seat away at once."""
        seat = self._state.seats.pop(person, None)
        if seat is None:
            return []
        closing = self._unlink(seat, code)
        return closing + self._state.presence(person, now)

    def close(self, code: CloseCode) -> list[Output]:
        """Everybody out, without telling each about the others."""
        outputs = [output for seat in self._state.seats.values() for output in self._unlink(seat, code)]
        self._state.seats.clear()
        return outputs

    def drain(self, first_ms: float, step_ms: float) -> list[Output]:
        """Send everybody away for a while, each for another while: the first for ``first_ms``, the next a step more."""
        told = [
            Send((link,), None, messages.drain(round(first_ms + place * step_ms)))
            for place, link in enumerate(self._state.links())
        ]
        return [*told, *self.close(CloseCode.DRAIN)]

    # Messages

    def handle(self, link: str, message: Message, now: datetime) -> Proposal:
        """What ``message`` leads to. A socket that lost its seat is not answered."""
        seat = self._seat_of(link)
        if seat is None:
            return Proposal()
        seat.heard_at = now
        upkeep = _UPKEEP.get(message.kind)
        if upkeep is not None:
            return Proposal(tuple(upkeep(self, seat, message, now)))
        try:
            return self._command(seat, message, now)
        except Refusal as refusal:
            return Proposal(tuple(self._refused(seat, message, refusal)))

    def commit(self, proposal: Proposal) -> list[Output]:
        """The journal has the events: they are true now, and everybody hears of them."""
        outputs: list[Output] = []
        for event in proposal.events:
            self._state.history.apply(event)
            outputs += self._state.tell_all(event.envelope())
        return outputs + self._done(proposal.author, proposal.message)

    def abandon(self, proposal: Proposal) -> list[Output]:
        """The journal did not take the events: nothing has happened, and the author may try again."""
        command_id = None if proposal.message is None else proposal.message.id
        return self._answer(proposal.author, messages.err(Refusal(ErrorCode.UNAVAILABLE), command_id))

    def refuse(self, link: str, message: Message, code: ErrorCode) -> list[Output]:
        """Answer ``message`` without looking at it."""
        seat = self._seat_of(link)
        return [] if seat is None else self._answer(seat.id, messages.err(Refusal(code), message.id))

    def fault(self, link: str, refusal: Refusal, now: datetime) -> list[Output]:
        """A frame that nobody could read; a socket that keeps sending such frames is closed."""
        seat = self._seat_of(link)
        if seat is None:
            return []
        seat.heard_at = now
        if seat.allowances[Pace.FAULT].take(now):
            return self._answer(seat.id, messages.err(refusal))
        return self._lost(seat, now, CloseCode.PROTOCOL)

    def notice(self, topic: str, about: str) -> list[Output]:
        """Something outside the room changed; whoever cares fetches it."""
        return self._state.tell_all(messages.notice(topic, about), ("notice", topic, about))

    # Time

    def tick(self, now: datetime) -> list[Output]:
        """Heartbeats, silent sockets, ended sessions and seats held long enough; call about every ``tick_ms``."""
        self._forgive_sleep(now)
        outputs: list[Output] = []
        for seat in list(self._state.seats.values()):
            outputs += self._tick_seat(seat, now)
        return outputs

    def flush(self) -> list[Output]:
        """Send the newest of each stream that was held back."""
        paced, self._state.paced = self._state.paced, {}
        return [
            output
            for slot, (author, message) in paced.items()
            for output in self._state.tell_all(message, slot, but=author)
        ]

    # How it is done

    def _seat_of(self, link: str) -> Seat | None:
        return self._state.seats.get(self._person_of.get(link, ""))

    def _unlink(self, seat: Seat, code: CloseCode | None) -> list[Output]:
        """The seat's socket speaks for nobody from now on; ``code`` None: it is gone already."""
        link, seat.link = seat.link, None
        if link is None:
            return []
        del self._person_of[link]
        return [] if code is None else [Close(link, code)]

    def _unseat_older(self, seat: Seat | None, arrival: Arrival) -> list[Output]:
        if seat is None:
            return []
        # The same page on a new socket: it must not read on the old one that it should stay away.
        same_page = seat.visit == arrival.visit
        return self._unlink(seat, CloseCode.NORMAL if same_page else CloseCode.REPLACED)

    def _seated(self, before: Seat | None, arrival: Arrival, now: datetime) -> Seat:
        if before is not None and before.visit == arrival.visit:
            before.claims, before.link = arrival.claims, arrival.link
            before.lost_at, before.heard_at, before.hidden = None, now, False
            return before
        if before is not None:
            return Seat(arrival.claims, arrival.visit, before.ordinal, arrival.link, before.allowances, now, now)
        self._ordinals += 1
        rates = allowances(self._limits, now)
        return Seat(arrival.claims, arrival.visit, self._ordinals, arrival.link, rates, now, now)

    def _welcome(self, seat: Seat, arrival: Arrival) -> Envelope:
        missed = self._missed(arrival.since)
        body = {
            "me": seat.id,
            "room": self.name,
            "recovered": missed is not None,
            "resume_token": arrival.resume_token,
            "snapshot": self._state.snapshot(durable=missed is None),
            "events": [event.envelope() for event in missed or []],
            "timers": {name: getattr(self._timers, name) for name in TIMERS_TOLD},
            "limits": {name: getattr(self._limits, name) for name in LIMITS_TOLD},
            "features": messages.FEATURES,
        }
        return Envelope(k=ServerKind.WELCOME, b=body)

    def _missed(self, since: tuple[str, int] | None) -> list[Event] | None:
        if since is None or since[0] != self.epoch:
            return None
        return self._state.history.since(since[1])

    def _lost(self, seat: Seat, now: datetime, code: CloseCode | None = None) -> list[Output]:
        closing = self._unlink(seat, code)
        seat.lost_at = now
        return closing + self._state.presence(seat.id, now)

    def _command(self, seat: Seat, message: Message, now: datetime) -> Proposal:
        command = COMMANDS[message.kind]
        in_pace = seat.allowances[command.pace].take(now)
        if not in_pace and command.pace is not Pace.STREAM:
            raise Refusal(ErrorCode.RATE_LIMITED)
        answer = self._state.answers.find(seat.id, message.id)
        if answer is not None:
            return Proposal(tuple(self._answer(seat.id, answer)))
        effect = self._effect(command, seat, message, now)
        if effect.events:
            return Proposal(events=self._drafts(effect, seat, message, now), author=seat.id, message=message)
        streamed = self._stream(effect.stream, seat, in_pace)
        return Proposal((*effect.outputs, *streamed, *self._done(seat.id, message)))

    def _effect(self, command: Command, seat: Seat, message: Message, now: datetime) -> Effect:
        if command.grant not in seat.claims.grants:
            raise Refusal(ErrorCode.NOT_ALLOWED)
        return command.rule(Turn(self._state, seat, message.body, now))

    def _drafts(self, effect: Effect, seat: Seat, message: Message, now: datetime) -> tuple[Event, ...]:
        history = self._state.history
        return tuple(history.draft(kind, seat.id, now, body, message.id) for kind, body in effect.events)

    def _stream(self, stream: Stream | None, seat: Seat, in_pace: bool) -> list[Output]:
        if stream is None:
            return []
        self._state.paced.pop(stream.slot, None)
        if in_pace:
            return self._state.tell_all(stream.message, stream.slot, but=seat.id)
        self._state.paced[stream.slot] = (seat.id, stream.message)
        return []

    def _answer(self, who: str, answer: Envelope) -> list[Output]:
        return self._state.tell(who, answer)

    def _done(self, who: str, message: Message | None) -> list[Output]:
        if message is None or message.id is None:
            return []
        answer = messages.ok(message.id)
        self._state.answers.remember(who, message.id, answer)
        return self._answer(who, answer)

    def _refused(self, seat: Seat, message: Message, refusal: Refusal) -> list[Output]:
        answer = messages.err(refusal, message.id)
        if message.id is not None and not refusal.temporary:
            self._state.answers.remember(seat.id, message.id, answer)
        return self._answer(seat.id, answer) + self._correction(seat, message)

    def _correction(self, seat: Seat, message: Message) -> list[Output]:
        """Whoever showed a view of their own as the shared one is told the real one."""
        view = self._state.view()
        if message.kind is not ClientKind.VIEW_SET or view is None:
            return []
        return self._state.tell(seat.id, view, ("state", "view"))

    def _forgive_sleep(self, now: datetime) -> None:
        """Nobody could be heard while the process itself was stopped, or its clock was set forward."""
        before, self._ticked_at = self._ticked_at, now
        if before is not None and now - before > _ms(self._timers.dead_ms):
            for seat in self._state.seats.values():
                seat.heard_at = now

    def _tick_seat(self, seat: Seat, now: datetime) -> list[Output]:
        if now >= seat.claims.session_ends_at:
            return self.remove(seat.id, now, CloseCode.TICKET_STALE)
        if seat.link is None:
            held = seat.lost_at is None or now - seat.lost_at < _ms(self._timers.seat_ms)
            return [] if held else self.remove(seat.id, now)
        patience_ms = self._timers.hidden_dead_ms if seat.hidden else self._timers.dead_ms
        if now - seat.heard_at > _ms(patience_ms):
            return self._lost(seat, now, CloseCode.NO_HEARTBEAT)
        if now - seat.pinged_at < _ms(self._timers.ping_ms):
            return []
        seat.pinged_at = now
        return self._state.tell(seat.id, messages.ping(now), ("ping",))

    def _pong(self, seat: Seat, message: Message, now: datetime) -> list[Output]:
        seat.hidden = message.body.hidden
        return []

    def _bye(self, seat: Seat, message: Message, now: datetime) -> list[Output]:
        return self.remove(seat.id, now, CloseCode.NORMAL)

    def _out_of_turn(self, seat: Seat, message: Message, now: datetime) -> list[Output]:
        return self.fault(
            seat.link or "", Refusal(ErrorCode.BAD_STATE, "You are in the room already.", re=message.id), now
        )


_Upkeep = Callable[[Room, Seat, Message, datetime], list[Output]]

_UPKEEP: Final[Mapping[ClientKind, _Upkeep]] = {
    ClientKind.PONG: Room._pong,
    ClientKind.BYE: Room._bye,
    ClientKind.HELLO: Room._out_of_turn,
    ClientKind.RESUME: Room._out_of_turn,
}

# A slot of its own, because a long history may be larger than all that may wait in line for one peer.
_WELCOME_SLOT: Final = ("welcome",)

TIMERS_TOLD: Final = ("ping_ms", "dead_ms", "hidden_dead_ms", "seat_ms", "backoff_ms")
LIMITS_TOLD: Final = (
    "frame_bytes",
    "chat_characters",
    "mark_points",
    "marks",
    "participants",
    "commands_per_second",
    "command_burst",
    "stream_per_second",
)


def _ms(value: int) -> timedelta:
    return timedelta(milliseconds=value)
