"""What people in a room experience, over real sockets."""

import asyncio
import http.client
import json
import logging
from dataclasses import replace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from signaling.commands import COMMANDS, Command
from signaling.limits import Limits, Timers
from signaling.messages import ClientKind
from signaling.server import SignalingServer
from signaling.tickets import Tickets
from tests.integration.signaling.conftest import TIMERS
from tests.unit.signaling.fakes import MARK, SECRET, VIEW


async def test_two_doctors_talk_look_and_mark(clinic):
    ann, bo = await clinic.joined("ann"), await clinic.joined("bo")
    assert (await ann.until("participant"))["b"]["name"] == "Dr bo"
    await ann.do("control.request")
    await ann.do("chat.send", {"text": "看左肺上叶"})
    assert (await bo.until("chat.sent"))["b"]["text"] == "看左肺上叶"
    await ann.send("view.set", VIEW)
    assert (await bo.until("view"))["b"] == VIEW
    await bo.do("mark.add", {"mark": MARK})
    assert (await ann.until("mark.added"))["b"]["mark"]["author"] == "bo"


async def test_who_comes_late_sees_the_present_state(clinic):
    ann = await clinic.joined("ann")
    await ann.do("control.request", command_id="c1")
    await ann.do("mark.add", {"mark": MARK}, command_id="c2")
    await ann.do("view.set", VIEW, command_id="c3")
    snapshot = (await clinic.joined("bo")).greeting["snapshot"]
    assert (snapshot["presenter"], snapshot["marks"][0]["id"], snapshot["seq"]) == ("ann", "m1", 2)
    assert snapshot["state"]["view"]["b"] == VIEW


async def test_an_abrupt_cut_loses_neither_chat_nor_marks(clinic):
    ann, bo = await clinic.joined("ann"), await clinic.joined("bo")
    await ann.do("chat.send", {"text": "before"}, "c1")
    assert (await bo.until("chat.sent"))["seq"] == 1
    bo.cut()
    assert (await ann.until("participant"))["b"]["state"] == "reconnecting"
    await ann.do("chat.send", {"text": "meanwhile"}, "c2")
    await ann.do("mark.add", {"mark": MARK}, "c3")
    back = await clinic.guest()
    greeting = await back.resume(bo.greeting, seq=1)
    assert greeting["recovered"] is True
    assert [event["k"] for event in greeting["events"]] == ["chat.sent", "mark.added"]
    assert (await ann.until("participant"))["b"]["state"] == "online"


async def test_a_command_whose_answer_was_lost_is_not_done_twice(clinic):
    ann = await clinic.joined("ann")
    await ann.send("chat.send", {"text": "once"}, "c1")
    await clinic.journal.appended.wait()
    ann.cut()
    back = await clinic.guest()
    await back.resume(ann.greeting, seq=0)
    assert (await back.do("chat.send", {"text": "once"}, "c1"))[-1]["k"] == "ok"
    assert len(clinic.journal.rooms["R1"]) == 1


async def test_a_restarted_server_goes_on_where_the_journal_ends(anew):
    async with anew.open():
        ann = await anew.joined("ann")
        await ann.do("chat.send", {"text": "kept"}, "c1")
        greeting = ann.greeting
    anew.tickets = Tickets(SECRET, anew.clock)
    async with anew.open():
        back = await anew.guest()
        again = await back.resume(greeting, seq=0)
        assert (again["recovered"], [event["b"]["text"] for event in again["events"]]) == (True, ["kept"])
        assert (await back.do("chat.send", {"text": "kept"}, "c1"))[-1]["k"] == "ok"
        assert len(anew.journal.rooms["R1"]) == 1


async def test_a_server_that_ends_gives_its_rooms_back(anew, caplog):
    async with anew.open():
        await anew.joined("ann")
    assert anew.leases.released == {"R1"}
    assert "cannot be released" not in caplog.text


async def test_a_room_that_was_lost_to_another_process_sends_everybody_on(clinic):
    ann = await clinic.joined("ann")
    clinic.leases.lost.add("R1")
    await clinic.server.renew()
    assert (await ann.closed())[0] == 4011
    clinic.leases.others["R1"] = "ws://b"
    back = await clinic.guest()
    await back.send("hello", {"ticket": clinic.ticket("ann")})
    code, [message] = await back.closed()
    assert (code, message["b"]["url"]) == (4002, "ws://b/rooms/R1")


async def test_whoever_may_not_be_there_any_more_is_taken_out_although_nothing_was_said(clinic):
    ann, bo = await clinic.joined("ann"), await clinic.joined("bo")
    clinic.admission.refused.add("bo")
    await clinic.server.readmit()
    assert (await bo.closed())[0] == 4503
    assert (await ann.do("chat.send", {"text": "still here"}))[-1]["k"] == "ok"


