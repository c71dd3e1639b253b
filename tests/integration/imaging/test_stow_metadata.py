"""Storing metadata with bulk data apart, and answers in XML (checklist T06, T07, T16; security 15)."""

import json
from io import BytesIO
from xml.etree import ElementTree as ET

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread

from imaging.archive import Limits
from imaging.dicom.xml_model import NAMESPACE, to_xml
from tests.archives import archive_at
from tests.dicomweb import address, series_address
from tests.samples import ct_slice, patient_study

BOUNDARY = "apart"
PIXELS = "7FE00010"
ANY_SYNTAX = {"Accept": "application/dicom; transfer-syntax=*"}
RGB = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
GREY = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32)


@pytest.fixture
async def archive(sqlite_url, tmp_path):
    async with archive_at(sqlite_url, tmp_path / "archive", Limits(worker_processes=1)) as archive:
        yield archive


def model_of(data, pixels=None):
    """The JSON model of ``data``, its pixels named by URI where one is given."""
    model = data.to_json_dict()
    model.pop(PIXELS, None)
    if pixels:
        model[PIXELS] = {"vr": "OW", "BulkDataURI": pixels}
    return model


def described_by_nothing(key="apart"):
    """A secondary capture that leaves the description of its image to the stream."""
    return patient_study(key, "1.2.840.10008.5.1.4.1.1.7")


def body(*parts):
    joined = b""
    for content_type, location, content in parts:
        named = f"Content-Location: {location}\r\n" if location else ""
        joined += f"--{BOUNDARY}\r\nContent-Type: {content_type}\r\n{named}\r\n".encode() + content + b"\r\n"
    return joined + f"--{BOUNDARY}--\r\n".encode()


def documents(*models):
    return ("application/dicom+json", "", json.dumps(models).encode())


async def post(client, *parts, kind="application/dicom+json", accept="application/dicom+json"):
    headers = {"Content-Type": f'multipart/related; type="{kind}"; boundary={BOUNDARY}', "Accept": accept}
    reply = await client.post("/dicom-web/studies", data=body(*parts), headers=headers)
    text = await reply.text()
    return reply.status, json.loads(text) if accept.endswith("json") else text, reply.headers.get("Warning")


def reasons(answer):
    return [item["00081197"]["Value"][0] for item in answer.get("00081198", {}).get("Value", [])]


async def stored(client, data):
    reply = await client.get(address(data), headers=ANY_SYNTAX)
    assert reply.status == 200, await reply.text()
    return dcmread(BytesIO(await reply.read()))


async def test_t06_json_with_native_pixels_becomes_the_same_instance(client, tmp_path):
    data = ct_slice("apart", size=16)
    data.add_new(0x00420011, "OB", b"0123456789")
    sent = model_of(data, "pixels")
    status, answer, warning = await post(
        client, documents(sent), ("application/octet-stream", "pixels", data.PixelData)
    )
    assert (status, warning, reasons(answer)) == (200, None, [])
    found = await stored(client, data)
    assert found == data
    assert found.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
    assert not [path for path in (tmp_path / "archive" / "spool").rglob("*") if path.is_file()]


JPEG_LS = imagecodecs.jpegls_encode(GREY)


@pytest.mark.parametrize(
    ("media_type", "stream", "syntax", "photometric"),
    [
        ("image/jpeg", imagecodecs.jpeg8_encode(RGB), "50", "YBR_FULL_422"),
        ("image/jls", JPEG_LS, "80", "MONOCHROME2"),
        ("image/jp2", imagecodecs.jpeg2k_encode(GREY, reversible=True, codecformat="J2K"), "90", "MONOCHROME2"),
        ("image/jp2", imagecodecs.jpeg2k_encode(GREY, reversible=True, codecformat="JP2"), "90", "MONOCHROME2"),
        ("image/jphc", imagecodecs.htj2k_encode(GREY, reversible=True), "201", "MONOCHROME2"),
    ],
)
async def test_compressed_images_are_wrapped_and_described_by_their_stream(
    client, media_type, stream, syntax, photometric
):
    data = described_by_nothing()
    status, answer, _ = await post(client, documents(model_of(data, "frame")), (media_type, "frame", stream))
    assert (status, reasons(answer)) == (200, [])
    found = await stored(client, data)
    assert found.file_meta.TransferSyntaxUID == f"1.2.840.10008.1.2.4.{syntax}"
    assert (found.Rows, found.Columns, found.PhotometricInterpretation) == (24, 32, photometric)
    assert found.get("LossyImageCompression") == ("01" if syntax == "50" else None)
    frame = await client.get(f"{address(data)}/frames/1", headers={"Accept": "application/octet-stream"})
    assert (frame.status, len(await frame.read())) == (200, RGB.nbytes if syntax == "50" else GREY.nbytes)


