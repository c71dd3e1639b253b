"""The background task that sends what is in the outbox: at least once, signed, never one endpoint behind another."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import aiohttp
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from standardwebhooks import Webhook

from foundation.background import Ticker
from foundation.clock import Clock
from foundation.database import Database
from imaging.review import jobs, retry
from imaging.review.errors import UrlRefused
from imaging.review.jobs import DeliveryState
from imaging.review.model import JobEvent, JobState
from imaging.review.reach import LOOPBACK_ONLY, BoundResolver, Reach
from imaging.review.retry import Answer, Verdict
from imaging.review.tables import ReviewDelivery, ReviewEndpoint, ReviewJob

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 15.0
IN_FLIGHT_PER_ENDPOINT = 4
_POLL_SECONDS = 5.0
# Longer than any attempt can take: after it, an attempt whose end nobody wrote down counts as lost.
_LEASE = timedelta(seconds=2 * TIMEOUT_SECONDS)

JobChanged = Callable[[ReviewJob], Awaitable[None]]


class Deliverer:
    """Sends due events, one task per endpoint. ``start`` and ``close`` bracket its life; ``wake`` after new rows.

    delays: seconds before attempt 2, 3, …; jitter: gives 0..1. changed: called after a commit that changed a job.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        changed: JobChanged,
        *,
        delays: Sequence[float] = retry.DELAYS_SECONDS,
        jitter: Callable[[], float] = random.random,
        timeout_seconds: float = TIMEOUT_SECONDS,
        reach: Reach = LOOPBACK_ONLY,
    ) -> None:
        self._database = database
        self._clock = clock
        self._changed = changed
        self._delays = delays
        self._jitter = jitter
        self._reach = reach
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._draining: dict[str, asyncio.Task[None]] = {}
        self._ticker = Ticker("review-deliverer", self._step, _POLL_SECONDS)
        self.wake = self._ticker.wake

    def start(self) -> None:
        self._ticker.start()

    async def close(self) -> None:
        """Attempts on the wire are broken off; they are due again when their lease ends."""
        await self._ticker.close()
        tasks = list(self._draining.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def deliver_due(self) -> None:
        """Send what is due now and wait until every answer is settled."""
        await self._step()
        await asyncio.gather(*self._draining.values())

    async def _step(self) -> float:
        now = self._clock()
        await self._expire(now)
        for endpoint_id in await self._endpoints_due(now):
            if endpoint_id not in self._draining:
                self._drain_soon(endpoint_id)
        return await self._seconds_to_next(now)

    async def _expire(self, now: datetime) -> None:
        async with self._database.read() as session:
            if not await jobs.any_overdue(session, now):
                return
        async with self._database.write() as session:
            overdue = await jobs.overdue_jobs(session, now)
            for job in overdue:
                await jobs.move(session, job, JobEvent.EXPIRED, now, "no result before the deadline")
        for job in overdue:
            await self._changed(job)

    async def _endpoints_due(self, now: datetime) -> list[str]:
        query = (
            select(ReviewDelivery.endpoint_key).join(ReviewEndpoint).where(_pending(), ReviewDelivery.next_at <= now)
        )
        async with self._database.read() as session:
            return list(await session.scalars(query.distinct()))

    async def _seconds_to_next(self, now: datetime) -> float:
        query = select(func.min(ReviewDelivery.next_at)).join(ReviewEndpoint).where(_pending())
        async with self._database.read() as session:
            soonest = await session.scalar(query.where(ReviewDelivery.next_at > now))
        return (soonest - now).total_seconds() if soonest else _POLL_SECONDS

    def _drain_soon(self, endpoint_id: str) -> None:
        task = asyncio.create_task(self._drain(endpoint_id), name=f"review-endpoint-{endpoint_id}")
        self._draining[endpoint_id] = task
        task.add_done_callback(lambda done: self._drained(endpoint_id, done))

    def _drained(self, endpoint_id: str, task: asyncio.Task[None]) -> None:
        del self._draining[endpoint_id]
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery broke off", exc_info=error, extra={"endpoint_id": endpoint_id})
        self.wake()

    async def _drain(self, endpoint_id: str) -> None:
        while claimed := await self._claim(endpoint_id):
            await asyncio.gather(*(self._deliver(delivery, endpoint) for delivery, endpoint in claimed))

    async def _claim(self, endpoint_id: str) -> list[tuple[ReviewDelivery, ReviewEndpoint]]:
        """Mark some due rows as on the wire. Durable before sending, so that a crash cannot forget an attempt."""
        now = self._clock()
        query = (
            select(ReviewDelivery, ReviewEndpoint)
            .join(ReviewEndpoint)
            .where(_pending(), ReviewDelivery.endpoint_key == endpoint_id, ReviewDelivery.next_at <= now)
            .order_by(ReviewDelivery.next_at)
            .limit(IN_FLIGHT_PER_ENDPOINT)
            .with_for_update(skip_locked=True, of=ReviewDelivery)
        )
        async with self._database.write() as session:
            rows = [(delivery, endpoint) for delivery, endpoint in await session.execute(query)]
            for delivery, _ in rows:
                delivery.attempts += 1
                delivery.next_at = now + _LEASE
        return rows

    async def _deliver(self, delivery: ReviewDelivery, endpoint: ReviewEndpoint) -> None:
        answer = await self._send(delivery, endpoint)
        async with self._database.write() as session:
            job = await self._settle(session, delivery, answer)
        await self._changed(job)

    async def _send(self, delivery: ReviewDelivery, endpoint: ReviewEndpoint) -> Answer:
        headers = signed_headers(delivery, endpoint.secret, self._clock())
        try:
            # Asked again: what the operator allows may have changed since it was registered.
            self._reach.check(endpoint.url)
            async with self._client().post(
                endpoint.url, data=delivery.body.encode(), headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, retry_after=response.headers.get("Retry-After", ""))
        except UrlRefused:
            return Answer(None, "its address may not be reached")
        except TimeoutError:
            return Answer(None, "no answer in time")
        except (aiohttp.ClientError, OSError) as error:
            return Answer(None, f"no connection ({type(error).__name__})")

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No common limit: it would let hung endpoints use up the connections of healthy ones.
            connector = aiohttp.TCPConnector(limit=0, resolver=BoundResolver(self._reach), use_dns_cache=False)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    async def _settle(self, session: AsyncSession, delivery: ReviewDelivery, answer: Answer) -> ReviewJob:
        now = self._clock()
        # Read afresh: while we waited for the answer the vendor may have claimed the job, or images may have come.
        # The job first, as whoever takes a result does: two orders of locking would end in a deadlock.
        job = await session.get_one(ReviewJob, delivery.job_key, with_for_update=True)
        row = await session.get_one(ReviewDelivery, delivery.id, with_for_update=True)
        if row.state != DeliveryState.PENDING:
            return job
        verdict = retry.judge(answer)
        row.last_error = "" if verdict is Verdict.ACCEPTED else retry.reason(answer)
        if verdict is Verdict.RETRY and (due := self._next(row, job, now, answer)):
            row.next_at, job.last_error = due, row.last_error
            return job
        row.state = DeliveryState.DELIVERED if verdict is Verdict.ACCEPTED else DeliveryState.DEAD
        row.settled_at = now
        if verdict is Verdict.GONE:
            await session.execute(
                update(ReviewEndpoint).where(ReviewEndpoint.id == row.endpoint_key).values(enabled=False)
            )
        if job.state == JobState.SCHEDULED:
            await jobs.move(session, job, _MEANS[verdict], now, row.last_error)
        return job

    def _next(self, row: ReviewDelivery, job: ReviewJob, now: datetime, answer: Answer) -> datetime | None:
        due = retry.next_attempt(row.attempts, now, self._delays, self._jitter, answer)
        return due if due is not None and due < job.deadline_at else None


_MEANS = {
    Verdict.ACCEPTED: JobEvent.ACCEPTED,
    Verdict.RETRY: JobEvent.EXPIRED,
    Verdict.REFUSED: JobEvent.FAILED,
    Verdict.GONE: JobEvent.FAILED,
    Verdict.SKIPPED: JobEvent.SKIPPED,
}


def signed_headers(delivery: ReviewDelivery, secret: str, now: datetime) -> dict[str, str]:
    """Standard Webhooks 1.0: the id stays, the timestamp and so the signature are those of this attempt."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "telemed",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(delivery.id, now, delivery.body),
        "webhook-attempt": str(delivery.attempts),
    }


def _pending() -> ColumnElement[bool]:
    return and_(ReviewDelivery.state == DeliveryState.PENDING, ReviewEndpoint.enabled)
