"""What travels over a room's socket: every kind of message, its body, and how it is read and written.

Reading is strict about what is used and silent about what is not: unknown members are ignored, so that a newer client
may talk to an older server. Sizes that a person can run into (a long text, a mark with many points) are refused by the
rules in ``commands``, with words; here only what no honest client sends is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from signaling import bodies
from signaling.bodies import Body, Name, ScopeName
from signaling.codes import ErrorCode, Refusal

VERSION: Final = 1
FEATURES: Final[tuple[str, ...]] = (
    "lobby",
    "scopes",
    "entries",
    "viewports",
    "video_marks",
    "consent",
    "recording",
    "media_mode",
    "tracks",
    "quality",
    "redirect",
)


class ClientKind(StrEnum):
    HELLO = "hello"
    RESUME = "resume"
    PONG = "pong"
    BYE = "bye"
    CHAT_SEND = "chat.send"
    MARK_ADD = "mark.add"
    MARK_EDIT = "mark.edit"
    MARK_REMOVE = "mark.remove"
    VIDEO_MARK_ADD = "video_mark.add"
    MARKS_LOCK = "marks.lock"
    VIEW_SET = "view.set"
    CONTROL_REQUEST = "control.request"
    CONTROL_GRANT = "control.grant"
    CONTROL_RELEASE = "control.release"
    FOLLOW_SET = "follow.set"
    POINTER_MOVE = "pointer.move"
    POINTER_HIDE = "pointer.hide"
    STATE_SET = "state.set"
    ENTRY_SET = "entry.set"
    LOBBY_ADMIT = "lobby.admit"
    LOBBY_RETURN = "lobby.return"
    LOBBY_REMOVE = "lobby.remove"
    GRANTS_SET = "grants.set"
    SCOPE_SET = "scope.set"
    CONSENT_GIVE = "consent.give"
    CONSENT_WITHDRAW = "consent.withdraw"
    RECORD_SET = "record.set"
    MEDIA_MODE = "media.mode"
    QUALITY_REPORT = "quality.report"
    MEDIA_SET = "media.set"
    SIGNAL = "signal"


class EventKind(StrEnum):
    """Durable events: what a journal holds."""

    CHAT_SENT = "chat.sent"
    MARK_ADDED = "mark.added"
    MARK_EDITED = "mark.edited"
    MARK_REMOVED = "mark.removed"
    CONTROL_REQUESTED = "control.requested"
    CONTROL_CHANGED = "control.changed"
    MARKS_LOCKED = "marks.locked"
    ENTRY_CHANGED = "entry.changed"
    LOBBY_ADMITTED = "lobby.admitted"
    LOBBY_RETURNED = "lobby.returned"
    LOBBY_REMOVED = "lobby.removed"
    GRANTS_CHANGED = "grants.changed"
    SCOPE_CHANGED = "scope.changed"
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    RECORD_CHANGED = "record.changed"
    MODE_CHANGED = "media.mode_changed"


class ServerKind(StrEnum):
    """Everything else that a server sends."""

    WELCOME = "welcome"
    PING = "ping"
    DRAIN = "drain"
    OK = "ok"
    ERR = "err"
    PARTICIPANT = "participant"
    VIEW = "view"
    STATE = "state"
    QUALITY = "quality"
    POINTER = "pointer"
    SIGNAL = "signal"
    REDIRECT = "redirect"
    NOTICE = "notice"


BODIES: Final[Mapping[ClientKind, type[Body]]] = {
    ClientKind.HELLO: bodies.Hello,
    ClientKind.RESUME: bodies.Resume,
    ClientKind.PONG: bodies.Pong,
    ClientKind.BYE: bodies.Empty,
    ClientKind.CHAT_SEND: bodies.ChatText,
    ClientKind.MARK_ADD: bodies.MarkBody,
    ClientKind.MARK_EDIT: bodies.MarkBody,
    ClientKind.MARK_REMOVE: bodies.MarkId,
    ClientKind.VIDEO_MARK_ADD: bodies.VideoMarkBody,
    ClientKind.MARKS_LOCK: bodies.Lock,
    ClientKind.VIEW_SET: bodies.View,
    ClientKind.CONTROL_REQUEST: bodies.Empty,
    ClientKind.CONTROL_GRANT: bodies.To,
    ClientKind.CONTROL_RELEASE: bodies.Empty,
    ClientKind.FOLLOW_SET: bodies.Following,
    ClientKind.POINTER_MOVE: bodies.Pointer,
    ClientKind.POINTER_HIDE: bodies.Empty,
    ClientKind.STATE_SET: bodies.Volatile,
    ClientKind.ENTRY_SET: bodies.Entry,
    ClientKind.LOBBY_ADMIT: bodies.Who,
    ClientKind.LOBBY_RETURN: bodies.Who,
    ClientKind.LOBBY_REMOVE: bodies.WhoAndWhy,
    ClientKind.GRANTS_SET: bodies.Granted,
    ClientKind.SCOPE_SET: bodies.Scope,
    ClientKind.CONSENT_GIVE: bodies.Consent,
    ClientKind.CONSENT_WITHDRAW: bodies.ConsentPurpose,
    ClientKind.RECORD_SET: bodies.Recording,
    ClientKind.MEDIA_MODE: bodies.Mode,
    ClientKind.MEDIA_SET: bodies.Media,
    ClientKind.QUALITY_REPORT: bodies.Quality,
    ClientKind.SIGNAL: bodies.Signal,
}


class _Envelope(msgspec.Struct):
    v: int
    k: str
    id: Name | None = None
    scope: ScopeName = ""
    b: msgspec.Raw = msgspec.Raw(b"{}")


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_DECODERS: Final[Mapping[str, tuple[ClientKind, msgspec.json.Decoder[Any]]]] = {
    kind.value: (kind, msgspec.json.Decoder(body)) for kind, body in BODIES.items()
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a client, read and checked for its form.

    id: set when the client wants an answer. scope: what the room was about when the person acted.
    """

    kind: ClientKind
    body: Any
    id: str | None = None
    scope: str = ""


