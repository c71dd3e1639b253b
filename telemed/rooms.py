"""What signalling asks of the platform: the journal of a room, who may still enter it, and the tickets to it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

from sqlalchemy import select

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.ids import new_id
from signaling.history import Event
from signaling.messages import EventKind
from signaling.tickets import Claims, Grant
from telemed.access import Person, may_enter_room
from telemed.consultations.model import Course, facts
from telemed.consultations.store import course_of
from telemed.consultations.tables import ConsultationRow, RoomEventRow
from telemed.people.model import User

# No live session lasts longer; whoever is still there joins again.
SESSION_LIFE: Final = timedelta(hours=12)
# Both sides show, mark and speak; who presents is settled in the room.
GRANTS: Final[frozenset[Grant]] = frozenset({"present", "mark", "chat", "point", "media"})


class RoomJournal:
    """Durable events of rooms (``signaling.guard.Journal``)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, room: str) -> list[Event]:
        """Every event of the room by rising ``seq``."""
        query = select(RoomEventRow).where(RoomEventRow.room == room).order_by(RoomEventRow.seq)
        async with self._database.read() as session:
            return [_event(row) for row in await session.scalars(query)]

    async def append(self, room: str, events: Sequence[Event]) -> None:
        """All or none, durable on return. Raises sqlalchemy's IntegrityError when another writer has that ``seq``."""
        async with self._database.write() as session:
            session.add_all(_row(room, event) for event in events)


def _event(row: RoomEventRow) -> Event:
    return Event(
        seq=row.seq,
        epoch=row.epoch,
        kind=EventKind(row.kind),
        author=row.author,
        at=row.at,
        body=row.body,
        command_id=row.command_id,
    )


def _row(room: str, event: Event) -> RoomEventRow:
    return RoomEventRow(
        id=new_id(),
        room=room,
        seq=event.seq,
        epoch=event.epoch,
        kind=event.kind,
        author=event.author,
        at=event.at,
        body=event.body,
        command_id=event.command_id,
    )


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
        claims = Claims(
            room=room,
            person=user.id,
            name=user.name,
            title=user.title,
            hospital=user.hospital.name if user.hospital else "",
            role="expert" if user.id == course.expert else "requester",
            grants=GRANTS,
            session_ends_at=self._clock() + SESSION_LIFE,
        )
        return self._issuer.issue(claims)
