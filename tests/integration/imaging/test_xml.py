"""Metadata and matches as Native DICOM Model (PS3.19 section A.1)."""

import json
from xml.etree import ElementTree as ET

from imaging.dicom.xml_model import NAMESPACE, from_xml
from tests.dicomweb import address, keep, series_address, split
from tests.samples import ct_series, named, patient_study

XML = {"Accept": 'multipart/related; type="application/dicom+xml"'}


def read(document):
    return from_xml(document, max_depth=64, max_elements=10_000)


def as_text(model):
    """XML knows numbers by their digits only."""
    return json.loads(json.dumps(model))


async def test_xml_says_what_json_says_at_every_level(archive, client):
    series = ct_series("1", 2, 16)
    inner = patient_study("inner")
    inner.add_new(0x00420011, "OB", bytes(range(256)) * 8)
    series[0].ReferencedImageSequence = [inner]
    block = series[0].private_block(0x0009, "OURS", create=True)
    block.add_new(1, "LO", '<ours> & "more"')
    await keep(archive, *series)
    study = f"/dicom-web/studies/{series[0].StudyInstanceUID}"
    for level in (study, series_address(series[0]), address(series[0])):
        wanted = await (await client.get(f"{level}/metadata")).json(content_type=None)
        reply = await client.get(f"{level}/metadata", headers=XML)
        parts = split(reply.headers["Content-Type"], await reply.read())
        assert [as_text(read(content)) for _, content in parts] == wanted
        assert all(headers["Content-Type"] == "application/dicom+xml" for headers, _ in parts)
        assert parts[0][0]["Content-Location"].endswith("/metadata")
    alone = await client.get(f"{address(series[0])}/metadata", headers={"Accept": "application/dicom+xml"})
    assert (alone.content_type, await alone.read()) == ("application/dicom+xml", parts[0][1])
    creators = [each.get("privateCreator") for each in ET.fromstring(parts[0][1]).iter() if each.get("privateCreator")]
    assert creators == ["OURS"]


async def test_a_repaired_name_is_divided_into_its_parts(archive, client):
    data = named("gbk_labelled_latin1")
    await keep(archive, data)
    reply = await client.get(f"{address(data)}/metadata", headers={"Accept": "application/dicom+xml"})
    name = ET.fromstring(await reply.read()).find(f".//{{{NAMESPACE}}}PersonName")
    found = {part.tag.rpartition("}")[2]: [inner.text for inner in part] for part in name}
    assert found == {"Alphabetic": ["Wang", "XiaoDong"], "Ideographic": ["王", "小东"]}


async def test_matches_come_as_xml_when_asked(archive, client):
    await keep(archive, *ct_series("1", 2, 16))
    path = "/dicom-web/instances?limit=1"
    wanted = await (await client.get(path)).json(content_type=None)
    reply = await client.get(path, headers=XML)
    ((headers, content),) = split(reply.headers["Content-Type"], await reply.read())
    assert as_text(read(content)) == wanted[0]
    assert "additional results" in reply.headers["Warning"]
    assert headers["Content-Location"] == wanted[0]["00081190"]["Value"][0]
    nothing = await client.get("/dicom-web/studies?PatientID=nobody", headers=XML)
    assert (nothing.status, await nothing.read()) == (204, b"")


async def test_t52_xml_has_an_etag_of_its_own(archive, client):
    (data,) = ct_series("1", 1, 16)
    await keep(archive, data)
    path = f"{address(data)}/metadata"
    tags = [(await client.get(path, headers=headers)).headers["ETag"] for headers in (XML, {})]
    assert len(set(tags)) == 2
    assert (await client.get(path, headers={**XML, "If-None-Match": tags[0]})).status == 304
