"""Every real file of the shared folder through every retrieve service: an answer or a clear refusal, never a 500."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from imaging.dicomweb.app import routes
from imaging.guard import Access
from tests.archives import HeaderGuard, client_of
from tests.dicomweb import address, keep, split

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

ANY_FRAME = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax="*"'}
# What the pictures of the manifest's odd ones are refused with; every other image must render.
REFUSED = {
    "ct-chest-jpeg-53-retired.dcm": "pixels.no_decoder",
    "ct-chest-jpeg-55-retired.dcm": "pixels.no_decoder",
    "j2k-embedded-sequence-delimiter.dcm": "pixels.damaged",
    "mr-truncated-pixels.dcm": "pixels.damaged",
}
# One slice in many forms; these hold the very same values.
TWINS = ["implicit-le", "explicit-be", "deflated", "jpeg-lossless-57", "jpeg-lossless-70", "jpegls-80", "j2k-90", "rle"]


class Everywhere(HeaderGuard):
    """Lets the one caller look at all hospitals of :func:`hospital`."""

    async def access(self, request):
        return Access("auditor", owners=frozenset(hospital(place).store_as for place in range(100)))


def hospital(place):
    """Files of one slice in different forms carry the same UIDs: each comes from a hospital of its own."""
    owner = f"H{place}"
    return Access(owner, store_as=owner, owners=frozenset({owner}))


def root(place):
    return f"/dicom-web/hospitals/{hospital(place).store_as}"


@pytest.fixture
async def client(archive):
    async with client_of(routes(archive, Everywhere())) as client:
        yield client


async def stored(archive, folder):
    """(file name, address) of each file that the archive takes."""
    found = []
    for place, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file())):
        (outcome,) = await keep(archive, path.read_bytes(), access=hospital(place))
        if outcome.kind == "stored":
            series = f"{root(place)}/studies/{outcome.study_instance_uid}/series/{outcome.series_instance_uid}"
            found.append((path.name, f"{series}/instances/{outcome.sop_instance_uid}"))
    return found


# Rendered in their own types.
PASSED_THROUGH = {"application/pdf", "video/mp4", "video/mpeg", "video/mpeg2"}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("folder", ["single", "compressed", "broken", "charset"])
async def test_every_file_is_answered_or_clearly_refused(archive, client, shared_dicom, folder):
    found = await stored(archive, shared_dicom / folder)
    assert len(found) >= 10
    refused = {}
    for name, path in found:
        (model,) = await (await client.get(f"{path}/metadata")).json(content_type=None)
        assert all("Value" not in model.get(tag, {}) for tag in ("7FE00010", "7FE00008"))
        for resource in ("", "/frames/1", "/rendered", "/thumbnail"):
            reply = await client.get(path + resource)
            body = await reply.read()
            if reply.status == 200 and resource in {"/rendered", "/thumbnail"}:
                if reply.content_type.startswith("image/"):
                    Image.open(io.BytesIO(body)).load()
                assert reply.content_type.startswith("image/") or reply.content_type in PASSED_THROUGH, name
            elif reply.status != 200:
                assert (reply.status in {404, 406}, reply.content_type) == (True, "application/problem+json"), name
                if resource == "/rendered":
                    refused[name] = (await reply.json(content_type=None))["code"]
    without_image = {name for name, code in refused.items() if code == "rendered.not_an_image"}
    assert {name: code for name, code in refused.items() if name not in without_image} == {
        name: code for name, code in REFUSED.items() if name in dict(found)
    }


async def test_t46_one_slice_has_the_same_values_in_every_lossless_form(archive, client, shared_dicom):
    expected = dcmread(shared_dicom / "compressed" / "ct-chest-explicit-le.dcm").PixelData
    for place, form in enumerate(TWINS):
        path = shared_dicom / "compressed" / f"ct-chest-{form}.dcm"
        data = dcmread(path)
        await keep(archive, path.read_bytes(), access=hospital(place))
        at = address(data).replace("/dicom-web", root(place))
        frame = await client.get(f"{at}/frames/1", headers={"Accept": "application/octet-stream"})
        assert await frame.read() == expected, form
        whole = await client.get(at, headers={"Accept": "application/dicom"})
        rewritten = dcmread(io.BytesIO(await whole.read()))
        assert (rewritten.PixelData, rewritten.file_meta.TransferSyntaxUID) == (expected, ExplicitVRLittleEndian), form
        ((headers, payload),) = await parts_of(await client.get(f"{at}/frames/1", headers=ANY_FRAME))
        if data.file_meta.TransferSyntaxUID.is_encapsulated:
            assert headers["Content-Type"].endswith(data.file_meta.TransferSyntaxUID)
            assert payload in data.PixelData


async def test_t39_names_in_every_chinese_encoding_are_found(archive, client, shared_dicom):
    for place, name in enumerate(("chinese-gb18030", "chinese-utf8", "chinese-gb2312-iso2022-ir58")):
        path = shared_dicom / "charset" / f"{name}.dcm"
        await keep(archive, path.read_bytes(), access=hospital(place))
        # pydicom leaves escape sequences in some names, so the first Han character is looked for.
        surname = re.search("[\u4e00-\u9fff]", dcmread(path).PatientName.ideographic)[0]
        reply = await client.get(f"{root(place)}/studies", params={"PatientName": f"{surname}*"})
        assert reply.status == 200, name


async def test_rendered_lossless_forms_are_the_same_picture(archive, client, shared_dicom):
    pictures = []
    for place, form in enumerate(("explicit-le", "j2k-90")):
        path = shared_dicom / "compressed" / f"ct-chest-{form}.dcm"
        await keep(archive, path.read_bytes(), access=hospital(place))
        at = address(dcmread(path)).replace("/dicom-web", root(place))
        body = await (await client.get(f"{at}/rendered?accept=image/png")).read()
        pictures.append(np.asarray(Image.open(io.BytesIO(body))))
    assert np.array_equal(*pictures)
    assert pictures[0].std() > 10


async def parts_of(reply):
    assert reply.status == 200, await reply.text()
    return split(reply.headers["Content-Type"], await reply.read())
