"""The audit trail: who did what to which study, when, for what purpose. Rows are added and never changed.

A record holds our own keys and the names of staff; never a patient's name or ID. A record is written in the unit of
work of the deed where there is one, so that neither exists without the other.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Index, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.ids import new_id
from telemed.access import HospitalSystem, Person, Who
from telemed.tables import HOSPITAL_CODE, KEY, Base
from telemed.web import ADMINISTRATORS, Call, Route

ActorKind = Literal["user", "hospital", "reviewer", "system", "anonymous"]
Outcome = Literal["success", "failure"]

PAGE_LIMIT: Final = 500


class Action(StrEnum):
    """What is recorded: ``source:subject:action``. A value never changes once published."""

    SESSION_CREATE = "user:session:create"
    SESSION_END = "user:session:end"
    SETUP_REDEEM = "user:setup:redeem"
    USER_CREATE = "administrator:user:create"
    USER_CHANGE = "administrator:user:change"
    HOSPITAL_CREATE = "administrator:hospital:create"
    REVIEWER_CREATE = "administrator:reviewer:create"
    REVIEWER_CHANGE = "administrator:reviewer:change"
    API_KEY_CREATE = "administrator:api_key:create"
    API_KEY_REVOKE = "administrator:api_key:revoke"
    USER_STUDY_SEARCH = "user:study:search"
    USER_STUDY_VIEW = "user:study:view"
    USER_STUDY_STORE = "user:study:store"
    HOSPITAL_STUDY_SEARCH = "hospital:study:search"
    HOSPITAL_STUDY_VIEW = "hospital:study:view"
    HOSPITAL_STUDY_STORE = "hospital:study:store"
    HOSPITAL_STUDY_DELETE = "hospital:study:delete"
    ARCHIVE_QUOTA_SET = "administrator:quota:set"
    ARCHIVE_RETENTION_SET = "administrator:retention:set"
    ARCHIVE_HOLD_PLACE = "administrator:hold:place"
    ARCHIVE_HOLD_LIFT = "administrator:hold:lift"
    ARCHIVE_RESTORE = "administrator:study:restore"
    ARCHIVE_VERIFY = "administrator:archive:verify"
    ARCHIVE_APART_VIEW = "user:apart:view"
    ARCHIVE_APART_DECIDE = "user:apart:decide"
    REVIEWER_STUDY_FETCH = "reviewer:study:fetch"
    REVIEWER_RESULT_CREATE = "reviewer:result:create"
    FINDING_ASSESS = "doctor:finding:assess"
    CONSULTATION_CREATE = "doctor:consultation:create"
    CONSULTATION_VIEW = "doctor:consultation:view"
    CONSULTATION_ACCEPT = "doctor:consultation:accept"
    CONSULTATION_DECLINE = "doctor:consultation:decline"
    CONSULTATION_CANCEL = "doctor:consultation:cancel"
    CONSULTATION_ACKNOWLEDGE = "doctor:consultation:acknowledge"
    ROOM_JOIN = "doctor:room:join"
    OPINION_SIGN = "doctor:opinion:sign"
    OPINION_PRINT = "doctor:opinion:print"


class Purpose(StrEnum):
    """Why it was done. In capitals: a purpose of use of HL7 v3 (PurposeOfUse)."""

    TREATMENT = "TREAT"
    OPERATIONS = "HOPERAT"
    ADMINISTRATION = "HSYSADMIN"
    CONSULTATION = "consultation"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. name: of staff or of a key, never of a patient. hospital: code, None outside any hospital."""

    kind: ActorKind
    id: str = ""
    name: str = ""
    hospital: str | None = None


