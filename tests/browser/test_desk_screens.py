"""What people do beside the room: upload a folder, switch the language, mistype, ask for what is not theirs."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.samples import ct_series, to_bytes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
def folder(tmp_path):
    """Five slices of a study nobody has stored yet, a text, and a file cut off in its header."""
    for number, data in enumerate(ct_series("browser upload", count=5, size=64)):
        (tmp_path / f"IM{number}").write_bytes(to_bytes(data))
    (tmp_path / "readme.txt").write_text("not an image")
    (tmp_path / "cut.dcm").write_bytes(to_bytes(ct_series("browser cut", count=1, size=16)[0])[:600])
    return tmp_path


def statuses(page: Page) -> list[str]:
    """Each file's outcome, when all have one."""
    page.locator('[data-testid="upload-state"]:not([data-state="under_way"])').wait_for(timeout=30_000)
    return sorted(row.get_attribute("data-status") for row in page.locator('[data-testid^="upload-file-"]').all())


def test_a_dropped_folder_is_stored_file_by_file_and_dropping_again_resumes(open_page, server, folder, shot):
    page = open_page(server.login("WZ01"))
    steps.drop_folder(page, folder)
    assert statuses(page) == ["refused", "skipped", *["stored"] * 5]
    shot(page, "upload-outcome")
    steps.drop_folder(page, folder)
    assert statuses(page) == [*["already_stored"] * 5, "refused", "skipped"]
    page.goto("/desk/studies")
    expect(page.locator('[data-testid^="study-row-"]')).to_have_count(2)


def test_the_language_changes_and_the_page_stays(open_page, server):
    page = open_page(server.login("SH01"), "/desk/received")
    expect(page.get_by_test_id("tab-received")).to_contain_text("收到的会诊")
    page.get_by_test_id("language-switch").click()
    expect(page.get_by_test_id("tab-received")).to_contain_text("Received")
    assert page.url.endswith("/desk/received")


def test_a_study_one_may_not_see_is_a_page_that_says_so(open_page, server, shot):
    page = open_page(server.login("HZ01", 1), "/studies/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    page.get_by_test_id("state-error").wait_for()
    shot(page, "study-unknown")
    expect(page.get_by_test_id("state-error")).not_to_contain_text("404")


def test_a_wrong_password_is_refused_in_words(open_page):
    page = open_page()
    page.get_by_test_id("login-username").fill("wz01.lin")
    page.get_by_test_id("login-password").fill("wrong password")
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_test_id("refusal")).to_be_visible()
