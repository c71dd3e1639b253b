"""What is no picture but has a rendered form, and what a stranger may have hidden in a file (security 1, 18)."""

import pytest
from pydicom.uid import MPEG4HP41, EncapsulatedPDFStorage, VideoEndoscopicImageStorage

from tests.dicomweb import address, keep
from tests.samples import ct_slice, encapsulated, patient_study, to_bytes

PDF = b"%PDF-1.7\n" + b"x" * 2000
VIDEO = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 40
AS_STORED = {"Accept": "application/dicom; transfer-syntax=*"}


def document(body, media_type="application/pdf"):
    data = patient_study("document", EncapsulatedPDFStorage)
    data.Modality, data.MIMETypeOfEncapsulatedDocument = "DOC", media_type
    data.EncapsulatedDocument = body + b"\0" * (len(body) % 2)
    return data


def video(fragments=3):
    data = patient_study("video", VideoEndoscopicImageStorage)
    data = encapsulated(data, [VIDEO], MPEG4HP41, fragments=fragments)
    data.NumberOfFrames = 25
    return data


async def test_security_18_a_pdf_is_passed_on_as_a_download_in_which_nothing_runs(archive, client):
    data = document(PDF)
    await keep(archive, data)
    reply = await client.get(f"{address(data)}/rendered")
    assert (reply.status, reply.content_type) == (200, "application/pdf")
    assert (await reply.read()).rstrip(b"\0") == PDF
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{data.SOPInstanceUID}.pdf"'
    assert reply.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    part = await client.get(f"{address(data)}/rendered", headers={"Range": "bytes=0-7"})
    assert (part.status, await part.read()) == (206, PDF[:8])
    assert (await client.get(f"{address(data)}/rendered", headers={"Accept": "image/jpeg"})).status == 406
    assert (await client.get(f"{address(data)}/thumbnail")).status == 404


async def test_security_18_a_page_that_says_it_is_a_pdf_is_refused_and_its_bytes_are_no_page(archive, client):
    data = document(b"<html><script>alert(1)</script>" + b" " * 2000, "text/html")
    await keep(archive, data)
    reply = await client.get(f"{address(data)}/rendered")
    assert (reply.status, (await reply.json(content_type=None))["code"]) == (406, "rendered.not_a_pdf")
    bulk = await client.get(f"{address(data)}/bulkdata/00420011", headers={"Accept": "application/octet-stream"})
    assert (bulk.status, bulk.content_type) == (200, "application/octet-stream")
    assert bulk.headers["Content-Disposition"] == "attachment"
    assert bulk.headers["X-Content-Type-Options"] == "nosniff"


async def test_security_18_a_video_is_passed_on_in_its_own_type_and_in_part(archive, client):
    data = video()
    await keep(archive, data)
    at = f"{address(data)}/rendered"
    reply = await client.get(at)
    assert (reply.status, reply.content_type) == (200, "video/mp4")
    assert (await reply.read()).rstrip(b"\0") == VIDEO
    for start, end in ((0, 9), (3000, 7000), (5000, 5000), (len(VIDEO) - 10, len(VIDEO) - 1)):
        part = await client.get(at, headers={"Range": f"bytes={start}-{end}"})
        assert (part.status, await part.read()) == (206, VIDEO[start : end + 1])
    accept = {"Accept": 'multipart/related; type="video/mp4"'}
    whole = await client.get(f"{address(data)}/bulkdata/7FE00010", headers=accept)
    assert VIDEO in await whole.read()


@pytest.mark.parametrize("head", [b"MZ\x90\0", b"\x7fELF\2\1", b"#!/bin/sh\nrm -rf ~\n", b"%PDF-1.7", b"PK\3\4"])
async def test_security_01_a_preamble_that_could_run_is_not_served(archive, client, head):
    data = ct_slice("polyglot", size=16)
    sent = head + to_bytes(data)[len(head) :]
    (outcome,) = await keep(archive, sent)
    assert (outcome.kind, outcome.remarks, outcome.warning_reason) == ("stored", ["preamble_withheld"], None)
    reply = await client.get(address(data), headers=AS_STORED)
    served = await reply.read()
    assert served == bytes(128) + sent[128:]
    assert reply.content_length == len(sent)
    assert reply.content_type == "application/dicom"
    assert reply.headers["Content-Disposition"].startswith("attachment")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    multipart = await client.get(address(data), headers={"Accept": 'multipart/related; type="application/dicom"'})
    assert head not in (await multipart.read())[:600]


@pytest.mark.parametrize("head", [b"II*\0\x10\0\0\0", b"MM\0*\0\0\0\x10", b"II+\0\x08\0\0\0"])
async def test_security_01_the_head_of_a_tiff_stays(archive, client, head):
    data = ct_slice("tiff", size=16)
    sent = head + to_bytes(data)[len(head) :]
    await keep(archive, sent)
    assert await (await client.get(address(data), headers=AS_STORED)).read() == sent
