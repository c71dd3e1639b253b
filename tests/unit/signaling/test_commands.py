"""What each command does and why it is refused, through a room whose journal always works."""

import pytest

from signaling.codes import ErrorCode
from signaling.commands import COMMANDS, is_durable
from signaling.limits import Limits
from signaling.messages import ClientKind
from tests.unit.signaling.fakes import (
    ALL_GRANTS,
    HONEST,
    MARK,
    POINTER,
    START,
    VIEW,
    Table,
    plain,
)


def test_chat_reaches_everybody_with_the_servers_stamps():
    sent = Table("ann", "bo").say("ann", "chat.send", {"text": "看左肺"})
    event = {
        "v": 1,
        "k": "chat.sent",
        "seq": 1,
        "epoch": "E1",
        "from": "ann",
        "at": "2026-11-23T14:05:00Z",
        "b": {"text": "看左肺", "author_name": "Dr ann"},
    }
    assert sent == {"ann": [event, {"v": 1, "k": "ok", "re": "c1"}], "bo": [event]}


@pytest.mark.parametrize(
    ("text", "code"), [("  \n", ErrorCode.INVALID), ("", ErrorCode.INVALID), ("长" * 2001, ErrorCode.TOO_LARGE)]
)
def test_a_blank_or_too_long_text_is_refused(text, code):
    assert Table("ann").refusal("ann", "chat.send", {"text": text}) == code


def test_a_text_of_exactly_the_limit_is_sent():
    assert Table("ann").say("ann", "chat.send", {"text": "长" * 2000})["ann"][0]["k"] == "chat.sent"


def test_a_mark_gets_its_author_from_the_server():
    table = Table("ann", "bo")
    sent = table.say("ann", "mark.add", {"mark": MARK | {"author": "bo"}})
    assert sent["bo"][0]["b"]["mark"] == MARK | {"author": "ann", "author_name": "Dr ann"}


def test_only_its_author_edits_a_mark():
    table = Table("ann", "bo")
    table.say("ann", "mark.add", {"mark": MARK})
    assert table.refusal("bo", "mark.edit", {"mark": MARK}) == ErrorCode.NOT_ALLOWED
    sent = table.say("ann", "mark.edit", {"mark": MARK | {"text": "13 mm"}})
    assert sent["bo"][0]["b"]["mark"]["text"] == "13 mm"


def test_the_author_and_the_presenter_remove_a_mark_and_nobody_else():
    table = Table("ann", "bo", "cy")
    table.say("bo", "control.request", {})
    for mark in ("m1", "m2"):
        table.say("ann", "mark.add", {"mark": MARK | {"id": mark}})
    assert table.refusal("cy", "mark.remove", {"id": "m1"}) == ErrorCode.NOT_ALLOWED
    assert table.say("ann", "mark.remove", {"id": "m1"})["cy"][0]["b"] == {"id": "m1"}
    assert table.say("bo", "mark.remove", {"id": "m2"})["cy"][0]["b"] == {"id": "m2"}


def test_marks_that_are_not_there_or_there_already_are_refused():
    table = Table("ann")
    assert table.refusal("ann", "mark.edit", {"mark": MARK}) == ErrorCode.NOT_FOUND
    assert table.refusal("ann", "mark.remove", {"id": "m1"}) == ErrorCode.NOT_FOUND
    table.say("ann", "mark.add", {"mark": MARK})
    assert table.refusal("ann", "mark.add", {"mark": MARK}) == ErrorCode.BAD_STATE


@pytest.mark.parametrize("kind", ["mark.add", "mark.edit"])
def test_a_mark_with_too_many_points_is_too_large(kind):
    table = Table("ann", limits=Limits(mark_points=2))
    assert table.refusal("ann", kind, {"mark": MARK | {"points": [[0, 0]] * 3}}) == ErrorCode.TOO_LARGE


def test_a_room_holds_so_many_marks():
    table = Table("ann", limits=Limits(marks=1))
    table.say("ann", "mark.add", {"mark": MARK})
    assert table.refusal("ann", "mark.add", {"mark": MARK | {"id": "m2"}}) == ErrorCode.TOO_LARGE


def test_the_first_to_ask_presents_and_the_next_asks_the_presenter():
    table = Table("ann", "bo")
    assert table.say("ann", "control.request", {})["bo"][0]["b"] == {"presenter": "ann"}
    asked = table.say("bo", "control.request", {})["ann"][0]
    assert (asked["k"], asked["from"]) == ("control.requested", "bo")


def test_the_presenter_asking_again_changes_nothing():
    table = Table("ann", "bo")
    table.say("ann", "control.request", {})
    assert table.say("ann", "control.request", {}) == {"ann": [{"v": 1, "k": "ok", "re": "c2"}], "bo": []}


def test_control_of_an_absent_presenter_is_taken_at_once():
    table = Table("ann", "bo")
    table.say("ann", "control.request", {})
    table.room.leave("link-ann", START)
    assert table.say("bo", "control.request", {})["bo"][0]["b"] == {"presenter": "bo"}


