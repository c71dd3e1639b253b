"""What a room asks of the world around it; ``telemed`` answers.

Signalling keeps no tables and knows no consultations: a :class:`Journal` keeps its durable events, an
:class:`Admission` says whether somebody may still enter.
"""

from collections.abc import Sequence
from typing import Protocol

from signaling.history import Event
from signaling.tickets import Claims


class Journal(Protocol):
    """Durable events of rooms, in order."""

    async def load(self, room: str) -> Sequence[Event]:
        """Every event of the room by rising ``seq``; empty for a room nobody has heard of."""
        ...

    async def append(self, room: str, events: Sequence[Event]) -> None:
        """All of ``events`` or none, durable when this returns.

        Must raise when an event with the same room and ``seq`` is there already: two writers must never both believe.
        """
        ...


class Admission(Protocol):
    """Asked at every hello and every resume, because a ticket may be older than a decision."""

    async def admitted(self, claims: Claims) -> bool: ...