async def test_rooms_hear_nothing_of_each_other(clinic):
    ann, bo = await clinic.joined("ann", "R1"), await clinic.joined("bo", "R2")
    await ann.do("chat.send", {"text": "in R1"})
    assert [message["k"] for message in await bo.do("control.release")] == ["err"]
    assert clinic.server.rooms == {"R1", "R2"}


# The door


async def refused(clinic, kind, body, room="R1"):
    guest = await clinic.guest(room)
    await guest.send(kind, body)
    code, came = await guest.closed()
    return code, came[-1]["b"]["code"]


async def test_an_expired_ticket_asks_for_another(clinic):
    ticket = clinic.ticket("ann")
    clinic.clock.forward(300_000)
    assert await refused(clinic, "hello", {"ticket": ticket}) == (4014, "AUTH_TICKET_EXPIRED")


async def test_a_replayed_ticket_opens_nothing(clinic):
    ticket = clinic.ticket("ann")
    await (await clinic.guest()).hello(ticket)
    assert await refused(clinic, "hello", {"ticket": ticket}) == (4014, "AUTH_TICKET_USED")


async def test_a_forged_ticket_and_one_of_another_room_are_bad(clinic):
    assert await refused(clinic, "hello", {"ticket": "forged"}) == (4501, "NOT_ALLOWED")
    assert await refused(clinic, "hello", {"ticket": clinic.ticket("ann")}, room="R2") == (4501, "NOT_ALLOWED")


async def test_a_message_out_of_turn_is_a_protocol_violation(clinic):
    assert await refused(clinic, "chat.send", {"text": "first!"}) == (4511, "BAD_STATE")


async def test_garbage_instead_of_hello_is_a_protocol_violation(clinic):
    guest = await clinic.guest()
    await guest.socket.send("GET / HTTP/1.0")
    assert (await guest.closed())[0] == 4511


async def test_whoever_says_nothing_is_let_go(anew):
    async with anew.open(timers=Timers(hello_ms=10)):
        assert (await (await anew.guest()).closed())[0] == 4012


async def test_a_full_room_asks_to_come_back(anew):
    async with anew.open(limits=Limits(participants=1)):
        await anew.joined("ann")
        assert await refused(anew, "hello", {"ticket": anew.ticket("bo")}) == (4013, "ROOM_FULL")


async def test_a_room_whose_journal_cannot_be_read_asks_to_come_back(clinic):
    clinic.journal.unreadable = True
    assert await refused(clinic, "hello", {"ticket": clinic.ticket("ann")}) == (4011, "UNAVAILABLE")
    clinic.journal.unreadable = False
    assert (await clinic.joined("ann")).greeting["me"] == "ann"


async def test_a_newer_tab_replaces_the_older_which_cannot_come_back(clinic):
    old = await clinic.joined("ann")
    await clinic.joined("ann")
    assert (await old.closed())[0] == 4509
    body = {"resume_token": old.greeting["resume_token"], "epoch": old.greeting["snapshot"]["epoch"], "seq": 0}
    assert await refused(clinic, "resume", body) == (4509, "AUTH_TICKET_USED")


async def test_a_removed_person_stays_out_until_a_new_ticket(clinic):
    ann = await clinic.joined("ann")
    unused = clinic.ticket("ann")
    clinic.server.remove("R1", "ann")
    assert (await ann.closed())[0] == 4503
    body = {"resume_token": ann.greeting["resume_token"], "epoch": "E", "seq": 0}
    assert await refused(clinic, "resume", body) == (4503, "AUTH_REVOKED")
    assert await refused(clinic, "hello", {"ticket": unused}) == (4503, "AUTH_REVOKED")
    clinic.clock.forward(1)
    assert (await clinic.joined("ann")).greeting["me"] == "ann"


async def test_whoever_is_not_admitted_any_more_cannot_resume(clinic):
    ann = await clinic.joined("ann")
    clinic.admission.refused.add("ann")
    ann.cut()
    body = {"resume_token": ann.greeting["resume_token"], "epoch": "E", "seq": 0}
    assert await refused(clinic, "resume", body) == (4503, "AUTH_REVOKED")


async def test_a_closed_room_sends_everybody_away_and_stays_closed(clinic):
    ann = await clinic.joined("ann")
    unused = clinic.ticket("bo")
    clinic.server.close_room("R1", "completed")
    assert (await ann.closed())[0] == 4504
    assert await refused(clinic, "hello", {"ticket": unused}) == (4504, "CLOSED")