ANONYMOUS: Final = Actor("anonymous")
SYSTEM: Final = Actor("system")


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed to be recorded.

    subject_id: key of the user, hospital, API key or finding that the deed changed, where it is neither a study nor a
    consultation. address: the peer's network address.
    """

    action: Action
    actor: Actor
    purpose: Purpose
    study_id: str | None = None
    consultation_id: str | None = None
    subject_id: str = ""
    outcome: Outcome = "success"
    address: str = ""


class AuditRecord(Base):
    __tablename__ = "audit_records"
    __table_args__ = (
        Index("ix_audit_records_action", "action", "id"),
        Index("ix_audit_records_actor_id", "actor_id", "id"),
        Index("ix_audit_records_study_id", "study_id", "id"),
    )

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(16))
    # Long enough for an AI job's key, which holds a UID.
    actor_id: Mapped[str] = mapped_column(String(96))
    actor_name: Mapped[str] = mapped_column(String(128))
    hospital: Mapped[str | None] = mapped_column(HOSPITAL_CODE)
    action: Mapped[str] = mapped_column(String(64))
    study_id: Mapped[str | None] = mapped_column(KEY)
    consultation_id: Mapped[str | None] = mapped_column(KEY)
    subject_id: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(64))


def actor_of(who: Who) -> Actor:
    match who:
        case Person():
            return Actor("user", who.user_id, who.name, who.hospital)
        case HospitalSystem():
            return Actor("hospital", who.key_id, who.label, who.hospital)
        case None:
            return ANONYMOUS


class Audit:
    """Adds records and lists them; there is no way to change or remove one."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def add(self, session: AsyncSession, entry: Entry) -> None:
        """Record inside the caller's unit of work: the deed and its record become durable together."""
        session.add(self._row(entry))

    async def record(self, entry: Entry) -> None:
        """Record by itself, for deeds that write nothing else (a view, a refused sign-in)."""
        async with self._database.write() as session:
            session.add(self._row(entry))

    async def listing(
        self, *, limit: int = 100, before: str | None = None, action: str | None = None, actor: str | None = None
    ) -> list[AuditRecord]:
        """The newest ``limit`` records first, at most :data:`PAGE_LIMIT`; ``before``: the id to go on from."""
        query = select(AuditRecord).order_by(AuditRecord.id.desc()).limit(min(limit, PAGE_LIMIT))
        if before is not None:
            query = query.where(AuditRecord.id < before)
        if action is not None:
            query = query.where(AuditRecord.action == action)
        if actor is not None:
            query = query.where(AuditRecord.actor_id == actor)
        async with self._database.read() as session:
            return list(await session.scalars(query))

    def _row(self, entry: Entry) -> AuditRecord:
        return AuditRecord(
            id=new_id(),
            at=self._clock(),
            actor_kind=entry.actor.kind,
            actor_id=entry.actor.id,
            actor_name=entry.actor.name,
            hospital=entry.actor.hospital,
            action=entry.action,
            study_id=entry.study_id,
            consultation_id=entry.consultation_id,
            subject_id=entry.subject_id,
            purpose=entry.purpose,
            outcome=entry.outcome,
            address=entry.address,
        )


class AuditItem(Struct):
    """A record as the API shows it."""

    id: str
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    hospital: str | None
    action: str
    study_id: str | None
    consultation_id: str | None
    subject_id: str
    purpose: str
    outcome: str
    address: str


class AuditList(Struct):
    items: list[AuditItem]
    total: int


class AuditQuery(Struct):
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = 100
    before: str | None = None
    action: str | None = None
    actor: str | None = None


def routes(audit: Audit) -> list[Route]:
    async def listing(call: Call[None]) -> AuditList:
        query: AuditQuery = call.query
        rows = await audit.listing(limit=query.limit, before=query.before, action=query.action, actor=query.actor)
        items = msgspec.convert(rows, list[AuditItem], from_attributes=True)
        return AuditList(items, len(items))

    summary = "The audit trail, newest first; total counts this page"
    return [Route("GET", "/api/v1/audit", listing, ADMINISTRATORS, summary, query=AuditQuery, reply=AuditList)]
