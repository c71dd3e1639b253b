"""What the review's tests share: a clock one sets, studies as ingest would leave them, vendors of every temper."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from foundation.database import Database, open_database
from foundation.ids import new_id
from imaging.dicom.deidentify import Pseudonyms
from imaging.review.completeness import Policy
from imaging.review.delivery import Deliverer
from imaging.review.endpoints import NewEndpoint, Registered
from imaging.review.outside import Outside
from imaging.review.service import ReviewService
from imaging.review.tables import ReviewDelivery, ReviewJob
from imaging.review.watcher import Watcher
from imaging.store.tables import Base, Instance, Series, Study

CODE = "99TEST:spot"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


STAND_INS = b"stand-ins"


def stand_in(job: ReviewJob, real_uid: str) -> str:
    """The UID under which the job's endpoint knows one of its study's."""
    return Pseudonyms.of(STAND_INS, job.endpoint_key, job.study_key).uid(real_uid)


class SetClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@asynccontextmanager
async def imaging_database(url: str) -> AsyncIterator[Database]:
    database = open_database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


async def add_study(
    database: Database,
    clock: SetClock,
    instances: int = 3,
    modality: str = "CT",
    body_part: str = "CHEST",
    **more: object,
) -> Study:
    study_id, series_id = new_id(), new_id()
    study = Study(
        id=study_id,
        owner="WZ01",
        study_instance_uid=f"1.2.{int(study_id, 36)}"[:64],
        created_at=clock(),
        updated_at=clock(),
    )
    for name, value in more.items():
        setattr(study, name, value)
    series = Series(
        id=series_id, study_key=study_id, series_instance_uid=f"{study.study_instance_uid[:50]}.1", modality=modality,
        body_part_examined=body_part, created_at=clock(), updated_at=clock(),
    )  # fmt: skip
    async with database.write() as session:
        session.add(study)
        await session.flush()
        session.add(series)
    for _ in range(instances):
        await add_instance(database, clock, study_id)
    return study


async def add_instance(database: Database, clock: SetClock, study_id: str, frames: int = 1) -> str:
    """As ingest does: the instance, and the study's count, revision and time of change."""
    async with database.write() as session:
        study = await session.get_one(Study, study_id)
        series = await session.scalar(select(Series).where(Series.study_key == study_id))
        study.instance_count += 1
        study.revision += 1
        study.updated_at = clock()
        key, uid = new_id(), f"{study.study_instance_uid[:50]}.1.{study.instance_count}"
        session.add(
            Instance(
                id=key, series_key=series.id, study_key=study_id, sop_instance_uid=uid, sop_class_uid=CT_IMAGE,
                transfer_syntax_uid="1.2.840.10008.1.2.1", instance_number=study.instance_count, rows=64, columns=48,
                bits_allocated=16, number_of_frames=frames, blob_key=key, size_bytes=1, sha256="0" * 64,
                received_at=clock(),
            )
        )  # fmt: skip
    return uid


@dataclass
class Hook:
    """The review over a database, without its background tasks running: tests take the steps."""

    database: Database
    clock: SetClock
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    policy: Policy = field(default_factory=Policy)
    delays: tuple[float, ...] = (5, 30)
    timeout_seconds: float = 2.0

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()
        addresses = Outside("http://127.0.0.1:8080", STAND_INS)
        self.service = ReviewService(self.database, self.clock, addresses, self._note)
        self.deliverer = self.new_deliverer()
        self.watcher = Watcher(self.database, self.clock, self.policy, addresses, self._planned)

    def new_deliverer(self) -> Deliverer:
        return Deliverer(
            self.database, self.clock, self.service.job_changed,
            delays=self.delays, jitter=lambda: 0.5, timeout_seconds=self.timeout_seconds,
        )  # fmt: skip

    async def _note(self, topic: str, study_id: str, thing_id: str) -> None:
        self.changes.append((topic, study_id, thing_id))
        self._changed.set()

    async def until_changed(self, thing_id: str) -> None:
        """Wait until a change of this thing stands in ``changes``."""
        async with asyncio.timeout(5):
            while thing_id not in [each[2] for each in self.changes]:
                self._changed.clear()
                await self._changed.wait()

    async def _planned(self, jobs: list[ReviewJob]) -> None:
        for job in jobs:
            await self.service.job_changed(job)

    async def register(self, url: str = "http://127.0.0.1:9/", **more: object) -> Registered:
        given = {
            "name": "Spots", "vendor": "Lab", "model_name": "spotter", "model_version": "1.0", "url": url,
            "rules": {"modality": ["CT"]}, "finding_codes": [CODE],
        }  # fmt: skip
        return await self.service.register_endpoint(NewEndpoint(**{**given, **more}))

    async def complete(self, study: Study) -> ReviewJob:
        """Let the quiet time pass and decide; gives the study's newest job."""
        self.clock.passes(21)
        await self.watcher.step()
        return (await self.jobs(study))[-1]

    async def jobs(self, study: Study) -> list[ReviewJob]:
        query = select(ReviewJob).where(ReviewJob.study_key == study.id).order_by(ReviewJob.generation, ReviewJob.id)
        async with self.database.read() as session:
            return list(await session.scalars(query))

    async def deliveries(self) -> list[ReviewDelivery]:
        async with self.database.read() as session:
            return list(await session.scalars(select(ReviewDelivery).order_by(ReviewDelivery.id)))


@asynccontextmanager
async def hook_on(url: str) -> AsyncIterator[Hook]:
    async with imaging_database(url) as database:
        hook = Hook(database, SetClock())
        yield hook
        await hook.deliverer.close()


@dataclass
class Vendor:
    """A vendor's web server that notes what it gets and answers as told."""

    answers: list[Callable[[web.Request], web.StreamResponse]] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hangs: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        self.arrived.set()
        if self.hangs:
            await asyncio.Event().wait()
        return self.answers.pop(0)(request) if self.answers else web.Response(status=202)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    @asynccontextmanager
    async def listening(self, port: int | None = None) -> AsyncIterator[TestServer]:
        app = web.Application()
        app.router.add_post("/hook", self.handle)
        server = TestServer(app, port=port)
        await server.start_server(shutdown_timeout=0.1)
        yield server
        await server.close()


def answering(status: int, **headers: str) -> Callable[[web.Request], web.StreamResponse]:
    return lambda _request: web.Response(status=status, headers=headers)


def result(job_uid: str, sequence: int = 1, findings: int = 1, **more: object) -> dict[str, object]:
    """A result document that fits the study of ``add_study`` when ``sop`` is given in ``more``."""
    sop = more.pop("sop", "")
    document: dict[str, object] = {
        "eventId": f"{job_uid}-{sequence}",
        "sequence": sequence,
        "status": "completed",
        "model": {"name": "spotter", "version": "1.0"},
        "summary": {"code": "111242", "text": "spots"},
        "findings": [
            {
                "id": f"F{sequence}.{place}",
                "code": {"system": "99TEST", "code": "spot", "display": "Spot"},
                "location": [{"kind": "scoord", "sop": sop, "type": "CIRCLE", "data": [10, 10, 14, 10]}],
                "measurements": [{"name": "diameter", "value": 6.5, "unit": "mm"}],
            }
            for place in range(findings)
        ],
    }
    return {**document, **more}
