import io

import pypdf
import pytest
from sqlalchemy import select, update

from telemed.audit import AuditRecord
from telemed.consultations.document import parse, sha256
from telemed.consultations.tables import OpinionRow
from telemed.people.tables import UserRow
from tests.telemed_consultations import OPINION, ROOT, invitation, open_clinic
from tests.telemed_people import PASSWORD


@pytest.fixture
async def clinic(sqlite_url):
    clinic = await open_clinic(sqlite_url)
    yield clinic
    await clinic.close()


async def refused(clinic, username, method, path, json=None):
    status, problem = await clinic.call(username, method, path, json)
    return status, problem["code"]


async def test_the_whole_way_from_invitation_to_acknowledgement(database_url):
    clinic = await open_clinic(database_url)
    invited = await clinic.invited()
    one = f"{ROOT}/{invited['id']}"
    assert (invited["state"], invited["actions"]) == ("requested", ["cancel"])
    assert invited["patient"] == {
        "name": "王小东",
        "sex": "M",
        "birth_date": "1969-03-12",
        "age": "057Y",
        "patient_id_masked": "*******2913",
    }
    assert (await clinic.done("wu", "GET", one))["actions"] == ["accept", "decline"]

    accepted = await clinic.done("li", "POST", f"{one}/accept")
    assert (accepted["state"], accepted["expert"]["name"]) == ("accepted", "李明华")
    assert accepted["actions"] == ["join", "write_opinion", "sign"]
    assert accepted["study"]["patient_id"] == "WZ-00482913"

    draft = await clinic.done("li", "PUT", f"{one}/opinion", {**OPINION, "version": 0})
    assert (draft["version"], draft["signed_at"]) == (1, None)
    assert (await clinic.done("chen", "GET", one))["opinion"] is None

    clinic.clock.advance(minutes=5)
    signed = await clinic.done("li", "POST", f"{one}/opinion/sign", {"version": 1, "password": PASSWORD})
    assert (signed["state"], signed["opinion"]["signed_by"]["username"]) == ("opined", "li")
    assert signed["opinion"]["signed_at"] == "2026-11-23T08:05:00Z"
    assert "print" in signed["actions"]

    read = await clinic.done("zhou", "GET", one)
    assert read["opinion"]["conclusion"] == OPINION["conclusion"]
    assert read["actions"] == ["join", "acknowledge", "print"]
    closed = await clinic.done("chen", "POST", f"{one}/acknowledge", {"handling": "已转胸外科"})
    assert (closed["state"], closed["handling"], closed["actions"]) == ("completed", "已转胸外科", ["print"])
    assert [reason for _, reason in clinic.rooms.closed] == ["completed"]
    await clinic.close()


@pytest.mark.parametrize("stage", ["invited", "accepted", "signed"])
async def test_for_an_outsider_it_does_not_exist(clinic, stage):
    consultation = await getattr(clinic, stage)()
    one = f"{ROOT}/{consultation['id']}"
    attempts = [
        ("GET", one, None),
        ("POST", f"{one}/accept", None),
        ("POST", f"{one}/decline", {"reason": "x"}),
        ("POST", f"{one}/cancel", {"reason": "x"}),
        ("POST", f"{one}/acknowledge", {"handling": "x"}),
        ("POST", f"{one}/join", None),
        ("PUT", f"{one}/opinion", {**OPINION, "version": 0}),
        ("POST", f"{one}/opinion/sign", {"version": 1, "password": PASSWORD}),
        ("GET", f"{one}/opinion.pdf", None),
    ]
    answers = {(method, path): await refused(clinic, "outsider", method, path, json) for method, path, json in attempts}
    assert set(answers.values()) == {(404, "consultation.not_found")}
    assert (await clinic.done("outsider", "GET", ROOT)) == {"items": [], "total": 0}


@pytest.mark.parametrize("nobody", ["01JDC5V0QK3M8Z7W2X4Y6N9P1R", "x" * 300, "会诊", "%ff"])
async def test_what_is_no_consultation_is_not_found(clinic, nobody):
    assert await refused(clinic, "chen", "GET", f"{ROOT}/{nobody}") == (404, "consultation.not_found")


