"""The durable part of a room: an append-only list of events, and the state that follows from it.

Pure. The same :meth:`History.apply` runs when an event has just been journalled and when a journal is read back, so a
restored room cannot differ from the one that was lost. What events change is replaced and never altered in place, so
that a copy (:meth:`History.ahead`) costs nothing and is not touched by what comes later.
"""

import copy
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import msgspec

from signaling.limits import Limits
from signaling.messages import Envelope, EventKind

SESSION_PREFIX: Final = "session/"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One durable fact of a room.

    seq: 1, 2, 3 … without gaps. epoch: identity of the history. author: participant id. at: aware, UTC.
    body: JSON values. command_id: the client's own id of the command, kept so that a command repeated after a restart
    is still recognised; it is not sent to others.
    """

    seq: int
    epoch: str
    kind: EventKind
    author: str
    at: datetime
    body: dict[str, Any]
    command_id: str | None = None

    def envelope(self) -> Envelope:
        return Envelope(k=self.kind, seq=self.seq, epoch=self.epoch, from_=self.author, at=self.at, b=self.body)


class BrokenHistory(ValueError):
    """Events that do not follow each other: they are not one room's whole history."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was said, marked and written down about one scope."""

    chat: tuple[Event, ...] = ()
    marks: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    entries: Mapping[str, dict[str, Any]] = field(default_factory=dict)


