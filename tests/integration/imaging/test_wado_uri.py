"""WADO-URI (checklist T51)."""

from io import BytesIO

from PIL import Image
from pydicom import dcmread

from tests.archives import SHANGHAI
from tests.dicomweb import keep
from tests.samples import ct_slice, multi_frame, patient_study, to_bytes

EXPLICIT, JPEG_LS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.80"


def query(data, **more):
    named = {"studyUID": data.StudyInstanceUID, "seriesUID": data.SeriesInstanceUID, "objectUID": data.SOPInstanceUID}
    return {"requestType": "WADO", **named, **more}


async def ask(client, data, **more):
    return await client.get("/dicom-web/wado", params=query(data, **more))


async def picture(reply):
    assert reply.status == 200, await reply.text()
    return Image.open(BytesIO(await reply.read()))


async def test_t51_a_picture_unless_a_file_is_asked_for(archive, client):
    data, report = ct_slice("1", size=32), patient_study("sr", "1.2.840.10008.5.1.4.1.1.88.11")
    await keep(archive, data, report)
    for wanted in ({}, {"contentType": "*/*"}, {"contentType": "text/html, image/jpeg"}):
        reply = await ask(client, data, **wanted)
        assert (reply.content_type, (await picture(reply)).size) == ("image/jpeg", (32, 32))
    assert (await ask(client, data, contentType="image/png")).content_type == "image/png"
    plain = await ask(client, data, contentType="application/dicom")
    assert await plain.read() == to_bytes(data)
    other = await ask(client, data, contentType="application/dicom", transferSyntax=JPEG_LS)
    assert dcmread(BytesIO(await other.read())).file_meta.TransferSyntaxUID == JPEG_LS
    assert (await ask(client, report)).content_type == "application/dicom"
    again = await client.get("/dicom-web/wado", params=query(data), headers={"If-None-Match": reply.headers["ETag"]})
    assert again.status == 304


async def test_t51_frame_size_window_and_region_are_applied(archive, client):
    data = multi_frame(3, 32)
    await keep(archive, data)
    window = {"windowCenter": "200", "windowWidth": "400", "contentType": "image/png"}
    first, last = [
        (await picture(await ask(client, data, frameNumber=str(frame), **window))).convert("L").getpixel((5, 5))
        for frame in (1, 3)
    ]
    assert first == 0
    assert 120 < last < 135
    small = await picture(await ask(client, data, rows="16", columns="16"))
    assert small.size == (16, 16)
    half = await picture(await ask(client, data, region="0,0,0.5,0.5", rows="16", columns="16"))
    assert half.size == (16, 16)


BAD = [
    {"requestType": "QIDO"},
    {"objectUID": ""},
    {"windowCenter": "40"},
    {"windowCenter": "40", "windowWidth": "0"},
    {"windowCenter": "x", "windowWidth": "1"},
    {"rows": "0"},
    {"frameNumber": "2"},
    {"imageQuality": "101"},
    {"region": "0,0,2,1"},
    {"contentType": "application/dicom", "transferSyntax": 'x"y'},
]


async def test_t51_what_is_malformed_is_400_and_wrong_parents_404(archive, client):
    data, other, foreign = ct_slice("1", size=16), ct_slice("2", size=16), ct_slice("3", size=16)
    await keep(archive, data, other)
    await keep(archive, foreign, access=SHANGHAI)
    assert [(await ask(client, data, **bad)).status for bad in BAD] == [400] * len(BAD)
    assert (await ask(client, data, contentType="image/gif")).status == 406
    lossy = {"contentType": "application/dicom", "transferSyntax": "1.2.840.10008.1.2.4.50"}
    assert (await ask(client, data, **lossy)).status == 406
    assert (await ask(client, data, studyUID=other.StudyInstanceUID)).status == 404
    assert (await ask(client, data, seriesUID=other.SeriesInstanceUID)).status == 404
    assert (await ask(client, foreign)).status == 404
    assert (await client.get("/dicom-web/hospitals/SH01/wado", params=query(foreign))).status == 404
