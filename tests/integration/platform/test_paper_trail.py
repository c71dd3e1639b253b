"""The whole way through a server that logs everything it can: who did what is on record, and no patient is named."""

import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from websockets.asyncio.client import connect

from tests.platforms import CONSULTATIONS, MULTIPART, Socket, multipart, until
from tests.samples import ct_series, set_raw, uid
from tests.servers import serving
from tests.telemed_consultations import OPINION, invitation

pytestmark = pytest.mark.timeout(180)

# In every value of the uploaded files that may hold text; where only digits fit, numbers found nowhere else.
CANARY, BIRTH_DATE, UID_ROOT = "CANARY", "19010203", uid("canary", "study").rsplit(".", 1)[0]
TEXT_VRS = {"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT"}
ADDED = [
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientComments",
    "OtherPatientIDs",
    "PatientMotherBirthName",
    "MedicalRecordLocator",
    "OperatorsName",
    "StationName",
    "ProtocolName",
    "DeviceSerialNumber",
    "ImageComments",
]


def canaries():
    """A chest in which the reviewer finds something, full of words that must appear nowhere."""
    series = ct_series("canary", 20, 128)
    for data in series:
        for keyword in ADDED:
            setattr(data, keyword, "")
        for element in data:
            if element.VR in TEXT_VRS:
                element.value = f"{CANARY} {element.tag:08X}"[:16]
        data.PatientBirthDate = BIRTH_DATE
        set_raw(data, 0x00110010, "LO", CANARY.encode())
        set_raw(data, 0x00111001, "LO", CANARY.encode())
    return series


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("trail") / "var"
    with serving(data, "--demo", TELEMED_LOG_LEVEL="DEBUG", TELEMED_REVIEW_QUIET_SECONDS="0") as server:
        yield server


class Person:
    """A demonstration user in a browser. ``call`` gives status and JSON, ``done`` the JSON of what must succeed."""

    def __init__(self, session, user):
        self.session = session
        self.user = user

    async def call(self, method, path, body=None):
        async with self.session.request(method, path, json=body) as reply:
            return reply.status, await reply.json() if "json" in reply.content_type else await reply.read()

    async def done(self, method, path, body=None):
        status, answer = await self.call(method, path, body)
        assert status < 300, answer
        return answer

    async def sign_in(self, password=None):
        body = {"username": self.user["username"], "password": password or self.user["password"]}
        return (await self.call("POST", "/api/v1/session", body))[0]

    async def enter(self, consultation):
        """Into the room, a word, and out again."""
        entrance = await self.done("POST", f"{consultation}/join", {})
        async with connect(entrance["signaling_url"]) as connection:
            page = await Socket(connection).greet("hello", ticket=entrance["ticket"])
            await page.send("chat.send", "c1", text=CANARY)
            await page.message("ok")


@asynccontextmanager
async def person(server, hospital):
    user = next(user for user in server.demo["users"] if user["hospital"] == hospital)
    # Not only for signing in: cookies of an address without a name are not kept otherwise.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(server.base_url, headers={"Origin": server.base_url}, cookie_jar=jar) as session:
        yield Person(session, user)


async def upload(server, session, body, headers=None):
    headers = {"Content-Type": MULTIPART, **(headers or {})}
    async with session.post(f"{server.base_url}/dicom-web/studies", data=body, headers=headers) as reply:
        return reply.status


async def look_at(doctor, study):
    """As the pages do: the list, the study, its metadata, a frame, a picture; and addresses that lead nowhere."""
    images = f"{study['dicomweb_root']}/studies/{study['study_instance_uid']}"
    for path in ("/api/v1/studies", f"/api/v1/studies/{study['study_id']}", f"{images}/metadata", f"{images}/rendered"):
        await doctor.done("GET", path)
    wrong = (f"{images}/{CANARY}", f"{images}/series/{CANARY}/metadata", f"/api/v1/studies/{CANARY}", f"/{CANARY}")
    for path in wrong:
        assert (await doctor.call("GET", path))[0] in {200, 404}
    await doctor.call("GET", f"/api/v1/studies?q={CANARY}")
    await doctor.call("GET", f"/dicom-web/studies?PatientName={CANARY}*&PatientID={CANARY}")
    await doctor.call("GET", f"/dicom-web/studies?PatientBirthDate={CANARY}&nonsense={CANARY}")


