"""Media: what one sends, how calls are set up, what arrives, who agreed to it, and whether it is recorded. Pure."""

from typing import Any

from msgspec import UNSET

from signaling.bodies import Consent, ConsentPurpose, Media, Mode, Quality, Recording, Signal
from signaling.codes import ErrorCode, Refusal
from signaling.messages import Envelope, EventKind, ServerKind
from signaling.state import Kept, Seat, State
from signaling.turn import Effect, Turn

_RECORDING_ENDS = (EventKind.RECORD_CHANGED, {"state": "off", "reason": "consent"})


def media_set(turn: Turn[Media]) -> Effect:
    seat, media = turn.seat, turn.body
    if media.audio or media.video or media.screen or media.tracks:
        _check_consent(turn.state, seat)
    seat.audio, seat.video, seat.screen, seat.tracks = media.audio, media.video, media.screen, tuple(media.tracks)
    return Effect(outputs=tuple(turn.state.presence(seat.id, turn.now)))


def signal(turn: Turn[Signal]) -> Effect:
    to, body = turn.body.to, turn.body
    _check_consent(turn.state, turn.seat)
    if not turn.state.online(to) or to == turn.seat.id:
        raise Refusal(ErrorCode.NOT_FOUND, "That participant is not here now.")
    parts = {"description": body.description, "candidate": body.candidate}
    given: dict[str, Any] = {name: part for name, part in parts.items() if part is not UNSET}
    if not given:
        raise Refusal(ErrorCode.INVALID, "Send a description or a candidate.")
    given |= {name: part for name, part in {"pc": body.pc, "neg": body.neg}.items() if part is not UNSET}
    message = Envelope(k=ServerKind.SIGNAL, from_=turn.seat.id, at=turn.now, b=given)
    return Effect(outputs=tuple(turn.state.tell(to, message)))


def media_mode(turn: Turn[Mode]) -> Effect:
    if turn.body.mode == turn.state.history.mode:
        return Effect()
    return Effect(((EventKind.MODE_CHANGED, {"mode": turn.body.mode}),))


def quality_report(turn: Turn[Quality]) -> Effect:
    key = f"quality:{turn.seat.id}"
    turn.state.keyed[key] = Kept(turn.seat.id, turn.now, turn.body)
    message = Envelope(k=ServerKind.QUALITY, key=key, from_=turn.seat.id, at=turn.now, b=turn.body)
    return Effect(outputs=tuple(turn.state.tell_all(message, ("state", key), but={turn.seat.id})))


def consent_give(turn: Turn[Consent]) -> Effect:
    body = turn.body
    given = {"purposes": list(body.purposes), "version": body.version, "sha256": body.sha256}
    return Effect(((EventKind.CONSENT_GIVEN, {**given, "author_name": turn.seat.claims.name}),))


def consent_withdraw(turn: Turn[ConsentPurpose]) -> Effect:
    """Ends what was agreed to: a recording stops, media must be switched off."""
    history, purpose = turn.state.history, turn.body.purpose
    if history.agreed(turn.seat.id, purpose) is None:
        return Effect()
    ends = (_RECORDING_ENDS,) if purpose == "record" and history.recording is not None else ()
    return Effect((*ends, (EventKind.CONSENT_WITHDRAWN, {"purpose": purpose})))


def record_set(turn: Turn[Recording]) -> Effect:
    """Recording is off until everybody inside has agreed to it."""
    history, state = turn.state.history, turn.body.state
    if state == "fault" and history.recording is None:
        raise Refusal(ErrorCode.BAD_STATE, "Nothing is being recorded.")
    if state == "off" and history.recording is None:
        return Effect()
    inside = [seat for seat in turn.state.seats.values() if not seat.waiting]
    if state == "on" and any(history.agreed(seat.id, "record") is None for seat in inside):
        raise Refusal(ErrorCode.CONSENT_MISSING, "Everybody in the room must agree to the recording first.")
    return Effect(((EventKind.RECORD_CHANGED, {"state": state, "reason": turn.body.reason}),))


def _check_consent(state: State, seat: Seat) -> None:
    needed = seat.claims.consent
    agreed = state.history.agreed(seat.id, "media")
    if needed and (agreed is None or agreed["version"] != needed):
        raise Refusal(ErrorCode.CONSENT_MISSING, "Agree to the consultation before sending media.")
