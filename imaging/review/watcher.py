"""The background task that notices complete studies. All it must remember is in the database."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.background import Ticker
from foundation.clock import Clock
from foundation.database import Database
from imaging.review import outbox
from imaging.review.completeness import Facts, OpenUpload, Policy, decide, due_at
from imaging.review.outside import Outside
from imaging.review.tables import ReviewDecision, ReviewJob
from imaging.store.tables import Instance, Study, Upload

log = logging.getLogger(__name__)

_AT_ONCE = 500
_POLL_SECONDS = 1.0
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# A transaction may commit some time after the moment its rows bear.
_COMMIT_LAG = timedelta(minutes=5)

JobsPlanned = Callable[[list[ReviewJob]], Awaitable[None]]


class Watcher:
    """Looks for studies with instances no decision covers, and decides when they are due.

    planned: called after the commit with the new jobs.
    """

    def __init__(
        self, database: Database, clock: Clock, policy: Policy, outside: Outside, planned: JobsPlanned
    ) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy
        self._outside = outside
        self._planned = planned
        # Studies older than this are decided; only a shortcut, so a restart begins anew.
        self._since = _LONG_AGO
        self._ticker = Ticker("review-watcher", self.step, _POLL_SECONDS)
        self.wake = self._ticker.wake
        self.start = self._ticker.start
        self.close = self._ticker.close

    async def step(self) -> float:
        """Decide all that is due. Gives the seconds until the next study may be."""
        now = self._clock()
        waiting = await self._undecided()
        soonest = _POLL_SECONDS
        for study, facts in waiting:
            if decide(facts, self._policy, now) is not None:
                await self._decided(study.id)
            elif (left := (due_at(facts, self._policy) - now).total_seconds()) > 0:
                soonest = min(soonest, left)
        self._since = min([study.updated_at for study, _ in waiting] + [now - _COMMIT_LAG])
        return soonest

    async def _undecided(self) -> list[tuple[Study, Facts]]:
        covered = (
            select(func.max(ReviewDecision.study_revision))
            .where(ReviewDecision.study_key == Study.id)
            .scalar_subquery()
        )
        query = (
            select(Study)
            .where(Study.updated_at >= self._since, Study.instance_count > 0)
            .where(or_(covered.is_(None), covered < Study.revision))
            .order_by(Study.updated_at)
            .limit(_AT_ONCE)
        )
        async with self._database.read() as session:
            return [(study, await _facts(session, study)) for study in await session.scalars(query)]

    async def _decided(self, study_id: str) -> None:
        """One study's trouble must not keep the others waiting."""
        try:
            await self._decide(study_id)
        except IntegrityError:
            log.info("decided by another process", extra={"study_id": study_id})
        except Exception:
            log.exception("could not decide", extra={"study_id": study_id})

    async def _decide(self, study_id: str) -> None:
        now = self._clock()
        async with self._database.write() as session:
            study = await session.get_one(Study, study_id)
            # Asked again inside the transaction: an instance may have come since.
            decision = decide(await _facts(session, study), self._policy, now)
            if decision is None:
                return
            jobs = list(await outbox.carry_out(session, study, decision, self._outside, now))
        await self._planned(jobs)


async def _facts(session: AsyncSession, study: Study) -> Facts:
    newest = await outbox.newest_decision(session, study.id)
    first = await _first_arrival_after(session, study, newest) if newest else study.created_at
    uploads = await session.execute(select(Upload.started_at, Upload.seen_at).where(Upload.owner == study.owner))
    return Facts(
        first_arrival_at=first,
        last_arrival_at=study.updated_at,
        uploads=tuple(OpenUpload(started_at, seen_at) for started_at, seen_at in uploads),
        decided_generation=newest.generation if newest else 0,
    )


async def _first_arrival_after(session: AsyncSession, study: Study, newest: ReviewDecision) -> datetime:
    query = select(func.min(Instance.received_at)).where(
        Instance.study_key == study.id, Instance.received_at > newest.last_arrival_at
    )
    return await session.scalar(query) or study.updated_at
