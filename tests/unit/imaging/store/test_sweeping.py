import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from ulid import ULID

from foundation.clock import utc_now
from foundation.ids import new_id
from imaging.store.lifecycle import Apart
from imaging.store.sweeping import OLD_ENOUGH, Sweeper
from imaging.store.tables import Instance
from tests.archives import archive_at
from tests.dicomweb import keep
from tests.samples import ct_series, ct_slice

NOW = timedelta(seconds=-1)


@pytest.fixture
async def archive(database_url, tmp_path):
    async with archive_at(database_url, tmp_path / "archive") as archive:
        yield archive


def fresh(archive):
    """A sweeper as after a start."""
    return Sweeper(archive.database, archive.blobs, utc_now)


async def orphan(archive, age=timedelta(0)):
    key = str(ULID.from_datetime(utc_now() - age))
    assert await archive.blobs.keep_all([(key, b"nobody's")]) == [None]
    return key


async def is_there(archive, key):
    return await asyncio.to_thread((await archive.blobs.local_path(key)).exists)


async def named(archive):
    async with archive.database.read() as session:
        return [*await session.scalars(select(Instance.blob_key)), *await session.scalars(select(Apart.blob_key))]


async def test_blobs_without_a_row_go_and_those_with_one_stay(archive):
    other = ct_slice("1", 0, 3, 16)
    other.PatientID = "OTHER"
    await keep(archive, *ct_series("1", 3, 16))
    await keep(archive, other)
    lost = [await orphan(archive), await orphan(archive, timedelta(days=400))]
    assert await fresh(archive).sweep(NOW) == 2
    assert [await is_there(archive, key) for key in lost] == [False, False]
    kept = await named(archive)
    assert len(kept) == 4
    assert [await is_there(archive, key) for key in kept] == [True] * 4


async def test_a_blob_whose_row_may_still_come_stays(archive):
    young, old = await orphan(archive), await orphan(archive, OLD_ENOUGH + timedelta(seconds=2))
    assert await fresh(archive).sweep() == 1
    assert await is_there(archive, young)
    assert not await is_there(archive, old)


async def test_the_next_sweep_looks_at_what_is_new_alone(archive, monkeypatch):
    await orphan(archive, timedelta(days=3))
    sweeper = fresh(archive)
    await sweeper.sweep()
    looked = []
    folders = archive.blobs._folders_between
    monkeypatch.setattr(archive.blobs, "_folders_between", lambda *span: looked.extend(folders(*span)) or looked)
    await orphan(archive, timedelta(days=4))
    late = await orphan(archive)
    assert await sweeper.sweep(NOW) == 1
    assert [folder.name for folder in looked] == [late[5:7]]


async def test_what_is_no_blob_is_left_alone(archive):
    key = new_id()
    await archive.blobs.keep_all([(key, b"x")])
    path = (await archive.blobs.local_path(key)).with_name("note.txt")
    await asyncio.to_thread(path.write_bytes, b"an operator's")
    await fresh(archive).sweep(NOW)
    assert await asyncio.to_thread(path.exists)
