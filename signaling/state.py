"""What a room holds at one moment, and what it wants done: seats, keyed state, history, outputs.

Pure data and questions about it. The rules that change it are in ``commands`` (what a participant may do) and ``room``
(who comes and goes).
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from signaling.bodies import Track
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
    waiting: bool = False
    following: bool = True
    resume_token: str = ""
    audio: bool = False
    video: bool = False
    screen: bool = False
    tracks: tuple[Track, ...] = ()

    @property
    def id(self) -> str:
        """The participant id. A person has one seat, so it is the person's id and history stays readable later."""
        return self.claims.person

    def leave_media(self) -> None:
        self.audio = self.video = self.screen = False
        self.tracks = ()

    def participant(self, grants: Iterable[str]) -> Participant:
        claims = self.claims
        return Participant(
            id=self.id,
            person=claims.person,
            name=claims.name,
            title=claims.title,
            hospital=claims.hospital,
            role=claims.role,
            grants=sorted(grants),
            ordinal=self.ordinal,
            visit=self.visit,
            state="reconnecting" if self.link is None else "online",
            waiting=self.waiting,
            following=self.following,
            audio=self.audio,
            video=self.video,
            screen=self.screen,
            tracks=list(self.tracks),
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
    """Everything a room knows. paced: streams held back for a moment, per slot: (author, message).

    underway: (person, command id) of what is proposed and not journalled yet; only in a copy made by :meth:`ahead`.
    """

    history: History
    limits: Limits
    answers: Answers
    seats: dict[str, Seat] = field(default_factory=dict)
    keyed: dict[str, Kept] = field(default_factory=dict)
    paced: dict[tuple[str, ...], tuple[str, Envelope]] = field(default_factory=dict)
    underway: set[tuple[str, str]] = field(default_factory=set)

    def ahead(self) -> "State":
        """This state with a history of its own, for proposals that follow from proposals."""
        return replace(self, history=self.history.ahead(), underway=set())

    def links(self, but: Collection[str] = ()) -> tuple[str, ...]:
        """The sockets of everybody inside and online, without the persons ``but``."""
        return tuple(
            seat.link
            for who, seat in self.seats.items()
            if seat.link is not None and not seat.waiting and who not in but
        )

    def online(self, who: str | None) -> bool:
        """Inside, with a socket."""
        seat = self.seats.get(who or "")
        return seat is not None and seat.link is not None and not seat.waiting

    def grants(self, seat: Seat) -> frozenset[str]:
        """What the seat may do now: what its ticket says, unless the host has decided otherwise."""
        return self.history.grants.get(seat.id, frozenset(seat.claims.grants))

    def must_wait(self, seat: Seat) -> bool:
        """Outside: a guest whom nobody has let in, one who belongs to another scope, one who is not to be recorded."""
        history, claims = self.history, seat.claims
        if claims.scopes and history.scope not in claims.scopes:
            return True
        if history.recording is not None and history.agreed(seat.id, "record") is None:
            return True
        return (claims.waits or seat.id in history.barred) and seat.id not in history.admitted

    def full(self, waiting: bool) -> bool:
        """Whether there is no place left inside, or outside the door."""
        most = self.limits.waiting if waiting else self.limits.participants
        return sum(seat.waiting is waiting for seat in self.seats.values()) >= most

    def tell(self, who: str, message: Envelope, slot: Slot = None) -> list[Output]:
        """``message`` for one person, wherever that person is connected now."""
        seat = self.seats.get(who)
        return [] if seat is None or seat.link is None else [Send((seat.link,), slot, message)]

    def tell_all(self, message: Envelope, slot: Slot = None, but: Collection[str] = ()) -> list[Output]:
        links = self.links(but)
        return [Send(links, slot, message)] if links else []

    def presence(self, who: str, at: datetime, but: Collection[str] = ()) -> list[Output]:
        """Tell how ``who`` is now: the whole participant, or gone."""
        seat = self.seats.get(who)
        message = participant(who, None if seat is None else self.seen(seat), at)
        slot = ("state", f"participant:{who}")
        outside = self.tell(who, message, slot) if seat is not None and seat.waiting and who not in but else []
        return self.tell_all(message, slot, but) + outside

    def seen(self, seat: Seat) -> Participant:
        return seat.participant(self.grants(seat))

    def view(self) -> Envelope | None:
        kept = self.keyed.get(VIEW_KEY)
        if kept is None:
            return None
        return Envelope(k=ServerKind.VIEW, key=VIEW_KEY, from_=kept.author, at=kept.at, b=kept.body)

    def forget_scope(self) -> None:
        """What was on the screens and in the air belongs to the scope that has ended."""
        self.keyed.clear()
        self.paced.clear()
        for seat in self.seats.values():
            seat.leave_media()

    def snapshot(self, durable: bool) -> dict[str, Any]:
        """All that a newcomer needs; without the ``durable`` part for one who gets the missed events instead."""
        history = self.history
        return {
            "epoch": history.epoch,
            "seq": history.seq,
            "scope": history.scope,
            "participants": [self.seen(seat) for seat in self.seats.values()],
            "presenter": history.presenter,
            "recording": history.recording,
            "media_mode": history.mode,
            "marks_locked": history.lock,
            "consents": history.consents,
            "state": {key: {"from": kept.author, "at": kept.at, "b": kept.body} for key, kept in self.keyed.items()},
            "entries": list(history.entries.values()) if durable else [],
            "chat": [event.envelope() for event in history.chat] if durable else [],
            "marks": list(history.marks.values()) if durable else [],
        }

    def outside(self, seat: Seat) -> dict[str, Any]:
        """What somebody in the waiting room may know: that they are there, and what they have agreed to."""
        nothing = State(History("", self.limits), self.limits, self.answers).snapshot(durable=True)
        consents = {seat.id: self.history.consents.get(seat.id, {})}
        return {**nothing, "participants": [self.seen(seat)], "consents": consents}
