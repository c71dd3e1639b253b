import pytest

from signaling.history import BrokenHistory, History
from signaling.limits import Limits
from signaling.messages import EventKind
from tests.unit.signaling.fakes import MARK, START

LIMITS = Limits(ring_events=3, chat_messages=2)


def told(history, kind, body, author="ann"):
    event = history.draft(kind, author, START, body, None)
    history.apply(event)
    return event


@pytest.fixture
def history():
    return History("E1", LIMITS)


def test_a_draft_changes_nothing(history):
    history.draft(EventKind.CHAT_SENT, "ann", START, {"text": "hello"}, None)
    assert (history.seq, list(history.chat)) == (0, [])


def test_events_follow_each_other_without_gaps(history):
    late = history.draft(EventKind.CHAT_SENT, "ann", START, {"text": "late"}, None)
    told(history, EventKind.CHAT_SENT, {"text": "first"})
    with pytest.raises(BrokenHistory, match="event 1 cannot follow event 1"):
        history.apply(late)


def test_what_was_missed_is_told_exactly(history):
    events = [told(history, EventKind.CHAT_SENT, {"text": str(n)}) for n in range(5)]
    assert history.since(2) == events[2:]
    assert history.since(5) == []


@pytest.mark.parametrize("seq", [0, 1, 6])
def test_a_place_before_the_ring_or_ahead_of_the_room_has_no_gap_to_tell(history, seq):
    for n in range(5):
        told(history, EventKind.CHAT_SENT, {"text": str(n)})
    assert history.since(seq) is None


def test_marks_are_added_edited_and_removed(history):
    told(history, EventKind.MARK_ADDED, {"mark": MARK})
    told(history, EventKind.MARK_EDITED, {"mark": MARK | {"text": "13 mm"}})
    assert history.marks["m1"]["text"] == "13 mm"
    told(history, EventKind.MARK_REMOVED, {"id": "m1"})
    assert history.marks == {}


def test_a_restored_history_is_the_one_that_was_lost(history):
    bodies = [
        (EventKind.CHAT_SENT, {"text": "a"}),
        (EventKind.CONTROL_CHANGED, {"presenter": "ann"}),
        (EventKind.MARK_ADDED, {"mark": MARK}),
        (EventKind.CONTROL_REQUESTED, {}),
    ]
    events = [told(history, kind, body) for kind, body in bodies]
    again = History.restore(events, "E2", LIMITS)
    assert (again.epoch, again.seq, again.presenter) == ("E1", 4, "ann")
    assert (again.chat, again.marks, again.ring) == (history.chat, history.marks, history.ring)


def test_a_room_nobody_heard_of_begins_a_new_history():
    assert History.restore([], "E2", LIMITS).epoch == "E2"
