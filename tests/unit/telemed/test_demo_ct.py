from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import UID

from telemed import demo_ct
from telemed.demo_ct import NODULES, PIXEL_MM, SIZE, SLICE_MM, SLICES, plane_hu, slice_z_mm

TAKEN_AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


@pytest.fixture
def slices(monkeypatch):
    """The whole study, without the work of drawing it."""
    monkeypatch.setattr(demo_ct, "plane_hu", lambda index: np.zeros((SIZE, SIZE)))
    return [dcmread(BytesIO(file)) for file in demo_ct.study("test", TAKEN_AT)]


def first_slice(seed="test"):
    return dcmread(BytesIO(next(demo_ct.study(seed, TAKEN_AT))))


def pixel(mm):
    return round(mm / PIXEL_MM + (SIZE - 1) / 2)


def nearest_slice(z):
    return min(range(SLICES), key=lambda index: abs(slice_z_mm(index) - z))


def test_the_study_is_one_series_of_distinct_slices_from_head_to_foot(slices):
    assert len(slices) == SLICES == len({row.SOPInstanceUID for row in slices})
    assert len({(row.StudyInstanceUID, row.SeriesInstanceUID, row.FrameOfReferenceUID) for row in slices}) == 1
    heights = [row.ImagePositionPatient[2] for row in slices]
    assert np.diff(heights) == pytest.approx(-SLICE_MM)


def test_the_patient_has_a_chinese_name(slices):
    assert slices[0].PatientName.ideographic == "王^小东"


def test_uids_and_pixels_repeat_and_another_seed_gives_other_uids():
    first, again, other = first_slice(), first_slice(), first_slice("other")
    assert again == first
    assert UID(other.StudyInstanceUID).is_valid
    assert other.StudyInstanceUID != first.StudyInstanceUID


def test_stored_values_rescale_to_hounsfield_units():
    first = first_slice()
    stored = first.pixel_array * first.RescaleSlope + first.RescaleIntercept
    assert np.abs(stored - plane_hu(0).clip(-1024)).max() <= 0.5


@pytest.mark.parametrize("nodule", NODULES)
def test_each_nodule_is_a_dense_spot_in_the_lung(nodule):
    plane = plane_hu(nearest_slice(nodule.z))
    row, column = pixel(nodule.y), pixel(nodule.x)
    centre = plane[row - 1 : row + 2, column - 1 : column + 2].mean()
    reach = round((nodule.radius + 5) / PIXEL_MM)
    around = np.median([plane[row - reach, column], plane[row + reach, column], plane[row, column - reach]])
    assert centre > -150
    assert around < -600


def test_there_are_two_lungs_in_the_middle_slice():
    middle = plane_hu(SLICES // 2)
    for side in (-72, 72):
        block = middle[pixel(-20) : pixel(20), pixel(side) - 20 : pixel(side) + 20]
        assert np.median(block) == pytest.approx(-860, abs=40)
