"""Instances and frames in the transfer syntax that is named (checklist T41, T42, T49)."""

from io import BytesIO

import pytest
from pydicom import dcmread

from imaging.dicom.encoding import ENCODERS
from imaging.dicom.transcode import REWRITTEN
from tests.dicomweb import address, keep, series_address, split
from tests.samples import ct_slice, encapsulated, patient_study, set_pixels

JPEG_53 = "1.2.840.10008.1.2.4.53"
TYPES = {"4.80": "image/jls", "4.90": "image/jp2", "4.201": "image/jphc", "4.202": "image/jphc", "5": "image/dicom-rle"}


@pytest.mark.parametrize("syntax", [*REWRITTEN[1:], *ENCODERS])
async def test_t41_a_named_syntax_is_made_for_instances_and_frames(archive, client, syntax):
    data = ct_slice("1", size=32)
    await keep(archive, data)
    accept = f"application/dicom;transfer-syntax={syntax}"
    # T49: the parameter stands in for the header, which would be refused.
    reply = await client.get(f"{address(data)}?accept={accept}", headers={"Accept": "image/gif"})
    assert (reply.status, reply.headers["Content-Type"]) == (200, f"application/dicom; transfer-syntax={syntax}")
    found = dcmread(BytesIO(await reply.read()))
    assert (found.file_meta.TransferSyntaxUID, found.SOPInstanceUID) == (syntax, data.SOPInstanceUID)
    media_type = TYPES.get(syntax.removeprefix("1.2.840.10008.1.2."))
    if media_type:
        wanted = {"Accept": f'multipart/related; type="{media_type}"; transfer-syntax={syntax}'}
        frame = await client.get(f"{address(data)}/frames/1", headers=wanted)
        ((headers, _),) = split(frame.headers["Content-Type"], await frame.read())
        assert headers["Content-Type"] == f"{media_type}; transfer-syntax={syntax}"


async def test_t42_what_has_no_such_form_is_left_out_and_counted(archive, client):
    good, retired = ct_slice("1", size=16), encapsulated(ct_slice("1", 1, size=8), [b"\xff\xd8xx"], JPEG_53)
    palette = patient_study("1", "1.2.840.10008.5.1.4.1.1.7")
    palette.SOPInstanceUID = palette.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    set_pixels(palette, ct_slice("1", size=16).pixel_array.astype("uint8"))
    palette.PhotometricInterpretation = "PALETTE COLOR"
    await keep(archive, good, retired, palette)
    wanted = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.80'}
    reply = await client.get(series_address(good), headers=wanted)
    assert reply.status == 206
    assert '"2 of 3 instances cannot' in reply.headers["Warning"]
    assert len(split(reply.headers["Content-Type"], await reply.read())) == 1


async def test_lossy_forms_are_not_made(archive, client):
    data = ct_slice("1", size=16)
    await keep(archive, data)
    for lossy in ("50", "51", "81", "91", "203"):
        accept = {"Accept": f"application/dicom; transfer-syntax=1.2.840.10008.1.2.4.{lossy}"}
        assert (await client.get(address(data), headers=accept)).status == 406
