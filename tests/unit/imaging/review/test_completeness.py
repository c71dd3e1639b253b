from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.review.completeness import Basis, Decision, Facts, OpenUpload, Policy, decide, due_at, manifest_hash

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
POLICY = Policy()


def after(seconds):
    return T0 + timedelta(seconds=seconds)


def facts(first=0, last=0, uploads=(), generation=0):
    return Facts(after(first), after(last), tuple(OpenUpload(after(a), after(b)) for a, b in uploads), generation)


@pytest.mark.parametrize(
    ("known", "seconds", "basis"),
    [
        (facts(), 19.9, None),
        (facts(), 20, Basis.QUIET),
        (facts(last=10), 29, None),
        (facts(last=10), 30, Basis.QUIET),
        (facts(uploads=[(5, 18)]), 21, None),
        (facts(uploads=[(5, 18)]), 78, Basis.QUIET),
        (facts(uploads=[(25, 40)]), 41, Basis.QUIET),
        (facts(last=899, uploads=[(0, 899)]), 899.5, None),
        (facts(last=899, uploads=[(0, 899)]), 900, Basis.FORCED),
    ],
    ids=[
        "not quiet yet",
        "quiet",
        "a late instance starts the quiet time again",
        "quiet after a late instance",
        "an open upload holds it back",
        "an upload not seen for a minute is ignored",
        "an upload begun after the quiet time does not count",
        "still arriving",
        "still arriving after a quarter of an hour",
    ],
)
def test_a_study_is_complete_when(known, seconds, basis):
    decision = decide(known, POLICY, after(seconds))
    assert (decision.basis if decision else None) == basis


def test_late_instances_make_the_next_generation():
    assert decide(facts(generation=2), POLICY, after(20)) == Decision(Basis.QUIET, 3, supersedes=2)
    assert decide(facts(), POLICY, after(20)) == Decision(Basis.QUIET, 1, supersedes=None)


seconds = st.floats(0, 2000)


@given(seconds, seconds, st.lists(st.tuples(seconds, seconds), max_size=3), seconds)
def test_never_before_it_is_due_and_always_when_forced(first, gap, uploads, at):
    known = facts(first, first + gap, uploads)
    decision = decide(known, POLICY, after(at))
    if after(at) < due_at(known, POLICY):
        assert decision is None
    if at >= first + POLICY.forced_after_seconds + 1:
        assert decision is not None


@given(st.lists(st.from_regex(r"1(\.[1-9][0-9]{0,5}){1,5}", fullmatch=True), unique=True), st.randoms())
def test_a_manifest_hash_depends_on_the_set_and_not_on_the_order(uids, chance):
    shuffled = uids.copy()
    chance.shuffle(shuffled)
    assert manifest_hash(uids) == manifest_hash(shuffled)
    assert manifest_hash(uids) != manifest_hash([*uids, "1.2.3.4.5.6.7"])
