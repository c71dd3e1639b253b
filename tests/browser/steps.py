"""What people do on the pages, one function for each step, and how pictures are compared."""

import io
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

LETTER = {
    "reason": "右肺结节,性质待定",
    "purpose": "明确是否需要手术",
    "summary": "体检发现右肺结节三枚,无咳嗽咯血,既往体健。",
    "invited_hospital": "SH01",
    "requested_specialty": "胸外科",
    "requested_title": "主任医师",
    "scheduled_at": "2030-01-02T09:30",
}


def open_only_study(page: Page) -> str:
    """From the desk to the study of the demonstration; its key."""
    page.goto("/desk/studies")
    row = page.locator('[data-testid^="study-row-"]').first
    row.wait_for()
    study_id = row.get_attribute("data-testid").removeprefix("study-row-")
    page.goto(f"/studies/{study_id}")
    return study_id


def fill_invitation(page: Page) -> None:
    for name, value in LETTER.items():
        field = page.get_by_test_id(f"invite-{name}")
        if name == "invited_hospital":
            field.select_option(value)
        else:
            field.fill(value)


def invite(page: Page) -> str:
    """Send the invitation for the study that is open; the consultation's key."""
    page.get_by_test_id("study-invite").click()
    fill_invitation(page)
    page.get_by_test_id("invite-submit").click()
    page.get_by_test_id("consult-timeline").wait_for()
    return page.url.rsplit("/", 1)[-1]


def enter_room(page: Page, consultation: str) -> None:
    page.goto(f"/consultations/{consultation}/room")
    page.get_by_test_id("room-enter").click()
    wait_for_image(page)


def wait_for_image(page: Page) -> None:
    page.locator('[data-testid="viewport"][data-rendered="true"]').wait_for(timeout=30_000)


def shown(page: Page) -> tuple[str, str]:
    """Which instance and frame the viewport shows."""
    viewport = page.get_by_test_id("viewport")
    return viewport.get_attribute("data-sop"), viewport.get_attribute("data-frame")


def expect_shown(page: Page, what: tuple[str, str]) -> None:
    selector = f'[data-testid="viewport"][data-rendered="true"][data-sop="{what[0]}"][data-frame="{what[1]}"]'
    page.locator(selector).wait_for(timeout=10_000)


def scroll(page: Page, steps: int) -> None:
    """Turn the wheel over the image."""
    page.get_by_test_id("viewport").hover()
    for _ in range(abs(steps)):
        page.mouse.wheel(0, 100 if steps > 0 else -100)


def middle(page: Page) -> tuple[float, float]:
    box = page.get_by_test_id("viewport").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, right: float, down: float, button: str) -> None:
    """From the middle of the image by so many pixels of the screen."""
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up(button=button)


def turn_window(page: Page, right: float, down: float) -> None:
    """Width and centre by dragging with the right button."""
    drag(page, right, down, "right")


def measure_length(page: Page) -> None:
    page.get_by_test_id("tool-length").click()
    drag(page, 90, 40, "left")


def picture(page: Page) -> NDArray[np.float64]:
    """The grey middle of the viewport, (rows, columns): pixels as they are on the screen, without corner texts."""
    image = np.asarray(Image.open(io.BytesIO(page.get_by_test_id("viewport").screenshot())).convert("L"), np.float64)
    rows, columns = image.shape
    return image[rows // 4 : -rows // 4, columns // 4 : -columns // 4]


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Mean absolute difference in grey levels of two pictures of one size."""
    assert one.shape == other.shape
    return float(np.abs(one - other).mean())


def expect_frames_decoded(page: Page) -> None:
    """The other side's video arrives: the browser's own count of decoded frames, from getStats, has two digits."""
    tile = page.locator('[data-testid^="tile-"][data-frames]:not([data-state="me"])').first
    expect(tile).to_have_attribute("data-frames", re.compile(r"^\d{2,}$"), timeout=30_000)


def say(page: Page, text: str) -> None:
    page.get_by_test_id("room-tab-chat").click()
    page.get_by_test_id("room-chat-input").fill(text)
    page.get_by_test_id("room-chat-send").click()


def expect_said(page: Page, text: str) -> None:
    page.get_by_test_id("room-tab-chat").click()
    expect(page.get_by_test_id("room-chat-lines")).to_contain_text(text)


def sign_opinion(page: Page, password: str) -> None:
    page.get_by_test_id("room-tab-opinion").click()
    page.get_by_test_id("opinion-findings").fill("右肺上叶见一枚实性结节,边缘光整。")
    page.get_by_test_id("opinion-conclusion").fill("右肺结节,建议随访。")
    page.get_by_test_id("opinion-advice").fill("三个月后复查胸部CT。")
    page.locator('[data-testid="opinion-save"][data-state="saved"]').wait_for()
    page.get_by_test_id("opinion-sign").click()
    page.get_by_test_id("opinion-password").fill(password)
    page.get_by_test_id("opinion-sign-confirm").click()
    page.locator('[data-testid="opinion-state"][data-signed="true"]').wait_for()


def drop_folder(page: Page, folder: Path) -> None:
    page.goto("/upload")
    page.get_by_test_id("upload-input-files").set_input_files([str(path) for path in sorted(folder.iterdir())])
