import numpy as np
import pytest

from reviewer.volume import NotAVolume, hounsfield, stacked
from tests.samples import ct_series, multi_frame


@pytest.fixture
def images():
    return ct_series("volume", count=5, size=32)


def test_slices_are_sorted_by_position_not_by_number_or_order(images):
    volume = stacked([images[index] for index in (3, 0, 4, 1, 2)])
    assert volume.sop_instance_uids == tuple(str(image.SOPInstanceUID) for image in reversed(images))
    assert volume.hu.shape == (5, 32, 32)
    assert volume.spacing_mm == (3.0, 11.25, 11.25)


def test_values_are_hounsfield_units(images):
    values = hounsfield(images[0])
    assert (values.dtype, values.min(), values.max()) == (np.float32, -1000, 700)


def changed(images, keyword, value):
    setattr(images[1], keyword, value)
    return images


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda images: images[:1], "fewer than two"),
        (lambda images: changed(images, "PixelSpacing", None), "no PixelSpacing"),
        (lambda images: changed(images, "ImagePositionPatient", images[0].ImagePositionPatient), "same place"),
        (lambda images: changed(images, "ImageOrientationPatient", [1, 0, 0, 0, 0, -1]), "different directions"),
        (lambda images: changed(images, "Rows", 16), "different sizes"),
        (lambda images: changed(images, "NumberOfFrames", 3), "several frames"),
        (lambda _: [multi_frame(), multi_frame()], "no ImageOrientationPatient"),
    ],
)
def test_what_does_not_stack_is_told_why(images, break_it, reason):
    with pytest.raises(NotAVolume, match=reason):
        stacked(break_it(images))
