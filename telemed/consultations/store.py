"""Consultations in the database: rows as courses, and the compare-and-set that every change of state goes through."""

from dataclasses import asdict
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.clock import Clock
from foundation.database import Database
from telemed.access import ConsultationFacts, Person, shares_study
from telemed.consultations.model import (
    OPEN,
    Action,
    ConsultationState,
    ConsultationUnknown,
    Course,
    perform,
    require_visible,
)
from telemed.consultations.tables import ConsultationRow, OpinionRow
from telemed.people.service import person_of
from telemed.people.tables import UserRow

Record = tuple[ConsultationRow, OpinionRow]

# What the access policy needs of a consultation, without its texts: it is asked with every request of an expert.
_FACTS: Final = (ConsultationRow.requesting_hospital, ConsultationRow.invited_hospital, ConsultationRow.expert)

RECORDS: Final = select(ConsultationRow, OpinionRow).join(OpinionRow, OpinionRow.consultation_id == ConsultationRow.id)


def course_of(row: ConsultationRow) -> Course:
    return Course(
        state=ConsultationState(row.state),
        requesting_hospital=row.requesting_hospital,
        invited_hospital=row.invited_hospital,
        created_at=row.created_at,
        changed_at=row.changed_at,
        expert=row.expert,
        accepted_at=row.accepted_at,
        declined_at=row.declined_at,
        opined_at=row.opined_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        decline_reason=row.decline_reason,
        cancel_reason=row.cancel_reason,
        handling=row.handling,
    )


async def record_for(session: AsyncSession, person: Person, consultation_id: str) -> Record:
    """The consultation as it is now, with its opinion. Raises ConsultationUnknown also for those not on either side."""
    query = RECORDS.where(ConsultationRow.id == consultation_id).execution_options(populate_existing=True)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise ConsultationUnknown()
    row, opinion = found
    require_visible(course_of(row), person)
    return row, opinion


async def advance(
    session: AsyncSession, person: Person, consultation_id: str, action: Action, *, clock: Clock, text: str = ""
) -> Record:
    """Do ``action`` inside the caller's unit of work: only if the state is still what the rules were asked about.

    Raises what ``model.perform`` raises. When somebody else was faster the rules are asked again with what is there
    now; the transition table has no cycles, so this ends.
    """
    while True:
        row, _ = await record_for(session, person, consultation_id)
        after = perform(course_of(row), action, person, clock(), text)
        if await _moved(session, row, after):
            return await record_for(session, person, consultation_id)


async def _moved(session: AsyncSession, row: ConsultationRow, after: Course) -> bool:
    still = (ConsultationRow.id == row.id, ConsultationRow.state == row.state)
    moved = update(ConsultationRow).where(*still).values(**asdict(after)).returning(ConsultationRow.id)
    return await session.scalar(moved.execution_options(synchronize_session=False)) is not None


class Shares:
    """What open consultations show to their experts: facts for the access policy."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def shared_with(self, user_id: str) -> frozenset[str]:
        """Keys of the studies that this doctor sees as an expert, now.

        The policy is asked with the doctor as of today: who has moved to another hospital does not take them along.
        """
        query = (
            select(UserRow, ConsultationRow.study_id, *_FACTS)
            .join(UserRow, UserRow.id == ConsultationRow.expert)
            .where(ConsultationRow.expert == user_id, ConsultationRow.state.in_(OPEN))
        )
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        return frozenset(
            study_id
            for user, study_id, requesting, invited, expert in rows
            if shares_study(person_of(user), ConsultationFacts(requesting, invited, expert, open=True))
        )
