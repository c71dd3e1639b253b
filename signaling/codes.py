"""Why something was refused and why a socket was closed: stable codes, each with one English sentence.

These are the protocol's own codes, not HTTP problems: they travel inside ``err`` messages and close frames. The
browser shows the Chinese sentence that its message files hold for the code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class ErrorCode(StrEnum):
    AUTH_TICKET_EXPIRED = "AUTH_TICKET_EXPIRED"
    AUTH_TICKET_USED = "AUTH_TICKET_USED"
    AUTH_REVOKED = "AUTH_REVOKED"
    CLOSED = "CLOSED"
    ROOM_FULL = "ROOM_FULL"
    NOT_ALLOWED = "NOT_ALLOWED"
    NOT_FOUND = "NOT_FOUND"
    CONTROL_HELD = "CONTROL_HELD"
    CONSENT_MISSING = "CONSENT_MISSING"
    STALE_REV = "STALE_REV"
    STALE_SCOPE = "STALE_SCOPE"
    WAITING = "WAITING"
    LOCKED = "LOCKED"
    BAD_STATE = "BAD_STATE"
    INVALID = "INVALID"
    TOO_LARGE = "TOO_LARGE"
    RATE_LIMITED = "RATE_LIMITED"
    UNSUPPORTED = "UNSUPPORTED"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Meaning:
    """temporary: the same command may succeed a little later, so a client may repeat it by itself."""

    sentence: str
    temporary: bool = False


ERRORS: Final[Mapping[ErrorCode, Meaning]] = {
    ErrorCode.AUTH_TICKET_EXPIRED: Meaning("The ticket is too old; join again to get another."),
    ErrorCode.AUTH_TICKET_USED: Meaning("The ticket was used before; join again to get another."),
    ErrorCode.AUTH_REVOKED: Meaning("The right to be in this room was withdrawn."),
    ErrorCode.CLOSED: Meaning("The room is closed."),
    ErrorCode.ROOM_FULL: Meaning("The room is full; come back when somebody has left.", temporary=True),
    ErrorCode.NOT_ALLOWED: Meaning("You lack the right to do that here."),
    ErrorCode.NOT_FOUND: Meaning("What the command names is not in the room."),
    ErrorCode.CONTROL_HELD: Meaning("Somebody else holds the control; ask for it first."),
    ErrorCode.CONSENT_MISSING: Meaning("Somebody has not agreed to that yet."),
    ErrorCode.STALE_REV: Meaning("It was changed meanwhile; look at it and decide again."),
    ErrorCode.STALE_SCOPE: Meaning("The room is about somebody else now; nothing of before is taken over."),
    ErrorCode.WAITING: Meaning("Wait until the host lets you in."),
    ErrorCode.LOCKED: Meaning("Marks are locked; confirm by voice."),
    ErrorCode.BAD_STATE: Meaning("The command does not fit the present state of the room."),
    ErrorCode.INVALID: Meaning("The message is malformed."),
    ErrorCode.TOO_LARGE: Meaning("The message is over a published limit."),
    ErrorCode.RATE_LIMITED: Meaning("Too many commands; wait a moment.", temporary=True),
    ErrorCode.UNSUPPORTED: Meaning("This server does not know that version or kind of message."),
    ErrorCode.UNAVAILABLE: Meaning("The server could not keep it just now; try again.", temporary=True),
}


class CloseCode(IntEnum):
    """Why the server closes a socket. RFC 6455 section 7.4.2: 4000-4999 are for private use."""

    NORMAL = 1000
    DRAIN = 4001
    MOVED = 4002
    TOO_SLOW = 4008
    UNAVAILABLE = 4011
    NO_HEARTBEAT = 4012
    FULL = 4013
    TICKET_STALE = 4014
    BAD_TICKET = 4501
    REMOVED = 4503
    ROOM_CLOSED = 4504
    REPLACED = 4509
    PROTOCOL = 4511

    @property
    def come_back(self) -> bool:
        """May the client connect again by itself?"""
        return 4000 <= self < 4500

    @property
    def sentence(self) -> str:
        return CLOSES[self]


CLOSES: Final[Mapping[CloseCode, str]] = {
    CloseCode.NORMAL: "Left on purpose.",
    CloseCode.DRAIN: "The server restarts; come back after the given time.",
    CloseCode.MOVED: "The room is served elsewhere; connect there.",
    CloseCode.TOO_SLOW: "Too much was waiting for this connection; resume.",
    CloseCode.UNAVAILABLE: "The room cannot be served just now; come back.",
    CloseCode.NO_HEARTBEAT: "Nothing was heard for too long; resume.",
    CloseCode.FULL: "The room is full; come back when somebody has left.",
    CloseCode.TICKET_STALE: "The ticket is too old or was used; fetch another.",
    CloseCode.BAD_TICKET: "The ticket is not valid for this room.",
    CloseCode.REMOVED: "Removed from the room.",
    CloseCode.ROOM_CLOSED: "The room is closed.",
    CloseCode.REPLACED: "Replaced by a newer tab of the same person.",
    CloseCode.PROTOCOL: "The client broke the protocol.",
}


class Refusal(Exception):
    """A message that is not obeyed.

    re: the command id that is answered. close: set when the socket ends with it.
    """

    def __init__(
        self, code: ErrorCode, detail: str = "", *, re: str | None = None, close: CloseCode | None = None
    ) -> None:
        self.code = code
        self.detail = detail or ERRORS[code].sentence
        self.re = re
        self.close = close
        super().__init__(self.detail)

    @property
    def temporary(self) -> bool:
        return ERRORS[self.code].temporary
