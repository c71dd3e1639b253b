"""The right to enter a room: signed, short-lived, usable once, revocable.

Two kinds of token, both JWT (RFC 7519) signed with HS256. A *ticket* is fetched over HTTP and opens a room once within
five minutes. A *resume token* is handed out with every ``welcome``; it brings the same page back after a lost link, and
each use replaces it. Both stop working when the person is removed or the room is closed.

That a ticket was used is remembered by :class:`signaling.guard.SpentTickets`, for every process of the service. Which
resume token is the newest is remembered by the process that serves the room: after a change of process one of before
still works once. A person who was removed in the room, and one who may not enter any more, is refused by the room's
history and by :class:`signaling.guard.Admission`, whatever token is shown.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from foundation.clock import Clock
from foundation.ids import new_id
from signaling.bodies import Grant
from signaling.codes import CloseCode, ErrorCode, Refusal

Role = Literal["requester", "expert", "guest", "bedside", "observer"]

TICKET_LIFE: Final = timedelta(minutes=5)
RESUME_LIFE: Final = timedelta(hours=12)
SECRET_BYTES: Final = 32
_ALGORITHM: Final = "HS256"


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Who enters which room with which rights. session_ends_at: aware; no token outlives it.

    waits: comes in only when the host admits. scopes: for whom it may be inside, empty: for all. consent: the version
    of the document that must be agreed to before one's media starts, empty: none.
    """

    room: str
    person: str
    name: str
    title: str
    hospital: str
    role: Role
    grants: frozenset[Grant]
    session_ends_at: datetime
    waits: bool = False
    scopes: frozenset[str] = frozenset()
    consent: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a valid ticket says; ``number`` is its own, to be spent once before ``expires``."""

    claims: Claims
    number: str
    issued_at: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Resumption:
    """What a resume token says: the claims of the ticket it stems from, the room's history and the page's stay."""

    claims: Claims
    epoch: str
    visit: str
    number: str
    issued_at: datetime


class _Token(msgspec.Struct, frozen=True, kw_only=True):
    """The payload. iat, exp: seconds since 1970 (RFC 7519 section 4.1), with fractions."""

    aud: Literal["join", "resume"]
    jti: str
    iat: float
    exp: float
    claims: Claims
    epoch: str = ""
    visit: str = ""


@dataclass(slots=True)
class _Rotation:
    """The resume tokens of one person that still work: the newest, and the last used one should its answer be lost."""

    visit: str
    newest: str
    used: str
    expires: float


_Holder = tuple[str, str]


class Tickets:
    """Issues and redeems both kinds of token. secret: at least 32 bytes, the same on every process of a service."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"the ticket secret needs at least {SECRET_BYTES} bytes")
        self._key = OctKey.import_key(secret)
        self._clock = clock
        self._rotations: dict[_Holder, _Rotation] = {}
        self._revoked: dict[_Holder, float] = {}
        self._closed: dict[str, float] = {}

    def issue(self, claims: Claims) -> str:
        """A ticket for one entry within five minutes."""
        return self._sign(self._token("join", claims, TICKET_LIFE))

    def read(self, ticket: str) -> Ticket:
        """What a ticket says that is genuine and in time; raises Refusal with a close code."""
        token = self._verified(ticket, "join")
        return Ticket(token.claims, token.jti, _time(token.iat), _time(token.exp))

    def issue_resume(self, claims: Claims, epoch: str, visit: str) -> str:
        """The next resume token of this page; tokens of the person's other pages work no more."""
        token = self._token("resume", claims, RESUME_LIFE, epoch, visit)
        holder = (claims.room, claims.person)
        before = self._rotations.get(holder)
        used = before.used if before is not None and before.visit == visit else ""
        self._rotations[holder] = _Rotation(visit, token.jti, used, token.exp)
        return self._sign(token)

    def read_resume(self, resume_token: str) -> Resumption:
        """What a resume token says that is genuine and in time; raises Refusal with a close code."""
        token = self._verified(resume_token, "resume")
        return Resumption(token.claims, token.epoch, token.visit, token.jti, _time(token.iat))

    def rotate(self, token: Resumption) -> None:
        """Use a resume token; raises Refusal: REPLACED for an older page, TICKET_STALE for an older token."""
        holder = (token.claims.room, token.claims.person)
        first = _Rotation(token.visit, token.number, "", token.claims.session_ends_at.timestamp())
        rotation = self._rotations.setdefault(holder, first)
        if rotation.visit != token.visit:
            raise Refusal(ErrorCode.AUTH_TICKET_USED, close=CloseCode.REPLACED)
        if token.number not in {rotation.newest, rotation.used}:
            raise Refusal(ErrorCode.AUTH_TICKET_USED, close=CloseCode.TICKET_STALE)
        rotation.used = token.number

    def revoke(self, room: str, person: str) -> None:
        """Every token issued to this person for this room so far works no more."""
        self._revoked[room, person] = self._clock().timestamp()

    def close(self, room: str) -> None:
        """Every token issued for this room so far works no more."""
        self._closed[room] = self._clock().timestamp()

    def _token(
        self, audience: Literal["join", "resume"], claims: Claims, life: timedelta, epoch: str = "", visit: str = ""
    ) -> _Token:
        now = self._clock()
        expires = min(now + life, claims.session_ends_at)
        return _Token(
            aud=audience,
            jti=new_id(),
            iat=now.timestamp(),
            exp=expires.timestamp(),
            claims=claims,
            epoch=epoch,
            visit=visit,
        )

    def _sign(self, token: _Token) -> str:
        return jwt.encode({"alg": _ALGORITHM}, msgspec.to_builtins(token), self._key)

    def _verified(self, text: str, audience: str) -> _Token:
        self._forget_expired()
        try:
            decoded = jwt.decode(text, self._key, algorithms=[_ALGORITHM])
            token = msgspec.convert(decoded.claims, _Token)
        except (JoseError, ValueError) as error:
            raise Refusal(ErrorCode.NOT_ALLOWED, "That is no ticket of this service.", close=_BAD) from error
        if token.aud != audience:
            raise Refusal(ErrorCode.NOT_ALLOWED, "That token is not meant for this.", close=_BAD)
        self._check_valid(token)
        return token

    def _check_valid(self, token: _Token) -> None:
        holder = (token.claims.room, token.claims.person)
        if token.iat <= self._closed.get(token.claims.room, -1.0):
            raise Refusal(ErrorCode.CLOSED, close=CloseCode.ROOM_CLOSED)
        if token.iat <= self._revoked.get(holder, -1.0):
            raise Refusal(ErrorCode.AUTH_REVOKED, close=CloseCode.REMOVED)
        if token.exp <= self._clock().timestamp():
            raise Refusal(ErrorCode.AUTH_TICKET_EXPIRED, close=CloseCode.TICKET_STALE)

    def _forget_expired(self) -> None:
        """Drop what no token can refer to any more, so that memory follows the tokens in use."""
        now = self._clock().timestamp()
        longest = now - RESUME_LIFE.total_seconds()
        self._rotations = {holder: kept for holder, kept in self._rotations.items() if kept.expires > now}
        self._revoked = {holder: at for holder, at in self._revoked.items() if at > longest}
        self._closed = {room: at for room, at in self._closed.items() if at > longest}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_BAD: Final = CloseCode.BAD_TICKET
