"""Delete, restore, erase, decide, verify and commit, as hospitals meet them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from imaging.archive import Keeping, Limits, open_archive
from imaging.dicom.remarks import RefusedAs
from imaging.dicomweb.app import routes
from imaging.errors import BlobAway
from imaging.guard import Access
from imaging.store.deletion import CannotReturn
from imaging.store.lifecycle import Apart, Holding
from imaging.store.moving import Path
from imaging.store.retention import BadPolicy, OnHold, StillKept
from imaging.store.tables import Instance, InstanceHeader, Series, Study
from tests.archives import HeaderGuard, archive_at, client_of
from tests.dicomweb import address, keep, series_address
from tests.samples import ct_series, ct_slice

PATIENT_SAFETY, RETENTION_OVER = "113037", "113039"
SHANGHAI_EXPERT = "expert"


class Now:
    """A clock that a test sets."""

    def __init__(self):
        self.moment = datetime(2026, 11, 27, tzinfo=UTC)

    def __call__(self):
        return self.moment


class Guard(HeaderGuard):
    """Wenzhou's system may delete; an expert in Shanghai sees one of Wenzhou's studies."""

    def __init__(self):
        super().__init__()
        self.shared = frozenset()

    async def access(self, request):
        if request.headers.get("Authorization") == f"Bearer {SHANGHAI_EXPERT}":
            return Access("user:expert", owners=frozenset({"SH01"}), study_ids=self.shared)
        found = await super().access(request)
        return Access(found.caller, found.store_as, found.owners, removes=found.owners)


@pytest.fixture
def now():
    return Now()


@pytest.fixture
async def archive(database_url, tmp_path, now):
    limits = Limits(worker_processes=1, keeping=Keeping(grace=timedelta(days=30)))
    async with (
        archive_at(database_url, tmp_path / "tables") as first,
        open_archive(first.database, tmp_path / "archive", limits, now) as archive,
    ):
        yield archive


@pytest.fixture
def guard():
    return Guard()


@pytest.fixture
async def wenzhou(archive, guard):
    async with client_of(routes(archive, guard)) as client:
        yield client


def study_path(data):
    return f"/dicom-web/studies/{data.StudyInstanceUID}"


async def bytes_of(client, data):
    return await (await client.get(address(data), headers={"Accept": "application/dicom"})).read()


async def counts(archive):
    async with archive.database.read() as session:
        return [
            await session.scalar(select(func.count()).select_from(one)) for one in (Series, Instance, InstanceHeader)
        ]


async def figures(archive):
    """(instances, bytes, series) as the study counts them, and as they are."""
    async with archive.database.read() as session:
        study = await session.scalar(select(Study))
        rows = await session.execute(select(func.count(), func.coalesce(func.sum(Instance.size_bytes), 0)))
        instances, size = rows.one()
        series = await session.scalar(select(func.count()).select_from(Series))
        return (study.instance_count, study.size_bytes, study.series_count), (instances, size, series)


async def holding(archive):
    async with archive.database.read() as session:
        row = await session.get(Holding, "WZ01")
        return row.instance_count, row.size_bytes


async def kinds(archive):
    return [row.kind for row in await archive.feed.page("WZ01", 0, 1000)]


async def test_t43_what_was_deleted_is_gone_for_those_who_saw_it_and_unknown_to_the_rest(archive, guard, wenzhou):
    first, second = ct_series("1", 2, 16)
    outcomes = await keep(archive, first, second)
    guard.shared = frozenset({outcomes[0].study_id})
    below = ("", "/metadata", "/rendered", "/thumbnail", "/frames/1", "/bulkdata/7FE00010")
    reply = await wenzhou.delete(f"{address(first)}?reason={PATIENT_SAFETY}")
    assert reply.status == 204
    assert [(await wenzhou.get(address(first) + part)).status for part in below] == [410] * len(below)
    assert (await (await wenzhou.get(address(first))).json())["code"] == "archive.deleted"
    assert (await wenzhou.get(address(second) + "/metadata")).status == 200
    found = await (await wenzhou.get(series_address(first) + "/instances")).json()
    assert len(found) == 1
    async with (
        client_of(routes(archive, guard), SHANGHAI_EXPERT) as expert,
        client_of(routes(archive, guard), "shanghai") as shanghai,
    ):
        assert (await expert.get(address(first))).status == 410
        assert (await shanghai.get(address(first))).status == 404
        assert (await wenzhou.delete(f"{study_path(first)}?reason={PATIENT_SAFETY}")).status == 204
        for part in ("", "/metadata", "/rendered", "/thumbnail"):
            assert (await wenzhou.get(study_path(first) + part)).status == 410
            assert (await expert.get(study_path(first) + part)).status == 410
            assert (await shanghai.get(study_path(first) + part)).status == 404
    assert (await wenzhou.get("/dicom-web/studies")).status == 204
    assert (await wenzhou.delete(f"{study_path(first)}?reason={PATIENT_SAFETY}")).status == 410
    assert [deed for _, deed, _ in guard.records].count("study.delete") == 2
    assert await kinds(archive) == ["stored", "stored", "deleted", "deleted"]


async def test_only_who_may_deletes_and_only_for_a_coded_reason(archive, wenzhou):
    data = ct_slice(count=1, size=16)
    await keep(archive, data)
    for query, status, code in [
        ("", 400, "archive.reason"),
        ("?reason=1", 400, "archive.reason"),
        (f"?reason={RETENTION_OVER}", 409, "archive.still_kept"),
    ]:
        reply = await wenzhou.delete(study_path(data) + query)
        assert (reply.status, (await reply.json())["code"]) == (status, code)
    async with client_of(routes(archive, HeaderGuard())) as doctor:
        reply = await doctor.delete(f"{study_path(data)}?reason={PATIENT_SAFETY}")
        assert (reply.status, (await reply.json())["code"]) == (403, "archive.may_not_delete")
    async with client_of(routes(archive, HeaderGuard()), "shanghai") as shanghai:
        assert (await shanghai.delete(f"{study_path(data)}?reason={PATIENT_SAFETY}")).status == 404
    assert (await counts(archive))[1] == 1


async def test_t29_t52_counts_and_etags_follow_a_deletion_at_once(archive, wenzhou):
    first, second = ct_series("1", 2, 16)
    await keep(archive, first, second)
    before = (await wenzhou.get(study_path(first) + "/metadata")).headers["ETag"]
    await archive.deletion.delete(Path("WZ01", first.StudyInstanceUID, None, first.SOPInstanceUID), PATIENT_SAFETY)
    told, counted = await figures(archive)
    assert told == counted
    assert (await wenzhou.get(study_path(first) + "/metadata", headers={"If-None-Match": before})).status == 200
    (study,) = await (await wenzhou.get("/dicom-web/studies")).json()
    assert study["00201208"]["Value"] == [1]


async def test_a_deleted_study_comes_back_whole_until_it_is_erased(archive, now, wenzhou):
    instances = ct_series("1", 3, 16)
    await keep(archive, *instances)
    bodies = [await bytes_of(wenzhou, data) for data in instances]
    held = await holding(archive)
    taken = await archive.deletion.delete(Path("WZ01", instances[0].StudyInstanceUID), PATIENT_SAFETY)
    assert (await counts(archive), await holding(archive)) == ([0, 0, 0], held)
    assert await archive.deletion.erase_due() == 0
    restored = await archive.deletion.restore("WZ01", taken.act)
    assert (restored.instances, restored.study_ids) == (3, [taken.study_key])
    assert [await bytes_of(wenzhou, data) for data in instances] == bodies
    told, counted = await figures(archive)
    assert told == counted
    assert (await kinds(archive))[-6:] == ["deleted"] * 3 + ["restored"] * 3


async def test_after_the_grace_period_the_bytes_are_erased_and_that_is_on_record(archive, now):
    data = ct_slice(count=1, size=16)
    await keep(archive, data)
    taken = await archive.deletion.delete(Path("WZ01", data.StudyInstanceUID), PATIENT_SAFETY)
    async with archive.database.read() as session:
        key = (await session.scalar(select(Apart))).blob_key
    now.moment += timedelta(days=31)
    hold = await archive.retention.place_hold("WZ01", data.StudyInstanceUID, "case 1", "user:admin")
    assert await archive.deletion.erase_due() == 0, "a legal hold keeps what is deleted already"
    await archive.retention.lift_hold("WZ01", hold.id, "user:admin")
    assert await archive.deletion.erase_due() == 1
    with pytest.raises(BlobAway):
        await archive.blobs.read(key)
    assert await holding(archive) == (0, 0)
    with pytest.raises(Exception, match="kept apart"):
        await archive.deletion.restore("WZ01", taken.act)
    assert await kinds(archive) == ["stored", "deleted", "erased"]
    assert await archive.deletion.erase_due() == 0


async def test_a_deleted_instance_does_not_come_back_by_being_sent_again(archive, now):
    data, corrected = ct_slice(count=1, size=16), ct_slice(count=1, size=16)
    corrected.PatientID = "P2"
    await keep(archive, data)
    await archive.deletion.delete(Path("WZ01", data.StudyInstanceUID), PATIENT_SAFETY)
    (again,) = await keep(archive, data)
    assert (again.kind, again.word) == ("refused", RefusedAs.DELETED)
    (other,) = await keep(archive, corrected)
    assert other.kind == "stored"
    async with archive.database.read() as session:
        assert (await session.scalar(select(Study))).patient_id == "P2", "the emptied study describes what came to it"


async def test_a_legal_hold_and_the_retention_period_block_deletion(archive, now):
    data = ct_slice(count=1, size=16)
    await keep(archive, data)
    path = Path("WZ01", data.StudyInstanceUID)
    hold = await archive.retention.place_hold("WZ01", data.StudyInstanceUID, "case 1", "user:admin")
    with pytest.raises(OnHold):
        await archive.deletion.delete(path, PATIENT_SAFETY)
    await archive.retention.lift_hold("WZ01", hold.id, "user:admin")
    with pytest.raises(StillKept):
        await archive.deletion.delete(path, RETENTION_OVER)
    with pytest.raises(BadPolicy):
        await archive.retention.set_policy("WZ01", "outpatient", 14, automatic=True, by="user:admin")
    assert (await archive.retention.would_delete("WZ01")).study_count == 0
    now.moment = datetime(2041, 11, 24, tzinfo=UTC)
    assert (await archive.retention.would_delete("WZ01")).study_count == 0, "thirty years unless told otherwise"
    assert await archive.deletion.delete_overdue() == 0
    await archive.retention.set_policy("WZ01", "outpatient", 15, automatic=True, by="user:admin")
    overdue = await archive.retention.would_delete("WZ01")
    assert (overdue.study_count, overdue.studies[0][:2]) == (1, (data.StudyInstanceUID, "20261123"))
    assert await archive.deletion.delete_overdue() == 1
    assert (await counts(archive))[1] == 0


async def test_t57_twenty_writers_beside_deletes_leave_exact_counts(archive):
    instances = ct_series("busy", 20, 16)
    await keep(archive, *instances[:6])
    path = Path("WZ01", instances[0].StudyInstanceUID)

    async def delete(data):
        await archive.deletion.delete(path._replace(sop_instance_uid=data.SOPInstanceUID), PATIENT_SAFETY)

    await asyncio.gather(*(keep(archive, data) for data in instances), *(delete(data) for data in instances[:6]))
    told, counted = await figures(archive)
    assert told == counted
    assert told[0] == 14
    numbers = [row.number for row in await archive.feed.page("WZ01", 0, 1000)]
    assert numbers == list(range(1, len(numbers) + 1))
    async with archive.database.read() as session:
        apart = await session.scalar(select(func.coalesce(func.sum(Apart.size_bytes), 0)))
    assert (await holding(archive))[1] == counted[1] + apart


async def test_a_person_chooses_which_bytes_are_served_and_the_other_stay(archive, wenzhou):
    first, other = ct_slice(count=1, size=16), ct_slice(count=1, size=16)
    other.SeriesDescription = "other"
    await keep(archive, first, other)
    (row,) = await archive.inventory.waiting("WZ01")
    compared = await archive.inventory.compare("WZ01", row.id)
    served = await bytes_of(wenzhou, first)
    assert (compared.count, [tag for tag, _, _ in compared.differences]) == (1, ["0008103E"])
    await archive.deletion.release("WZ01", [row.id])
    chosen = await bytes_of(wenzhou, first)
    assert (b"other" in chosen) != (b"other" in served)
    (waiting,) = await archive.inventory.waiting("WZ01")
    await archive.deletion.release("WZ01", [waiting.id])
    assert await bytes_of(wenzhou, first) == served
    assert (await figures(archive))[0][0] == 1


async def test_a_quarantined_instance_is_released_into_the_study_or_rejected(archive):
    first, second, third = ct_series("1", 3, 16)
    second.PatientID = third.PatientID = "P9"
    await keep(archive, first)
    await keep(archive, second, third)
    rows = {row.sop_instance_uid: row.id for row in await archive.inventory.waiting("WZ01")}
    await archive.deletion.release("WZ01", [rows[second.SOPInstanceUID]])
    await archive.deletion.reject("WZ01", [rows[third.SOPInstanceUID]])
    told, counted = await figures(archive)
    assert told == counted
    assert told[0] == 2
    assert await archive.inventory.waiting("WZ01") == []
    assert (await kinds(archive))[-2:] == ["released", "rejected"]
    (again,) = await keep(archive, second)
    assert again.kind == "already_stored"


async def blob_path(archive):
    async with archive.database.read() as session:
        key = await session.scalar(select(Instance.blob_key))
    return await archive.blobs.local_path(key)


async def test_damaged_bytes_are_found_told_and_never_served(archive, wenzhou):
    data = ct_slice(count=1, size=16)
    await keep(archive, data)
    path = await blob_path(archive)
    whole = await asyncio.to_thread(path.read_bytes)
    await archive.verifier.begin("user:admin")
    await archive.verifier.step()
    (run,) = await archive.verifier.runs()
    assert (run.checked_instances, run.damaged_instances, run.finished_at is not None) == (1, 0, True)
    await asyncio.to_thread(path.write_bytes, whole[:-1] + bytes([whole[-1] ^ 1]))
    await archive.verifier.begin("user:admin", "WZ01")
    await archive.verifier.step()
    assert [(one.sop_instance_uid, one.found) for one in await archive.verifier.damaged()] == [
        (data.SOPInstanceUID, "differs")
    ]
    assert (await wenzhou.get(address(data))).status == 503
    with pytest.raises(CannotReturn):
        taken = await archive.deletion.delete(Path("WZ01", data.StudyInstanceUID), PATIENT_SAFETY)
        await archive.deletion.restore("WZ01", taken.act)
    await asyncio.to_thread(path.write_bytes, whole)
    await archive.deletion.restore("WZ01", taken.act)
    assert (await wenzhou.get(address(data))).status == 200


async def test_a_run_goes_on_where_it_stopped_and_a_scheduled_one_begins_in_time(archive, now, monkeypatch):
    monkeypatch.setattr("imaging.store.verification.AT_ONCE", 2)
    await keep(archive, *ct_series("1", 5, 16))
    archive.verifier._every = timedelta(days=7)
    for checked in (2, 4, 5):
        await archive.verifier.step()
        (run,) = await archive.verifier.runs()
        assert run.checked_instances == checked
    await archive.verifier.step()
    assert len(await archive.verifier.runs()) == 1
    now.moment += timedelta(days=7)
    await archive.verifier.step()
    assert len(await archive.verifier.runs()) == 2


def asking(*references):
    items = [
        {"00081150": {"vr": "UI", "Value": [kind]}, "00081155": {"vr": "UI", "Value": [uid]}}
        for kind, uid in references
    ]
    return {"00081199": {"vr": "SQ", "Value": items}}


async def test_storage_commitment_answers_for_each_instance(archive, wenzhou, guard):
    data = ct_slice(count=1, size=16)
    await keep(archive, data)
    kind, uid = data.SOPClassUID, data.SOPInstanceUID
    path = "/dicom-web/commitment-requests/1.2.3"
    reply = await wenzhou.post(path, json=asking((kind, uid), (kind, "1.9"), ("1.2.840.10008.5.1.4.1.1.4", uid)))
    answer = await reply.json()
    assert reply.status == 200
    assert [item["00081155"]["Value"] for item in answer["00081199"]["Value"]] == [[uid]]
    assert [item["00081197"]["Value"] for item in answer["00081198"]["Value"]] == [[0x0112], [0x0119]]
    assert await (await wenzhou.get(path)).json() == answer
    assert (await wenzhou.post(path, json=asking((kind, uid)))).status == 409
    assert (await wenzhou.get("/dicom-web/commitment-requests/1.2.4")).status == 404
    assert (await wenzhou.post("/dicom-web/commitment-requests/1.2.5", json={})).status == 400
    await asyncio.to_thread((await blob_path(archive)).unlink)
    reply = await wenzhou.post("/dicom-web/commitment-requests/1.2.6", json=asking((kind, uid)))
    assert (await reply.json())["00081198"]["Value"][0]["00081197"]["Value"] == [0x0110]
    async with client_of(routes(archive, guard), "shanghai") as shanghai:
        assert (await shanghai.get(path)).status == 404
        reply = await shanghai.post(path, json=asking((kind, uid)))
        assert "00081199" not in await reply.json()


async def test_a_long_commitment_is_worked_out_later(archive, wenzhou, monkeypatch):
    monkeypatch.setattr("imaging.store.commitment.AT_ONCE", 1)
    instances = ct_series("1", 2, 16)
    await keep(archive, *instances)
    path = "/dicom-web/commitment-requests/1.2.3"
    asked = asking(*((data.SOPClassUID, data.SOPInstanceUID) for data in instances))
    assert (await wenzhou.post(path, json=asked)).status == 202
    waiting = await wenzhou.get(path)
    assert (waiting.status, waiting.headers["Retry-After"]) == (202, "5")
    await archive.commitments.step()
    assert len((await (await wenzhou.get(path)).json())["00081199"]["Value"]) == 2
