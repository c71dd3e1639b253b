from datetime import UTC, datetime, timedelta

import pytest

from telemed.access import Role
from telemed.people.model import (
    Attempt,
    RoleHospitalMismatch,
    SessionRules,
    SignInLimits,
    UsernameUnfit,
    WeakPassword,
    check_password,
    check_role,
    check_username,
    fingerprint,
    key_prefix,
    new_secret,
    normal_username,
    split_key,
    too_many,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("typed", ["Wang.Li", " wang.li ", "ＷＡＮＧ．ＬＩ"])
def test_spellings_of_one_username_are_one(typed):
    assert normal_username(typed) == "wang.li"


@pytest.mark.parametrize("username", [" ", "a\u200bb\n", "ﷺ" * 10])
def test_a_username_that_cannot_be_kept_is_refused(username):
    with pytest.raises(UsernameUnfit):
        check_username(username)


@pytest.mark.parametrize("password", ["short-one", "x" * 257, "doctor.wang1", "aaaaaaaaaaaa"])
def test_a_weak_password_is_refused(password):
    with pytest.raises(WeakPassword):
        check_password(password, "doctor.wang1")


def test_ten_ordinary_characters_are_enough():
    check_password("正确的马电池订书钉九十", "doctor")


@pytest.mark.parametrize(("role", "hospital"), [(Role.DOCTOR, None), (Role.ADMINISTRATOR, "WZ01")])
def test_role_and_hospital_go_together(role, hospital):
    with pytest.raises(RoleHospitalMismatch):
        check_role(role, hospital)


def test_a_key_splits_into_its_id_and_secret():
    key_id, secret = "01KB0000000000000000000000", "_a-_" + new_secret()[4:]
    assert split_key(f"{key_prefix(key_id)}_{secret}") == (key_id, secret)


@pytest.mark.parametrize("text", ["", "tk_", "tk_x_y", "whsec_01KB0000000000000000000000_abc"])
def test_what_is_not_shaped_like_a_key_is_none(text):
    assert split_key(text) is None


def test_secrets_are_long_and_their_fingerprints_short():
    secret = new_secret()
    assert len(secret) == 43
    assert len(fingerprint(secret)) == 64
    assert secret != new_secret()


@pytest.mark.parametrize(
    ("idle_for", "left", "alive"),
    [
        (timedelta(0), MINUTE, True),
        (timedelta(hours=2) - MINUTE, MINUTE, True),
        (timedelta(hours=2), MINUTE, False),
        (timedelta(0), timedelta(0), False),
    ],
)
def test_a_session_lives_until_idle_too_long_or_at_its_end(idle_for, left, alive):
    assert SessionRules().alive(seen_at=NOW - idle_for, ends_at=NOW + left, now=NOW) is alive


def failures(count, username="wang", address="10.0.0.1", since=timedelta(0)):
    return [Attempt(username, address, NOW - since) for _ in range(count)]


LIMITS = SignInLimits(window=15 * MINUTE, pair=3, address=5, username=5)


def test_under_every_limit_one_may_try():
    assert LIMITS.retry_after(failures(2), "wang", "10.0.0.1", NOW) is None


def test_the_pair_waits_until_its_oldest_counted_failure_leaves_the_window():
    attempts = failures(1, since=14 * MINUTE) + failures(3, since=5 * MINUTE)
    assert LIMITS.retry_after(attempts, "wang", "10.0.0.1", NOW) == 10 * MINUTE


def test_failures_from_one_address_do_not_lock_the_user_out_elsewhere():
    assert LIMITS.retry_after(failures(3), "wang", "10.0.0.2", NOW) is None


def test_one_address_guessing_many_usernames_is_stopped():
    attempts = [Attempt(f"user{n}", "10.0.0.1", NOW) for n in range(5)]
    assert LIMITS.retry_after(attempts, "wang", "10.0.0.1", NOW) == 15 * MINUTE


def test_one_username_guessed_from_many_addresses_is_stopped():
    attempts = [Attempt("wang", f"10.0.0.{n}", NOW) for n in range(5)]
    assert LIMITS.retry_after(attempts, "wang", "10.0.9.9", NOW) == 15 * MINUTE


def test_failures_outside_the_window_are_forgotten():
    assert LIMITS.retry_after(failures(9, since=15 * MINUTE), "wang", "10.0.0.1", NOW) is None


def test_the_wait_is_told_in_whole_seconds_rounded_up():
    assert too_many(timedelta(seconds=1.2)).facts == {"retry_after_s": 2}
