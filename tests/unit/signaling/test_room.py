"""Who comes and goes, what is answered twice, what time brings: the room without any command of substance."""

import json
from datetime import timedelta

import pytest

from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.limits import Limits, Timers
from signaling.messages import decode
from tests.unit.signaling.fakes import POINTER, START, VIEW, MovableClock, arrival, closes, new_room, plain, sent_to


@pytest.fixture
def clock():
    return MovableClock()


def read(kind, body=None, command_id=None):
    given = {"id": command_id} if command_id else {}
    return decode(json.dumps({"v": 1, "k": kind, "b": body or {}} | given).encode(), 1 << 20)


def say(room, link, kind, body=None, command_id=None, *, now=START):
    proposal = room.handle(link, read(kind, body, command_id), now)
    return [*proposal.outputs, *(room.commit(proposal) if proposal.events else [])]


def welcome(outputs, link):
    return next(message["b"] for message in sent_to(outputs, link) if message["k"] == "welcome")


def states(room):
    return {who["id"]: who["state"] for who in plain(room.snapshot())["participants"]}


def test_a_newcomer_gets_all_and_the_others_hear_of_it():
    room = new_room()
    room.join(arrival("ann"), START)
    say(room, "link-ann", "chat.send", {"text": "hello"})
    outputs = room.join(arrival("bo"), START)
    greeting = welcome(outputs, "link-bo")
    assert (greeting["me"], greeting["room"], greeting["recovered"], greeting["events"]) == ("bo", "R1", False, [])
    assert greeting["resume_token"] == "token-link-bo"
    assert greeting["snapshot"] == plain(room.snapshot())
    assert [line["b"]["text"] for line in greeting["snapshot"]["chat"]] == ["hello"]
    assert [message["key"] for message in sent_to(outputs, "link-ann")] == ["participant:bo"]
    assert len(sent_to(outputs, "link-bo")) == 1


def test_ordinals_rise_in_the_order_of_coming():
    room = new_room()
    for who in ("ann", "bo", "cy"):
        room.join(arrival(who), START)
    assert [who.ordinal for who in room.snapshot()["participants"]] == [1, 2, 3]


def test_a_full_room_takes_nobody_but_those_who_have_a_seat():
    room = new_room(limits=Limits(participants=1))
    room.join(arrival("ann"), START)
    with pytest.raises(Refusal) as caught:
        room.join(arrival("bo"), START)
    assert (caught.value.code, caught.value.close) == (ErrorCode.ROOM_FULL, CloseCode.FULL)
    assert room.join(arrival("ann", "again"), START)


def test_the_newest_tab_of_a_person_replaces_the_older():
    room = new_room()
    room.join(arrival("ann", "old"), START)
    outputs = room.join(arrival("ann", "new"), START)
    assert closes(outputs) == {"old": CloseCode.REPLACED}
    assert say(room, "old", "chat.send", {"text": "from the old tab"}) == []
    assert room.leave("old", START) == []
    assert states(room) == {"ann": "online"}


def test_the_same_page_on_a_new_socket_keeps_its_place_and_is_not_sent_away():
    room = new_room()
    room.join(arrival("ann", "first", visit="v1"), START)
    say(room, "first", "media.set", {"audio": True, "video": True, "screen": False})
    outputs = room.join(arrival("ann", "second", visit="v1", since=("E1", 0)), START)
    assert closes(outputs) == {"first": CloseCode.NORMAL}
    [ann] = plain(room.snapshot())["participants"]
    assert (ann["ordinal"], ann["visit"], ann["audio"]) == (1, "v1", True)


def test_a_page_opened_anew_is_a_new_visit_in_the_same_place():
    room = new_room()
    room.join(arrival("ann", "first"), START)
    say(room, "first", "media.set", {"audio": True, "video": True, "screen": False})
    room.join(arrival("ann", "second"), START)
    [ann] = plain(room.snapshot())["participants"]
    assert (ann["ordinal"], ann["visit"], ann["audio"]) == (1, "second", False)


def test_a_resume_gets_exactly_what_it_missed():
    room = new_room()
    room.join(arrival("ann"), START)
    for n in range(4):
        say(room, "link-ann", "chat.send", {"text": str(n)})
    greeting = welcome(room.join(arrival("bo", since=("E1", 2)), START), "link-bo")
    assert greeting["recovered"] is True
    assert [event["seq"] for event in greeting["events"]] == [3, 4]
    assert greeting["snapshot"]["chat"] == greeting["snapshot"]["marks"] == []


