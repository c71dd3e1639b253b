"""Who shows what to whom: control, views, pointers, following. Pure."""

from signaling.bodies import Empty, Following, Pointer, To, View
from signaling.codes import ErrorCode, Refusal
from signaling.messages import Envelope, EventKind, ServerKind
from signaling.state import VIEW_KEY, Kept, Seat, State
from signaling.turn import Effect, Stream, Turn


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
    if "present" not in turn.state.grants(turn.state.seats[to]):
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
    author, now, viewport = turn.seat.id, turn.now, turn.body.viewport
    key = f"{VIEW_KEY}:{viewport}" if viewport else VIEW_KEY
    if key not in turn.state.keyed and len(turn.state.keyed) >= turn.state.limits.states:
        raise Refusal(ErrorCode.TOO_LARGE, "Too many pictures side by side.")
    turn.state.keyed[key] = Kept(author, now, turn.body)
    message = Envelope(k=ServerKind.VIEW, key=key, from_=author, at=now, b=turn.body)
    return Effect(stream=Stream(("state", key), message))


def follow_set(turn: Turn[Following]) -> Effect:
    turn.seat.following = turn.body.following
    return Effect(outputs=tuple(turn.state.presence(turn.seat.id, turn.now)))


def pointer(turn: Turn[Pointer] | Turn[Empty]) -> Effect:
    """Move and hide are one thing: where the pointer is, or nowhere."""
    where = turn.body if isinstance(turn.body, Pointer) else None
    message = Envelope(k=ServerKind.POINTER, from_=turn.seat.id, at=turn.now, b=where)
    return Effect(stream=Stream(("pointer", turn.seat.id), message))
