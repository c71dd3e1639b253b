"""What a participant may do: one table from the kind of a command to its rule.

Pure. A rule looks at the state and returns an :class:`Effect` or raises a Refusal before anything has changed. Durable
facts are only proposed; keyed state is set at once, because it is never journalled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET

from signaling.codes import ErrorCode, Refusal
from signaling.messages import (
    ChatText,
    ClientKind,
    Empty,
    Envelope,
    EventKind,
    Mark,
    MarkBody,
    MarkId,
    Media,
    Pointer,
    ServerKind,
    Signal,
    To,
    View,
)
from signaling.pace import Pace
from signaling.state import VIEW_KEY, Kept, Output, Seat, State
from signaling.tickets import Grant


@dataclass(frozen=True, slots=True)
class Stream:
    """Something sent many times a second: only the newest of its slot matters, and its author knows it already."""

    slot: tuple[str, ...]
    message: Envelope


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command leads to. events: proposed, (kind, body). outputs: told at once. stream: told at a pace."""

    events: tuple[tuple[EventKind, dict[str, Any]], ...] = ()
    outputs: tuple[Output, ...] = ()
    stream: Stream | None = None


B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Turn(Generic[B]):
    """One command about to be judged: who says what, in which state of the room, when."""

    state: State
    seat: Seat
    body: B
    now: datetime


Rule = Callable[[Turn[Any]], Effect]


@dataclass(frozen=True, slots=True)
class Command:
    """durable: may propose events, so the driver takes such commands one at a time."""

    rule: Rule
    grant: Grant
    pace: Pace = Pace.COMMAND
    durable: bool = False


def chat_send(turn: Turn[ChatText]) -> Effect:
    text, most = turn.body.text, turn.state.limits.chat_characters
    if not text.strip():
        raise Refusal(ErrorCode.INVALID, "Write something first.")
    if len(text) > most:
        raise Refusal(ErrorCode.TOO_LARGE, f"A message holds at most {most} characters; send it in parts.")
    return Effect(((EventKind.CHAT_SENT, {"text": text, "author_name": turn.seat.claims.name}),))


def mark_add(turn: Turn[MarkBody]) -> Effect:
    mark, marks, most = turn.body.mark, turn.state.history.marks, turn.state.limits.marks
    _check_points(turn)
    if mark.id in marks:
        raise Refusal(ErrorCode.BAD_STATE, "A mark with this id is there already; edit it or use a new id.")
    if len(marks) >= most:
        raise Refusal(ErrorCode.TOO_LARGE, f"A room holds at most {most} marks; remove some first.")
    return Effect(((EventKind.MARK_ADDED, {"mark": _authored(mark, turn.seat.id, turn.seat.claims.name)}),))


def mark_edit(turn: Turn[MarkBody]) -> Effect:
    _check_points(turn)
    before = _existing(turn.state, turn.body.mark.id)
    if before["author"] != turn.seat.id:
        raise Refusal(ErrorCode.NOT_ALLOWED, "Only its author may change a mark.")
    after = _authored(turn.body.mark, turn.seat.id, before["author_name"])
    return Effect(((EventKind.MARK_EDITED, {"mark": after}),))


def mark_remove(turn: Turn[MarkId]) -> Effect:
    mark = _existing(turn.state, turn.body.id)
    if turn.seat.id not in {mark["author"], turn.state.history.presenter}:
        raise Refusal(ErrorCode.NOT_ALLOWED, "Only its author or the presenter may remove a mark.")
    return Effect(((EventKind.MARK_REMOVED, {"id": turn.body.id}),))


def _check_points(turn: Turn[MarkBody]) -> None:
    most = turn.state.limits.mark_points
    if len(turn.body.mark.points) > most:
        raise Refusal(ErrorCode.TOO_LARGE, f"A mark holds at most {most} points; simplify it.")


def _existing(state: State, mark_id: str) -> dict[str, Any]:
    if mark_id not in state.history.marks:
        raise Refusal(ErrorCode.NOT_FOUND, "That mark is not in the room.")
    return state.history.marks[mark_id]


def _authored(mark: Mark, author: str, author_name: str) -> dict[str, Any]:
    # Through JSON, because an event must equal itself after a journal has kept it: there are no tuples there.
    drawing = msgspec.json.decode(msgspec.json.encode(mark))
    return {**drawing, "author": author, "author_name": author_name}


