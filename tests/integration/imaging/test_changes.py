"""The change feed, quarantine and quotas as a sender and a follower meet them."""

import asyncio

import pytest
from sqlalchemy import insert, select, update

from imaging.dicom.remarks import RefusedAs
from imaging.dicomweb.app import routes
from imaging.store.lifecycle import Apart, Holding
from imaging.store.tables import Instance, Study
from tests.archives import HeaderGuard, archive_at, client_of
from tests.dicomweb import keep
from tests.samples import ct_series, ct_slice


@pytest.fixture
async def archive(database_url, tmp_path):
    async with archive_at(database_url, tmp_path / "archive") as archive:
        yield archive


async def follow(archive, owner, after=0):
    """Everything after a number, page by page, as a reader that stops and goes on."""
    found = []
    while page := await archive.feed.page(owner, after, 7):
        found += page
        after = page[-1].number
    return found


async def holding(archive, owner="WZ01"):
    async with archive.database.read() as session:
        return await session.get(Holding, owner)


async def test_t60_changes_have_no_gaps_while_several_write_and_several_read(archive, database_url, tmp_path):
    """Two archives on one database are two processes; a reader that sees a number has seen all before it."""
    instances = [data for key in "abcdef" for data in ct_series(key, 5, 16)]
    seen = [[], []]

    async def read(numbers):
        while len(numbers) < len(instances):
            after = numbers[-1] if numbers else 0
            numbers += [row.number for row in await archive.feed.page("WZ01", after, 3, wait_seconds=30)]

    async with archive_at(database_url, tmp_path / "archive") as other:
        readers = [asyncio.create_task(read(numbers)) for numbers in seen]
        await asyncio.gather(keep(archive, *instances[::2]), keep(other, *instances[1::2]))
        await asyncio.gather(*readers)
    assert seen == [list(range(1, len(instances) + 1))] * 2
    rows = await follow(archive, "WZ01")
    assert sorted(row.sop_instance_uid for row in rows) == sorted(data.SOPInstanceUID for data in instances)
    assert {row.kind for row in rows} == {"stored"}
    assert (await holding(archive)).instance_count == len(instances)


async def test_t60_a_follower_sees_its_own_hospital_alone_and_goes_on_from_its_cursor(archive):
    await keep(archive, *ct_series("1", 3, 16))
    guard = HeaderGuard()
    async with client_of(routes(archive, guard)) as wenzhou:
        first = await (await wenzhou.get("/dicom-web/changes?limit=2")).json()
        assert ([item["number"] for item in first["items"]], first["next"], first["more"]) == ([1, 2], 2, True)
        rest = await (await wenzhou.get(f"/dicom-web/changes?after={first['next']}")).json()
        assert ([item["number"] for item in rest["items"]], rest["more"]) == ([3], False)
        assert (await wenzhou.get("/dicom-web/changes?after=-1")).status == 400
    async with client_of(routes(archive, guard), "shanghai") as shanghai:
        assert (await shanghai.get("/dicom-web/changes")).status == 204
        assert (await shanghai.get("/dicom-web/hospitals/WZ01/changes")).status == 404
    async with client_of(routes(archive, guard), "visitor") as visitor:
        assert (await visitor.get("/dicom-web/changes")).status == 404


async def test_another_patient_under_a_studys_uid_is_set_aside_and_told(archive):
    first, other = ct_series("1", 2, 16)
    other.PatientID, other.PatientSex = "P9", "F"
    await keep(archive, first)
    for _ in range(2):
        (outcome,) = await keep(archive, other)
        assert (outcome.kind, outcome.word, outcome.failure_reason) == ("refused", RefusedAs.OTHER_PATIENT, 0x0110)
    async with archive.database.read() as session:
        (apart,) = await session.scalars(select(Apart))
        assert apart.differences == [["patient_id", "P1", "P9"], ["patient_sex", "M", "F"]]
        assert await archive.blobs.read(apart.blob_key)
        (study,) = await session.scalars(select(Study))
        assert (study.instance_count, study.patient_id) == (1, "P1")
    assert [row.kind for row in await follow(archive, "WZ01")] == ["stored", "quarantined"]


async def test_one_sop_instance_uid_in_two_studies_of_a_hospital_is_set_aside(archive):
    one, two = ct_slice(count=1, size=16), ct_slice(count=1, size=16)
    two.StudyInstanceUID = "1.2.3"
    await keep(archive, one)
    (outcome,) = await keep(archive, two)
    assert outcome.word == RefusedAs.OTHER_STUDY
    async with archive.database.read() as session:
        (apart,) = await session.scalars(select(Apart))
        assert apart.differences == [["study_instance_uid", one.StudyInstanceUID, "1.2.3"]]
        assert len(list(await session.scalars(select(Instance)))) == 1


async def test_over_the_hard_limit_an_instance_is_refused_and_the_rest_of_the_world_goes_on(archive):
    instances = ct_series("1", 4, 16)
    async with archive.database.write() as session:
        row = {"instance_count": 0, "size_bytes": 0, "last_change": 0, "hard_instances": 3}
        await session.execute(insert(Holding).values(owner="WZ01", **row))
    outcomes = await keep(archive, *instances)
    refused = [outcome for outcome in outcomes if outcome.kind == "refused"]
    assert [(outcome.word, outcome.failure_reason) for outcome in refused] == [(RefusedAs.OVER_QUOTA, 0xA700)]
    held = await holding(archive)
    async with archive.database.read() as session:
        sizes = list(await session.scalars(select(Instance.size_bytes)))
    assert (held.instance_count, held.size_bytes, held.last_change) == (3, sum(sizes), 3)
    async with archive.database.write() as session:
        await session.execute(update(Holding).values(hard_instances=None, hard_bytes=held.size_bytes))
    again = await keep(archive, *instances)
    assert sorted(outcome.kind for outcome in again) == ["already_stored"] * 3 + ["refused"]
