"""Taking a result document: repetition, order and rules are checked, findings and state change in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.ids import new_id
from imaging.review import jobs, results, tokens
from imaging.review.egress import Sight, sight_of
from imaging.review.errors import KeyReused, SequenceStale
from imaging.review.model import JobState
from imaging.review.outside import Outside
from imaging.review.results import Coordinates, Placed, ResultDocument, Terms
from imaging.review.tables import (
    ReviewAssessment,
    ReviewEndpoint,
    ReviewFinding,
    ReviewJob,
    ReviewResult,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A result as the vendor posted it. token: the job token. body: the document's bytes."""

    job_uid: str
    token: str
    idempotency_key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """answer: for the vendor. repeated: the same document had been taken before."""

    answer: dict[str, object]
    repeated: bool
    job: ReviewJob


async def take(session: AsyncSession, sent: Sent, outside: Outside, now: datetime) -> Taken:
    """Raises the errors of :mod:`imaging.review.results`, ``TokenInvalid``, ``JobUnknown``, ``KeyReused``,
    ``SequenceStale``, ``JobSuperseded``, ``JobClosed``.
    """
    job = await tokens.job_behind(session, sent.token, sent.job_uid, now, even_ended=True)
    await session.refresh(job, with_for_update=True)
    if earlier := await _earlier(session, job, sent.idempotency_key):
        if earlier.body_sha256 != results.body_hash(sent.body):
            raise KeyReused("Use a new Idempotency-Key for each document.")
        return Taken(earlier.answer, True, job)
    # The job's end revoked the token; only repeating what was taken before it is still answered.
    tokens.refuse_ended(job, now)
    document = results.read(sent.body)
    if document.sequence <= job.sequence:
        raise SequenceStale(f"The last sequence taken is {job.sequence}; count upwards.", last_sequence=job.sequence)
    sight = await sight_of(session, job, outside)
    placed = results.check(document, await _terms(session, sight))
    await _apply(session, job, document, _in_our_terms(placed, sight), now)
    answer = {"job_uid": job.job_uid, "state": job.state, "sequence": document.sequence, "findings": len(placed)}
    session.add(_result_row(job, document, sent, answer, now))
    return Taken(answer, False, job)


async def _earlier(session: AsyncSession, job: ReviewJob, idempotency_key: str) -> ReviewResult | None:
    query = select(ReviewResult).where(ReviewResult.job_key == job.id, ReviewResult.idempotency_key == idempotency_key)
    return await session.scalar(query)


async def _terms(session: AsyncSession, sight: Sight) -> Terms:
    job = sight.job
    endpoint = await session.get_one(ReviewEndpoint, job.endpoint_key)
    known = await session.scalars(select(ReviewFinding.vendor_finding_id).where(ReviewFinding.job_key == job.id))
    return Terms(
        manifest=sight.view.outer,
        model=results.Model(endpoint.model_name, endpoint.model_version),
        finding_codes=frozenset(endpoint.finding_codes),
        known_ids=frozenset(known),
    )


def _in_our_terms(placed: list[Placed], sight: Sight) -> list[Placed]:
    """The vendor speaks of stand-ins; doctors and the archive know the real UIDs."""
    real = sight.view.real_uids()
    return [
        replace(
            one,
            series_instance_uid=real[one.series_instance_uid],
            instance=msgspec.structs.replace(one.instance, sop_instance_uid=real[one.instance.sop_instance_uid]),
        )
        for one in placed
    ]


async def _apply(
    session: AsyncSession, job: ReviewJob, document: ResultDocument, placed: list[Placed], now: datetime
) -> None:
    await jobs.move(session, job, document.event, now, document.reason)
    if document.summary is not None:
        job.summary_code, job.summary = document.summary.code, document.summary.text
    if job.state == JobState.COMPLETED:
        await _replace_older(session, job)
        endpoint = await session.get_one(ReviewEndpoint, job.endpoint_key)
        job.report_due = endpoint.mode == "live"
    session.add_all(_finding_row(job, one, document.sequence * 1000 + place, now) for place, one in enumerate(placed))
    job.sequence = document.sequence


async def _replace_older(session: AsyncSession, job: ReviewJob) -> None:
    """What an older generation reported goes out of sight, except what a doctor has already judged."""
    older = select(ReviewJob.id).where(
        ReviewJob.study_key == job.study_key,
        ReviewJob.endpoint_key == job.endpoint_key,
        ReviewJob.generation < job.generation,
    )
    judged = exists().where(ReviewAssessment.finding_key == ReviewFinding.id)
    await session.execute(
        update(ReviewFinding)
        .where(ReviewFinding.job_key.in_(older), ~judged)
        .values(replaced=True)
        .execution_options(synchronize_session=False)
    )


def _result_row(
    job: ReviewJob, document: ResultDocument, sent: Sent, answer: dict[str, object], now: datetime
) -> ReviewResult:
    return ReviewResult(
        id=new_id(),
        job_key=job.id,
        idempotency_key=sent.idempotency_key,
        event_id=document.event_id,
        sequence=document.sequence,
        body_sha256=results.body_hash(sent.body),
        answer=answer,
        received_at=now,
    )


def _finding_row(job: ReviewJob, placed: Placed, rank: int, now: datetime) -> ReviewFinding:
    finding = placed.finding
    location = finding.location[0]
    return ReviewFinding(
        id=new_id(),
        job_key=job.id,
        study_key=job.study_key,
        vendor_finding_id=finding.id,
        rank=rank,
        series_instance_uid=placed.series_instance_uid,
        sop_instance_uid=placed.instance.sop_instance_uid,
        frame=location.frame,
        label=finding.code.display,
        label_code=f"{finding.code.system}:{finding.code.code}",
        probability=finding.probability,
        kind=location.type.lower() if isinstance(location, Coordinates) else "image",
        points=_points(location.data) if isinstance(location, Coordinates) else [],
        measurements=[msgspec.structs.asdict(one) for one in finding.measurements],
        description=finding.description,
        created_at=now,
    )


def _points(data: list[float]) -> list[list[float]]:
    return [[x, y] for x, y in zip(data[::2], data[1::2], strict=True)]
