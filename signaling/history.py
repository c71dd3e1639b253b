"""The durable part of a room: an append-only list of events, and the state that follows from it.

Pure. The same :meth:`History.apply` runs when an event has just been journalled and when a journal is read back, so a
restored room cannot differ from the one that was lost.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from signaling.limits import Limits
from signaling.messages import Envelope, EventKind


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


class History:
    """What a room remembers for good. ``epoch`` is used only while there are no events, which carry their own."""

    def __init__(self, epoch: str, limits: Limits) -> None:
        self.epoch = epoch
        self.seq = 0
        self.presenter: str | None = None
        self.marks: dict[str, dict[str, Any]] = {}
        self.chat: deque[Event] = deque(maxlen=limits.chat_messages)
        self.ring: deque[Event] = deque(maxlen=limits.ring_events)

    @classmethod
    def restore(cls, events: Iterable[Event], epoch: str, limits: Limits) -> "History":
        """The history that ``events`` tell; ``epoch`` names a new one. Raises BrokenHistory."""
        history = cls(epoch, limits)
        for event in events:
            history.epoch = event.epoch
            history.apply(event)
        return history

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


def _chat(history: History, event: Event) -> None:
    history.chat.append(event)


def _keep_mark(history: History, event: Event) -> None:
    mark = event.body["mark"]
    history.marks[mark["id"]] = mark


def _remove_mark(history: History, event: Event) -> None:
    history.marks.pop(event.body["id"], None)


def _presenter(history: History, event: Event) -> None:
    history.presenter = event.body["presenter"]


def _no_state(history: History, event: Event) -> None:
    """A request for control matters when it is made; who comes later need not know."""


_APPLY: Final[Mapping[EventKind, Callable[[History, Event], None]]] = {
    EventKind.CHAT_SENT: _chat,
    EventKind.MARK_ADDED: _keep_mark,
    EventKind.MARK_EDITED: _keep_mark,
    EventKind.MARK_REMOVED: _remove_mark,
    EventKind.CONTROL_REQUESTED: _no_state,
    EventKind.CONTROL_CHANGED: _presenter,
}
