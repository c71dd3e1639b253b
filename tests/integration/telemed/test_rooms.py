from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from foundation.database import open_database
from foundation.ids import new_id
from signaling.history import Event
from signaling.messages import EventKind
from telemed.people.model import UserChange
from telemed.rooms import RoomJournal
from telemed.tables import Base
from tests.telemed_consultations import ROOT, open_clinic

AT = datetime(2026, 11, 23, 8, 0, 0, 250_000, tzinfo=UTC)


def event(seq, text="好的", **changes):
    body = {"text": text}
    known = {"seq": seq, "epoch": "e1", "kind": EventKind.CHAT_SENT, "author": "p1", "at": AT, "body": body}
    return Event(**{**known, **changes})


@pytest.fixture
async def journal(database_url):
    database = open_database(database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield RoomJournal(database)
    await database.close()


async def test_what_was_journalled_comes_back_in_order_and_apart_by_room(journal):
    room, other = new_id(), new_id()
    told = [
        event(1),
        event(2, at=AT + timedelta(seconds=1), command_id="c7"),
        event(3, body={"mark": {"points": [[1.5, 2]]}}),
    ]
    await journal.append(room, told[:2])
    await journal.append(other, [event(1, "别的会诊")])
    await journal.append(room, told[2:])
    assert await journal.load(room) == told
    assert [known.body for known in await journal.load(other)] == [{"text": "别的会诊"}]
    assert await journal.load(new_id()) == []


async def test_two_writers_of_one_place_are_told_and_nothing_of_the_second_stays(journal):
    room = new_id()
    await journal.append(room, [event(1), event(2)])
    with pytest.raises(IntegrityError):
        await journal.append(room, [event(3), event(2, "冲突")])
    assert [known.seq for known in await journal.load(room)] == [1, 2]


@pytest.fixture
async def clinic(sqlite_url):
    clinic = await open_clinic(sqlite_url)
    yield clinic
    await clinic.close()


async def entered(clinic, username, consultation):
    joined = await clinic.done(username, "POST", f"{ROOT}/{consultation['id']}/join")
    return clinic.tickets.redeem(joined["ticket"])


async def test_the_people_of_an_open_consultation_are_admitted(clinic):
    consultation = await clinic.accepted()
    expert, requester = await entered(clinic, "li", consultation), await entered(clinic, "zhou", consultation)
    assert await clinic.admission.admitted(expert)
    assert await clinic.admission.admitted(requester)
    assert (expert.name, expert.hospital, expert.grants) == ("李明华", "上海示范医院", requester.grants)
    assert expert.session_ends_at - clinic.clock.now == timedelta(hours=12)


async def test_a_ticket_of_before_the_end_admits_nobody_after_it(clinic):
    consultation = await clinic.accepted()
    claims = await entered(clinic, "li", consultation)
    await clinic.done("chen", "POST", f"{ROOT}/{consultation['id']}/cancel", {"reason": "患者出院"})
    assert not await clinic.admission.admitted(claims)
    assert clinic.rooms.closed == [(claims.room, "cancelled")]


async def test_a_doctor_who_was_disabled_is_not_admitted(clinic):
    claims = await entered(clinic, "li", await clinic.accepted())
    admin = await clinic.telemed.administrator()
    by = await clinic.telemed.people.active(admin.id)
    await clinic.telemed.people.change_user(by, clinic.users["li"].id, UserChange(disabled=True))
    assert not await clinic.admission.admitted(claims)


async def test_nobody_is_admitted_to_a_room_that_is_none(clinic):
    claims = await entered(clinic, "li", await clinic.accepted())
    assert not await clinic.admission.admitted(replace(claims, room=new_id()))
