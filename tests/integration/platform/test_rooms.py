"""Live rooms over real sockets, with tickets from the API: who comes in, what is refused, and when it ends."""

import json

import pytest
from websockets.exceptions import InvalidStatus

from foundation.clock import utc_now
from tests.platforms import open_house
from tests.samples import ct_slice
from tests.telemed_people import TurnableClock

CHAT = {"text": "请看右肺上叶"}


@pytest.fixture
def clock():
    return TurnableClock(utc_now())


@pytest.fixture
async def house(tmp_path, clock):
    async with open_house(tmp_path, clock=clock) as house:
        yield house


@pytest.fixture
async def consultation(house):
    """Accepted by Li."""
    study = await house.store("WZ01", ct_slice("room", size=16))
    return await house.accepted(study["study_id"])


async def refusal(house, url, kind="hello", **body):
    """What an opening message is answered: the error's code and the code of the close."""
    page = await house.connected(url)
    await page.send(kind, **body)
    return await page.error(), await page.closed()


async def test_both_sides_meet_and_what_is_said_lasts(house, consultation):
    chen, li = await house.entered("chen", consultation), await house.entered("li", consultation)
    roles = [person["role"] for person in li.greeting["b"]["snapshot"]["participants"]]
    assert sorted(roles) == ["expert", "requester"]
    await chen.send("chat.send", "c1", **CHAT)
    assert (await li.message("chat.sent"))["b"]["text"] == CHAT["text"]
    later = await house.entered("zhou", consultation)
    assert [line["b"]["text"] for line in later.greeting["b"]["snapshot"]["chat"]] == [CHAT["text"]]


async def test_only_the_sides_and_only_while_it_is_open_get_a_ticket(house):
    study = await house.store("WZ01", ct_slice("closed", size=16))
    invited = await house.invited(study["study_id"])
    answers = {name: await house.call(name, "POST", f"{invited}/join", {}) for name in ("chen", "li", "outsider")}
    codes = {name: (status, problem["code"]) for name, (status, problem) in answers.items()}
    assert codes == {
        "chen": (409, "room.not_open"),
        "li": (403, "room.not_a_participant"),
        "outsider": (404, "consultation.not_found"),
    }
    await house.done("li", "POST", f"{invited}/accept", {})
    status, problem = await house.call("wu", "POST", f"{invited}/join", {})
    assert (status, problem["code"]) == (403, "room.not_a_participant")


async def test_a_page_learns_in_words_whether_it_may_enter_before_it_opens_a_socket(house):
    study = await house.store("WZ01", ct_slice("preflight", size=16))
    invited = await house.invited(study["study_id"])

    async def said(who):
        return (await house.done(who, "GET", f"{invited}/preflight"))["code"]

    assert [await said(who) for who in ("chen", "li")] == ["NOT_ACCEPTED", "NOT_ON_ROSTER"]
    await house.done("li", "POST", f"{invited}/accept", {})
    answer = await house.done("li", "GET", f"{invited}/preflight")
    assert (answer["code"], answer["protocol"], answer["sentence"]["zh"]) == ("READY", 1, "可以进入会诊室。")
    assert "scopes" in answer["features"]
    assert [await said(who) for who in ("chen", "wu")] == ["READY", "NOT_ON_ROSTER"]
    assert await house.status("outsider", f"{invited}/preflight") == 404
    house.platform.rooms.drain()
    assert await said("li") == "DRAINING"
    await house.done("chen", "POST", f"{invited}/cancel", {"reason": "转院"})
    assert await said("li") == "ENDED"


async def test_a_ticket_is_stale_after_five_minutes(house, consultation, clock):
    entrance = await house.join("li", consultation)
    clock.advance(minutes=5)
    answer = await refusal(house, entrance["signaling_url"], ticket=entrance["ticket"])
    assert answer == ("AUTH_TICKET_EXPIRED", 4014)


async def test_a_ticket_opens_once(house, consultation):
    entrance = await house.join("li", consultation)
    page = await house.connected(entrance["signaling_url"])
    assert (await page.greet("hello", ticket=entrance["ticket"])).greeting["k"] == "welcome"
    answer = await refusal(house, entrance["signaling_url"], ticket=entrance["ticket"])
    assert answer == ("AUTH_TICKET_USED", 4014)


async def test_a_ticket_opens_no_other_room(house, consultation):
    study = await house.store("WZ01", ct_slice("another", size=16))
    other = await house.join("li", await house.accepted(study["study_id"]))
    entrance = await house.join("li", consultation)
    answer = await refusal(house, other["signaling_url"], ticket=entrance["ticket"])
    assert answer == ("NOT_ALLOWED", 4501)


async def test_a_ticket_nobody_issued(house, consultation):
    entrance = await house.join("li", consultation)
    answer = await refusal(house, entrance["signaling_url"], ticket=entrance["ticket"][:-4] + "AAAA")
    assert answer == ("NOT_ALLOWED", 4501)


