import pytest
from sqlalchemy import select, update

from telemed.access import HospitalSystem
from telemed.people.keys import TRUSTED_FOR
from telemed.people.tables import ApiKeyRow

KEYS = "/api/v1/hospitals/WZ01/api-keys"


@pytest.fixture
async def created(admin):
    return await (await admin.post(KEYS, json={"label": "PACS"})).json()


async def test_a_key_opens_its_hospital_and_is_shown_once(admin, telemed, created):
    assert created["key"].startswith(f"tk_{created['id']}_")
    assert await telemed.keys.find(created["key"]) == HospitalSystem(created["id"], "WZ01", "PACS")
    listed = await (await admin.get(KEYS)).text()
    assert f"tk_{created['id']}" in listed
    assert created["key"].removeprefix(f"tk_{created['id']}_") not in listed


async def test_the_database_does_not_hold_the_key(telemed, created):
    async with telemed.database.read() as session:
        row = await session.get(ApiKeyRow, created["id"])
    assert row.secret_fingerprint not in created["key"]


async def test_a_key_with_another_secret_opens_nothing(telemed, created):
    assert await telemed.keys.find(created["key"][:-1] + ("A" if created["key"][-1] != "A" else "B")) is None


async def test_a_revoked_key_opens_nothing_and_stays_listed(admin, telemed, created):
    assert (await admin.delete(f"{KEYS}/{created['id']}")).status == 204
    assert await telemed.keys.find(created["key"]) is None
    (listed,) = (await (await admin.get(KEYS)).json())["items"]
    assert listed["revoked_at"] == "2026-11-23T08:00:00Z"


async def test_a_key_in_use_opens_nothing_from_its_revocation_on(admin, telemed, created):
    assert await telemed.keys.find(created["key"]) is not None
    assert (await admin.delete(f"{KEYS}/{created['id']}")).status == 204
    assert await telemed.keys.find(created["key"]) is None


async def test_a_key_that_was_being_read_when_it_was_revoked_is_not_trusted_after(admin, telemed, created, monkeypatch):
    read = telemed.keys._read

    async def read_then_revoked(key):
        system = await read(key)
        assert (await admin.delete(f"{KEYS}/{created['id']}")).status == 204
        return system

    with monkeypatch.context() as patch:
        patch.setattr(telemed.keys, "_read", read_then_revoked)
        await telemed.keys.find(created["key"])
    assert await telemed.keys.find(created["key"]) is None


async def test_a_key_revoked_by_another_process_opens_nothing_seconds_later(telemed, created):
    assert await telemed.keys.find(created["key"]) is not None
    async with telemed.database.write() as session:
        await session.execute(update(ApiKeyRow).values(revoked_at=telemed.clock.now))
    telemed.clock.advance(seconds=TRUSTED_FOR.total_seconds())
    assert await telemed.keys.find(created["key"]) is None


async def test_a_key_is_not_revoked_through_another_hospital(admin, telemed, created):
    assert (await admin.delete(f"/api/v1/hospitals/SH01/api-keys/{created['id']}")).status == 404
    assert await telemed.keys.find(created["key"]) is not None


async def test_use_is_noted_at_most_once_a_minute(telemed, created):
    async def last_used_at():
        async with telemed.database.read() as session:
            return await session.scalar(select(ApiKeyRow.last_used_at))

    assert await last_used_at() is None
    await telemed.keys.find(created["key"])
    first = telemed.clock.now
    telemed.clock.advance(seconds=30)
    await telemed.keys.find(created["key"])
    assert await last_used_at() == first
    telemed.clock.advance(seconds=30)
    await telemed.keys.find(created["key"])
    assert await last_used_at() == telemed.clock.now


async def test_keys_of_an_unknown_hospital_are_not_found(admin):
    assert (await admin.get("/api/v1/hospitals/XX99/api-keys")).status == 404
    assert (await admin.post("/api/v1/hospitals/XX99/api-keys", json={"label": "x"})).status == 404
