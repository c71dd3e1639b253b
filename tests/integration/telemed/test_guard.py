import pytest
from aiohttp import web

from foundation.ids import new_id
from telemed.web import COOKIE
from tests.telemed_people import browser, open_telemed, sign_in

STUDY = new_id()


@pytest.fixture
async def telemed(database_url):
    telemed = await open_telemed(database_url)
    await telemed.hospital("WZ01")
    await telemed.hospital("SH01", city="上海")
    telemed.wang = await telemed.doctor("wang", "WZ01")
    telemed.li = await telemed.doctor("li", "SH01")
    await telemed.administrator()
    yield telemed
    await telemed.database.close()


@pytest.fixture
async def client(telemed):
    """An archive's door that answers with what the guard admits, and records a view of STUDY."""

    async def door(request):
        access = await telemed.guard.access(request)
        await telemed.guard.record(request, access, "study.view", STUDY)
        return web.json_response(
            {
                "caller": access.caller,
                "store_as": access.store_as,
                "owners": sorted(access.owners),
                "study_ids": sorted(access.study_ids),
            }
        )

    client = await telemed.client(plain=[web.get("/dicom-web/door", door), web.post("/dicom-web/door", door)])
    yield client
    await client.close()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def test_a_hospitals_key_opens_its_own_holdings(client, telemed):
    key_id, key = await telemed.keys.create(None, "WZ01", "PACS")
    admitted = await (await client.post("/dicom-web/door", headers=bearer(key))).json()
    assert admitted == {"caller": f"key:{key_id}", "store_as": "WZ01", "owners": ["WZ01"], "study_ids": []}
    (record,) = await telemed.audit.listing(action="hospital:study:view")
    assert (record.actor_id, record.actor_name, record.hospital, record.purpose) == (key_id, "PACS", "WZ01", "TREAT")


async def test_a_doctor_sees_the_own_hospital_and_what_is_shared(client, telemed):
    telemed.shared.studies[telemed.li.id] = frozenset({STUDY})
    await sign_in(client, "li")
    admitted = await (await client.get("/dicom-web/door")).json()
    assert (admitted["owners"], admitted["study_ids"]) == (["SH01"], [STUDY])
    (record,) = await telemed.audit.listing(action="user:study:view")
    assert (record.actor_id, record.study_id, record.purpose) == (telemed.li.id, STUDY, "consultation")


async def test_an_administrator_is_known_and_sees_no_images(client):
    await sign_in(client, "admin")
    admitted = await (await client.get("/dicom-web/door")).json()
    assert (admitted["store_as"], admitted["owners"], admitted["study_ids"]) == (None, [], [])


@pytest.mark.parametrize(
    "authorization", ["Bearer tk_01KB0000000000000000000000_" + "a" * 43, "Bearer aijob_x", "Bearer", "Basic d2FuZzp4"]
)
async def test_an_unknown_caller_is_refused_even_with_a_good_cookie(client, authorization):
    await sign_in(client, "wang")
    reply = await client.get("/dicom-web/door", headers={"Authorization": authorization})
    assert (reply.status, (await reply.json())["code"]) == (401, "unauthenticated")


async def test_nobody_is_refused(client):
    assert (await client.get("/dicom-web/door")).status == 401
    assert (await client.get("/dicom-web/door", cookies={COOKIE: "x" * 43})).status == 401


async def test_a_cookie_does_not_store_for_another_sites_page(client, telemed):
    await sign_in(client, "wang")
    forged = await client.post("/dicom-web/door", headers={"Origin": "https://evil.example"})
    assert (forged.status, (await forged.json())["code"]) == (403, "csrf.cross_site")
    assert (await client.post("/dicom-web/door")).status == 200


async def test_a_key_needs_no_origin(client, telemed):
    _, key = await telemed.keys.create(None, "WZ01", "PACS")
    reply = await client.post("/dicom-web/door", headers=bearer(key) | {"Origin": "https://pacs.example"})
    assert reply.status == 200


async def test_many_frames_are_one_record_until_five_minutes_have_passed(client, telemed):
    await sign_in(client, "wang")
    views = []
    for seconds in (0, 299, 1):
        telemed.clock.advance(seconds=seconds)
        for _ in range(3):
            await client.get("/dicom-web/door")
        views.append(len(await telemed.audit.listing(action="user:study:view")))
    assert views == [1, 1, 2]


async def test_two_callers_leave_a_record_each(client, telemed):
    other = browser(client.server)
    await sign_in(client, "wang")
    await sign_in(other, "li")
    for one in (client, other):
        await one.get("/dicom-web/door")
    await other.session.close()
    actors = {record.actor_id for record in await telemed.audit.listing(action="user:study:view")}
    assert actors == {telemed.wang.id, telemed.li.id}
