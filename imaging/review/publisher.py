"""Puts finished reviews into the archive as structured reports, in their study, and again once doctors assessed them.

What is due is a flag on the job's row, set in the transaction of the fact. A report's UID and bytes follow from the
facts alone, so a process that dies between storing and noting it stores the very same once more: no new object.
"""

import warnings
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from pydicom import Dataset, config
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.background import Ticker
from foundation.ids import new_id
from imaging.archive import Archive
from imaging.guard import Access
from imaging.review import findings
from imaging.review.reviewed import Reviewed, sop_instance_uid
from imaging.review.tables import ReviewAssessment, ReviewDocument, ReviewEndpoint, ReviewFinding, ReviewJob
from imaging.store.tables import Instance, InstanceHeader, Study

_POLL_SECONDS: Final = 1.0
_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Due:
    """What a look at a job found. assessment: the newest one's number, 0 before the first.

    reviewed: what to write; None: nothing yet. headers: DICOM JSON of the images it speaks of, deflated.
    """

    job: ReviewJob
    owner: str
    study_instance_uid: str
    assessment: int
    reviewed: Reviewed | None
    headers: list[bytes]


class Publisher:
    """Writes what is due, one report after the other."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._ticker = Ticker("review-publisher", self.step, _POLL_SECONDS)
        self.start, self.close = self._ticker.start, self._ticker.close

    async def step(self) -> float:
        """Publish what is due. Gives the seconds until the next look."""
        async with self._archive.database.read() as session:
            query = select(ReviewJob.id).where(ReviewJob.report_due).order_by(ReviewJob.id).limit(_AT_ONCE)
            due = list(await session.scalars(query))
        for job_id in due:
            await self._publish(job_id)
        return 0.0 if len(due) == _AT_ONCE else _POLL_SECONDS

    async def _publish(self, job_id: str) -> None:
        async with self._archive.database.read() as session:
            due = await _look(session, job_id)
        if due.reviewed is not None:
            await self._store(due, due.reviewed)
        async with self._archive.database.write() as session:
            if due.reviewed is not None:
                session.add(_row(due, due.reviewed))
            # Whoever assessed meanwhile has set the flag for more than was written here.
            if await _newest_assessment(session, job_id) == due.assessment:
                await session.execute(update(ReviewJob).where(ReviewJob.id == job_id).values(report_due=False))

    async def _store(self, due: Due, reviewed: Reviewed) -> None:
        path = await self._archive.blobs.spool()
        await self._archive.workers.run(write_report, path, reviewed, due.headers)
        access = Access(caller=f"review-job:{due.job.job_uid}", store_as=due.owner)
        outcome = await self._archive.ingest.store(access, path, expected_study_uid=due.study_instance_uid)
        if not outcome.is_success:
            raise RuntimeError(f"a report was not taken: {outcome.word}")
        await self._archive.on_stored(due.job.study_key)


@asynccontextmanager
async def publishing(archive: Archive) -> AsyncIterator[None]:
    """Reports are written while the block runs."""
    publisher = Publisher(archive)
    publisher.start()
    try:
        yield
    finally:
        await publisher.close()


def write_report(path: Path, reviewed: Reviewed, headers: list[bytes]) -> None:
    """In a worker process: build the report and write it to ``path``."""
    # The library takes long to load, and only workers need it.
    from imaging.review.sr import encoded, structured_report  # noqa: PLC0415

    # What the libraries say of an odd value quotes it, and that would stand in a log.
    with config.disable_value_validation(), warnings.catch_warnings(action="ignore"):
        images = [_image(msgspec.json.decode(zlib.decompress(header))) for header in headers]
        named = {str(image.SOPInstanceUID): image for image in images}
        path.write_bytes(encoded(structured_report(reviewed, named)))


def _image(header: dict[str, Any]) -> Dataset:
    """The data set behind stored metadata, without what lies elsewhere."""
    return Dataset.from_json({tag: member for tag, member in header.items() if "BulkDataURI" not in member})


async def _look(session: AsyncSession, job_id: str) -> Due:
    job = await session.get_one(ReviewJob, job_id)
    study = await session.get_one(Study, job.study_key)
    newest = await _newest_assessment(session, job_id)
    reported = await findings.of_job(session, job_id)
    query = select(ReviewDocument).where(ReviewDocument.job_key == job_id).order_by(ReviewDocument.version)
    versions = list(await session.scalars(query))
    settled = bool(reported) and all(one.assessment for one in reported)
    reviewed = None
    if not versions or (settled and versions[-1].last_assessment < newest):
        reviewed = await _reviewed(session, job, reported, len(versions) + 1, settled=settled)
    wanted = {one.sop_instance_uid for one in reported}
    headers = await _headers(session, study.id, wanted) if reviewed else []
    return Due(job, study.owner, study.study_instance_uid, newest, reviewed, headers)


async def _reviewed(
    session: AsyncSession, job: ReviewJob, reported: list[findings.Finding], version: int, *, settled: bool
) -> Reviewed:
    endpoint = await session.get_one(ReviewEndpoint, job.endpoint_key)
    words = sorted((one.assessment for one in reported if one.assessment), key=lambda word: word.at)
    return Reviewed(
        job_uid=job.job_uid,
        vendor=endpoint.vendor,
        model_name=endpoint.model_name,
        model_version=endpoint.model_version,
        summary_code=job.summary_code,
        findings=reported,
        at=words[-1].at if settled else job.updated_at,
        version=version,
        verifier=words[-1].by_name if settled else "",
        organization=words[-1].by_organization if settled else "",
    )


async def _headers(session: AsyncSession, study_id: str, wanted: Iterable[str]) -> list[bytes]:
    """Of the images that findings lie on; where there is no finding, of one image of the study."""
    query = (
        select(InstanceHeader.metadata_json)
        .join(Instance, Instance.id == InstanceHeader.instance_key)
        .where(Instance.study_key == study_id, Instance.rows.is_not(None))
        .order_by(Instance.id)
    )
    named = sorted(wanted)
    query = query.where(Instance.sop_instance_uid.in_(named)) if named else query.limit(1)
    return list(await session.scalars(query))


async def _newest_assessment(session: AsyncSession, job_id: str) -> int:
    query = (
        select(func.max(ReviewAssessment.id))
        .join(ReviewFinding, ReviewFinding.id == ReviewAssessment.finding_key)
        .where(ReviewFinding.job_key == job_id)
    )
    return await session.scalar(query) or 0


def _row(due: Due, reviewed: Reviewed) -> ReviewDocument:
    return ReviewDocument(
        id=new_id(),
        job_key=due.job.id,
        version=reviewed.version,
        sop_instance_uid=sop_instance_uid(reviewed.job_uid, reviewed.version),
        last_assessment=due.assessment,
        created_at=reviewed.at,
    )
