"""Stand-ins for what surrounds a room: a clock one can move, a journal and an admission in memory."""

import asyncio
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import msgspec

from signaling.codes import CloseCode
from signaling.guard import Elsewhere, Fenced, Lease
from signaling.limits import Limits, Timers
from signaling.messages import decode, encode
from signaling.room import Room
from signaling.seating import Arrival
from signaling.state import Close, Send
from signaling.tickets import Claims

START = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SECRET = b"0123456789abcdef0123456789abcdef"
ALL_GRANTS = frozenset({"present", "mark", "chat", "point", "media", "note", "record", "host"})

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
VIDEO_MARK = {
    "id": "v1",
    "kind": "freehand",
    "of": "bo",
    "track": "field",
    "frame_time": 8123.5,
    "points": [[0.25, 0.5], [0.75, 0.5]],
    "frozen": "f1",
    "ttl_ms": 0,
    "text": "",
    "color": "#ffcc00",
}
CONSENT = {"purposes": ["media", "record"], "version": "2026-1", "sha256": "0" * 64}

# What an honest client may send, by kind; a kind that is not here has an empty body.
HONEST = {
    "hello": {"ticket": "t"},
    "resume": {"resume_token": "t", "epoch": "E1", "seq": 0},
    "pong": {"t": 1.5, "seq": 3, "hidden": True},
    "chat.send": {"text": "看左肺"},
    "mark.add": {"mark": MARK},
    "mark.edit": {"mark": MARK},
    "mark.remove": {"id": "m1"},
    "video_mark.add": {"mark": VIDEO_MARK},
    "marks.lock": {"locked": True, "reason": "delay"},
    "view.set": VIEW,
    "control.grant": {"to": "bo"},
    "follow.set": {"following": False},
    "pointer.move": POINTER,
    "state.set": {"key": "layout", "value": {"columns": 2}},
    "entry.set": {"key": "session/list", "value": [1, "二"]},
    "lobby.admit": {"person": "bo"},
    "lobby.return": {"person": "bo"},
    "lobby.remove": {"person": "bo", "reason": "left"},
    "grants.set": {"person": "bo", "grants": ["chat"]},
    "scope.set": {"scope": "bed-2"},
    "consent.give": CONSENT,
    "consent.withdraw": {"purpose": "record"},
    "record.set": {"state": "on"},
    "media.mode": {"mode": "sfu"},
    "media.set": {"audio": True, "video": False, "screen": True, "tracks": []},
    "quality.report": {"links": [{"peer": "bo", "rtt_ms": 20.5, "loss": 0.01, "kbps": 900}]},
    "signal": {"to": "bo", "description": {"type": "offer", "sdp": "v=0"}, "candidate": None},
}


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
        self.newest_fence = 0
        self.transactions = []
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

    async def append(self, lease, events):
        room = lease.room
        self.waiting.set()
        await self.gate.wait()
        if lease.fence < self.newest_fence:
            raise Fenced(room)
        self.transactions.append(len(events))
        if self.failing and not self.keeps_although_failing:
            raise OSError("the disk is full")
        assert [event.seq for event in events] == [len(self.rooms[room]) + 1 + n for n in range(len(events))]
        self.rooms[room] += msgspec.json.decode(msgspec.json.encode(events), type=list[type(events[0])])
        self.appended.set()
        if self.failing:
            raise OSError("the answer was lost")


class MemoryLeases:
    """One process that always has what it asks for, unless a test says otherwise."""

    def __init__(self) -> None:
        self.fences = Counter()
        self.others = {}
        self.released = set()
        self.lost = set()

    async def take(self, room, node, url):
        if room in self.others:
            raise Elsewhere(self.others[room])
        self.fences[room] += 1
        return Lease(room, self.fences[room], datetime.max.replace(tzinfo=UTC))

    async def elsewhere(self, room, node):
        return self.others.get(room)

    async def renew(self, node, leases):
        return [lease for lease in leases if lease.room not in self.lost]

    async def release(self, node, leases):
        self.released |= {lease.room for lease in leases}


class MemorySpent:
    def __init__(self) -> None:
        self.numbers = set()

    async def spend(self, number, expires):
        new = number not in self.numbers
        self.numbers.add(number)
        return new


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


def arrival(person, link=None, visit=None, since=None, issued_at=START, **claims) -> Arrival:
    link = link or f"link-{person}"
    return Arrival(claims_of(person, **claims), link, visit or link, f"token-{link}", since, issued_at)


def plain(message):
    """A server message as a client reads it."""
    return msgspec.json.decode(encode(message))


def sent_to(outputs, link):
    return [plain(output.message) for output in outputs if isinstance(output, Send) and link in output.links]


def closes(outputs) -> dict[str, CloseCode]:
    return {output.link: output.code for output in outputs if isinstance(output, Close)}


class Table:
    """A room with people in it; say() returns what each of them was sent."""

    def __init__(self, *people, limits=None, **grants):
        self.room = new_room(limits=limits)
        self.people = people
        self.count = 0
        for who in people:
            self.room.join(arrival(who, **({"grants": grants[who]} if who in grants else {})), START)

    def say(self, who, kind, body=None, command_id="auto", scope=""):
        self.count += 1
        given = {"id": f"c{self.count}" if command_id == "auto" else command_id} if command_id else {}
        frame = json.dumps({"v": 1, "k": kind, "b": body or {}, "scope": scope} | given).encode()
        proposal = self.room.handle(f"link-{who}", decode(frame, 1 << 20), START)
        outputs = list(proposal.outputs)
        if proposal.events:
            outputs += self.room.commit(proposal)
        self.closed = closes(outputs)
        return {person: sent_to(outputs, f"link-{person}") for person in self.people}

    def enter(self, who, **claims):
        """What each was sent when ``who`` came, or came anew."""
        self.people = (*self.people, who) if who not in self.people else self.people
        outputs = self.room.join(arrival(who, **claims), START)
        return {person: sent_to(outputs, f"link-{person}") for person in self.people}

    def refusal(self, who, kind, body=None, scope=""):
        return next(m["b"]["code"] for m in self.say(who, kind, body, scope=scope)[who] if m["k"] == "err")
