"""HTJ2K frames and thumbnails over HTTP (checklist T48, T52, T53)."""

import imagecodecs
import numpy as np
import pytest

from imaging.workers import Workers
from tests.dicomweb import address, keep, series_address, split
from tests.samples import ct_series, ct_slice, multi_frame

RPCL = "1.2.840.10008.1.2.4.202"
JPHC = {"Accept": f"image/jphc; transfer-syntax={RPCL}"}


async def test_t48_a_copy_made_now_and_one_made_before_are_the_same(archive, client, monkeypatch):
    data = ct_slice(count=1, size=96)
    await keep(archive, data)
    path = address(data) + "/frames/1"
    now = await client.get(path, headers=JPHC)
    assert now.status == 200
    assert now.headers["Content-Type"] == f"image/jphc; transfer-syntax={RPCL}"
    body = await now.read()
    assert np.array_equal(imagecodecs.htj2k_decode(body), data.pixel_array)
    await archive.derivatives.step()
    monkeypatch.setattr(Workers, "run", None)  # nothing is computed any more
    before = await client.get(path, headers=JPHC)
    assert await before.read() == body
    assert before.headers["ETag"] == now.headers["ETag"]
    again = await client.get(path, headers={**JPHC, "If-None-Match": now.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize("name", ["image/jphc", "image/jhc"])
async def test_t48_multipart_and_the_older_name(archive, client, name):
    data = multi_frame(3)
    await keep(archive, data)
    accept = {"Accept": f'multipart/related; type="{name}"; transfer-syntax={RPCL}'}
    reply = await client.get(address(data) + "/frames/3,1", headers=accept)
    parts = split(reply.headers["Content-Type"], await reply.read())
    assert [imagecodecs.htj2k_decode(body).max() for _, body in parts] == [200, 0]
    assert {headers["Content-Type"] for headers, _ in parts} == {f"image/jphc; transfer-syntax={RPCL}"}


async def test_t53_its_first_kilobytes_alone(archive, client):
    data = ct_slice(count=1, size=256)
    await keep(archive, data)
    await archive.derivatives.step()
    whole = await client.get(address(data) + "/frames/1", headers=JPHC)
    part = await client.get(address(data) + "/frames/1", headers={**JPHC, "Range": "bytes=0-2047"})
    assert part.status == 206
    assert await part.read() == (await whole.read())[:2048]


async def test_frames_without_a_lossless_copy_fall_back_to_what_else_is_accepted(archive, client):
    data = ct_slice(count=1, size=16)
    pixels = data.pixel_array | np.uint16(0x8000)
    data.PixelData, data.BitsStored, data.HighBit = pixels.tobytes(), 12, 11
    await keep(archive, data)
    path = address(data) + "/frames/1"
    octets = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    reply = await client.get(path, headers={"Accept": f"{JPHC['Accept']}, {octets};q=0.5"})
    assert (reply.status, await reply.read()) == (200, pixels.tobytes())
    assert (await client.get(path, headers=JPHC)).status == 406


async def test_a_plain_question_gets_no_copy(archive, client):
    data = ct_slice(count=1, size=16)
    await keep(archive, data)
    reply = await client.get(address(data) + "/frames/1", headers={"Accept": "*/*"})
    assert await reply.read() != b""
    assert "jphc" not in reply.headers["Content-Type"]


async def test_thumbnails_made_before_are_served_as_they_lie(archive, client, monkeypatch):
    series = ct_series("1", 3, 64)
    await keep(archive, *series)
    path = series_address(series[0]) + "/thumbnail"
    rendered = await client.get(path)
    await archive.derivatives.step()
    monkeypatch.setattr(Workers, "run", None)
    ready = await client.get(path)
    assert (ready.status, await ready.read()) == (200, await rendered.read())
    assert ready.headers["ETag"] == rendered.headers["ETag"]
    assert (await client.get(path, headers={"If-None-Match": ready.headers["ETag"]})).status == 304
