"""/dicom-web knows a caller anew with every request."""

import pytest

from tests.dicomweb import address
from tests.samples import ct_slice, to_bytes

STUDY = ct_slice("door", size=16)
REQUESTS = [
    ("GET", "/dicom-web/studies"),
    ("GET", address(STUDY)),
    ("GET", f"{address(STUDY)}/metadata"),
    ("GET", f"{address(STUDY)}/frames/1"),
    ("GET", f"{address(STUDY)}/rendered"),
    ("POST", "/dicom-web/studies"),
]


@pytest.fixture
async def study(house):
    return await house.store("WZ01", STUDY)


async def answers(client):
    """Status and code of every kind of request."""
    found = set()
    for method, path in REQUESTS:
        upload = {"data": to_bytes(STUDY), "headers": {"Content-Type": "application/dicom"}} if method == "POST" else {}
        reply = await client.request(method, path, **upload)
        problem = await reply.json() if reply.content_type == "application/problem+json" else {}
        found.add((reply.status, problem.get("code")))
    return found


UNKNOWN = {(401, "unauthenticated")}
WELCOME = {(200, None)}


async def test_without_signing_in(house, study):
    assert await answers(house.stranger()) == UNKNOWN


async def test_a_doctor_until_disabled(house, study):
    chen = await house.person("chen")
    assert await answers(chen) == WELCOME
    await house.done("admin", "PATCH", f"/api/v1/users/{house.users['chen'].id}", {"disabled": True})
    assert await answers(chen) == UNKNOWN


async def test_a_doctor_until_signing_out(house, study):
    chen = await house.person("chen")
    assert (await chen.delete("/api/v1/session")).status == 204
    assert await answers(chen) == UNKNOWN


async def test_a_key_until_revoked(house, study):
    assert await answers(house.pacs("WZ01")) == WELCOME
    await house.done("admin", "DELETE", f"/api/v1/hospitals/WZ01/api-keys/{house.key_ids['WZ01']}")
    assert await answers(house.pacs("WZ01")) == UNKNOWN


async def test_a_key_opens_dicomweb_alone(house, study):
    reply = await house.pacs("WZ01").get(f"/api/v1/studies/{study['study_id']}")
    assert (reply.status, (await reply.json())["code"]) == (401, "unauthenticated")
