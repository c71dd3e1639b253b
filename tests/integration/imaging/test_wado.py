"""Retrieving over HTTP (checklist T41–T56; security 14)."""

import asyncio
import io
from dataclasses import replace

import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)
from sqlalchemy import delete
from yarl import URL

from imaging.dicomweb.app import routes
from imaging.store.tables import Study
from tests.archives import SHANGHAI, HeaderGuard, client_of
from tests.dicomweb import address, keep, series_address, split
from tests.samples import WANG, ct_series, ct_slice, encapsulated, multi_frame, named, patient_study, rle, to_bytes

ANY_SYNTAX = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
OHIF_FRAMES = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax="*"'}
JPEG_53 = "1.2.840.10008.1.2.4.53"
UNKNOWN = "1.2.3.4.5"


@pytest.fixture
def guard():
    return HeaderGuard()


@pytest.fixture
async def client(archive, guard):
    async with client_of(routes(archive, guard)) as client:
        yield client


async def parts_of(reply):
    assert reply.status in (200, 206), await reply.text()
    return split(reply.headers["Content-Type"], await reply.read())


async def test_t41_t44_stored_bytes_come_back_as_they_are(archive, client, guard):
    series = ct_series("1", 3, 16)
    (outcome, *_) = await keep(archive, *series)
    study = f"/dicom-web/studies/{series[0].StudyInstanceUID}"
    for path, count in ((study, 3), (series_address(series[0]), 3), (address(series[1]), 1)):
        parts = await parts_of(await client.get(path, headers=ANY_SYNTAX))
        assert len(parts) == count
        for headers, content in parts:
            data = dcmread(io.BytesIO(content))
            assert content == to_bytes(series[data.InstanceNumber - 1])
            assert headers["Content-Type"] == f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}"
            assert headers["Content-Location"] == str(client.make_url(address(data)))
    assert guard.records[-1] == ("key:wz", "study.view", outcome.study_id)
    bare = await client.get(address(series[0]), headers={"Accept": "application/dicom"})
    assert bare.headers["Content-Length"] == str(len(to_bytes(series[0])))
    assert await bare.read() == to_bytes(series[0])
    head = await client.head(address(series[0]), headers={"Accept": "application/dicom"})
    assert (head.status, head.headers["ETag"]) == (200, bare.headers["ETag"])


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless]
)
async def test_t41_without_a_named_syntax_the_answer_is_explicit_little_endian(archive, client, syntax):
    plain, stored = multi_frame(2, 8), multi_frame(2, 8)
    if syntax == RLELossless:
        rle(stored)
    elif syntax == ExplicitVRBigEndian:
        stored.PixelData = b"".join(stored.PixelData[i : i + 2][::-1] for i in range(0, len(stored.PixelData), 2))
    stored.file_meta.TransferSyntaxUID = syntax
    await keep(archive, stored)
    for accept in ({}, {"Accept": 'multipart/related; type="application/dicom"'}, {"Accept": "*/*"}):
        ((headers, content),) = await parts_of(await client.get(address(stored), headers=accept))
        data = dcmread(io.BytesIO(content))
        assert headers["Content-Type"].endswith(ExplicitVRLittleEndian)
        assert data.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert data.PixelData == plain.PixelData
    ((headers, content),) = await parts_of(await client.get(address(stored), headers=ANY_SYNTAX))
    assert content == to_bytes(stored)
    frame = await client.get(f"{address(stored)}/frames/2", headers={"Accept": "application/octet-stream"})
    assert await frame.read() == plain.PixelData[128:]
    assert not list(archive.blobs._spool.iterdir())


async def test_t41_t41c_what_cannot_be_given_is_406_and_what_is_malformed_400(archive, client):
    data = ct_slice("1", size=16)
    await keep(archive, data)
    study = f"/dicom-web/studies/{data.StudyInstanceUID}"
    for path, accept, status in (
        (study, "application/dicom", 406),
        (address(data), "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50", 406),
        (address(data), 'multipart/related; type="application/dicom', 400),
        (address(data), "application/dicom, image/jpeg", 400),
        (f"{study}/metadata", "application/dicom+xml", 406),  # one document cannot hold several instances
        (f"{address(data)}/frames/1", "image/jpeg", 406),
        (f"{address(data)}/rendered", "image/gif", 406),
    ):
        reply = await client.get(path, headers={"Accept": accept})
        assert (reply.status, reply.content_type) == (status, "application/problem+json"), (path, accept)


