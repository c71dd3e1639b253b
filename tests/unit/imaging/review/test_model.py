import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.review.errors import JobOutOfTurn
from imaging.review.model import OPEN, TRANSITIONS, JobEvent, JobState, advance, summed_up

events = st.lists(st.sampled_from(JobEvent), max_size=12)


def run(happenings, state=JobState.SCHEDULED):
    path = [state]
    for event in happenings:
        try:
            path.append(advance(path[-1], event))
        except JobOutOfTurn:
            path.append(path[-1])
    return path


@given(events)
def test_what_has_ended_stays_ended(happenings):
    path = run(happenings)
    ends = [index for index, state in enumerate(path) if state not in OPEN]
    assert all(path[index] is path[ends[0]] for index in ends)
    assert not ends or ends == list(range(ends[0], len(path)))


@given(events)
def test_a_review_completes_only_after_it_was_claimed(happenings):
    path = run(happenings)
    if JobState.COMPLETED in path:
        assert JobState.IN_PROGRESS in path[: path.index(JobState.COMPLETED)]


@given(events)
def test_a_job_never_goes_back(happenings):
    order = [JobState.SCHEDULED, JobState.DELIVERED, JobState.IN_PROGRESS]
    places = [order.index(state) for state in run(happenings) if state in OPEN]
    assert places == sorted(places)


def test_every_state_can_be_reached():
    reached, following = {JobState.SCHEDULED}, {JobState.SCHEDULED}
    while following:
        following = {after for state in following for after in TRANSITIONS.get(state, {}).values()} - reached
        reached |= following
    assert reached == set(JobState)


def test_a_step_out_of_turn_names_state_and_event():
    with pytest.raises(JobOutOfTurn) as caught:
        advance(JobState.SCHEDULED, JobEvent.COMPLETED)
    assert caught.value.facts == {"state": "scheduled", "event": "completed"}


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ([], None),
        (["superseded"], None),
        (["scheduled"], "pending"),
        (["delivered", "completed"], "pending"),
        (["in_progress", "failed"], "running"),
        (["completed", "expired"], "failed"),
        (["completed", "skipped"], "done"),
    ],
)
def test_jobs_sum_up_to_one_word(states, word):
    assert summed_up(JobState(state) for state in states) == word
