"""Looking after the archive over the API: who may, and what comes of it."""

import pytest
from aiohttp.test_utils import TestServer

from imaging.guard import Access
from imaging.store.moving import Path
from telemed.access import Role
from telemed.people.model import Hospital, NewUser
from telemed.people.passwords import Passwords
from telemed.platform import open_platform
from telemed.settings import Settings
from tests.dicomweb import keep
from tests.samples import ct_series, ct_slice
from tests.telemed_people import CHEAP, PASSWORD, browser, sign_in

WENZHOU = Access("key:wz", store_as="WZ01", owners=frozenset({"WZ01"}))
BASE = "/api/v1/archive"
OURS = f"{BASE}/hospitals/WZ01"


@pytest.fixture
async def platform(tmp_path):
    settings = Settings(data=tmp_path, port=0, signaling_port=0, workers=1, derivatives=False)
    async with open_platform(settings, passwords=Passwords(CHEAP)) as platform:
        for code in ("WZ01", "SH01"):
            await platform.people.add_hospital(None, Hospital(code, "示范医院", "温州"))
        await platform.people.add_user(None, NewUser("wang", "王医生", PASSWORD, Role.DOCTOR, "WZ01"))
        await platform.people.add_user(None, NewUser("li", "李医生", PASSWORD, Role.DOCTOR, "SH01"))
        await platform.people.add_user(None, NewUser("admin", "管理员", PASSWORD, Role.ADMINISTRATOR))
        yield platform


@pytest.fixture
async def people(platform):
    """username → a browser signed in."""
    server = TestServer(platform.app)
    await server.start_server()
    opened = {name: browser(server) for name in ("wang", "li", "admin")}
    for name, client in opened.items():
        await sign_in(client, name)
    yield opened
    for client in opened.values():
        await client.session.close()
    await server.close()


async def answer(reply, status=200):
    assert reply.status == status, await reply.text()
    return await reply.json()


async def test_a_hospital_sees_and_decides_its_own_quarantine_alone(platform, people):
    first, second = ct_series("1", 2, 16)
    second.PatientID = "P9"
    await keep(platform.archive, first, access=WENZHOU)
    await keep(platform.archive, second, access=WENZHOU)
    (row,) = (await answer(await people["wang"].get(f"{OURS}/apart")))["items"]
    assert (row["why"], row["differences"]) == ("other_patient", [["patient_id", "P1", "P9"]])
    decision = {"ids": [row["id"]], "decision": "release"}
    for method, path in [("GET", "apart"), ("GET", f"apart/{row['id']}/comparison"), ("POST", "apart/decisions")]:
        body = {"json": decision} if method == "POST" else {}
        assert (await people["li"].request(method, f"{OURS}/{path}", **body)).status == 404
    assert [one["code"] for one in (await answer(await people["li"].get(f"{BASE}/hospitals")))["items"]] == ["SH01"]
    assert await answer(await people["wang"].post(f"{OURS}/apart/decisions", json=decision)) == {"instances": 1}
    (own,) = (await answer(await people["wang"].get(f"{BASE}/hospitals")))["items"]
    assert (own["instance_count"], own["waiting_count"], own["level"]) == (2, 0, "free")
    records = await answer(await people["admin"].get("/api/v1/audit?action=user:apart:decide"))
    assert [(one["actor_name"], one["subject_id"]) for one in records["items"]] == [("王医生", row["id"])]


async def test_an_administrator_sets_quotas_and_restores_and_alarms_are_told(platform, people):
    data, admin = ct_slice(count=1, size=16), people["admin"]
    await keep(platform.archive, data, access=WENZHOU)
    quota = {"soft_bytes": 1, "hard_bytes": 10, "soft_instances": None, "hard_instances": None}
    assert (await admin.put(f"{OURS}/quota", json=quota)).status == 204
    items = (await answer(await admin.get(f"{BASE}/hospitals")))["items"]
    assert {one["code"]: one["level"] for one in items} == {"SH01": "free", "WZ01": "hard"}
    figures = await (await admin.get("/metrics")).text()
    assert "telemed_archive_full_hospitals 1.0" in figures
    assert "telemed_archive_damaged_instances 0.0" in figures
    await platform.archive.deletion.delete(Path("WZ01", data.StudyInstanceUID), "113037")
    (act,) = (await answer(await admin.get(f"{OURS}/deleted")))["items"]
    assert (act["reason"], act["instance_count"]) == ("113037", 1)
    assert (await people["wang"].post(f"{OURS}/deleted/{act['act']}/restore")).status == 403
    assert await answer(await admin.post(f"{OURS}/deleted/{act['act']}/restore")) == {"instances": 1}
    assert (await admin.post(f"{OURS}/deleted/{act['act']}/restore")).status == 404


async def test_retention_says_its_source_and_holds_are_placed_and_lifted(platform, people):
    admin = people["admin"]
    shown = await answer(await admin.get(f"{OURS}/retention"))
    assert (shown["policy"]["rule"], shown["policy"]["years"], shown["study_count"]) == ("inpatient", 30, 0)
    assert "31号" in shown["policy"]["source"]
    short = {"rule": "outpatient", "years": 10, "automatic": True}
    assert (await admin.put(f"{OURS}/retention", json=short)).status == 400
    changed = await answer(await admin.put(f"{OURS}/retention", json={**short, "years": 20}))
    assert (changed["policy"]["years"], changed["policy"]["automatic"]) == (20, True)
    hold = await answer(await admin.post(f"{OURS}/holds", json={"study_instance_uid": "1.2.3", "note": "案件"}), 201)
    assert (await admin.delete(f"{OURS}/holds/{hold['id']}")).status == 204
    assert (await answer(await admin.get(f"{OURS}/retention")))["holds"] == []


async def test_a_check_is_asked_for_and_reported(platform, people):
    await keep(platform.archive, ct_slice(count=1, size=16), access=WENZHOU)
    run = await answer(await people["admin"].post(f"{BASE}/verifications", json={"hospital": "WZ01"}), 201)
    while not (await answer(await people["admin"].get(f"{BASE}/verifications")))["runs"][0]["finished_at"]:
        await platform.archive.verifier.step()
    report = await answer(await people["admin"].get(f"{BASE}/verifications"))
    assert [(one["id"], one["checked_instances"]) for one in report["runs"] if one["owner"]] == [(run["id"], 1)]
    assert report["damaged"] == []
