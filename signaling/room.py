"""A room: the pure state machine that turns messages into messages.

No await, no socket, no clock: everything takes ``now`` and returns outputs. Durable facts are told to nobody before
they are journalled: :meth:`Room.handle` only proposes them, and the driver calls :meth:`Room.commit` after the journal
has them, or :meth:`Room.abandon`, which leaves the room as it was. Several proposals may follow from each other and be
journalled together (:meth:`Room.ahead`); everything that is not durable goes on meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from signaling import messages
from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.commands import COMMANDS, is_durable
from signaling.history import Event, History
from signaling.limits import Limits, Timers
from signaling.messages import ClientKind, Envelope, EventKind, Message
from signaling.pace import Pace
from signaling.seating import Arrival, Terms, check_not_removed, seated, told, welcome
from signaling.state import Answers, Close, Output, Seat, Send, State
from signaling.tickets import Claims
from signaling.turn import Command, Effect, Stream, Turn, check_scope


@dataclass(frozen=True, slots=True)
class Proposal:
    """outputs: true already. events: true once they are journalled; then ``author`` gets the answer to ``message``.

    refusal: instead of events, when it follows from proposals that are not journalled either.
    """

    outputs: tuple[Output, ...] = ()
    events: tuple[Event, ...] = ()
    author: str = ""
    message: Message | None = None
    refusal: Refusal | None = None


class Room:
    """One live session. Not thread-safe; every method returns what must be sent, in order."""

    def __init__(self, name: str, events: Sequence[Event], epoch: str, limits: Limits, timers: Timers) -> None:
        """The room that ``events`` tell of; ``epoch`` names its history if it has none yet. Raises BrokenHistory."""
        self.name = name
        self._limits = limits
        self._timers = timers
        self._terms = Terms(name, limits, timers)
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

    @property
    def claims(self) -> list[Claims]:
        """Of everybody who has a seat."""
        return [seat.claims for seat in self._state.seats.values()]

    def snapshot(self) -> dict[str, Any]:
        return self._state.snapshot(durable=True)

    # Coming and going

    def join(self, arrival: Arrival, now: datetime) -> list[Output]:
        """Give the person a seat, or the seat back; the newest socket of a person speaks for it.

        Raises Refusal ROOM_FULL, or AUTH_REVOKED for a token of before its holder was removed.
        """
        check_not_removed(self._state, arrival)
        before = self._state.seats.get(arrival.claims.person)
        seat = seated(self._state, arrival, self._ordinals + 1, now)
        self._ordinals = max(self._ordinals, seat.ordinal)
        outputs = self._unseat_older(before, seat, arrival)
        self._state.seats[seat.id] = seat
        self._person_of[arrival.link] = seat.id
        outputs += welcome(self._state, self._terms, seat, self._missed(arrival.since))
        return outputs + self._state.presence(seat.id, now, but={seat.id})

    def leave(self, link: str, now: datetime) -> list[Output]:
        """The socket is gone; the seat is held for a while."""
        seat = self._seat_of(link)
        return [] if seat is None else self._lost(seat, now)

    def remove(self, person: str, now: datetime, code: CloseCode = CloseCode.REMOVED) -> list[Output]:
        """Take the seat away at once."""
        seat = self._state.seats.pop(person, None)
        if seat is None:
            return []
        self._state.keyed.pop(f"quality:{person}", None)
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

    def ahead(self) -> State:
        """The room's state for proposals that follow from each other before the journal has any of them."""
        return self._state.ahead()

    def handle(self, link: str, message: Message, now: datetime, ahead: State | None = None) -> Proposal:
        """What ``message`` leads to. A socket that lost its seat is not answered.

        ahead: the state after the proposals that are journalled together with this one; its events are applied there.
        """
        seat = self._seat_of(link)
        if seat is None:
            return Proposal()
        seat.heard_at = now
        upkeep = _UPKEEP.get(message.kind)
        if upkeep is not None:
            return Proposal(tuple(upkeep(self, seat, message, now)))
        state = ahead or (self.ahead() if is_durable(message.kind) else self._state)
        try:
            return self._command(seat, message, now, state)
        except Refusal as refusal:
            if state.history.seq != self.seq:
                return Proposal(author=seat.id, message=message, refusal=refusal)
            return Proposal(tuple(self._refused(seat.id, message, refusal)))

    def commit(self, *proposals: Proposal) -> list[Output]:
        """The journal has the events: they are true now, and everybody hears of them."""
        outputs: list[Output] = []
        for proposal in proposals:
            outputs += [output for event in proposal.events for output in self._happened(event)]
            if proposal.message is not None and proposal.refusal is not None:
                outputs += self._refused(proposal.author, proposal.message, proposal.refusal)
            else:
                outputs += self._done(proposal.author, proposal.message)
        return outputs

    def abandon(self, *proposals: Proposal) -> list[Output]:
        """The journal did not take the events: nothing has happened, and their authors may try again."""
        lost = Refusal(ErrorCode.UNAVAILABLE)
        return [
            output
            for proposal in proposals
            if proposal.message is not None
            for output in self._answer(proposal.author, messages.err(lost, proposal.message.id))
        ]

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
            for output in self._state.tell_all(message, slot, but={author})
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

    def _unseat_older(self, before: Seat | None, seat: Seat, arrival: Arrival) -> list[Output]:
        """The socket that spoke for the person so far ends."""
        older = next((link for link, who in self._person_of.items() if who == seat.id), None)
        if before is None or older is None:
            return []
        del self._person_of[older]
        # The same page on a new socket: it must not read on the old one that it should stay away.
        return [Close(older, CloseCode.NORMAL if before is seat else CloseCode.REPLACED)]

    def _missed(self, since: tuple[str, int] | None) -> list[Event] | None:
        if since is None or since[0] != self.epoch:
            return None
        return self._state.history.since(since[1])

    def _lost(self, seat: Seat, now: datetime, code: CloseCode | None = None) -> list[Output]:
        closing = self._unlink(seat, code)
        seat.lost_at = now
        return closing + self._state.presence(seat.id, now)

    def _happened(self, event: Event) -> list[Output]:
        # What the last presenter showed comes before the news of the next, who goes on from there.
        out: list[Output] = self.flush() if event.kind is EventKind.CONTROL_CHANGED else []
        self._state.history.apply(event)
        if event.kind is EventKind.LOBBY_REMOVED:
            out = self.remove(event.body["person"], event.at)
        return out + told(self._state, self._terms, event)

    def _command(self, seat: Seat, message: Message, now: datetime, state: State) -> Proposal:
        command = COMMANDS[message.kind]
        in_pace = seat.allowances[command.pace].take(now)
        if not in_pace and command.pace is not Pace.STREAM:
            raise Refusal(ErrorCode.RATE_LIMITED)
        answer = self._state.answers.find(seat.id, message.id)
        if answer is not None:
            return Proposal(tuple(self._answer(seat.id, answer)))
        if (seat.id, message.id) in state.underway:
            return Proposal()
        effect = self._effect(command, Turn(state, seat, message.body, now, message.scope))
        if effect.events:
            return Proposal(events=self._drafts(effect, seat, message, now, state), author=seat.id, message=message)
        if state.history.seq != self.seq:
            return Proposal(effect.outputs, author=seat.id, message=message)
        streamed = self._stream(effect.stream, seat, in_pace)
        return Proposal((*effect.outputs, *streamed, *self._done(seat.id, message)))

    def _effect(self, command: Command, turn: Turn[Any]) -> Effect:
        if turn.seat.waiting and not command.outside:
            raise Refusal(ErrorCode.WAITING)
        if command.grant is not None and command.grant not in turn.state.grants(turn.seat):
            raise Refusal(ErrorCode.NOT_ALLOWED)
        if command.scoped:
            check_scope(turn)
        return command.rule(turn)

    def _drafts(self, effect: Effect, seat: Seat, message: Message, now: datetime, state: State) -> tuple[Event, ...]:
        """The events that follow, applied to ``state``; the last one carries the command's id."""
        last, events = len(effect.events) - 1, []
        for place, (kind, body) in enumerate(effect.events):
            command_id = message.id if place == last else None
            events.append(state.history.draft(kind, seat.id, now, body, command_id))
            state.history.apply(events[-1])
        if message.id is not None:
            state.underway.add((seat.id, message.id))
        return tuple(events)

    def _stream(self, stream: Stream | None, seat: Seat, in_pace: bool) -> list[Output]:
        if stream is None:
            return []
        self._state.paced.pop(stream.slot, None)
        if in_pace:
            return self._state.tell_all(stream.message, stream.slot, but={seat.id})
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

    def _refused(self, who: str, message: Message, refusal: Refusal) -> list[Output]:
        answer = messages.err(refusal, message.id)
        if message.id is not None and not refusal.temporary:
            self._state.answers.remember(who, message.id, answer)
        return self._answer(who, answer) + self._correction(who, message)

    def _correction(self, who: str, message: Message) -> list[Output]:
        """Whoever showed a view of their own as the shared one is told the real one."""
        view = self._state.view()
        if message.kind is not ClientKind.VIEW_SET or view is None or not self._state.online(who):
            return []
        return self._state.tell(who, view, ("state", "view"))

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


def _ms(value: int) -> timedelta:
    return timedelta(milliseconds=value)