async def test_only_the_expert_sees_the_study_and_only_while_it_is_open(clinic):
    consultation = await clinic.invited()
    one, study_id = f"{ROOT}/{consultation['id']}", consultation["study"]["study_id"]
    li, wu = clinic.users["li"].id, clinic.users["wu"].id
    assert (await clinic.done("li", "GET", one))["study"] is None
    assert await clinic.shares.shared_with(li) == frozenset()

    await clinic.done("li", "POST", f"{one}/accept")
    assert await clinic.shares.shared_with(li) == {study_id}
    assert await clinic.shares.shared_with(wu) == frozenset()
    assert (await clinic.done("wu", "GET", one))["study"] is None

    await clinic.done("chen", "POST", f"{one}/cancel", {"reason": "患者出院"})
    assert await clinic.shares.shared_with(li) == frozenset()
    assert (await clinic.done("li", "GET", one))["study"] is None


async def test_an_expert_who_moves_to_another_hospital_takes_nothing_along(clinic):
    consultation = await clinic.accepted()
    async with clinic.database.write() as session:
        await session.execute(update(UserRow).where(UserRow.username == "li").values(hospital_code="HZ01"))
    assert await clinic.shares.shared_with(clinic.users["li"].id) == frozenset()
    assert await refused(clinic, "li", "GET", f"{ROOT}/{consultation['id']}") == (404, "consultation.not_found")


async def test_everything_missing_in_an_invitation_is_named_at_once(clinic):
    study_id = clinic.catalog.add("WZ01")
    bare = {"study_id": study_id, "invited_hospital": "SH01", "purpose": " ", "summary": "x" * 8001}
    status, problem = await clinic.call("chen", "POST", ROOT, bare)
    assert (status, problem["code"]) == (422, "consultation.invitation_incomplete")
    assert problem["fields"] == {
        "reason": "missing",
        "purpose": "missing",
        "summary": "too_long",
        "requested_specialty": "missing",
        "requested_title": "missing",
        "scheduled_at": "missing",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"invited_hospital": "WZ01"}, (422, "consultation.own_hospital")),
        ({"invited_hospital": "XX99"}, (422, "consultation.unknown_hospital")),
        ({"scheduled_at": "2026-11-24T06:00:00"}, (422, "consultation.invitation_incomplete")),
        ({"scheduled_at": "tomorrow"}, (400, "invalid")),
        ({"urgency": "very"}, (400, "invalid")),
        ({"study_id": "01JDC5V0QK3M8Z7W2X4Y6N9P1R"}, (404, "study.unknown")),
    ],
)
async def test_an_invitation_that_cannot_be_sent(clinic, changes, expected):
    body = {**invitation(clinic.catalog.add("WZ01")), **changes}
    assert await refused(clinic, "chen", "POST", ROOT, body) == expected


async def test_a_study_of_another_hospital_cannot_be_asked_about(clinic):
    foreign = clinic.catalog.add("HZ01")
    assert await refused(clinic, "chen", "POST", ROOT, invitation(foreign)) == (404, "study.unknown")
    shared = (await clinic.accepted())["study"]["study_id"]
    onwards = invitation(shared, invited_hospital="HZ01")
    assert await refused(clinic, "li", "POST", ROOT, onwards) == (403, "consultation.not_own_study")


async def test_the_second_doctor_to_accept_is_told_who_was_faster(clinic):
    consultation = await clinic.accepted()
    status, problem = await clinic.call("wu", "POST", f"{ROOT}/{consultation['id']}/accept")
    assert (status, problem["code"]) == (409, "consultation.taken")
    assert (problem["expected"], problem["got"]) == (["requested"], "accepted")


async def test_a_step_out_of_turn_names_the_state_it_needs(clinic):
    consultation = await clinic.invited()
    status, problem = await clinic.call(
        "chen", "POST", f"{ROOT}/{consultation['id']}/acknowledge", {"handling": "已处理"}
    )
    assert (status, problem["code"]) == (409, "consultation.bad_state")
    assert (problem["expected"], problem["got"]) == (["opined"], "requested")


async def test_a_step_of_the_other_side_is_refused(clinic):
    one = f"{ROOT}/{(await clinic.invited())['id']}"
    assert await refused(clinic, "chen", "POST", f"{one}/accept") == (403, "consultation.not_your_side")
    assert await refused(clinic, "li", "POST", f"{one}/cancel", {"reason": "x"}) == (403, "consultation.not_your_side")


async def test_declining_needs_a_reason_and_tells_it(clinic):
    one = f"{ROOT}/{(await clinic.invited())['id']}"
    assert await refused(clinic, "li", "POST", f"{one}/decline", {"reason": " "}) == (
        422,
        "consultation.text_required",
    )
    await clinic.done("li", "POST", f"{one}/decline", {"reason": "专家出差"})
    declined = await clinic.done("chen", "GET", one)
    assert (declined["state"], declined["decline_reason"], declined["actions"]) == ("declined", "专家出差", [])
    assert declined["closed_at"] == declined["declined_at"] is not None


