"""What is held is never wrong for longer than it says."""

from datetime import UTC, datetime

import pytest

from imaging.store.recent_series import TRUSTED_FOR, HeldSeries, HeldStudy, RecentSeries
from imaging.store.rows import InstanceRow

NAME = ("1.2", "1.2.3")


def row(uid):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return InstanceRow(uid, "k", "s", "1.2.3", uid, "", "", 1, 1, 1, 8, 1, "b", 1, "h", [], at)


class Stored:
    """The database: what is stored, and how often it was asked."""

    def __init__(self):
        self.revision, self.uids = 1, ["1"]
        self.asked = {"studies": 0, "series": 0}
        self.meanwhile = lambda: None

    async def studies_named(self, study_instance_uid):
        self.asked["studies"] += 1
        return (HeldStudy("s", "WZ01", self.revision),)

    async def series_named(self, name):
        self.asked["series"] += 1
        held = HeldSeries(
            (HeldStudy("s", "WZ01", self.revision),), {("s", f"{name[1]}-{u}"): row(u) for u in self.uids}
        )
        self.meanwhile()
        return held


@pytest.fixture
def stored():
    return Stored()


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def recent(stored, clock):
    return RecentSeries(stored, lambda: clock[0], limit=3)


async def test_within_the_trusted_time_nothing_is_asked(recent, stored):
    first = await recent.get(NAME)
    assert await recent.get(NAME) is first
    assert stored.asked == {"studies": 0, "series": 1}


async def test_after_it_an_unchanged_revision_confirms_what_is_held(recent, stored, clock):
    first = await recent.get(NAME)
    clock[0] += TRUSTED_FOR
    assert await recent.get(NAME) is first
    assert await recent.get(NAME) is first
    assert stored.asked == {"studies": 1, "series": 1}


async def test_after_it_a_grown_revision_drops_it(recent, stored, clock):
    await recent.get(NAME)
    stored.revision, stored.uids = 2, []
    clock[0] += TRUSTED_FOR
    assert (await recent.get(NAME)).instances == {}


async def test_what_this_process_deletes_is_gone_at_once(recent, stored):
    await recent.get(NAME)
    stored.revision, stored.uids = 2, []
    recent.forget("1.2")
    assert (await recent.get(NAME)).instances == {}


async def test_what_was_read_before_a_deletion_is_not_held_after_it(recent, stored):
    def delete():
        stored.revision, stored.uids = 2, []
        stored.meanwhile = lambda: None
        recent.forget("1.2")

    stored.meanwhile = delete
    await recent.get(NAME)
    assert (await recent.get(NAME)).instances == {}


async def test_an_absence_is_not_held(recent, stored):
    stored.uids = []
    await recent.get(NAME)
    stored.uids = ["1"]
    assert (await recent.get(NAME)).instances


async def test_the_series_asked_for_longest_ago_go_first(recent, stored):
    stored.uids = ["1", "2"]
    await recent.get(NAME)
    await recent.get(("1.2", "1.2.4"))
    await recent.get(("1.2", "1.2.4"))
    assert stored.asked["series"] == 2
    await recent.get(NAME)
    assert stored.asked["series"] == 3
