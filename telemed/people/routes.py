"""The API's doors to people: signing in, set-up, hospitals and their keys, users, doctors."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from telemed.access import Role
from telemed.identity import LOGIN
from telemed.people.keys import ApiKeys
from telemed.people.model import (
    ApiKey,
    Code,
    Hospital,
    Label,
    Name,
    NewUser,
    Secret,
    Short,
    User,
    UserChange,
    Username,
)
from telemed.people.service import People
from telemed.people.sessions import Sessions
from telemed.web import ADMINISTRATORS, COOKIE, SIGNED_IN, Audience, Call, Route


class SignIn(Struct, forbid_unknown_fields=True):
    username: Annotated[str, Meta(max_length=256)]
    password: Secret


class SignedIn(Struct):
    user: User


class Setup(Struct, forbid_unknown_fields=True):
    token: Secret
    username: Username
    name: Name
    password: Secret


class NewHospital(Struct, forbid_unknown_fields=True):
    code: Code
    name: Name
    city: Short


class NewKey(Struct, forbid_unknown_fields=True):
    label: Label


class CreatedKey(Struct):
    """The only answer that ever holds the key itself."""

    id: str
    key: str


class Hospitals(Struct):
    items: list[Hospital]
    total: int


class Users(Struct):
    items: list[User]
    total: int


class ApiKeyList(Struct):
    items: list[ApiKey]
    total: int


class DoctorsQuery(Struct):
    hospital: str | None = None


class SessionRoutes:
    """secure_cookie: mark the cookie Secure even when the request itself came in clear, as behind a TLS proxy."""

    def __init__(self, sessions: Sessions, people: People, *, secure_cookie: bool) -> None:
        self._sessions = sessions
        self._people = people
        self._secure_cookie = secure_cookie

    def routes(self) -> list[Route]:
        path = "/api/v1/session"
        return [
            Route("POST", path, self._sign_in, Audience.ANYONE, "Sign in", body=SignIn, reply=SignedIn),
            Route("GET", path, self._show, SIGNED_IN, "Who is signed in", reply=SignedIn),
            Route("DELETE", path, self._sign_out, SIGNED_IN, "Sign out"),
            Route(
                "POST",
                "/api/v1/setup",
                self._set_up,
                Audience.ANYONE,
                "Create the first administrator with the one-time token",
                body=Setup,
                reply=SignedIn,
                status=201,
            ),
        ]

    async def _sign_in(self, call: Call[SignIn]) -> web.Response:
        old_token = call.request.cookies.get(COOKIE)
        token, user = await self._sessions.sign_in(
            call.body.username, call.body.password, address=call.address, old_token=old_token
        )
        response = web.Response(
            body=msgspec.json.encode(SignedIn(user)),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(self._sessions.rules.absolute.total_seconds()),
            path="/",
            secure=call.request.secure or self._secure_cookie,
            httponly=True,
            samesite="Strict",
        )
        return response

    async def _show(self, call: Call[None]) -> SignedIn:
        return SignedIn(call.request[LOGIN].user)

    async def _sign_out(self, call: Call[None]) -> web.Response:
        await self._sessions.sign_out(call.request.cookies[COOKIE], call.who, address=call.address)
        response = web.Response(status=204, headers={"Cache-Control": "no-store"})
        response.del_cookie(COOKIE, path="/")
        return response

    async def _set_up(self, call: Call[Setup]) -> SignedIn:
        body = call.body
        new = NewUser(username=body.username, name=body.name, password=body.password, role=Role.ADMINISTRATOR)
        return SignedIn(await self._people.redeem_setup_token(body.token, new, address=call.address))


class DirectoryRoutes:
    def __init__(self, people: People) -> None:
        self._people = people

    def routes(self) -> list[Route]:
        hospitals, users, user = "/api/v1/hospitals", "/api/v1/users", "/api/v1/users/{user_id}"
        return [
            Route("GET", hospitals, self._hospitals, SIGNED_IN, "All hospitals", reply=Hospitals),
            Route(
                "POST",
                hospitals,
                self._add_hospital,
                ADMINISTRATORS,
                "Add a hospital",
                body=NewHospital,
                reply=Hospital,
                status=201,
            ),
            Route("GET", users, self._users, ADMINISTRATORS, "All users", reply=Users),
            Route("POST", users, self._add_user, ADMINISTRATORS, "Add a user", body=NewUser, reply=User, status=201),
            Route(
                "PATCH",
                user,
                self._change_user,
                ADMINISTRATORS,
                "Disable, enable or set a password",
                body=UserChange,
                reply=User,
            ),
            Route(
                "GET",
                "/api/v1/doctors",
                self._doctors,
                SIGNED_IN,
                "Doctors one may invite",
                query=DoctorsQuery,
                reply=Users,
            ),
        ]

    async def _hospitals(self, call: Call[None]) -> Hospitals:
        items = await self._people.hospitals()
        return Hospitals(items, len(items))

    async def _add_hospital(self, call: Call[NewHospital]) -> Hospital:
        hospital = Hospital(call.body.code, call.body.name, call.body.city)
        return await self._people.add_hospital(call.who, hospital, address=call.address)

    async def _users(self, call: Call[None]) -> Users:
        return _users(await self._people.users())

    async def _add_user(self, call: Call[NewUser]) -> User:
        return await self._people.add_user(call.who, call.body, address=call.address)

    async def _change_user(self, call: Call[UserChange]) -> User:
        return await self._people.change_user(call.who, call.path("user_id"), call.body, address=call.address)

    async def _doctors(self, call: Call[None]) -> Users:
        return _users(await self._people.doctors(call.query.hospital))


class KeyRoutes:
    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    def routes(self) -> list[Route]:
        path = "/api/v1/hospitals/{code}/api-keys"
        return [
            Route("GET", path, self._listing, ADMINISTRATORS, "A hospital's API keys", reply=ApiKeyList),
            Route(
                "POST",
                path,
                self._create,
                ADMINISTRATORS,
                "Create an API key; shown once",
                body=NewKey,
                reply=CreatedKey,
                status=201,
            ),
            Route("DELETE", path + "/{key_id}", self._revoke, ADMINISTRATORS, "Revoke an API key"),
        ]

    async def _listing(self, call: Call[None]) -> ApiKeyList:
        items = await self._keys.listing(call.path("code"))
        return ApiKeyList(items, len(items))

    async def _create(self, call: Call[NewKey]) -> CreatedKey:
        key_id, key = await self._keys.create(call.who, call.path("code"), call.body.label, address=call.address)
        return CreatedKey(key_id, key)

    async def _revoke(self, call: Call[None]) -> None:
        await self._keys.revoke(call.who, call.path("code"), call.path("key_id"), address=call.address)


def routes(sessions: Sessions, people: People, keys: ApiKeys, *, secure_cookie: bool) -> list[Route]:
    return [
        *SessionRoutes(sessions, people, secure_cookie=secure_cookie).routes(),
        *DirectoryRoutes(people).routes(),
        *KeyRoutes(keys).routes(),
    ]


def _users(items: list[User]) -> Users:
    return Users(items, len(items))
