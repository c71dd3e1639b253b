"""Who may come in: the upgrade request, the opening message, the ticket, and the question whether it still holds."""

import logging
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from websockets.datastructures import Headers

from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.guard import Admission, SpentTickets
from signaling.messages import ClientKind, Message
from signaling.tickets import Claims, Resumption, Ticket, Tickets

log = logging.getLogger(__name__)

_ROOM_PATH: Final = re.compile(r"/rooms/([A-Za-z0-9_-]{1,64})\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """A token that was read and is not used yet.

    visit: None for a new page. since: where a returning page's history ends.
    """

    token: Ticket | Resumption
    visit: str | None = None
    since: tuple[str, int] | None = None

    @property
    def claims(self) -> Claims:
        return self.token.claims


def room_of(path: str) -> str | None:
    """The room an upgrade request names; None for any other address."""
    found = _ROOM_PATH.match(path.partition("?")[0])
    return None if found is None else found.group(1)


def refused_upgrade(path: str, headers: Headers, origins: frozenset[str]) -> HTTPStatus | None:
    """Why a request may not become a socket.

    A page may connect when it comes from this host (any port: the pages have their own) or from one of ``origins``.
    Programs send no Origin and may; nobody gets further than the opening message without a ticket.
    """
    if room_of(path) is None:
        return HTTPStatus.NOT_FOUND
    origin = headers.get("Origin")
    if origin is None or origin in origins or _same_host(origin, headers.get("Host", "")):
        return None
    return HTTPStatus.FORBIDDEN


def _same_host(origin: str, host: str) -> bool:
    try:
        ours = urlsplit(f"//{host}").hostname
        return ours is not None and urlsplit(origin).hostname == ours
    except ValueError:
        return False


class Door:
    """Checks opening messages. Every refusal carries the close code the socket ends with."""

    def __init__(self, tickets: Tickets, spent: SpentTickets, admission: Admission) -> None:
        self._tickets = tickets
        self._spent = spent
        self._admission = admission

    def read(self, room: str, message: Message) -> Entry:
        """What ``hello`` or ``resume`` shows for ``room``; nothing is used up yet. Raises Refusal."""
        entry = self._entry(message)
        if entry.claims.room != room:
            raise Refusal(ErrorCode.NOT_ALLOWED, "The ticket is for another room.", close=CloseCode.BAD_TICKET)
        return entry

    async def admit(self, entry: Entry) -> None:
        """Use the token, and ask whether its holder may still enter. Raises Refusal."""
        token = entry.token
        if isinstance(token, Resumption):
            self._tickets.rotate(token)
        elif not await self._asked(self._spent.spend(token.number, token.expires), entry.claims):
            raise Refusal(ErrorCode.AUTH_TICKET_USED, close=CloseCode.TICKET_STALE)
        if not await self._asked(self._admission.admitted(entry.claims), entry.claims):
            raise Refusal(ErrorCode.AUTH_REVOKED, close=CloseCode.REMOVED)

    def _entry(self, message: Message) -> Entry:
        if message.kind is ClientKind.HELLO:
            return Entry(self._tickets.read(message.body.ticket))
        if message.kind is ClientKind.RESUME:
            token = self._tickets.read_resume(message.body.resume_token)
            # A history that the token does not stem from cannot be continued, whatever the client says.
            epoch = message.body.epoch if message.body.epoch == token.epoch else ""
            return Entry(token, token.visit, (epoch, message.body.seq))
        raise Refusal(ErrorCode.BAD_STATE, "Say hello or resume first.", close=CloseCode.PROTOCOL)

    async def _asked(self, answer: Awaitable[bool], claims: Claims) -> bool:
        try:
            return await answer
        except Exception as error:
            log.exception("admission to a room cannot be asked", extra={"room": claims.room})
            raise Refusal(ErrorCode.UNAVAILABLE, close=CloseCode.UNAVAILABLE) from error
