"""Consultations as the API shows them, each to one person: what that person may see of it, and may do now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from signaling.ice import IceServer
from telemed.access import Person
from telemed.consultations.document import Subject, masked, subject_of
from telemed.consultations.model import ConsultationState, Urgency, actions_for, may_read_opinion
from telemed.consultations.store import Record, course_of
from telemed.consultations.tables import OpinionRow
from telemed.people.model import Hospital, User
from telemed.studies.model import StudyRow


class Directory(Protocol):
    """Hospitals and users; ``telemed.people.service.People``."""

    async def hospitals(self) -> list[Hospital]: ...

    async def users_by_id(self, ids: Iterable[str]) -> dict[str, User]: ...


class Studies(Protocol):
    """The archive as one person sees it; ``telemed.studies.service.StudyDesk``."""

    async def find_many(self, person: Person, study_ids: Sequence[str]) -> dict[str, StudyRow]:
        """Those of the studies that ``person`` may see now; the others do not exist."""
        ...


class Opinion(Struct, frozen=True):
    """version 0, saved_at None: nothing written yet."""

    findings: str
    conclusion: str
    advice: str
    version: int
    saved_at: datetime | None
    signed_at: datetime | None
    signed_by: User | None


class Patient(Struct, frozen=True):
    """The little that a worklist shows, also to those who may not see the study."""

    name: str
    sex: str
    birth_date: str
    age: str
    patient_id_masked: str


class Consultation(Struct, frozen=True):
    """study: None for those who may not see it. opinion: None for those who may not read it (yet)."""

    id: str
    state: ConsultationState
    urgency: Urgency
    requesting_hospital: Hospital
    requesting_doctor: User
    invited_hospital: Hospital
    expert: User | None
    requested_specialty: str
    requested_title: str
    reason: str
    purpose: str
    summary: str
    scheduled_at: datetime
    created_at: datetime
    accepted_at: datetime | None
    declined_at: datetime | None
    opined_at: datetime | None
    closed_at: datetime | None
    decline_reason: str | None
    cancel_reason: str | None
    handling: str | None
    study: StudyRow | None
    patient: Patient
    opinion: Opinion | None
    actions: list[str]


class ConsultationList(Struct, frozen=True):
    """total: of all that match, not only of this page."""

    items: list[Consultation]
    total: int


class Joined(Struct, frozen=True):
    """All that a browser needs to enter the room. The ticket works once and for minutes."""

    ticket: str
    signaling_url: str
    room: str
    ice_servers: list[IceServer]
    consultation: Consultation


class Presenter:
    """Gathers people, hospitals and studies once for a whole list."""

    def __init__(self, people: Directory, studies: Studies) -> None:
        self._people = people
        self._studies = studies

    async def one(self, person: Person, record: Record) -> Consultation:
        return (await self.many(person, [record]))[0]

    async def many(self, person: Person, records: Sequence[Record]) -> list[Consultation]:
        hospitals = {hospital.code: hospital for hospital in await self._people.hospitals()}
        users = await self._people.users_by_id(_people_of(records))
        studies = await self._studies.find_many(person, [row.study_id for row, _ in records])
        return [_shown(person, record, hospitals, users, studies) for record in records]


def _people_of(records: Sequence[Record]) -> set[str]:
    ids = {user_id for row, opinion in records for user_id in (row.requesting_doctor, row.expert, opinion.signed_by)}
    return {user_id for user_id in ids if user_id is not None}


def _shown(
    person: Person,
    record: Record,
    hospitals: Mapping[str, Hospital],
    users: Mapping[str, User],
    studies: Mapping[str, StudyRow],
) -> Consultation:
    row, opinion = record
    course = course_of(row)
    readable = may_read_opinion(course, person)
    return Consultation(
        id=row.id,
        state=course.state,
        urgency=Urgency(row.urgency),
        requesting_hospital=hospitals[row.requesting_hospital],
        requesting_doctor=users[row.requesting_doctor],
        invited_hospital=hospitals[row.invited_hospital],
        expert=users[row.expert] if row.expert else None,
        requested_specialty=row.requested_specialty,
        requested_title=row.requested_title,
        reason=row.reason,
        purpose=row.purpose,
        summary=row.summary,
        scheduled_at=row.scheduled_at,
        created_at=row.created_at,
        accepted_at=row.accepted_at,
        declined_at=row.declined_at,
        opined_at=row.opined_at,
        closed_at=row.closed_at,
        decline_reason=row.decline_reason or None,
        cancel_reason=row.cancel_reason or None,
        handling=row.handling or None,
        study=studies.get(row.study_id),
        patient=_patient(subject_of(row.subject)),
        opinion=opinion_view(opinion, users.get(opinion.signed_by or "")) if readable else None,
        actions=actions_for(course, person),
    )


def opinion_view(row: OpinionRow, signed_by: User | None) -> Opinion:
    return Opinion(row.findings, row.conclusion, row.advice, row.version, row.saved_at, row.signed_at, signed_by)


def _patient(subject: Subject) -> Patient:
    return Patient(
        subject.patient_name,
        subject.patient_sex,
        subject.patient_birth_date,
        subject.patient_age,
        masked(subject.patient_id),
    )
