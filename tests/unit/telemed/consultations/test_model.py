from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ServiceError
from telemed.access import Person, Role
from telemed.consultations.model import (
    ACTION_NAMES,
    FINAL,
    TRANSITIONS,
    Action,
    BadState,
    ConsultationState,
    ConsultationUnknown,
    Course,
    NotYourSide,
    Taken,
    TextRequired,
    TextTooLong,
    actions_for,
    expert_sees_study,
    facts,
    may_print,
    may_read_opinion,
    may_write_opinion,
    perform,
    room_open,
)

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PEOPLE = {
    name: Person(name, Role.DOCTOR, hospital)
    for name, hospital in (("chen", "WZ01"), ("zhou", "WZ01"), ("li", "SH01"), ("wu", "SH01"), ("far", "HZ01"))
}
ADMINISTRATOR = Person("admin", Role.ADMINISTRATOR, None)
TIMES = ("created_at", "accepted_at", "opined_at", "closed_at")

steps = st.lists(
    st.tuples(
        st.sampled_from(Action),
        st.sampled_from([*PEOPLE.values(), ADMINISTRATOR]),
        # A clock may also be set back.
        st.integers(min_value=-3600, max_value=3600),
        st.sampled_from(["", "  ", "有理由", "x" * 2001]),
    ),
    max_size=12,
)


def requested():
    return Course(ConsultationState.REQUESTED, "WZ01", "SH01", created_at=START, changed_at=START)


def walk(*steps):
    course = requested()
    for action, name in steps:
        course = perform(course, action, PEOPLE[name], START, "有理由")
    return course


COURSES = {
    "requested": requested(),
    "accepted": walk((Action.ACCEPT, "li")),
    "declined": walk((Action.DECLINE, "wu")),
    "cancelled": walk((Action.ACCEPT, "li"), (Action.CANCEL, "zhou")),
    "opined": walk((Action.ACCEPT, "li"), (Action.SIGN, "li")),
    "completed": walk((Action.ACCEPT, "li"), (Action.SIGN, "li"), (Action.ACKNOWLEDGE, "zhou")),
}


@given(steps)
def test_no_sequence_of_actions_leaves_the_table(sequence):
    course, now = requested(), START
    for action, person, seconds, text in sequence:
        now += timedelta(seconds=seconds)
        before = course
        try:
            course = perform(course, action, person, now, text)
        except ServiceError:
            assert course == before
            continue
        assert TRANSITIONS[before.state, action].to is course.state
        assert before.state not in FINAL
        assert person.hospital in {"WZ01", "SH01"}
        times = [at for at in (getattr(course, name) for name in TIMES) if at]
        assert times == sorted(times)
        assert (course.closed_at is not None) == (course.state in FINAL)
        assert (course.expert is None) == (course.accepted_at is None)


@given(steps)
def test_what_is_offered_succeeds_and_what_is_not_is_refused(sequence):
    course = requested()
    for action, person, _, text in sequence:
        offered = actions_for(course, person)
        for possible in Action:
            if possible in offered:
                assert perform(course, possible, person, START, "有理由").state is not course.state
            else:
                with pytest.raises((BadState, NotYourSide, ConsultationUnknown)):
                    perform(course, possible, person, START, "有理由")
        if action in offered and text.strip() and len(text) <= 2000:
            course = perform(course, action, person, START, text)


def test_the_same_fact_is_not_offered_under_two_names():
    assert set(Action) < set(ACTION_NAMES)
    assert len(ACTION_NAMES) == len(set(ACTION_NAMES))


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("requested", {"chen": ["cancel"], "li": ["accept", "decline"], "wu": ["accept", "decline"]}),
        ("accepted", {"chen": ["join", "cancel"], "li": ["join", "write_opinion", "sign"], "wu": []}),
        ("opined", {"chen": ["join", "acknowledge", "print"], "li": ["join", "print"], "wu": ["print"]}),
        ("completed", {"chen": ["print"], "li": ["print"], "wu": ["print"]}),
        ("declined", {"chen": [], "li": [], "wu": []}),
        ("cancelled", {"chen": [], "li": [], "wu": []}),
    ],
)
def test_what_each_person_may_do(state, offered):
    course = COURSES[state]
    assert {name: actions_for(course, PEOPLE[name]) for name in offered} == offered
    assert actions_for(course, PEOPLE["far"]) == actions_for(course, ADMINISTRATOR) == []


def test_the_room_and_the_study_are_open_while_it_is_under_way():
    states = {state for state in ConsultationState if room_open(state)}
    assert states == {ConsultationState.ACCEPTED, ConsultationState.OPINED}
    assert {state for state in ConsultationState if expert_sees_study(state)} == states
    assert {name for name, course in COURSES.items() if facts(course).open} == {"accepted", "opined"}


def test_a_second_doctor_who_accepts_is_told_that_it_is_taken():
    with pytest.raises(Taken) as raised:
        perform(COURSES["accepted"], Action.ACCEPT, PEOPLE["wu"], START)
    assert raised.value.facts == {"expected": ["requested"], "got": "accepted"}


@pytest.mark.parametrize("name", ["li", "chen"])
def test_accepting_twice_is_out_of_turn_but_not_taken(name):
    with pytest.raises(BadState) as raised:
        perform(COURSES["accepted"], Action.ACCEPT, PEOPLE[name], START)
    assert raised.value.code == "consultation.bad_state"


def test_only_the_doctor_who_accepted_signs():
    with pytest.raises(NotYourSide):
        perform(COURSES["accepted"], Action.SIGN, PEOPLE["wu"], START)


@pytest.mark.parametrize(("text", "error"), [("", TextRequired), (" \n", TextRequired), ("x" * 2001, TextTooLong)])
def test_a_refusal_needs_a_reason_that_can_be_kept(text, error):
    with pytest.raises(error):
        perform(requested(), Action.DECLINE, PEOPLE["li"], START, text)


def test_a_draft_is_its_authors_and_a_signed_opinion_both_sides():
    readers = {
        name: [who for who, person in PEOPLE.items() if may_read_opinion(course, person)]
        for name, course in COURSES.items()
    }
    both = ["chen", "zhou", "li", "wu"]
    assert readers == {
        "requested": [],
        "accepted": ["li"],
        "declined": [],
        "cancelled": [],
        "opined": both,
        "completed": both,
    }
    assert may_write_opinion(COURSES["accepted"], PEOPLE["li"])
    assert not may_print(COURSES["accepted"], PEOPLE["li"])
