import asyncio
import gzip

import pytest
from aiohttp import MultipartWriter
from dicomweb_client.api import DICOMwebClient
from pydicom import dcmread
from sqlalchemy import func, select

from imaging.archive import Limits
from imaging.dicomweb import stow
from imaging.store.lifecycle import Apart
from imaging.store.tables import Instance, Study, Upload
from tests.archives import HeaderGuard, archive_at, client_of
from tests.samples import ct_series, ct_slice, named, to_bytes, uid, with_uid

BOUNDARY = "a-boundary"
MULTIPART = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
DICOM = {"Content-Type": "application/dicom"}


def joined(*bodies, part_type="application/dicom", end=True):
    head = f"--{BOUNDARY}\r\nContent-Type: {part_type}\r\n\r\n".encode()
    whole = b"".join(head + body + b"\r\n" for body in bodies)
    return whole + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def slices(key="1", count=3):
    return [to_bytes(data) for data in ct_series(key, count, 16)]


@pytest.fixture
def guard():
    return HeaderGuard()


@pytest.fixture
async def archive(database_url, tmp_path):
    async with archive_at(database_url, tmp_path / "archive") as archive:
        yield archive


@pytest.fixture
async def small_archive(sqlite_url, tmp_path):
    limits = Limits(max_part_bytes=4000, max_request_parts=3, worker_processes=1)
    async with archive_at(sqlite_url, tmp_path / "archive", limits) as archive:
        yield archive


@pytest.fixture
async def client(archive, guard):
    async with client_of(stow.routes(archive, guard)) as client:
        yield client


@pytest.fixture
async def small_client(small_archive, guard):
    async with client_of(stow.routes(small_archive, guard)) as client:
        yield client


async def post(client, body, path="/dicom-web/studies", content_type=MULTIPART, **headers):
    reply = await client.post(path, data=body, headers={"Content-Type": content_type, **headers})
    return reply, await reply.json(content_type=None)


def items(answer, tag):
    return answer[tag]["Value"] if tag in answer else []


def stored(answer):
    return [item["00081155"]["Value"][0] for item in items(answer, "00081199")]


def failures(answer):
    return [item["00081197"]["Value"][0] for item in items(answer, "00081198")]


async def count(archive, entity):
    async with archive.database.read() as session:
        return await session.scalar(select(func.count()).select_from(entity))


async def test_a_series_is_stored_and_counted(client, archive, guard):
    reply, answer = await post(client, joined(*slices()))
    assert reply.status == 200
    assert reply.content_type == "application/dicom+json"
    study = f"http://{client.host}:{client.port}/dicom-web/studies/{uid('1', 'study')}"
    assert answer["00081190"] == {"vr": "UR", "Value": [study]}
    assert stored(answer) == [uid("1", "instance", index) for index in range(3)]
    assert items(answer, "00081199")[0]["00081190"]["Value"][0].startswith(f"{study}/series/")
    assert "00081198" not in answer
    async with archive.database.read() as session:
        row = await session.scalar(select(Study))
    assert (row.series_count, row.instance_count, row.patient_name) == (1, 3, "Wang^XiaoDong=王^小东")
    assert guard.records == [("key:wz", "study.store", row.id)]


async def test_the_stored_bytes_are_those_sent(client, archive):
    sent = slices(count=1)[0]
    await post(client, sent, content_type="application/dicom")
    async with archive.database.read() as session:
        key = await session.scalar(select(Instance.blob_key))
    assert await archive.blobs.read(key) == sent


@pytest.mark.parametrize(
    "content_type",
    [
        f"multipart/related; type=application/dicom; boundary={BOUNDARY}",
        f'multipart/related; boundary="{BOUNDARY}"; type="application/dicom"',
        f"multipart/related; boundary={BOUNDARY}",
        f'multipart/related; type="application/dicom; transfer-syntax=*"; boundary={BOUNDARY}',
    ],
)
async def test_content_types_as_clients_write_them(small_client, content_type):
    reply, _ = await post(small_client, joined(*slices(count=1)), content_type=content_type)
    assert reply.status == 200


async def test_a_boundary_of_all_legal_specials_and_data_like_it(small_client):
    boundary = "a'()+_,-./:=?b"
    data = ct_slice(count=1, size=16)
    data.add_new(0x00420011, "OB", f"\r\n--{boundary[:-1]}\r\n\r\n--\r\n".encode())
    body = joined(to_bytes(data)).replace(f"--{BOUNDARY}".encode(), f"--{boundary}".encode())
    reply, _ = await post(
        small_client, b"preamble\r\n" + body + b"epilogue", content_type=f'multipart/related; boundary="{boundary}"'
    )
    assert reply.status == 200


