from datetime import UTC, datetime

import pytest

from imaging.review.retry import DELAYS_SECONDS, Answer, Verdict, judge, next_attempt, reason

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.ACCEPTED),
        (202, Verdict.ACCEPTED),
        (409, Verdict.ACCEPTED),
        (302, Verdict.REFUSED),
        (404, Verdict.REFUSED),
        (405, Verdict.REFUSED),
        (401, Verdict.RETRY),
        (408, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
        (None, Verdict.RETRY),
        (413, Verdict.SKIPPED),
        (422, Verdict.SKIPPED),
        (410, Verdict.GONE),
    ],
)
def test_an_answer_means(status, verdict):
    assert judge(Answer(status)) is verdict


def due_after(attempts, jitter=0.5, **answer):
    due = next_attempt(attempts, NOW, DELAYS_SECONDS, lambda: jitter, Answer(500, **answer))
    return None if due is None else (due - NOW).total_seconds()


def test_the_wait_grows():
    assert [due_after(attempt) for attempt in range(1, 9)] == list(DELAYS_SECONDS)


def test_after_the_last_there_is_none():
    assert due_after(len(DELAYS_SECONDS) + 1) is None


def test_the_wait_is_spread_by_a_fifth():
    assert (due_after(2, jitter=0), due_after(2, jitter=1)) == (24, 36)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("60", 60),
        ("1", 5),
        ("999999", 3600),
        ("Mon, 23 Nov 2026 08:01:00 GMT", 60),
        ("soon", 5),
        ("", 5),
        ("9" * 400, 5),
        ("Mon, 23 Nov 2026 08:01:00", 5),
    ],
)
def test_the_vendor_may_ask_for_more_time_within_reason(header, seconds):
    assert due_after(1, retry_after=header) == seconds


def test_a_reason_tells_the_status_or_what_went_wrong():
    assert [reason(Answer(503)), reason(Answer(None, "no answer in time"))] == ["answered 503", "no answer in time"]
