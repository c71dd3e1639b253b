"""What a host decides: who is inside, with which rights, and what the room is about; and what is kept by name. Pure."""

from msgspec import UNSET

from signaling.bodies import Entry, Granted, Scope, Volatile, Who, WhoAndWhy
from signaling.codes import ErrorCode, Refusal
from signaling.history import SESSION_PREFIX
from signaling.messages import Envelope, EventKind, ServerKind
from signaling.state import Kept
from signaling.turn import Effect, Stream, Turn, check_scope, jsonable


def lobby_admit(turn: Turn[Who]) -> Effect:
    """Lets somebody in; also one who is not at the door yet, so that the host need not wait for a guest."""
    person, history = turn.body.person, turn.state.history
    seat = turn.state.seats.get(person)
    if person in history.admitted:
        return Effect()
    if seat is not None and seat.claims.scopes and history.scope not in seat.claims.scopes:
        raise Refusal(ErrorCode.NOT_ALLOWED, "That participant belongs to another patient.")
    if turn.state.full(waiting=False):
        raise Refusal(ErrorCode.ROOM_FULL)
    return Effect(((EventKind.LOBBY_ADMITTED, {"person": person}),))


def lobby_return(turn: Turn[Who]) -> Effect:
    """Back to the waiting room; the seat there is kept."""
    _check_other(turn)
    if turn.body.person not in turn.state.seats:
        raise Refusal(ErrorCode.NOT_FOUND, "That participant is not here now.")
    return Effect(((EventKind.LOBBY_RETURNED, {"person": turn.body.person}),))


def lobby_remove(turn: Turn[WhoAndWhy]) -> Effect:
    """Out; every token of before is worthless, and who comes with another ticket waits at the door."""
    _check_other(turn)
    if turn.body.person not in turn.state.seats:
        raise Refusal(ErrorCode.NOT_FOUND, "That participant is not here now.")
    return Effect(((EventKind.LOBBY_REMOVED, {"person": turn.body.person, "reason": turn.body.reason}),))


def grants_set(turn: Turn[Granted]) -> Effect:
    # Nobody changes their own, so that a room with a host keeps one.
    _check_other(turn)
    person, grants = turn.body.person, sorted(set(turn.body.grants))
    if person not in turn.state.seats:
        raise Refusal(ErrorCode.NOT_FOUND, "That participant is not here now.")
    return Effect(((EventKind.GRANTS_CHANGED, {"person": person, "grants": grants}),))


def scope_set(turn: Turn[Scope]) -> Effect:
    """Turn to another patient. A recording belongs to the scope it was started in and ends with it."""
    history, scope = turn.state.history, turn.body.scope
    if scope == history.scope:
        return Effect()
    if scope not in history.sheets and len(history.sheets) >= turn.state.limits.scopes:
        raise Refusal(ErrorCode.TOO_LARGE, f"A session holds at most {turn.state.limits.scopes} scopes.")
    recording = history.recording is not None
    ends = ((EventKind.RECORD_CHANGED, {"state": "off", "reason": "scope"}),) if recording else ()
    return Effect((*ends, (EventKind.SCOPE_CHANGED, {"scope": scope})))


def entry_set(turn: Turn[Entry]) -> Effect:
    history, key, most = turn.state.history, turn.body.key, turn.state.limits.entries
    if not key.startswith(SESSION_PREFIX):
        check_scope(turn)
    elif "host" not in turn.state.grants(turn.seat):
        raise Refusal(ErrorCode.NOT_ALLOWED, "Only a host changes what belongs to the whole session.")
    before = history.entries.get(key)
    rev = 0 if before is None else before["rev"]
    if turn.body.base_rev is not UNSET and turn.body.base_rev != rev:
        raise Refusal(ErrorCode.STALE_REV)
    if before is None and len(history.entries) >= most:
        raise Refusal(ErrorCode.TOO_LARGE, f"A room keeps at most {most} entries.")
    value = jsonable(turn.body.value, turn.state.limits.value_bytes)
    return Effect(((EventKind.ENTRY_CHANGED, {"key": key, "value": value, "author_name": turn.seat.claims.name}),))


def state_set(turn: Turn[Volatile]) -> Effect:
    key, keyed, most = f"state:{turn.body.key}", turn.state.keyed, turn.state.limits.states
    if key not in keyed and len(keyed) >= most:
        raise Refusal(ErrorCode.TOO_LARGE, f"A room holds at most {most} states.")
    value = jsonable(turn.body.value, turn.state.limits.value_bytes)
    keyed[key] = Kept(turn.seat.id, turn.now, value)
    message = Envelope(k=ServerKind.STATE, key=key, from_=turn.seat.id, at=turn.now, b=value)
    return Effect(stream=Stream(("state", key), message))


def _check_other(turn: Turn[Who] | Turn[WhoAndWhy] | Turn[Granted]) -> None:
    if turn.body.person == turn.seat.id:
        raise Refusal(ErrorCode.BAD_STATE, "That can only be done to somebody else.")
