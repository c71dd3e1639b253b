"""Reading jobs and findings, and the doctors' word on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from imaging.guard import Access
from imaging.review.errors import FindingUnknown, RejectionWithoutReason
from imaging.review.model import JobState, StudyReview, summed_up
from imaging.review.tables import (
    ReviewAssessment,
    ReviewDecision,
    ReviewDelivery,
    ReviewEndpoint,
    ReviewFinding,
    ReviewJob,
)
from imaging.store.tables import Study

Verdict = Literal["accepted", "rejected"]


@dataclass(frozen=True, slots=True)
class Job:
    job_uid: str
    study_id: str
    vendor: str
    model_name: str
    model_version: str
    state: str
    completeness_basis: str
    generation: int
    attempts: int
    last_error: str
    summary: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Assessment:
    decision: str
    reason: str
    by_name: str
    at: datetime
    by_organization: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """frame: from 1. points: [x, y] in pixels, 0/0 the outer corner of the first pixel; empty for kind "image".

    circle: centre and a point on it; ellipse: ends of the major, then of the minor axis. measurements: name, value,
    unit (UCUM). assessment: the newest one.
    """

    finding_id: str
    job_uid: str
    study_id: str
    model_name: str
    model_version: str
    series_instance_uid: str
    sop_instance_uid: str
    frame: int
    label: str
    label_code: str
    probability: float | None
    kind: str
    points: list[list[float]]
    measurements: list[dict[str, Any]]
    description: str
    assessment: Assessment | None


@dataclass(frozen=True, slots=True)
class Word:
    """A doctor's word. by: stable key of the person; by_name: as shown from now on, whatever the name becomes.

    by_organization: the code of the hospital the doctor belongs to.
    """

    by: str
    by_name: str
    decision: Verdict
    reason: str = ""
    by_organization: str = ""


async def jobs_of(session: AsyncSession, study_id: str) -> list[Job]:
    """Newest generation first."""
    attempts = select(func.max(ReviewDelivery.attempts)).where(ReviewDelivery.job_key == ReviewJob.id).scalar_subquery()
    query = (
        select(ReviewJob, ReviewEndpoint, ReviewDecision.basis, func.coalesce(attempts, 0))
        .join(ReviewEndpoint, ReviewEndpoint.id == ReviewJob.endpoint_key)
        .join(ReviewDecision, ReviewDecision.id == ReviewJob.decision_key)
        .where(ReviewJob.study_key == study_id)
        .order_by(ReviewJob.generation.desc(), ReviewJob.id)
    )
    return [_job(*row) for row in await session.execute(query)]


def _job(job: ReviewJob, endpoint: ReviewEndpoint, basis: str, attempts: int) -> Job:
    return Job(
        job.job_uid,
        job.study_key,
        endpoint.vendor,
        endpoint.model_name,
        endpoint.model_version,
        job.state,
        basis,
        job.generation,
        attempts,
        job.last_error,
        job.summary,
        job.updated_at,
    )


async def findings_of(session: AsyncSession, study_id: str) -> list[Finding]:
    """What a doctor should see for the study, in the vendors' order."""
    return await _findings(session, _shown().where(ReviewFinding.study_key == study_id))


async def of_job(session: AsyncSession, job_id: str) -> list[Finding]:
    """Everything one job reported, replaced or not."""
    return await _findings(session, _shown(replaced=True).where(ReviewFinding.job_key == job_id))


async def unreviewed(session: AsyncSession, access: Access, limit: int, offset: int) -> tuple[list[Finding], int]:
    """Findings nobody has assessed, newest first, in studies ``access`` may see; and how many there are in all."""
    query = _shown().join(Study, Study.id == ReviewFinding.study_key).where(_visible(access), ~_assessed())
    total = await session.scalar(select(func.count()).select_from(query.with_only_columns(ReviewFinding.id).subquery()))
    newest = query.order_by(None).order_by(ReviewFinding.created_at.desc(), ReviewFinding.rank)
    return await _findings(session, newest.limit(limit).offset(offset)), total or 0


async def finding(session: AsyncSession, finding_id: str) -> Finding:
    """Raises ``FindingUnknown``. Whether the caller may see its ``study_id`` is for the caller to ask."""
    found = await _findings(session, _shown(replaced=True).where(ReviewFinding.id == finding_id))
    if not found:
        raise FindingUnknown()
    return found[0]