async def test_t40_the_repair_is_told_and_the_stored_bytes_are_untouched(archive, client):
    data, plain = named("gbk_labelled_utf8"), ct_slice("plain", size=16)
    await keep(archive, data, plain)
    reply = await client.get(f"{address(data)}/metadata")
    (model,) = await reply.json(content_type=None)
    assert model["00100010"]["Value"] == [{"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}]
    assert reply.headers["Warning"] == '299 archive "charset_repaired"'
    assert "Warning" not in (await client.get(f"{address(plain)}/metadata")).headers
    ((_, stored),) = await parts_of(await client.get(address(data), headers=ANY_SYNTAX))
    assert stored == to_bytes(data)
    rewritten = await client.get(address(data), headers={"Accept": "application/dicom"})
    assert WANG.encode("gbk") in await rewritten.read()


async def test_t42_a_study_with_one_instance_that_cannot_be_converted_is_partial(archive, client):
    good, retired = (
        ct_slice("1", size=8),
        encapsulated(ct_slice("1", 1, size=8), [b"\xff\xd8xx"], JPEG_53),
    )
    await keep(archive, good, retired)
    explicit = {"Accept": 'multipart/related; type="application/dicom"'}
    reply = await client.get(series_address(good), headers=explicit)
    assert (reply.status, len(await parts_of(reply))) == (206, 1)
    assert reply.headers["Warning"].endswith('"1 of 2 instances cannot be converted to an acceptable transfer syntax"')
    alone = await client.get(address(retired), headers={"Accept": "application/dicom"})
    assert alone.status == 406
    frame = await client.get(f"{address(retired)}/frames/1", headers=OHIF_FRAMES)
    ((headers, content),) = await parts_of(frame)
    assert (headers["Content-Type"], content) == (f"application/octet-stream; transfer-syntax={JPEG_53}", b"\xff\xd8xx")


async def test_t43_mismatched_parents_do_not_resolve(archive, client):
    one, two = ct_slice("1", size=16), ct_slice("2", size=16)
    await keep(archive, one, two)
    wrong_study = f"/dicom-web/studies/{two.StudyInstanceUID}/series/{one.SeriesInstanceUID}"
    wrong = [wrong_study, f"{wrong_study}/instances/{one.SOPInstanceUID}", f"/dicom-web/studies/{UNKNOWN}"]
    for path in wrong:
        for resource in ("", "/metadata", "/rendered", "/thumbnail"):
            assert (await client.get(path + resource)).status == 404, path + resource
    assert (await client.get(f"{wrong[1]}/frames/1")).status == 404
    assert (await client.get(f"{wrong[1]}/bulkdata/7FE00010")).status == 404


async def test_security_14_every_resource_of_another_hospital_is_404(archive, client):
    data = ct_slice("1", size=16)
    await keep(archive, data, access=SHANGHAI)
    study = f"/dicom-web/studies/{data.StudyInstanceUID}"
    resources = ["", "/metadata", "/rendered", "/thumbnail"]
    paths = [level + resource for level in (study, series_address(data), address(data)) for resource in resources]
    paths += [address(data) + "/frames/1" + resource for resource in ("", "/rendered", "/thumbnail")]
    paths.append(address(data) + "/bulkdata/7FE00010")
    for path in paths:
        assert (await client.get(path)).status == 404, path
        foreign = path.replace("/dicom-web", "/dicom-web/hospitals/SH01")
        assert (await client.get(foreign)).status == 404, foreign


async def test_one_uid_at_two_hospitals(archive, client, guard):
    data = ct_slice("1", size=16)
    await keep(archive, data)
    await keep(archive, data, access=SHANGHAI)
    assert (await client.get(f"{address(data)}/metadata")).status == 200
    both = replace(SHANGHAI, store_as=None, owners=frozenset({"WZ01", "SH01"}))
    guard.access = lambda request: asyncio.sleep(0, both)
    refused = await client.get(f"{address(data)}/metadata")
    assert (refused.status, (await refused.json(content_type=None))["code"]) == (409, "study.ambiguous")
    found = await (await client.get("/dicom-web/studies")).json(content_type=None)
    for match in found:
        path = URL(match["00081190"]["Value"][0]).path
        assert (await client.get(f"{path}/metadata")).status == 200


async def test_t45_frame_lists(archive, client):
    data = multi_frame(3, 4)
    await keep(archive, data)
    parts = await parts_of(await client.get(f"{address(data)}/frames/3,1,3"))
    assert [int.from_bytes(content[:2], "little") for _, content in parts] == [200, 0, 200]
    assert parts[0][0]["Content-Location"].endswith("/frames/3")
    for frames, status in (("0", 400), ("-1", 400), ("abc", 400), ("1,", 400), ("4", 404), ("1,4", 404)):
        assert (await client.get(f"{address(data)}/frames/{frames}")).status == status, frames


async def test_t46_fragments_are_joined_and_labelled(archive, client):
    frames = [b"\xff\xd8frame-one!", b"\xff\xd8frame-two!"]
    data = encapsulated(ct_slice("1", size=8), frames, "1.2.840.10008.1.2.4.80", fragments=2)
    data.NumberOfFrames = 2
    await keep(archive, data)
    parts = await parts_of(await client.get(f"{address(data)}/frames/2,1", headers=OHIF_FRAMES))
    assert [content for _, content in parts] == frames[::-1]
    assert parts[0][0]["Content-Type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.80"
    jls = await client.get(f"{address(data)}/frames/1", headers={"Accept": "image/jls"})
    assert (jls.headers["Content-Type"], await jls.read()) == (
        "image/jls; transfer-syntax=1.2.840.10008.1.2.4.80",
        frames[0],
    )
    damaged = await client.get(f"{address(data)}/frames/1")
    assert (damaged.status, (await damaged.json(content_type=None))["code"]) == (406, "pixels.damaged")


async def test_an_instance_without_pixels_has_no_frames(archive, client):
    data = patient_study("sr", "1.2.840.10008.5.1.4.1.1.88.11")
    await keep(archive, data)
    assert (await client.get(f"{address(data)}/frames/1")).status == 404


async def test_t52_unchanged_answers_are_304_until_something_arrives(archive, client):
    series = ct_series("1", 3, 16)
    await keep(archive, *series[:2])
    study = f"/dicom-web/studies/{series[0].StudyInstanceUID}"
    tags = {}
    for path in (
        study,
        f"{study}/metadata",
        f"{address(series[0])}/frames/1",
        f"{address(series[0])}/rendered",
        address(series[0]),
    ):
        reply = await client.get(path)
        assert reply.headers["Cache-Control"].startswith("private")
        tags[path] = reply.headers["ETag"]
        assert (await client.get(path, headers={"If-None-Match": tags[path]})).status == 304
    await keep(archive, series[2])
    changed = {
        path for path, tag in tags.items() if (await client.get(path, headers={"If-None-Match": tag})).status == 200
    }
    assert changed == {study, f"{study}/metadata"}


async def test_t53_ranges_of_frames_and_bulk_data(archive, client):
    data = ct_slice("1", size=16)
    await keep(archive, data)
    for path in (f"{address(data)}/frames/1?accept=application/octet-stream", f"{address(data)}/bulkdata/7FE00010"):
        part = await client.get(path, headers={"Range": "bytes=10-19"})
        assert (part.status, await part.read()) == (206, data.PixelData[10:20])
        assert part.headers["Content-Range"] == "bytes 10-19/512"
        assert (await client.get(path, headers={"Range": "bytes=9999-"})).status == 416


async def test_t54_every_bulk_address_of_the_metadata_answers(archive, client):
    data = ct_slice("1", size=16)
    inner = patient_study("inner")
    inner.add_new(0x00420011, "OB", bytes(range(256)) * 8)
    data.ReferencedImageSequence = [inner]
    await keep(archive, data)
    (model,) = await (await client.get(f"{address(data)}/metadata")).json(content_type=None)
    assert model["7FE00010"]["BulkDataURI"] == str(client.make_url(f"{address(data)}/bulkdata/7FE00010"))
    pixels = await client.get(URL(model["7FE00010"]["BulkDataURI"]).path)
    assert (pixels.headers["Content-Disposition"], await pixels.read()) == ("attachment", data.PixelData)
    nested = model["00081140"]["Value"][0]["00420011"]["BulkDataURI"]
    ((headers, content),) = await parts_of(await client.get(URL(nested).path, headers=OHIF_FRAMES))
    assert (headers["Content-Location"], content) == (nested, bytes(range(256)) * 8)
    assert (await client.get(f"{address(data)}/bulkdata/00100010")).status == 404


async def test_t56_metadata_is_packed_only_when_asked(archive, client):
    series = ct_series("1", 3, 16)
    await keep(archive, *series)
    path = f"{series_address(series[0])}/metadata"
    answers = {}
    for coding in ("identity", "gzip"):
        reply = await client.get(path, headers={"Accept-Encoding": coding})
        assert "Accept-Encoding" in reply.headers["Vary"]
        answers[reply.headers.get("Content-Encoding")] = await reply.json(content_type=None)
    assert set(answers) == {None, "gzip"}
    assert answers[None] == answers["gzip"]
    assert [model["00200013"]["Value"] for model in answers["gzip"]] == [[1], [2], [3]]


async def test_t54_bulk_data_of_deflated_and_big_endian_objects_is_little_endian(archive, client):
    for syntax in (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian):
        data = multi_frame(2, 8, key=syntax)
        plain = data.PixelData
        if syntax == ExplicitVRBigEndian:
            data.PixelData = b"".join(plain[i : i + 2][::-1] for i in range(0, len(plain), 2))
        data.file_meta.TransferSyntaxUID = syntax
        await keep(archive, data)
        assert await (await client.get(f"{address(data)}/bulkdata/7FE00010")).read() == plain


async def test_what_came_without_file_meta_leaves_with_it(archive, client):
    data = ct_slice("1", size=16)
    await keep(archive, to_bytes(data)[132:])
    ((_, content),) = await parts_of(await client.get(address(data), headers=ANY_SYNTAX))
    assert dcmread(io.BytesIO(content)) == data
    assert dcmread(io.BytesIO(content)).file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
    bare = await client.get(address(data), headers={"Accept": "application/dicom"})
    assert await bare.read() == content


async def test_dicomweb_client_round_trip(client):
    """The Python client that hospitals use, from a thread because it blocks."""
    series = ct_series("1", 3, 16)
    outside = DICOMwebClient(str(client.make_url("/dicom-web")), headers={"Authorization": "Bearer wenzhou"})
    study, one, instance = series[0].StudyInstanceUID, series[0].SeriesInstanceUID, series[0].SOPInstanceUID

    def round_trip():
        outside.store_instances(series)
        (match,) = outside.search_for_studies(search_filters={"PatientID": series[0].PatientID})
        assert match["0020000D"]["Value"] == [study]
        assert len(outside.search_for_series(study)) == 1
        assert len(outside.search_for_instances(study, one, limit=2)) == 2
        retrieved = outside.retrieve_series(study, one)
        assert [data.PixelData for data in retrieved] == [data.PixelData for data in series]
        assert len(outside.retrieve_study(study)) == 3
        assert outside.retrieve_instance(study, one, instance).PatientName == series[0].PatientName
        assert outside.retrieve_instance_frames(study, one, instance, [1]) == [series[0].PixelData]
        assert len(outside.retrieve_series_metadata(study, one)) == 3
        # The client leaves the port out of its Host header, so the address in the answer lacks it too.
        bulk = URL(outside.retrieve_instance_metadata(study, one, instance)["7FE00010"]["BulkDataURI"]).path
        assert outside.retrieve_bulkdata(str(client.make_url(bulk))) == [series[0].PixelData]
        assert outside.retrieve_instance_rendered(study, one, instance, media_types=("image/png",)).startswith(
            b"\x89PNG"
        )

    await asyncio.to_thread(round_trip)


async def test_t52_metadata_held_ready_changes_with_the_next_instance(archive, client):
    series = ct_series("ready", 3, 16)
    await keep(archive, *series[:2])
    path = f"{series_address(series[0])}/metadata"
    first = await client.get(path)
    again = await client.get(path)
    assert (await again.read(), again.headers["ETag"]) == (await first.read(), first.headers["ETag"])
    assert (await client.get(path, headers={"If-None-Match": first.headers["ETag"]})).status == 304
    await keep(archive, series[2])
    grown = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert grown.status == 200
    assert len(await grown.json(content_type=None)) == 3


async def test_t35_each_root_is_told_its_own_addresses(archive, client):
    series = ct_series("roots", 2, 16)
    await keep(archive, *series)
    path = f"{series_address(series[0])}/metadata"
    for _ in range(2):
        for narrowed in ("", "/hospitals/WZ01"):
            own = path.replace("/dicom-web", f"/dicom-web{narrowed}")
            models = await (await client.get(own)).json(content_type=None)
            assert all(f"/dicom-web{narrowed}/studies/" in model["7FE00010"]["BulkDataURI"] for model in models)


async def test_security_14_what_is_held_for_one_caller_does_not_exist_for_another(archive, client):
    series = ct_series("hidden", 2, 16)
    await keep(archive, *series)
    paths = (f"{series_address(series[0])}/metadata", f"{address(series[0])}/frames/1")
    assert [(await client.get(path)).status for path in paths] == [200, 200]
    for stranger, status in (("visitor", 404), ("shanghai", 404), ("nobody", 401)):
        headers = {"Authorization": f"Bearer {stranger}"}
        assert [(await client.get(path, headers=headers)).status for path in paths] == [status, status]


async def test_t43_what_this_process_deletes_is_gone_at_once_though_it_was_held(archive, client):
    series = ct_series("deleted", 2, 16)
    await keep(archive, *series)
    paths = (f"{series_address(series[0])}/metadata", f"{address(series[0])}/frames/1")
    assert [(await client.get(path)).status for path in paths] == [200, 200]
    await archive.database.change(lambda connection: connection.execute(delete(Study)))
    archive.catalog.forget(series[0].StudyInstanceUID)
    assert [(await client.get(path)).status for path in paths] == [404, 404]
