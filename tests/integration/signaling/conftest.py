"""A signalling server on a free port, its surroundings in memory, and people who talk to it over real sockets."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from signaling.limits import Limits, Timers
from signaling.server import SignalingServer
from signaling.tickets import Tickets
from tests.unit.signaling.fakes import (
    SECRET,
    MemoryAdmission,
    MemoryJournal,
    MemoryLeases,
    MemorySpent,
    MovableClock,
    claims_of,
)

PATIENCE_S = 10
# No test waits for a timer: time is moved by hand and tick() is called.
TIMERS = Timers(tick_ms=3_600_000, renew_ms=3_600_000, readmit_ms=3_600_000, close_ms=200, flush_ms=1)


class Guest:
    """One browser tab."""

    def __init__(self, socket):
        self.socket = socket
        self.greeting = None
        self.commands = 0

    async def send(self, kind, body=None, command_id=None):
        given = {"id": command_id} if command_id else {}
        await self.socket.send(json.dumps({"v": 1, "k": kind, "b": body or {}} | given))

    async def read(self):
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self.socket.recv())

    async def until(self, kind):
        while (message := await self.read())["k"] != kind:
            pass
        return message

    async def do(self, kind, body=None, command_id=None):
        """Send a command and wait for its answer; gives back what came on the way, the answer last."""
        self.commands += 1
        command_id = command_id or f"auto-{self.commands}"
        await self.send(kind, body, command_id)
        came = [await self.read()]
        while came[-1].get("re") != command_id:
            came.append(await self.read())
        return came

    async def hello(self, ticket):
        await self.send("hello", {"ticket": ticket, "features": []})
        self.greeting = (await self.until("welcome"))["b"]
        return self.greeting

    async def resume(self, greeting, seq):
        body = {"resume_token": greeting["resume_token"], "epoch": greeting["snapshot"]["epoch"], "seq": seq}
        await self.send("resume", body)
        self.greeting = (await self.until("welcome"))["b"]
        return self.greeting

    async def closed(self):
        """The code the socket was closed with, and what came before."""
        came = []
        while True:
            try:
                came.append(await self.read())
            except ConnectionClosed as end:
                return (end.rcvd.code if end.rcvd else None), came

    def cut(self):
        """The network is gone: no close frame, no goodbye."""
        self.socket.transport.abort()


class Clinic:
    """A server with what surrounds it."""

    def __init__(self):
        self.clock = MovableClock()
        self.tickets = Tickets(SECRET, self.clock)
        self.journal = MemoryJournal()
        self.leases = MemoryLeases()
        self.spent = MemorySpent()
        self.admission = MemoryAdmission()
        self.server = None
        self.stack = AsyncExitStack()

    @asynccontextmanager
    async def open(self, **settings):
        options = {"limits": Limits(), "timers": TIMERS, "clock": self.clock} | settings
        # The server ends first, while its clients are still there.
        async with self.stack, SignalingServer("127.0.0.1", 0, **self.needs, **options) as self.server:
            yield self

    @property
    def needs(self):
        return {
            "tickets": self.tickets,
            "journal": self.journal,
            "leases": self.leases,
            "spent": self.spent,
            "admission": self.admission,
        }

    def url(self, room="R1"):
        return f"ws://127.0.0.1:{self.server.port}/rooms/{room}"

    async def guest(self, room="R1", **options):
        """A tab with an open socket that has not said anything."""
        socket = await connect(self.url(room), ping_interval=None, close_timeout=0.2, max_size=None, **options)
        self.stack.push_async_callback(socket.close)
        return Guest(socket)

    async def joined(self, person, room="R1", **claims):
        guest = await self.guest(room)
        await guest.hello(self.ticket(person, room, **claims))
        return guest

    def ticket(self, person, room="R1", **claims):
        return self.tickets.issue(claims_of(person, room=room, **claims))


@pytest.fixture
def anew():
    """A clinic not yet open, for tests with settings of their own."""
    return Clinic()


@pytest.fixture
async def clinic(anew):
    async with anew.open():
        yield anew
