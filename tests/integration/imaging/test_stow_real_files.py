"""Every file of the shared folder is uploaded; what becomes of it is what its manifest proposes, or what we say why."""

import asyncio
import csv
from io import BytesIO

import pytest
from sqlalchemy import func, select

from imaging.archive import Limits
from imaging.dicomweb import stow
from imaging.guard import Access
from imaging.store.tables import Series, Study
from tests.archives import HeaderGuard, archive_at, client_of

# Where the product's own rule differs from the manifest: what we do, and why.
DIFFERENT = {
    "broken/mr-enhanced-j2k-too-short.dcm": (
        "warning",
        "all ten frames are there and end with their markers; only the delimiter is missing, so nothing is lost",
    ),
    "charset/japanese-multi-explicit-ir6.dcm": ("warning", "an image object without pixel data, as elsewhere"),
    "charset/japanese-multi.dcm": ("warning", "an image object without pixel data, as elsewhere"),
    "charset/korean-multi.dcm": ("warning", "an image object without pixel data, as elsewhere"),
    "compressed/seg-liver-deflated-frames.dcm": ("stored", "the syntax is the standard's; what can be shown may grow"),
    "compressed/seg-liver-rle.dcm": ("stored", "a sound object; what can be shown may grow"),
    "single/us-greyscale-burned-in-test-name.dcm": (
        "stored",
        "most ultrasound says nothing about burned-in text; de-identification asks, storing need not",
    ),
    "series/rt-breast-study/rtstruct.dcm": ("stored", "the referenced slices may arrive later"),
    "discs/cd-tiny-50/DICOMDIR": ("refused", "an index, never stored as an image"),
    "discs/cd-two-patients/DICOMDIR": ("refused", "an index, never stored as an image"),
    "containers/mr-abdomen-11-files.zip": ("refused", "the upload page unpacks archives; the store takes instances"),
    "containers/two-dx-compressible.zip": ("refused", "the upload page unpacks archives; the store takes instances"),
    "containers/mr-small.dcm.gz": ("refused", "gzip is not accepted"),
    "series/mr-head-axial/img-001.dcm": ("warning", "the series' line says so for this file"),
}
STATUS = {200: "stored", 202: "warning", 409: "refused"}


def proposed(expected):
    if expected.startswith("refused"):
        return "refused"
    return "warning" if expected.startswith("stored with warning") else "stored"


@pytest.fixture
def manifest(shared_dicom):
    with (shared_dicom / "index.tsv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


class AnyHospital(HeaderGuard):
    """The Authorization header names the hospital."""

    async def access(self, request):
        owner = request.headers["Authorization"]
        return Access(owner, store_as=owner, owners=frozenset({owner}))


@pytest.fixture
async def archive(sqlite_url, tmp_path):
    async with archive_at(sqlite_url, tmp_path / "archive", Limits(worker_processes=2)) as archive:
        yield archive


@pytest.fixture
async def send(archive):
    """Sends one file, or a multipart body, for a hospital."""
    async with client_of(stow.routes(archive, AnyHospital())) as client:

        async def post(body, owner="WZ01", content_type="application/dicom"):
            headers = {"Content-Type": content_type, "Authorization": owner}
            return await client.post("/dicom-web/studies", data=BytesIO(body), headers=headers)

        yield post


async def test_every_real_file_fares_as_its_manifest_says(manifest, shared_dicom, send):
    """A hospital for each file: several files share their UIDs, which another test is about."""
    wrong = {}
    at_once = asyncio.Semaphore(16)

    async def check(row):
        async with at_once:
            reply = await send((shared_dicom / row["path"]).read_bytes(), owner=row["sha256"][:32])
        wanted = DIFFERENT.get(row["path"], (proposed(row["expected"]),))[0]
        if STATUS.get(reply.status) != wanted:
            wrong[row["path"]] = (row["expected"], reply.status, reply.headers.get("Warning"))

    await asyncio.gather(*map(check, manifest))
    assert wrong == {}
    assert len(manifest) >= 337


@pytest.mark.parametrize(
    ("folder", "counts"),
    [
        ("ct-chest-lidc", (42, 1)),
        ("pt-head-neck", (61, 2)),
        ("mr-head-axial", (20, 1)),
        ("ct-liver-with-seg", (5, 3)),
    ],
)
async def test_a_real_study_is_complete_after_one_request(shared_dicom, archive, send, folder, counts):
    files = sorted((shared_dicom / "series" / folder).iterdir())
    head, tail = b"--b\r\nContent-Type: application/dicom\r\n\r\n", b"--b--\r\n"
    body = b"".join(head + path.read_bytes() + b"\r\n" for path in files) + tail
    reply = await send(body, content_type='multipart/related; type="application/dicom"; boundary=b')
    assert reply.status in {200, 202}
    async with archive.database.read() as session:
        row = await session.scalar(select(Study))
        assert (row.instance_count, row.series_count) == counts
        assert await session.scalar(select(func.sum(Series.instance_count))) == row.instance_count


@pytest.mark.parametrize(
    "group",
    [
        ("single/sr-basic-text.dcm", "broken/sr-empty-number-tags.dcm"),
        ("compressed/ct-chest-implicit-le.dcm", "compressed/ct-chest-explicit-le.dcm"),
        ("compressed/mr-small-jpegls.dcm", "broken/mr-truncated-pixels.dcm"),
    ],
)
async def test_the_first_of_two_with_one_uid_stays(shared_dicom, send, group):
    replies = [await send((shared_dicom / name).read_bytes()) for name in (*group, group[0])]
    assert replies[1].status == 409
    assert replies[0].status == replies[2].status != 409
    assert "already_stored" in replies[2].headers["Warning"]