async def test_a_notice_reaches_the_room(clinic):
    ann = await clinic.joined("ann")
    clinic.server.notice("R1", "findings", "F1")
    clinic.server.notice("nowhere", "findings", "F1")
    assert (await ann.until("notice"))["b"] == {"topic": "findings", "id": "F1"}


# Bad input


@pytest.mark.parametrize("frame", ["{", "[1,2]", b"\xff\xfe", '{"v":1,"k":"chat.send","b":{"text":7}}', "null"])
async def test_malformed_json_is_answered_and_the_conversation_goes_on(clinic, frame):
    ann = await clinic.joined("ann")
    await ann.socket.send(frame)
    assert (await ann.until("err"))["b"]["code"] == "INVALID"
    assert (await ann.do("chat.send", {"text": "still here"}))[-1]["k"] == "ok"


async def test_an_unknown_command_is_unsupported(clinic):
    ann = await clinic.joined("ann")
    assert (await ann.do("robot.move"))[-1]["b"]["code"] == "UNSUPPORTED"


async def test_a_frame_over_the_limit_is_refused_and_a_huge_one_ends_the_socket(clinic):
    ann = await clinic.joined("ann")
    await ann.send("chat.send", {"text": "x" * (65 << 10)})
    assert (await ann.until("err"))["b"]["code"] == "TOO_LARGE"
    await ann.send("chat.send", {"text": "x" * (257 << 10)})
    assert (await ann.closed())[0] == 1009


async def test_a_stream_of_garbage_ends_its_own_socket_only(clinic):
    ann, bo = await clinic.joined("ann"), await clinic.joined("bo")
    for _ in range(30):
        await bo.socket.send("garbage")
    assert (await bo.closed())[0] == 4511
    assert (await ann.do("chat.send", {"text": "still here"}))[-1]["k"] == "ok"


async def test_a_fault_of_ours_ends_one_socket_and_is_logged(clinic, monkeypatch, caplog):
    ann, bo = await clinic.joined("ann"), await clinic.joined("bo")

    def broken(turn):
        raise ZeroDivisionError("ours")

    monkeypatch.setitem(COMMANDS, ClientKind.MEDIA_SET, Command(broken, "media"))
    with caplog.at_level(logging.ERROR):
        await bo.send("media.set", {"audio": True, "video": True, "screen": True})
        assert (await bo.closed())[0] == 4011
    assert "a conversation failed" in caplog.text
    assert (await ann.do("chat.send", {"text": "still here"}))[-1]["k"] == "ok"


# Slow readers


async def stalled(clinic, person):
    """A client whose program has stopped reading: the kernel's buffers fill up and nothing else happens."""
    guest = await clinic.joined(person)
    guest.socket.transport.pause_reading()
    return guest


async def test_a_reader_that_stops_is_cut_and_never_delays_the_others(anew):
    limits = Limits(command_burst=1e9, outbox_frames=64, outbox_bytes=256 << 10, chat_characters=60_000)
    async with anew.open(limits=limits):
        ann, bo = await anew.joined("ann"), await anew.joined("bo")
        await stalled(anew, "cy")
        for n in range(400):
            sent = await ann.do("chat.send", {"text": "x" * 50_000}, f"c{n}")
            assert (await bo.until("chat.sent"))["seq"] == n + 1
            cy = [m["b"] for m in sent if m["k"] == "participant" and m["key"] == "participant:cy"]
            if cy and cy[0]["state"] == "reconnecting":
                break
        assert cy[0]["state"] == "reconnecting"
        [host] = anew.server._hosts.values()
        assert host.peers == 2


async def test_a_cut_reader_resumes_without_a_gap(anew):
    limits = Limits(command_burst=1e9, outbox_frames=8, chat_characters=60_000)
    async with anew.open(limits=limits, timers=replace(TIMERS, close_ms=5_000)):
        ann, cy = await anew.joined("ann"), await stalled(anew, "cy")
        [host] = anew.server._hosts.values()
        sent = 0
        while host.peers == 2:
            sent += 1
            await ann.do("chat.send", {"text": "x" * 50_000}, f"c{sent}")
        cy.socket.transport.resume_reading()
        code, came = await cy.closed()
        assert code == 4008
        reached = [m["seq"] for m in came if "seq" in m]
        assert reached == list(range(1, sent - 8)), "what waited in line is not sent to a peer that is cut"
        greeting = await (await anew.guest()).resume(cy.greeting, seq=reached[-1])
        assert greeting["recovered"] is True
        assert [event["seq"] for event in greeting["events"]] == list(range(sent - 8, sent + 1))