async def test_several_parts_of_one_uri_are_frames(client):
    data = described_by_nothing()
    frames = [imagecodecs.jpegls_encode(GREY + number) for number in range(3)]
    await post(client, documents(model_of(data, "f")), *(("image/jls", "f", frame) for frame in frames))
    assert (await stored(client, data)).NumberOfFrames == 3
    reply = await client.get(f"{address(data)}/frames/3", headers={"Accept": "application/octet-stream"})
    assert await reply.read() == (GREY + 2).tobytes()


async def test_t07_a_description_that_the_stream_contradicts_is_corrected_and_the_former_value_kept(client):
    data = described_by_nothing()
    data.Rows = 99
    status, answer, warning = await post(client, documents(model_of(data, "f")), ("image/jls", "f", JPEG_LS))
    (item,) = answer["00081199"]["Value"]
    assert (status, item["00081196"]["Value"], warning) == (202, [0xB000], '299 archive "values_corrected"')
    found = await stored(client, data)
    assert found.Rows == 24
    assert found.OriginalAttributesSequence[0].ModifiedAttributesSequence[0].Rows == 99


async def test_t07_elements_that_belong_nowhere_are_discarded(client):
    model = model_of(ct_slice("apart", size=16))
    model["00000100"] = {"vr": "US", "Value": [1]}
    status, answer, warning = await post(client, documents(model))
    (item,) = answer["00081199"]["Value"]
    assert (status, item["00081196"]["Value"]) == (202, [0xB006])
    assert '"elements_discarded"' in warning


async def test_a_pdf_is_wrapped(client):
    data = patient_study("pdf", "1.2.840.10008.5.1.4.1.1.104.1")
    model = model_of(data) | {"00420011": {"vr": "OB", "BulkDataURI": "report"}}
    status, _, _ = await post(client, documents(model), ("application/pdf", "report", b"%PDF-1.7 odd"))
    assert status == 200
    found = await stored(client, data)
    assert (found.MIMETypeOfEncapsulatedDocument, found.EncapsulatedDocumentLength) == ("application/pdf", 12)
    assert found.EncapsulatedDocument == b"%PDF-1.7 odd"


async def test_names_and_numbers_survive(client):
    data = ct_slice("apart", size=16)
    data.PatientName = "Wang^XiaoDong=王^小东"
    data.add_new(0x00186020, "SL", [-5, 7])
    data.add_new(0x00081199, "SQ", [])
    data.add_new(0x00181063, "DS", "0.1234567")
    data.add_new(0x00280009, "AT", [0x00181063])
    await post(client, documents(model_of(data)))
    found = await stored(client, data)
    del data.PixelData
    assert found == data


BAD = {
    "no JSON": ([("application/dicom+json", "", b"[{")], [0xC007]),
    "no data set": ([("application/dicom+json", "", b"[1]")], [0xC007]),
    "a number for a text": ([documents({"00100010": {"vr": "PN", "Value": [3]}})], [0xC007]),
    "a VR nobody knows": ([documents({"00100020": {"vr": "XX", "Value": ["1"]}})], [0xC007]),
    "a URI to elsewhere": ([documents(model_of(ct_slice(size=8), "http://evil.example/x"))], [0xC008]),
    "a part nobody names": ([documents(), ("image/jpeg", "x", b"\xff\xd8")], [0xC009]),
    "no JPEG": ([documents(model_of(ct_slice(size=8), "x")), ("image/jpeg", "x", b"GIF89a")], [0xC00A]),
    "a page": ([documents(model_of(ct_slice(size=8), "x")), ("text/html", "x", b"<html>")], [0xC00A]),
    "no UID": ([documents({"00100020": {"vr": "LO", "Value": ["1"]}})], [0xA900]),
    "nested too deep": ([("application/dicom+json", "", b'[{"00081140":' * 3000)], [0xC007]),
}


