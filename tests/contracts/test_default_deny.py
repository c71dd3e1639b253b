"""No door opens by itself: made from the router and the API's own document, so that a new route is covered at once."""

import asyncio
from datetime import UTC, datetime

import pytest

from telemed import demo_ct
from telemed.access import HospitalSystem, study_access
from telemed.people.model import Hospital
from telemed.web import COOKIE, SAFE_METHODS
from tests.contracts.conftest import doors, reaches

# The only doors that open to a stranger, each because it must.
PUBLIC = {
    "POST /api/v1/session",
    "POST /api/v1/setup",
    "GET /api/openapi.json",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /assets/{name}",
    "GET /{path}",
}

# So that nothing but the caller is wrong with a request.
FORM = {"Content-Type": "application/json", "Idempotency-Key": "1"}

STRANGERS = {
    "nobody": {},
    "a cookie nobody issued": {"Cookie": f"{COOKIE}={'x' * 43}"},
    "a key nobody issued": {"Authorization": f"Bearer tk_01KB0000000000000000000000_{'x' * 43}"},
    "a job token nobody issued": {"Authorization": "Bearer aijob_x"},
    "a scheme nobody speaks": {"Authorization": "Basic d2FuZzpsb25n"},
}


async def test_every_address_leads_to_its_own_route(platform):
    lost = [str(door) for door in doors(platform.app) if not await reaches(platform.app, door)]
    assert lost == []


async def test_the_public_doors_exist(platform):
    assert {str(door) for door in doors(platform.app)} >= PUBLIC


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
async def test_security_11_every_other_door_is_closed_to_a_stranger(client, platform, headers):
    opened = {}
    for door in doors(platform.app):
        if str(door) not in PUBLIC:
            reply = await client.request(door.method, door.path, headers=FORM | headers)
            opened[str(door)] = reply.status
    assert len(opened) > 30
    assert {door: status for door, status in opened.items() if status != 401} == {}


async def test_an_ended_session_and_a_revoked_key_open_nothing(client, platform, signed_in):
    wang = await signed_in("wang")
    token = wang.session.cookie_jar.filter_cookies(wang.make_url("/"))[COOKIE].value
    await wang.delete("/api/v1/session")
    key_id, key = await platform.keys.create(None, "WZ01", "old")
    admin = await signed_in("admin")
    assert (await admin.delete(f"/api/v1/hospitals/WZ01/api-keys/{key_id}")).status == 204
    for headers in ({"Cookie": f"{COOKIE}={token}"}, {"Authorization": f"Bearer {key}"}):
        replies = [
            (str(door), (await client.request(door.method, door.path, headers=FORM | headers)).status)
            for door in doors(platform.app)
            if str(door) not in PUBLIC
        ]
        assert [reply for reply in replies if reply[1] != 401] == []


@pytest.mark.parametrize(("username", "role"), [("wang", "doctor"), ("admin", "administrator")])
async def test_a_role_opens_only_what_is_written_for_it(client, signed_in, username, role):
    document = await (await client.get("/api/openapi.json")).json()
    person = await signed_in(username)
    refused = {}
    for path, method, operation in operations(document):
        if role not in operation.get("x-roles", [role]):
            reply = await person.request(method, path.replace("{", "").replace("}", ""))
            refused[f"{method} {path}"] = reply.status
    assert refused
    assert set(refused.values()) == {403}


async def test_every_api_route_is_in_the_document(client, platform):
    document = await (await client.get("/api/openapi.json")).json()
    described = {(method, path) for path, method, _ in operations(document)}
    routed = {(door.method, door.pattern) for door in doors(platform.app) if door.pattern.startswith("/api/")}
    assert routed == described


async def test_security_21_a_signed_in_browser_does_nothing_for_another_sites_page(platform, signed_in):
    wang = await signed_in("wang")
    passed = {}
    for door in doors(platform.app):
        # The vendor's door knows no cookies, so no browser can be made to use it.
        if door.method not in SAFE_METHODS and not door.pattern.startswith("/ai/"):
            reply = await wang.request(door.method, door.path, headers={"Origin": "https://evil.example"})
            passed[str(door)] = (reply.status, (await reply.json())["code"])
    assert len(passed) > 10
    assert {door: answer for door, answer in passed.items() if answer != (403, "csrf.cross_site")} == {}


async def stored_study(platform):
    """One slice that Shanghai holds, as the parameters of its addresses."""
    await platform.people.add_hospital(None, Hospital("SH01", "示范医院", "上海"))
    _, key = await platform.keys.create(None, "SH01", "PACS")
    path = await platform.archive.blobs.spool()
    await asyncio.to_thread(path.write_bytes, next(demo_ct.study("deny", datetime.now(UTC))))
    access = study_access(HospitalSystem("k", "SH01"))
    stored = await platform.archive.ingest.store(access, path, expected_study_uid=None)
    (series,) = await platform.archive.catalog.series_of(stored.study_id)
    parameters = {
        "owner": "SH01",
        "study": stored.study_instance_uid,
        "series": series.series_instance_uid,
        "instance": stored.sop_instance_uid,
        "frames": "1",
        "study_id": stored.study_id,
    }
    return key, parameters


async def status_of(reply):
    """A count of none tells as much as an empty list."""
    counts_none = reply.status == 200 and str(reply.url).endswith("/count") and await reply.json() == {"count": 0}
    return 204 if counts_none else reply.status


async def test_security_14_another_hospitals_study_exists_at_no_address(client, platform, signed_in):
    key, parameters = await stored_study(platform)
    _, other_key = await platform.keys.create(None, "WZ01", "PACS")
    wang, admin = await signed_in("wang"), await signed_in("admin")
    seen = {}
    for door in doors(platform.app, **parameters):
        if door.method == "GET" and door.pattern.startswith("/dicom-web"):
            theirs = await client.get(door.path, headers={"Authorization": f"Bearer {key}"})
            ours = [
                await client.get(door.path, headers={"Authorization": f"Bearer {other_key}"}),
                await wang.get(door.path),
                await admin.get(door.path),
            ]
            # The capabilities are of the service and the same for everybody who is signed in.
            if theirs.status == 200 and "resources base=" not in await theirs.text(errors="replace"):
                seen[door.pattern] = {await status_of(reply) for reply in ours}
    assert len(seen) > 30
    assert {pattern: statuses for pattern, statuses in seen.items() if statuses - {204, 404}} == {}
    of_study = f"/api/v1/studies/{parameters['study_id']}"
    assert [(await wang.get(path)).status for path in (of_study, f"{of_study}/review")] == [404, 404]


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation
