"""The browser app's files: which address gives what."""

import gzip

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from foundation.problem import problems
from telemed import pages

APP = "<!doctype html><title>the app</title>"
STUDY = "<!doctype html><link rel=modulepreload><title>the app with its viewer</title>"


@pytest.fixture
async def client(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-abc.js").write_text("1")
    (tmp_path / "index.html").write_text(APP)
    (tmp_path / "study.html").write_text(STUDY)
    app = web.Application(middlewares=[problems])
    app.add_routes(pages.routes(tmp_path))
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/desk/received", "/studies/01M8", "/api/docs", "/api"])
async def test_pages_are_the_app_itself_and_always_asked_for_again(client, path):
    reply = await client.get(path)
    # A study's page asks for the viewer at once.
    page = STUDY if path.startswith("/studies/") else APP
    assert (reply.status, await reply.text(), reply.headers["Cache-Control"]) == (200, page, "no-cache")


@pytest.mark.parametrize("path", ["/api/nothing", "/api/docs/", "/api/docs.json", "/dicom-web/nothing", "/ai/nothing"])
async def test_an_unknown_address_of_a_service_is_no_page(client, path):
    reply = await client.get(path)
    assert (reply.status, (await reply.json())["code"]) == (404, "not_found")


async def test_an_asset_never_changes_under_its_name(client):
    reply = await client.get("/assets/index-abc.js")
    assert (reply.status, reply.headers["Cache-Control"]) == (200, pages.IMMUTABLE)


async def test_an_asset_travels_compressed_to_who_takes_gzip(client, tmp_path):
    (tmp_path / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"1"))
    reply = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip"})
    assert (reply.headers["Content-Encoding"], await reply.text()) == ("gzip", "1")
    assert reply.content_type.endswith("/javascript")
    plain = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("path", ["/assets/..%2Findex.html", "/assets/%2e%2e%2Findex.html"])
async def test_a_file_outside_the_assets_is_not_given(client, path):
    reply = await client.get(URL(path, encoded=True))
    assert reply.status == 404


async def test_without_a_bundle_the_page_says_what_to_run(tmp_path):
    app = web.Application(middlewares=[problems])
    app.add_routes(pages.routes(tmp_path))
    async with TestClient(TestServer(app)) as client:
        reply = await client.get("/")
        assert (reply.status, "script/setup" in (await reply.json())["detail"]) == (404, True)
