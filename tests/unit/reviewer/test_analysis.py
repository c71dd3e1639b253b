import numpy as np
import pytest

from reviewer.analysis import FOUND, NOTHING_FOUND, NothingToDo, chest_report, quality_report
from tests.reviewer_phantoms import chest, ct_images
from tests.samples import ct_series, ct_slice, multi_frame, patient_study, set_pixels


def test_a_chest_ct_is_reported_with_its_candidates():
    volume, _ = chest(5, (12,), vessels=0)
    report = chest_report(ct_images(volume))
    assert report.code == FOUND
    assert report.text.startswith("胸部CT：")
    spot = report.spots[0]
    assert dict((name, unit) for name, _, unit in spot.values) == {  # noqa: C402
        "直径": "mm", "体积": "mm3", "平均密度": "[hnsf'U]", "启发式评分": "1",
    }  # fmt: skip
    assert "评分不是概率" in spot.description


def test_a_chest_without_candidates_says_that_nothing_was_found():
    volume, _ = chest(5, vessels=0)
    report = chest_report(ct_images(volume))
    assert (report.code, report.spots) == (NOTHING_FOUND, [])


@pytest.mark.parametrize(
    "images",
    [
        ct_series("few", count=4, size=16),
        [ct_slice("same", size=16)] * 6,
        [multi_frame()] * 6,
    ],
    ids=["too few", "one place", "not a CT volume"],
)
def test_what_is_no_chest_ct_is_left_to_the_quality_check(images):
    assert chest_report(images) is None


def test_a_ct_of_something_solid_is_no_chest():
    images = ct_series("solid", count=6, size=32)
    for image in images:
        set_pixels(image, np.full((32, 32), 1064, np.uint16))
    assert chest_report(images) is None


def test_every_frame_is_checked_and_the_conspicuous_ones_are_named():
    report = quality_report([multi_frame(frames=5)])
    assert "共测 5 帧，异常 5 帧" in report.text
    assert sorted(spot.frame for spot in report.spots) == [1, 2, 3, 4, 5]
    assert all(spot.circle is None for spot in report.spots)


def test_when_nothing_is_conspicuous_one_frame_still_shows_the_figures():
    report = quality_report([ct_slice("fine", size=64)])
    assert len(report.spots) == 1
    assert "未见异常" in report.spots[0].description


def test_colour_and_signed_pixels_are_measured_too():
    colour = patient_study("colour")
    set_pixels(colour, np.zeros((16, 48), np.uint8))
    colour.Columns, colour.SamplesPerPixel, colour.PhotometricInterpretation, colour.PlanarConfiguration = (
        16,
        3,
        "RGB",
        0,
    )
    signed = ct_slice("signed", size=16)
    signed.PixelRepresentation = 1
    assert "共测 2 帧" in quality_report([colour, signed]).text


def test_a_study_without_pixels_is_nothing_to_do():
    with pytest.raises(NothingToDo, match="pixels"):
        quality_report([patient_study("report")])
