"""Tells the pages and the room what a committed change of a consultation means for them."""

from typing import Final, Protocol

from telemed.consultations.model import ConsultationState, room_open
from telemed.consultations.tables import ConsultationRow
from telemed.events import Events, Topic

# After these changes the expert begins or ceases to see the study.
STUDY_SHARING_CHANGED: Final = frozenset(
    {ConsultationState.ACCEPTED, ConsultationState.COMPLETED, ConsultationState.CANCELLED}
)


class RoomControl(Protocol):
    """The live rooms; ``signaling.server.SignalingServer``."""

    def close_room(self, room: str, reason: str) -> None:
        """Everybody out for good; a room that nobody is in is closed just the same."""
        ...


class Newsroom:
    def __init__(self, events: Events, rooms: RoomControl) -> None:
        self._events = events
        self._rooms = rooms

    def changed(self, row: ConsultationRow) -> None:
        """Both hospitals' pages look again; nobody stays in the room of a consultation that has ended."""
        hospitals = {row.requesting_hospital, row.invited_hospital}
        self._events.publish(Topic.CONSULTATIONS, row.id, hospitals=hospitals)
        if row.expert is None:
            return
        if row.state in STUDY_SHARING_CHANGED:
            self._events.publish(Topic.STUDIES, row.study_id, users={row.expert})
        if not room_open(ConsultationState(row.state)):
            self._rooms.close_room(row.room, row.state)
