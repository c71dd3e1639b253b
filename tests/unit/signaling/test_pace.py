from datetime import timedelta

from signaling.limits import Limits
from signaling.pace import Pace, TokenBucket, allowances
from tests.unit.signaling.fakes import START


def test_a_burst_is_followed_by_the_steady_rate():
    bucket = TokenBucket(per_second=2, burst=3, tokens=3, filled_at=START)
    assert [bucket.take(START) for _ in range(4)] == [True, True, True, False]
    later = START + timedelta(milliseconds=500)
    assert [bucket.take(later), bucket.take(later)] == [True, False]


def test_a_long_pause_refills_no_more_than_the_burst():
    bucket = TokenBucket(per_second=2, burst=3, tokens=0, filled_at=START)
    later = START + timedelta(hours=1)
    assert [bucket.take(later) for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_goes_back_neither_refills_nor_charges():
    bucket = TokenBucket(per_second=1, burst=1, tokens=0, filled_at=START)
    assert not bucket.take(START - timedelta(hours=1))
    assert bucket.tokens == 0


def test_every_pace_has_its_allowance():
    assert set(allowances(Limits(), START)) == set(Pace)
