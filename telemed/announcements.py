"""Tells open pages and rooms what changed below a study: who may see it hears of it, nobody else."""

from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import bindparam, select

from foundation.database import Database
from imaging.store.tables import Study
from telemed.consultations.model import OPEN
from telemed.consultations.tables import ConsultationRow
from telemed.events import Events, Topic


class RoomNotices(Protocol):
    """The live rooms; ``signaling.server.SignalingServer``."""

    def notice(self, room: str, topic: str, about: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who sees a study now. hospital: its holder; experts: user ids; rooms: where it is being read together."""

    hospital: str
    experts: frozenset[str]
    rooms: frozenset[str]


class Announcer:
    """Called after the commit of what it announces; the facts themselves are rows already."""

    def __init__(self, database: Database, events: Events, rooms: RoomNotices) -> None:
        self._database = database
        self._events = events
        self._rooms = rooms

    async def study_changed(self, study_id: str) -> None:
        """Instances arrived. Asks nobody while no page is open: uploads come by the hundred a second."""
        if not self._events.subscriber_count:
            return
        seen_by = await self._witnesses(study_id)
        self._publish(Topic.STUDIES, study_id, seen_by)

    async def review_changed(self, topic: str, study_id: str, about: str) -> None:
        """A review job moved, or findings came or were assessed."""
        seen_by = await self._witnesses(study_id)
        self._publish(Topic(topic), study_id, seen_by)
        for room in seen_by.rooms:
            self._rooms.notice(room, topic, about)

    def _publish(self, topic: Topic, study_id: str, seen_by: Witnesses) -> None:
        self._events.publish(topic, study_id, hospitals={seen_by.hospital}, users=seen_by.experts)

    async def _witnesses(self, study_id: str) -> Witnesses:
        hospital, courses = await self._database.look(
            lambda connection: (
                connection.scalar(_OWNER, {"study": study_id}),
                connection.execute(_COURSES, {"study": study_id}).all(),
            )
        )
        return Witnesses(
            hospital=hospital or "",
            experts=frozenset(expert for expert, _ in courses if expert is not None),
            rooms=frozenset(room for _, room in courses),
        )


_STUDIES, _CONSULTATIONS = Study.core(), ConsultationRow.__table__.c
_OWNER: Final = select(_STUDIES.owner).where(_STUDIES.id == bindparam("study"))
_COURSES: Final = select(_CONSULTATIONS.expert, _CONSULTATIONS.room).where(
    _CONSULTATIONS.study_id == bindparam("study"), _CONSULTATIONS.state.in_(OPEN)
)
