"""What a stranger writes into files and requests is text everywhere: no page, no header, no address, no log."""

import logging

import pytest

from tests.dicomweb import address
from tests.platforms import MULTIPART, multipart, open_house
from tests.samples import ct_slice
from tests.telemed_people import PASSWORD

SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil.example","x")'
TURNED = "\u202egpj.exe\u2066"
EVIL = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "Forwarded": "host=evil.example;proto=https",
}
STUDIES = "/dicom-web/studies"


@pytest.fixture
def hostile():
    data = ct_slice("hostile", size=16)
    data.PatientName = f"{SCRIPT}={TURNED}王^小东"
    data.StudyDescription, data.InstitutionName = "javascript:alert(1)", f"\r\nX-Evil: 1{SCRIPT}"
    data.PatientID, data.AccessionNumber = SCRIPT, FORMULA[:16]
    return data


def problems_of(reply):
    policy = reply.headers.get("Content-Security-Policy", "")
    return [
        *(["a page"] if "html" in reply.content_type else []),
        *(["sniffed"] if reply.headers.get("X-Content-Type-Options") != "nosniff" else []),
        *(["inline code"] if "unsafe-inline" in policy or "script-src 'self'" not in policy else []),
    ]


async def test_security_10_text_of_a_file_is_never_a_page_and_no_page_runs_it(house, hostile):
    study = await house.store("WZ01", hostile)
    consultation = await house.accepted(study["study_id"])
    pacs, chen = house.pacs("WZ01"), await house.person("chen")
    sources = [
        (chen, "/api/v1/studies"),
        (chen, f"/api/v1/studies/{study['study_id']}"),
        (chen, consultation),
        (pacs, STUDIES),
        (pacs, f"{address(hostile)}/metadata"),
    ]
    for client, path in sources:
        reply = await client.get(path)
        assert (reply.status, problems_of(reply)) == (200, []), path
        assert SCRIPT in await reply.text(), path
    for path in (f"/dicom-web/{SCRIPT}", f"{STUDIES}?{SCRIPT}=1", f"/api/v1/studies/{SCRIPT}"):
        reply = await pacs.get(path) if "dicom-web" in path else await chen.get(path)
        assert (reply.status in {400, 404}, problems_of(reply)) == (True, []), path
    page = await chen.get("/studies")
    assert page.status in {200, 404}
    assert SCRIPT not in await page.text()


async def test_security_10_a_name_cannot_turn_the_text_around_it(house, hostile):
    study = await house.store("WZ01", hostile)
    assert study["patient_name"] == "gpj.exe王小东"
    assert TURNED in study["patient_name_raw"]


async def test_security_12_a_file_name_that_a_sender_gives_makes_no_file(house, tmp_path):
    named = b'Content-Disposition: attachment; filename="../../../escaped"; name=escaped\r\nContent-Type:'
    body = multipart(ct_slice("named", size=16)).replace(b"Content-Type:", named)
    stored = await house.pacs("WZ01").post(STUDIES, data=body, headers={"Content-Type": MULTIPART})
    assert stored.status == 200
    places = [tmp_path, *tmp_path.parents[:3]]
    assert [place for place in places if (place / "escaped").exists()] == []
    assert [path for path in tmp_path.rglob("*") if "escaped" in path.name] == []


async def test_security_17_no_header_of_a_request_turns_up_in_addresses(tmp_path):
    public = "https://clinic.example"
    async with open_house(tmp_path, public_url=public) as house:
        pacs, data = house.pacs("WZ01"), ct_slice("host", size=16)
        headers = {"Content-Type": MULTIPART, **EVIL}
        answers = [await pacs.post(STUDIES, data=multipart(data), headers=headers)]
        answers += [await pacs.get(path, headers=EVIL) for path in (STUDIES, f"{address(data)}/metadata")]
        for reply in answers:
            body = await reply.text()
            assert (reply.status, "evil" in body, public in body) == (200, False, True)


async def test_security_17_without_a_proxy_its_headers_are_not_believed(house):
    await house.store("WZ01", ct_slice("forwarded", size=16))
    forwarded = {name: value for name, value in EVIL.items() if name != "Host"}
    body = await (await house.pacs("WZ01").get(STUDIES, headers=forwarded)).text()
    assert "evil" not in body
    assert f"{house.base_url}/dicom-web/studies/" in body


async def test_security_20_a_key_in_an_address_opens_nothing_and_is_in_no_log(house, caplog):
    caplog.set_level(logging.DEBUG)
    key, stranger = house.keys["WZ01"], house.stranger()
    for name in ("token", "access_token", "key", "api_key", "authorization", "ticket"):
        assert (await stranger.get(STUDIES, params={name: key})).status == 401, name
    assert (await house.pacs("WZ01").get(STUDIES)).status == 204
    await house.person("chen")
    await stranger.post("/api/v1/session", json={"username": "chen", "password": f"{PASSWORD}?"})
    page = await stranger.get("/")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    secrets = [key.rsplit("_", 1)[-1], PASSWORD]
    # The test's own server keeps an access log; the service keeps none.
    records = [record for record in caplog.records if record.name != "aiohttp.access"]
    told = {record.name for record in records for secret in secrets if secret in record.getMessage()}
    assert told == set()


async def test_security_22_text_of_files_and_requests_never_reaches_a_header(house, hostile):
    pacs = house.pacs("WZ01")
    del hostile.PatientID
    stored = await pacs.post(STUDIES, data=multipart(hostile), headers={"Content-Type": MULTIPART})
    paths = (
        f"{STUDIES}?Patient%0d%0aX-Evil:%201=2",
        f"{STUDIES}?PatientName=%0d%0aX-Evil:%201&fuzzymatching=true",
        f"{address(hostile)}%0d%0aX-Evil:%201/rendered",
        f"{address(hostile)}?accept=image/%0d%0aX-Evil:%201",
        f"{address(hostile)}/metadata",
        f"{address(hostile)}?accept=application/dicom",
    )
    for reply in [stored, *[await pacs.get(path) for path in paths]]:
        assert reply.status < 500, reply.url
        assert "X-Evil" not in reply.headers
        for name, value in reply.headers.items():
            assert (value.isascii(), len(value) <= 1024) == (True, True), name
            assert not {"evil", "onerror", "王"} & set(value.lower().split()), name
