"""Every kind of object: stored, found by its modality, returned as sent, and shown or clearly refused."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.uid import (
    MPEG4HP41,
    ComputedRadiographyImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    EncapsulatedPDFStorage,
    EnhancedSRStorage,
    JPEGBaseline8Bit,
    MRImageStorage,
    NuclearMedicineImageStorage,
    PositronEmissionTomographyImageStorage,
    RTStructureSetStorage,
    UltrasoundMultiFrameImageStorage,
    VideoEndoscopicImageStorage,
    XRayAngiographicImageStorage,
)

from imaging.dicomweb.app import routes
from tests.archives import HeaderGuard, archive_at, client_of
from tests.dicomweb import address, keep
from tests.picture_phantoms import colours, floats, layouts
from tests.samples import chest_volume, ct_slice, encapsulated, enhanced_ct, patient_study, set_pixels, to_bytes


def image(modality, sop_class, frames=0, **attributes):
    """A slice of the chest, or several as a loop."""
    data = patient_study(modality, sop_class)
    volume = (chest_volume(max(frames, 2), 32) + 1024).astype(np.uint16)
    set_pixels(data, volume if frames else volume[0])
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    return data


def without_pixels(modality, sop_class):
    data = patient_study(modality, sop_class)
    data.ContentSequence = []
    return data


def cine(modality, sop_class):
    frames = [imagecodecs.jpeg8_encode(np.full((8, 8), level, np.uint8)) for level in (40, 120, 200)]
    return encapsulated(patient_study(modality, sop_class), frames, JPEGBaseline8Bit)


def document():
    data = patient_study("DOC", EncapsulatedPDFStorage)
    data.EncapsulatedDocument, data.MIMETypeOfEncapsulatedDocument = b"%PDF-1.7\n" + b" " * 2001, "application/pdf"
    return data


def video():
    data = patient_study("ES", VideoEndoscopicImageStorage)
    return encapsulated(data, [b"\0\0\0\x18ftypisom"], MPEG4HP41)


KINDS = {
    "CT": (ct_slice("CT", size=32), "image/jpeg"),
    "CT enhanced": (enhanced_ct(3, 32), "image/jpeg"),
    "MR": (image("MR", MRImageStorage), "image/jpeg"),
    "MR enhanced": (floats()["frames with their own rescaling"].data, "image/jpeg"),
    "US": (cine("US", UltrasoundMultiFrameImageStorage), "image/jpeg"),
    "XA": (cine("XA", XRayAngiographicImageStorage), "image/jpeg"),
    "CR": (image("CR", ComputedRadiographyImageStorage, PhotometricInterpretation="MONOCHROME1"), "image/jpeg"),
    "DX": (image("DX", DigitalXRayImageStorageForPresentation, PresentationLUTShape="IDENTITY"), "image/jpeg"),
    "MG": (image("MG", DigitalMammographyXRayImageStorageForPresentation), "image/jpeg"),
    "NM": (image("NM", NuclearMedicineImageStorage, frames=4), "image/jpeg"),
    "PT": (image("PT", PositronEmissionTomographyImageStorage, RescaleSlope=0.37, RescaleIntercept=0), "image/jpeg"),
    "OT colour": (colours()["halved chroma"].data, "image/jpeg"),
    "SEG": (layouts()["single bits that begin inside a byte"].data, "image/jpeg"),
    "OT map": (floats()["single floats"].data, "image/jpeg"),
    "SR": (without_pixels("SR", EnhancedSRStorage), "rendered.not_an_image"),
    "RTSTRUCT": (without_pixels("RTSTRUCT", RTStructureSetStorage), "rendered.not_an_image"),
    "DOC": (document(), "application/pdf"),
    "ES": (video(), "video/mp4"),
}


@pytest.fixture
async def client(sqlite_url, tmp_path):
    async with archive_at(sqlite_url, tmp_path / "archive") as archive:
        for kind, (data, _) in KINDS.items():
            data.Modality = kind.split()[0]
        outcomes = await keep(archive, *(data for data, _ in KINDS.values()))
        assert {outcome.kind for outcome in outcomes} == {"stored"}
        async with client_of(routes(archive, HeaderGuard())) as client:
            yield client


async def test_every_kind_of_object_is_found_returned_and_shown_or_refused(client):
    for kind, (data, expected) in KINDS.items():
        found = await client.get("/dicom-web/series", params={"Modality": data.Modality, "limit": "100"})
        assert data.SeriesInstanceUID in await found.text(), kind
        back = await client.get(address(data), headers={"Accept": "application/dicom; transfer-syntax=*"})
        assert await back.read() == to_bytes(data), kind
        shown = await client.get(f"{address(data)}/rendered")
        body = await shown.read()
        if "/" not in expected:
            assert (shown.status, (await shown.json(content_type=None))["code"]) == (406, expected), kind
            continue
        assert (shown.status, shown.content_type) == (200, expected), kind
        if expected == "image/jpeg":
            levels = np.asarray(Image.open(io.BytesIO(body)))
            assert levels.shape[:2] == (data.Rows, data.Columns), kind


async def test_the_loop_of_a_heart_is_shown_frame_by_frame(client):
    data = KINDS["XA"][0]
    shown = [await client.get(f"{address(data)}/frames/{number}/rendered") for number in (1, 2, 3)]
    levels = [int(np.asarray(Image.open(io.BytesIO(await reply.read()))).mean()) for reply in shown]
    assert np.allclose(levels, [40, 120, 200], atol=2)
