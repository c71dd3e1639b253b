"""Surgery guidance and comparison: video marks, the lock, several cameras and pictures, lists, quality, media mode."""

import pytest

from signaling.codes import ErrorCode, Refusal
from signaling.limits import Limits
from tests.unit.signaling.fakes import MARK, VIDEO_MARK, VIEW, Table


def test_a_mark_on_video_carries_the_frame_it_was_drawn_on():
    table = Table("ann", "bo")
    sent = table.say("ann", "video_mark.add", {"mark": VIDEO_MARK})
    assert sent["bo"][0]["b"]["mark"] == VIDEO_MARK | {"author": "ann", "author_name": "Dr ann"}
    assert table.refusal("ann", "mark.edit", {"mark": MARK | {"id": "v1"}}) == ErrorCode.BAD_STATE
    assert table.say("ann", "mark.remove", {"id": "v1"})["bo"][0]["k"] == "mark.removed"


@pytest.mark.parametrize("points", [[], [[0, 1.01]], [[-0.01, 0]], [[0.5]]])
def test_a_mark_outside_the_picture_is_refused(points):
    with pytest.raises(Refusal):
        Table("ann").say("ann", "video_mark.add", {"mark": VIDEO_MARK | {"points": points}})


@pytest.mark.parametrize(("kind", "mark"), [("video_mark.add", VIDEO_MARK), ("mark.add", MARK), ("mark.edit", MARK)])
def test_nothing_is_drawn_while_marks_are_locked(kind, mark):
    table = Table("ann", "bo")
    sent = table.say("bo", "marks.lock", {"locked": True, "reason": "delay 430 ms"})
    assert sent["ann"][0]["b"] == {"locked": True, "reason": "delay 430 ms"}
    assert table.refusal("ann", kind, {"mark": mark}) == ErrorCode.LOCKED
    table.say("bo", "marks.lock", {"locked": False})
    assert table.room.snapshot()["marks_locked"] is None


def test_several_cameras_are_known_by_their_labels():
    tracks = [
        {"id": "1", "kind": "video", "source": "device", "label": label, "priority": 9}
        for label in ("术野", "全景", "超声", "内镜")
    ]
    sent = Table("ann", "bo").say("ann", "media.set", {"audio": True, "video": True, "screen": False, "tracks": tracks})
    assert sent["bo"][0]["b"]["tracks"] == tracks


def test_two_pictures_side_by_side_are_two_views():
    table = Table("ann", "bo")
    table.say("ann", "control.request")
    table.say("ann", "view.set", VIEW)
    sent = table.say("ann", "view.set", VIEW | {"viewport": "right", "study": "S2"})
    assert [m["key"] for m in sent["bo"]] == ["view:right"]
    assert set(table.room.snapshot()["state"]) == {"view", "view:right"}


def test_everybody_sees_who_looks_elsewhere():
    sent = Table("ann", "bo").say("bo", "follow.set", {"following": False})
    assert (sent["ann"][0]["key"], sent["ann"][0]["b"]["following"]) == ("participant:bo", False)


def test_an_entry_is_kept_and_a_change_made_from_an_old_one_is_refused():
    table = Table("ann", "bo")
    sent = table.say("ann", "entry.set", {"key": "session/go", "value": {"lights": True}, "base_rev": 0})
    rev = sent["bo"][0]["seq"]
    assert table.refusal("bo", "entry.set", {"key": "session/go", "value": 1, "base_rev": 0}) == ErrorCode.STALE_REV
    table.say("bo", "entry.set", {"key": "session/go", "value": {"lights": False}, "base_rev": rev})
    [entry] = table.room.snapshot()["entries"]
    assert (entry["value"], entry["from"], entry["rev"]) == ({"lights": False}, "bo", rev + 1)


def test_what_belongs_to_the_session_is_changed_by_a_host_only():
    table = Table("ann", ann={"note"})
    assert table.refusal("ann", "entry.set", {"key": "session/list", "value": 1}) == ErrorCode.NOT_ALLOWED
    assert table.say("ann", "entry.set", {"key": "finding", "value": 1})["ann"][-1]["k"] == "ok"


@pytest.mark.parametrize("kind", ["entry.set", "state.set"])
@pytest.mark.parametrize(("value", "code"), [("x" * 5000, ErrorCode.TOO_LARGE), ("\x00", ErrorCode.INVALID)])
def test_a_value_nobody_could_read_is_refused(kind, value, code):
    assert Table("ann").refusal("ann", kind, {"key": "k", "value": value}) == code


def test_states_and_entries_have_an_end():
    table = Table("ann", limits=Limits(states=1, entries=1))
    for kind in ("state.set", "entry.set"):
        table.say("ann", kind, {"key": "a", "value": 1})
        assert table.refusal("ann", kind, {"key": "b", "value": 1}) == ErrorCode.TOO_LARGE
        assert table.say("ann", kind, {"key": "a", "value": 2})["ann"][-1]["k"] == "ok"


def test_a_state_is_the_newest_for_the_others_and_for_who_comes_later():
    table = Table("ann", "bo")
    sent = table.say("ann", "state.set", {"key": "freeze", "value": {"track": "field"}}, command_id=None)
    assert [(m["k"], m["key"], m["b"]) for m in sent["bo"]] == [("state", "state:freeze", {"track": "field"})]
    assert table.room.snapshot()["state"]["state:freeze"]["from"] == "ann"


def test_link_quality_is_told_and_forgotten_with_its_sender():
    table = Table("ann", "bo")
    sent = table.say("bo", "quality.report", {"links": [{"peer": "ann", "rtt_ms": 31, "loss": 0.02}]})
    assert sent["ann"][0]["b"]["links"][0]["rtt_ms"] == 31
    table.say("bo", "bye")
    assert "quality:bo" not in table.room.snapshot()["state"]


def test_the_room_says_how_media_travels():
    table = Table("ann", "bo")
    assert table.say("ann", "media.mode", {"mode": "sfu"})["bo"][0]["b"] == {"mode": "sfu"}
    assert table.say("ann", "media.mode", {"mode": "sfu"})["bo"] == []
    assert table.room.snapshot()["media_mode"] == "sfu"


def test_the_negotiation_a_signal_belongs_to_travels_along():
    sent = Table("ann", "bo").say("ann", "signal", {"to": "bo", "candidate": None, "pc": "screen", "neg": 3})
    assert sent["bo"][0]["b"] == {"candidate": None, "pc": "screen", "neg": 3}


def test_what_the_last_presenter_showed_arrives_before_the_news_of_the_next():
    table = Table("ann", "bo", limits=Limits(stream_burst=1))
    table.say("ann", "control.request")
    for frame in (1, 2):
        table.say("ann", "view.set", VIEW | {"frame": frame}, command_id=None)
    sent = table.say("ann", "control.grant", {"to": "bo"})["bo"]
    assert [(m["k"], m["b"].get("frame")) for m in sent] == [("view", 2), ("control.changed", None)]