def test_the_presenter_hands_over_and_releases():
    table = Table("ann", "bo")
    table.say("ann", "control.request", {})
    assert table.say("ann", "control.grant", {"to": "bo"})["ann"][0]["b"] == {"presenter": "bo"}
    assert table.say("bo", "control.release", {})["ann"][0]["b"] == {"presenter": None}


@pytest.mark.parametrize(
    ("kind", "body"), [("view.set", VIEW), ("control.grant", {"to": "ann"}), ("control.release", {})]
)
def test_what_needs_the_control_is_refused_without_it(kind, body):
    table = Table("ann", "bo")
    assert table.refusal("bo", kind, body) == ErrorCode.BAD_STATE
    table.say("ann", "control.request", {})
    assert table.refusal("bo", kind, body) == ErrorCode.CONTROL_HELD


def test_control_goes_only_to_somebody_who_is_here_and_may_present():
    table = Table("ann", "bo", bo={"chat"})
    table.say("ann", "control.request", {})
    assert table.refusal("ann", "control.grant", {"to": "zoe"}) == ErrorCode.NOT_FOUND
    assert table.refusal("ann", "control.grant", {"to": "bo"}) == ErrorCode.NOT_ALLOWED


def test_a_view_goes_to_everybody_else_as_keyed_state():
    table = Table("ann", "bo")
    table.say("ann", "control.request", {})
    sent = table.say("ann", "view.set", VIEW, command_id=None)
    assert sent["ann"] == []
    assert [(m["k"], m["key"], m["from"], m["b"]) for m in sent["bo"]] == [("view", "view", "ann", VIEW)]
    assert table.room.snapshot()["state"]["view"]["from"] == "ann"


def test_a_refused_view_is_answered_with_the_real_one():
    table = Table("ann", "bo")
    table.say("ann", "control.request", {})
    table.say("ann", "view.set", VIEW)
    sent = table.say("bo", "view.set", VIEW | {"frame": 99}, command_id=None)["bo"]
    assert [m["k"] for m in sent] == ["err", "view"]
    assert sent[1]["b"] == VIEW


def test_a_pointer_moves_and_hides_for_the_others():
    table = Table("ann", "bo")
    assert table.say("ann", "pointer.move", POINTER)["bo"][0]["b"] == POINTER
    assert table.say("ann", "pointer.hide", {}, None) == {
        "ann": [],
        "bo": [{"v": 1, "k": "pointer", "from": "ann", "at": "2026-11-23T14:05:00Z", "b": None}],
    }


def test_media_flags_are_part_of_the_participant():
    sent = Table("ann", "bo").say("ann", "media.set", {"audio": True, "video": False, "screen": True})
    told = sent["bo"][0]
    assert (told["k"], told["key"]) == ("participant", "participant:ann")
    assert (told["b"]["audio"], told["b"]["video"], told["b"]["screen"]) == (True, False, True)
    assert sent["ann"][0] == told


@pytest.mark.parametrize(
    "parts",
    [
        {"description": {"type": "offer", "sdp": "v=0"}},
        {"candidate": {"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": None}},
        {"candidate": None},
    ],
)
def test_a_signal_reaches_only_whom_it_is_for(parts):
    sent = Table("ann", "bo", "cy").say("ann", "signal", {"to": "bo"} | parts, command_id=None)
    assert (sent["ann"], sent["cy"]) == ([], [])
    assert [(m["k"], m["from"], m["b"]) for m in sent["bo"]] == [("signal", "ann", parts)]


def test_a_signal_to_nobody_or_with_nothing_is_refused():
    table = Table("ann", "bo")
    for to in ("zoe", "ann"):
        assert table.refusal("ann", "signal", {"to": to, "candidate": None}) == ErrorCode.NOT_FOUND
    assert table.refusal("ann", "signal", {"to": "bo"}) == ErrorCode.INVALID


@pytest.mark.parametrize("kind", [kind for kind, command in COMMANDS.items() if command.grant])
def test_every_command_needs_its_grant(kind):
    table = Table("ann", "bo", ann=ALL_GRANTS - {COMMANDS[kind].grant})
    assert table.refusal("ann", kind, HONEST.get(kind, {})) == ErrorCode.NOT_ALLOWED
    assert table.room.seq == 0


@pytest.mark.parametrize("kind", [kind for kind, command in COMMANDS.items() if command.scoped])
def test_nothing_meant_for_another_patient_is_taken_over(kind):
    table = Table("ann", "bo")
    table.say("bo", "scope.set", {"scope": "bed-2"})
    assert table.refusal("ann", kind, HONEST.get(kind, {})) == ErrorCode.STALE_SCOPE
    assert table.room.seq == 1


def test_the_upkeep_of_a_socket_is_not_durable():
    assert not is_durable(ClientKind.PONG)


def test_a_snapshot_can_be_written():
    table = Table("ann")
    table.say("ann", "mark.add", {"mark": MARK})
    assert plain(table.room.snapshot())["marks"][0]["author"] == "ann"