async def test_each_box_holds_its_side_newest_first(clinic):
    older, newer = await clinic.invited(), await clinic.accepted()
    sent = await clinic.done("zhou", "GET", f"{ROOT}?box=sent")
    assert [item["id"] for item in sent["items"]] == [newer["id"], older["id"]]
    assert (await clinic.done("zhou", "GET", f"{ROOT}?box=received"))["total"] == 0
    waiting = await clinic.done("wu", "GET", f"{ROOT}?box=received&state=requested")
    assert [item["id"] for item in waiting["items"]] == [older["id"]]
    both = await clinic.done("wu", "GET", f"{ROOT}?state=requested,accepted&limit=1&offset=1")
    assert ([item["id"] for item in both["items"]], both["total"]) == ([older["id"]], 2)
    assert await refused(clinic, "wu", "GET", f"{ROOT}?state=open") == (400, "invalid")


async def test_a_stale_draft_is_refused_with_the_present_version(clinic):
    path = f"{ROOT}/{(await clinic.accepted())['id']}/opinion"
    await clinic.done("li", "PUT", path, {**OPINION, "version": 0})
    status, problem = await clinic.call("li", "PUT", path, {**OPINION, "version": 0})
    assert (status, problem["code"], problem["version"]) == (409, "opinion.stale", 1)


async def test_only_the_expert_writes_and_only_until_it_is_signed(clinic):
    body = {**OPINION, "version": 1}
    path = f"{ROOT}/{(await clinic.accepted())['id']}/opinion"
    assert await refused(clinic, "wu", "PUT", path, body) == (403, "consultation.not_your_side")
    assert await refused(clinic, "chen", "PUT", path, body) == (403, "consultation.not_your_side")
    signed = f"{ROOT}/{(await clinic.signed())['id']}/opinion"
    assert await refused(clinic, "li", "PUT", signed, body) == (409, "consultation.bad_state")


async def test_a_text_that_is_too_long_is_named(clinic):
    path = f"{ROOT}/{(await clinic.accepted())['id']}/opinion"
    status, problem = await clinic.call("li", "PUT", path, {**OPINION, "advice": "字" * 8001, "version": 0})
    assert (status, problem["code"], problem["fields"]) == (422, "opinion.too_long", ["advice"])


@pytest.mark.parametrize(
    ("text", "sign", "expected"),
    [
        ({}, {"version": 1, "password": "not the password"}, (403, "opinion.bad_password")),
        ({}, {"version": 0, "password": PASSWORD}, (409, "opinion.stale")),
        ({"conclusion": " \n"}, {"version": 1, "password": PASSWORD}, (422, "opinion.incomplete")),
    ],
)
async def test_a_signature_that_does_not_hold_leaves_the_draft(clinic, text, sign, expected):
    one = f"{ROOT}/{(await clinic.accepted())['id']}"
    await clinic.done("li", "PUT", f"{one}/opinion", {**OPINION, **text, "version": 0})
    assert await refused(clinic, "li", "POST", f"{one}/opinion/sign", sign) == expected
    after = await clinic.done("li", "GET", one)
    assert (after["state"], after["opinion"]["signed_at"]) == ("accepted", None)


async def test_the_signed_content_is_frozen_with_its_hash(database_url):
    clinic = await open_clinic(database_url)
    consultation = await clinic.signed()
    async with clinic.database.read() as session:
        opinion = await session.get_one(OpinionRow, consultation["id"])
    assert opinion.content_sha256 == sha256(opinion.signed_content)
    frozen = parse(opinion.signed_content)
    assert (frozen.opinion.conclusion, frozen.signed_by.name) == (OPINION["conclusion"], "李明华")
    assert (frozen.subject.patient_name, frozen.requested_by.hospital_name) == ("王小东", "温州市第一医院")
    await clinic.close()


async def test_the_print_shows_the_frozen_content_to_both_sides(clinic):
    consultation = await clinic.signed()
    path = f"{ROOT}/{consultation['id']}/opinion.pdf"
    async with clinic.database.write() as session:
        await session.execute(update(UserRow).where(UserRow.username == "li").values(name="改名"))
    for username in ("chen", "wu"):
        reply = await (await clinic.signed_in(username)).get(path)
        assert (reply.status, reply.content_type) == (200, "application/pdf")
        assert reply.headers["Content-Disposition"].startswith("inline")
        assert (reply.headers["X-Content-Type-Options"], reply.headers["Cache-Control"]) == ("nosniff", "no-store")
        text = pypdf.PdfReader(io.BytesIO(await reply.read())).pages[0].extract_text()
        assert "王小东" in text
        assert "考虑早期肺腺癌" in text
        assert "李明华" in text