def control_request(turn: Turn[Empty]) -> Effect:
    presenter = turn.state.history.presenter
    if presenter == turn.seat.id:
        return Effect()
    if turn.state.online(presenter):
        return Effect(((EventKind.CONTROL_REQUESTED, {}),))
    return Effect(((EventKind.CONTROL_CHANGED, {"presenter": turn.seat.id}),))


def control_grant(turn: Turn[To]) -> Effect:
    _check_presenter(turn.state, turn.seat)
    to = turn.body.to
    if not turn.state.online(to):
        raise Refusal(ErrorCode.NOT_FOUND, "That participant is not here now.")
    if "present" not in turn.state.seats[to].claims.grants:
        raise Refusal(ErrorCode.NOT_ALLOWED, "That participant may not present.")
    return Effect(((EventKind.CONTROL_CHANGED, {"presenter": to}),))


def control_release(turn: Turn[Empty]) -> Effect:
    _check_presenter(turn.state, turn.seat)
    return Effect(((EventKind.CONTROL_CHANGED, {"presenter": None}),))


def _check_presenter(state: State, seat: Seat) -> None:
    presenter = state.history.presenter
    if presenter == seat.id:
        return
    if presenter is None:
        raise Refusal(ErrorCode.BAD_STATE, "Nobody presents; ask for the control first.")
    raise Refusal(ErrorCode.CONTROL_HELD)


def view_set(turn: Turn[View]) -> Effect:
    _check_presenter(turn.state, turn.seat)
    author, now = turn.seat.id, turn.now
    turn.state.keyed[VIEW_KEY] = Kept(author, now, turn.body)
    message = Envelope(k=ServerKind.VIEW, key=VIEW_KEY, from_=author, at=now, b=turn.body)
    return Effect(stream=Stream(("state", VIEW_KEY), message))


def pointer(turn: Turn[Pointer] | Turn[Empty]) -> Effect:
    """Move and hide are one thing: where the pointer is, or nowhere."""
    where = turn.body if isinstance(turn.body, Pointer) else None
    message = Envelope(k=ServerKind.POINTER, from_=turn.seat.id, at=turn.now, b=where)
    return Effect(stream=Stream(("pointer", turn.seat.id), message))


def media_set(turn: Turn[Media]) -> Effect:
    seat, media = turn.seat, turn.body
    seat.audio, seat.video, seat.screen = media.audio, media.video, media.screen
    return Effect(outputs=tuple(turn.state.presence(seat.id, turn.now)))


def signal(turn: Turn[Signal]) -> Effect:
    to = turn.body.to
    if not turn.state.online(to) or to == turn.seat.id:
        raise Refusal(ErrorCode.NOT_FOUND, "That participant is not here now.")
    parts = {"description": turn.body.description, "candidate": turn.body.candidate}
    given = {name: part for name, part in parts.items() if part is not UNSET}
    if not given:
        raise Refusal(ErrorCode.INVALID, "Send a description or a candidate.")
    message = Envelope(k=ServerKind.SIGNAL, from_=turn.seat.id, at=turn.now, b=given)
    return Effect(outputs=tuple(turn.state.tell(to, message)))


COMMANDS: Final[Mapping[ClientKind, Command]] = {
    ClientKind.CHAT_SEND: Command(chat_send, "chat", durable=True),
    ClientKind.MARK_ADD: Command(mark_add, "mark", durable=True),
    ClientKind.MARK_EDIT: Command(mark_edit, "mark", durable=True),
    ClientKind.MARK_REMOVE: Command(mark_remove, "mark", durable=True),
    ClientKind.CONTROL_REQUEST: Command(control_request, "present", durable=True),
    ClientKind.CONTROL_GRANT: Command(control_grant, "present", durable=True),
    ClientKind.CONTROL_RELEASE: Command(control_release, "present", durable=True),
    ClientKind.VIEW_SET: Command(view_set, "present", Pace.STREAM),
    ClientKind.POINTER_MOVE: Command(pointer, "point", Pace.STREAM),
    ClientKind.POINTER_HIDE: Command(pointer, "point", Pace.STREAM),
    ClientKind.MEDIA_SET: Command(media_set, "media"),
    ClientKind.SIGNAL: Command(signal, "media", Pace.SIGNAL),
}


def is_durable(kind: ClientKind) -> bool:
    command = COMMANDS.get(kind)
    return command is not None and command.durable