async def test_a_chunked_body_of_the_aiohttp_writer(small_client):
    writer = MultipartWriter("related")
    for body in slices(count=2):
        writer.append(body, {"Content-Type": "application/dicom"})

    async def pieces():
        yield b"".join([part async for part in _written(writer)])

    reply, answer = await post(small_client, pieces(), content_type=writer.content_type)
    assert reply.status == 200
    assert len(stored(answer)) == 2


async def _written(writer):
    class Sink:
        def __init__(self):
            self.pieces = []

        async def write(self, data):
            self.pieces.append(bytes(data))

    sink = Sink()
    await writer.write(sink)
    for piece in sink.pieces:
        yield piece


async def test_dicomweb_client_stores(client):
    address = f"http://{client.host}:{client.port}/dicom-web"

    def send():
        sender = DICOMwebClient(address, headers={"Authorization": "Bearer wenzhou"})
        with sender._session:
            return sender.store_instances(ct_series("dw", 2, 16))

    answer = await asyncio.to_thread(send)
    assert len(answer.ReferencedSOPSequence) == 2


async def test_a_client_that_waits_for_100_continue_as_curl_does(small_client):
    reply = await small_client.post("/dicom-web/studies", data=slices(count=1)[0], headers=DICOM, expect100=True)
    assert reply.status == 200


async def test_the_same_bytes_again_are_a_success_without_a_new_row(client, archive):
    body = slices(count=1)[0]
    await post(client, joined(body))
    reply, answer = await post(client, joined(body, body))
    assert reply.status == 200
    assert len(stored(answer)) == 2
    assert reply.headers["Warning"] == '299 archive "already_stored"'
    assert await count(archive, Instance) == 1


async def test_other_bytes_under_the_same_uids_are_a_conflict_and_the_first_stays(client, archive):
    first, second = ct_slice(count=1, size=16), ct_slice(count=1, size=16)
    second.PatientID = "OTHER"
    await post(client, joined(to_bytes(first)))
    reply, answer = await post(client, joined(to_bytes(second), *slices("2", 1)))
    assert reply.status == 202
    assert failures(answer) == [0x0111]
    assert items(answer, "00081198")[0]["00081155"]["Value"] == [first.SOPInstanceUID]
    assert "different_bytes" in reply.headers["Warning"]
    assert (await count(archive, Instance), await count(archive, Apart)) == (2, 1)
    await post(client, joined(to_bytes(second)))
    assert await count(archive, Apart) == 1


async def test_two_hospitals_hold_the_same_uids_side_by_side(client, archive, guard):
    body = slices(count=1)[0]
    await post(client, joined(body))
    reply, _ = await post(client, joined(body), Authorization="Bearer shanghai")
    assert reply.status == 200
    assert "Warning" not in reply.headers
    async with archive.database.read() as session:
        owners = list(await session.scalars(select(Study.owner).order_by(Study.owner)))
    assert owners == ["SH01", "WZ01"]


async def test_a_broken_part_costs_only_itself(client, archive):
    good = slices()
    truncated = good[2][:600]
    reply, answer = await post(client, joined(good[0], b"not DICOM", truncated, b"", good[1]))
    assert reply.status == 202
    assert failures(answer) == [0xC001, 0xC004, 0xC001]
    assert "00081155" not in items(answer, "00081198")[0]
    assert stored(answer) == [uid("1", "instance", 0), uid("1", "instance", 1)]
    assert await count(archive, Instance) == 2


async def test_nothing_readable_is_409_with_items(small_client, guard):
    reply, answer = await post(small_client, joined(b"not DICOM"))
    assert reply.status == 409
    assert failures(answer) == [0xC001]
    assert answer["00081190"] == {"vr": "UR"}
    assert "00081199" not in answer
    assert guard.records == [("key:wz", "study.store", None)]


async def test_t07_warnings_make_202_with_their_reason(small_client):
    data = ct_slice(count=1, size=16)
    del data.PatientID
    reply, answer = await post(small_client, to_bytes(data), content_type="application/dicom")
    assert reply.status == 202
    assert items(answer, "00081199")[0]["00081196"]["Value"] == [0xB007]
    assert reply.headers["Warning"] == '299 archive "patient_id_missing"'


