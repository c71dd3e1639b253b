"""Stock OHIF opens our studies: study list, series, pixels on the canvas (checklist T27b, T41b)."""

import base64
import io
import os
import shutil
import urllib.request
from collections.abc import Iterator

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless

from tests import ohif
from tests.browser.conftest import FLAGS
from tests.samples import ct_series, enhanced_ct, rle, to_bytes, uid
from tests.servers import ServerProcess, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WIDE = {"width": 1600, "height": 900}


def studies() -> dict[str, list[bytes]]:
    """By key: a plain series, the same compressed without loss in two ways, and all slices in one object."""
    jpeg_ls = ct_series("ohif-jpeg-ls", 3, 128)
    for data in jpeg_ls:
        data.PixelData = encapsulate([imagecodecs.jpegls_encode(data.pixel_array)])
        data["PixelData"].is_undefined_length = True
        data.file_meta.TransferSyntaxUID = JPEGLSLossless
    multi = enhanced_ct(6, 128, "ohif-multi")
    multi.RescaleIntercept, multi.RescaleSlope = -1024, 1
    multi.WindowCenter, multi.WindowWidth = -600, 1500
    found = {
        "ohif-plain": ct_series("ohif-plain", 5, 128),
        "ohif-rle": [rle(data) for data in ct_series("ohif-rle", 3, 128)],
        "ohif-jpeg-ls": jpeg_ls,
        "ohif-multi": [multi],
    }
    return {key: [to_bytes(data) for data in instances] for key, instances in found.items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("ohif") / "var", "--demo", TELEMED_REVIEW_QUIET_SECONDS="3600") as server:
        yield server


@pytest.fixture(scope="module")
def pages(server) -> Iterator[str]:
    """OHIF's address; the studies are stored."""
    key = server.demo["hospitals"][0]["api_key"]
    headers = {"Authorization": f"Bearer {key}"}

    for body in (body for instances in studies().values() for body in instances):
        kind = {"Content-Type": "application/dicom"}
        request = urllib.request.Request(f"{server.base_url}/dicom-web/studies", body, {**headers, **kind})
        assert urllib.request.urlopen(request).status == 200
    with ohif.served(server.base_url, headers) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("no Chromium on this machine (as root on Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, pages) -> Iterator[Page]:
    context = chromium.new_context(viewport=WIDE, base_url=pages)
    page = context.new_page()
    page.refused = []

    def note(reply) -> None:
        if "/dicom-web" in reply.url and reply.status >= 400:
            page.refused.append((reply.status, reply.url))

    page.on("response", note)
    yield page
    context.close()


def picture(page: Page) -> np.ndarray:
    """The middle third of the first viewport as grey levels, once something is drawn there."""
    canvas = page.locator("canvas.cornerstone-canvas").first
    canvas.wait_for(timeout=120_000)
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector('canvas.cornerstone-canvas');
          const small = new OffscreenCanvas(32, 32).getContext('2d');
          small.drawImage(canvas, 0, 0, 32, 32);
          const grey = small.getImageData(8, 8, 16, 16).data.filter((_, index) => index % 4 === 0);
          return Math.max(...grey) - Math.min(...grey) > 24;
        }""",
        timeout=120_000,
    )
    # The canvas itself: OHIF's guided tour lies over it.
    encoded = canvas.evaluate("canvas => canvas.toDataURL('image/png')").partition(",")[2]
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("L"), np.float64)
    rows, columns = image.shape
    side = min(rows, columns) // 3
    return image[rows // 2 - side // 2 : rows // 2 + side // 2, columns // 2 - side // 2 : columns // 2 + side // 2]


def expected(size: int = 128) -> float:
    """Mean grey level of the same third of the phantom under its own window, as the standard's formula gives it."""
    hounsfield = np.stack([data.pixel_array.astype(float) - 1024 for data in ct_series("ohif-plain", 5, size)])
    grey = np.clip((hounsfield - (-600 - 0.5)) / (1500 - 1) + 0.5, 0, 1) * 255
    third = slice(size // 2 - size // 6, size // 2 + size // 6)
    return float(grey[:, third, third].mean())


def test_t27b_the_study_list_shows_our_studies(page):
    page.goto("/")
    expect(page.get_by_text("Wang", exact=False).first).to_be_visible(timeout=60_000)
    assert page.refused == []


@pytest.mark.parametrize("key", ["ohif-plain", "ohif-rle", "ohif-jpeg-ls", "ohif-multi"])
def test_t41b_a_study_opens_and_its_pixels_are_right(page, key):
    page.goto(f"/viewer?StudyInstanceUIDs={uid(key, 'study')}")
    grey = picture(page)
    page.screenshot(path=f"artifacts/{key}.png")
    assert abs(grey.mean() - expected()) < 25
    assert page.refused == []