def decode(frame: bytes, frame_bytes: int) -> Message:
    """The message in a frame of at most ``frame_bytes``; raises a Refusal that names the command it answers."""
    if len(frame) > frame_bytes:
        raise Refusal(ErrorCode.TOO_LARGE, f"A message holds at most {frame_bytes} bytes.")
    envelope: _Envelope = _read(_ENVELOPE, frame, None)
    if envelope.v != VERSION:
        raise Refusal(ErrorCode.UNSUPPORTED, f"This server speaks version {VERSION}.", re=envelope.id)
    if envelope.k not in _DECODERS:
        raise Refusal(ErrorCode.UNSUPPORTED, "This server does not know that kind of message.", re=envelope.id)
    kind, decoder = _DECODERS[envelope.k]
    return Message(kind, _read(decoder, envelope.b, envelope.id), envelope.id, envelope.scope)


def _read(decoder: msgspec.json.Decoder[Any], raw: bytes | msgspec.Raw, re: str | None) -> Any:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(ErrorCode.INVALID, f"The message does not fit: {error}", re=re) from error


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the room as everybody sees it.

    visit: one stay of one page; a changed value tells that the page is new and its media must be set up anew.
    waiting: outside, until the host admits. following: shows what the presenter shows.
    """

    id: str
    person: str
    name: str
    title: str
    hospital: str
    role: str
    grants: list[str]
    ordinal: int
    visit: str
    state: Literal["online", "reconnecting"]
    waiting: bool
    following: bool
    audio: bool
    video: bool
    screen: bool
    tracks: list[bodies.Track]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the server; a member that is not set is not written."""

    v: int = VERSION
    k: ServerKind | EventKind
    re: str | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    epoch: str | UnsetType = UNSET
    from_: str | UnsetType = msgspec.field(default=UNSET, name="from")
    at: datetime | UnsetType = UNSET
    key: str | UnsetType = UNSET
    b: Any = UNSET


encode = msgspec.json.Encoder().encode


def ok(re: str) -> Envelope:
    return Envelope(k=ServerKind.OK, re=re)


def err(refusal: Refusal, re: str | None = None) -> Envelope:
    """The refusal of the command ``re``, or of a message that nobody could read."""
    answered = re or refusal.re
    body = {"code": refusal.code, "temporary": refusal.temporary, "detail": refusal.detail}
    return Envelope(k=ServerKind.ERR, re=UNSET if answered is None else answered, b=body)


def participant(who: str, body: Participant | None, at: datetime) -> Envelope:
    """The keyed state of one participant; ``body`` None: gone."""
    return Envelope(k=ServerKind.PARTICIPANT, key=f"participant:{who}", from_=who, at=at, b=body)


def ping(at: datetime) -> Envelope:
    """``t`` in milliseconds since 1970: the client sends it back, so that the round trip can be told."""
    return Envelope(k=ServerKind.PING, b={"t": int(at.timestamp() * 1000)})


def drain(after_ms: int) -> Envelope:
    return Envelope(k=ServerKind.DRAIN, b={"after_ms": after_ms})


def notice(topic: str, about: str) -> Envelope:
    return Envelope(k=ServerKind.NOTICE, b={"topic": topic, "id": about})


def redirect(url: str) -> Envelope:
    """The room is served elsewhere; the ticket or token that was shown is still good there."""
    return Envelope(k=ServerKind.REDIRECT, b={"url": url})
