"""Two people at the same moment: one wins, the other is told, and the database agrees with both answers."""

import asyncio

import pytest
from sqlalchemy import select

from foundation.errors import ServiceError
from telemed.consultations.document import OpinionText
from telemed.consultations.tables import ConsultationRow, OpinionRow
from tests.telemed_consultations import OPINION, ROOT, open_clinic
from tests.telemed_people import PASSWORD


@pytest.fixture
async def clinic(database_url):
    clinic = await open_clinic(database_url)
    yield clinic
    await clinic.close()


async def person(clinic, username):
    return await clinic.telemed.people.active(clinic.users[username].id)


async def outcomes(*attempts):
    """For each attempt "done" or the code of its refusal; anything else is an error."""
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    unforeseen = [
        answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, ServiceError)
    ]
    assert unforeseen == []
    return [answer.code if isinstance(answer, ServiceError) else "done" for answer in answers]


async def test_of_two_doctors_who_accept_one_becomes_the_expert(clinic):
    li, wu = await person(clinic, "li"), await person(clinic, "wu")
    for _ in range(5):
        key = (await clinic.invited())["id"]
        accept = clinic.consultations.accept
        told = await outcomes(accept(li, key, address=""), accept(wu, key, address=""))
        assert sorted(told) == ["consultation.taken", "done"]
        async with clinic.database.read() as session:
            expert = await session.scalar(select(ConsultationRow.expert).where(ConsultationRow.id == key))
        assert expert == [li, wu][told.index("done")].user_id


async def test_accepting_while_it_is_cancelled_leaves_one_story(clinic):
    li, chen = await person(clinic, "li"), await person(clinic, "chen")
    key = (await clinic.invited())["id"]
    accept = clinic.consultations.accept(li, key, address="")
    cancel = clinic.consultations.cancel(chen, key, "患者出院", address="")
    accepted, cancelled = await outcomes(accept, cancel)
    # Cancelling is allowed before and after acceptance, so it always succeeds.
    assert (accepted in {"done", "consultation.bad_state"}, cancelled) == (True, "done")
    async with clinic.database.read() as session:
        row = await session.get_one(ConsultationRow, key)
    assert (row.state, row.accepted_at is not None) == ("cancelled", accepted == "done")


async def test_of_two_saves_from_one_version_one_is_stale(clinic):
    li = await person(clinic, "li")
    key = (await clinic.accepted())["id"]
    save = clinic.opinions.save
    told = await outcomes(save(li, key, OpinionText("甲"), 0), save(li, key, OpinionText("乙"), 0))
    assert sorted(told) == ["done", "opinion.stale"]
    async with clinic.database.read() as session:
        opinion = await session.get_one(OpinionRow, key)
    assert (opinion.version, opinion.findings) == (1, ["甲", "乙"][told.index("done")])


async def test_what_is_saved_while_it_is_signed_never_ends_up_under_the_signature(clinic):
    li = await person(clinic, "li")
    one = (await clinic.accepted())["id"]
    await clinic.done("li", "PUT", f"{ROOT}/{one}/opinion", {**OPINION, "version": 0})
    sign = clinic.opinions.sign(li, one, 1, PASSWORD, address="")
    save = clinic.opinions.save(li, one, OpinionText("后来", "后来", "后来"), 1)
    signed, saved = await outcomes(sign, save)
    assert [signed, saved].count("done") == 1
    async with clinic.database.read() as session:
        opinion = await session.get_one(OpinionRow, one)
    if signed == "done":
        assert opinion.conclusion == OPINION["conclusion"]
        assert OPINION["conclusion"] in opinion.signed_content
    else:
        assert (opinion.conclusion, opinion.signed_at) == ("后来", None)
