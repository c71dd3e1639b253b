import asyncio

from sqlalchemy import func, select

from telemed.people.tables import LoginSessionRow, SignInAttemptRow, UserRow
from telemed.web import COOKIE
from tests.telemed_people import CHEAP, PASSWORD, sign_in

SESSION = "/api/v1/session"


def cookie_of(client):
    return client.session.cookie_jar.filter_cookies(client.make_url("/"))[COOKIE].value


async def code_of(reply):
    return reply.status, (await reply.json())["code"]


async def test_signing_in_tells_who_one_is(client):
    reply = await client.post(SESSION, json={"username": " WANG ", "password": PASSWORD})
    user = (await reply.json())["user"]
    assert (user["username"], user["role"], user["hospital"]["code"]) == ("wang", "doctor", "WZ01")
    assert (await (await client.get(SESSION)).json())["user"] == user


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client):
    reply = await client.post(SESSION, json={"username": "wang", "password": PASSWORD})
    cookie = reply.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert not cookie["secure"]  # the test server speaks plain http


async def test_the_database_does_not_hold_the_token(wang, telemed):
    async with telemed.database.read() as session:
        (row,) = await session.scalars(select(LoginSessionRow))
    assert cookie_of(wang) not in {row.id, row.user_id}


async def test_wrong_password_and_unknown_user_get_one_answer(client):
    wrong = await client.post(SESSION, json={"username": "wang", "password": "wrong password"})
    unknown = await client.post(SESSION, json={"username": "nobody", "password": "wrong password"})
    documents = [await wrong.json(), await unknown.json()]
    assert [document.pop("instance") != "" for document in documents] == [True, True]
    assert documents[0] == documents[1]
    assert (wrong.status, documents[0]["code"]) == (401, "session.bad_credentials")


async def test_signing_in_again_ends_the_session_before(wang, telemed):
    before = cookie_of(wang)
    await sign_in(wang, "wang")
    assert cookie_of(wang) != before
    assert await telemed.sessions.find(before) is None
    assert await telemed.sessions.find(cookie_of(wang)) is not None


async def test_signing_out_ends_the_session_on_the_server(wang, telemed):
    token = cookie_of(wang)
    reply = await wang.delete(SESSION)
    assert (reply.status, reply.cookies[COOKIE].value) == (204, "")
    assert await telemed.sessions.find(token) is None


async def test_a_session_ends_after_two_idle_hours(wang, telemed):
    telemed.clock.advance(hours=1, minutes=59)
    assert (await wang.get(SESSION)).status == 200
    telemed.clock.advance(hours=2)
    assert (await wang.get(SESSION)).status == 401


async def test_a_session_ends_after_twelve_hours_whatever_the_activity(wang, telemed):
    statuses = []
    for _ in range(8):
        telemed.clock.advance(hours=1, minutes=30)
        statuses.append((await wang.get(SESSION)).status)
    assert statuses == [200] * 7 + [401]


async def test_use_is_noted_at_most_once_a_minute(wang, telemed):
    async def seen_at():
        async with telemed.database.read() as session:
            return await session.scalar(select(LoginSessionRow.seen_at))

    first = await seen_at()
    telemed.clock.advance(seconds=59)
    await wang.get(SESSION)
    assert await seen_at() == first
    telemed.clock.advance(seconds=1)
    await wang.get(SESSION)
    assert await seen_at() == telemed.clock.now


async def test_disabling_a_user_ends_the_session_at_once(wang, admin):
    users = (await (await admin.get("/api/v1/users")).json())["items"]
    (user_id,) = [user["id"] for user in users if user["username"] == "wang"]
    assert (await admin.patch(f"/api/v1/users/{user_id}", json={"disabled": True})).status == 200
    assert (await wang.get(SESSION)).status == 401
    reply = await wang.post(SESSION, json={"username": "wang", "password": PASSWORD})
    assert await code_of(reply) == (401, "session.bad_credentials")


