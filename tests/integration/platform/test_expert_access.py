"""What an invited expert sees of a study, and when: nothing before acceptance, nothing once it is over."""

import json

import pytest

from tests.dicomweb import address
from tests.samples import ct_slice

STUDY = ct_slice("shared", size=32)
SEEN, HIDDEN = {200}, {404}


@pytest.fixture
async def study(house):
    return await house.store("WZ01", STUDY)


def under(root):
    """The instance's address under ``root``."""
    return address(STUDY).replace("/dicom-web", root, 1)


async def doors(house, study):
    """Every kind of address at which the study can be looked at."""
    images = under(study["dicomweb_root"])
    _, (header,) = await house.call("chen", "GET", f"{images}/metadata")
    bulk = header["7FE00010"]["BulkDataURI"].partition("/dicom-web/")[2]
    of_study = images.partition("/series/")[0]
    dicomweb = [f"{images}{path}" for path in ("", "/metadata", "/frames/1", "/rendered", "/thumbnail")]
    api = [f"/api/v1/studies/{study['study_id']}", f"/api/v1/studies/{study['study_id']}/review"]
    return [*dicomweb, *api, of_study, f"{of_study}/metadata", under("/dicom-web"), f"/dicom-web/{bulk}"]


async def answers(house, username, study):
    return {await house.status(username, path) for path in await doors(house, study)}


async def listed(house, username):
    """How many studies a doctor's lists hold: the API's, the API's total, QIDO's."""
    api = await house.done(username, "GET", "/api/v1/studies")
    reply = await (await house.person(username)).get("/dicom-web/studies")
    return len(api["items"]), api["total"], 0 if reply.status == 204 else len(json.loads(await reply.read()))


async def test_the_owner_sees_the_study_at_every_door(house, study):
    assert await answers(house, "chen", study) == SEEN
    assert len(await doors(house, study)) == 11


async def test_from_invitation_to_completion(house, study):
    consultation = await house.invited(study["study_id"])
    assert await answers(house, "li", study) == HIDDEN
    assert (await house.done("li", "GET", consultation))["study"] is None

    await house.done("li", "POST", f"{consultation}/accept", {})
    assert await answers(house, "li", study) == SEEN
    assert await listed(house, "li") == (1, 1, 1)
    assert (await house.done("li", "GET", consultation))["study"]["study_id"] == study["study_id"]

    await house.signed(consultation)
    assert await answers(house, "li", study) == SEEN

    await house.acknowledged(consultation)
    assert await answers(house, "li", study) == HIDDEN
    assert await listed(house, "li") == (0, 0, 0)
    assert (await house.done("li", "GET", consultation))["study"] is None


async def test_cancelling_ends_it_at_once(house, study):
    consultation = await house.accepted(study["study_id"])
    assert await answers(house, "li", study) == SEEN
    await house.done("chen", "POST", f"{consultation}/cancel", {"reason": "已转院"})
    assert await answers(house, "li", study) == HIDDEN


async def test_who_declined_never_saw_it(house, study):
    consultation = await house.invited(study["study_id"])
    await house.done("li", "POST", f"{consultation}/decline", {"reason": "当日手术"})
    assert await answers(house, "li", study) == HIDDEN


async def test_other_doctors_of_the_invited_hospital_and_its_software_see_nothing(house, study):
    await house.accepted(study["study_id"])
    for username in ("wu", "outsider"):
        assert await answers(house, username, study) == HIDDEN
        assert await listed(house, username) == (0, 0, 0)
    theirs = [await house.pacs("SH01").get(under(root)) for root in ("/dicom-web", study["dicomweb_root"])]
    assert {reply.status for reply in theirs} == HIDDEN


async def test_the_expert_sees_that_study_alone_and_stores_nothing_in_it(house, study):
    other = await house.store("WZ01", ct_slice("other", size=16))
    await house.accepted(study["study_id"])
    assert await house.status("li", f"/api/v1/studies/{other['study_id']}") == 404
    li = await house.person("li")
    upload = {"data": b"x", "headers": {"Content-Type": "application/dicom"}}
    reply = await li.post(f"{study['dicomweb_root']}/studies", **upload)
    assert (reply.status, (await reply.json())["code"]) == (403, "store.not_allowed")


async def test_what_the_browser_holds_already_is_not_confirmed_afterwards(house, study):
    consultation = await house.accepted(study["study_id"])
    li, frame = await house.person("li"), f"{under(study['dicomweb_root'])}/frames/1"
    etag = (await li.get(frame)).headers["ETag"]
    assert (await li.get(frame, headers={"If-None-Match": etag})).status == 304
    await house.done("chen", "POST", f"{consultation}/cancel", {"reason": "已转院"})
    assert (await li.get(frame, headers={"If-None-Match": etag})).status == 404


async def test_an_administrator_sees_no_images(house, study):
    images = under(study["dicomweb_root"])
    assert await house.status("admin", f"{images}/metadata") == 404
    assert await house.status("admin", f"/api/v1/studies/{study['study_id']}") == 403
