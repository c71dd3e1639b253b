"""Stand-ins for what surrounds a room: a clock one can move, a journal and an admission in memory."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import msgspec

from signaling.codes import CloseCode
from signaling.limits import Limits, Timers
from signaling.messages import encode
from signaling.room import Arrival, Room
from signaling.state import Close, Send
from signaling.tickets import Claims

START = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SECRET = b"0123456789abcdef0123456789abcdef"
ALL_GRANTS = frozenset({"present", "mark", "chat", "point", "media"})

MARK = {
    "id": "m1",
    "kind": "length",
    "study": "S1",
    "series_instance_uid": "1.2.3",
    "sop_instance_uid": "1.2.3.4",
    "frame": 1,
    "points": [[1.5, 2.0], [30.0, 40.25]],
    "text": "12 mm",
    "color": "#ffcc00",
}
VIEW = {
    "study": "S1",
    "series_instance_uid": "1.2.3",
    "sop_instance_uid": "1.2.3.4",
    "frame": 7,
    "window_center": -600.0,
    "window_width": 1500.0,
    "zoom": 1.0,
    "pan": [0.0, 0.0],
    "rotation": 0.0,
    "flip_h": False,
    "flip_v": False,
    "invert": False,
}
POINTER = {"study": "S1", "sop_instance_uid": "1.2.3.4", "frame": 1, "x": 10.0, "y": 20.0}


class MovableClock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, ms: float) -> datetime:
        self.now += timedelta(milliseconds=ms)
        return self.now


class MemoryJournal:
    """Keeps what a journal must keep, the way it must: encoded, in order, refusing a second event of the same place."""

    def __init__(self) -> None:
        self.rooms = defaultdict(list)
        self.failing = False
        self.keeps_although_failing = False
        self.unreadable = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = asyncio.Event()
        self.appended = asyncio.Event()

    async def load(self, room):
        if self.unreadable:
            raise OSError("the disk is gone")
        return list(self.rooms[room])

    async def append(self, room, events):
        self.waiting.set()
        await self.gate.wait()
        if self.failing and not self.keeps_although_failing:
            raise OSError("the disk is full")
        assert [event.seq for event in events] == [len(self.rooms[room]) + 1 + n for n in range(len(events))]
        self.rooms[room] += msgspec.json.decode(msgspec.json.encode(events), type=list[type(events[0])])
        self.appended.set()
        if self.failing:
            raise OSError("the answer was lost")


class MemoryAdmission:
    def __init__(self) -> None:
        self.refused = set()
        self.failing = False

    async def admitted(self, claims):
        if self.failing:
            raise OSError("nobody answers")
        return claims.person not in self.refused


def claims_of(person, room="R1", grants=ALL_GRANTS, **other) -> Claims:
    facts = {
        "name": f"Dr {person}",
        "title": "chief physician",
        "hospital": "WZ01",
        "role": "requester",
        "session_ends_at": START + timedelta(hours=4),
    }
    return Claims(room=room, person=person, grants=frozenset(grants), **(facts | other))


def new_room(events=(), limits=None, timers=None, epoch="E1") -> Room:
    return Room("R1", events, epoch, limits or Limits(), timers or Timers())


def arrival(person, link=None, visit=None, since=None, **claims) -> Arrival:
    link = link or f"link-{person}"
    return Arrival(claims_of(person, **claims), link, visit or link, f"token-{link}", since)


def plain(message):
    """A server message as a client reads it."""
    return msgspec.json.decode(encode(message))


def sent_to(outputs, link):
    return [plain(output.message) for output in outputs if isinstance(output, Send) and link in output.links]


def closes(outputs) -> dict[str, CloseCode]:
    return {output.link: output.code for output in outputs if isinstance(output, Close)}
