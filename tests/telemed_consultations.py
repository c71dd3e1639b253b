"""Consultations for tests: two hospitals, an outsider, a catalogue in memory, everything else real."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp.test_utils import TestClient

from foundation.ids import new_id
from imaging.guard import Access
from imaging.store.rows import SeriesRow
from imaging.store.rows import StudyRow as HeldStudy
from signaling.ice import IceServer
from signaling.tickets import Tickets
from telemed.addresses import Addresses
from telemed.consultations.news import Newsroom
from telemed.consultations.opinion import Opinions
from telemed.consultations.routes import routes as consultation_routes
from telemed.consultations.service import Consultations
from telemed.consultations.store import Shares
from telemed.consultations.views import Presenter
from telemed.events import Events, EventStream
from telemed.events import routes as event_routes
from telemed.guard import PlatformGuard
from telemed.people.model import User
from telemed.room_journal import RoomJournal
from telemed.rooms import RoomAdmission, RoomTickets
from telemed.studies.service import StudyDesk
from tests.telemed_people import PASSWORD, Telemed, browser, open_telemed, sign_in

ROOT = "/api/v1/consultations"
STUN = IceServer(urls=["stun:stun.example:3478"])


@dataclass
class MemoryCatalog:
    held: dict[str, HeldStudy] = field(default_factory=dict)

    async def studies(self, access: Access, text: str, limit: int, offset: int) -> tuple[list[HeldStudy], int]:
        seen = [study for study in self.held.values() if access.admits(study.owner, study.id)]
        return seen[offset : offset + limit], len(seen)

    async def study(self, access: Access, study_id: str) -> HeldStudy | None:
        study = self.held.get(study_id)
        return study if study and access.admits(study.owner, study_id) else None

    async def studies_by_id(self, access: Access, study_ids: Iterable[str]) -> list[HeldStudy]:
        seen = [await self.study(access, study_id) for study_id in study_ids]
        return [study for study in seen if study]

    async def series_of(self, study_id: str) -> list[SeriesRow]:
        return []

    async def remarks_of(self, study_id: str) -> list[str]:
        return []

    def add(self, owner: str, **changes: object) -> str:
        study = HeldStudy(**{**STUDY, "id": new_id(), "owner": owner, **changes})
        self.held[study.id] = study
        return study.id


STUDY = {
    "study_instance_uid": "1.2.826.0.1.3680043.8.498.1",
    "patient_id": "WZ-00482913",
    "issuer_of_patient_id": "WZ01",
    "patient_name": "Wang^XiaoDong=王^小东",
    "patient_birth_date": "19690312",
    "patient_sex": "M",
    "patient_age": "057Y",
    "study_date": "20261122",
    "study_time": "101500",
    "accession_number": "CT0031",
    "study_description": "胸部CT平扫",
    "modalities": ["CT"],
    "series_count": 1,
    "instance_count": 40,
    "size_bytes": 21_000_000,
    "updated_at": datetime(2026, 11, 22, 10, 20, tzinfo=UTC),
    "timezone_offset": "",
    "study_id": "1",
    "referring_physician_name": "",
    "institution_name": "",
    "revision": 40,
    "created_at": datetime(2026, 11, 22, 10, 20, tzinfo=UTC),
}


class OneProcess:
    """Rooms are where the join answer was asked for."""

    draining = False

    async def elsewhere(self, room):
        return None


class NoReviews:
    async def study_states(self, study_ids):
        return {}


@dataclass
class Rooms:
    """Stands where the signalling server stands; remembers what was closed."""

    closed: list[tuple[str, str]] = field(default_factory=list)

    def close_room(self, room: str, reason: str) -> None:
        self.closed.append((room, reason))


class Clinic:
    """All of consultations on one database, with people signed in over HTTP."""

    def __init__(self, telemed: Telemed) -> None:
        self.telemed = telemed
        self.database = telemed.database
        self.clock = telemed.clock
        self.catalog = MemoryCatalog()
        self.shares = Shares(telemed.database)
        guard = PlatformGuard(telemed.identity, self.shares, telemed.audit, clock=telemed.clock)
        self.desk = StudyDesk(self.catalog, NoReviews(), telemed.people, guard)
        self.events, self.rooms = Events(), Rooms()
        self.tickets = Tickets(b"s" * 32, telemed.clock)
        self.journal = RoomJournal(telemed.database)
        self.admission = RoomAdmission(telemed.database, telemed.people)
        presenter = Presenter(telemed.people, self.desk)
        news = Newsroom(self.events, self.rooms)
        self.consultations = Consultations(
            database=telemed.database,
            people=telemed.people,
            studies=self.desk,
            presenter=presenter,
            tickets=RoomTickets(self.tickets, clock=telemed.clock),
            audit=telemed.audit,
            news=news,
            clock=telemed.clock,
        )
        self.opinions = Opinions(
            database=telemed.database,
            people=telemed.people,
            passwords=telemed.sessions,
            presenter=presenter,
            audit=telemed.audit,
            news=news,
            clock=telemed.clock,
        )
        self.clients: dict[str, TestClient] = {}
        self.users: dict[str, User] = {}

    def routes(self):
        addresses = Addresses("", "", 8081)
        return [
            *consultation_routes(self.consultations, self.opinions, addresses, OneProcess(), lambda _: [STUN]),
            *event_routes(EventStream(self.events, heartbeat_s=0.05)),
        ]

    async def start(self) -> None:
        for code, name, city in HOSPITALS:
            await self.telemed.hospital(code, name, city)
        self.clients[""] = await self.telemed.client(self.routes())
        for username, hospital, name in DOCTORS:
            self.users[username] = await self.telemed.doctor(username, hospital, name)

    async def signed_in(self, username: str) -> TestClient:
        if username not in self.clients:
            self.clients[username] = browser(self.clients[""].server)
            await sign_in(self.clients[username], username)
        return self.clients[username]

    async def close(self) -> None:
        self.events.close()
        for client in reversed(self.clients.values()):
            await client.close()
        await self.database.close()

    async def call(self, username: str, method: str, path: str, json: object = None) -> tuple[int, dict]:
        """Status and decoded JSON of a request by a doctor."""
        client = await self.signed_in(username)
        reply = await client.request(method, path, json=json)
        return reply.status, (await reply.json() if "json" in reply.content_type else {})

    async def done(self, username: str, method: str, path: str, json: object = None) -> dict:
        """The same for a request that must succeed."""
        status, answer = await self.call(username, method, path, json)
        assert status in {200, 201}, answer
        return answer

    async def invited(self, **changes: object) -> dict:
        """A consultation that Chen of WZ01 asks SH01 for."""
        study_id = self.catalog.add("WZ01")
        return await self.done("chen", "POST", ROOT, invitation(study_id, **changes))

    async def accepted(self) -> dict:
        """The same, accepted by Li."""
        return await self.done("li", "POST", f"{ROOT}/{(await self.invited())['id']}/accept")

    async def signed(self, **text: str) -> dict:
        """The same, with an opinion that Li signed."""
        one = f"{ROOT}/{(await self.accepted())['id']}"
        await self.done("li", "PUT", f"{one}/opinion", {**OPINION, **text, "version": 0})
        return await self.done("li", "POST", f"{one}/opinion/sign", {"version": 1, "password": PASSWORD})


HOSPITALS = (
    ("WZ01", "温州市第一医院", "温州"),
    ("SH01", "上海示范医院", "上海"),
    ("HZ01", "杭州示范医院", "杭州"),
)
DOCTORS = (
    ("chen", "WZ01", "陈静"),
    ("zhou", "WZ01", "周敏"),
    ("li", "SH01", "李明华"),
    ("wu", "SH01", "吴刚"),
    ("outsider", "HZ01", "局外人"),
)
OPINION = {"findings": "右肺上叶结节。", "conclusion": "考虑早期肺腺癌。", "advice": "胸外科评估。"}


def invitation(study_id: str, **changes: object) -> dict:
    return {
        "study_id": study_id,
        "invited_hospital": "SH01",
        "requested_specialty": "呼吸内科",
        "requested_title": "副主任医师及以上",
        "reason": "结节性质待定",
        "purpose": "明确诊断",
        "summary": "咳嗽两周",
        "scheduled_at": "2026-11-24T06:00:00Z",
        "urgency": "ordinary",
        **changes,
    }


async def open_clinic(url: str) -> Clinic:
    clinic = Clinic(await open_telemed(url))
    await clinic.start()
    return clinic
