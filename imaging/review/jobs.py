"""The one place that changes a job's state, with everything an end entails."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from imaging.review.model import OPEN, JobEvent, JobState, advance
from imaging.review.tables import ReviewDelivery, ReviewJob, ReviewToken


class DeliveryState(StrEnum):
    """dead: given up, kept for the operator. withdrawn: the job ended before it was delivered."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    WITHDRAWN = "withdrawn"


async def move(session: AsyncSession, job: ReviewJob, event: JobEvent, now: datetime, error: str = "") -> None:
    """Take ``event``. At the end of a job its tokens stop working and its open deliveries are withdrawn.

    Raises :class:`imaging.review.errors.JobOutOfTurn`.
    """
    job.state = advance(JobState(job.state), event)
    job.updated_at = now
    job.last_error = error
    if job.state in OPEN:
        return
    await settle_deliveries(session, job, DeliveryState.WITHDRAWN, now)
    await session.execute(
        update(ReviewToken)
        .where(ReviewToken.job_key == job.id, ReviewToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def settle_deliveries(session: AsyncSession, job: ReviewJob, state: DeliveryState, now: datetime) -> None:
    """Whatever is still to be sent for the job needs no sending any more."""
    await session.execute(
        update(ReviewDelivery)
        .where(ReviewDelivery.job_key == job.id, ReviewDelivery.state == DeliveryState.PENDING)
        .values(state=state, settled_at=now)
    )


async def open_jobs(session: AsyncSession, study_id: str) -> list[ReviewJob]:
    query = select(ReviewJob).where(ReviewJob.study_key == study_id, ReviewJob.state.in_(OPEN))
    return list(await session.scalars(query.with_for_update()))


async def any_overdue(session: AsyncSession, now: datetime) -> bool:
    query = select(ReviewJob.id).where(ReviewJob.state.in_(OPEN), ReviewJob.deadline_at <= now).limit(1)
    return await session.scalar(query) is not None


async def overdue_jobs(session: AsyncSession, now: datetime, limit: int = 100) -> list[ReviewJob]:
    query = select(ReviewJob).where(ReviewJob.state.in_(OPEN), ReviewJob.deadline_at <= now).limit(limit)
    return list(await session.scalars(query.with_for_update(skip_locked=True)))
