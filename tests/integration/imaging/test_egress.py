"""What a vendor gets over the job's own DICOMweb door, from files full of words that must reach nobody."""

import io

import numpy as np
import pytest
from aiohttp import MultipartReader, web
from aiohttp.test_utils import TestClient, TestServer
from pydicom import Dataset, dcmread
from pydicom.datadict import DicomDictionary
from pydicom.uid import RLELossless

from foundation.clock import utc_now
from foundation.problem import problems
from imaging.review.completeness import Policy
from imaging.review.endpoints import NewEndpoint
from imaging.review.outside import Outside
from imaging.review.routes import routes
from imaging.review.service import Review
from tests.archives import archive_at
from tests.dicomweb import keep
from tests.review_rows import STAND_INS
from tests.samples import ct_slice, rle

CANARY = "Kanarienvogel"
NATIVE = 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1'
AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
LONG_TEXT = {"LO", "PN", "LT", "ST", "UT", "UC"}


class Silent:
    async def record(self, request, access, deed, study_id):
        """Recording is tested elsewhere."""


async def no_news(*_):
    """Nobody looks."""


@pytest.fixture
async def stage(sqlite_url, tmp_path):
    async with archive_at(sqlite_url, tmp_path / "blobs") as archive:
        hook = Review(archive.database, utc_now, Outside("", STAND_INS), Policy(quiet_seconds=0), no_news)
        app = web.Application(middlewares=[problems])
        app.add_routes(routes(hook.service, archive, Silent()))
        async with TestClient(TestServer(app)) as client:
            yield Stage(archive, hook, client)
        await hook.deliverer.close()


class Stage:
    def __init__(self, archive, hook, client):
        self.archive, self.hook, self.client = archive, hook, client

    async def manifest(self, *images, **registration):
        """Store, decide and claim: the job's manifest; later calls carry its token."""
        given = {"name": "x", "vendor": "v", "model_name": "m", "model_version": "1", "url": "http://127.0.0.1:9/"}
        registered = await self.hook.service.register_endpoint(
            NewEndpoint(**given, rules={"all": []}, finding_codes=[], **registration)
        )
        (outcome, *_) = await keep(self.archive, *images)
        await self.hook.watcher.step()
        (job,) = await self.hook.service.jobs_of(outcome.study_id)
        token = (await self.hook.service.issue_token(registered.key, job.job_uid)).access_token
        self.bearer = {"Authorization": f"Bearer {token}"}
        async with self.client.get(f"/ai/jobs/{job.job_uid}/manifest", headers=self.bearer) as reply:
            return await reply.json()

    async def body(self, url, accept="", status=200):
        async with self.client.get(url, headers={**self.bearer, "Accept": accept}) as reply:
            assert reply.status == status, await reply.text()
            return reply, await reply.read()

    async def parts(self, url, accept=NATIVE):
        async with self.client.get(url, headers={**self.bearer, "Accept": accept}) as reply:
            assert reply.status == 200, await reply.text()
            reader, bodies = MultipartReader.from_response(reply), []
            while (part := await reader.next()) is not None:
                bodies.append(bytes(await part.read()))
            return bodies


def told_everywhere(image):
    """A canary in every text attribute that is not there yet, in a private block, a sequence and the file meta."""
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        if vr in LONG_TEXT and tag >> 16 not in {0, 2} and keyword and keyword not in image:
            image.add_new(tag, vr, CANARY)
    image.PatientName, image.PatientID, image.StudyDescription = CANARY, CANARY, CANARY
    image.private_block(0x0011, CANARY, create=True).add_new(1, "LO", CANARY)
    item = Dataset()
    item.RequestedProcedureDescription = CANARY
    image.RequestAttributesSequence = [item]
    image.file_meta.SourceApplicationEntityTitle = CANARY
    image.file_meta.PrivateInformationCreatorUID, image.file_meta.PrivateInformation = "1.2.3", CANARY.encode()
    return image


async def test_security_24_nothing_that_was_written_into_a_file_reaches_a_vendor(stage):
    image = told_everywhere(ct_slice("told", size=32))
    real = {str(image[keyword].value) for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
    manifest = await stage.manifest(image)
    url = manifest["series"][0]["instances"][0]["url"]
    assert len(image) > 600
    gathered = [str(manifest).encode()]
    for address in (url, manifest["series"][0]["url"]):
        gathered += [(await stage.body(f"{address}/metadata", "application/dicom+json"))[1]]
        for accept in (NATIVE, AS_STORED):
            gathered += await stage.parts(address, accept)
    for body in gathered:
        assert CANARY.encode() not in body
        assert not [uid for uid in real if uid.encode() in body]
    left = dcmread(io.BytesIO(gathered[-1]))
    assert np.array_equal(left.pixel_array, image.pixel_array)
    assert left.file_meta.MediaStorageSOPInstanceUID == left.SOPInstanceUID
    assert left.SOPInstanceUID == manifest["series"][0]["instances"][0]["sop_instance_uid"]


async def test_compressed_pixels_leave_as_they_are_or_native_as_asked(stage):
    image = ct_slice("packed", size=32)
    pixels = image.pixel_array.copy()
    manifest = await stage.manifest(rle(image))
    url = manifest["series"][0]["url"]
    for accept in (NATIVE, AS_STORED):
        (body,) = await stage.parts(url, accept)
        left = dcmread(io.BytesIO(body))
        assert (left.file_meta.TransferSyntaxUID == RLELossless) == (accept == AS_STORED)
        assert np.array_equal(left.pixel_array, pixels)


async def test_a_region_rule_lets_pictures_leave_with_the_region_blank(stage):
    picture = ct_slice("picture", size=32)
    picture.Modality = "OT"
    region = {"modality": "OT", "rows": 32, "columns": 32, "rectangles": [[0, 0, 32, 8]]}
    manifest = await stage.manifest(picture, deid={"regions": [region]})
    (body,) = await stage.parts(manifest["series"][0]["url"])
    left = dcmread(io.BytesIO(body)).pixel_array
    assert not left[:8].any()
    assert np.array_equal(left[8:], picture.pixel_array[8:])


async def test_an_image_found_to_show_text_is_refused_by_name_and_left_out_of_its_series(stage):
    plain, written = ct_slice("series", 0, size=16), ct_slice("series", 1, size=16)
    written.BurnedInAnnotation = "YES"
    manifest = await stage.manifest(plain, written)
    urls = [one["url"] for one in manifest["series"][0]["instances"]]
    _, body = await stage.body(urls[1], NATIVE, status=422)
    assert b"egress.text_in_pixels" in body
    assert len(await stage.parts(manifest["series"][0]["url"])) == 1


async def test_the_real_uid_and_another_study_do_not_exist_behind_the_door(stage):
    image, other = ct_slice("own", size=16), ct_slice("foreign", size=16)
    await keep(stage.archive, other)
    manifest = await stage.manifest(image)
    root = manifest["dicomweb_url"]
    for study in (image.StudyInstanceUID, other.StudyInstanceUID):
        await stage.body(f"{root}/studies/{study}", NATIVE, status=404)
    async with stage.client.get(f"{root}/studies/{manifest['study_instance_uid']}") as nobody:
        assert nobody.status == 401


async def test_no_spool_file_is_left_behind(stage, tmp_path):
    manifest = await stage.manifest(ct_slice("clean", size=16))
    await stage.parts(manifest["series"][0]["url"])
    assert [path for path in (tmp_path / "blobs" / "spool").rglob("*") if path.is_file()] == []
