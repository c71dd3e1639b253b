from datetime import timedelta

import pytest
from msgspec.structs import replace

from foundation.ids import new_id
from telemed.people.model import UserChange
from tests.telemed_consultations import ROOT, open_clinic


@pytest.fixture
async def clinic(sqlite_url):
    clinic = await open_clinic(sqlite_url)
    yield clinic
    await clinic.close()


async def entered(clinic, username, consultation):
    joined = await clinic.done(username, "POST", f"{ROOT}/{consultation['id']}/join")
    return clinic.tickets.read(joined["ticket"]).claims


async def test_the_people_of_an_open_consultation_are_admitted(clinic):
    consultation = await clinic.accepted()
    expert, requester = await entered(clinic, "li", consultation), await entered(clinic, "zhou", consultation)
    assert await clinic.admission.admitted(expert)
    assert await clinic.admission.admitted(requester)
    assert (expert.name, expert.hospital) == ("李明华", "上海示范医院")
    assert requester.grants - expert.grants == {"host", "record"}
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
