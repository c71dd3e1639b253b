"""The order of proposing, journalling and telling; sockets are lists here."""

import asyncio
import json

import pytest

from signaling.codes import CloseCode, Refusal
from signaling.host import open_host
from signaling.limits import Limits, Timers
from signaling.messages import decode
from tests.unit.signaling.fakes import MARK, VIEW, MemoryJournal, MemoryLeases, MovableClock, arrival


class ListPeer:
    """Takes what a peer is sent; ``room_for`` frames fit before it counts as too slow."""

    def __init__(self, who, room_for=1000):
        self.link = f"link-{who}"
        self.room_for = room_for
        self.got = []
        self.ended = None

    def send(self, frame, slot, wire):
        if len(self.got) >= self.room_for:
            return False
        self.got.append(json.loads(frame))
        return True

    def end(self, code):
        self.ended = code

    def kinds(self):
        return [message["k"] for message in self.got]


@pytest.fixture
def journal():
    return MemoryJournal()


async def opened(journal, *people, timers=None):
    lease = await MemoryLeases().take("R1", "node", "ws://node")
    host = await open_host(lease, journal, Limits(stream_burst=1), timers or Timers(), MovableClock())
    for peer in people:
        host.enter(peer, arrival(peer.link.removeprefix("link-")))
    return host


async def said(host, peer, message):
    """Send, and wait until it has happened."""
    await host.receive(peer, message)
    await host.settled()


def message(kind, body=None, command_id=None):
    given = {"id": command_id} if command_id else {}
    return decode(json.dumps({"v": 1, "k": kind, "b": body or {}} | given).encode(), 1 << 20)


def chat(text, command_id=None):
    return message("chat.send", {"text": text}, command_id)