async def test_a_new_password_ends_the_sessions_of_the_old(wang, admin):
    users = (await (await admin.get("/api/v1/users")).json())["items"]
    (user_id,) = [user["id"] for user in users if user["username"] == "wang"]
    await admin.patch(f"/api/v1/users/{user_id}", json={"password": "quite another one"})
    assert (await wang.get(SESSION)).status == 401
    await sign_in(wang, "wang", "quite another one")


async def test_guessing_is_stopped_and_told_when_to_try_again(client, telemed):
    guess = {"username": "wang", "password": "wrong password"}
    replies = [await client.post(SESSION, json=guess) for _ in range(9)]
    assert [reply.status for reply in replies] == [401] * 8 + [429]
    assert await code_of(replies[-1]) == (429, "session.too_many_attempts")
    assert replies[-1].headers["Retry-After"] == "900"
    right = await client.post(SESSION, json={"username": "wang", "password": PASSWORD})
    assert right.status == 429
    records = await telemed.audit.listing(action="user:session:create")
    assert [(record.outcome, record.actor_name) for record in records] == [("failure", "王医生")] * 10
    telemed.clock.advance(minutes=15)
    await sign_in(client, "wang")


async def test_guesses_sent_at_once_cannot_pass_together(client):
    guess = {"username": "wang", "password": "wrong password"}
    replies = await asyncio.gather(*(client.post(SESSION, json=guess) for _ in range(20)))
    assert sum(reply.status == 401 for reply in replies) == 8


async def test_a_good_sign_in_clears_the_failures(client, telemed):
    await client.post(SESSION, json={"username": "wang", "password": "wrong password"})
    await sign_in(client, "wang")
    async with telemed.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SignInAttemptRow)) == 0


async def test_an_old_hash_is_renewed_at_sign_in(client, telemed):
    old = CHEAP.__class__(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with telemed.database.write() as session:
        (await session.scalar(select(UserRow).where(UserRow.username == "wang"))).password_hash = old
    await sign_in(client, "wang")
    async with telemed.database.read() as session:
        renewed = await session.scalar(select(UserRow.password_hash).where(UserRow.username == "wang"))
    assert "t=1" in renewed
    await sign_in(client, "wang")


async def test_a_page_of_another_site_cannot_sign_one_in(client):
    body = {"username": "wang", "password": PASSWORD}
    reply = await client.post(SESSION, json=body, headers={"Origin": "https://evil.example"})
    assert await code_of(reply) == (403, "csrf.cross_site")


async def test_sign_ins_good_and_bad_are_audited_without_what_was_typed(client, telemed):
    await client.post(SESSION, json={"username": "my secret password", "password": "x"})
    await sign_in(client, "wang")
    good, bad = (await telemed.audit.listing(action="user:session:create"))[:2]
    assert (good.outcome, good.actor_kind, good.actor_name, good.address) == ("success", "user", "王医生", "127.0.0.1")
    assert (bad.outcome, bad.actor_kind, bad.actor_id, bad.actor_name) == ("failure", "anonymous", "", "")


async def test_sweeping_removes_ended_sessions_and_old_attempts(wang, telemed):
    await wang.post(SESSION, json={"username": "li", "password": "wrong password"})
    telemed.clock.advance(hours=12)
    await telemed.sessions.sweep()
    async with telemed.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(LoginSessionRow)) == 0
        assert await session.scalar(select(func.count()).select_from(SignInAttemptRow)) == 0


async def test_confirming_the_password_counts_as_an_attempt(wang, telemed):
    (doctor,) = await telemed.people.doctors("WZ01")
    person = await telemed.people.active(doctor.id)
    await telemed.sessions.confirm(person, PASSWORD, address="")
    outcomes = []
    for _ in range(9):
        try:
            await telemed.sessions.confirm(person, "wrong password", address="")
        except Exception as refusal:
            outcomes.append(refusal.code)
    assert outcomes == ["session.bad_credentials"] * 8 + ["session.too_many_attempts"]