async def walk(server, lin, zhou):
    """Everything that must leave a record."""
    assert [await lin.sign_in("a wrong password"), await lin.sign_in(), await zhou.sign_in()] == [401, 200, 200]
    series = canaries()
    key = next(row["api_key"] for row in server.demo["hospitals"] if row["code"] == "WZ01")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as pacs:
        assert await upload(server, pacs, multipart(*series)) == 200
        assert await upload(server, pacs, multipart(*series[:3])[:-900]) == 400
        assert await upload(server, pacs, CANARY.encode(), {"Content-Type": "application/dicom"}) == 409
        async with pacs.get(f"{server.base_url}/dicom-web/studies/{series[0].StudyInstanceUID}/metadata") as seen:
            assert seen.status == 200
    assert await upload(server, lin.session, multipart(series[0])) == 200
    listed = (await lin.done("GET", "/api/v1/studies"))["items"]
    study = next(row for row in listed if row["study_instance_uid"] == series[0].StudyInstanceUID)
    assert CANARY in study["patient_name"]
    await look_at(lin, study)
    made = await lin.done("POST", CONSULTATIONS, invitation(study["study_id"], summary=CANARY))
    consultation = f"{CONSULTATIONS}/{made['id']}"
    await zhou.done("GET", consultation)
    await zhou.done("POST", f"{consultation}/accept", {})
    await look_at(zhou, study)
    await lin.enter(consultation)
    await zhou.enter(consultation)
    finding = await until(lambda: newest_finding(lin, study), 60)
    await lin.done("POST", f"/api/v1/findings/{finding}/assessment", {"decision": "rejected", "reason": CANARY})
    await zhou.done("PUT", f"{consultation}/opinion", {**OPINION, "advice": CANARY, "version": 0})
    refused = await zhou.call("POST", f"{consultation}/opinion/sign", {"version": 1, "password": "a wrong password"})
    assert refused[0] == 403
    await zhou.done("POST", f"{consultation}/opinion/sign", {"version": 1, "password": zhou.user["password"]})
    await lin.done("GET", f"{consultation}/opinion.pdf")
    await lin.done("POST", f"{consultation}/acknowledge", {"handling": CANARY})
    await lin.done("DELETE", "/api/v1/session")
    return study["study_id"], made["id"]


async def newest_finding(doctor, study):
    review = await doctor.done("GET", f"/api/v1/studies/{study['study_id']}/review")
    return review["findings"] and review["findings"][0]["finding_id"]


WZ, SH = ("user", "WZ01"), ("user", "SH01")
# (action, outcome, who by kind and hospital, purpose, about a study, about a consultation)
EXPECTED = {
    ("user:session:create", "failure", "anonymous", "WZ01", "HOPERAT", False, False),
    ("user:session:create", "success", *WZ, "HOPERAT", False, False),
    ("user:session:create", "success", *SH, "HOPERAT", False, False),
    ("user:session:end", "success", *WZ, "HOPERAT", False, False),
    ("hospital:study:store", "success", "hospital", "WZ01", "TREAT", True, False),
    ("hospital:study:view", "success", "hospital", "WZ01", "TREAT", True, False),
    ("user:study:store", "success", *WZ, "TREAT", True, False),
    ("user:study:search", "success", *WZ, "TREAT", False, False),
    ("user:study:view", "success", *WZ, "TREAT", True, False),
    ("user:study:view", "success", *SH, "consultation", True, False),
    ("doctor:consultation:create", "success", *WZ, "consultation", True, True),
    ("doctor:consultation:view", "success", *SH, "consultation", True, True),
    ("doctor:consultation:accept", "success", *SH, "consultation", True, True),
    ("doctor:room:join", "success", *WZ, "consultation", True, True),
    ("doctor:room:join", "success", *SH, "consultation", True, True),
    ("reviewer:study:fetch", "success", "reviewer", None, "review", True, False),
    ("reviewer:result:create", "success", "reviewer", None, "review", True, False),
    ("doctor:finding:assess", "success", *WZ, "TREAT", True, False),
    ("doctor:opinion:sign", "failure", *SH, "consultation", True, True),
    ("doctor:opinion:sign", "success", *SH, "consultation", True, True),
    ("doctor:opinion:print", "success", *WZ, "consultation", True, True),
    ("doctor:consultation:acknowledge", "success", *WZ, "consultation", True, True),
}
NEVER = [CANARY, BIRTH_DATE, UID_ROOT]


async def test_security_25_every_deed_is_on_record_and_no_patient_is_named(server):
    async with person(server, "WZ01") as lin, person(server, "SH01") as zhou, person(server, None) as admin:
        study_id, consultation_id = await walk(server, lin, zhou)
        assert await admin.sign_in() == 200
        records = (await admin.done("GET", "/api/v1/audit?limit=500"))["items"]
    found = {
        (
            record["action"],
            record["outcome"],
            record["actor_kind"],
            record["hospital"],
            record["purpose"],
            record["study_id"] == study_id,
            record["consultation_id"] == consultation_id,
        )
        for record in records
    }
    assert EXPECTED - found == set()
    incomplete = [record for record in records if not (record["at"] and record["actor_kind"] and record["purpose"])]
    assert incomplete == []
    nameless = {record["action"] for record in records if record["actor_kind"] == "user" and not record["actor_name"]}
    assert nameless == set()
    trail, log = json.dumps(records, ensure_ascii=False), server.log.read_text(encoding="utf-8")
    assert [word for word in NEVER if word in trail] == []
    assert "DEBUG" in log or "debug" in log
    assert [line for line in log.splitlines() if any(word in line for word in NEVER)] == []