@pytest.mark.parametrize("since", [("E0", 2), ("", 2), ("E1", 9), ("E1", 0)])
def test_a_resume_that_cannot_be_exact_gets_everything(since):
    room = new_room(limits=Limits(ring_events=2))
    room.join(arrival("ann"), START)
    for n in range(4):
        say(room, "link-ann", "chat.send", {"text": str(n)})
    greeting = welcome(room.join(arrival("bo", since=since), START), "link-bo")
    assert (greeting["recovered"], greeting["events"]) == (False, [])
    assert len(greeting["snapshot"]["chat"]) == 4


def test_a_lost_link_keeps_the_seat_for_a_minute(clock):
    room = new_room()
    room.join(arrival("ann"), clock())
    room.join(arrival("bo"), clock())
    [told] = sent_to(room.leave("link-bo", clock()), "link-ann")
    assert told["b"]["state"] == "reconnecting"
    for _ in range(59):
        clock.forward(1000)
        say(room, "link-ann", "pong", {"t": 0}, now=clock())
        assert not any(m.get("b", 0) is None for m in sent_to(room.tick(clock()), "link-ann"))
    clock.forward(1000)
    assert [m["b"] for m in sent_to(room.tick(clock()), "link-ann") if m["k"] == "participant"] == [None]
    assert set(states(room)) == {"ann"}


def test_a_room_is_deserted_when_the_last_seat_is_given_up(clock):
    room = new_room()
    room.join(arrival("ann"), clock())
    room.leave("link-ann", clock())
    assert not room.deserted
    clock.forward(60_000)
    room.tick(clock())
    assert room.deserted


def test_leaving_on_purpose_frees_the_seat_at_once():
    room = new_room()
    for who in ("ann", "bo"):
        room.join(arrival(who), START)
    outputs = say(room, "link-bo", "bye")
    assert closes(outputs) == {"link-bo": CloseCode.NORMAL}
    assert sent_to(outputs, "link-ann")[0]["b"] is None


def test_a_removed_person_is_closed_and_gone():
    room = new_room()
    for who in ("ann", "bo"):
        room.join(arrival(who), START)
    outputs = room.remove("bo", START)
    assert closes(outputs) == {"link-bo": CloseCode.REMOVED}
    assert sent_to(outputs, "link-ann")[0]["b"] is None
    assert room.remove("bo", START) == []


def test_closing_sends_everybody_away():
    room = new_room()
    for who in ("ann", "bo"):
        room.join(arrival(who), START)
    room.leave("link-bo", START)
    assert closes(room.close(CloseCode.ROOM_CLOSED)) == {"link-ann": CloseCode.ROOM_CLOSED}
    assert room.deserted


def test_drained_people_come_back_one_after_another():
    room = new_room()
    for who in ("ann", "bo", "cy"):
        room.join(arrival(who), START)
    outputs = room.drain(1000, 250)
    assert [sent_to(outputs, f"link-{who}")[0]["b"]["after_ms"] for who in ("ann", "bo", "cy")] == [1000, 1250, 1500]
    assert set(closes(outputs).values()) == {CloseCode.DRAIN}


# Answers


def test_a_repeated_command_is_answered_and_not_done_again():
    room = new_room()
    room.join(arrival("ann"), START)
    say(room, "link-ann", "chat.send", {"text": "once"}, "c1")
    assert sent_to(say(room, "link-ann", "chat.send", {"text": "once"}, "c1"), "link-ann") == [
        {"v": 1, "k": "ok", "re": "c1"}
    ]
    assert room.seq == 1


def test_a_repeated_refusal_is_the_same_refusal():
    room = new_room()
    room.join(arrival("ann"), START)
    first = say(room, "link-ann", "mark.remove", {"id": "m1"}, "c1")
    assert sent_to(say(room, "link-ann", "control.request", {}, "c1"), "link-ann") == sent_to(first, "link-ann")


def test_two_people_may_choose_the_same_id():
    room = new_room()
    for who in ("ann", "bo"):
        room.join(arrival(who), START)
        say(room, f"link-{who}", "chat.send", {"text": who}, "c1")
    assert room.seq == 2