async def assess(session: AsyncSession, finding_id: str, word: Word, now: datetime) -> None:
    """Add a doctor's word. Raises ``FindingUnknown``, ``RejectionWithoutReason``."""
    if word.decision == "rejected" and not word.reason.strip():
        raise RejectionWithoutReason("Say why the finding is rejected.")
    found = await session.get(ReviewFinding, finding_id)
    if found is None:
        raise FindingUnknown()
    await session.execute(update(ReviewJob).where(ReviewJob.id == found.job_key, _is_live()).values(report_due=True))
    session.add(
        ReviewAssessment(
            finding_key=finding_id,
            decision=word.decision,
            reason=word.reason.strip(),
            by_key=word.by,
            by_name=word.by_name,
            by_organization=word.by_organization,
            at=now,
        )
    )


async def study_states(session: AsyncSession, study_ids: Sequence[str]) -> dict[str, tuple[StudyReview | None, int]]:
    """For each study: its review in one word (None: no review) and its findings nobody has assessed."""
    states = await _newest_states(session, study_ids)
    query = (
        select(ReviewFinding.study_key, func.count().label("unjudged"))
        .where(ReviewFinding.study_key.in_(study_ids), ~ReviewFinding.replaced, ~_assessed())
        .group_by(ReviewFinding.study_key)
    )
    counts = {row.study_key: row.unjudged for row in await session.execute(query)}
    return {study_id: (summed_up(states.get(study_id, ())), counts.get(study_id, 0)) for study_id in study_ids}


async def _newest_states(session: AsyncSession, study_ids: Sequence[str]) -> dict[str, list[JobState]]:
    newest = (
        select(ReviewJob.study_key, func.max(ReviewJob.generation).label("generation"))
        .where(ReviewJob.study_key.in_(study_ids))
        .group_by(ReviewJob.study_key)
        .subquery()
    )
    query = select(ReviewJob.study_key, ReviewJob.state).join(
        newest, and_(newest.c.study_key == ReviewJob.study_key, newest.c.generation == ReviewJob.generation)
    )
    states: dict[str, list[JobState]] = {}
    for study_id, state in await session.execute(query):
        states.setdefault(study_id, []).append(JobState(state))
    return states


def _shown(*, replaced: bool = False) -> Select[ReviewFinding, ReviewJob, ReviewEndpoint]:
    query = (
        select(ReviewFinding, ReviewJob, ReviewEndpoint)
        .join(ReviewJob, ReviewJob.id == ReviewFinding.job_key)
        .join(ReviewEndpoint, ReviewEndpoint.id == ReviewJob.endpoint_key)
        .order_by(ReviewJob.generation.desc(), ReviewJob.id, ReviewFinding.rank)
    )
    return query if replaced else query.where(~ReviewFinding.replaced)


def _assessed() -> ColumnElement[bool]:
    return exists().where(ReviewAssessment.finding_key == ReviewFinding.id)


def _is_live() -> ColumnElement[bool]:
    """Only what doctors may see becomes part of the study."""
    return exists().where(ReviewEndpoint.id == ReviewJob.endpoint_key, ReviewEndpoint.mode == "live")


def _visible(access: Access) -> ColumnElement[bool]:
    """``Access.admits`` in SQL."""
    seen = or_(false(), Study.owner.in_(access.owners), Study.id.in_(access.study_ids))
    return seen if access.only_owner is None else and_(seen, Study.owner == access.only_owner)


async def _findings(session: AsyncSession, query: Select[ReviewFinding, ReviewJob, ReviewEndpoint]) -> list[Finding]:
    rows = (await session.execute(query)).all()
    newest = await _newest_assessments(session, [row.ReviewFinding.id for row in rows])
    return [_finding(*row, newest.get(row.ReviewFinding.id)) for row in rows]


async def _newest_assessments(session: AsyncSession, finding_ids: list[str]) -> dict[str, Assessment]:
    query = select(ReviewAssessment).where(ReviewAssessment.finding_key.in_(finding_ids)).order_by(ReviewAssessment.id)
    # In order of time, so that the last one for a finding stays.
    return {
        row.finding_key: Assessment(row.decision, row.reason, row.by_name, row.at, row.by_organization)
        for row in await session.scalars(query)
    }


def _finding(row: ReviewFinding, job: ReviewJob, endpoint: ReviewEndpoint, assessment: Assessment | None) -> Finding:
    return Finding(
        row.id,
        job.job_uid,
        row.study_key,
        endpoint.model_name,
        endpoint.model_version,
        row.series_instance_uid,
        row.sop_instance_uid,
        row.frame,
        row.label,
        row.label_code,
        row.probability,
        row.kind,
        row.points,
        row.measurements,
        row.description,
        assessment,
    )
