"""The API's plumbing: one table of routes, and what happens to every request before and after its handler.

A feature's ``routes.py`` returns :class:`Route` rows. There is no way to mount a handler without saying who may call
it, so a forgotten permission is a construction error and not an open door. The same rows make the OpenAPI document.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec
from aiohttp import web

from foundation.errors import Forbidden, Invalid, Unauthenticated, UnsupportedMedia
from telemed.access import Person, Role

B = TypeVar("B")

COOKIE: Final = "telemed_session"
# Of what is read whole, which is JSON: STOW bodies are streamed and limited part by part.
BODY_LIMIT_BYTES: Final = 1 << 20
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Audience(StrEnum):
    """Who may call a route, beside a set of roles."""

    ANYONE = "anyone"


DOCTORS: Final = frozenset({Role.DOCTOR})
ADMINISTRATORS: Final = frozenset({Role.ADMINISTRATOR})
SIGNED_IN: Final = frozenset(Role)


class CrossSite(Forbidden):
    code, title = "csrf.cross_site", "The request did not come from this site's own pages"


@dataclass(frozen=True, slots=True)
class Call(Generic[B]):
    """One authenticated, decoded request as a handler sees it."""

    request: web.Request
    person: Person | None
    body: B
    query: Any = None

    @property
    def who(self) -> Person:
        """The signed-in person; only routes open to anyone may lack one."""
        if self.person is None:
            raise Unauthenticated()
        return self.person

    def path(self, name: str) -> str:
        return self.request.match_info[name]

    @property
    def address(self) -> str:
        """The peer's address, for the audit trail."""
        return self.request.remote or ""


Handler = Callable[[Call[Any]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API.

    allow: roles, or Audience.ANYONE. body, reply: msgspec structs (reply None: 204, or a handler that answers with a
    ``web.StreamResponse`` itself, as PDFs and event streams do; ``media`` then names its content type).
    query: a msgspec struct whose fields are the query parameters; ``Call.query`` is then such a struct.
    """

    method: str
    path: str
    handler: Handler
    allow: frozenset[Role] | Audience
    summary: str
    body: Any = None
    reply: Any = None
    status: int = 200
    query: Any = None
    media: str = "application/json"

    def __post_init__(self) -> None:
        if not self.allow:
            raise ValueError(f"{self.method} {self.path}: say who may call it")


class Authenticator(Protocol):
    """Knows the person behind a session cookie."""

    async def person(self, request: web.Request) -> Person | None: ...


def mount(app: web.Application, routes: Iterable[Route], authenticator: Authenticator) -> None:
    for route in routes:
        app.router.add_route(route.method, route.path, _endpoint(route, authenticator))


def _endpoint(route: Route, authenticator: Authenticator) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def endpoint(request: web.Request) -> web.StreamResponse:
        person = await authenticator.person(request)
        refuse_cross_site(request)
        _check_allowed(route, person)
        _refuse_nul(request)
        body = await _decoded(request, route.body)
        query = _queried(request, route.query)
        return _encoded(route, await route.handler(Call(request, person, body, query)))

    return endpoint


def refuse_cross_site(request: web.Request) -> None:
    """An unsafe request must carry the ``Origin`` of this very site: browsers always send it and pages cannot forge it.

    Source: OWASP CSRF prevention, "verifying origin with standard headers"; the cookie is SameSite as well.
    """
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin", "")
    if origin.partition("://")[2] != request.host:
        raise CrossSite("Send the request from the site's own pages; programs use an API key on /dicom-web.")


def _check_allowed(route: Route, person: Person | None) -> None:
    if route.allow is Audience.ANYONE:
        return
    if person is None:
        raise Unauthenticated()
    if person.role not in route.allow:
        raise Forbidden()


def _refuse_nul(request: web.Request) -> None:
    # PostgreSQL keeps no NUL in text, so none may come as far as a query.
    if "\0" in request.path or "\0" in request.query_string:
        raise Invalid("Leave out the NUL character.")


async def _decoded(request: web.Request, shape: Any) -> Any:
    if shape is None:
        return None
    if request.content_type != "application/json":
        raise UnsupportedMedia("Send the body as application/json.")
    raw = await request.read()
    if b"\\u0000" in raw:
        raise Invalid("Leave out the NUL character.")
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"The JSON body does not fit: {error}") from error


def _queried(request: web.Request, shape: Any) -> Any:
    if shape is None:
        return None
    try:
        return msgspec.convert(dict(request.query), shape, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"The query parameters do not fit: {error}") from error


def _encoded(route: Route, reply: object) -> web.StreamResponse:
    if isinstance(reply, web.StreamResponse):
        return reply
    if reply is None:
        return web.Response(status=204, headers={"Cache-Control": "no-store"})
    return web.Response(
        status=route.status,
        body=msgspec.json.encode(reply),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
