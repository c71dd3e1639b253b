"""The tables behind the rooms: what happened in them, which process serves them, which tickets were used.

Events of several rooms that wait at the same moment are written in one transaction, because a commit costs a disk
flush however much it holds. The fence is checked inside that transaction, with the lease's row held: a process that was
paused while another took its room over cannot write any more.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.ids import new_id
from signaling.guard import Elsewhere, Fenced, Lease
from signaling.history import Event
from signaling.messages import EventKind
from telemed.consultations.tables import RoomEventRow, RoomLeaseRow, SpentTicketRow

_EVENTS: Final = cast(Table, RoomEventRow.__table__)
_LEASES: Final = cast(Table, RoomLeaseRow.__table__)
_SPENT: Final = cast(Table, SpentTicketRow.__table__)


@dataclass(frozen=True, slots=True)
class _Append:
    lease: Lease
    events: Sequence[Event]
    done: asyncio.Future[None]


class RoomJournal:
    """Durable events of rooms (``signaling.guard.Journal``)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Append] = []
        self._writing: asyncio.Task[None] | None = None

    async def load(self, room: str) -> list[Event]:
        """Every event of the room by rising ``seq``."""
        query = select(_EVENTS).where(_EVENTS.c.room == room).order_by(_EVENTS.c.seq)
        return await self._database.look(lambda connection: [_event(row) for row in connection.execute(query)])

    async def append(self, lease: Lease, events: Sequence[Event]) -> None:
        """All or none, durable on return. Raises Fenced, or IntegrityError when another writer has that ``seq``."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Append(lease, events, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting, []
                await self._write_together(together)
        finally:
            self._writing = None

    async def _write_together(self, together: Sequence[_Append]) -> None:
        try:
            await self._database.change(lambda connection: _insert(connection, together))
        except Exception as error:
            if len(together) == 1:
                _settle(together[0], error)
                return
            # One room's trouble is not the others': each by itself.
            for one in together:
                await self._write_together([one])
        else:
            for one in together:
                _settle(one)


def _settle(one: _Append, error: Exception | None = None) -> None:
    if one.done.done():
        return
    if error is None:
        one.done.set_result(None)
    else:
        one.done.set_exception(error)


def _insert(connection: Connection, together: Sequence[_Append]) -> None:
    rooms = {one.lease.room for one in together}
    # Held until the commit, so that nobody takes a room over between this look and the writing.
    fences = select(_LEASES.c.room, _LEASES.c.fence).where(_LEASES.c.room.in_(rooms)).with_for_update(read=True)
    newest = {row.room: row.fence for row in connection.execute(fences)}
    for one in together:
        if newest.get(one.lease.room) != one.lease.fence:
            raise Fenced(one.lease.room)
    connection.execute(insert(_EVENTS), [_row(one.lease.room, event) for one in together for event in one.events])


def _event(row: Any) -> Event:
    return Event(
        seq=row.seq,
        epoch=row.epoch,
        kind=EventKind(row.kind),
        author=row.author,
        at=row.at,
        body=row.body,
        command_id=row.command_id,
    )


def _row(room: str, event: Event) -> dict[str, Any]:
    return {
        "id": new_id(),
        "room": room,
        "seq": event.seq,
        "epoch": event.epoch,
        "kind": event.kind,
        "author": event.author,
        "at": event.at,
        "body": event.body,
        "command_id": event.command_id,
    }


class RoomLeases:
    """One process serves a room (``signaling.guard.Leases``). life: a lease that is not renewed ends after it."""

    def __init__(self, database: Database, life: timedelta, clock: Clock = utc_now) -> None:
        self._database = database
        self._life = life
        self._clock = clock

    async def take(self, room: str, node: str, url: str) -> Lease:
        """The room's next lease. Raises Elsewhere while another process holds it."""
        now = self._clock()

        def work(connection: Connection) -> Lease:
            return _take(connection, room, {"node": node, "url": url, "expires_at": now + self._life}, now)

        try:
            return await self._database.change(work)
        except IntegrityError:
            # Two processes were asked for a new room at once; one of them has it now.
            return await self._database.change(work)

    async def renew(self, node: str, leases: Collection[Lease]) -> list[Lease]:
        """Those of ``leases`` that still hold, prolonged."""
        until = self._clock() + self._life

        def work(connection: Connection) -> list[Lease]:
            return [
                Lease(lease.room, lease.fence, until)
                for lease in sorted(leases, key=lambda lease: lease.room)
                if connection.execute(_mine(node, lease).values(expires_at=until)).rowcount
            ]

        return await self._database.change(work)

    async def release(self, node: str, leases: Collection[Lease]) -> None:
        """The rooms are free from now on."""
        now = self._clock()

        def work(connection: Connection) -> None:
            for lease in sorted(leases, key=lambda lease: lease.room):
                connection.execute(_mine(node, lease).values(expires_at=now))

        await self._database.change(work)

    async def elsewhere(self, room: str, node: str) -> str | None:
        """The address of another process that serves the room now."""
        now = self._clock()
        query = select(_LEASES.c.url).where(_LEASES.c.room == room, _LEASES.c.node != node, _LEASES.c.expires_at > now)
        return await self._database.look(lambda connection: connection.scalar(query))


def _take(connection: Connection, room: str, holder: dict[str, Any], now: datetime) -> Lease:
    row = connection.execute(select(_LEASES).where(_LEASES.c.room == room).with_for_update()).first()
    if row is None:
        connection.execute(insert(_LEASES).values(room=room, fence=1, **holder))
        return Lease(room, 1, holder["expires_at"])
    if row.node != holder["node"] and row.expires_at > now:
        raise Elsewhere(row.url)
    fence = row.fence + 1
    connection.execute(update(_LEASES).where(_LEASES.c.room == room).values(fence=fence, **holder))
    return Lease(room, fence, holder["expires_at"])


def _mine(node: str, lease: Lease) -> Any:
    return update(_LEASES).where(_LEASES.c.room == lease.room, _LEASES.c.node == node, _LEASES.c.fence == lease.fence)


class SpentTickets:
    """Which tickets were used (``signaling.guard.SpentTickets``), for every process on this database."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def spend(self, number: str, expires: datetime) -> bool:
        """True once for each number."""
        now = self._clock()

        def work(connection: Connection) -> None:
            connection.execute(delete(_SPENT).where(_SPENT.c.expires_at <= now))
            connection.execute(insert(_SPENT).values(number=number, expires_at=expires))

        try:
            await self._database.change(work)
        except IntegrityError:
            return False
        return True
