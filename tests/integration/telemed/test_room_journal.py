"""The tables behind the rooms, on both engines: nothing is lost, one process writes, a ticket opens once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from foundation.database import open_database
from foundation.ids import new_id
from signaling.guard import Elsewhere, Fenced
from signaling.history import Event
from signaling.messages import EventKind
from telemed.room_journal import RoomJournal, RoomLeases, SpentTickets
from telemed.tables import Base
from tests.unit.signaling.fakes import MovableClock

AT = datetime(2026, 11, 23, 8, 0, 0, 250_000, tzinfo=UTC)
LIFE = timedelta(seconds=6)


def event(seq, text="好的", **changes):
    body = {"text": text}
    known = {"seq": seq, "epoch": "e1", "kind": EventKind.CHAT_SENT, "author": "p1", "at": AT, "body": body}
    return Event(**{**known, **changes})


@pytest.fixture
async def database(database_url):
    database = open_database(database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def journal(database):
    return RoomJournal(database)


@pytest.fixture
def leases(database, clock):
    return RoomLeases(database, LIFE, clock)


async def held(leases, node="a", room=None):
    return await leases.take(room or new_id(), node, f"ws://{node}")


async def test_what_was_journalled_comes_back_in_order_and_apart_by_room(journal, leases):
    room, other = await held(leases), await held(leases)
    told = [
        event(1),
        event(2, at=AT + timedelta(seconds=1), command_id="c7"),
        event(3, body={"mark": {"points": [[1.5, 2]]}}),
    ]
    await journal.append(room, told[:2])
    await journal.append(other, [event(1, "别的会诊")])
    await journal.append(room, told[2:])
    assert await journal.load(room.room) == told
    assert [known.body for known in await journal.load(other.room)] == [{"text": "别的会诊"}]
    assert await journal.load(new_id()) == []


async def test_two_writers_of_one_place_are_told_and_nothing_of_the_second_stays(journal, leases):
    room = await held(leases)
    await journal.append(room, [event(1), event(2)])
    with pytest.raises(IntegrityError):
        await journal.append(room, [event(3), event(2, "冲突")])
    assert [known.seq for known in await journal.load(room.room)] == [1, 2]


async def test_rooms_that_write_at_once_share_a_transaction_and_not_each_others_trouble(journal, leases):
    rooms = [await held(leases) for _ in range(4)]
    old, rooms[2] = rooms[2], await held(leases, "a", rooms[2].room)
    appends = [journal.append(room, [event(1)]) for room in (rooms[0], old, rooms[1], rooms[3])]
    first, fenced, *others = await asyncio.gather(*appends, return_exceptions=True)
    assert isinstance(fenced, Fenced)
    assert [first, *others] == [None] * 3
    assert [len(await journal.load(room.room)) for room in rooms] == [1, 1, 0, 1]


async def test_a_paused_owner_cannot_write_after_another_has_taken_over(journal, leases, clock):
    paused = await held(leases, "a")
    await journal.append(paused, [event(1)])
    clock.forward(6_000)
    taken = await held(leases, "b", paused.room)
    assert taken.fence > paused.fence
    with pytest.raises(Fenced):
        await journal.append(paused, [event(2, "too late")])
    await journal.append(taken, [event(2)])
    assert [known.body["text"] for known in await journal.load(paused.room)] == ["好的", "好的"]


async def test_a_room_is_somewhere_else_until_its_lease_runs_out_or_is_given_back(leases, clock):
    lease = await held(leases, "a")
    with pytest.raises(Elsewhere) as elsewhere:
        await held(leases, "b", lease.room)
    assert elsewhere.value.url == "ws://a"
    assert await leases.elsewhere(lease.room, "b") == "ws://a"
    assert await leases.elsewhere(lease.room, "a") is None
    await leases.release("a", [lease])
    assert await leases.elsewhere(lease.room, "b") is None
    assert (await held(leases, "b", lease.room)).fence == 2


async def test_a_renewed_lease_goes_on_and_a_lost_one_is_not_renewed(leases, clock):
    kept, lost = await held(leases, "a"), await held(leases, "a")
    clock.forward(5_000)
    [renewed] = await leases.renew("a", [kept])
    assert renewed.until - kept.until == timedelta(seconds=5)
    clock.forward(2_000)
    await held(leases, "b", lost.room)
    assert [lease.room for lease in await leases.renew("a", [lost, renewed])] == [kept.room]
    await leases.release("a", [lost])
    assert await leases.elsewhere(lost.room, "a") == "ws://b"


async def test_two_processes_asked_for_a_new_room_at_once_do_not_both_have_it(leases):
    room = new_id()
    asked = await asyncio.gather(*(held(leases, node, room) for node in "abcd"), return_exceptions=True)
    assert sum(not isinstance(answer, Elsewhere) for answer in asked) == 1


async def test_a_process_that_comes_back_under_its_name_has_its_rooms_at_once_and_its_past_is_fenced(journal, leases):
    before = await held(leases, "a")
    await held(leases, "a", before.room)
    with pytest.raises(Fenced):
        await journal.append(before, [event(1)])


async def test_a_ticket_is_spent_once_whoever_asks_and_forgotten_when_it_is_too_old(database, clock):
    number, expires = new_id(), clock() + timedelta(minutes=5)
    offices = [SpentTickets(database, clock) for _ in range(2)]
    assert sorted(await asyncio.gather(*(office.spend(number, expires) for office in offices))) == [False, True]
    clock.forward(300_000)
    assert await offices[0].spend(new_id(), clock() + timedelta(minutes=5))
    async with database.engine.begin() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM spent_tickets")).scalar() == 1
