import asyncio
import errno
import json
import zlib

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from foundation.errors import Forbidden
from imaging.dicom.remarks import RefusedAs
from imaging.guard import Access
from imaging.store import ingest as ingest_module
from imaging.store.ingest import Held, Spooled
from imaging.store.lifecycle import Apart
from imaging.store.tables import Instance, InstanceHeader, Series, Study
from tests.archives import SHANGHAI, VISITOR, WENZHOU, archive_at
from tests.hostile import die, stumble
from tests.samples import ct_series, ct_slice, set_raw, to_bytes


@pytest.fixture
async def archive(database_url, tmp_path):
    async with archive_at(database_url, tmp_path / "archive") as archive:
        yield archive


@pytest.fixture
async def small_archive(sqlite_url, tmp_path):
    async with archive_at(sqlite_url, tmp_path / "archive") as archive:
        yield archive


async def store(archive, body, access=WENZHOU, **expected):
    path = await archive.blobs.spool()
    await asyncio.to_thread(path.write_bytes, body)
    outcome = await archive.ingest.store(access, path, **expected)
    assert not await asyncio.to_thread(path.exists)
    return outcome


async def rows(archive, entity):
    async with archive.database.read() as session:
        return list(await session.scalars(select(entity)))


async def counts(archive):
    async with archive.database.read() as session:
        entities = (Study, Series, Instance, InstanceHeader, Apart)
        return [await session.scalar(select(func.count()).select_from(entity)) for entity in entities]


def blob_files(tmp_path):
    return [path for path in (tmp_path / "archive" / "blobs").rglob("*") if path.is_file()]


async def test_a_stored_instance_is_described_in_every_table(archive):
    body = to_bytes(ct_slice(count=1, size=16))
    outcome = await store(archive, body)
    assert (outcome.kind, outcome.failure_reason, outcome.warning_reason) == ("stored", None, None)
    (study,), (series,), (instance,), (header,) = [
        await rows(archive, entity) for entity in (Study, Series, Instance, InstanceHeader)
    ]
    assert (study.id, study.owner, study.revision, study.size_bytes) == (outcome.study_id, "WZ01", 1, len(body))
    assert (study.patient_name_key, study.study_description) == ("wangxiaodong 王小东", "胸部CT平扫")
    assert (series.modality, series.series_number, series.instance_count) == ("CT", 2, 1)
    assert (instance.rows, instance.instance_number, instance.remarks) == (16, 1, [])
    assert await archive.blobs.read(instance.blob_key) == body
    assert json.loads(zlib.decompress(header.metadata_json))["00100020"]["Value"] == ["P1"]
    assert header.layout["pixels"]["number_of_frames"] == 1


async def test_instances_at_the_same_time_share_transactions_and_count_exactly(archive):
    commits = []
    event.listen(archive.database.engine.sync_engine, "commit", lambda connection: commits.append(1))
    bodies = [to_bytes(data) for data in ct_series("many", 20, 16)]
    outcomes = await asyncio.gather(*(store(archive, body) for body in [*bodies, *bodies]))
    kinds = sorted(outcome.kind for outcome in outcomes)
    assert kinds == ["already_stored"] * 20 + ["stored"] * 20
    (study,) = await rows(archive, Study)
    (series,) = await rows(archive, Series)
    assert (study.series_count, study.instance_count, series.instance_count) == (1, 20, 20)
    assert study.size_bytes == sum(map(len, bodies))
    assert len(commits) < 20


async def test_two_writers_on_one_database_count_exactly(database_url, tmp_path):
    """As two processes of the service would: each has its own batches."""
    bodies = [to_bytes(data) for data in ct_series("many", 12, 16)]
    async with (
        archive_at(database_url, tmp_path / "archive") as one,
        archive_at(database_url, tmp_path / "archive") as two,
    ):
        await asyncio.gather(*(store(archive, body) for body in bodies for archive in (one, two)))
        (study,) = await rows(one, Study)
        assert (study.series_count, study.instance_count) == (1, 12)
        assert await counts(one) == [1, 1, 12, 12, 0]


async def test_other_bytes_are_set_aside_once_and_never_replace_the_first(archive, tmp_path):
    first, other = ct_slice(count=1, size=16), ct_slice(count=1, size=16)
    other.PatientID = "OTHER"
    stored = await store(archive, to_bytes(first))
    for _ in range(2):
        outcome = await store(archive, to_bytes(other))
        assert (outcome.kind, outcome.failure_reason, outcome.study_id) == ("conflict", 0x0111, stored.study_id)
        assert outcome.word == RefusedAs.DIFFERENT_BYTES
    assert await counts(archive) == [1, 1, 1, 1, 1]
    assert len(blob_files(tmp_path)) == 2
    (study,) = await rows(archive, Study)
    assert (study.patient_id, study.instance_count) == ("P1", 1)


async def test_t12_the_same_uids_live_side_by_side_for_two_owners(archive):
    one = ct_slice(count=1, size=16)
    assert (await store(archive, to_bytes(one))).kind == "stored"
    assert (await store(archive, to_bytes(one), SHANGHAI)).kind == "stored"
    assert await counts(archive) == [2, 2, 2, 2, 0]


