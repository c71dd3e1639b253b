"""Each reason for which an object is not stored, provoked over HTTP (checklist T06)."""

import zlib

import pytest
from pydicom import Dataset, Sequence

from imaging.archive import Limits
from imaging.dicom.reading import ReadingLimits
from imaging.dicom.remarks import Refusal, RefusedAs
from imaging.dicomweb.app import routes
from tests.archives import HeaderGuard, archive_at, client_of
from tests.samples import ct_slice, to_bytes, with_uid

DICOM = {"Content-Type": "application/dicom"}
MEDIA_SYNTAX = b"1.2.840.10008.1.2.1\0"
LIMITS = Limits(
    worker_processes=1,
    max_part_bytes=64_000,
    reading=ReadingLimits(max_depth=8, max_elements=500, always_inflated_bytes=10_000, max_inflated_bytes=50_000),
)


def slice_with(**changes):
    data = ct_slice("reasons", count=1, size=16)
    for keyword, value in changes.items():
        setattr(data, keyword, value)
    return to_bytes(data)


def slice_without(*keywords):
    data = ct_slice("reasons", count=1, size=16)
    for keyword in keywords:
        delattr(data, keyword)
    return to_bytes(data)


def head_end(body):
    return body.index(b"\x08\0\x05\0CS")


def deflated(content):
    body = slice_with().replace(b"UI\x14\0" + MEDIA_SYNTAX, b"UI\x16\x001.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(9, wbits=-15)
    return body[: head_end(body)] + packer.compress(content) + packer.flush()


def nested(depth):
    inner = Dataset()
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedSeriesSequence = Sequence([inner])
        inner = outer
    return slice_with(ReferencedStudySequence=Sequence([inner]))


def crowded():
    return slice_with(ReferencedStudySequence=Sequence([Dataset() for _ in range(600)]))


def malformed():
    body = slice_with()
    at = body.index(b"\x10\0\x10\0PN")
    return body[: at + 4] + b"?!" + body[at + 6 :]


BAD = {
    RefusedAs.NOT_DICOM: b"%PDF-1.7 no DICOM",
    RefusedAs.NO_FILE_META: b"\0\x08\0\x05CS\0\x0aISO_IR 100",
    RefusedAs.SYNTAX_MISSING: slice_with().replace(b"\2\0\x10\0UI", b"\2\0\x11\0UI"),
    RefusedAs.SYNTAX_UNKNOWN: slice_with().replace(MEDIA_SYNTAX, b"1.2.840.113619.5.23\0"),
    RefusedAs.DIRECTORY: slice_with(SOPClassUID="1.2.840.10008.1.3.10"),
    RefusedAs.NOT_PATIENT_OBJECT: slice_without("StudyInstanceUID", "SeriesInstanceUID"),
    RefusedAs.UID_MISSING: slice_without("SeriesInstanceUID"),
    RefusedAs.UID_UNUSABLE: with_uid(ct_slice("reasons", count=1, size=16), b"../../etc/passwd"),
    RefusedAs.TRUNCATED: slice_with()[:700],
    RefusedAs.MALFORMED: malformed(),
    RefusedAs.TOO_DEEP: nested(12),
    RefusedAs.TOO_MANY_ELEMENTS: crowded(),
    RefusedAs.INFLATES_TOO_FAR: deflated(bytes(60_000)),
    RefusedAs.TOO_LARGE: slice_with(PixelData=bytes(70_000)),
}


@pytest.fixture
async def client(sqlite_url, tmp_path):
    async with (
        archive_at(sqlite_url, tmp_path / "archive", LIMITS) as archive,
        client_of(routes(archive, HeaderGuard())) as client,
    ):
        yield client


async def post(client, body, headers=DICOM):
    reply = await client.post("/dicom-web/studies", data=body, headers=headers)
    return reply, await reply.json(content_type=None)


async def test_t06_every_bad_object_is_refused_with_its_reason(client):
    found = {}
    for why, body in BAD.items():
        reply, answer = await post(client, body)
        (item,) = answer["00081198"]["Value"]
        found[why] = (reply.status, reply.headers["Warning"], item["00081197"]["Value"])
    assert found == {why: (409, f'299 archive "{why}"', [Refusal(why).failure_reason]) for why in BAD}


async def test_t06_what_is_stored_already_decides(client):
    assert (await post(client, slice_with()))[0].status == 200
    reply, answer = await post(client, slice_with(PatientComments="other bytes"))
    (item,) = answer["00081198"]["Value"]
    assert (reply.status, item["00081197"]["Value"]) == (409, [0x0111])