def test_answers_are_remembered_up_to_a_limit():
    room = new_room(limits=Limits(remembered_commands=2))
    room.join(arrival("ann"), START)
    for command_id in ("c1", "c2", "c3", "c2"):
        say(room, "link-ann", "chat.send", {"text": "x"}, command_id)
    assert room.seq == 3
    say(room, "link-ann", "chat.send", {"text": "x"}, "c1")
    assert room.seq == 4


def test_a_command_of_before_a_restart_is_not_done_again():
    room = new_room()
    room.join(arrival("ann"), START)
    proposal = room.handle("link-ann", read("chat.send", {"text": "once"}, "c1"), START)
    room.commit(proposal)
    again = new_room(proposal.events, epoch="E2")
    again.join(arrival("ann"), START)
    say(again, "link-ann", "chat.send", {"text": "once"}, "c1")
    assert (again.seq, again.epoch) == (1, "E1")


def test_nothing_has_happened_until_the_journal_has_it():
    room = new_room()
    room.join(arrival("ann"), START)
    before = plain(room.snapshot())
    proposal = room.handle("link-ann", read("chat.send", {"text": "x"}, "c1"), START)
    assert proposal.outputs == ()
    assert plain(room.snapshot()) == before
    [answer] = sent_to(room.abandon(proposal), "link-ann")
    assert (answer["re"], answer["b"]["code"], answer["b"]["temporary"]) == ("c1", "UNAVAILABLE", True)
    assert plain(room.snapshot()) == before
    say(room, "link-ann", "chat.send", {"text": "x"}, "c1")
    assert room.seq == 1


# Pace


def test_too_many_commands_are_refused_until_time_has_passed():
    room = new_room(limits=Limits(command_burst=2, commands_per_second=1))
    room.join(arrival("ann"), START)
    for n in range(2):
        say(room, "link-ann", "chat.send", {"text": str(n)}, f"c{n}")
    [refusal] = sent_to(say(room, "link-ann", "chat.send", {"text": "2"}, "c2"), "link-ann")
    assert (refusal["b"]["code"], refusal["b"]["temporary"]) == ("RATE_LIMITED", True)
    say(room, "link-ann", "chat.send", {"text": "2"}, "c2", now=START + timedelta(seconds=1))
    assert room.seq == 3


def test_a_new_tab_has_no_new_allowance():
    room = new_room(limits=Limits(command_burst=1))
    room.join(arrival("ann", "first"), START)
    say(room, "first", "chat.send", {"text": "x"})
    room.join(arrival("ann", "second"), START)
    [refusal] = sent_to(say(room, "second", "chat.send", {"text": "x"}), "second")
    assert refusal["b"]["code"] == "RATE_LIMITED"


def test_an_excess_of_views_is_coalesced_and_the_newest_arrives():
    room = new_room(limits=Limits(stream_burst=1))
    for who in ("ann", "bo"):
        room.join(arrival(who), START)
    say(room, "link-ann", "control.request")
    frames = []
    for frame in (1, 2, 3):
        frames += sent_to(say(room, "link-ann", "view.set", VIEW | {"frame": frame}), "link-bo")
    assert [m["b"]["frame"] for m in frames] == [1]
    assert room.holding_back
    assert [m["b"]["frame"] for m in sent_to(room.flush(), "link-bo")] == [3]
    assert not room.holding_back


def test_a_view_in_pace_replaces_the_one_held_back():
    room = new_room(limits=Limits(stream_burst=1, stream_per_second=1))
    for who in ("ann", "bo"):
        room.join(arrival(who), START)
    say(room, "link-ann", "control.request")
    for frame in (1, 2):
        say(room, "link-ann", "view.set", VIEW | {"frame": frame})
    later = START + timedelta(seconds=1)
    [view] = sent_to(say(room, "link-ann", "view.set", VIEW | {"frame": 3}, now=later), "link-bo")
    assert (view["b"]["frame"], room.flush()) == (3, [])


def test_pointers_of_different_people_do_not_replace_each_other():
    room = new_room(limits=Limits(stream_burst=0))
    for who in ("ann", "bo", "cy"):
        room.join(arrival(who), START)
    for who in ("ann", "bo"):
        say(room, f"link-{who}", "pointer.move", POINTER)
    assert [m["from"] for m in sent_to(room.flush(), "link-cy")] == ["ann", "bo"]