async def test_a_page_of_another_site_is_turned_away_before_it_speaks(house, consultation):
    entrance = await house.join("li", consultation)
    with pytest.raises(InvalidStatus) as refused:
        await house.connected(entrance["signaling_url"], origin="https://evil.example")
    assert refused.value.response.status_code == 403


async def test_a_message_before_hello(house, consultation):
    entrance = await house.join("li", consultation)
    assert await refusal(house, entrance["signaling_url"], "chat.send", **CHAT) == ("BAD_STATE", 4511)


async def test_what_cannot_be_read_costs_the_sender_an_answer_and_nobody_the_room(house, consultation):
    chen, li = await house.entered("chen", consultation), await house.entered("li", consultation)
    frames = {
        '{"v": 1, "k": "chat': "INVALID",
        "[]": "INVALID",
        json.dumps({"v": 1, "k": "chat.send", "b": {"text": 5}}): "INVALID",
        json.dumps({"v": 2, "k": "chat.send", "b": CHAT}): "UNSUPPORTED",
        json.dumps({"v": 1, "k": "fly", "b": {}}): "UNSUPPORTED",
        json.dumps({"v": 1, "k": "chat.send", "b": {"text": "x" * 70_000}}): "TOO_LARGE",
        json.dumps({"v": 1, "k": "hello", "b": {"ticket": "x"}}): "BAD_STATE",
        json.dumps({"v": 1, "k": "control.grant", "b": {"to": "nobody"}}): "BAD_STATE",
    }
    codes = {}
    for frame in frames:
        await chen.raw(frame)
        codes[frame] = await chen.error()
    assert codes == frames
    await chen.send("chat.send", "c1", **CHAT)
    assert (await li.message("chat.sent"))["b"]["text"] == CHAT["text"]


async def test_a_frame_without_measure_ends_its_socket_alone(house, consultation):
    chen, li = await house.entered("chen", consultation), await house.entered("li", consultation)
    await chen.raw("x" * (300 << 10))
    assert await chen.closed() == 1009
    await li.send("chat.send", "c1", **CHAT)
    assert (await li.message("chat.sent"))["b"]["text"] == CHAT["text"]


async def test_a_lost_link_comes_back_without_losing_what_was_said(house, consultation):
    chen, li = await house.entered("chen", consultation), await house.entered("li", consultation)
    welcome = li.greeting["b"]
    await li.drop()
    await chen.send("chat.send", "c1", **CHAT)
    await chen.message("chat.sent")
    history = welcome["snapshot"]["epoch"], welcome["snapshot"]["seq"]
    back = await resumed(house, consultation, welcome["resume_token"], history)
    assert back.greeting["b"]["recovered"] is True
    assert [event["b"]["text"] for event in back.greeting["b"]["events"]] == [CHAT["text"]]


async def resumed(house, consultation, token, history):
    url = (await house.join("chen", consultation))["signaling_url"]
    page = await house.connected(url)
    return await page.greet("resume", resume_token=token, epoch=history[0], seq=history[1])


async def test_a_disabled_account_does_not_come_back(house, consultation):
    li = await house.entered("li", consultation)
    await house.done("admin", "PATCH", f"/api/v1/users/{house.users['li'].id}", {"disabled": True})
    await li.drop()
    history = {"epoch": li.greeting["b"]["snapshot"]["epoch"], "seq": 0}
    url = (await house.join("chen", consultation))["signaling_url"]
    answer = await refusal(house, url, "resume", resume_token=li.greeting["b"]["resume_token"], **history)
    assert answer == ("AUTH_REVOKED", 4503)


@pytest.mark.parametrize("ending", ["completed", "cancelled"])
async def test_the_end_of_the_consultation_closes_the_room(house, consultation, clock, ending):
    chen, li = await house.entered("chen", consultation), await house.entered("li", consultation)
    late = await house.join("li", consultation)
    clock.advance(seconds=1)
    if ending == "completed":
        await house.signed(consultation)
        await house.acknowledged(consultation)
    else:
        await house.done("chen", "POST", f"{consultation}/cancel", {"reason": "已转院"})
    assert (await chen.closed(), await li.closed()) == (4504, 4504)
    assert await refusal(house, late["signaling_url"], ticket=late["ticket"]) == ("CLOSED", 4504)
    status, problem = await house.call("li", "POST", f"{consultation}/join", {})
    assert (status, problem["code"]) == (409, "room.not_open")


async def test_a_signed_opinion_leaves_the_room_open(house, consultation):
    chen = await house.entered("chen", consultation)
    await house.signed(consultation)
    await chen.send("chat.send", "c1", **CHAT)
    assert (await chen.message("chat.sent"))["b"]["text"] == CHAT["text"]
