"""Random interleavings of commands, repeats, lost links, lost frames and a failing journal: every client that applied
what it was sent ends up with the server's state, and no command happens twice."""

import json
from collections import deque
from random import Random

import pytest

from signaling.commands import is_durable
from signaling.limits import Limits
from signaling.messages import Message, decode, encode
from signaling.outbox import Outbox
from signaling.state import Close
from tests.unit.signaling.fakes import CONSENT, MARK, VIEW, MovableClock, arrival, new_room, plain

PEOPLE = ["ann", "bo", "cy"]
# Small on purpose, so that the interesting edges are near: gaps longer than the ring, coalesced views, full outboxes.
LIMITS = Limits(ring_events=6, stream_burst=2, outbox_frames=12, command_burst=1e9, signal_burst=1e9)


class Client:
    """What docs/protocol.md tells a client to do, and nothing more."""

    def __init__(self, me):
        self.me = me
        self.link = None
        self.visit = None
        self.since = None
        self.state = None
        self.waiting = False
        self.unanswered = {}
        self.to_server = deque()
        self.happened = []

    def send(self, kind, body, command_id=None):
        message = {"v": 1, "k": kind, "b": body, "scope": self.state["scope"] if self.state else ""}
        message |= {"id": command_id} if command_id else {}
        if command_id:
            self.unanswered[command_id] = message
        self.to_server.append(message)

    def show(self, view):
        """A presenter moves the picture: shown here at once, told to the others."""
        self.state["view"] = view
        self.send("view.set", view)

    def apply(self, message):
        kind, body = message["k"], message.get("b")
        if "seq" in message:
            assert message["seq"] == self.since[1] + 1, "a durable event was lost, repeated or out of order"
            self.since = (message["epoch"], message["seq"])
        getattr(self, "on_" + kind.replace(".", "_"))(message, body)

    def on_welcome(self, message, body):
        snapshot = body["snapshot"]
        if not body["recovered"]:
            self.state = {"chat": snapshot["chat"], "marks": {mark["id"]: mark for mark in snapshot["marks"]}}
            self.state["entries"] = {entry["key"]: entry["value"] for entry in snapshot["entries"]}
            self.since = (snapshot["epoch"], snapshot["seq"])
        self.state["presenter"] = None
        for event in body["events"]:
            self.apply(event)
        self.to_server.clear()
        self.waiting = body["waiting"]
        self.state["participants"] = {who["id"]: who for who in snapshot["participants"]}
        self.state["view"] = snapshot["state"].get("view", {}).get("b")
        for part in ("presenter", "scope", "media_mode", "consents"):
            self.state[part] = snapshot[part]
        self.state["recording"] = snapshot["recording"] is not None
        self.state["locked"] = snapshot["marks_locked"] is not None
        assert self.since == (snapshot["epoch"], snapshot["seq"])
        self.to_server.extend(self.unanswered.values())
        if self.state["presenter"] == self.me and not self.waiting:
            self.show(self.state["view"] or VIEW)

    def on_marks_locked(self, message, body):
        self.state["locked"] = body["locked"]

    def on_record_changed(self, message, body):
        self.state["recording"] = body["state"] != "off"

    def on_entry_changed(self, message, body):
        self.state["entries"][body["key"]] = body["value"]

    def on_consent_given(self, message, body):
        given = {
            name: {"version": body["version"], "sha256": body["sha256"], "at": message["at"]}
            for name in body["purposes"]
        }
        self.state.setdefault("consents", {}).setdefault(message["from"], {}).update(given)

    def on_consent_withdrawn(self, message, body):
        self.state.setdefault("consents", {}).setdefault(message["from"], {}).pop(body["purpose"], None)

    def on_lobby_admitted(self, message, body):
        pass

    on_lobby_returned = on_lobby_admitted

    def on_chat_sent(self, message, body):
        self.state["chat"] = (self.state["chat"] + [message])[-LIMITS.chat_messages :]

    def on_mark_added(self, message, body):
        self.state["marks"][body["mark"]["id"]] = body["mark"]

    on_mark_edited = on_mark_added

    def on_mark_removed(self, message, body):
        self.state["marks"].pop(body["id"], None)

    def on_control_requested(self, message, body):
        pass

    def on_control_changed(self, message, body):
        self.state["presenter"] = body["presenter"]
        if body["presenter"] == self.me:
            self.show(self.state.get("view") or VIEW)

    def on_participant(self, message, body):
        who = message["key"].removeprefix("participant:")
        if body is None:
            self.state["participants"].pop(who, None)
        else:
            self.state["participants"][who] = body

    def on_view(self, message, body):
        self.state["view"] = body

    def on_pointer(self, message, body):
        pass

    def on_ping(self, message, body):
        self.send("pong", {"t": body["t"], "seq": self.since[1]})

    def on_ok(self, message, body):
        if self.unanswered.pop(message["re"], None) is not None:
            self.happened.append(message["re"])

    def on_err(self, message, body):
        if not body["temporary"]:
            self.unanswered.pop(message.get("re"), None)


