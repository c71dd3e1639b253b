"""Who is asking: a person behind a session cookie, or a hospital's software behind a key.

An AI job's token is neither: it opens the review hook's own door and nothing here.
"""

from typing import Final

from aiohttp import web

from foundation.errors import Unauthenticated
from telemed.access import HospitalSystem, Person
from telemed.people.keys import ApiKeys
from telemed.people.sessions import LoginSession, Sessions
from telemed.web import COOKIE, refuse_cross_site

LOGIN: Final = web.RequestKey("login", LoginSession)


class Identity:
    """The platform's ``telemed.web.Authenticator``; the guard asks :meth:`who` for requests outside the API."""

    def __init__(self, sessions: Sessions, keys: ApiKeys) -> None:
        self._sessions = sessions
        self._keys = keys

    async def person(self, request: web.Request) -> Person | None:
        """The person whose session cookie this is; the living session is then under ``request[LOGIN]``."""
        token = request.cookies.get(COOKIE)
        login = await self._sessions.find(token) if token else None
        if login is None:
            return None
        request[LOGIN] = login
        return login.person

    async def who(self, request: web.Request) -> Person | HospitalSystem:
        """Raises Unauthenticated; a wrong key is not made good by a cookie. Raises CrossSite for forged requests."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme:
            if scheme.lower() != "bearer":
                raise Unauthenticated()
            return await self._bearer(token.strip())
        person = await self.person(request)
        if person is None:
            raise Unauthenticated()
        refuse_cross_site(request)
        return person

    async def _bearer(self, token: str) -> HospitalSystem:
        caller = await self._keys.find(token)
        if caller is None:
            raise Unauthenticated("The key is unknown or revoked.")
        return caller
