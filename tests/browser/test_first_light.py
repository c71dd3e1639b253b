"""The whole way once: invitation, acceptance, two browsers on one image, findings, opinion, acknowledgement."""

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser import steps

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def consultation(open_page, server):
    """An accepted consultation about the demonstration's study: (requester's page, expert's page, key)."""
    requester, expert = server.login("WZ01"), server.login("SH01")
    asking = open_page(requester)
    steps.open_only_study(asking)
    key = steps.invite(asking)
    answering = open_page(expert, f"/consultations/{key}")
    answering.get_by_test_id("consult-accept").click()
    answering.get_by_test_id("consult-accept-confirm").click()
    answering.get_by_test_id("consult-join").wait_for()
    yield asking, answering, key
    # An expert who still has another consultation about the study keeps seeing it; refused where it is over already.
    withdrawal = {"headers": {"Origin": server.base_url}, "data": {"reason": "测试结束"}}
    asking.request.post(f"/api/v1/consultations/{key}/cancel", **withdrawal)


def both_inside(consultation) -> tuple[Page, Page]:
    asking, answering, key = consultation
    steps.enter_room(asking, key)
    steps.enter_room(answering, key)
    return asking, answering


def take_control(page: Page) -> None:
    """Become the presenter: at once when nobody is, else by asking and being given it."""
    if page.get_by_test_id("room-control").get_attribute("data-presenting") != "true":
        page.get_by_test_id("room-control-take").click()


def hand_over(giver: Page, taker: Page) -> None:
    if taker.get_by_test_id("room-control").get_attribute("data-presenting") == "true":
        return
    take_control(taker)
    grant = giver.locator('[data-testid^="room-grant-"]')
    presenting = taker.locator('[data-testid="room-control"][data-presenting="true"]')
    grant.or_(giver.get_by_test_id("room-following")).first.wait_for()
    if grant.count():
        grant.first.click()
    presenting.wait_for()


def test_an_invitation_appears_on_the_expert_s_open_worklist(open_page, server, shot):
    answering = open_page(server.login("HZ01"), "/desk/received")
    asking = open_page(server.login("WZ01"))
    steps.open_only_study(asking)
    asking.get_by_test_id("study-invite").click()
    steps.fill_invitation(asking)
    asking.get_by_test_id("invite-invited_hospital").select_option("HZ01")
    asking.get_by_test_id("invite-requested_specialty").fill("呼吸内科")
    asking.get_by_test_id("invite-requested_title").fill("主任医师")
    asking.get_by_test_id("invite-submit").click()
    asking.get_by_test_id("consult-timeline").wait_for()
    key = asking.url.rsplit("/", 1)[-1]
    row = answering.get_by_test_id(f"desk-row-{key}")
    row.or_(answering.get_by_test_id("fresh-rows")).first.wait_for()
    shot(answering, "desk-received")
    if not row.count():
        answering.get_by_test_id("fresh-rows").click()
    expect(row).to_be_visible()


def test_declining_needs_a_reason_and_the_requester_reads_it(open_page, server):
    asking = open_page(server.login("WZ01"))
    steps.open_only_study(asking)
    key = steps.invite(asking)
    answering = open_page(server.login("SH01"), f"/consultations/{key}")
    answering.get_by_test_id("consult-decline").click()
    answering.get_by_test_id("consult-decline-confirm").click()
    expect(answering.get_by_test_id("consult-decline-text")).to_be_visible()
    answering.get_by_test_id("consult-decline-text").fill("当日手术,请改期")
    answering.get_by_test_id("consult-decline-confirm").click()
    expect(asking.get_by_test_id("consult-reason")).to_contain_text("当日手术,请改期")


def test_both_sides_see_each_other_and_one_image(consultation, shot):
    asking, answering = both_inside(consultation)
    steps.expect_frames_decoded(answering)
    steps.expect_frames_decoded(asking)
    hand_over(answering, asking)
    before = steps.picture(answering)
    steps.scroll(asking, 6)
    steps.wait_for_image(asking)
    now = steps.shown(asking)
    steps.expect_shown(answering, now)
    mine, theirs = steps.picture(asking), steps.picture(answering)
    assert steps.difference(before, theirs) > 1.0
    assert steps.difference(mine, theirs) < 1.0
    steps.say(asking, "请看右肺上叶")
    steps.expect_said(answering, "请看右肺上叶")
    shot(answering, "room-expert")
    assert asking.problems == []
    assert answering.problems == []


