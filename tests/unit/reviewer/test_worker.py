"""The reviewer's dealings with a platform that is slow, broken or says no: scripted over real HTTP."""

from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import MultipartWriter, web
from aiohttp.test_utils import TestServer

from reviewer import worker
from reviewer.platform import Job, Platform, Refused, Unreachable
from tests.samples import ct_slice, to_bytes


class Script:
    """A platform with one study of one image. ``trouble``: path → statuses answered before the right one."""

    def __init__(self, **trouble):
        self.image = ct_slice("scripted", size=32)
        self.image.Modality = "MR"
        self.trouble = {f"/{name}": list(statuses) for name, statuses in trouble.items()}
        self.posted, self.asked, self.keys = [], [], []

    async def handle(self, request):
        self.asked.append((request.path, request.headers.get("Authorization")))
        if statuses := self.trouble.get(request.path):
            return web.json_response({"code": "scripted"}, status=statuses.pop(0))
        return await {
            "/token": self.token,
            "/manifest": self.manifest,
            "/results": self.results,
            "/image": self.bytes_,
        }[request.path](request)

    async def token(self, _request):
        return web.json_response({"access_token": "aijob_t"})

    async def manifest(self, request):
        instance = {
            "sop_instance_uid": self.image.SOPInstanceUID, "rows": 32, "columns": 32, "url": f"{self.url}/image",
        }  # fmt: skip
        return web.json_response({"series": [{"modality": "MR", "url": f"{self.url}/series", "instances": [instance]}]})

    async def results(self, request):
        self.keys.append(request.headers["Idempotency-Key"])
        self.posted.append(await request.json())
        return web.json_response({}, status=201)

    async def bytes_(self, request):
        assert "transfer-syntax=1.2.840.10008.1.2.1" in request.headers["Accept"]
        with MultipartWriter("related") as parts:
            parts.append(to_bytes(self.image), {"Content-Type": "application/dicom"})
        return web.Response(body=await parts.as_bytes(), headers=parts.headers)

    @asynccontextmanager
    async def playing(self):
        app = web.Application()
        app.router.add_route("*", "/{any}", self.handle)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url("")).rstrip("/")
        async with aiohttp.ClientSession() as session:
            yield Platform(session, self.url, "aikey_k", pauses=(0, 0))
        await server.close()

    @property
    def job(self):
        return Job("2.25.1", f"{self.url}/token", f"{self.url}/manifest", f"{self.url}/results")

    @property
    def told(self):
        return [document["status"] for document in self.posted]


async def played(script):
    async with script.playing() as platform:
        await worker.review(platform, script.job)
    return script


async def test_a_job_goes_from_claim_to_result():
    script = await played(Script())
    assert script.told == ["in-progress", "completed"]
    assert script.asked[0] == ("/token", "Bearer aikey_k")
    assert {bearer for path, bearer in script.asked if path != "/token"} == {"Bearer aijob_t"}
    assert script.keys == ["2.25.1-1", "2.25.1-2"]


@pytest.mark.parametrize("path", ["token", "manifest", "results", "image"])
async def test_a_platform_in_trouble_is_asked_again(path):
    script = await played(Script(**{path: [503, 429]}))
    assert script.told[-1] == "completed"


async def test_what_cannot_be_fetched_ends_the_job_as_failed():
    script = await played(Script(manifest=[500, 500, 500]))
    assert (script.told[-1], script.posted[-1]["reason"]) == ("failed", "no usable answer (ClientResponseError)")


async def test_an_image_not_to_be_had_is_left_out_and_without_any_the_job_is_skipped():
    script = await played(Script(image=[406]))
    assert (script.told[-1], "pixels" in script.posted[-1]["reason"]) == ("skipped", True)


async def test_a_computation_that_fails_is_reported(monkeypatch, caplog):
    def breaks(_images):
        raise MemoryError

    monkeypatch.setattr(worker, "quality_report", breaks)
    script = await played(Script())
    assert script.posted[-1]["reason"] == "the computation failed (MemoryError)"


@pytest.mark.parametrize("status", [401, 409, 410])
async def test_a_job_the_platform_has_ended_is_dropped(status):
    script = await played(Script(token=[status]))
    assert script.posted == []


async def test_a_result_nobody_takes_is_given_up(caplog):
    script = await played(Script(results=[500, 500, 500]))
    assert script.posted == []
    assert "job dropped" in caplog.text


async def test_addresses_outside_the_platform_are_not_asked():
    script = Script()
    async with script.playing() as platform:
        for url in ("http://127.0.0.1:1/x", f"{script.url}.evil.example/x", "file:///etc/passwd"):
            with pytest.raises(Refused):
                await platform.images(url, "t")
    assert script.asked == []


async def test_a_platform_that_is_not_there_is_unreachable():
    async with aiohttp.ClientSession() as session:
        platform = Platform(session, "http://127.0.0.1:1", "k", pauses=(0,))
        with pytest.raises(Unreachable):
            await platform.images("http://127.0.0.1:1/x", "t")
