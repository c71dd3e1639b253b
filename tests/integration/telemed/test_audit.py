import pytest

from telemed.audit import SYSTEM, Action, Actor, Entry, Purpose
from tests.telemed_people import open_telemed, sign_in


@pytest.fixture
async def telemed(database_url):
    telemed = await open_telemed(database_url)
    await telemed.administrator()
    yield telemed
    await telemed.database.close()


@pytest.fixture
async def admin(telemed):
    client = await telemed.client()
    await sign_in(client, "admin")
    yield client
    await client.close()


async def record_views(telemed, count):
    for number in range(count):
        telemed.clock.advance(seconds=1)
        doctor = Actor("user", f"u{number % 2}", "王医生", "WZ01")
        await telemed.audit.record(Entry(Action.USER_STUDY_VIEW, doctor, Purpose.TREATMENT))


async def items(client, **params):
    reply = await client.get("/api/v1/audit", params=params)
    return (await reply.json())["items"]


async def test_the_listing_goes_on_from_a_record(admin, telemed):
    await record_views(telemed, 5)
    first = await items(admin, limit=3, action="user:study:view")
    rest = await items(admin, limit=3, action="user:study:view", before=first[-1]["id"])
    listed = [row["id"] for row in first + rest]
    assert (len(first), len(set(listed))) == (3, 5)
    assert listed == sorted(listed, reverse=True)


async def test_the_listing_is_narrowed_by_actor_and_action(admin, telemed):
    await record_views(telemed, 4)
    assert {row["actor_id"] for row in await items(admin, actor="u1")} == {"u1"}
    assert [row["action"] for row in await items(admin, action="user:session:create")] == ["user:session:create"]


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "501"}, {"limit": "many"}, {"actor": "a\0"}])
async def test_a_listing_that_cannot_be_is_refused(admin, params):
    reply = await admin.get("/api/v1/audit", params=params)
    assert (reply.status, (await reply.json())["code"]) == (400, "invalid")


async def test_a_record_commits_with_its_deed_or_not_at_all(telemed):
    with pytest.raises(RuntimeError, match="boom"):
        async with telemed.database.write() as session:
            telemed.audit.add(session, Entry(Action.OPINION_SIGN, SYSTEM, Purpose.CONSULTATION))
            await session.flush()
            raise RuntimeError("boom")
    assert await telemed.audit.listing(action="doctor:opinion:sign") == []


def test_action_names_have_three_parts_and_are_distinct():
    parts = [action.split(":") for action in Action]
    assert {len(part) for part in parts} == {3}
    assert len(set(Action)) == len(parts)
