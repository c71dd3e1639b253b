"""What is wrong with a request is said with a stable code; the rest of it goes on, and what is stored stays."""

from io import BytesIO

import pytest

from tests.dicomweb import address, split
from tests.platforms import BOUNDARY, CONSULTATIONS, MULTIPART, multipart, open_house
from tests.samples import ct_slice, to_bytes, with_uid
from tests.telemed_consultations import invitation

BEFORE, GOOD, ALSO_GOOD = (ct_slice(key, size=16) for key in ("before", "good", "also good"))
PART_LIMIT = 200_000
STUDIES = "/dicom-web/studies"
AS_STORED = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path, max_part_bytes=PART_LIMIT) as house:
        await house.store("WZ01", BEFORE)
        yield house


async def post(house, body, path=STUDIES, content_type=MULTIPART, hospital="WZ01"):
    reply = await house.pacs(hospital).post(path, data=body, headers={"Content-Type": content_type})
    return reply.status, await reply.json(content_type=None)


def stored(answer):
    return {item["00081155"]["Value"][0] for item in answer.get("00081199", {}).get("Value", [])}


def reasons(answer):
    return [item["00081197"]["Value"][0] for item in answer.get("00081198", {}).get("Value", [])]


async def assert_kept(house, *instances):
    for data in instances:
        reply = await house.pacs("WZ01").get(address(data), headers=AS_STORED)
        ((_, content),) = split(reply.headers["Content-Type"], await reply.read())
        assert content == to_bytes(data)


BAD_FILES = {
    # Failure reasons: PS3.18 table I.2-2 and PS3.4 table B.2-1.
    "not DICOM": (b"%PDF-1.7 this is no DICOM file", 0xC001),
    "empty": (b"", 0xC001),
    "truncated": (to_bytes(ct_slice("truncated", size=16))[:700], 0xC004),
    "a UID that is a path": (with_uid(ct_slice("path", size=16), b"../../etc/passwd"), 0xA902),
    "a UID without end": (with_uid(ct_slice("endless", size=16), b"1" * 65), 0xA902),
    "over the limit": (to_bytes(ct_slice("large", count=1, size=512)), 0xA701),
}


@pytest.mark.parametrize(("content", "reason"), BAD_FILES.values(), ids=BAD_FILES)
async def test_a_bad_file_costs_only_itself(house, content, reason):
    status, answer = await post(house, multipart(GOOD, content, ALSO_GOOD))
    assert (status, reasons(answer)) == (202, [reason])
    assert stored(answer) == {GOOD.SOPInstanceUID, ALSO_GOOD.SOPInstanceUID}
    await assert_kept(house, BEFORE, GOOD, ALSO_GOOD)


async def test_a_bad_file_alone_is_refused_with_its_reason(house):
    sent = {
        name: await post(house, content, content_type="application/dicom") for name, (content, _) in BAD_FILES.items()
    }
    found = {name: (status, reasons(answer), stored(answer)) for name, (status, answer) in sent.items()}
    assert found == {name: (409, [reason], set()) for name, (_, reason) in BAD_FILES.items()}
    await assert_kept(house, BEFORE)


async def test_a_file_cut_off_within_its_pixels_is_kept_with_a_warning(house):
    cut = ct_slice("cut off", size=64)
    status, answer = await post(house, multipart(GOOD, to_bytes(cut)[:-500]))
    warnings = [item.get("00081196", {}).get("Value") for item in answer["00081199"]["Value"]]
    assert (status, reasons(answer), warnings) == (202, [], [None, [0xB007]])


async def test_a_part_of_another_type_costs_only_itself(house):
    picture = multipart(b"\xff\xd8\xff", part_type="image/jpeg")
    status, answer = await post(house, picture.removesuffix(f"--{BOUNDARY}--\r\n".encode()) + multipart(GOOD))
    assert (status, reasons(answer), stored(answer)) == (202, [0xC006], {GOOD.SOPInstanceUID})


async def test_an_instance_of_another_study_than_the_address_names(house):
    status, answer = await post(house, multipart(GOOD, ALSO_GOOD), f"{STUDIES}/{GOOD.StudyInstanceUID}")
    assert (status, reasons(answer), stored(answer)) == (202, [0xA901], {GOOD.SOPInstanceUID})


async def test_other_content_under_a_stored_uid(house):
    changed = ct_slice("before", size=16)
    changed.PatientName = "Somebody^Else"
    status, answer = await post(house, multipart(changed, GOOD))
    assert (status, reasons(answer), stored(answer)) == (202, [0x0111], {GOOD.SOPInstanceUID})
    await assert_kept(house, BEFORE, GOOD)


REQUESTS = {
    "another content type": ({"content_type": "application/json"}, 415, "store.content_type"),
    "a multipart body of something else": (
        {"content_type": 'multipart/related; type="image/jpeg"; boundary=x'},
        415,
        "store.content_type",
    ),
    "an address without a usable UID": ({"path": f"{STUDIES}/1..%00"}, 400, "store.study_uid"),
    "the holdings of another hospital": ({"path": "/dicom-web/hospitals/SH01/studies"}, 403, "store.not_allowed"),
}


async def test_an_upload_that_cannot_be_one(house):
    answers = {name: await post(house, multipart(GOOD), **changes) for name, (changes, *_) in REQUESTS.items()}
    found = {name: (status, problem["code"]) for name, (status, problem) in answers.items()}
    assert found == {name: (status, code) for name, (_, status, code) in REQUESTS.items()}


async def test_a_body_that_breaks_off_keeps_what_came_whole(house):
    status, problem = await post(house, multipart(GOOD, ALSO_GOOD)[:-300])
    assert (status, problem["code"], problem["stored_count"]) == (400, "store.multipart_broken", 1)
    await assert_kept(house, BEFORE, GOOD)


async def test_a_study_of_another_hospital_is_not_there(house):
    study = await house.study("WZ01", BEFORE.StudyInstanceUID)
    reply = await house.pacs("SH01").get(address(BEFORE))
    assert (reply.status, (await reply.json())["code"]) == (404, "study.not_found")
    status, problem = await house.call("li", "GET", f"/api/v1/studies/{study['study_id']}")
    assert (status, problem["code"]) == (404, "study.unknown")
    theirs = invitation(study["study_id"], invited_hospital="WZ01")
    status, problem = await house.call("li", "POST", CONSULTATIONS, theirs)
    assert (status, problem["code"]) == (404, "study.unknown")


JSON_BODIES = {
    "malformed": (b'{"study_id": ', "application/json", 400, "invalid"),
    "of another shape": (b'{"study_id": 5}', "application/json", 400, "invalid"),
    "not declared as JSON": (b"study_id=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    "too long": (b" " * (2 << 20), "application/json", 413, "too_large"),
}


async def test_json_that_nobody_can_read(house):
    chen, found = await house.person("chen"), {}
    for name, (body, content_type, *_) in JSON_BODIES.items():
        reply = await chen.post(CONSULTATIONS, data=BytesIO(body), headers={"Content-Type": content_type})
        found[name] = (reply.status, (await reply.json())["code"])
    assert found == {name: (status, code) for name, (*_, status, code) in JSON_BODIES.items()}


async def test_the_same_consultation_cannot_go_two_ways(house):
    study = await house.study("WZ01", BEFORE.StudyInstanceUID)
    consultation = await house.accepted(study["study_id"])
    status, problem = await house.call("wu", "POST", f"{consultation}/decline", {"reason": "不便"})
    assert (status, problem["code"]) == (409, "consultation.bad_state")
