"""The whole platform in this process: every part real, three hospitals with their doctors, clients of every kind."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from aiohttp.test_utils import TestClient, TestServer
from pydicom import Dataset
from websockets.asyncio.client import ClientConnection, connect

from foundation.clock import Clock, utc_now
from telemed.access import Role
from telemed.people.model import Hospital, NewUser, User
from telemed.people.passwords import Passwords
from telemed.platform import Platform, open_platform
from telemed.settings import Settings
from tests.samples import to_bytes
from tests.telemed_consultations import DOCTORS, HOSPITALS, OPINION, invitation
from tests.telemed_people import CHEAP, PASSWORD, browser, sign_in

CONSULTATIONS = "/api/v1/consultations"
BOUNDARY = "MESSAGEBOUNDARY"
MULTIPART = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
ADMIN = "admin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def until(probe: Callable[[], Awaitable[Any]], seconds: float = 20.0) -> Any:
    """What ``probe`` gives once that is true; fails the test when it never is."""
    deadline = time.monotonic() + seconds
    while not (found := await probe()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {probe}"
        await asyncio.sleep(0.05)
    return found


def multipart(*instances: Dataset | bytes, part_type: str = "application/dicom") -> bytes:
    parts = (data if isinstance(data, bytes) else to_bytes(data) for data in instances)
    head = f"--{BOUNDARY}\r\nContent-Type: {part_type}\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


class Socket:
    """One WebSocket of a room, as a page holds it. greeting: the first answer to ``hello`` or ``resume``."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.greeting: dict[str, Any] = {}

    async def greet(self, kind: str, **body: object) -> Self:
        await self.send(kind, **body)
        self.greeting = await self.message()
        return self

    async def send(self, kind: str, command: str | None = None, **body: object) -> None:
        named = {} if command is None else {"id": command}
        await self.raw(json.dumps({"v": 1, "k": kind, "b": body, **named}))

    async def raw(self, frame: str) -> None:
        await self._connection.send(frame)

    async def message(self, *kinds: str) -> dict[str, Any]:
        """The next message, or the next of these kinds."""
        async with asyncio.timeout(10):
            while True:
                message = json.loads(await self._connection.recv())
                if not kinds or message["k"] in kinds:
                    return message

    async def error(self) -> str:
        return (await self.message("err"))["b"]["code"]

    async def drop(self) -> None:
        """End the link without a word, as a cut cable does."""
        self._connection.transport.abort()
        await self._connection.wait_closed()

    async def closed(self) -> int:
        """The code the server closes with."""
        async with asyncio.timeout(10):
            await self._connection.wait_closed()
        assert self._connection.close_code is not None
        return self._connection.close_code


