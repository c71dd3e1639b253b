"""What others call: administrators and doctors through telemed, vendors through routes, the archive through wake."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from foundation.clock import Clock
from foundation.database import Database
from imaging.guard import Access
from imaging.review import endpoints, findings, intake, tokens
from imaging.review.completeness import Policy
from imaging.review.delivery import Deliverer
from imaging.review.egress import Sight, sight_of
from imaging.review.endpoints import Endpoint, NewEndpoint, Registered
from imaging.review.findings import Finding, Job, Word
from imaging.review.intake import Sent, Taken
from imaging.review.manifest import VendorManifest, with_addresses
from imaging.review.model import StudyReview
from imaging.review.outside import Outside
from imaging.review.reach import LOOPBACK_ONLY, Reach
from imaging.review.tables import ReviewJob
from imaging.review.tokens import Issued
from imaging.review.watcher import Watcher

# (topic, study_id, id of the thing): called after the commit, so that pages can be told.
OnChange = Callable[[str, str, str], Awaitable[None]]
TOPIC = "findings"


class ReviewService:
    """The review hook. Whether a doctor may see a study is asked before calling the methods that take a study_id."""

    def __init__(
        self, database: Database, clock: Clock, outside: Outside, on_change: OnChange, reach: Reach = LOOPBACK_ONLY
    ) -> None:
        self._database = database
        self._clock = clock
        self._outside = outside
        self._on_change = on_change
        self._reach = reach

    # For administrators

    async def register_endpoint(self, new: NewEndpoint) -> Registered:
        """Applies to studies that become complete from now on. Raises ``UrlRefused``, ``RulesInvalid``."""
        self._reach.check(new.url)
        async with self._database.write() as session:
            return await endpoints.register(session, new, self._clock())

    async def endpoints(self) -> list[Endpoint]:
        async with self._database.read() as session:
            return await endpoints.all_endpoints(session)

    async def enable_endpoint(self, endpoint_id: str, enabled: bool) -> Endpoint:
        async with self._database.write() as session:
            return await endpoints.enable(session, endpoint_id, enabled)

    # For doctors

    async def jobs_of(self, study_id: str) -> list[Job]:
        async with self._database.read() as session:
            return await findings.jobs_of(session, study_id)

    async def findings_of(self, study_id: str) -> list[Finding]:
        async with self._database.read() as session:
            return await findings.findings_of(session, study_id)

    async def finding(self, finding_id: str) -> Finding:
        async with self._database.read() as session:
            return await findings.finding(session, finding_id)

    async def unreviewed(self, access: Access, limit: int = 50, offset: int = 0) -> tuple[list[Finding], int]:
        async with self._database.read() as session:
            return await findings.unreviewed(session, access, limit, offset)

    async def study_states(self, study_ids: Sequence[str]) -> dict[str, tuple[StudyReview | None, int]]:
        async with self._database.read() as session:
            return await findings.study_states(session, study_ids)

    async def assess(self, finding_id: str, word: Word) -> Finding:
        """Raises ``FindingUnknown``, ``RejectionWithoutReason``."""
        async with self._database.write() as session:
            await findings.assess(session, finding_id, word, self._clock())
        judged = await self.finding(finding_id)
        await self._on_change(TOPIC, judged.study_id, finding_id)
        return judged

    # For vendors

    async def issue_token(self, key: str, job_uid: str) -> Issued:
        async with self._database.write() as session:
            issued = await tokens.issue(session, key, job_uid, self._clock())
        await self.job_changed(issued.job)
        return issued

    async def sight(self, token: str, job_uid: str) -> Sight:
        """What a job token opens. Raises ``TokenInvalid``, ``JobUnknown``."""
        async with self._database.read() as session:
            job = await tokens.job_behind(session, token, job_uid, self._clock())
            return await sight_of(session, job, self._outside)

    def manifest(self, sight: Sight) -> VendorManifest:
        address = self._outside.job(sight.job.job_uid, "dicom-web")
        return with_addresses(sight.view.outer, sight.view.study_uid(sight.study.study_instance_uid), address)

    async def take_result(self, sent: Sent) -> Taken:
        """Errors: :func:`imaging.review.intake.take`."""
        async with self._database.write() as session:
            taken = await intake.take(session, sent, self._outside, self._clock())
        if not taken.repeated:
            await self.job_changed(taken.job)
        return taken

    async def job_changed(self, job: ReviewJob) -> None:
        await self._on_change(TOPIC, job.study_key, job.job_uid)


class Review:
    """The service and its two background tasks, as one thing to open and close."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        outside: Outside,
        policy: Policy,
        on_change: OnChange,
        *,
        reach: Reach = LOOPBACK_ONLY,
    ) -> None:
        self.service = ReviewService(database, clock, outside, on_change, reach)
        self.deliverer = Deliverer(database, clock, self.service.job_changed, reach=reach)
        self.watcher = Watcher(database, clock, policy, outside, self._planned)
        # For ingest: something arrived. Not needed for correctness.
        self.wake = self.watcher.wake

    async def _planned(self, jobs: list[ReviewJob]) -> None:
        self.deliverer.wake()
        for job in jobs:
            await self.service.job_changed(job)


@asynccontextmanager
async def open_review(
    database: Database, clock: Clock, *, base_url: str, secret: bytes, policy: Policy, on_change: OnChange, reach: Reach
) -> AsyncIterator[Review]:
    """Watching and delivering while the block runs. The database must stay open longer than this.

    base_url: of our HTTP service as vendors reach it, without a slash at the end. secret: keys the stand-ins for UIDs.
    reach: which addresses events may go to.
    """
    review = Review(database, clock, Outside(base_url, secret), policy, on_change, reach=reach)
    review.deliverer.start()
    review.watcher.start()
    try:
        yield review
    finally:
        await review.watcher.close()
        await review.deliverer.close()
