"""Reports of reviews in the archive: once each, in the right study, without setting off another review."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from pydicom import dcmread
from sqlalchemy import select, update

from foundation.clock import utc_now
from imaging.archive import Archive
from imaging.review.completeness import Policy
from imaging.review.endpoints import NewEndpoint
from imaging.review.findings import Word
from imaging.review.intake import Sent
from imaging.review.outside import Outside
from imaging.review.publisher import Publisher
from imaging.review.service import Review
from imaging.review.tables import ReviewDecision, ReviewDocument, ReviewEndpoint, ReviewJob
from tests.archives import archive_at
from tests.dicomweb import keep
from tests.review_rows import STAND_INS, result, stand_in
from tests.samples import ct_slice

SR = "1.2.840.10008.5.1.4.1.1.88.34"


async def no_news(*_):
    """Nobody looks."""


@dataclass
class Stage:
    archive: Archive
    hook: Review
    publisher: Publisher
    study_id: str
    job: ReviewJob
    token: str
    image: Any

    async def reviewed(self, findings=1):
        body = result(self.job.job_uid, sop=stand_in(self.job, self.image.SOPInstanceUID), findings=findings)
        sent = Sent(self.job.job_uid, self.token, "k1", msgspec.json.encode(body))
        await self.hook.service.take_result(sent)

    async def reports(self):
        rows = await self.archive.catalog.instances_of(self.study_id)
        paths = [await self.archive.blobs.local_path(row.blob_key) for row in rows if row.sop_class_uid == SR]
        return sorted([dcmread(path) for path in paths], key=lambda report: report.InstanceNumber)


@pytest.fixture
async def stage(database_url, tmp_path):
    async with archive_at(database_url, tmp_path / "blobs") as archive:
        hook = Review(archive.database, utc_now, Outside("", STAND_INS), Policy(quiet_seconds=0), no_news)
        registered = await hook.service.register_endpoint(
            NewEndpoint("Spots", "Lab", "spotter", "1.0", "http://127.0.0.1:9/", {"all": []}, ["99TEST:spot"])
        )
        image = ct_slice("published", size=32)
        (outcome,) = await keep(archive, image)
        await hook.watcher.step()
        async with archive.database.read() as session:
            job = (await session.scalars(select(ReviewJob))).one()
        issued = await hook.service.issue_token(registered.key, job.job_uid)
        yield Stage(archive, hook, Publisher(archive), outcome.study_id, job, issued.access_token, image)
        await hook.deliverer.close()


async def test_a_finished_review_becomes_one_report_in_its_study(stage):
    await stage.reviewed()
    await stage.publisher.step()
    await stage.publisher.step()
    (report,) = await stage.reports()
    assert report.StudyInstanceUID == stage.image.StudyInstanceUID
    assert report.VerificationFlag == "UNVERIFIED"


async def test_its_own_report_sets_off_no_review(stage):
    await stage.reviewed()
    await stage.publisher.step()
    await stage.hook.watcher.step()
    async with stage.archive.database.read() as session:
        assert len(list(await session.scalars(select(ReviewDecision)))) == 1


async def test_a_verified_version_comes_when_every_finding_is_assessed(stage):
    await stage.reviewed(findings=2)
    await stage.publisher.step()
    first, second = await stage.hook.service.findings_of(stage.study_id)
    await stage.hook.service.assess(first.finding_id, Word("u1", "Li", "accepted", "", "SH01"))
    await stage.publisher.step()
    assert len(await stage.reports()) == 1
    await stage.hook.service.assess(second.finding_id, Word("u1", "Li", "rejected", "vessel", "SH01"))
    await stage.publisher.step()
    reports = await stage.reports()
    assert [report.VerificationFlag for report in reports] == ["UNVERIFIED", "VERIFIED"]


async def test_a_process_that_died_before_noting_a_report_does_not_store_it_twice(stage):
    await stage.reviewed()
    await stage.publisher.step()
    async with stage.archive.database.write() as session:
        for row in await session.scalars(select(ReviewDocument)):
            await session.delete(row)
        await session.execute(update(ReviewJob).values(report_due=True))
    await stage.publisher.step()
    assert len(await stage.reports()) == 1
    async with stage.archive.database.read() as session:
        assert len(list(await session.scalars(select(ReviewDocument)))) == 1


async def test_two_publishers_at_once_store_one_report(stage):
    await stage.reviewed()
    await asyncio.gather(stage.publisher.step(), Publisher(stage.archive).step(), return_exceptions=True)
    await stage.publisher.step()
    assert len(await stage.reports()) == 1


async def test_what_runs_in_the_shadow_leaves_no_report(stage):
    async with stage.archive.database.write() as session:
        await session.execute(update(ReviewEndpoint).values(mode="shadow"))
    await stage.reviewed()
    await stage.publisher.step()
    assert await stage.reports() == []
