"""From the decision to rows that will be sent: decision, jobs and events are written in one transaction, or none is."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.ids import new_id
from imaging.review import jobs, rules
from imaging.review.completeness import Decision
from imaging.review.jobs import DeliveryState
from imaging.review.manifest import Manifest, manifest_of
from imaging.review.model import JobEvent, JobState
from imaging.review.outside import Outside, View
from imaging.review.tables import ReviewDecision, ReviewDelivery, ReviewEndpoint, ReviewJob
from imaging.store.tables import Study

READY = "imaging.study.ready"
UPDATED = "imaging.study.updated"


@dataclass(frozen=True, slots=True)
class Decided:
    """A study taken for complete, with the rows that say so."""

    study: Study
    row: ReviewDecision
    manifest: Manifest
    outside: Outside


async def newest_decision(session: AsyncSession, study_id: str) -> ReviewDecision | None:
    query = select(ReviewDecision).where(ReviewDecision.study_key == study_id)
    return await session.scalar(query.order_by(ReviewDecision.generation.desc()).limit(1))


async def carry_out(
    session: AsyncSession, study: Study, decision: Decision, outside: Outside, now: datetime
) -> Sequence[ReviewJob]:
    """Write the decision, a job and an event for every endpoint that wants the study. Gives the new jobs.

    A study that changed without gaining instances needs no new review: its last decision just covers the change.
    """
    manifest = await manifest_of(session, study.id)
    previous = await newest_decision(session, study.id)
    if previous is not None and previous.manifest_hash == manifest.hash:
        previous.study_revision = study.revision
        return []
    for job in await jobs.open_jobs(session, study.id):
        await jobs.move(session, job, JobEvent.SUPERSEDED, now)
    # Before the new jobs: at most one may be open for each endpoint and study.
    await session.flush()
    row = _decision_row(study, decision, manifest, now)
    session.add(row)
    await session.flush()
    return await _plan(session, Decided(study, row, manifest, outside))


def _decision_row(study: Study, decision: Decision, manifest: Manifest, now: datetime) -> ReviewDecision:
    return ReviewDecision(
        id=new_id(),
        study_key=study.id,
        generation=decision.generation,
        supersedes=decision.supersedes,
        basis=decision.basis,
        manifest_hash=manifest.hash,
        manifest=manifest.frozen(),
        study_revision=study.revision,
        last_arrival_at=study.updated_at,
        not_matched={},
        decided_at=now,
    )


async def _plan(session: AsyncSession, decided: Decided) -> list[ReviewJob]:
    planned, left_out = [], {}
    for endpoint in await session.scalars(select(ReviewEndpoint).where(ReviewEndpoint.enabled)):
        if reasons := rules.why_not(rules.parse(endpoint.rules), decided.manifest.facts):
            left_out[endpoint.id] = reasons
            continue
        view = decided.outside.view(endpoint.id, endpoint.deid, decided.study.id, decided.manifest)
        if not view.outer.series:
            left_out[endpoint.id] = ["nothing in it may leave: no image, or images that may show text"]
            continue
        planned.append(job := _job_row(endpoint, decided.row))
        session.add(job)
        await session.flush()
        session.add(_delivery_row(job, _event(job, endpoint, decided, view)))
    decided.row.not_matched = left_out
    return planned


def _job_row(endpoint: ReviewEndpoint, decision: ReviewDecision) -> ReviewJob:
    return ReviewJob(
        id=new_id(),
        job_uid=f"2.25.{uuid.uuid4().int}",
        decision_key=decision.id,
        endpoint_key=endpoint.id,
        study_key=decision.study_key,
        generation=decision.generation,
        state=JobState.SCHEDULED,
        deadline_at=decision.decided_at + timedelta(seconds=endpoint.deadline_seconds),
        created_at=decision.decided_at,
        updated_at=decision.decided_at,
    )


def _delivery_row(job: ReviewJob, event: dict[str, object]) -> ReviewDelivery:
    return ReviewDelivery(
        id=new_id(),
        job_key=job.id,
        endpoint_key=job.endpoint_key,
        body=msgspec.json.encode(event).decode(),
        state=DeliveryState.PENDING,
        next_at=job.created_at,
        created_at=job.created_at,
    )


def _event(job: ReviewJob, endpoint: ReviewEndpoint, decided: Decided, view: View) -> dict[str, object]:
    """The thin event: no patient attribute, UIDs as the endpoint sees them. Fields in docs/ai-hook.md."""
    decision, manifest = decided.row, view.outer
    facts = manifest.facts
    return {
        "type": UPDATED if decision.supersedes else READY,
        "timestamp": decision.decided_at,
        "specVersion": "1",
        "endpoint": endpoint.id,
        "mode": endpoint.mode,
        "sequence": 1,
        "job": {
            "uid": job.job_uid,
            "generation": job.generation,
            "supersedes": decision.supersedes,
            "deadline": job.deadline_at,
            **{part: decided.outside.job(job.job_uid, part) for part in ("token", "manifest", "results")},
        },
        "study": {
            "uid": view.study_uid(decided.study.study_instance_uid),
            "modalities": sorted(facts.modalities),
            "series": len(manifest.series),
            "instances": facts.instance_count,
            "completeness": {"basis": decision.basis, "manifestHash": manifest.hash},
        },
    }
