"""What the service says it can do (PS3.18 section 8.9; checklist T55)."""

from xml.etree import ElementTree as ET

import pytest

from imaging.dicomweb.app import routes
from tests.archives import HeaderGuard, archive_at, client_of

WADL = "{http://wadl.dev.java.net/2009/02}"


@pytest.fixture
async def client(sqlite_url, tmp_path):
    async with (
        archive_at(sqlite_url, tmp_path / "archive") as archive,
        client_of(routes(archive, HeaderGuard())) as client,
    ):
        yield client


async def test_the_capabilities_are_the_routes_in_wadl_and_json(client):
    for method, path in (("OPTIONS", "/dicom-web"), ("OPTIONS", "/dicom-web/"), ("GET", "/dicom-web/")):
        reply = await client.request(method, path)
        assert (reply.status, reply.content_type) == (200, "application/vnd.sun.wadl+xml")
        document = ET.fromstring(await reply.text())
        found = {
            each.get("path"): [inner.get("name") for inner in each.iter(f"{WADL}method")]
            for each in document.iter(f"{WADL}resource")
        }
        assert document.find(f"{WADL}resources").get("base") == str(client.make_url("/dicom-web"))
        assert found["studies"] == ["GET", "POST"]
        assert found["studies/{study}/series/{series}/instances/{instance}/bulkdata/{path}"] == ["GET"]
    reply = await client.options("/dicom-web/hospitals/WZ01", headers={"Accept": "application/json"})
    described = (await reply.json())["resources"]
    assert described["base"].endswith("/hospitals/WZ01")
    assert {row["path"]: row["methods"] for row in described["resource"]} == found


async def test_t55_options_answers_the_methods_and_others_are_405(client):
    for path, methods in (
        ("/studies/1.2", {"DELETE", "GET", "HEAD", "OPTIONS", "POST"}),
        ("/hospitals/WZ01/studies", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/studies/1.2/series/1/instances/2/bulkdata/0040A730/0/00420011", {"GET", "HEAD", "OPTIONS"}),
        ("/wado", {"GET", "HEAD", "OPTIONS"}),
    ):
        reply = await client.options(f"/dicom-web{path}")
        assert (reply.status, set(reply.headers["Allow"].split(", "))) == (204, methods), path
    assert (await client.options("/dicom-web/nothing/here")).status == 404
    for method in ("PUT", "PATCH"):
        reply = await client.request(method, "/dicom-web/studies/1.2/metadata")
        assert reply.status == 405
        assert {"GET", "HEAD"} <= {each.strip() for each in reply.headers["Allow"].split(",")}