async def test_a_repaired_name_is_a_note_and_no_warning(small_client, small_archive):
    reply, _ = await post(small_client, to_bytes(named("gbk_labelled_latin1")), content_type="application/dicom")
    assert reply.status == 200
    assert reply.headers["Warning"] == '299 archive "charset_repaired"'
    async with small_archive.database.read() as session:
        row = await session.scalar(select(Study))
    assert (row.patient_name, row.patient_name_key) == ("Wang^XiaoDong=王^小东", "wangxiaodong 王小东")


async def test_the_study_of_the_address_is_the_only_one_taken(client):
    path = f"/dicom-web/studies/{uid('1', 'study')}"
    reply, answer = await post(client, joined(*slices("1", 1), *slices("2", 1)), path)
    assert reply.status == 202
    assert failures(answer) == [0xA901]
    reply, answer = await post(client, joined(*slices("2", 1)), path)
    assert reply.status == 409
    assert failures(answer) == [0xA901]


@pytest.mark.parametrize("study", ["1.2%2F..%2Fx", "1" * 65, "..", "%E7%8E%8B"])
async def test_an_address_without_a_usable_study_uid_is_400(small_client, study):
    reply, answer = await post(small_client, joined(b""), f"/dicom-web/studies/{study}")
    assert (reply.status in {400, 404}, reply.content_type) == (True, "application/problem+json")
    assert answer["code"] in {"store.study_uid", "not_found"}


async def test_several_studies_leave_the_retrieve_url_empty(client):
    reply, answer = await post(client, joined(*slices("1", 1), *slices("2", 1)))
    assert reply.status == 200
    assert answer["00081190"] == {"vr": "UR"}


async def test_a_part_over_the_limit_fails_and_the_rest_goes_on(small_client, small_archive):
    large = to_bytes(ct_slice("big", count=1, size=64))
    reply, answer = await post(small_client, joined(large, *slices("1", 1)))
    assert reply.status == 202
    assert failures(answer) == [0xA701]
    assert await count(small_archive, Instance) == 1


async def test_a_part_of_another_type_fails_and_the_rest_goes_on(small_client):
    body = joined(b"{}", part_type="application/json", end=False) + joined(*slices("1", 1))
    reply, answer = await post(small_client, body)
    assert reply.status == 202
    assert failures(answer) == [0xC006]
    assert len(stored(answer)) == 1


async def test_more_parts_than_allowed_is_413_naming_what_was_stored(small_client):
    reply, answer = await post(small_client, joined(*slices(count=4)))
    assert (reply.status, answer["code"], answer["stored_count"]) == (413, "store.too_many_parts", 3)


@pytest.mark.parametrize(
    ("body", "stored_count"),
    [
        (
            joined(*slices(count=2), end=False)
            + f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\nhal".encode(),
            2,
        ),
        (joined(*slices(count=2), end=False)[:-700], 1),
        (joined(*slices(count=1)).replace(b"\r\n--", b"\n--").replace(b"dicom\r\n\r\n", b"dicom\n\n"), 0),
        (b"no boundary at all", 0),
        (b"", 0),
    ],
)
async def test_a_damaged_body_is_400_naming_what_was_stored(small_client, small_archive, body, stored_count):
    reply, answer = await post(small_client, body)
    assert (reply.status, answer["code"]) == (400, "store.multipart_broken")
    assert answer["stored_count"] == len(answer["stored_sop_instance_uids"]) == stored_count
    assert await count(small_archive, Instance) == stored_count


async def test_a_part_that_lies_about_its_length_is_400(small_client):
    body = joined(*slices(count=1)).replace(b"dicom\r\n\r\n", b"dicom\r\nContent-Length: 10\r\n\r\n")
    reply, answer = await post(small_client, body)
    assert (reply.status, answer["code"]) == (400, "store.multipart_broken")


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        ("application/json", 415, "store.content_type"),
        ("multipart/form-data; boundary=x", 415, "store.content_type"),
        ("multipart/related; type=application/json; boundary=x", 415, "store.content_type"),
        ("multipart/related; type=application/dicom", 400, "store.multipart_broken"),
    ],
)
async def test_other_content_types_are_refused(small_client, content_type, status, code):
    reply, answer = await post(small_client, joined(*slices(count=1)), content_type=content_type)
    assert (reply.status, answer["code"]) == (status, code)


