"""Rounds: the room turns from one patient to the next, and nothing of the one is seen by the other."""

import pytest

from signaling.codes import ErrorCode
from signaling.limits import Limits
from signaling.outbox import WELCOME_SLOT, Outbox
from tests.unit.signaling.fakes import MARK, START, VIEW, Table, arrival, new_room, plain


def welcomed(sent, who):
    return next(message["b"] for message in sent[who] if message["k"] == "welcome")


@pytest.fixture
def ward():
    """ann leads the round, bo is the remote expert; they have looked at and talked about bed 1."""
    ward = Table("ann", "bo")
    ward.say("ann", "scope.set", {"scope": "bed-1"})
    for kind, body in [
        ("control.request", {}),
        ("chat.send", {"text": "bed 1"}),
        ("mark.add", {"mark": MARK}),
        ("view.set", VIEW),
        ("entry.set", {"key": "note", "value": "of bed 1"}),
        ("entry.set", {"key": "session/list", "value": ["bed-1", "bed-2"]}),
        ("media.set", {"audio": True, "video": True, "screen": False, "tracks": [TRACK]}),
        ("state.set", {"key": "layout", "value": 2}),
    ]:
        assert [m["k"] for m in ward.say("ann", kind, body, scope="bed-1")["ann"]][-1] == "ok", kind
    return ward


TRACK = {"id": "t1", "kind": "video", "source": "device", "label": "床旁", "priority": 3}


def test_after_the_switch_everybody_starts_from_nothing_of_the_last_patient(ward):
    sent = ward.say("ann", "scope.set", {"scope": "bed-2"}, scope="bed-1")
    for who in ("ann", "bo"):
        greeting = welcomed(sent, who)
        snapshot = greeting["snapshot"]
        assert (greeting["recovered"], snapshot["scope"]) == (False, "bed-2")
        assert (snapshot["chat"], snapshot["marks"], snapshot["state"]) == ([], [], {})
        assert [entry["key"] for entry in snapshot["entries"]] == ["session/list"]
        assert [(one["video"], one["tracks"]) for one in snapshot["participants"]] == [(False, [])] * 2


def test_a_patient_seen_again_has_what_was_kept(ward):
    ward.say("ann", "scope.set", {"scope": "bed-2"})
    snapshot = welcomed(ward.say("ann", "scope.set", {"scope": "bed-1"}), "bo")["snapshot"]
    assert [line["b"]["text"] for line in snapshot["chat"]] == ["bed 1"]
    assert {entry["key"]: entry["value"] for entry in snapshot["entries"]}["note"] == "of bed 1"


def test_a_view_held_back_is_not_shown_to_the_next_patient(ward):
    for frame in range(200):
        ward.say("ann", "view.set", VIEW | {"frame": frame + 1}, command_id=None, scope="bed-1")
    assert ward.room.holding_back
    ward.say("ann", "scope.set", {"scope": "bed-2"})
    assert ward.room.flush() == []


def test_a_slow_reader_is_sent_nothing_of_the_last_patient_any_more():
    outbox = Outbox(new_room()._limits)
    outbox.put(b"of bed 1", None)
    outbox.put(b"seen at bed 1", ("state", "view"))
    outbox.put(b"welcome", WELCOME_SLOT)
    assert [outbox.take_now(), outbox.take_now()] == [b"welcome", None]


def test_nobody_resumes_across_the_switch(ward):
    before = ward.room.seq
    ward.say("ann", "scope.set", {"scope": "bed-2"})
    ward.room.leave("link-bo", START)
    outputs = ward.room.join(arrival("bo", visit="link-bo", since=("E1", before)), START)
    greeting = plain(outputs[0].message)["b"]
    assert (greeting["recovered"], greeting["events"], greeting["snapshot"]["chat"]) == (False, [], [])


def test_a_guest_of_one_patient_waits_outside_when_the_room_turns_to_another(ward):
    ward.enter("son", waits=True, grants={"chat", "media"}, scopes=frozenset({"bed-1"}))
    assert welcomed(ward.say("ann", "lobby.admit", {"person": "son"}), "son")["snapshot"]["scope"] == "bed-1"
    sent = ward.say("ann", "scope.set", {"scope": "bed-2"})
    greeting = welcomed(sent, "son")
    assert (greeting["waiting"], greeting["snapshot"]["scope"]) == (True, "")
    assert "bed-2" not in str(sent["son"])
    assert ward.refusal("ann", "lobby.admit", {"person": "son"}) == ErrorCode.NOT_ALLOWED


def test_a_recording_ends_with_the_patient(ward):
    for who in ("ann", "bo"):
        ward.say(who, "consent.give", {"purposes": ["record"], "version": "1", "sha256": "0" * 64})
    ward.say("ann", "record.set", {"state": "on"}, scope="bed-1")
    assert ward.room.snapshot()["recording"]["state"] == "on"
    ward.say("ann", "scope.set", {"scope": "bed-2"})
    assert ward.room.snapshot()["recording"] is None


def test_turning_to_the_present_patient_changes_nothing(ward):
    before = ward.room.seq
    ward.say("ann", "scope.set", {"scope": "bed-1"})
    assert ward.room.seq == before


def test_a_round_has_an_end():
    ward = Table("ann", limits=Limits(scopes=1))
    ward.say("ann", "scope.set", {"scope": "a"})
    ward.say("ann", "chat.send", {"text": "x"}, scope="a")
    assert ward.refusal("ann", "scope.set", {"scope": "b"}) == ErrorCode.TOO_LARGE
