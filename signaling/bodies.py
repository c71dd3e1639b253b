"""What a client's messages say: the body of every kind, with the bounds that no honest client exceeds. Pure data."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

# A NUL cannot be stored by PostgreSQL, and control characters have no place in names and ids.
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
Text = Annotated[str, Meta(pattern=r"\A[^\x00]*\Z")]
Uid = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[0-9.]+\Z")]
Color = Annotated[str, Meta(max_length=32, pattern=r"\A[#a-zA-Z0-9(),.% ]*\Z")]
FrameNumber = Annotated[int, Meta(ge=1, le=1_000_000)]
Pixels = Annotated[float, Meta(ge=-1e6, le=1e6)]
ModalityUnits = Annotated[float, Meta(ge=-1e9, le=1e9)]
Point = tuple[Pixels, Pixels]
Share = Annotated[float, Meta(ge=0, le=1)]
Measured = Annotated[float, Meta(ge=0, le=1e9)]
Reason = Annotated[str, Meta(max_length=500, pattern=r"\A[^\x00]*\Z")]
Purpose = Literal["media", "record"]
Grant = Literal["present", "mark", "chat", "point", "media", "note", "record", "host"]
# What a room is about at one moment: "" between patients, else a reference that tells a stranger nothing.
ScopeName = Annotated[str, Meta(max_length=64, pattern=r"\A[A-Za-z0-9_-]*\Z")]
# "session/…" outlives a change of scope, everything else belongs to the scope in which it was set.
Key = Annotated[str, Meta(min_length=1, max_length=96, pattern=r"\A[a-z][A-Za-z0-9_./-]*\Z")]


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


class View(Body, frozen=True, omit_defaults=True):
    """What the presenter looks at. window_*: in units after the modality LUT, null where an image has no window.

    viewport: which of several pictures side by side; empty for the only or first one.
    """

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
    viewport: Annotated[str, Meta(max_length=32, pattern=r"\A[a-z0-9_-]*\Z")] = ""


class To(Body, frozen=True):
    to: Name


class Pointer(Body, frozen=True):
    study: Name
    sop_instance_uid: Uid
    frame: FrameNumber
    x: Pixels
    y: Pixels


class Track(Body, frozen=True):
    """One stream that a participant sends. id: the sender's own, the same for as long as it is sent.

    label: what people call the camera. source "device": not a face (field, overview, ultrasound, endoscope, bedside).
    priority: 0 goes first when the link is thin, 9 last.
    """

    id: Name
    kind: Literal["audio", "video"]
    source: Literal["microphone", "camera", "screen", "device"]
    label: Annotated[Text, Meta(max_length=40)] = ""
    priority: Annotated[int, Meta(ge=0, le=9)] = 5


class Media(Body, frozen=True):
    audio: bool
    video: bool
    screen: bool
    tracks: Annotated[list[Track], Meta(max_length=12)] = []


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
    """pc: which of several connections of the two. neg: the negotiation it belongs to, so that stale ones are known."""

    to: Name
    description: Description | UnsetType | None = UNSET
    candidate: Candidate | UnsetType | None = UNSET
    pc: Name | UnsetType = UNSET
    neg: Annotated[int, Meta(ge=0, le=2**53)] | UnsetType = UNSET


class VideoMark(Body, frozen=True):
    """A drawing on a participant's video. points: (x, y) of the picture without its borders, 0/0 top left to 1/1.

    of, track: whose video. frame_time: of the frame it was drawn on, milliseconds of the sender's media clock.
    frozen: the frozen picture it was drawn on, empty while the video moved. ttl_ms: shown that long, 0 until removed.
    """

    id: Name
    kind: Literal["arrow", "ellipse", "freehand", "point"]
    of: Name
    track: Name
    frame_time: Annotated[float, Meta(ge=0, le=2**53)]
    points: Annotated[list[tuple[Share, Share]], Meta(min_length=1)]
    frozen: Annotated[str, Meta(max_length=64, pattern=r"\A[^\x00-\x1f\x7f]*\Z")] = ""
    ttl_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 0
    text: Annotated[Text, Meta(max_length=500)] = ""
    color: Color = ""


class VideoMarkBody(Body, frozen=True):
    mark: VideoMark


class Lock(Body, frozen=True):
    locked: bool
    reason: Reason = ""


class Who(Body, frozen=True):
    person: Name


class WhoAndWhy(Body, frozen=True):
    person: Name
    reason: Reason = ""


class Granted(Body, frozen=True):
    person: Name
    grants: Annotated[list[Grant], Meta(max_length=16)]


class Scope(Body, frozen=True):
    scope: ScopeName


class Following(Body, frozen=True):
    following: bool


class Entry(Body, frozen=True):
    """Something kept under a name. base_rev: the ``rev`` it was made from, 0: a new one; left out: any."""

    key: Key
    value: msgspec.Raw
    base_rev: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class Volatile(Body, frozen=True):
    key: Key
    value: msgspec.Raw


class Consent(Body, frozen=True):
    """purposes: what is agreed to. version, sha256: of the document that was shown."""

    purposes: Annotated[list[Purpose], Meta(min_length=1, max_length=2)]
    version: Name
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class ConsentPurpose(Body, frozen=True):
    purpose: Purpose


class Recording(Body, frozen=True):
    state: Literal["on", "off", "fault"]
    reason: Reason = ""


class Mode(Body, frozen=True):
    mode: Literal["mesh", "sfu"]


class LinkQuality(Body, frozen=True):
    """How the media of one other participant arrives; null: not measured. loss: 0 to 1 since the last report."""

    peer: Name
    rtt_ms: Measured | None = None
    loss: Share | None = None
    kbps: Measured | None = None
    freezes: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    delay_ms: Measured | None = None


class Quality(Body, frozen=True):
    links: Annotated[list[LinkQuality], Meta(max_length=32)]
