"""The viewer beside the room: moving pictures, reports, repaired names."""

import urllib.request

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from pydicom import Dataset
from pydicom.uid import UltrasoundMultiFrameImageStorage

from tests.browser import steps
from tests.samples import named, patient_study, set_pixels, to_bytes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"


def store(server, data: Dataset) -> None:
    headers = {"Authorization": f"Bearer {server.key('WZ01')}", "Content-Type": "application/dicom"}
    request = urllib.request.Request(f"{server.base_url}/dicom-web/studies", to_bytes(data), headers)
    assert urllib.request.urlopen(request).status == 200


def open_study(page: Page, data: Dataset) -> None:
    rows = page.request.get("/api/v1/studies?limit=100").json()["items"]
    page.goto(f"/studies/{next(row['study_id'] for row in rows if row['study_instance_uid'] == data.StudyInstanceUID)}")


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
