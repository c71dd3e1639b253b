"""The right to enter a room: signed, short-lived, usable once, revocable.

Two kinds of token, both JWT (RFC 7519) signed with HS256. A *ticket* is fetched over HTTP and opens a room once within
five minutes. A *resume token* is handed out with every ``welcome``; it brings the same page back after a lost link, and
each use replaces it. Both stop working when the person is removed or the room is closed.

What is remembered lives in this process: after a restart a resume token of before still works once, and whether its
holder may still enter is asked of :class:`signaling.guard.Admission` each time anyway.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from foundation.clock import Clock
from foundation.ids import new_id
from signaling.codes import CloseCode, ErrorCode, Refusal

Grant = Literal["present", "mark", "chat", "point", "media"]
Role = Literal["requester", "expert"]

TICKET_LIFE: Final = timedelta(minutes=5)
RESUME_LIFE: Final = timedelta(hours=12)
SECRET_BYTES: Final = 32
_ALGORITHM: Final = "HS256"


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Who enters which room with which rights. session_ends_at: aware; no token outlives it."""

    room: str
    person: str
    name: str
    title: str
    hospital: str
    role: Role
    grants: frozenset[Grant]
    session_ends_at: datetime


@dataclass(frozen=True, slots=True)
class Resumption:
    """What a resume token says: the claims of the ticket it stems from, the room's history and the page's stay."""

    claims: Claims
    epoch: str
    visit: str


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
        self._spent: dict[str, float] = {}
        self._rotations: dict[_Holder, _Rotation] = {}
        self._revoked: dict[_Holder, float] = {}
        self._closed: dict[str, float] = {}

    def issue(self, claims: Claims) -> str:
        """A ticket for one entry within five minutes."""
        return self._sign(self._token("join", claims, TICKET_LIFE))

    def redeem(self, ticket: str) -> Claims:
        """The claims of a ticket that was never used; raises Refusal with a close code."""
        token = self._verified(ticket, "join")
        if token.jti in self._spent:
            raise Refusal(ErrorCode.AUTH_TICKET_USED, close=CloseCode.TICKET_STALE)
        self._spent[token.jti] = token.exp
        return token.claims

    def issue_resume(self, claims: Claims, epoch: str, visit: str) -> str:
        """The next resume token of this page; tokens of the person's other pages work no more."""
        token = self._token("resume", claims, RESUME_LIFE, epoch, visit)
        holder = (claims.room, claims.person)
        before = self._rotations.get(holder)
        used = before.used if before is not None and before.visit == visit else ""
        self._rotations[holder] = _Rotation(visit, token.jti, used, token.exp)
        return self._sign(token)

    def redeem_resume(self, resume_token: str) -> Resumption:
        """What a resume token says; raises Refusal: REPLACED for an older page, TICKET_STALE for an older token."""
        token = self._verified(resume_token, "resume")
        holder = (token.claims.room, token.claims.person)
        rotation = self._rotations.setdefault(holder, _Rotation(token.visit, token.jti, "", token.exp))
        if rotation.visit != token.visit:
            raise Refusal(ErrorCode.AUTH_TICKET_USED, close=CloseCode.REPLACED)
        if token.jti not in {rotation.newest, rotation.used}:
            raise Refusal(ErrorCode.AUTH_TICKET_USED, close=CloseCode.TICKET_STALE)
        rotation.used = token.jti
        return Resumption(token.claims, token.epoch, token.visit)

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
        self._spent = {jti: expires for jti, expires in self._spent.items() if expires > now}
        self._rotations = {holder: kept for holder, kept in self._rotations.items() if kept.expires > now}
        self._revoked = {holder: at for holder, at in self._revoked.items() if at > longest}
        self._closed = {room: at for room, at in self._closed.items() if at > longest}


_BAD: Final = CloseCode.BAD_TICKET
