"""What signalling asks of the platform: who may still enter a room, and the tickets to it."""

from datetime import timedelta
from typing import Final, Protocol

from sqlalchemy import select

from foundation.clock import Clock, utc_now
from foundation.database import Database
from signaling.bodies import Grant
from signaling.tickets import Claims
from telemed.access import Person, may_enter_room
from telemed.consultations.model import Course, facts
from telemed.consultations.store import course_of
from telemed.consultations.tables import ConsultationRow
from telemed.people.model import User

# No live session lasts longer; whoever is still there joins again.
SESSION_LIFE: Final = timedelta(hours=12)
# Both sides show, mark and speak; who presents is settled in the room. The side whose patient it is decides who enters.
GRANTS: Final[frozenset[Grant]] = frozenset({"present", "mark", "chat", "point", "media", "note"})
HOST_GRANTS: Final[frozenset[Grant]] = GRANTS | {"host", "record"}


class ActivePeople(Protocol):
    """Who may still sign in; ``telemed.people.service.People``."""

    async def active(self, user_id: str) -> Person | None: ...


class RoomAdmission:
    """May the holder of these claims still enter (``signaling.guard.Admission``)?

    Yes while the consultation is open and the access policy lets the person, as they are now, into its room.
    """

    def __init__(self, database: Database, people: ActivePeople) -> None:
        self._database = database
        self._people = people

    async def admitted(self, claims: Claims) -> bool:
        person = await self._people.active(claims.person)
        if person is None:
            return False
        async with self._database.read() as session:
            row = await session.scalar(select(ConsultationRow).where(ConsultationRow.room == claims.room))
        return row is not None and bool(may_enter_room(person, facts(course_of(row))))


class Issuer(Protocol):
    """Signs tickets; ``signaling.tickets.Tickets``."""

    def issue(self, claims: Claims) -> str: ...


class RoomTickets:
    """Tickets for consultation rooms; whether somebody may have one is asked before (``access.may_enter_room``)."""

    def __init__(self, issuer: Issuer, *, clock: Clock = utc_now) -> None:
        self._issuer = issuer
        self._clock = clock

    def issue(self, room: str, course: Course, user: User) -> str:
        expert = user.id == course.expert
        claims = Claims(
            room=room,
            person=user.id,
            name=user.name,
            title=user.title,
            hospital=user.hospital.name if user.hospital else "",
            role="expert" if expert else "requester",
            grants=GRANTS if expert else HOST_GRANTS,
            session_ends_at=self._clock() + SESSION_LIFE,
        )
        return self._issuer.issue(claims)
