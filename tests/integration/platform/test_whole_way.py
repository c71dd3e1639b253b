"""From the upload to the printed opinion on each database, and what the platform does by itself."""

import asyncio
import shutil
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select

from foundation.clock import utc_now
from telemed.people.tables import LoginSessionRow, SignInAttemptRow
from tests.dicomweb import address
from tests.platforms import MULTIPART, multipart, open_house, until
from tests.samples import ct_series, ct_slice
from tests.telemed_people import TurnableClock


async def test_from_upload_to_printed_opinion(database_url, tmp_path):
    async with open_house(tmp_path / "var", database_url=database_url) as house:
        study = await house.store("WZ01", *ct_series("way", 3, 16))
        consultation = await house.accepted(study["study_id"])
        assert (await house.done("li", "GET", "/api/v1/consultations?box=received"))["total"] == 1
        chen, li = await house.entered("chen", consultation), await house.entered("li", consultation)
        await chen.send("chat.send", "c1", text="请看")
        assert (await li.message("chat.sent"))["b"]["text"] == "请看"
        await house.signed(consultation)
        await house.acknowledged(consultation)
        assert (await chen.closed(), await li.closed()) == (4504, 4504)
        reply = await (await house.person("li")).get(f"{consultation}/opinion.pdf")
        printed = PdfReader(BytesIO(await reply.read()))
        assert "考虑早期肺腺癌" in "".join(page.extract_text() for page in printed.pages)
        assert await house.status("li", f"/api/v1/studies/{study['study_id']}") == 404


async def test_what_was_said_and_signed_is_there_after_a_restart(tmp_path):
    async with open_house(tmp_path) as house:
        study = await house.store("WZ01", ct_slice("restart", size=16))
        consultation = await house.accepted(study["study_id"])
        chen = await house.entered("chen", consultation)
        await chen.send("chat.send", "c1", text="请看")
        await chen.message("ok")
        await house.signed(consultation)
    async with open_house(tmp_path, furnish=False) as house:
        back = await house.entered("chen", consultation)
        assert [line["b"]["text"] for line in back.greeting["b"]["snapshot"]["chat"]] == ["请看"]
        assert (await house.done("chen", "GET", consultation))["state"] == "opined"
        assert await house.status("li", f"/api/v1/studies/{study['study_id']}") == 200


async def rows(house, table):
    async with house.platform.archive.database.read() as session:
        return await session.scalar(select(func.count()).select_from(table))


@pytest.mark.parametrize("table", [LoginSessionRow, SignInAttemptRow])
async def test_what_has_ended_is_swept_by_itself(tmp_path, table):
    clock = TurnableClock(utc_now())
    async with open_house(tmp_path, clock=clock) as house:
        await house.person("chen")
        await house.stranger().post("/api/v1/session", json={"username": "chen", "password": "a wrong password"})
        assert await rows(house, table) == 1
    clock.advance(hours=13)
    async with open_house(tmp_path, clock=clock, furnish=False) as house:

        async def swept():
            return await rows(house, table) == 0

        await until(swept)


async def test_readiness_names_what_is_away(house, tmp_path):
    stranger = house.stranger()
    reply = await stranger.get("/readyz")
    assert (reply.status, (await reply.json())["checks"]) == (200, {"database": True, "storage": True})
    await asyncio.to_thread(shutil.rmtree, tmp_path / "blobs" / "spool")
    reply = await stranger.get("/readyz")
    assert (reply.status, (await reply.json())["checks"]) == (503, {"database": True, "storage": False})


async def test_addresses_in_answers_are_those_a_proxys_visitors_use(tmp_path):
    public = "https://clinic.example"
    async with open_house(tmp_path, public_url=f"{public}/") as house:
        pacs, data = house.pacs("WZ01"), ct_slice("proxy", size=16)
        stored = await pacs.post("/dicom-web/studies", data=multipart(data), headers={"Content-Type": MULTIPART})
        found = await pacs.get("/dicom-web/studies")
        study = f"{public}/dicom-web/studies/{data.StudyInstanceUID}"
        assert (await stored.json(content_type=None))["00081190"]["Value"] == [study]
        assert (await found.json(content_type=None))[0]["00081190"]["Value"] == [study]
        (header,) = await (await pacs.get(f"{address(data)}/metadata")).json(content_type=None)
        assert header["7FE00010"]["BulkDataURI"].startswith(study)
