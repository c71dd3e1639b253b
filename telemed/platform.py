"""Wires the three parts into one platform, and closes them in reverse.

The only place where services meet each other; ``server.py`` and tests open it. Nothing here listens on the HTTP port.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from aiohttp import web

from foundation.background import Ticker
from foundation.clock import Clock, utc_now
from foundation.database import Database, open_database
from foundation.problem import problems
from imaging.archive import Archive, Keeping, Limits, open_archive
from imaging.dicomweb.app import routes as dicomweb_routes
from imaging.review.completeness import Policy
from imaging.review.publisher import publishing
from imaging.review.reach import Reach
from imaging.review.routes import routes as vendor_routes
from imaging.review.service import Review, open_review
from signaling.ice import IceConfig, IceServer, ice_servers
from signaling.limits import Timers
from signaling.server import SignalingServer
from signaling.tickets import Tickets
from telemed import headers, health, openapi, pages, schema
from telemed.addresses import Addresses
from telemed.announcements import Announcer
from telemed.archive.figures import archive_figures
from telemed.archive.routes import routes as archive_routes
from telemed.archive.service import ArchiveDesk
from telemed.audit import Audit
from telemed.audit import routes as audit_routes
from telemed.consultations.news import Newsroom
from telemed.consultations.opinion import Opinions
from telemed.consultations.routes import routes as consultation_routes
from telemed.consultations.service import Consultations
from telemed.consultations.store import Shares
from telemed.consultations.views import Presenter
from telemed.events import Events, EventStream
from telemed.events import routes as event_routes
from telemed.findings.routes import routes as finding_routes
from telemed.findings.service import Findings
from telemed.guard import PlatformGuard
from telemed.identity import Identity
from telemed.people.keys import ApiKeys
from telemed.people.passwords import Passwords
from telemed.people.routes import routes as people_routes
from telemed.people.service import People
from telemed.people.sessions import Sessions
from telemed.reviewers.routes import routes as reviewer_routes
from telemed.reviewers.service import Reviewers
from telemed.room_journal import RoomJournal, RoomLeases, SpentTickets
from telemed.rooms import RoomAdmission, RoomTickets
from telemed.secrets import secret
from telemed.settings import Settings
from telemed.studies.routes import routes as study_routes
from telemed.studies.service import StudyDesk
from telemed.web import BODY_LIMIT_BYTES, Route, mount

SWEEP_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything that runs, for those who drive it: the server, the demonstration, tests."""

    app: web.Application
    archive: Archive
    people: People
    keys: ApiKeys
    review: Review
    rooms: SignalingServer


@dataclass(frozen=True, slots=True)
class Ground:
    """What services are built from."""

    settings: Settings
    database: Database
    archive: Archive
    review: Review
    events: Events
    rooms: SignalingServer
    people: People
    audit: Audit
    sessions: Sessions
    tickets: Tickets
    clock: Clock


@asynccontextmanager
async def open_platform(
    settings: Settings, *, clock: Clock = utc_now, passwords: Passwords | None = None
) -> AsyncIterator[Platform]:
    """Rooms listen and background work runs while the block runs; the caller serves ``app``."""
    passwords = passwords or Passwords()
    tickets = Tickets(await asyncio.to_thread(secret, settings.data / "secrets", "ticket.key"), clock)
    stand_ins = await asyncio.to_thread(secret, settings.data / "secrets", "stand-ins.key")
    async with _open_database(settings) as database:
        events, audit = Events(), Audit(database, clock)
        people = People(database, audit, passwords, clock=clock)
        sessions = Sessions(database, audit, passwords, clock=clock)
        rooms = _rooms(settings, database, people, tickets, clock)
        announcer = Announcer(database, events, rooms)
        async with (
            rooms,
            _sweeping(sessions),
            _open_review(settings, database, announcer, clock, stand_ins) as review,
            open_archive(
                database, settings.data / "blobs", _limits(settings), clock, announcer.study_changed
            ) as archive,
            publishing(archive),
        ):
            ground = Ground(settings, database, archive, review, events, rooms, people, audit, sessions, tickets, clock)
            keys = ApiKeys(database, audit, clock=clock)
            yield Platform(_application(ground, keys), archive, people, keys, review, rooms)


@asynccontextmanager
async def _sweeping(sessions: Sessions) -> AsyncIterator[None]:
    """What has ended is removed at the start and every hour."""

    async def sweep() -> float:
        await sessions.sweep()
        return SWEEP_SECONDS

    ticker = Ticker("session-sweep", sweep, SWEEP_SECONDS)
    ticker.start()
    try:
        yield
    finally:
        await ticker.close()