@pytest.mark.parametrize(("parts", "expected"), BAD.values(), ids=BAD)
async def test_t06_what_cannot_be_put_together_is_refused_with_its_reason(client, parts, expected):
    status, answer, _ = await post(client, *parts)
    assert (status, reasons(answer)) == (409, expected)


async def test_t08_one_bad_data_set_costs_only_itself(client):
    good, bad = ct_slice("apart", size=16), {"00100010": {"vr": "PN", "Value": [3]}}
    status, answer, _ = await post(client, documents(model_of(good), bad, model_of(ct_slice("apart", 1, size=16))))
    assert (status, reasons(answer), len(answer["00081199"]["Value"])) == (202, [0xC007], 2)


async def test_a_request_that_breaks_off_stores_nothing(client, archive, tmp_path):
    data = ct_slice("apart", size=16)
    headers = {"Content-Type": f'multipart/related; type="application/dicom+json"; boundary={BOUNDARY}'}
    cut = body(documents(model_of(data, "p")), ("application/octet-stream", "p", data.PixelData))[:-40]
    reply = await client.post("/dicom-web/studies", data=cut, headers=headers)
    assert (reply.status, (await reply.json(content_type=None))["code"]) == (400, "store.multipart_broken")
    assert (await client.get(series_address(data))).status == 404
    assert not [path for path in (tmp_path / "archive" / "spool").rglob("*") if path.is_file()]


async def test_t16_xml_in_and_out(client):
    data = ct_slice("apart", size=16)
    document = to_xml(model_of(data, "pixels"))
    status, text, _ = await post(
        client,
        ("application/dicom+xml", "", document),
        ("application/octet-stream", "pixels", data.PixelData),
        kind="application/dicom+xml",
        accept="application/dicom+xml",
    )
    assert status == 200
    answered = ET.fromstring(text)
    names = {attribute.get("keyword") for attribute in answered.iter(f"{{{NAMESPACE}}}DicomAttribute")}
    assert names == {"RetrieveURL", "ReferencedSOPSequence", "ReferencedSOPClassUID", "ReferencedSOPInstanceUID"}
    assert await stored(client, data) == data


HOSTILE_XML = {
    "a DTD": b'<!DOCTYPE x [<!ENTITY a "b">]><NativeDicomModel/>',
    "a file as an entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><NativeDicomModel>&a;</NativeDicomModel>',
    "an inclusion": b'<NativeDicomModel><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'
    b"</NativeDicomModel>",
    "no XML": b"<NativeDicomModel>",
    "a stylesheet": b'<?xml-stylesheet href="x"?><NativeDicomModel/>',
}


@pytest.mark.parametrize("document", HOSTILE_XML.values(), ids=HOSTILE_XML)
async def test_security_15_xml_without_dtd_entities_or_inclusion(client, document):
    status, answer, _ = await post(client, ("application/dicom+xml", "", document), kind="application/dicom+xml")
    assert (status, reasons(answer)) == (409, [0xC007])


async def test_security_15_xml_is_bounded_in_depth(client):
    deep = '<DicomAttribute tag="00081140" vr="SQ"><Item number="1">' * 200
    ends = "</Item></DicomAttribute>" * 200
    document = f"<NativeDicomModel>{deep}{ends}</NativeDicomModel>".encode()
    status, answer, _ = await post(client, ("application/dicom+xml", "", document), kind="application/dicom+xml")
    assert (status, reasons(answer)) == (409, [0xC005])
