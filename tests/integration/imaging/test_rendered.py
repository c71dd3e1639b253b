"""Pictures over HTTP (checklist T50; security 8)."""

import io

import imagecodecs
import numpy as np
from PIL import Image

from imaging.archive import Limits
from imaging.dicomweb.app import routes
from tests.archives import HeaderGuard, archive_at, client_of
from tests.dicomweb import address, keep, series_address
from tests.samples import ct_series, ct_slice, encapsulated, multi_frame, patient_study, set_pixels


async def image_of(reply):
    assert reply.status == 200, await reply.text()
    image = Image.open(io.BytesIO(await reply.read()))
    assert reply.content_type == f"image/{image.format.lower()}"
    return image


async def test_t50_every_level_has_a_picture_and_a_thumbnail(archive, client):
    series = ct_series("1", 3, 256)
    await keep(archive, *series)
    study = f"/dicom-web/studies/{series[0].StudyInstanceUID}"
    for path in (study, series_address(series[0]), address(series[0]), f"{address(series[0])}/frames/1"):
        assert (await image_of(await client.get(f"{path}/rendered"))).size == (256, 256)
        assert (await image_of(await client.get(f"{path}/thumbnail"))).size == (128, 128)
    middle = await (await client.get(f"{address(series[1])}/rendered")).read()
    assert await (await client.get(f"{study}/rendered")).read() == middle


async def test_t50_window_viewport_and_quality_are_applied(archive, client):
    data = ct_slice("1", size=64)
    await keep(archive, data)
    path = f"{address(data)}/rendered"
    bones = np.asarray(await image_of(await client.get(f"{path}?window=300,1,linear&accept=image/png")))
    assert set(np.unique(bones)) == {0, 255}
    assert (await image_of(await client.get(f"{path}?viewport=32,100"))).size == (32, 32)
    small, large = [len(await (await client.get(f"{path}?quality={quality}")).read()) for quality in (5, 100)]
    assert small < large
    png = await client.get(path, headers={"Accept": "image/jpeg;q=0.5, image/png"})
    assert (await image_of(png)).format == "PNG"
    for query in ("window=1", "window=1,0,linear", "quality=0", "viewport=0,0", "viewport=9,9,60,0,9,9"):
        assert (await client.get(f"{path}?{query}")).status == 400, query


async def test_t50_the_named_frame_is_shown(archive, client):
    data = multi_frame(3, 8)
    data.WindowCenter, data.WindowWidth = 100, 200
    await keep(archive, data)
    shown = []
    for frame in (1, 3):
        reply = await client.get(f"{address(data)}/frames/{frame}/rendered?accept=image/png")
        shown.append(int(np.asarray(await image_of(reply)).max()))
    assert shown == [0, 255]
    assert (await client.get(f"{address(data)}/frames/4/rendered")).status == 404
    assert (await client.get(f"{address(data)}/frames/1,2/rendered")).status == 400


async def test_t50_what_is_no_image_has_no_picture(archive, client):
    report = patient_study("sr", "1.2.840.10008.5.1.4.1.1.88.11")
    await keep(archive, report)
    for path in (address(report), series_address(report)):
        rendered, thumbnail = [await client.get(f"{path}/{resource}") for resource in ("rendered", "thumbnail")]
        assert (rendered.status, (await rendered.json(content_type=None))["code"]) == (406, "rendered.not_an_image")
        assert (thumbnail.status, (await thumbnail.json(content_type=None))["code"]) == (404, "thumbnail.none")


async def test_security_08_lies_about_size_are_refused_and_the_worker_lives(archive, client):
    bomb = encapsulated(
        ct_slice("bomb", size=8),
        [b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00"],
        "1.2.840.10008.1.2.4.50",
    )
    huge = encapsulated(ct_slice("huge", size=8), [b"\xff\xd8\xff"], "1.2.840.10008.1.2.4.80")
    huge.Rows = huge.Columns = 65535
    good = ct_slice("good", size=16)
    await keep(archive, bomb, huge, good)
    assert (await client.get(f"{address(bomb)}/rendered")).status == 406
    assert (await client.get(f"{address(huge)}/rendered")).status == 413
    assert (await client.get(f"{address(good)}/rendered")).status == 200


async def test_security_08_a_decoder_that_takes_too_long_is_killed_and_the_next_picture_comes(sqlite_url, tmp_path):
    size = 2048
    noise = np.random.default_rng(1).integers(0, 4096, (size, size), np.uint16)
    slow = ct_slice("slow", size=8)
    set_pixels(slow, noise)
    stream = imagecodecs.jpeg2k_encode(noise, codecformat="j2k", reversible=True, numthreads=2)
    slow = encapsulated(slow, [stream], "1.2.840.10008.1.2.4.90")
    slow.BitsAllocated, slow.BitsStored, slow.HighBit = 16, 16, 15
    good = ct_slice("good", size=16)
    limits = Limits(worker_processes=1, worker_cpu_seconds=0.2)
    async with archive_at(sqlite_url, tmp_path / "archive", limits) as archive:
        await keep(archive, slow, good)
        async with client_of(routes(archive, HeaderGuard())) as client:
            killed = await client.get(f"{address(slow)}/rendered")
            assert (killed.status, (await killed.json(content_type=None))["code"]) == (503, "imaging.worker_died")
            assert (await client.get(f"{address(good)}/rendered")).status == 200
