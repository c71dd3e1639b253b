"""Seats: who gets one, who waits at the door, and the ``welcome`` that tells a person everything they may know.

Pure functions over a room's state. A ``welcome`` always replaces what the client had: it opens a socket, lets somebody
in, sends somebody back to the waiting room, and is how everybody learns that the room has turned to another scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from signaling import messages
from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.history import Event
from signaling.limits import Limits, Timers
from signaling.messages import Envelope, EventKind, ServerKind
from signaling.outbox import WELCOME_SLOT
from signaling.pace import allowances
from signaling.state import Output, Seat, State
from signaling.tickets import Claims

TIMERS_TOLD: Final = ("ping_ms", "dead_ms", "hidden_dead_ms", "seat_ms", "backoff_ms")
LIMITS_TOLD: Final = (
    "frame_bytes",
    "chat_characters",
    "mark_points",
    "marks",
    "participants",
    "value_bytes",
    "commands_per_second",
    "command_burst",
    "stream_per_second",
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody at the door whose right to enter has been checked.

    link: the new socket. visit: the stay of the page; the same as before for one that resumes. since: (epoch, seq) of
    the last durable event the client has; None for a page that has nothing. issued_at: of the token that was shown;
    None is older than any.
    """

    claims: Claims
    link: str
    visit: str
    resume_token: str
    since: tuple[str, int] | None = None
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What every ``welcome`` says alike."""

    room: str
    limits: Limits
    timers: Timers

    def told(self) -> Mapping[str, Any]:
        return {
            "room": self.room,
            "timers": {name: getattr(self.timers, name) for name in TIMERS_TOLD},
            "limits": {name: getattr(self.limits, name) for name in LIMITS_TOLD},
            "features": messages.FEATURES,
        }


def check_not_removed(state: State, arrival: Arrival) -> None:
    """Raises Refusal AUTH_REVOKED for a token of before its holder was removed."""
    removed_at = state.history.removed.get(arrival.claims.person)
    if removed_at is not None and (arrival.issued_at is None or arrival.issued_at <= removed_at):
        raise Refusal(ErrorCode.AUTH_REVOKED, close=CloseCode.REMOVED)


def seated(state: State, arrival: Arrival, ordinal: int, now: datetime) -> Seat:
    """The seat of the arriving person: the old one for the same page, else a new one. Raises Refusal ROOM_FULL."""
    before = state.seats.get(arrival.claims.person)
    if before is not None and before.visit == arrival.visit:
        before.claims, before.link, before.resume_token = arrival.claims, arrival.link, arrival.resume_token
        before.lost_at, before.heard_at, before.hidden = None, now, False
        before.waiting = state.must_wait(before)
        return before
    rates = allowances(state.limits, now) if before is None else before.allowances
    place = ordinal if before is None else before.ordinal
    seat = Seat(arrival.claims, arrival.visit, place, arrival.link, rates, now, now, resume_token=arrival.resume_token)
    seat.waiting = state.must_wait(seat)
    if before is None and state.full(seat.waiting):
        raise Refusal(ErrorCode.ROOM_FULL, close=CloseCode.FULL)
    return seat


def welcome(state: State, terms: Terms, seat: Seat, missed: list[Event] | None = None) -> list[Output]:
    """All that ``seat`` may know; ``missed``: exactly what it lacks, instead of the durable part of the snapshot."""
    if seat.waiting:
        missed, snapshot = None, state.outside(seat)
    else:
        snapshot = state.snapshot(durable=missed is None)
    body = {
        "me": seat.id,
        "waiting": seat.waiting,
        "recovered": missed is not None,
        "resume_token": seat.resume_token,
        "snapshot": snapshot,
        "events": [event.envelope() for event in missed or []],
        **terms.told(),
    }
    return state.tell(seat.id, Envelope(k=ServerKind.WELCOME, b=body), WELCOME_SLOT)


def told(state: State, terms: Terms, event: Event) -> list[Output]:
    """What an event that has just become true means for everybody: moves through the door first, then the news."""
    turned = event.kind is EventKind.SCOPE_CHANGED
    if turned:
        state.forget_scope()
    moved = [seat for seat in state.seats.values() if seat.waiting is not state.must_wait(seat)]
    for seat in moved:
        seat.waiting = not seat.waiting
        seat.leave_media()
    greeted = [
        seat
        for seat in state.seats.values()
        if seat in moved or (turned and not seat.waiting) or (seat.waiting and _about_oneself(event, seat))
    ]
    outputs = [output for seat in greeted for output in welcome(state, terms, seat)]
    if not turned:
        outputs += state.tell_all(event.envelope(), but={seat.id for seat in greeted})
    changed = [seat.id for seat in moved]
    if event.kind is EventKind.GRANTS_CHANGED:
        changed.append(event.body["person"])
    return outputs + [output for who in changed for output in state.presence(who, event.at)]


def _about_oneself(event: Event, seat: Seat) -> bool:
    """What somebody outside did and must see: events go to those inside only."""
    return seat.id == event.author and event.kind in {EventKind.CONSENT_GIVEN, EventKind.CONSENT_WITHDRAWN}