async def test_there_is_no_print_before_the_signature(clinic):
    one = f"{ROOT}/{(await clinic.accepted())['id']}"
    assert await refused(clinic, "li", "GET", f"{one}/opinion.pdf") == (409, "consultation.bad_state")


async def test_joining_gives_a_ticket_that_names_the_side(clinic):
    one = f"{ROOT}/{(await clinic.accepted())['id']}"
    for username, role in (("li", "expert"), ("zhou", "requester")):
        joined = await clinic.done(username, "POST", f"{one}/join")
        claims = clinic.tickets.read(joined["ticket"]).claims
        assert (claims.role, claims.person, claims.room) == (role, clinic.users[username].id, joined["room"])
        assert joined["signaling_url"] == f"ws://127.0.0.1:8081/rooms/{joined['room']}"
        assert joined["ice_servers"] == [{"urls": ["stun:stun.example:3478"]}]
        assert joined["consultation"]["state"] == "accepted"


async def test_the_room_is_for_its_people_and_its_time(clinic):
    asked, open_ = await clinic.invited(), await clinic.accepted()
    assert await refused(clinic, "chen", "POST", f"{ROOT}/{asked['id']}/join") == (409, "room.not_open")
    assert await refused(clinic, "wu", "POST", f"{ROOT}/{open_['id']}/join") == (403, "room.not_a_participant")
    await clinic.done("chen", "POST", f"{ROOT}/{open_['id']}/cancel", {"reason": "患者出院"})
    assert await refused(clinic, "li", "POST", f"{ROOT}/{open_['id']}/join") == (409, "room.not_open")


async def test_an_administrator_has_no_part_in_consultations(clinic):
    await clinic.telemed.administrator()
    assert await refused(clinic, "admin", "GET", ROOT) == (403, "forbidden")


async def test_every_deed_leaves_a_record(clinic):
    one = f"{ROOT}/{(await clinic.signed())['id']}"
    await clinic.done("li", "POST", f"{one}/join")
    await (await clinic.signed_in("chen")).get(f"{one}/opinion.pdf")
    await clinic.call("li", "POST", f"{one}/opinion/sign", {"version": 1, "password": PASSWORD})
    await clinic.done("chen", "POST", f"{one}/acknowledge", {"handling": "已处理"})
    async with clinic.database.read() as session:
        query = select(AuditRecord).where(AuditRecord.consultation_id.is_not(None)).order_by(AuditRecord.id)
        records = list(await session.scalars(query))
    assert [(record.actor_name, record.action) for record in records] == [
        ("陈静", "doctor:consultation:create"),
        ("李明华", "doctor:consultation:accept"),
        ("李明华", "doctor:opinion:sign"),
        ("李明华", "doctor:room:join"),
        ("陈静", "doctor:opinion:print"),
        ("陈静", "doctor:consultation:acknowledge"),
    ]
    assert {(record.study_id is not None, record.outcome) for record in records} == {(True, "success")}


async def test_a_page_that_fetches_again_is_one_look_within_five_minutes(clinic):
    one = f"{ROOT}/{(await clinic.invited())['id']}"
    for minutes in (0, 4, 2):
        clinic.clock.advance(minutes=minutes)
        await clinic.done("li", "GET", one)
    async with clinic.database.read() as session:
        query = select(AuditRecord.actor_name).where(AuditRecord.action == "doctor:consultation:view")
        assert list(await session.scalars(query)) == ["李明华", "李明华"]


async def test_a_wrong_password_at_the_signature_is_recorded_as_a_failure(clinic):
    one = f"{ROOT}/{(await clinic.accepted())['id']}"
    await clinic.done("li", "PUT", f"{one}/opinion", {**OPINION, "version": 0})
    await clinic.call("li", "POST", f"{one}/opinion/sign", {"version": 1, "password": "wrong"})
    async with clinic.database.read() as session:
        query = select(AuditRecord.outcome).where(AuditRecord.action == "doctor:opinion:sign")
        assert list(await session.scalars(query)) == ["failure"]


async def test_both_hospitals_hear_of_a_change_and_nobody_else(clinic):
    ids = {name: clinic.users[name].id for name in ("chen", "wu", "outsider")}
    heard = {name: clinic.events.subscribe(await clinic.telemed.people.active(key)) for name, key in ids.items()}
    consultation = await clinic.invited()
    assert (await anext(heard["chen"].changes())).id == consultation["id"]
    assert (await anext(heard["wu"].changes())).id == consultation["id"]
    assert heard["outsider"].idle
