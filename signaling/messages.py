"""What travels over a room's socket: every kind of message, its body, and how it is read and written.

Reading is strict about what is used and silent about what is not: unknown members are ignored, so that a newer client
may talk to an older server. Sizes that a person can run into (a long text, a mark with many points) are refused by the
rules in ``commands``, with words; here only what no honest client sends is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from signaling.codes import ErrorCode, Refusal

VERSION: Final = 1
FEATURES: Final[tuple[str, ...]] = ()


class ClientKind(StrEnum):
    HELLO = "hello"
    RESUME = "resume"
    PONG = "pong"
    BYE = "bye"
    CHAT_SEND = "chat.send"
    MARK_ADD = "mark.add"
    MARK_EDIT = "mark.edit"
    MARK_REMOVE = "mark.remove"
    VIEW_SET = "view.set"
    CONTROL_REQUEST = "control.request"
    CONTROL_GRANT = "control.grant"
    CONTROL_RELEASE = "control.release"
    POINTER_MOVE = "pointer.move"
    POINTER_HIDE = "pointer.hide"
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


class ServerKind(StrEnum):
    """Everything else that a server sends."""

    WELCOME = "welcome"
    PING = "ping"
    DRAIN = "drain"
    OK = "ok"
    ERR = "err"
    PARTICIPANT = "participant"
    VIEW = "view"
    POINTER = "pointer"
    SIGNAL = "signal"
    NOTICE = "notice"


# A NUL cannot be stored by PostgreSQL, and control characters have no place in names and ids.
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
Text = Annotated[str, Meta(pattern=r"\A[^\x00]*\Z")]
Uid = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[0-9.]+\Z")]
Color = Annotated[str, Meta(max_length=32, pattern=r"\A[#a-zA-Z0-9(),.% ]*\Z")]
FrameNumber = Annotated[int, Meta(ge=1, le=1_000_000)]
Pixels = Annotated[float, Meta(ge=-1e6, le=1e6)]
ModalityUnits = Annotated[float, Meta(ge=-1e9, le=1e9)]
Point = tuple[Pixels, Pixels]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what a client's ``b`` may be."""


class Empty(Body, frozen=True):
    """Kinds that say everything by their name."""


class Hello(Body, frozen=True):
    ticket: Annotated[str, Meta(max_length=8192)]
    features: Annotated[list[Name], Meta(max_length=64)] = []


class Resume(Body, frozen=True):
    resume_token: Annotated[str, Meta(max_length=8192)]
    epoch: Name
    seq: Annotated[int, Meta(ge=0)]
    features: Annotated[list[Name], Meta(max_length=64)] = []


class Pong(Body, frozen=True):
    t: float
    seq: Annotated[int, Meta(ge=0)] = 0
    hidden: bool = False


class ChatText(Body, frozen=True):
    text: Text


class Mark(Body, frozen=True):
    """A drawing on one frame. points: (column, row) in pixels, 0/0 = outer corner of the first pixel; frame from 1."""

    id: Name
    kind: Literal["length", "arrow", "ellipse", "rectangle", "freehand", "probe", "angle"]
    study: Name
    series_instance_uid: Uid
    sop_instance_uid: Uid
    frame: FrameNumber
    points: Annotated[list[Point], Meta(min_length=1)]
    text: Annotated[Text, Meta(max_length=500)] = ""
    color: Color = ""


class MarkBody(Body, frozen=True):
    mark: Mark


class MarkId(Body, frozen=True):
    id: Name


class View(Body, frozen=True):
    """What the presenter looks at. window_*: in units after the modality LUT, null where an image has no window."""

    study: Name
    series_instance_uid: Uid
    sop_instance_uid: Uid
    frame: FrameNumber
    window_center: ModalityUnits | None
    window_width: Annotated[float, Meta(ge=0, le=1e9)] | None
    zoom: Annotated[float, Meta(gt=0, le=1e4)]
    pan: Point
    rotation: Annotated[float, Meta(ge=-360, le=360)]
    flip_h: bool
    flip_v: bool
    invert: bool


class To(Body, frozen=True):
    to: Name


class Pointer(Body, frozen=True):
    study: Name
    sop_instance_uid: Uid
    frame: FrameNumber
    x: Pixels
    y: Pixels


class Media(Body, frozen=True):
    audio: bool
    video: bool
    screen: bool


class Description(Body, frozen=True):
    """RTCSessionDescriptionInit, W3C WebRTC section 4.8.2."""

    type: Literal["offer", "answer", "pranswer", "rollback"]
    sdp: str = ""


class Candidate(Body, frozen=True, rename="camel"):
    """RTCIceCandidateInit, W3C WebRTC section 4.8.1.1; the empty string ends the candidates of a generation."""

    candidate: str = ""
    sdp_mid: str | None = None
    sdp_m_line_index: int | None = msgspec.field(default=None, name="sdpMLineIndex")
    username_fragment: str | None = None


class Signal(Body, frozen=True):
    to: Name
    description: Description | UnsetType | None = UNSET
    candidate: Candidate | UnsetType | None = UNSET


BODIES: Final[Mapping[ClientKind, type[Body]]] = {
    ClientKind.HELLO: Hello,
    ClientKind.RESUME: Resume,
    ClientKind.PONG: Pong,
    ClientKind.BYE: Empty,
    ClientKind.CHAT_SEND: ChatText,
    ClientKind.MARK_ADD: MarkBody,
    ClientKind.MARK_EDIT: MarkBody,
    ClientKind.MARK_REMOVE: MarkId,
    ClientKind.VIEW_SET: View,
    ClientKind.CONTROL_REQUEST: Empty,
    ClientKind.CONTROL_GRANT: To,
    ClientKind.CONTROL_RELEASE: Empty,
    ClientKind.POINTER_MOVE: Pointer,
    ClientKind.POINTER_HIDE: Empty,
    ClientKind.MEDIA_SET: Media,
    ClientKind.SIGNAL: Signal,
}


class _Envelope(msgspec.Struct):
    v: int
    k: str
    id: Name | None = None
    b: msgspec.Raw = msgspec.Raw(b"{}")


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_DECODERS: Final[Mapping[str, tuple[ClientKind, msgspec.json.Decoder[Any]]]] = {
    kind.value: (kind, msgspec.json.Decoder(body)) for kind, body in BODIES.items()
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a client, read and checked for its form. id: set when the client wants an answer."""

    kind: ClientKind
    body: Any
    id: str | None = None


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
    return Message(kind, _read(decoder, envelope.b, envelope.id), envelope.id)


def _read(decoder: msgspec.json.Decoder[Any], raw: bytes | msgspec.Raw, re: str | None) -> Any:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(ErrorCode.INVALID, f"The message does not fit: {error}", re=re) from error


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the room as everybody sees it.

    visit: one stay of one page; a changed value tells that the page is new and its media must be set up anew.
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
    audio: bool
    video: bool
    screen: bool


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