def _rooms(settings: Settings, database: Database, people: People, tickets: Tickets, clock: Clock) -> SignalingServer:
    return SignalingServer(
        settings.host,
        settings.signaling_port,
        tickets=tickets,
        journal=RoomJournal(database),
        leases=RoomLeases(database, timedelta(milliseconds=Timers().lease_ms), clock),
        spent=SpentTickets(database, clock),
        public_url=settings.signaling_url,
        admission=RoomAdmission(database, people),
        origins=frozenset({settings.public_url.rstrip("/")} - {""}),
        clock=clock,
    )


def _open_review(
    settings: Settings, database: Database, announcer: Announcer, clock: Clock, stand_ins: bytes
) -> AbstractAsyncContextManager[Review]:
    return open_review(
        database,
        clock,
        base_url=settings.base_url,
        secret=stand_ins,
        reach=Reach.of(settings.review_networks),
        policy=Policy(quiet_seconds=settings.review_quiet_seconds),
        on_change=announcer.review_changed,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_part_bytes=settings.max_part_bytes,
        worker_processes=settings.workers,
        derive_in_background=settings.derivatives,
        keeping=Keeping(
            grace=timedelta(days=settings.grace_days),
            verify_every=timedelta(days=settings.verify_days) if settings.verify_days else None,
            verify_bytes_per_second=settings.verify_mb_per_second << 20,
            in_background=True,
        ),
    )


@asynccontextmanager
async def _open_database(settings: Settings) -> AsyncIterator[Database]:
    database = open_database(settings.effective_database_url)
    try:
        await schema.upgrade(database)
        yield database
    finally:
        await database.close()


def _application(ground: Ground, keys: ApiKeys) -> web.Application:
    """The HTTP side: API, DICOMweb, vendor door, health, pages."""
    settings, database, review = ground.settings, ground.database, ground.review.service
    identity = Identity(ground.sessions, keys)
    guard = PlatformGuard(identity, Shares(database), ground.audit, clock=ground.clock)
    metrics = health.Metrics()
    addresses = Addresses(settings.public_url, settings.signaling_url, ground.rooms.port)
    app = web.Application(middlewares=[metrics.middleware(), problems], client_max_size=BODY_LIMIT_BYTES)
    headers.attach(app, addresses)
    mount(app, _api(ground, keys, guard, addresses), identity)
    app.add_routes(dicomweb_routes(ground.archive, guard, settings.public_url or None))
    app.add_routes(vendor_routes(review, ground.archive, guard))
    checks = {"database": health.database_check(database), "storage": health.storage_check(ground.archive.blobs)}
    app.add_routes(health.routes(metrics, checks, archive_figures(ground.archive, metrics.registry)))
    app.add_routes(pages.routes())
    app.on_shutdown.append(_closing(ground.events))
    return app


def _api(ground: Ground, keys: ApiKeys, guard: PlatformGuard, addresses: Addresses) -> list[Route]:
    """Every row of the JSON API, its own description last."""
    review, people, sessions = ground.review.service, ground.people, ground.sessions
    desk = StudyDesk(ground.archive.catalog, review, people, guard)
    rows = [
        *people_routes(sessions, people, keys, secure_cookie=ground.settings.public_url.startswith("https:")),
        *study_routes(desk),
        *finding_routes(Findings(review, desk, guard, ground.audit)),
        *_consultations(ground, desk, addresses),
        *event_routes(EventStream(ground.events)),
        *reviewer_routes(Reviewers(review, ground.audit)),
        *archive_routes(ArchiveDesk(ground.archive, people, ground.audit)),
        *audit_routes(ground.audit),
    ]
    return [*rows, openapi.route(rows)]


def _consultations(ground: Ground, desk: StudyDesk, addresses: Addresses) -> list[Route]:
    presenter = Presenter(ground.people, desk)
    news = Newsroom(ground.events, ground.rooms)
    consultations = Consultations(
        database=ground.database,
        people=ground.people,
        studies=desk,
        presenter=presenter,
        tickets=RoomTickets(ground.tickets, clock=ground.clock),
        audit=ground.audit,
        news=news,
        clock=ground.clock,
    )
    opinions = Opinions(
        database=ground.database,
        people=ground.people,
        passwords=ground.sessions,
        presenter=presenter,
        audit=ground.audit,
        news=news,
        clock=ground.clock,
    )
    return consultation_routes(consultations, opinions, addresses, ground.rooms, _ice(ground.settings, ground.clock))


def _ice(settings: Settings, clock: Clock) -> Callable[[str], list[IceServer]]:
    secret_file = settings.turn_secret_file
    config = IceConfig(
        stun_urls=tuple(settings.stun_urls.split()),
        turn_urls=tuple(settings.turn_urls.split()),
        turn_secret=Path(secret_file).read_bytes().strip() if secret_file else None,
    )
    return lambda person: ice_servers(config, person, clock())


def _closing(events: Events) -> Callable[[web.Application], Awaitable[None]]:
    """Ends the event streams, because a shutdown waits for open answers."""

    async def close(_app: web.Application) -> None:
        events.close()

    return close