class History:
    """What a room remembers for good. ``epoch`` is used only while there are no events, which carry their own.

    scope: what the room is about now. sheets: what is kept, by scope. session: entries that outlive a change of scope.
    admitted: guests who were let in; barred: who must wait although the ticket says otherwise; removed: since when.
    grants: what replaced the grants of a ticket. consents: person → purpose → the document agreed to.
    """

    def __init__(self, epoch: str, limits: Limits) -> None:
        self.epoch = epoch
        self.seq = 0
        self.scope = ""
        self.sheets: Mapping[str, Sheet] = {}
        self.session: Mapping[str, dict[str, Any]] = {}
        self.presenter: str | None = None
        self.admitted: frozenset[str] = frozenset()
        self.barred: frozenset[str] = frozenset()
        self.removed: Mapping[str, datetime] = {}
        self.grants: Mapping[str, frozenset[str]] = {}
        self.consents: Mapping[str, Mapping[str, dict[str, Any]]] = {}
        self.recording: dict[str, Any] | None = None
        self.mode = "mesh"
        self.lock: dict[str, Any] | None = None
        self.ring: deque[Event] = deque(maxlen=limits.ring_events)
        self._chat_messages = limits.chat_messages

    @classmethod
    def restore(cls, events: Iterable[Event], epoch: str, limits: Limits) -> "History":
        """The history that ``events`` tell; ``epoch`` names a new one. Raises BrokenHistory."""
        history = cls(epoch, limits)
        for event in events:
            history.epoch = event.epoch
            history.apply(event)
        return history

    @property
    def sheet(self) -> Sheet:
        return self.sheets.get(self.scope, _BLANK)

    @property
    def marks(self) -> Mapping[str, dict[str, Any]]:
        return self.sheet.marks

    @property
    def chat(self) -> tuple[Event, ...]:
        return self.sheet.chat

    @property
    def entries(self) -> Mapping[str, dict[str, Any]]:
        """Those of the session and of the present scope."""
        return {**self.session, **self.sheet.entries}

    def agreed(self, person: str, purpose: str) -> dict[str, Any] | None:
        return self.consents.get(person, {}).get(purpose)

    def ahead(self) -> "History":
        """A copy to which events may be applied that are not journalled yet. It cannot answer :meth:`since`."""
        other = copy.copy(self)
        other.ring = deque(maxlen=0)
        return other

    def draft(self, kind: EventKind, author: str, at: datetime, body: dict[str, Any], command_id: str | None) -> Event:
        """The event that would come next; nothing changes until it is applied."""
        return Event(
            seq=self.seq + 1, epoch=self.epoch, kind=kind, author=author, at=at, body=body, command_id=command_id
        )

    def apply(self, event: Event) -> None:
        if event.seq != self.seq + 1:
            raise BrokenHistory(f"event {event.seq} cannot follow event {self.seq}")
        self.seq = event.seq
        self.ring.append(event)
        _APPLY[event.kind](self, event)

    def since(self, seq: int) -> list[Event] | None:
        """Exactly the events after ``seq``; None when some of them are no longer held or ``seq`` lies ahead."""
        missing = self.seq - seq
        if not 0 <= missing <= len(self.ring):
            return None
        return list(self.ring)[len(self.ring) - missing :]

    def write(self, **changes: Any) -> None:
        """Replace parts of the present scope's sheet."""
        self.sheets = {**self.sheets, self.scope: replace(self.sheet, **changes)}

    def _chat(self, event: Event) -> None:
        self.write(chat=(*self.chat, event)[-self._chat_messages :])

    def _keep_mark(self, event: Event) -> None:
        mark = event.body["mark"]
        self.write(marks={**self.marks, mark["id"]: mark})

    def _remove_mark(self, event: Event) -> None:
        self.write(marks={name: mark for name, mark in self.marks.items() if name != event.body["id"]})

    def _no_state(self, event: Event) -> None:
        """A request for control matters when it is made; who comes later need not know."""

    def _presenter(self, event: Event) -> None:
        self.presenter = event.body["presenter"]

    def _entry(self, event: Event) -> None:
        key = event.body["key"]
        entry = {**event.body, "rev": event.seq, "from": event.author, "at": event.at}
        if key.startswith(SESSION_PREFIX):
            self.session = {**self.session, key: entry}
        else:
            self.write(entries={**self.sheet.entries, key: entry})

    def _lock(self, event: Event) -> None:
        self.lock = {**event.body, "from": event.author, "at": event.at} if event.body["locked"] else None

    def _admit(self, event: Event) -> None:
        person = event.body["person"]
        self.admitted |= {person}
        self.barred -= {person}

    def _send_back(self, event: Event) -> None:
        person = event.body["person"]
        self.admitted -= {person}
        self.barred |= {person}

    def _remove(self, event: Event) -> None:
        self._send_back(event)
        self.removed = {**self.removed, event.body["person"]: event.at}

    def _grants(self, event: Event) -> None:
        self.grants = {**self.grants, event.body["person"]: frozenset(event.body["grants"])}

    def _scope(self, event: Event) -> None:
        """The barrier: who was let in for one patient waits again, and nobody can resume across it."""
        self.scope = event.body["scope"]
        self.admitted = frozenset()
        self.lock = None
        self.ring.clear()

    def _consent(self, event: Event) -> None:
        person, document = event.author, {name: event.body[name] for name in ("version", "sha256")}
        given = {purpose: {**document, "at": event.at} for purpose in event.body["purposes"]}
        self.consents = {**self.consents, person: {**self.consents.get(person, {}), **given}}

    def _withdraw(self, event: Event) -> None:
        left = {key: kept for key, kept in self.consents.get(event.author, {}).items() if key != event.body["purpose"]}
        self.consents = {**self.consents, event.author: left}

    def _record(self, event: Event) -> None:
        on = event.body["state"] != "off"
        self.recording = {**event.body, "from": event.author, "at": event.at} if on else None

    def _mode(self, event: Event) -> None:
        self.mode = event.body["mode"]


_BLANK: Final = Sheet()

_APPLY: Final[Mapping[EventKind, Callable[[History, Event], None]]] = {
    EventKind.CHAT_SENT: History._chat,
    EventKind.MARK_ADDED: History._keep_mark,
    EventKind.MARK_EDITED: History._keep_mark,
    EventKind.MARK_REMOVED: History._remove_mark,
    EventKind.CONTROL_REQUESTED: History._no_state,
    EventKind.CONTROL_CHANGED: History._presenter,
    EventKind.MARKS_LOCKED: History._lock,
    EventKind.ENTRY_CHANGED: History._entry,
    EventKind.LOBBY_ADMITTED: History._admit,
    EventKind.LOBBY_RETURNED: History._send_back,
    EventKind.LOBBY_REMOVED: History._remove,
    EventKind.GRANTS_CHANGED: History._grants,
    EventKind.SCOPE_CHANGED: History._scope,
    EventKind.CONSENT_GIVEN: History._consent,
    EventKind.CONSENT_WITHDRAWN: History._withdraw,
    EventKind.RECORD_CHANGED: History._record,
    EventKind.MODE_CHANGED: History._mode,
}