async def test_a_request_without_a_part_is_400(small_client):
    reply, answer = await post(small_client, f"--{BOUNDARY}--\r\n".encode())
    assert (reply.status, answer["code"]) == (400, "store.nothing_sent")


async def test_an_empty_single_body_is_409(small_client):
    reply, answer = await post(small_client, b"", content_type="application/dicom")
    assert reply.status == 409
    assert failures(answer) == [0xC001]


async def test_a_compressed_body_is_refused_unread(small_client):
    bomb = gzip.compress(bytes(1 << 20))
    reply, answer = await post(small_client, bomb, content_type="application/dicom", **{"Content-Encoding": "gzip"})
    assert (reply.status, answer["code"]) == (415, "store.content_encoding")


async def test_t16_an_unknown_accept_is_406_and_nothing_is_stored(small_client, small_archive):
    reply, _ = await post(small_client, joined(*slices(count=1)), Accept="application/pdf")
    assert reply.status == 406
    assert await count(small_archive, Instance) == 0


async def test_who_may_not_store_is_refused(small_client, guard):
    reply, answer = await post(small_client, joined(*slices(count=1)), Authorization="Bearer visitor")
    assert (reply.status, answer["code"]) == (403, "store.not_allowed")
    reply, _ = await post(small_client, joined(*slices(count=1)), Authorization="Bearer nobody")
    assert reply.status == 401


async def test_another_hospitals_door_takes_nothing(small_archive, guard):
    async with client_of(stow.routes(small_archive, guard, "/dicom-web/hospitals/{owner}")) as client:
        reply, _ = await post(client, joined(*slices(count=1)), "/dicom-web/hospitals/SH01/studies")
        assert reply.status == 403
        reply, answer = await post(client, joined(*slices(count=1)), "/dicom-web/hospitals/WZ01/studies")
        assert reply.status == 200
        assert "/dicom-web/hospitals/WZ01/studies/" in answer["00081190"]["Value"][0]


@pytest.mark.parametrize("value", [b"../../x", b"/etc/x", b"a\x00b", b"%2e%2e", b"1" * 65, b"1.2 3", "王".encode()])
async def test_dangerous_uids_are_refused_and_make_no_file(small_client, small_archive, value, tmp_path):
    body = with_uid(ct_slice(count=1, size=16), value)
    reply, answer = await post(small_client, body, content_type="application/dicom")
    assert reply.status == 409
    assert failures(answer) == [0xA902]
    files = [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]
    assert files == []


async def test_padded_uids_are_the_same_uids(client, archive):
    data = ct_slice(count=1, size=16)
    given = str(data.SOPInstanceUID)[:-1]
    for padding in (b"", b" ", b"\0", b"   "):
        await post(client, with_uid(data, given.encode() + padding), content_type="application/dicom")
    async with archive.database.read() as session:
        assert list(await session.scalars(select(Instance.sop_instance_uid))) == [given]


async def test_twenty_writers_of_one_study_count_exactly(client, archive):
    bodies = slices("many", 40)
    answers = await asyncio.gather(
        *(post(client, joined(bodies[2 * i], bodies[2 * i + 1], bodies[(2 * i + 2) % 40])) for i in range(20))
    )
    assert {reply.status for reply, _ in answers} == {200}
    async with archive.database.read() as session:
        row = await session.scalar(select(Study))
        total = await session.scalar(select(func.sum(Instance.size_bytes)))
    assert (row.series_count, row.instance_count, row.size_bytes) == (1, 40, total)
    assert await count(archive, Upload) == 0


async def test_no_spool_file_is_left_behind(small_client, tmp_path):
    large = to_bytes(ct_slice("big", count=1, size=64))
    await post(small_client, joined(large, b"junk", *slices("1", 1)))
    await post(small_client, joined(*slices("2", 1), end=False)[:-500])
    left = [path for path in (tmp_path / "archive" / "spool").rglob("*") if path.is_file()]
    assert left == []


async def test_what_is_served_back_is_what_pydicom_reads(client, archive):
    body = slices(count=1)[0]
    await post(client, joined(body))
    async with archive.database.read() as session:
        key = await session.scalar(select(Instance.blob_key))
    path = await archive.blobs.local_path(key)
    data = await asyncio.to_thread(dcmread, path)
    assert str(data.PatientName) == "Wang^XiaoDong=王^小东"
