"""The viewer beside the room: large images before they are complete, moving pictures, reports, repaired names."""

import urllib.request

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from pydicom import Dataset
from pydicom.uid import UltrasoundMultiFrameImageStorage

from tests.browser import steps
from tests.samples import ct_slice, named, patient_study, set_pixels, to_bytes, uid

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

DIGITAL_XRAY = "1.2.840.10008.5.1.4.1.1.1.1"
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"
THIN_LINK = {"offline": False, "latency": 5, "downloadThroughput": 6e6 / 8, "uploadThroughput": 6e6 / 8}


def store(server, data: Dataset) -> None:
    headers = {"Authorization": f"Bearer {server.key('WZ01')}", "Content-Type": "application/dicom"}
    request = urllib.request.Request(f"{server.base_url}/dicom-web/studies", to_bytes(data), headers)
    assert urllib.request.urlopen(request).status == 200


def open_study(page: Page, data: Dataset) -> None:
    rows = page.request.get("/api/v1/studies?limit=100").json()["items"]
    page.goto(f"/studies/{next(row['study_id'] for row in rows if row['study_instance_uid'] == data.StudyInstanceUID)}")


def radiograph() -> list[Dataset]:
    """One study: a small slice, and 1600 x 1600 pixels of 16 bits whose quarters differ, with noise."""
    slice_ = ct_slice("viewer radiograph", count=1, size=64)
    slice_.SeriesNumber = 1
    data = patient_study("viewer radiograph", DIGITAL_XRAY)
    data.SeriesInstanceUID = uid("viewer radiograph", "large series")
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid("viewer radiograph", "large")
    data.SeriesNumber, data.Modality, data.PixelSpacing = 3, "DX", [0.2, 0.2]
    quarters = np.kron([[5_000, 20_000], [35_000, 50_000]], np.ones((800, 800)))
    noise = np.random.default_rng(1).normal(0, 300, quarters.shape)
    data.WindowCenter, data.WindowWidth = 27_500, 55_000
    set_pixels(data, (quarters + noise).astype(np.uint16))
    return [slice_, data]


def test_a_large_image_is_drawn_coarse_then_exact_and_says_so(open_page, server, shot):
    scout, large = radiograph()
    for data in (scout, large):
        store(server, data)
    page = open_page(server.login("WZ01"))
    open_study(page, scout)
    steps.wait_for_image(page)
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", THIN_LINK)
    page.get_by_test_id(f"series-{large.SeriesInstanceUID}").click()
    page.locator('[data-testid="viewport"][data-rough="true"][data-drawn="true"]').wait_for()
    expect(page.get_by_test_id("viewer-rough")).to_be_visible()
    assert page.get_by_test_id("viewport").get_attribute("data-rendered") == "false"
    coarse = steps.picture(page)
    shot(page, "viewer-coarse")
    page.locator('[data-testid="viewport"][data-rendered="true"]').wait_for(timeout=60_000)
    expect(page.get_by_test_id("viewer-rough")).to_have_count(0)
    exact = steps.picture(page)
    # The same place and the same greys: only the noise is finer. The label covers little.
    assert steps.difference(coarse, exact) < 6
    assert exact.std() > 30


def test_a_moving_picture_plays_at_its_own_rate_and_stops(open_page, server, shot):
    data = patient_study("viewer cine", UltrasoundMultiFrameImageStorage)
    data.Modality, data.CineRate, data.FrameTime = "US", 20, 50
    set_pixels(data, np.repeat(np.arange(8, dtype=np.uint8) * 30, 64 * 64).reshape(8, 64, 64))
    store(server, data)
    page = open_page(server.login("WZ01"))
    open_study(page, data)
    steps.wait_for_image(page)
    button, viewport = page.get_by_test_id("viewer-play"), page.get_by_test_id("viewport")
    assert "20" in button.get_attribute("aria-label")
    button.click()
    for index in ("7", "0"):  # to the end and round
        page.locator(f'[data-testid="viewport"][data-index="{index}"]').wait_for()
    shot(page, "viewer-cine")
    page.keyboard.press("c")
    expect(button).to_have_attribute("aria-pressed", "false")
    stopped = viewport.get_attribute("data-index")
    steps.wait_for_image(page)
    assert viewport.get_attribute("data-index") == stopped


def test_a_report_is_read_and_a_repaired_name_says_so(open_page, server, shot):
    report = patient_study("viewer report", COMPREHENSIVE_SR)
    report.Modality = "SR"
    name, item = Dataset(), Dataset()
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = "121071", "DCM", "Finding"
    item.RelationshipType, item.ValueType, item.TextValue = "CONTAINS", "TEXT", "右肺上叶结节"
    item.ConceptNameCodeSequence = [name]
    report.ContentSequence = [item]
    store(server, report)
    mislabelled = named("gbk_labelled_latin1", "viewer repaired")
    store(server, mislabelled)
    page = open_page(server.login("WZ01"))
    open_study(page, report)
    expect(page.get_by_test_id("object-report")).to_contain_text("右肺上叶结节")
    shot(page, "viewer-report")
    open_study(page, mislabelled)
    expect(page.get_by_test_id("study-remarks")).to_contain_text("中文编码")
    steps.wait_for_image(page)
    assert page.problems == []
