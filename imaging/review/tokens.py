"""Job tokens: short, bound to one job, gone when the job ends. Only hashes are stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from imaging.guard import Access
from imaging.review import jobs
from imaging.review.errors import JobClosed, JobSuperseded, JobUnknown, KeyInvalid, TokenInvalid
from imaging.review.jobs import DeliveryState
from imaging.review.model import OPEN, JobEvent, JobState
from imaging.review.tables import ReviewEndpoint, ReviewJob, ReviewToken

TOKEN_PREFIX = "aijob_"  # noqa: S105 - tells the bearer's kind, opens nothing
LONGEST_LIFE = timedelta(seconds=900)


def hashed(bearer: str) -> str:
    """Hexadecimal SHA-256. Enough without salt or stretching: every bearer of ours has 256 random bits."""
    return hashlib.sha256(bearer.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Issued:
    access_token: str
    expires_in: int
    job: ReviewJob


def access_of(job: ReviewJob) -> Access:
    """Exactly the job's study, read only."""
    return Access(caller=f"review-job:{job.job_uid}", study_ids=frozenset({job.study_key}))


async def issue(session: AsyncSession, key: str, job_uid: str, now: datetime) -> Issued:
    """A token for the endpoint's own open job; asking for it claims the job. May be repeated until the deadline.

    Raises ``KeyInvalid``, ``JobUnknown``, ``JobSuperseded``, ``JobClosed``.
    """
    endpoint = await session.scalar(select(ReviewEndpoint).where(ReviewEndpoint.key_hash == hashed(key)))
    if endpoint is None:
        raise KeyInvalid("Send the key given at registration as Authorization: Bearer.")
    query = select(ReviewJob).where(ReviewJob.job_uid == job_uid, ReviewJob.endpoint_key == endpoint.id)
    job = await session.scalar(query.with_for_update())
    if job is None:
        raise JobUnknown("Take the job's addresses from the event that announced it.")
    refuse_ended(job, now)
    await jobs.move(session, job, JobEvent.CLAIMED, now)
    # Who claims has got the event, even if the answer to it was lost on the way.
    await jobs.settle_deliveries(session, job, DeliveryState.DELIVERED, now)
    await session.execute(delete(ReviewToken).where(ReviewToken.job_key == job.id, ReviewToken.expires_at < now))
    expires_at = min(now + LONGEST_LIFE, job.deadline_at)
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session.add(ReviewToken(token_hash=hashed(token), job_key=job.id, expires_at=expires_at))
    return Issued(token, int((expires_at - now).total_seconds()), job)


def refuse_ended(job: ReviewJob, now: datetime) -> None:
    if job.state == JobState.SUPERSEDED:
        raise JobSuperseded("Stop this job; the event for the newer one is on its way.")
    if job.state not in OPEN or job.deadline_at <= now:
        raise JobClosed("The job has ended or its deadline has passed; nothing more is taken for it.", state=job.state)


async def bearer_job(session: AsyncSession, token: str, now: datetime, *, even_ended: bool = False) -> ReviewJob | None:
    """The job behind a token that is still good. ``even_ended``: also when only the job's end has revoked it."""
    query = select(ReviewJob).join(ReviewToken).where(ReviewToken.token_hash == hashed(token))
    query = query.where(ReviewToken.expires_at > now)
    if not even_ended:
        query = query.where(ReviewToken.revoked_at.is_(None))
    return await session.scalar(query)


async def job_behind(
    session: AsyncSession, token: str, job_uid: str, now: datetime, *, even_ended: bool = False
) -> ReviewJob:
    """The same, required to be the job in the address. Raises ``TokenInvalid``, ``JobUnknown``."""
    job = await bearer_job(session, token, now, even_ended=even_ended)
    if job is None:
        raise TokenInvalid("Ask for a new job token at the job's token address.")
    if job.job_uid != job_uid:
        raise JobUnknown("This token belongs to another job.")
    return job
