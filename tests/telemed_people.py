"""A telemed for tests: people, keys, audit and guard on a real database, over HTTP, with a clock one can turn."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from foundation.database import Database, open_database
from foundation.problem import problems
from telemed import audit
from telemed.access import Role
from telemed.audit import Audit
from telemed.guard import PlatformGuard
from telemed.identity import Identity
from telemed.people.keys import ApiKeys
from telemed.people.model import Hospital, NewUser, User
from telemed.people.passwords import Passwords
from telemed.people.routes import routes as people_routes
from telemed.people.service import People
from telemed.people.sessions import Sessions
from telemed.tables import Base
from telemed.web import Route, mount

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "a long password"


@dataclass
class TurnableClock:
    now: datetime = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Shared:
    """Consultations' side of the guard: user id → study ids."""

    studies: dict[str, frozenset[str]] = field(default_factory=dict)

    async def shared_with(self, user_id: str) -> frozenset[str]:
        return self.studies.get(user_id, frozenset())


class Telemed:
    def __init__(self, database: Database) -> None:
        self.clock = TurnableClock()
        self.database = database
        self.audit = Audit(database, self.clock)
        passwords = Passwords(CHEAP)
        self.people = People(database, self.audit, passwords, clock=self.clock)
        self.sessions = Sessions(database, self.audit, passwords, clock=self.clock)
        self.keys = ApiKeys(database, self.audit, clock=self.clock)
        self.shared = Shared()
        self.identity = Identity(self.sessions, self.keys)
        self.guard = PlatformGuard(self.identity, self.shared, self.audit, clock=self.clock)

    def routes(self) -> list[Route]:
        return [
            *people_routes(self.sessions, self.people, self.keys, secure_cookie=False),
            *audit.routes(self.audit),
        ]

    async def client(self, routes: Iterable[Route] = (), plain: Iterable[web.RouteDef] = ()) -> TestClient:
        """A browser of its own: cookies are kept, and Origin is sent as pages do."""
        app = web.Application(middlewares=[problems])
        mount(app, [*self.routes(), *routes], self.identity)
        app.add_routes(plain)
        server = TestServer(app)
        await server.start_server()
        return browser(server)

    async def hospital(self, code: str, name: str = "示范医院", city: str = "温州") -> None:
        await self.people.add_hospital(None, Hospital(code, name, city))

    async def doctor(self, username: str, hospital: str, name: str = "王医生") -> User:
        return await self.people.add_user(None, NewUser(username, name, PASSWORD, Role.DOCTOR, hospital))

    async def administrator(self, username: str = "admin") -> User:
        return await self.people.add_user(None, NewUser(username, "管理员", PASSWORD, Role.ADMINISTRATOR))


def browser(server: TestServer) -> TestClient:
    return TestClient(server, headers={"Origin": str(server.make_url("/")).rstrip("/")})


async def sign_in(client: TestClient, username: str, password: str = PASSWORD) -> None:
    reply = await client.post("/api/v1/session", json={"username": username, "password": password})
    assert reply.status == 200, await reply.text()


async def open_telemed(url: str) -> Telemed:
    database = open_database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    return Telemed(database)
