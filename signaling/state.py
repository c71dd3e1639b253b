"""What a room holds at one moment, and what it wants done: seats, keyed state, history, outputs.

Pure data and questions about it. The rules that change it are in ``commands`` (what a participant may do) and ``room``
(who comes and goes).
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signaling.codes import CloseCode
from signaling.history import Event, History
from signaling.limits import Limits
from signaling.messages import Envelope, Participant, ServerKind, ok, participant
from signaling.pace import Pace, TokenBucket
from signaling.tickets import Claims

VIEW_KEY = "view"

Slot = tuple[str, ...] | None
"""Where a message waits for a slow peer. None: in line, never dropped. Else the newest of a slot replaces the older."""


@dataclass(frozen=True, slots=True)
class Send:
    """Write ``message`` to every one of ``links``."""

    links: tuple[str, ...]
    slot: Slot
    message: Envelope


@dataclass(frozen=True, slots=True)
class Close:
    """End the socket ``link``; what was sent to it before goes out first."""

    link: str
    code: CloseCode


Output = Send | Close


@dataclass(slots=True)
class Seat:
    """One person's place. link: the socket that speaks for it; None while the link is lost and the seat is held."""

    claims: Claims
    visit: str
    ordinal: int
    link: str | None
    allowances: dict[Pace, TokenBucket]
    heard_at: datetime
    pinged_at: datetime
    lost_at: datetime | None = None
    hidden: bool = False
    audio: bool = False
    video: bool = False
    screen: bool = False

    @property
    def id(self) -> str:
        """The participant id. A person has one seat, so it is the person's id and history stays readable later."""
        return self.claims.person

    def participant(self) -> Participant:
        claims = self.claims
        return Participant(
            id=self.id,
            person=claims.person,
            name=claims.name,
            title=claims.title,
            hospital=claims.hospital,
            role=claims.role,
            grants=sorted(claims.grants),
            ordinal=self.ordinal,
            visit=self.visit,
            state="reconnecting" if self.link is None else "online",
            audio=self.audio,
            video=self.video,
            screen=self.screen,
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest value of a keyed state and who set it when."""

    author: str
    at: datetime
    body: Any


class Answers:
    """The answer to each recent command of each person, so that repeating a command repeats its answer only."""

    def __init__(self, per_person: int, events: Iterable[Event]) -> None:
        self._per_person = per_person
        self._by_person: dict[str, OrderedDict[str, Envelope]] = {}
        for event in events:
            if event.command_id is not None:
                self.remember(event.author, event.command_id, ok(event.command_id))

    def remember(self, person: str, command_id: str, answer: Envelope) -> None:
        answers = self._by_person.setdefault(person, OrderedDict())
        answers[command_id] = answer
        if len(answers) > self._per_person:
            answers.popitem(last=False)

    def find(self, person: str, command_id: str | None) -> Envelope | None:
        answers = self._by_person.get(person)
        return None if answers is None or command_id is None else answers.get(command_id)


@dataclass(slots=True)
class State:
    """Everything a room knows. paced: streams held back for a moment, per slot: (author, message)."""

    history: History
    limits: Limits
    answers: Answers
    seats: dict[str, Seat] = field(default_factory=dict)
    keyed: dict[str, Kept] = field(default_factory=dict)
    paced: dict[tuple[str, ...], tuple[str, Envelope]] = field(default_factory=dict)

    def links(self, but: str | None = None) -> tuple[str, ...]:
        """The sockets of everybody online, without the person ``but``."""
        return tuple(seat.link for who, seat in self.seats.items() if seat.link is not None and who != but)

    def online(self, who: str | None) -> bool:
        seat = self.seats.get(who or "")
        return seat is not None and seat.link is not None

    def tell(self, who: str, message: Envelope, slot: Slot = None) -> list[Output]:
        """``message`` for one person, wherever that person is connected now."""
        seat = self.seats.get(who)
        return [] if seat is None or seat.link is None else [Send((seat.link,), slot, message)]

    def tell_all(self, message: Envelope, slot: Slot = None, but: str | None = None) -> list[Output]:
        links = self.links(but)
        return [Send(links, slot, message)] if links else []

    def presence(self, who: str, at: datetime, but: str | None = None) -> list[Output]:
        """Tell how ``who`` is now: the whole participant, or gone."""
        seat = self.seats.get(who)
        message = participant(who, None if seat is None else seat.participant(), at)
        return self.tell_all(message, ("state", f"participant:{who}"), but)

    def view(self) -> Envelope | None:
        kept = self.keyed.get(VIEW_KEY)
        if kept is None:
            return None
        return Envelope(k=ServerKind.VIEW, key=VIEW_KEY, from_=kept.author, at=kept.at, b=kept.body)

    def snapshot(self, durable: bool) -> dict[str, Any]:
        """All that a newcomer needs; without the ``durable`` part for one who gets the missed events instead."""
        history = self.history
        return {
            "epoch": history.epoch,
            "seq": history.seq,
            "participants": [seat.participant() for seat in self.seats.values()],
            "presenter": history.presenter,
            "state": {key: {"from": kept.author, "at": kept.at, "b": kept.body} for key, kept in self.keyed.items()},
            "chat": [event.envelope() for event in history.chat] if durable else [],
            "marks": list(history.marks.values()) if durable else [],
        }
