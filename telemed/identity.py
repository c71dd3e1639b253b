"""Who is asking: a person behind a session cookie, a hospital's software behind a key, or an AI job behind a token."""

from typing import Final, Protocol

from aiohttp import web

from foundation.errors import Unauthenticated
from imaging.guard import Access
from telemed.access import HospitalSystem, Person, ReviewJob
from telemed.people.keys import ApiKeys
from telemed.people.model import KEY_SCHEME
from telemed.people.sessions import LoginSession, Sessions
from telemed.web import COOKIE, refuse_cross_site

LOGIN: Final = web.RequestKey("login", LoginSession)


class ReviewTokens(Protocol):
    """The AI hook's side: what a job's token opens."""

    async def access_for_token(self, token: str) -> Access | None: ...


class Identity:
    """The platform's ``telemed.web.Authenticator``; the guard asks :meth:`who` for requests outside the API."""

    def __init__(self, sessions: Sessions, keys: ApiKeys, review: ReviewTokens) -> None:
        self._sessions = sessions
        self._keys = keys
        self._review = review

    async def person(self, request: web.Request) -> Person | None:
        """The person whose session cookie this is; the living session is then under ``request[LOGIN]``."""
        token = request.cookies.get(COOKIE)
        login = await self._sessions.find(token) if token else None
        if login is None:
            return None
        request[LOGIN] = login
        return login.person

    async def who(self, request: web.Request) -> Person | HospitalSystem | ReviewJob:
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

    async def _bearer(self, token: str) -> HospitalSystem | ReviewJob:
        caller = await (self._keys.find(token) if token.startswith(f"{KEY_SCHEME}_") else self._job(token))
        if caller is None:
            raise Unauthenticated("The key or token is unknown, expired or revoked.")
        return caller

    async def _job(self, token: str) -> ReviewJob | None:
        access = await self._review.access_for_token(token)
        if access is None:
            return None
        (study_id,) = access.study_ids
        return ReviewJob(access.caller, study_id)