class House:
    """Hospitals and doctors as in ``telemed_consultations``, an administrator, an API key for each hospital."""

    def __init__(self, platform: Platform, settings: Settings, server: TestServer, stack: AsyncExitStack) -> None:
        self.platform = platform
        self.settings = settings
        self.server = server
        self.users: dict[str, User] = {}
        self.keys: dict[str, str] = {}
        self.key_ids: dict[str, str] = {}
        self._stack = stack
        self._clients: dict[str, TestClient] = {}

    @property
    def base_url(self) -> str:
        return self.settings.base_url

    async def furnish(self) -> None:
        for code, name, city in HOSPITALS:
            await self.platform.people.add_hospital(None, Hospital(code, name, city))
            self.key_ids[code], self.keys[code] = await self.platform.keys.create(None, code, "PACS")
        for username, hospital, name in DOCTORS:
            new = NewUser(username, name, PASSWORD, Role.DOCTOR, hospital)
            self.users[username] = await self.platform.people.add_user(None, new)
        administrator = NewUser(ADMIN, "管理员", PASSWORD, Role.ADMINISTRATOR)
        self.users[ADMIN] = await self.platform.people.add_user(None, administrator)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.session.close()

    # Callers

    def stranger(self) -> TestClient:
        """A browser without a session."""
        return self._kept(f"stranger {len(self._clients)}", browser(self.server))

    def pacs(self, hospital: str) -> TestClient:
        """A program with the hospital's API key."""
        headers = {"Authorization": f"Bearer {self.keys[hospital]}"}
        return self._clients.get(hospital) or self._kept(hospital, TestClient(self.server, headers=headers))

    async def person(self, username: str) -> TestClient:
        """A browser in which this person is signed in."""
        if username not in self._clients:
            await sign_in(self._kept(username, browser(self.server)), username)
        return self._clients[username]

    def _kept(self, name: str, client: TestClient) -> TestClient:
        self._clients[name] = client
        return client

    # Deeds

    async def call(self, username: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and decoded JSON of a person's request."""
        reply = await (await self.person(username)).request(method, path, json=body)
        return reply.status, await reply.json() if "json" in reply.content_type else None

    async def done(self, username: str, method: str, path: str, body: object = None) -> Any:
        """The same for a request that must succeed."""
        status, answer = await self.call(username, method, path, body)
        assert status in {200, 201, 204}, answer
        return answer

    async def status(self, username: str, path: str) -> int:
        return (await self.call(username, "GET", path))[0]

    async def store(self, hospital: str, *instances: Dataset | bytes) -> dict[str, Any]:
        """Upload in one request; the study as the hospital's doctors list it."""
        headers = {"Content-Type": MULTIPART}
        reply = await self.pacs(hospital).post("/dicom-web/studies", data=multipart(*instances), headers=headers)
        assert reply.status == 200, await reply.text()
        (retrieve_url,) = (await reply.json(content_type=None))["00081190"]["Value"]
        return await self.study(hospital, retrieve_url.rsplit("/", 1)[-1])

    async def study(self, hospital: str, study_instance_uid: str) -> dict[str, Any]:
        username = next(name for name, code, _ in DOCTORS if code == hospital)
        listed = (await self.done(username, "GET", "/api/v1/studies?limit=200"))["items"]
        return next(row for row in listed if row["study_instance_uid"] == study_instance_uid)

    async def invited(self, study_id: str, **changes: object) -> str:
        """Chen of WZ01 asks SH01 about it; the address of the consultation."""
        made = await self.done("chen", "POST", CONSULTATIONS, invitation(study_id, **changes))
        return f"{CONSULTATIONS}/{made['id']}"

    async def accepted(self, study_id: str) -> str:
        """The same, accepted by Li of SH01."""
        consultation = await self.invited(study_id)
        await self.done("li", "POST", f"{consultation}/accept", {})
        return consultation

    async def signed(self, consultation: str) -> None:
        """Li writes the opinion and signs it."""
        saved = await self.done("li", "PUT", f"{consultation}/opinion", {**OPINION, "version": 0})
        signature = {"version": saved["version"], "password": PASSWORD}
        await self.done("li", "POST", f"{consultation}/opinion/sign", signature)

    async def acknowledged(self, consultation: str) -> None:
        await self.done("chen", "POST", f"{consultation}/acknowledge", {"handling": "已告知患者"})

    async def join(self, username: str, consultation: str) -> dict[str, Any]:
        """Address and ticket of the room."""
        return await self.done(username, "POST", f"{consultation}/join", {})

    async def entered(self, username: str, consultation: str) -> Socket:
        entrance = await self.join(username, consultation)
        page = await self.connected(entrance["signaling_url"])
        await page.greet("hello", ticket=entrance["ticket"])
        assert page.greeting["k"] == "welcome", page.greeting
        return page

    async def connected(self, url: str, origin: str | None = None) -> Socket:
        """A socket before its first message; closed with the platform."""
        return Socket(await self._stack.enter_async_context(connect(url, origin=origin or self.base_url)))

    async def audit(self) -> list[dict[str, Any]]:
        """Every record, oldest first."""
        return (await self.done(ADMIN, "GET", "/api/v1/audit?limit=500"))["items"][::-1]


@asynccontextmanager
async def open_house(
    folder: Path, *, clock: Clock = utc_now, furnish: bool = True, **settings: Any
) -> AsyncIterator[House]:
    """The platform on ``folder`` with these settings, listening on ports of its own."""
    # An hour of quiet: no review begins in tests that are not about it.
    given = {"signaling_port": 0, "workers": 1, "review_quiet_seconds": 3600, **settings}
    chosen = Settings(data=folder, port=free_port(), **given)
    async with AsyncExitStack() as sockets, open_platform(chosen, clock=clock, passwords=Passwords(CHEAP)) as platform:
        server = TestServer(platform.app, port=chosen.port)
        await server.start_server()
        house = House(platform, chosen, server, sockets)
        if furnish:
            await house.furnish()
        try:
            yield house
        finally:
            await house.close()
            await sockets.aclose()
            await server.close()


def uids(instances: Iterable[Dataset]) -> list[str]:
    return [str(instance.SOPInstanceUID) for instance in instances]
