"""The reference reviewer against the real archive over real HTTP: what a vendor's program lives through."""

import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydicom import dcmread
from sqlalchemy import select

from foundation.clock import utc_now
from foundation.problem import problems
from imaging.archive import Archive
from imaging.review.completeness import Policy
from imaging.review.endpoints import NewEndpoint
from imaging.review.outside import Outside
from imaging.review.routes import routes as vendor_routes
from imaging.review.service import Review
from imaging.review.tables import ReviewDecision
from reviewer import document
from reviewer.platform import Platform
from reviewer.webhook import Inbox, application
from reviewer.worker import review
from tests.archives import archive_at
from tests.dicomweb import keep
from tests.reviewer_phantoms import chest, ct_images
from tests.samples import ct_slice, patient_study, rle


class Recorder:
    """Stands for telemed's guard: the vendor's door only records."""

    def __init__(self):
        self.records = []

    async def record(self, request, access, deed, study_id):
        self.records.append((deed, access.caller, study_id))


@dataclass
class Stage:
    """The archive, its review and the reviewer, each listening; ``run`` takes a study through all of them."""

    archive: Archive
    review: Review
    guard: Recorder
    inbox: Inbox
    base_url: str
    key: str

    async def run(self, *images):
        outcomes = await keep(self.archive, *images)
        study_id = outcomes[0].study_id
        await self.review.watcher.step()
        await self.review.deliverer.deliver_due()
        await self.inbox.idle()
        (job,) = await self.review.service.jobs_of(study_id)
        return job, await self.review.service.findings_of(study_id)


async def no_news(*_):
    """Nobody looks."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def listening(app, port):
    server = TestServer(app, port=port)
    await server.start_server()
    yield
    await server.close()


def reference(port):
    return NewEndpoint(
        name="reference", vendor="telemed", model_name=document.MODEL_NAME, model_version=document.MODEL_VERSION,
        url=f"http://127.0.0.1:{port}/", rules={"all": []}, finding_codes=document.FINDING_CODES,
    )  # fmt: skip


@pytest.fixture
async def stage(sqlite_url, tmp_path):
    port, reviewer_port, guard = free_port(), free_port(), Recorder()
    base_url = f"http://127.0.0.1:{port}"
    async with archive_at(sqlite_url, tmp_path / "blobs") as archive, aiohttp.ClientSession() as session:
        hook = Review(archive.database, utc_now, Outside(base_url, b"stand-ins"), Policy(quiet_seconds=0), no_news)
        app = web.Application(middlewares=[problems])
        app.add_routes(vendor_routes(hook.service, archive, guard))
        registered = await hook.service.register_endpoint(reference(reviewer_port))
        platform = Platform(session, base_url, registered.key, pauses=(0, 0))
        inbox = Inbox(registered.secret, partial(review, platform))
        async with listening(app, port), listening(application(inbox), reviewer_port):
            yield Stage(archive, hook, guard, inbox, base_url, registered.key)
        await hook.deliverer.close()


async def test_nodules_of_a_chest_ct_become_circles_on_their_slices(stage):
    volume, nodules = chest(7, (8, 12, 18))
    images = ct_images(volume)
    # One compressed image among them: the reviewer asks for native pixels and has no codec.
    job, findings = await stage.run(*images[:20], rle(images[20]), *images[21:])
    assert (job.state, job.last_error) == ("completed", "")
    assert "不是医疗器械" in job.summary
    slices = {str(image.SOPInstanceUID): index for index, image in enumerate(images)}
    for nodule in nodules:
        z, y, x = np.divide(nodule.centre_mm, volume.spacing_mm)
        assert any(
            finding.kind == "circle"
            and abs(slices[finding.sop_instance_uid] - z) <= 2
            and np.hypot(finding.points[0][0] - x - 0.5, finding.points[0][1] - y - 0.5) < 2
            for finding in findings
        ), nodule
    assert {finding.label_code for finding in findings} == {"99TELEMED:dense-candidate"}
    assert all(finding.probability is None for finding in findings)


async def test_anything_else_gets_an_image_quality_check(stage):
    image = ct_slice(size=64)
    image.Modality = "MR"
    job, (finding,) = await stage.run(image)
    assert (job.state, finding.kind, finding.label_code) == ("completed", "image", "99TELEMED:image-quality")
    assert "图像质量检查" in job.summary
    assert "噪声" in [one["name"] for one in finding.measurements]


async def test_a_study_without_pixels_goes_to_nobody_and_the_reason_is_kept(stage):
    await keep(stage.archive, patient_study("no pixels", "1.2.840.10008.5.1.4.1.1.88.11"))
    await stage.review.watcher.step()
    async with stage.archive.database.read() as session:
        (decision,) = await session.scalars(select(ReviewDecision))
    (reason,) = decision.not_matched.values()
    assert "nothing in it may leave" in reason[0]


async def test_what_the_reviewer_fetches_is_recorded_and_its_token_ends_with_the_job(stage):
    image = ct_slice("recorded", size=64)
    job, _ = await stage.run(image)
    assert {(deed, caller) for deed, caller, _ in stage.guard.records} == {
        ("review.fetch", f"review-job:{job.job_uid}"),
        ("review.result", f"review-job:{job.job_uid}"),
    }
    assert {study_id for *_, study_id in stage.guard.records} == {job.study_id}


async def test_a_real_chest_ct_is_taken_for_one(stage, shared_dicom):
    images = [dcmread(path) for path in sorted((shared_dicom / "series" / "ct-chest-lidc").glob("*.dcm"))]
    job, findings = await stage.run(*images)
    assert job.state == "completed"
    assert job.summary.startswith("胸部CT：")
    assert all(finding.kind == "circle" for finding in findings)
