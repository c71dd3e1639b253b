import pytest
from sqlalchemy import select

from telemed.people.tables import UserRow
from tests.telemed_people import PASSWORD, open_telemed, sign_in

NEW = {
    "username": "Chen",
    "name": "陈医生",
    "password": PASSWORD,
    "role": "doctor",
    "hospital_code": "SH01",
    "title": "主任医师",
    "specialty": "放射科",
}


async def code_of(reply):
    return reply.status, (await reply.json())["code"]


async def test_an_administrator_adds_a_doctor_who_can_sign_in(admin, client):
    reply = await admin.post("/api/v1/users", json=NEW)
    user = await reply.json()
    assert reply.status == 201
    assert (user["username"], user["hospital"]["city"], user["title"]) == ("chen", "上海", "主任医师")
    await sign_in(client, "chen")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"username": "WANG"}, (409, "user.username_taken")),
        ({"password": "short"}, (422, "user.weak_password")),
        ({"hospital_code": "XX99"}, (404, "hospital.unknown")),
        ({"hospital_code": None}, (422, "user.role_hospital_mismatch")),
        ({"role": "administrator"}, (422, "user.role_hospital_mismatch")),
        ({"username": "\u200b\u200b"}, (422, "user.username_unfit")),
        ({"role": "owner"}, (400, "invalid")),
        ({"name": "a\0b"}, (400, "invalid")),
        ({"is_admin": True}, (400, "invalid")),
    ],
)
async def test_a_user_who_cannot_be_is_refused_with_the_reason(admin, telemed, change, expected):
    assert await code_of(await admin.post("/api/v1/users", json=NEW | change)) == expected
    async with telemed.database.read() as session:
        assert set(await session.scalars(select(UserRow.username))) == {"wang", "li", "admin"}


async def test_no_password_leaves_the_service(admin):
    text = await (await admin.get("/api/v1/users")).text()
    assert "argon2" not in text
    assert "password" not in text


async def test_an_administrator_cannot_disable_the_own_account(admin):
    me = (await (await admin.get("/api/v1/session")).json())["user"]["id"]
    reply = await admin.patch(f"/api/v1/users/{me}", json={"disabled": True})
    assert await code_of(reply) == (409, "user.own_account")


async def test_changing_a_user_who_does_not_exist_is_not_found(admin):
    for change in ({"disabled": True}, {"password": PASSWORD}):
        assert await code_of(await admin.patch("/api/v1/users/nobody", json=change)) == (404, "user.unknown")


async def test_disabling_can_be_undone(admin, client, telemed):
    (doctor,) = await telemed.people.doctors("SH01")
    await admin.patch(f"/api/v1/users/{doctor.id}", json={"disabled": True})
    assert await telemed.people.doctors("SH01") == []
    assert await telemed.people.active(doctor.id) is None
    await admin.patch(f"/api/v1/users/{doctor.id}", json={"disabled": False})
    await sign_in(client, "li")


async def test_doctors_are_found_by_hospital(wang):
    items = (await (await wang.get("/api/v1/doctors", params={"hospital": "SH01"})).json())["items"]
    assert [doctor["username"] for doctor in items] == ["li"]
    assert (await (await wang.get("/api/v1/doctors")).json())["total"] == 2


async def test_an_administrator_adds_a_hospital_once(admin, wang):
    body = {"code": "HZ01", "name": "杭州示范医院", "city": "杭州"}
    assert (await admin.post("/api/v1/hospitals", json=body)).status == 201
    assert await code_of(await admin.post("/api/v1/hospitals", json=body)) == (409, "hospital.exists")
    codes = [row["code"] for row in (await (await wang.get("/api/v1/hospitals")).json())["items"]]
    assert codes == ["HZ01", "SH01", "WZ01"]


@pytest.mark.parametrize("code", ["WZ 01", "../x", "", "温州"])
async def test_a_hospital_code_that_does_not_fit_an_address_is_refused(admin, code):
    reply = await admin.post("/api/v1/hospitals", json={"code": code, "name": "x", "city": "y"})
    assert await code_of(reply) == (400, "invalid")


async def test_what_an_administrator_does_is_audited(admin, telemed):
    user = await (await admin.post("/api/v1/users", json=NEW)).json()
    (record,) = await telemed.audit.listing(action="administrator:user:create", limit=1)
    assert (record.subject_id, record.actor_name, record.outcome) == (user["id"], "管理员", "success")


@pytest.fixture
async def empty(database_url):
    telemed = await open_telemed(database_url)
    client = await telemed.client()
    yield telemed, client
    await client.close()
    await telemed.database.close()


SETUP = {"username": "root", "name": "首位管理员", "password": PASSWORD}


async def test_the_setup_token_makes_one_administrator(empty):
    telemed, client = empty
    token = await telemed.people.ensure_setup_token()
    reply = await client.post("/api/v1/setup", json={"token": token, **SETUP})
    assert (reply.status, (await reply.json())["user"]["role"]) == (201, "administrator")
    again = await client.post("/api/v1/setup", json={"token": token, **SETUP, "username": "second"})
    assert await code_of(again) == (401, "setup.token_invalid")
    assert await telemed.people.ensure_setup_token() is None
    await sign_in(client, "root")


async def test_a_weak_password_does_not_use_the_setup_token_up(empty):
    telemed, client = empty
    token = await telemed.people.ensure_setup_token()
    weak = await client.post("/api/v1/setup", json={"token": token, **SETUP, "password": "short"})
    assert await code_of(weak) == (422, "user.weak_password")
    assert (await client.post("/api/v1/setup", json={"token": token, **SETUP})).status == 201


async def test_a_fresh_setup_token_replaces_the_one_before(empty):
    telemed, client = empty
    old = await telemed.people.ensure_setup_token()
    assert await telemed.people.ensure_setup_token() != old
    reply = await client.post("/api/v1/setup", json={"token": old, **SETUP})
    assert await code_of(reply) == (401, "setup.token_invalid")