async def test_text_longer_than_its_column_is_cut_in_the_index_only(archive):
    data = ct_slice(count=1, size=16)
    set_raw(data, "StudyDescription", "LO", b"x" * 600)
    set_raw(data, "StudyID", "SH", b"a\x00b")
    assert (await store(archive, to_bytes(data))).kind == "stored"
    (study,) = await rows(archive, Study)
    assert (len(study.study_description), study.study_id) == (512, "a b")


async def test_dying_between_bytes_and_commit_leaves_nothing_visible(small_archive, tmp_path, monkeypatch):
    written = ingest_module.records.write

    def cut(*arguments):
        written(*arguments)
        raise RuntimeError("power cut")

    body = to_bytes(ct_slice(count=1, size=16))
    with monkeypatch.context() as patch:
        patch.setattr(ingest_module.records, "write", cut)
        with pytest.raises(RuntimeError, match="power cut"):
            await store(small_archive, body)
    assert await counts(small_archive) == [0, 0, 0, 0, 0]
    assert len(blob_files(tmp_path)) == 1
    assert (await store(small_archive, body)).kind == "stored"


async def test_a_failing_index_is_told_and_keeps_no_row_and_no_name_in_the_log(small_archive, monkeypatch, caplog):
    def away(*_):
        raise OperationalError("INSERT", {"patient_name": "Wang^XiaoDong"}, Exception("Wang^XiaoDong"))

    body = to_bytes(ct_slice(count=1, size=16))
    with monkeypatch.context() as patch:
        patch.setattr(ingest_module.records, "write", away)
        outcome = await store(small_archive, body)
    assert (outcome.word, outcome.failure_reason) == (RefusedAs.INDEX_AWAY, 0x0110)
    assert "could not be stored" in caplog.text
    assert "Wang" not in caplog.text
    assert await counts(small_archive) == [0, 0, 0, 0, 0]
    assert (await store(small_archive, body)).kind == "stored"


@pytest.mark.parametrize(
    ("number", "word", "reason"),
    [(errno.ENOSPC, RefusedAs.DISK_FULL, 0xA700), (errno.EIO, RefusedAs.DISK_FAILS, 0x0110)],
)
async def test_a_failing_disk_is_told(small_archive, monkeypatch, number, word, reason):
    async def refuse(*_):
        raise OSError(number, "no")

    monkeypatch.setattr(small_archive.blobs, "keep", refuse)
    outcome = await store(small_archive, to_bytes(ct_slice(count=1, size=16)))
    assert (outcome.word, outcome.failure_reason) == (word, reason)


async def test_a_file_that_kills_its_reader_costs_only_itself(small_archive, monkeypatch):
    body = to_bytes(ct_slice(count=1, size=16))
    with monkeypatch.context() as patch:
        patch.setattr(ingest_module, "examine", die)
        outcome = await store(small_archive, body)
    assert (outcome.word, outcome.failure_reason) == (RefusedAs.READER_DIED, 0x0110)
    assert (await store(small_archive, body)).kind == "stored"


@pytest.mark.parametrize("reader", ["examine", "examine_plain"])
async def test_a_gap_in_the_reader_costs_only_its_own_file(small_archive, monkeypatch, caplog, reader):
    body = to_bytes(ct_slice(count=1, size=16))
    with monkeypatch.context() as patch:
        patch.setattr(ingest_module, reader, stumble)
        path = await small_archive.blobs.spool()
        await asyncio.to_thread(path.write_bytes, body)
        received = Spooled(path) if reader == "examine" else Held(body)
        (outcome,) = await small_archive.ingest.store_all(WENZHOU, [received])
    assert (outcome.word, outcome.failure_reason) == (RefusedAs.READER_DIED, 0x0110)
    assert "nobody foresaw" not in caplog.text
    assert (await store(small_archive, body)).kind == "stored"


async def test_another_study_than_expected_is_refused(small_archive):
    data = ct_slice(count=1, size=16)
    outcome = await store(small_archive, to_bytes(data), expected_study_uid="1.2.3")
    assert (outcome.kind, outcome.failure_reason) == ("refused", 0xA901)
    assert outcome.sop_instance_uid == data.SOPInstanceUID
    assert (await store(small_archive, to_bytes(data), expected_study_uid=data.StudyInstanceUID)).kind == "stored"


async def test_who_may_not_store_is_refused_and_the_file_is_gone(small_archive):
    path = await small_archive.blobs.spool()
    await asyncio.to_thread(path.write_bytes, b"x")
    with pytest.raises(Forbidden):
        await small_archive.ingest.store(VISITOR, path)
    assert not await asyncio.to_thread(path.exists)


async def test_details_name_no_patient(small_archive):
    data = ct_slice(count=1, size=16)
    del data.SeriesInstanceUID
    outcome = await store(small_archive, to_bytes(data), Access("key", store_as="WZ01"))
    assert outcome.detail
    assert "Wang" not in outcome.detail
    assert str(data.PatientID) not in outcome.detail
