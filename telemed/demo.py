"""What ``--demo`` puts into an empty data folder: four hospitals, their doctors, one CT study, the reference reviewer.

Every hospital, person and patient here is made up.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from foundation.clock import Clock, utc_now
from imaging.guard import Access
from imaging.review.endpoints import NewEndpoint, Registered
from telemed import demo_ct
from telemed.access import HospitalSystem, Role, study_access
from telemed.people.keys import ApiKeys
from telemed.people.model import Hospital, NewUser
from telemed.people.service import People

DOCUMENT: Final = "demo.json"
REVIEWER_SECRETS: Final = Path("secrets", "reviewer.json")
UPLOADING_HOSPITAL: Final = "WZ01"
STUDY_UID_SEED: Final = "demo"

HOSPITALS: Final = (
    Hospital("WZ01", "温州市第一人民医院（示范）", "温州"),
    Hospital("WZ02", "永嘉县楠溪医院（示范）", "温州"),
    Hospital("SH01", "上海申江医院（示范）", "上海"),
    Hospital("HZ01", "杭州西泠医院（示范）", "杭州"),
)


@dataclass(frozen=True, slots=True)
class Doctor:
    username: str
    name: str
    hospital: str
    title: str
    specialty: str


DOCTORS: Final = (
    Doctor("wz01.lin", "林晓帆", "WZ01", "主治医师", "呼吸内科"),
    Doctor("wz01.chen", "陈海燕", "WZ01", "副主任医师", "放射科"),
    Doctor("wz02.pan", "潘建国", "WZ02", "主治医师", "全科"),
    Doctor("wz02.ye", "叶青", "WZ02", "住院医师", "放射科"),
    Doctor("sh01.zhou", "周慕云", "SH01", "主任医师", "胸外科"),
    Doctor("sh01.gu", "顾怀瑾", "SH01", "副主任医师", "放射科"),
    Doctor("hz01.shen", "沈立言", "HZ01", "主任医师", "呼吸内科"),
    Doctor("hz01.qian", "钱若溪", "HZ01", "副主任医师", "放射科"),
)
ADMINISTRATOR: Final = ("admin", "平台管理员")


class DemoHospital(Struct):
    code: str
    name: str
    city: str
    api_key: str


class DemoUser(Struct):
    """hospital: its code, None for the administrator."""

    username: str
    password: str
    role: Role
    hospital: str | None


class Demo(Struct):
    """The content of ``demo.json``: where to go and with which logins."""

    base_url: str
    dicomweb_url: str
    signaling_url: str
    hospitals: list[DemoHospital]
    users: list[DemoUser]


class ReviewerSecrets(Struct):
    """What the reference reviewer must know to check our events, to ask for tokens, and where it was registered."""

    secret: str
    key: str
    base_url: str
    port: int


class Outcome(Protocol):
    """What the archive says of one instance."""

    @property
    def kind(self) -> str: ...


class Ingest(Protocol):
    async def store(self, access: Access, spooled_path: Path, *, expected_study_uid: str | None) -> Outcome: ...


class Reviewers(Protocol):
    async def register_endpoint(self, new: NewEndpoint) -> Registered: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that seeding works through, as everybody else does. spool: an unused path the ingest may take."""

    people: People
    keys: ApiKeys
    ingest: Ingest
    spool: Callable[[], Awaitable[Path]]
    reviewers: Reviewers
    clock: Clock = utc_now


@dataclass(frozen=True, slots=True)
class Places:
    """base_url: of the HTTP port; signaling_url: of the rooms; both without a slash at the end."""

    folder: Path
    base_url: str
    signaling_url: str


class SampleRefused(RuntimeError):
    """The archive did not take the sample study: a fault of ours, worth stopping for."""


async def seed_demo(parts: Parts, places: Places, reviewer: NewEndpoint) -> Demo | None:
    """Fill an empty platform and write :data:`DOCUMENT` and :data:`REVIEWER_SECRETS`; None when it is not empty."""
    if await parts.people.hospitals():
        return None
    registered = await parts.reviewers.register_endpoint(reviewer)
    hospitals = [await _add_hospital(parts, hospital) for hospital in HOSPITALS]
    users = [await _add_user(parts, user) for user in _new_users()]
    await _store_sample(parts)
    demo = Demo(places.base_url, f"{places.base_url}/dicom-web", places.signaling_url, hospitals, users)
    port = urlsplit(reviewer.url).port or 0
    known = ReviewerSecrets(registered.secret, registered.key, places.base_url, port)
    await asyncio.to_thread(_write_private, places.folder / REVIEWER_SECRETS, known)
    # Last: whoever finds it finds everything else done.
    await asyncio.to_thread(_write_private, places.folder / DOCUMENT, demo)
    return demo


def readdress(places: Places) -> None:
    """Write today's addresses into the documents of an earlier start; those that are not there stay away."""
    told = {
        "base_url": places.base_url,
        "dicomweb_url": f"{places.base_url}/dicom-web",
        "signaling_url": places.signaling_url,
    }
    for name, kind in ((DOCUMENT, Demo), (REVIEWER_SECRETS, ReviewerSecrets)):
        path = places.folder / name
        if path.exists():
            before = msgspec.json.decode(path.read_bytes(), type=kind)
            known = {field: told[field] for field in told if hasattr(before, field)}
            _write_private(path, msgspec.structs.replace(before, **known))


async def _add_hospital(parts: Parts, hospital: Hospital) -> DemoHospital:
    await parts.people.add_hospital(None, hospital)
    _, key = await parts.keys.create(None, hospital.code, "demo")
    return DemoHospital(hospital.code, hospital.name, hospital.city, key)


async def _add_user(parts: Parts, new: NewUser) -> DemoUser:
    await parts.people.add_user(None, new)
    return DemoUser(new.username, new.password, new.role, new.hospital_code)


def _new_users() -> Iterator[NewUser]:
    for doctor in DOCTORS:
        yield NewUser(
            doctor.username,
            doctor.name,
            _password(),
            Role.DOCTOR,
            doctor.hospital,
            title=doctor.title,
            specialty=doctor.specialty,
        )
    username, name = ADMINISTRATOR
    yield NewUser(username, name, _password(), Role.ADMINISTRATOR)


def _password() -> str:
    return secrets.token_urlsafe(12)


async def _store_sample(parts: Parts) -> None:
    access = study_access(HospitalSystem("demo", UPLOADING_HOSPITAL))
    files = await asyncio.to_thread(_sample, parts.clock())
    for content in files:
        path = await parts.spool()
        await asyncio.to_thread(path.write_bytes, content)
        outcome = await parts.ingest.store(access, path, expected_study_uid=None)
        if outcome.kind != "stored":
            raise SampleRefused(f"the archive answered {outcome.kind} to the sample study")


def _sample(taken_at: datetime) -> list[bytes]:
    return list(demo_ct.study(STUDY_UID_SEED, taken_at))


def _write_private(path: Path, document: Struct) -> None:
    """Readable by the owner alone from the first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = msgspec.json.format(msgspec.json.encode(document), indent=2)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
