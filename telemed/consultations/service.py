"""Inviting, accepting, declining, cancelling, acknowledging, listing and entering: one use case per method.

Who may call is decided by ``telemed.access`` through ``model``; everybody else is told that there is no such
consultation. Every deed is audited in the unit of work that does it, and told to both hospitals after its commit.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import msgspec
from sqlalchemy import ColumnElement, func, or_, select

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.errors import Conflict, Forbidden, Unprocessable
from foundation.ids import new_id
from telemed.access import Person, may_enter_room, may_send
from telemed.audit import Action as Deed
from telemed.audit import Audit, Entry, Purpose, actor_of
from telemed.consultations import invitation as invitations
from telemed.consultations.document import Subject
from telemed.consultations.invitation import Invitation
from telemed.consultations.model import Action, ConsultationState, Course, facts
from telemed.consultations.news import Newsroom
from telemed.consultations.preflight import Preflight, preflight
from telemed.consultations.store import RECORDS, Record, advance, course_of, record_for
from telemed.consultations.tables import ConsultationRow, OpinionRow
from telemed.consultations.views import Consultation, ConsultationList, Directory, Presenter, Studies
from telemed.guard import RecentDeeds
from telemed.people.model import User
from telemed.studies.model import StudyRow, StudyUnknown

Box = Literal["sent", "received"]

LIST_MAX: Final = 500

_DEEDS: Final = {
    Action.ACCEPT: Deed.CONSULTATION_ACCEPT,
    Action.DECLINE: Deed.CONSULTATION_DECLINE,
    Action.CANCEL: Deed.CONSULTATION_CANCEL,
    Action.ACKNOWLEDGE: Deed.CONSULTATION_ACKNOWLEDGE,
}


class NotOwnStudy(Forbidden):
    code, title = "consultation.not_own_study", "Only the hospital that holds a study may ask about it"


class InvitedHospitalUnknown(Unprocessable):
    code, title = "consultation.unknown_hospital", "No such hospital to invite"


class RoomNotOpen(Conflict):
    code, title = "room.not_open", "The room is open from acceptance until the consultation ends"


class RoomNotYours(Forbidden):
    code, title = "room.not_a_participant", "Only the requesting side and the expert enter the room"


@dataclass(frozen=True, slots=True)
class Entrance:
    """What opens the room to one person."""

    ticket: str
    room: str
    consultation: Consultation


class TicketOffice(Protocol):
    """Issues the right to enter a room; ``telemed.rooms.RoomTickets``."""

    def issue(self, room: str, course: Course, user: User) -> str: ...


class Consultations:
    def __init__(
        self,
        *,
        database: Database,
        people: Directory,
        studies: Studies,
        presenter: Presenter,
        tickets: TicketOffice,
        audit: Audit,
        news: Newsroom,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._people = people
        self._studies = studies
        self._presenter = presenter
        self._tickets = tickets
        self._audit = audit
        self._news = news
        self._clock = clock
        self._views = RecentDeeds(clock)

    async def invite(self, person: Person, invitation: Invitation, *, address: str) -> Consultation:
        """Ask another hospital about a study of one's own.

        Raises OwnHospital, InvitationIncomplete, StudyUnknown, NotOwnStudy, InvitedHospitalUnknown.
        """
        invitations.check(invitation, person.hospital or "")
        study = await self._own_study(person, invitation.study_id)
        if invitation.invited_hospital not in {hospital.code for hospital in await self._people.hospitals()}:
            raise InvitedHospitalUnknown("Choose a hospital from the list.")
        row = self._new_row(person, invitation, study)
        opinion = OpinionRow(consultation_id=row.id, findings="", conclusion="", advice="", version=0)
        async with self._database.write() as session:
            session.add(row)
            await session.flush()
            session.add(opinion)
            self._audit.add(session, _entry(Deed.CONSULTATION_CREATE, person, row, address))
        self._news.changed(row)
        return await self._presenter.one(person, (row, opinion))

    async def accept(self, person: Person, consultation_id: str, *, address: str) -> Consultation:
        """The first doctor of the invited hospital to accept becomes the expert. Raises as ``model.perform``."""
        return await self._move(person, consultation_id, Action.ACCEPT, "", address)

    async def decline(self, person: Person, consultation_id: str, reason: str, *, address: str) -> Consultation:
        """The invited hospital refuses, with its reason. Raises as ``model.perform``."""
        return await self._move(person, consultation_id, Action.DECLINE, reason, address)

    async def cancel(self, person: Person, consultation_id: str, reason: str, *, address: str) -> Consultation:
        """The requesting hospital takes the invitation back. Raises as ``model.perform``."""
        return await self._move(person, consultation_id, Action.CANCEL, reason, address)

    async def acknowledge(self, person: Person, consultation_id: str, handling: str, *, address: str) -> Consultation:
        """The requesting hospital notes what it did with the opinion; that ends it. Raises as ``model.perform``."""
        return await self._move(person, consultation_id, Action.ACKNOWLEDGE, handling, address)

    async def get(self, person: Person, consultation_id: str, *, address: str) -> Consultation:
        """Raises ConsultationUnknown, also for everybody who stands on neither side."""
        record = await self._record(person, consultation_id)
        await self._note_view(person, record[0], address)
        return await self._presenter.one(person, record)

    async def list(
        self, person: Person, box: Box | None, states: Collection[ConsultationState], *, limit: int, offset: int
    ) -> ConsultationList:
        """The hospital's consultations, newest first; without a box both; without states all."""
        where = [_in_box(person, box)]
        if states:
            where.append(ConsultationRow.state.in_(states))
        page = RECORDS.where(*where).order_by(ConsultationRow.id.desc()).limit(min(limit, LIST_MAX)).offset(offset)
        async with self._database.read() as session:
            total = await session.scalar(select(func.count()).select_from(ConsultationRow).where(*where))
            records = [(row, opinion) for row, opinion in await session.execute(page)]
        return ConsultationList(await self._presenter.many(person, records), total or 0)

    async def preflight(self, person: Person, consultation_id: str, *, draining: bool) -> Preflight:
        """Whether ``join`` would work now, and if not, why. Raises ConsultationUnknown."""
        row = (await self._record(person, consultation_id))[0]
        decision = may_enter_room(person, facts(course_of(row)))
        return preflight(decision, ConsultationState(row.state), draining=draining)

    async def join(self, person: Person, consultation_id: str, *, address: str) -> Entrance:
        """A ticket for the room. Raises ConsultationUnknown, RoomNotYours, RoomNotOpen."""
        record = await self._record(person, consultation_id)
        row = record[0]
        _require_may_enter(person, row)
        users = await self._people.users_by_id([person.user_id])
        ticket = self._tickets.issue(row.room, course_of(row), users[person.user_id])
        await self._audit.record(_entry(Deed.ROOM_JOIN, person, row, address))
        return Entrance(ticket, row.room, await self._presenter.one(person, record))

    async def _move(
        self, person: Person, consultation_id: str, action: Action, text: str, address: str
    ) -> Consultation:
        async with self._database.write() as session:
            record = await advance(session, person, consultation_id, action, clock=self._clock, text=text)
            self._audit.add(session, _entry(_DEEDS[action], person, record[0], address))
        self._news.changed(record[0])
        return await self._presenter.one(person, record)

    async def _note_view(self, person: Person, row: ConsultationRow, address: str) -> None:
        """An open page fetches again with every change: that is one look at it, and one record."""
        view = (person.user_id, Deed.CONSULTATION_VIEW, row.id)
        if not self._views.is_new(view):
            return
        try:
            await self._audit.record(_entry(Deed.CONSULTATION_VIEW, person, row, address))
        except BaseException:
            self._views.forget(view)
            raise

    async def _record(self, person: Person, consultation_id: str) -> Record:
        async with self._database.read() as session:
            return await record_for(session, person, consultation_id)

    async def _own_study(self, person: Person, study_id: str) -> StudyRow:
        study = (await self._studies.find_many(person, [study_id])).get(study_id)
        if study is None:
            raise StudyUnknown()
        if not may_send(person, study.owner):
            raise NotOwnStudy()
        return study

    def _new_row(self, person: Person, invitation: Invitation, study: StudyRow) -> ConsultationRow:
        assert invitation.scheduled_at is not None
        now = self._clock()
        return ConsultationRow(
            id=new_id(),
            room=new_id(),
            state=ConsultationState.REQUESTED,
            urgency=invitation.urgency,
            requesting_hospital=study.owner,
            requesting_doctor=person.user_id,
            invited_hospital=invitation.invited_hospital,
            study_id=study.study_id,
            subject=msgspec.to_builtins(_subject(study)),
            scheduled_at=invitation.scheduled_at,
            created_at=now,
            changed_at=now,
            decline_reason="",
            cancel_reason="",
            handling="",
            **{name: getattr(invitation, name).strip() for name in invitations.FIELD_LIMITS},
        )


def _subject(study: StudyRow) -> Subject:
    return msgspec.convert(study, Subject, from_attributes=True)


def _in_box(person: Person, box: Box | None) -> ColumnElement[bool]:
    sent = ConsultationRow.requesting_hospital == person.hospital
    received = ConsultationRow.invited_hospital == person.hospital
    return {"sent": sent, "received": received}[box] if box else or_(sent, received)


def _require_may_enter(person: Person, row: ConsultationRow) -> None:
    decision = may_enter_room(person, facts(course_of(row)))
    if decision:
        return
    if decision.reason == "not_open":
        raise RoomNotOpen(f"The consultation is {row.state}.", got=row.state)
    raise RoomNotYours()


def _entry(deed: Deed, person: Person, row: ConsultationRow, address: str) -> Entry:
    return Entry(
        deed,
        actor_of(person),
        Purpose.CONSULTATION,
        study_id=row.study_id,
        consultation_id=row.id,
        address=address,
    )
