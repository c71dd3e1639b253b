"""What an eye sees of every kind of pixels, against pictures worked out by hand (checklist T47, T50)."""

import io
from copy import deepcopy

import numpy as np
import pytest
from PIL import Image

from imaging.dicom.layout import Layout
from imaging.dicom.reading import ReadingLimits, examine
from imaging.dicom.rendering import RenderOptions, Viewport, render
from tests.picture_phantoms import all_phantoms
from tests.samples import to_bytes

PHANTOMS = all_phantoms()


@pytest.fixture
def picture(tmp_path):
    """(data set, options) → what is shown, (rows, columns) or (rows, columns, 3)."""

    def shown(data, **options):
        path = tmp_path / "instance"
        path.write_bytes(to_bytes(data))
        found = examine(path, ReadingLimits())
        layout = Layout.from_json(found.layout)
        options = RenderOptions(media_type="image/png", **options)
        return np.asarray(
            Image.open(io.BytesIO(render(path, found.transfer_syntax_uid, layout, found.metadata_json, options)))
        )

    return shown


@pytest.mark.parametrize("name", PHANTOMS)
def test_t50_a_picture_is_what_the_standard_asks_for(picture, name):
    phantom = PHANTOMS[name]
    found = picture(phantom.data, frame=phantom.frame).astype(int)
    assert found.shape == phantom.shown.shape
    # Halves may be rounded either way.
    assert np.abs(found - phantom.shown).max() <= 1
    assert np.mean(found != phantom.shown) < 0.1


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({}, (16, 8)),
        ({"PixelAspectRatio": [2, 1]}, (16, 16)),
        ({"PixelAspectRatio": [1, 2]}, (32, 8)),
        ({"PixelSpacing": [0.8, 0.4]}, (16, 16)),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelAspectRatio": [2, 1]}, (16, 8)),
        ({"PixelAspectRatio": [1000, 1]}, (16, 8)),
        ({"PixelAspectRatio": [0, 1]}, (16, 8)),
    ],
)
def test_t50_pixels_that_are_not_square_are_stretched(picture, attributes, size):
    data = deepcopy(PHANTOMS["square pixels"].data)
    del data.PixelAspectRatio
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    assert picture(data).shape[::-1] == size
    width, height = size
    fitted = picture(data, viewport=Viewport(16, 16)).shape[::-1]
    assert fitted == (round(width * 16 / max(size)), round(height * 16 / max(size)))


def test_t50_a_region_is_cut_out_before_pixels_are_stretched(picture):
    data = deepcopy(PHANTOMS["square pixels"].data)
    data.PixelAspectRatio = [2, 1]
    assert picture(data, viewport=Viewport(40, 40, (0, 0, 16, 4))).shape == (20, 40)
