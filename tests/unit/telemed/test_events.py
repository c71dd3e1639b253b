import asyncio
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from foundation.problem import problems
from telemed.access import Person, Role
from telemed.events import ANYTHING, PENDING_MAX, Change, Events, EventStream, Topic, encoded, routes
from telemed.web import COOKIE, mount

CHEN = Person("chen", Role.DOCTOR, "WZ01")
LI = Person("li", Role.DOCTOR, "SH01")
ADMINISTRATOR = Person("admin", Role.ADMINISTRATOR, None)
PEOPLE = {person.user_id: person for person in (CHEN, LI, ADMINISTRATOR)}


async def test_a_change_reaches_the_hospitals_and_users_it_is_for():
    events = Events()
    chen, li, administrator = (events.subscribe(person) for person in (CHEN, LI, ADMINISTRATOR))
    events.publish(Topic.CONSULTATIONS, "c1", hospitals={"WZ01"}, users={"admin"})
    assert not chen.idle
    assert not administrator.idle
    assert li.idle


async def test_a_person_without_hospital_hears_nothing_meant_for_hospitals():
    events = Events()
    administrator = events.subscribe(ADMINISTRATOR)
    events.publish(Topic.STUDIES, "s1", hospitals={"WZ01"})
    assert administrator.idle


async def test_repetitions_merge_and_keep_their_order():
    subscription = Events().subscribe(CHEN)
    for number in (1, 2, 1, 3, 2):
        subscription.put(Change(Topic.STUDIES, f"s{number}"))
    changes = subscription.changes()
    assert [(await anext(changes)).id for _ in range(3)] == ["s1", "s2", "s3"]
    assert subscription.idle


async def test_a_page_too_far_behind_is_told_to_fetch_the_whole_topic():
    subscription = Events().subscribe(CHEN)
    subscription.put(Change(Topic.FINDINGS, "f"))
    for number in range(PENDING_MAX + 50):
        subscription.put(Change(Topic.STUDIES, f"s{number}"))
    changes = subscription.changes()
    told = {await anext(changes) for _ in range(2)}
    assert told == {Change(Topic.FINDINGS, ANYTHING), Change(Topic.STUDIES, ANYTHING)}
    assert subscription.idle


async def test_quiet_times_are_told_as_heartbeats():
    changes = Events().subscribe(CHEN).changes(heartbeat_s=0.001)
    assert [await anext(changes), await anext(changes)] == [None, None]


async def test_closing_ends_every_stream_also_one_that_comes_later():
    events = Events()
    waiting = asyncio.ensure_future(anext(events.subscribe(CHEN).changes()))
    await asyncio.sleep(0)
    events.close()
    with pytest.raises(StopAsyncIteration):
        await waiting
    with pytest.raises(StopAsyncIteration):
        await anext(events.subscribe(CHEN).changes())


def test_a_message_is_one_event_with_json():
    name, data, *rest = encoded(Change(Topic.CONSULTATIONS, "c1")).decode().split("\n")
    assert (name, rest) == ("event: changed", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == {"topic": "consultations", "id": "c1"}


class ByCookie:
    async def person(self, request):
        return PEOPLE.get(request.cookies.get(COOKIE, ""))


class Watched(EventStream):
    """Tells when a stream has ended."""

    def __init__(self, events, **times):
        super().__init__(events, **times)
        self.ended = asyncio.Event()

    async def serve(self, call):
        try:
            return await super().serve(call)
        finally:
            self.ended.set()


@pytest.fixture
def events():
    return Events()


@pytest.fixture
async def listen(events, client_of):
    async def listen(**times):
        stream = Watched(events, **times)
        app = web.Application()
        mount(app, routes(stream), ByCookie())
        client = await client_of(app)
        response = await client.get("/api/v1/events", cookies={COOKIE: "chen"})
        return stream, response

    return listen


@pytest.fixture
async def client_of():
    clients = []

    async def make(app):
        client = TestClient(TestServer(app))
        clients.append(client)
        await client.start_server()
        return client

    yield make
    for client in clients:
        await client.close()


async def test_the_stream_tells_changes_and_beats_when_quiet(events, listen):
    _, response = await listen(heartbeat_s=0.01)
    assert (response.content_type, response.headers["Cache-Control"]) == ("text/event-stream", "no-store")
    assert await response.content.readuntil(b"\n\n") == b"retry: 2000\n\n"
    assert await response.content.readuntil(b"\n\n") == b":\n\n"
    events.publish(Topic.STUDIES, "s1", hospitals={"WZ01"})
    told = b":\n\n"
    while told == b":\n\n":
        told = await response.content.readuntil(b"\n\n")
    assert told == encoded(Change(Topic.STUDIES, "s1"))


async def test_a_page_that_vanishes_leaves_nothing_behind(events, listen):
    stream, response = await listen(heartbeat_s=0.01)
    assert events.subscriber_count == 1
    response.close()
    await stream.ended.wait()
    assert events.subscriber_count == 0


async def test_shutting_down_ends_the_stream_cleanly(events, listen):
    _, response = await listen()
    events.close()
    assert await response.content.read() == b"retry: 2000\n\n"
    assert events.subscriber_count == 0


async def test_a_stream_ends_after_its_time_so_that_the_session_is_checked_anew(events, listen):
    _, response = await listen(lifetime_s=0.01)
    assert await response.content.read() == b"retry: 2000\n\n"
    assert events.subscriber_count == 0


async def test_nobody_listens_without_signing_in(events, client_of):
    app = web.Application(middlewares=[problems])
    mount(app, routes(EventStream(events)), ByCookie())
    reply = await (await client_of(app)).get("/api/v1/events")
    assert reply.status == 401