def test_window_zoom_and_measurements_of_the_presenter_appear_on_the_other_side(consultation, shot):
    asking, answering = both_inside(consultation)
    hand_over(answering, asking)
    steps.turn_window(asking, 60, 30)
    asking.keyboard.press("+")
    viewport = asking.get_by_test_id("viewport")
    expect(viewport).not_to_have_attribute("data-window", "-600/1500")
    expect(viewport).not_to_have_attribute("data-zoom", "1")
    window, zoom = viewport.get_attribute("data-window"), viewport.get_attribute("data-zoom")
    expect(answering.get_by_test_id("viewport")).to_have_attribute("data-window", window)
    expect(answering.get_by_test_id("viewport")).to_have_attribute("data-zoom", zoom)
    steps.measure_length(asking)
    mark = answering.locator('g[data-testid^="mark-"][data-kind="length"]')
    expect(mark).to_contain_text("mm")
    expect(mark).to_contain_text("林晓帆")
    steps.wait_for_image(answering)
    assert steps.difference(steps.picture(asking), steps.picture(answering)) < 2.0
    shot(answering, "room-measurement")


def test_control_goes_over_to_the_expert(consultation):
    asking, answering = both_inside(consultation)
    hand_over(answering, asking)
    hand_over(asking, answering)
    steps.scroll(answering, 4)
    steps.wait_for_image(answering)
    steps.expect_shown(asking, steps.shown(answering))
    assert steps.difference(steps.picture(asking), steps.picture(answering)) < 1.0


def test_a_reload_brings_back_the_chat_and_the_image(consultation):
    asking, answering = both_inside(consultation)
    hand_over(answering, asking)
    steps.say(asking, "刷新之前")
    steps.scroll(asking, 5)
    steps.wait_for_image(asking)
    now = steps.shown(asking)
    steps.expect_shown(answering, now)
    steps.enter_room(answering, consultation[2])
    steps.expect_said(answering, "刷新之前")
    steps.expect_shown(answering, now)
    assert steps.difference(steps.picture(asking), steps.picture(answering)) < 1.0


def test_a_lost_link_says_so_and_comes_back_by_itself(consultation, server, shot):
    asking, answering = both_inside(consultation)
    steps.say(asking, "断线之前")
    steps.expect_said(answering, "断线之前")
    before = steps.shown(answering)
    server.link.cut()
    answering.get_by_test_id("room-reconnecting").wait_for()
    shot(answering, "room-reconnecting")
    assert steps.shown(answering) == before
    server.link.mend()
    answering.get_by_test_id("room-reconnecting").wait_for(state="hidden")
    steps.say(asking, "断线之后")
    steps.expect_said(answering, "断线之后")
    steps.expect_said(answering, "断线之前")


def test_findings_lie_on_the_image_and_are_assessed(open_page, server, shot):
    page = open_page(server.login("WZ01", 1))
    steps.open_only_study(page)
    finding = page.locator('li[data-testid^="finding-"]').first
    finding.wait_for(timeout=90_000)
    key = finding.get_attribute("data-testid").removeprefix("finding-")
    finding.get_by_role("button").first.click()
    steps.wait_for_image(page)
    page.get_by_test_id(f"finding-shape-{key}").wait_for()
    shot(page, "study-findings")
    page.get_by_test_id(f"finding-accept-{key}").click()
    expect(page.get_by_test_id(f"finding-{key}")).to_contain_text("陈海燕")


def test_the_opinion_is_signed_acknowledged_and_printed(consultation, server, shot):
    asking, answering = both_inside(consultation)
    key = consultation[2]
    steps.sign_opinion(answering, server.login("SH01")["password"])
    shot(answering, "room-opinion-signed")
    asking.goto(f"/consultations/{key}")
    expect(asking.get_by_test_id("consult-opinion")).to_contain_text("建议随访")
    asking.get_by_test_id("consult-acknowledge").click()
    asking.get_by_test_id("consult-acknowledge-text").fill("已告知患者,安排随访")
    asking.get_by_test_id("consult-acknowledge-confirm").click()
    expect(asking.get_by_test_id("consult-handling")).to_contain_text("安排随访")
    shot(asking, "consultation-completed")
    reply = asking.request.get(f"/api/v1/consultations/{key}/opinion.pdf")
    (steps_pdf := server.data.parent / "opinion.pdf").write_bytes(reply.body())
    text = "".join(page.extract_text() for page in PdfReader(steps_pdf).pages)
    assert "建议随访" in text
    assert "周慕云" in text
    assert answering.request.get(f"/api/v1/studies/{study_of(asking, key)}").status == 404


def study_of(page: Page, key: str) -> str:
    return page.request.get(f"/api/v1/consultations/{key}").json()["study"]["study_id"]
