"""Copies made in the background (checklist T48; issue: HTJ2K as a stored derivative)."""

import asyncio
from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
from sqlalchemy import delete, select

from foundation.database import open_database
from imaging.archive import Limits, open_archive
from imaging.dicom import htj2k
from imaging.store import derivatives as module
from imaging.store.tables import Derivative, Instance
from tests.archives import archive_at
from tests.dicomweb import keep
from tests.hostile import die
from tests.samples import ct_series, multi_frame, patient_study, to_bytes


@pytest.fixture
async def archive(database_url, tmp_path):
    async with archive_at(database_url, tmp_path / "archive") as archive:
        yield archive


async def rows(archive):
    async with archive.database.read() as session:
        return list(await session.scalars(select(Derivative).order_by(Derivative.instance_key)))


async def keys(archive):
    async with archive.database.read() as session:
        return list(await session.scalars(select(Instance.id).order_by(Instance.id)))


async def make_all(archive):
    """Steps until nothing is left; each ends early on a slow machine."""
    while await archive.derivatives.step() != module.POLL_SECONDS:
        pass


async def until(holds):
    """Wait for other processes; the test's own time limit ends it."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def test_every_frame_gets_a_copy_and_every_image_a_thumbnail(archive):
    await keep(archive, multi_frame(5), *ct_series("1", 2, 64))
    await make_all(archive)
    made = await rows(archive)
    assert sorted(len(row.frames) for row in made) == [1, 1, 5]
    multi = max(made, key=lambda row: len(row.frames))
    copies = await archive.derivatives.find(multi.instance_key)
    for number, span in enumerate(copies.frames):
        decoded = imagecodecs.htj2k_decode(await archive.derivatives.read(multi.instance_key, span))
        assert np.all(decoded == number * 100)
    thumbnail = imagecodecs.jpeg_decode(await archive.derivatives.read(multi.instance_key, copies.thumbnail))
    assert thumbnail.shape[:2] == (128, 128)


async def test_what_has_none_is_asked_once_and_says_why(archive):
    await keep(archive, patient_study("no pixels"))
    await make_all(archive)
    (row,) = await rows(archive)
    assert (row.unfit, row.frames, row.thumbnail) == ("no_pixels", [], [])
    await make_all(archive)
    assert len(await rows(archive)) == 1


async def test_an_object_that_kills_its_worker_does_not_hold_up_the_rest(archive, monkeypatch):
    await keep(archive, *ct_series("1", 2, 16))
    monkeypatch.setattr(module, "derive", die)
    await make_all(archive)
    assert [row.unfit for row in await rows(archive)] == ["damaged"] * 2


async def test_another_recipe_makes_them_anew(archive, monkeypatch):
    await keep(archive, *ct_series("1", 1, 16))
    await make_all(archive)
    async with archive.database.write() as session:
        (row,) = await session.scalars(select(Derivative))
        row.recipe, row.frames = 0, [[0, 1]]
    assert await archive.derivatives.find(row.instance_key) is None
    await make_all(archive)
    (again,) = await rows(archive)
    assert again.recipe == htj2k.RECIPE
    assert again.frames != [[0, 1]]


async def test_copies_that_were_lost_are_made_again(archive):
    await keep(archive, *ct_series("1", 1, 16))
    await make_all(archive)
    (key,) = await keys(archive)
    copies = await archive.derivatives.find(key)
    await archive.derivatives._blobs.delete(key)
    assert await archive.derivatives.read(key, copies.frames[0]) is None
    await make_all(archive)
    copies = await archive.derivatives.find(key)
    assert await archive.derivatives.read(key, copies.frames[0])


async def test_those_of_a_deleted_instance_go_with_it(archive, tmp_path, monkeypatch):
    await keep(archive, *ct_series("1", 2, 16))
    first, second = await keys(archive)
    await make_all(archive)
    await archive.derivatives.forget([first])
    async with archive.database.write() as session:
        await session.execute(delete(Instance).where(Instance.id == first))
    blobs = [path.name for path in (tmp_path / "archive" / "derivatives" / "blobs").rglob("*") if path.is_file()]
    assert blobs == [second]
    # Deleted while its copies are under way: nothing of it stays.
    await archive.derivatives.forget([second])
    made = archive.derivatives._made

    async def late(due):
        derived = await made(due)
        async with archive.database.write() as session:
            await session.execute(delete(Instance).where(Instance.id == due.id))
        return derived

    monkeypatch.setattr(archive.derivatives, "_made", late)
    await make_all(archive)
    assert await rows(archive) == []
    assert not [path for path in (tmp_path / "archive" / "derivatives" / "blobs").rglob("*") if path.is_file()]


async def test_a_stop_in_the_middle_leaves_nothing_and_the_next_start_goes_on(sqlite_url, tmp_path):
    folder = tmp_path / "archive"
    async with archive_at(sqlite_url, folder) as archive:
        await keep(archive, multi_frame(400, 128))
        working = asyncio.create_task(archive.derivatives.step())
        spool = archive.derivatives._blobs._spool
        await until(lambda: any(path.stat().st_size for path in spool.iterdir()))
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        assert not list(spool.iterdir())
        assert await rows(archive) == []
        (key,) = await keys(archive)
    database = open_database(sqlite_url)
    async with open_archive(database, folder, Limits(worker_processes=1, derive_in_background=True)) as archive:
        await until(lambda: list((folder / "derivatives" / "blobs").rglob(key)))
        await archive.derivatives.close()
        await make_all(archive)
        (found,) = await rows(archive)
        assert len(found.frames) == 400
    await database.close()


async def test_originals_stay_untouched(archive):
    data = ct_series("1", 1, 16)[0]
    await keep(archive, data)
    await make_all(archive)
    async with archive.database.read() as session:
        (instance,) = await session.scalars(select(Instance))
    assert await archive.blobs.read(instance.blob_key) == to_bytes(data)


async def test_copies_of_instances_that_are_gone_are_removed_after_a_start(archive, tmp_path):
    await keep(archive, *ct_series("1", 2, 16))
    await make_all(archive)
    first, second = await keys(archive)
    async with archive.database.write() as session:
        await session.execute(delete(Instance).where(Instance.id == first))
    archive.derivatives._swept = False  # as after a start
    await make_all(archive)
    blobs = [path.name for path in (tmp_path / "archive" / "derivatives" / "blobs").rglob("*") if path.is_file()]
    assert blobs == [second]
