"""Chat and marks: on images, and on live video. Pure."""

from typing import Any

import msgspec

from signaling.bodies import ChatText, Lock, Mark, MarkBody, MarkId, VideoMark, VideoMarkBody
from signaling.codes import ErrorCode, Refusal
from signaling.messages import EventKind
from signaling.state import State
from signaling.turn import Effect, Turn


def chat_send(turn: Turn[ChatText]) -> Effect:
    text, most = turn.body.text, turn.state.limits.chat_characters
    if not text.strip():
        raise Refusal(ErrorCode.INVALID, "Write something first.")
    if len(text) > most:
        raise Refusal(ErrorCode.TOO_LARGE, f"A message holds at most {most} characters; send it in parts.")
    return Effect(((EventKind.CHAT_SENT, {"text": text, "author_name": turn.seat.claims.name}),))


def mark_add(turn: Turn[MarkBody] | Turn[VideoMarkBody]) -> Effect:
    """A new mark on an image or on a video; both are kept together and share their ids."""
    mark, marks, most = turn.body.mark, turn.state.history.marks, turn.state.limits.marks
    _check_drawable(turn)
    if mark.id in marks:
        raise Refusal(ErrorCode.BAD_STATE, "A mark with this id is there already; edit it or use a new id.")
    if len(marks) >= most:
        raise Refusal(ErrorCode.TOO_LARGE, f"A room holds at most {most} marks; remove some first.")
    return Effect(((EventKind.MARK_ADDED, {"mark": _authored(mark, turn.seat.id, turn.seat.claims.name)}),))


def mark_edit(turn: Turn[MarkBody]) -> Effect:
    _check_drawable(turn)
    before = _existing(turn.state, turn.body.mark.id)
    if before["author"] != turn.seat.id:
        raise Refusal(ErrorCode.NOT_ALLOWED, "Only its author may change a mark.")
    if "track" in before:
        raise Refusal(ErrorCode.BAD_STATE, "A mark on a video stays as it was drawn; remove it and draw another.")
    after = _authored(turn.body.mark, turn.seat.id, before["author_name"])
    return Effect(((EventKind.MARK_EDITED, {"mark": after}),))


def mark_remove(turn: Turn[MarkId]) -> Effect:
    mark = _existing(turn.state, turn.body.id)
    if turn.seat.id not in {mark["author"], turn.state.history.presenter}:
        raise Refusal(ErrorCode.NOT_ALLOWED, "Only its author or the presenter may remove a mark.")
    return Effect(((EventKind.MARK_REMOVED, {"id": turn.body.id}),))


def marks_lock(turn: Turn[Lock]) -> Effect:
    """Either side may lock when the link is too slow to draw; the record keeps when and why."""
    if turn.body.locked is (turn.state.history.lock is not None):
        return Effect()
    return Effect(((EventKind.MARKS_LOCKED, {"locked": turn.body.locked, "reason": turn.body.reason}),))


def _check_drawable(turn: Turn[MarkBody] | Turn[VideoMarkBody]) -> None:
    most = turn.state.limits.mark_points
    if turn.state.history.lock is not None:
        raise Refusal(ErrorCode.LOCKED)
    if len(turn.body.mark.points) > most:
        raise Refusal(ErrorCode.TOO_LARGE, f"A mark holds at most {most} points; simplify it.")


def _existing(state: State, mark_id: str) -> dict[str, Any]:
    if mark_id not in state.history.marks:
        raise Refusal(ErrorCode.NOT_FOUND, "That mark is not in the room.")
    return state.history.marks[mark_id]


def _authored(mark: Mark | VideoMark, author: str, author_name: str) -> dict[str, Any]:
    # Through JSON, because an event must equal itself after a journal has kept it: there are no tuples there.
    drawing = msgspec.json.decode(msgspec.json.encode(mark))
    return {**drawing, "author": author, "author_name": author_name}
