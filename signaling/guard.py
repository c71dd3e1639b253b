"""What rooms ask of the world around them; ``telemed`` answers.

Signalling keeps no tables and knows no consultations: a :class:`Journal` keeps its durable events, :class:`Leases` say
which process serves a room, :class:`SpentTickets` which tickets were used, an :class:`Admission` who may still enter.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from signaling.history import Event
from signaling.tickets import Claims


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to serve a room until ``until``, unless it is renewed. fence: higher than that of any lease before."""

    room: str
    fence: int
    until: datetime


class Elsewhere(Exception):
    """Another process holds the room's lease; ``url``: where it listens, without a slash at the end."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class Fenced(Exception):
    """A writer whose lease somebody else has taken over: whatever it believes about the room is out of date."""


class Journal(Protocol):
    """Durable events of rooms, in order."""

    async def load(self, room: str) -> Sequence[Event]:
        """Every event of the room by rising ``seq``; empty for a room nobody has heard of."""
        ...

    async def append(self, lease: Lease, events: Sequence[Event]) -> None:
        """All of ``events`` or none, durable when this returns.

        Raises Fenced when ``lease`` is not the room's newest; nothing can come between that check and the writing.
        Must raise when an event with the same room and ``seq`` is there already: two writers must never both believe.
        """
        ...


class Leases(Protocol):
    """One process serves a room. node: the process's name; url: where it listens."""

    async def take(self, room: str, node: str, url: str) -> Lease:
        """The room's next lease: when it has none, it is one's own, or it has run out. Raises Elsewhere."""
        ...

    async def renew(self, node: str, leases: Collection[Lease]) -> Sequence[Lease]:
        """Those of ``leases`` that still hold, prolonged."""
        ...

    async def elsewhere(self, room: str, node: str) -> str | None:
        """The address of another process that serves the room now; None: there is none."""
        ...

    async def release(self, node: str, leases: Collection[Lease]) -> None:
        """Leave rooms, so that the next process need not wait until a lease runs out."""
        ...


class SpentTickets(Protocol):
    async def spend(self, number: str, expires: datetime) -> bool:
        """True once for each number, whichever process asks. expires: when it may be forgotten."""
        ...


class Admission(Protocol):
    """Asked at every hello and every resume and every few seconds in between, because decisions change."""

    async def admitted(self, claims: Claims) -> bool: ...