async def test_a_stalled_reader_does_not_hold_up_the_end_of_the_server(anew):
    limits = Limits(command_burst=1e9, chat_characters=60_000, outbox_frames=10_000, outbox_bytes=1 << 30)
    async with asyncio.timeout(10):
        async with anew.open(limits=limits):
            ann = await anew.joined("ann")
            await stalled(anew, "cy")
            for n in range(200):
                await ann.do("chat.send", {"text": "x" * 50_000}, f"c{n}")
    assert anew.server.rooms == frozenset()


# Time


async def test_a_silent_socket_is_given_up_and_its_seat_kept_for_a_while(clinic):
    ann, bo = await clinic.joined("ann"), await clinic.joined("bo")
    told = []
    for _ in range(17):
        clinic.clock.forward(5000)
        clinic.server.tick()
        told += await ann.do("pointer.hide")
    code, came = await bo.closed()
    assert (code, [m["k"] for m in came if m["k"] != "pointer"]) == (4012, ["ping", "ping", "ping"])
    states = [m["b"] and m["b"]["state"] for m in told if m.get("key") == "participant:bo"]
    assert states == ["online", "reconnecting", None]


async def test_a_room_nobody_is_in_leaves_memory_and_comes_back_from_the_journal(clinic):
    ann = await clinic.joined("ann")
    await ann.do("chat.send", {"text": "kept"}, "c1")
    await ann.send("bye")
    assert (await ann.closed())[0] == 1000
    await clinic.server.sweep()
    assert clinic.server.rooms == frozenset()
    again = await clinic.joined("bo")
    assert [line["b"]["text"] for line in again.greeting["snapshot"]["chat"]] == ["kept"]


async def test_a_failing_tick_of_one_room_leaves_the_others_ticking(clinic, monkeypatch, caplog):
    await clinic.joined("ann", "R1")
    bo = await clinic.joined("bo", "R2")
    monkeypatch.setattr(clinic.server._hosts["R1"], "tick", lambda: 1 / 0)
    clinic.clock.forward(5000)
    clinic.server.tick()
    assert (await bo.until("ping"))["k"] == "ping"
    assert "a room's tick failed" in caplog.text


async def test_the_server_ticks_by_itself(anew):
    async with anew.open(timers=Timers(tick_ms=1, ping_ms=0)):
        ann = await anew.joined("ann")
        assert (await ann.until("ping"))["b"]["t"] == int(anew.clock().timestamp() * 1000)


async def test_a_draining_server_tells_each_when_to_come_back(clinic):
    guests = [await clinic.joined(who, room) for who, room in [("ann", "R1"), ("bo", "R1"), ("cy", "R2")]]
    clinic.server.drain()
    waits = []
    for guest in guests:
        code, came = await guest.closed()
        assert code == 4001
        waits.append(next(m["b"]["after_ms"] for m in came if m["k"] == "drain"))
    assert len(set(waits)) == 3
    assert max(waits) < TIMERS.drain_spread_ms
    assert await refused(clinic, "hello", {"ticket": clinic.ticket("dee")}) == (4001, "UNAVAILABLE")


# HTTP


def fetched(port, path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, body


async def test_health_is_told_without_a_socket(clinic):
    assert await asyncio.to_thread(fetched, clinic.server.port, "/healthz", {}) == (200, b"OK\n")
    clinic.server.drain()
    assert (await asyncio.to_thread(fetched, clinic.server.port, "/healthz", {}))[0] == 503


async def test_a_page_of_another_site_gets_no_socket(clinic):
    with pytest.raises(InvalidStatus) as caught:
        await connect(clinic.url(), origin="https://evil.example")
    assert caught.value.response.status_code == 403


async def test_a_page_of_this_host_gets_a_socket(clinic):
    guest = await clinic.guest(origin="http://127.0.0.1:8080")
    assert (await guest.hello(clinic.ticket("ann")))["me"] == "ann"


async def test_frames_are_not_compressed(clinic):
    guest = await clinic.guest()
    assert guest.socket.protocol.extensions == []


async def test_the_port_is_known_only_while_listening(anew):
    idle = SignalingServer("127.0.0.1", 0, **anew.needs)
    with pytest.raises(RuntimeError, match="does not listen"):
        _ = idle.port


async def test_a_greeting_can_be_larger_than_what_may_wait(anew):
    async with anew.open(limits=Limits(outbox_bytes=2000)):
        ann = await anew.joined("ann")
        for n in range(20):
            await ann.do("mark.add", {"mark": MARK | {"id": f"m{n}"}}, f"c{n}")
        bo = await anew.joined("bo")
        assert len(json.dumps(bo.greeting)) > 2000