class World:
    """Three people, the network between them and the server, and whatever may happen to it. Every choice is drawn."""

    def __init__(self, seed):
        self.draw = Random(seed)
        self.clock = MovableClock()
        self.room = new_room(limits=LIMITS)
        self.journal = []
        self.clients = {who: Client(who) for who in PEOPLE}
        self.outboxes = {}
        self.counter = 0
        self.restarts = 0
        for client in self.clients.values():
            self.enter(client)
            self.deliver_at_most(client.me, 1)

    def next_id(self):
        self.counter += 1
        return f"c{self.counter}"

    def distribute(self, outputs):
        due = deque(outputs)
        while due:
            output = due.popleft()
            if isinstance(output, Close):
                self.cut(output.link)
                continue
            frame = encode(output.message)
            for link in output.links:
                if link in self.outboxes and not self.outboxes[link].put(frame, output.slot):
                    self.cut(link)
                    due.extend(self.room.leave(link, self.clock.now))

    def cut(self, link):
        """The socket is gone with everything in flight in both directions."""
        self.outboxes.pop(link, None)
        for client in self.clients.values():
            if client.link == link:
                client.link = None
                client.to_server.clear()

    def enter(self, client, visit=None):
        client.link = self.next_id()
        client.visit = visit or client.link
        client.to_server.clear()
        self.outboxes[client.link] = Outbox(LIMITS)
        coming = arrival(client.me, client.link, client.visit, client.since if visit else None)
        self.distribute(self.room.join(coming, self.clock.now))

    def opens_the_page(self, who):
        client = self.clients[who]
        if client.link:
            self.loses_the_link(who)
        client.since, client.state = None, None
        self.enter(client)

    def loses_the_link(self, who):
        link = self.clients[who].link
        if link:
            self.cut(link)
            self.distribute(self.room.leave(link, self.clock.now))

    def resumes(self, who):
        client = self.clients[who]
        if client.link is None and client.since is not None:
            self.enter(client, visit=client.visit)

    def talking(self, who):
        client = self.clients[who]
        return client if client.link and client.state is not None else None

    def chats(self, who):
        if client := self.talking(who):
            name = self.next_id()
            client.send("chat.send", {"text": f"says {name}"}, name)
            if self.draw.random() < 0.3:
                client.to_server.append(client.unanswered[name])

    def marks(self, who):
        deed = self.draw.choice(["mark.add", "mark.edit", "mark.remove"])
        mark, x = self.draw.choice(["m1", "m2", "m3"]), self.draw.randrange(10)
        if client := self.talking(who):
            body = {"id": mark} if deed == "mark.remove" else {"mark": MARK | {"id": mark, "points": [[x, x]]}}
            client.send(deed, body, self.next_id())

    def passes_control(self, who):
        deed = self.draw.choice(["control.request", "control.request", "control.release", "control.grant"])
        to = self.draw.choice(PEOPLE)
        if client := self.talking(who):
            client.send(deed, {"to": to} if deed == "control.grant" else {}, self.next_id())

    def looks(self, who):
        client = self.talking(who)
        if client and client.state["presenter"] == who and not client.waiting:
            for _ in range(self.draw.randrange(1, 5)):
                client.show(VIEW | {"frame": self.draw.randrange(1, 99)})

    def gives_control_away_and_moves_on(self, who):
        """What the client shows as shared after its control has ended on the way."""
        client = self.talking(who)
        if client and client.state["presenter"] == who and not client.waiting:
            client.send("control.release", {}, self.next_id())
            client.show(VIEW | {"frame": self.draw.randrange(1, 99)})

    def hosts(self, who):
        """Somebody is let in or sent out, the room turns to another patient, things are written down."""
        kind, body = self.draw.choice(
            [
                ("lobby.admit", {"person": self.draw.choice(PEOPLE)}),
                ("lobby.admit", {"person": self.draw.choice(PEOPLE)}),
                ("lobby.return", {"person": self.draw.choice(PEOPLE)}),
                ("scope.set", {"scope": self.draw.choice(["", "bed-1", "bed-2"])}),
                ("entry.set", {"key": self.draw.choice(["session/list", "note"]), "value": self.draw.randrange(9)}),
                ("consent.give", CONSENT),
                ("consent.withdraw", {"purpose": "record"}),
                ("record.set", {"state": self.draw.choice(["on", "off", "off"])}),
                ("marks.lock", {"locked": self.draw.random() < 0.3}),
            ]
        )
        if client := self.talking(who):
            client.send(kind, body, self.next_id())

    def server_reads_together(self, who):
        """What has gathered from everybody while the journal was writing is one transaction."""
        ahead, proposals = self.room.ahead(), []
        for client in self.clients.values():
            while client.link and client.to_server and is_durable(client.to_server[0]["k"]):
                read = decode(json.dumps(client.to_server.popleft()).encode(), LIMITS.frame_bytes)
                proposal = self.room.handle(client.link, read, self.clock.now, ahead)
                self.distribute(proposal.outputs)
                proposals.append(proposal)
        if self.draw.random() < 0.2:
            self.distribute(self.room.abandon(*proposals))
            return
        self.journal += [event for proposal in proposals for event in proposal.events]
        self.distribute(self.room.commit(*proposals))

    def switches_media(self, who):
        if client := self.talking(who):
            client.send(
                "media.set", {"audio": self.draw.random() < 0.5, "video": False, "screen": False}, self.next_id()
            )

    def server_reads(self, who):
        self.read_at_most(who, self.draw.randrange(1, 6), journal_fails=self.draw.random() < 0.1)

    def read_at_most(self, who, most, journal_fails=False):
        client = self.clients[who]
        for _ in range(most):
            if client.link and client.to_server:
                self.serve(client, client.to_server.popleft(), journal_fails)

    def serve(self, client, message, journal_fails):
        read = decode(json.dumps(message).encode(), LIMITS.frame_bytes)
        assert isinstance(read, Message)
        proposal = self.room.handle(client.link, read, self.clock.now)
        self.distribute(proposal.outputs)
        if not proposal.events:
            return
        if journal_fails:
            self.distribute(self.room.abandon(proposal))
            return
        self.journal += proposal.events
        self.distribute(self.room.commit(proposal))

    def client_reads(self, who):
        self.deliver_at_most(who, self.draw.randrange(1, 12))

    def deliver_at_most(self, who, most):
        client = self.clients[who]
        for _ in range(most):
            outbox = self.outboxes.get(client.link)
            frame = outbox.take_now() if outbox else None
            if frame is not None:
                client.apply(json.loads(frame))

    def time_passes(self, who):
        self.clock.forward(self.draw.choice([100, 1_000, 1_000, 70_000]))
        self.distribute(self.room.flush())
        self.distribute(self.room.tick(self.clock.now))

    def the_process_restarts(self, who):
        """Memory is lost, the journal is not."""
        self.restarts += 1
        for client in self.clients.values():
            if client.link:
                self.cut(client.link)
        self.room = new_room(self.journal, limits=LIMITS, epoch=f"E{self.restarts + 1}")

    def come_to_rest(self):
        for client in self.clients.values():
            if client.link is None and client.since is not None:
                self.enter(client, visit=client.visit)
        rounds = 0
        while self.anything_in_flight():
            rounds += 1
            assert rounds < 500, "the room never comes to rest"
            for who, client in self.clients.items():
                self.read_at_most(who, 2)
                self.deliver_at_most(who, 99)
                if client.link is None and client.since is not None:
                    self.enter(client, visit=client.visit)
            self.distribute(self.room.flush())

    def anything_in_flight(self):
        waiting = any(client.to_server for client in self.clients.values() if client.link)
        return waiting or self.room.holding_back or any(box._frames for box in self.outboxes.values())

    def truth(self, who):
        state = self.room._state
        seat = state.seats[who]
        snapshot = plain(state.outside(seat) if seat.waiting else self.room.snapshot())
        return {
            "chat": snapshot["chat"],
            "marks": {mark["id"]: mark for mark in snapshot["marks"]},
            "entries": {entry["key"]: entry["value"] for entry in snapshot["entries"]},
            "participants": {who["id"]: who for who in snapshot["participants"]},
            "view": snapshot["state"].get("view", {}).get("b"),
            "recording": snapshot["recording"] is not None,
            "locked": snapshot["marks_locked"] is not None,
            **{part: snapshot[part] for part in ("presenter", "scope", "media_mode", "consents")},
        }

    def compare(self):
        for who, client in self.clients.items():
            if client.link:
                # As long as nothing is shared, everybody looks at what they like.
                truth = self.truth(who)
                shown = truth["view"] and client.state["view"]
                assert client.state | {"view": shown} == truth
        commands = [event.command_id for event in self.journal]
        commands = [command for command in commands if command is not None]
        assert len(commands) == len(set(commands)), "a command happened twice"

    def live(self, steps):
        deeds, weights = zip(*WEIGHTS.items(), strict=True)
        for deed in self.draw.choices(deeds, weights, k=steps):
            getattr(self, deed)(self.draw.choice(PEOPLE))


WEIGHTS = {
    "server_reads": 12,
    "client_reads": 8,
    "chats": 4,
    "marks": 4,
    "passes_control": 3,
    "looks": 4,
    "gives_control_away_and_moves_on": 1,
    "switches_media": 1,
    "hosts": 3,
    "server_reads_together": 3,
    "time_passes": 2,
    "loses_the_link": 1.5,
    "resumes": 3,
    "opens_the_page": 0.5,
    "the_process_restarts": 0.2,
}


@pytest.mark.parametrize("seed", range(100))
def test_everybody_who_applied_what_was_sent_has_the_servers_state(seed):
    world = World(seed)
    for _ in range(8):
        world.live(steps=60)
        world.come_to_rest()
        world.compare()
