"""What changed, told live to the pages of those who may know it: in-process publish and subscribe, and the SSE route.

A message says only "look at this again" (topic, id), so losing the order or merging repetitions loses nothing, and a
page that was away catches up by fetching. Nothing of a patient passes through here.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from enum import StrEnum
from typing import Final

import msgspec
from aiohttp import web

from telemed.access import Person
from telemed.web import SIGNED_IN, Call, Route

HEARTBEAT_S: Final = 15.0
# After this the browser's EventSource connects anew, and with it the login session is checked anew.
STREAM_LIFETIME_S: Final = 3600.0
RETRY_MS: Final = 2000
# Different things a subscriber may be behind with; beyond it hears "anything of this topic".
PENDING_MAX: Final = 256
ANYTHING: Final = "*"


class Topic(StrEnum):
    CONSULTATIONS = "consultations"
    STUDIES = "studies"
    FINDINGS = "findings"


class Change(msgspec.Struct, frozen=True):
    """One thing to fetch again. id: ours, or "*" when so much changed that the whole list is to be fetched."""

    topic: Topic
    id: str


class Subscription:
    """What one page has not been told yet: every change once, in the order in which it first happened."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self._pending: dict[Change, None] = {}
        self._wake = asyncio.Event()
        self._closed = False

    @property
    def idle(self) -> bool:
        """Is there nothing left to tell?"""
        return not self._pending

    def put(self, change: Change) -> None:
        """Never waits and never drops: repetitions merge, and too many become "anything of this topic"."""
        if Change(change.topic, ANYTHING) not in self._pending:
            self._pending[change] = None
        if len(self._pending) > PENDING_MAX:
            self._pending = {Change(known.topic, ANYTHING): None for known in self._pending}
        self._wake.set()

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    async def changes(self, heartbeat_s: float = HEARTBEAT_S) -> AsyncGenerator[Change | None, None]:
        """Changes as they come, None after every quiet ``heartbeat_s``; ends when closed."""
        while not self._closed:
            try:
                async with asyncio.timeout(heartbeat_s):
                    await self._wake.wait()
            except TimeoutError:
                yield None
                continue
            self._wake.clear()
            pending, self._pending = self._pending, {}
            for change in pending:
                yield change


class Events:
    """Publishers call :meth:`publish` after their commit; every open page holds a :class:`Subscription`."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def subscriber_count(self) -> int:
        return len(self._subscriptions)

    def publish(
        self, topic: Topic, thing_id: str, *, hospitals: Collection[str] = (), users: Collection[str] = ()
    ) -> None:
        """Tell the pages of everybody of ``hospitals`` (codes) and of ``users`` (ids); nobody else hears it."""
        change = Change(topic, thing_id)
        for subscription in self._subscriptions:
            person = subscription.person
            if person.hospital in hospitals or person.user_id in users:
                subscription.put(change)

    def subscribe(self, person: Person) -> Subscription:
        subscription = Subscription(person)
        self._subscriptions.add(subscription)
        if self._closed:
            subscription.close()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End every stream: call it when the server begins to shut down, for it waits for open requests."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()


class EventStream:
    """The SSE route. Times can be shortened for tests."""

    def __init__(
        self, events: Events, *, heartbeat_s: float = HEARTBEAT_S, lifetime_s: float = STREAM_LIFETIME_S
    ) -> None:
        self._events = events
        self._heartbeat_s = heartbeat_s
        self._lifetime_s = lifetime_s

    async def serve(self, call: Call[None]) -> web.StreamResponse:
        """Until the page leaves, the server shuts down, or the stream has lived its time."""
        subscription = self._events.subscribe(call.who)
        try:
            return await self._stream(call.request, subscription)
        finally:
            self._events.unsubscribe(subscription)

    async def _stream(self, request: web.Request, subscription: Subscription) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                # Asks proxies not to hold lines back.
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        try:
            async with asyncio.timeout(self._lifetime_s):
                await self._write(response, subscription)
        # A page that left, or a stream at its end: both are how streams end.
        except (ConnectionResetError, TimeoutError):
            pass
        return response

    async def _write(self, response: web.StreamResponse, subscription: Subscription) -> None:
        await response.write(f"retry: {RETRY_MS}\n\n".encode())
        async with aclosing(subscription.changes(self._heartbeat_s)) as changes:
            async for change in changes:
                await response.write(b":\n\n" if change is None else encoded(change))


def encoded(change: Change) -> bytes:
    """One message of the event stream (WHATWG HTML, server-sent events)."""
    return b"event: changed\ndata: " + msgspec.json.encode(change) + b"\n\n"


def routes(stream: EventStream) -> list[Route]:
    return [
        Route(
            "GET",
            "/api/v1/events",
            stream.serve,
            SIGNED_IN,
            "Hear live what changed; fetch it again. Fetch everything again when the stream opens anew.",
            media="text/event-stream",
        )
    ]