def test_frames_nobody_can_read_are_answered_for_a_while_and_then_end_the_socket():
    room = new_room(limits=Limits(fault_burst=2))
    room.join(arrival("ann"), START)
    refusal = Refusal(ErrorCode.INVALID, re="c1")
    for _ in range(2):
        assert sent_to(room.fault("link-ann", refusal, START), "link-ann")[0]["re"] == "c1"
    assert closes(room.fault("link-ann", refusal, START)) == {"link-ann": CloseCode.PROTOCOL}
    assert room.fault("link-ann", refusal, START) == []


@pytest.mark.parametrize(
    ("kind", "body"), [("hello", {"ticket": "t"}), ("resume", {"resume_token": "t", "epoch": "E1", "seq": 0})]
)
def test_a_second_opening_is_out_of_turn(kind, body):
    room = new_room()
    room.join(arrival("ann"), START)
    [answer] = sent_to(say(room, "link-ann", kind, body, "c1"), "link-ann")
    assert (answer["re"], answer["b"]["code"]) == ("c1", "BAD_STATE")


def test_a_message_may_be_refused_unseen():
    room = new_room()
    room.join(arrival("ann"), START)
    [answer] = sent_to(room.refuse("link-ann", read("bye", command_id="c1"), ErrorCode.UNAVAILABLE), "link-ann")
    assert (answer["re"], answer["b"]["code"]) == ("c1", "UNAVAILABLE")
    assert room.refuse("nobody", read("bye"), ErrorCode.UNAVAILABLE) == []


def test_different_notices_wait_side_by_side():
    room = new_room()
    room.join(arrival("ann"), START)
    slots = {room.notice(topic, about)[0].slot for topic, about in [("findings", "1"), ("opinion", "1")]}
    assert len(slots) == 2
    assert sent_to(room.notice("findings", "1"), "link-ann") == [
        {"v": 1, "k": "notice", "b": {"topic": "findings", "id": "1"}}
    ]


# Time


def test_pings_come_at_their_interval(clock):
    room = new_room()
    room.join(arrival("ann"), clock())
    pinged = []
    for second in range(1, 11):
        outputs = room.tick(clock.forward(1000))
        pinged += [second for m in sent_to(outputs, "link-ann") if m["k"] == "ping"]
    assert pinged == [5, 10]


@pytest.mark.parametrize(("hidden", "patience_s"), [(False, 15), (True, 70)])
def test_a_silent_tab_is_given_up_after_its_time(clock, hidden, patience_s):
    room = new_room()
    room.join(arrival("ann"), clock())
    say(room, "link-ann", "pong", {"t": 0, "hidden": hidden}, now=clock())
    for _ in range(patience_s):
        assert closes(room.tick(clock.forward(1000))) == {}
    assert closes(room.tick(clock.forward(1000))) == {"link-ann": CloseCode.NO_HEARTBEAT}
    assert states(room) == {"ann": "reconnecting"}


def test_anything_said_is_a_sign_of_life(clock):
    room = new_room()
    room.join(arrival("ann"), clock())
    for _ in range(40):
        outputs = room.tick(clock.forward(1000))
        say(room, "link-ann", "pointer.hide", now=clock())
        assert closes(outputs) == {}


def test_nobody_is_blamed_for_a_silence_the_server_slept_through(clock):
    room = new_room()
    room.join(arrival("ann"), clock())
    room.tick(clock())
    assert closes(room.tick(clock.forward(3_600_000))) == {}


def test_the_end_of_the_session_asks_for_another_ticket(clock):
    room = new_room()
    room.join(arrival("ann", session_ends_at=START + timedelta(seconds=3)), clock())
    assert closes(room.tick(clock.forward(2000))) == {}
    assert closes(room.tick(clock.forward(1000))) == {"link-ann": CloseCode.TICKET_STALE}


def test_timers_and_limits_are_told_as_they_are():
    room = new_room(limits=Limits(marks=7), timers=Timers(ping_ms=1234))
    greeting = welcome(room.join(arrival("ann"), START), "link-ann")
    assert (greeting["timers"]["ping_ms"], greeting["limits"]["marks"]) == (1234, 7)
