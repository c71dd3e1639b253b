"""The whole platform as the server runs it, for tests that ask something of every route it has."""

from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from telemed.access import Role
from telemed.people.model import Hospital, NewUser
from telemed.people.passwords import Passwords
from telemed.platform import Platform, open_platform
from telemed.settings import Settings
from tests.telemed_people import CHEAP, PASSWORD, browser, sign_in

# Fills any parameter of any address: a ULID, a UID and a number are made of digits.
FILLER = "1"


@dataclass(frozen=True)
class Door:
    """One method of one address, with every parameter filled in."""

    method: str
    pattern: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.pattern}"


def doors(app: web.Application, **parameters: str) -> list[Door]:
    """Every route of the router, its parameters filled in. HEAD answers as GET does and is left out."""
    found = []
    for route in app.router.routes():
        info = route.resource.get_info() if route.resource else {}
        pattern = info.get("path") or info.get("formatter")
        if pattern and route.method != "HEAD":
            path = pattern if "path" in info else pattern.format_map(Filled(parameters))
            found.append(Door(route.method, pattern, path))
    return found


class Filled(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return FILLER


@pytest.fixture
async def platform(tmp_path):
    settings = Settings(data=tmp_path, port=0, signaling_port=0, workers=1)
    async with open_platform(settings, passwords=Passwords(CHEAP)) as platform:
        await platform.people.add_hospital(None, Hospital("WZ01", "示范医院", "温州"))
        await platform.people.add_user(None, NewUser("wang", "王医生", PASSWORD, Role.DOCTOR, "WZ01"))
        await platform.people.add_user(None, NewUser("admin", "管理员", PASSWORD, Role.ADMINISTRATOR))
        yield platform


@pytest.fixture
async def client(platform: Platform):
    """A browser without a session."""
    server = TestServer(platform.app)
    await server.start_server()
    client = browser(server)
    yield client
    await client.close()


@pytest.fixture
async def signed_in(client):
    """username → a browser signed in as that person."""
    opened: list[TestClient] = []

    async def sign(username: str) -> TestClient:
        other = browser(client.server)
        opened.append(other)
        await sign_in(other, username)
        return other

    yield sign
    for other in opened:
        await other.session.close()


async def reaches(app: web.Application, door: Door) -> bool:
    """Does the filled address lead to the very route it was made from?"""
    match = await app.router.resolve(make_mocked_request(door.method, door.path))
    resource = match.route.resource
    return resource is not None and resource.canonical == door.pattern
