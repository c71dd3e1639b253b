"""Two signalling processes on one PostgreSQL: where a room is, and what is left when its process dies."""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from foundation.clock import utc_now
from foundation.database import open_database
from signaling.tickets import Tickets
from telemed.tables import Base
from tests.integration.signaling.conftest import Guest
from tests.unit.signaling.fakes import SECRET, claims_of

ROOT = Path(__file__).parents[3]
# SQLite is one process by design.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class Node:
    def __init__(self, process, port):
        self.process = process
        self.sockets = []
        self.url = f"ws://127.0.0.1:{port}/rooms/R1"

    async def guest(self):
        socket = await connect(self.url, ping_interval=None, close_timeout=0.2, max_size=None)
        self.sockets.append(socket)
        return Guest(socket)

    def signal(self, number):
        os.kill(self.process.pid, number)


@pytest.fixture
async def nodes(database_url):
    database = open_database(database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await database.close()
    started = []
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.signaling.node",
            database_url,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        started.append(process)
    nodes = [Node(process, int(await process.stdout.readline())) for process in started]
    yield nodes
    for socket in [socket for node in nodes for socket in node.sockets]:
        await socket.close()
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
def tickets():
    return Tickets(SECRET, utc_now)


def ticket(tickets, person):
    return tickets.issue(claims_of(person, session_ends_at=utc_now() + timedelta(hours=1)))


async def resumed_somewhere(node, greeting, seq):
    """Come back as the page does: again and again until a process takes one in."""
    async with asyncio.timeout(20):
        while True:
            guest = await node.guest()
            body = {"resume_token": greeting["resume_token"], "epoch": greeting["snapshot"]["epoch"], "seq": seq}
            await guest.send("resume", body)
            message = await guest.read()
            if message["k"] == "welcome":
                guest.greeting = message["b"]
                return guest
            assert message["k"] in {"redirect", "err"}, message
            await asyncio.sleep(0.1)


async def test_the_other_process_says_where_the_room_is_and_the_ticket_is_still_good(nodes, tickets):
    first, second = nodes
    await (await first.guest()).hello(ticket(tickets, "ann"))
    asking, token = await second.guest(), ticket(tickets, "bo")
    await asking.send("hello", {"ticket": token})
    code, [message] = await asking.closed()
    assert (code, message["k"], message["b"]["url"]) == (4002, "redirect", first.url)
    assert (await (await first.guest()).hello(token))["me"] == "bo"
    again = await first.guest()
    await again.send("hello", {"ticket": token})
    assert (await again.closed())[0] == 4014


async def test_a_killed_process_loses_no_event_that_anybody_was_told_of(nodes, tickets):
    first, second = nodes
    ann = await first.guest()
    greeting = await ann.hello(ticket(tickets, "ann"))
    told = 0
    for n in range(300):
        await ann.send("chat.send", {"text": str(n)}, f"c{n}")
    while told < 100:
        message = await ann.read()
        told = message.get("seq", told)
    first.signal(signal.SIGKILL)
    back = await resumed_somewhere(second, greeting, seq=told)
    assert (back.greeting["recovered"], back.greeting["snapshot"]["epoch"]) == (True, greeting["snapshot"]["epoch"])
    seen = [event["seq"] for event in back.greeting["events"]]
    assert seen == list(range(told + 1, back.greeting["snapshot"]["seq"] + 1))
    for n in range(300):
        await back.send("chat.send", {"text": str(n)}, f"c{n}")
    answers = {}
    while len(answers) < 300:
        message = await back.read()
        if "re" in message:
            answers[message["re"]] = message["k"]
    assert set(answers.values()) == {"ok"}
    other = await second.guest()
    snapshot = (await other.hello(ticket(tickets, "bo")))["snapshot"]
    assert sorted(int(line["b"]["text"]) for line in snapshot["chat"]) == list(range(300)), "each exactly once"


async def test_a_paused_process_cannot_write_any_more_and_sends_its_people_on(nodes, tickets):
    first, second = nodes
    ann = await first.guest()
    greeting = await ann.hello(ticket(tickets, "ann"))
    await ann.do("chat.send", {"text": "before"})
    first.signal(signal.SIGSTOP)
    back = await resumed_somewhere(second, greeting, seq=1)
    await ann.socket.send(json.dumps({"v": 1, "k": "chat.send", "id": "late", "b": {"text": "too late"}}))
    first.signal(signal.SIGCONT)
    code, came = await ann.closed()
    assert code == 4011
    assert [message["k"] for message in came if message["k"] == "chat.sent"] == []
    await back.do("chat.send", {"text": "after"}, "c-after")
    other = await second.guest()
    snapshot = (await other.hello(ticket(tickets, "bo")))["snapshot"]
    assert [line["b"]["text"] for line in snapshot["chat"]] == ["before", "after"]