async def test_nobody_is_told_before_the_journal_has_it(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo")
    host = await opened(journal, ann, bo)
    journal.gate.clear()
    sending = asyncio.create_task(said(host, ann, chat("x", "c1")))
    await journal.waiting.wait()
    assert "chat.sent" not in ann.kinds() + bo.kinds()
    journal.gate.set()
    await sending
    assert (ann.kinds()[-2:], bo.kinds()[-1]) == (["chat.sent", "ok"], "chat.sent")
    assert len(journal.rooms["R1"]) == 1


async def test_commands_of_several_people_get_places_without_gaps(journal):
    peers = [ListPeer(who) for who in ("ann", "bo", "cy")]
    host = await opened(journal, *peers)
    await asyncio.gather(*(said(host, peer, chat(f"{n}")) for peer in peers for n in range(5)))
    for peer in peers:
        assert [m["seq"] for m in peer.got if "seq" in m] == list(range(1, 16))


async def test_a_failing_journal_refuses_and_leaves_the_room_as_it_was(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo")
    host = await opened(journal, ann, bo)
    journal.failing = True
    await said(host, ann, chat("lost", "c1"))
    assert ann.got[-1]["b"]["code"] == "UNAVAILABLE"
    assert host.room.seq == 0
    journal.failing = False
    await said(host, ann, chat("lost", "c1"))
    assert [m["seq"] for m in bo.got if "seq" in m] == [1]
    assert len(journal.rooms["R1"]) == 1


async def test_an_append_that_happened_although_it_failed_is_told_once(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo")
    host = await opened(journal, ann, bo)
    journal.failing = journal.keeps_although_failing = True
    await said(host, ann, chat("kept", "c1"))
    assert ann.got[-1]["b"]["code"] == "UNAVAILABLE"
    journal.failing = False
    await said(host, ann, chat("kept", "c1"))
    assert [m["b"]["text"] for m in bo.got if m["k"] == "chat.sent"] == ["kept"]
    assert ann.got[-1] == {"v": 1, "k": "ok", "re": "c1"}
    assert len(journal.rooms["R1"]) == 1


async def test_a_mark_read_back_from_the_journal_is_recognised(journal):
    ann = ListPeer("ann")
    host = await opened(journal, ann)
    journal.failing = journal.keeps_although_failing = True
    await said(host, ann, message("mark.add", {"mark": MARK}, "c1"))
    journal.failing = False
    await said(host, ann, message("mark.add", {"mark": MARK}, "c1"))
    assert (ann.kinds()[-3:], ann.ended) == (["mark.added", "ok", "ok"], None)


async def test_as_long_as_nobody_knows_what_the_journal_holds_nothing_is_added(journal):
    ann = ListPeer("ann")
    host = await opened(journal, ann)
    journal.failing = True
    await said(host, ann, chat("a", "c1"))
    journal.failing, journal.unreadable = False, True
    await said(host, ann, chat("b", "c2"))
    assert (ann.got[-1]["re"], ann.got[-1]["b"]["code"]) == ("c2", "UNAVAILABLE")
    assert journal.rooms["R1"] == []


async def test_a_journal_somebody_else_wrote_to_ends_this_copy_of_the_room(journal):
    ann = ListPeer("ann")
    host = await opened(journal, ann)
    journal.failing = True
    await said(host, ann, chat("a", "c1"))
    journal.failing = False
    other = await opened(journal, cy := ListPeer("cy"))
    await said(other, cy, chat("elsewhere"))
    await said(host, ann, chat("b", "c2"))
    assert (ann.ended, host.superseded) == (CloseCode.UNAVAILABLE, True)
    assert [event.body["text"] for event in journal.rooms["R1"]] == ["elsewhere"]


async def test_a_journal_that_hangs_counts_as_failed(journal):
    ann = ListPeer("ann")
    host = await opened(journal, ann, timers=Timers(journal_ms=10))
    journal.gate.clear()
    await said(host, ann, chat("x", "c1"))
    assert ann.got[-1]["b"]["code"] == "UNAVAILABLE"


async def test_a_socket_that_dies_while_its_command_is_journalled_loses_nothing(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo")
    host = await opened(journal, ann, bo)
    journal.gate.clear()
    sending = asyncio.create_task(said(host, ann, chat("x", "c1")))
    await journal.waiting.wait()
    sending.cancel()
    host.lost(ann)
    journal.gate.set()
    await host.settled()
    assert (bo.kinds()[-1], host.room.seq) == ("chat.sent", 1)


async def test_a_peer_without_room_is_cut_and_the_others_hear_of_it(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo", room_for=2)
    host = await opened(journal, ann, bo)
    for n in range(3):
        await said(host, ann, chat(str(n)))
    assert bo.ended is CloseCode.TOO_SLOW
    assert [m["b"]["state"] for m in ann.got if m["k"] == "participant"][-1] == "reconnecting"
    assert [m["seq"] for m in ann.got if "seq" in m] == [1, 2, 3]


async def test_a_view_held_back_is_sent_a_moment_later(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo")
    host = await opened(journal, ann, bo, timers=Timers(flush_ms=1))
    arrived = asyncio.Event()
    bo_send = bo.send
    bo.send = lambda frame, slot, wire: (b'"frame":9' in frame and arrived.set()) or bo_send(frame, slot, wire)
    await said(host, ann, message("control.request"))
    for frame in (7, 8, 9):
        await said(host, ann, message("view.set", VIEW | {"frame": frame}))
    async with asyncio.timeout(5):
        await arrived.wait()
    assert [m["b"]["frame"] for m in bo.got if m["k"] == "view"] == [7, 9]


async def test_a_room_comes_back_from_its_journal(journal):
    ann = ListPeer("ann")
    host = await opened(journal, ann)
    await said(host, ann, chat("kept"))
    await said(host, ann, message("control.request"))
    again = await opened(journal, ListPeer("bo"))
    assert again.room.snapshot()["presenter"] == "ann"
    assert (again.room.seq, again.room.epoch) == (2, host.room.epoch)


async def test_a_room_whose_journal_cannot_be_read_is_not_opened(journal):
    journal.unreadable = True
    with pytest.raises(Refusal) as caught:
        await opened(journal)
    assert caught.value.close is CloseCode.UNAVAILABLE


async def test_a_room_is_idle_when_nobody_is_left(journal):
    ann = ListPeer("ann")
    host = await opened(journal, ann)
    assert not host.idle
    await said(host, ann, message("bye"))
    assert (host.idle, ann.ended) == (True, CloseCode.NORMAL)


async def test_what_gathers_while_the_journal_writes_is_journalled_together_and_follows_from_each_other(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo")
    host = await opened(journal, ann, bo)
    journal.gate.clear()
    for n in range(3):
        await host.receive(ann, chat(str(n), f"a{n}"))
    await journal.waiting.wait()
    await host.receive(bo, message("mark.add", {"mark": MARK}, "b1"))
    await host.receive(bo, message("mark.add", {"mark": MARK}, "b2"))
    await host.receive(bo, message("mark.add", {"mark": MARK}, "b1"))
    journal.gate.set()
    await host.settled()
    assert journal.transactions == [3, 1]
    assert [m["re"] for m in ann.got if m["k"] == "ok"] == ["a0", "a1", "a2"]
    assert [(m["k"], m["re"]) for m in bo.got if "re" in m] == [("ok", "b1"), ("err", "b2")]


async def test_what_would_have_followed_from_a_lost_event_may_be_tried_again(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo")
    host = await opened(journal, ann, bo)
    journal.failing = True
    await host.receive(ann, message("mark.add", {"mark": MARK}, "a1"))
    await said(host, bo, message("mark.add", {"mark": MARK}, "b1"))
    assert [m["b"]["code"] for m in (ann.got[-1], bo.got[-1])] == ["UNAVAILABLE"] * 2
    journal.failing = False
    await said(host, bo, message("mark.add", {"mark": MARK}, "b1"))
    assert bo.got[-1] == {"v": 1, "k": "ok", "re": "b1"}


async def test_a_fast_presenter_does_not_wait_for_the_journal(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo")
    host = await opened(journal, ann, bo)
    await said(host, ann, message("control.request"))
    journal.gate.clear()
    await host.receive(bo, chat("x"))
    await host.receive(ann, message("mark.add", {"mark": MARK}))
    await host.receive(ann, message("view.set", VIEW))
    assert bo.kinds()[-1] == "view"
    journal.gate.set()
    await host.settled()


async def test_what_is_no_stream_keeps_its_place_behind_what_is_durable(journal):
    ann, bo = ListPeer("ann"), ListPeer("bo")
    host = await opened(journal, ann, bo)
    journal.gate.clear()
    await host.receive(ann, chat("first"))
    leaving = asyncio.create_task(host.receive(ann, message("bye")))
    await journal.waiting.wait()
    journal.gate.set()
    await leaving
    await host.settled()
    assert (bo.kinds()[-2:], bo.got[-1]["b"]) == (["chat.sent", "participant"], None)


async def test_a_fenced_writer_gives_its_room_up_at_once(journal):
    ann = ListPeer("ann")
    host = await opened(journal, ann)
    journal.newest_fence = 2
    await said(host, ann, chat("too late", "c1"))
    assert (ann.got[-1]["b"]["code"], ann.ended, host.superseded) == ("UNAVAILABLE", CloseCode.UNAVAILABLE, True)
    assert journal.rooms["R1"] == []
