"""The display pipeline against values computed by hand from PS3.3."""

import numpy as np
import pytest

from imaging.dicom.pixels import (
    Function,
    Lut,
    Window,
    expand_segments,
    full_range,
    grey,
    palette,
    rescale,
    rgb,
    voi_lut_curve,
    window_curve,
)

IDENTITY = rescale(1, 0)


@pytest.mark.parametrize(
    ("window", "values", "levels"),
    [
        # C.11.2.1.2.1 note: c=2048, w=4096 maps 0…4095 to the whole range.
        (Window(2048, 4096), [0, 2048, 4095], [0, 127.53, 255]),
        # note: c=2048, w=1 is a threshold at 2048.
        (Window(2048, 1), [2047, 2048], [0, 255]),
        # note: c=0, w=100: black up to -50, white from 49.
        (Window(0, 100), [-50, 49, -1, 60], [0, 255, 126.21, 255]),
        # C.11.2.1.3.2: linear exact keeps the ends at c ± w/2.
        (Window(0, 100, Function.LINEAR_EXACT), [-50, 0, 50], [0, 127.5, 255]),
        # C.11.2.1.3.1: sigmoid passes the middle at the centre.
        (Window(10, 4, Function.SIGMOID), [10, -1e6, 1e6, 11], [127.5, 0, 255, 186.42]),
    ],
)
def test_windows_follow_the_standard(window, values, levels):
    assert window_curve(window)(np.array(values, float)) == pytest.approx(levels, abs=0.01)


@pytest.mark.parametrize(
    ("window", "valid"),
    [
        (Window(0, 1), True),
        (Window(0, 0.5), False),
        (Window(0, 0.5, Function.SIGMOID), True),
        (Window(0, 0, Function.LINEAR_EXACT), False),
        (Window(float("nan"), 5), False),
        (Window(0, float("inf")), False),
    ],
)
def test_widths_that_the_standard_forbids_are_invalid(window, valid):
    assert window.is_valid is valid


def test_grey_through_a_table_equals_grey_by_arithmetic():
    samples = np.random.default_rng(0).integers(-2000, 3000, (20, 30), np.int16)
    interest = window_curve(Window(40, 400))
    quick, slow = (grey(kind, rescale(2, -24), interest) for kind in (samples, samples.astype(np.int32)))
    assert quick.dtype == np.uint8
    assert np.array_equal(quick, slow)


def test_inverted_grey_is_the_negative_and_the_argument_is_left_alone():
    samples = np.arange(16, dtype=np.uint8).reshape(4, 4)
    before = samples.copy()
    interest = window_curve(Window(7.5, 15, Function.LINEAR_EXACT))
    assert np.array_equal(grey(samples, IDENTITY, interest, inverted=True), 255 - grey(samples, IDENTITY, interest))
    assert np.array_equal(samples, before)


def test_not_a_number_is_black():
    levels = grey(np.array([[np.nan, 1.0]]), IDENTITY, window_curve(Window(0.5, 1, Function.LINEAR_EXACT)))
    assert levels.tolist() == [[0, 255]]


def test_the_full_range_leaves_padding_out_and_survives_a_constant():
    values = np.array([-2000.0, 0, 100, np.nan])
    assert full_range(values, padding=[-2000]) == Window(50, 100, Function.LINEAR_EXACT)
    assert full_range(values, padding=[50, -3000]) == Window(100.5, 1)
    assert full_range(values, padding=[-9999, 9999]) == Window(-950, 2100, Function.LINEAR_EXACT)
    assert full_range(np.array([5.0, 5.0])).is_valid
    assert full_range(np.array([])).is_valid


def test_lookup_tables_clamp_at_their_ends():
    lut = Lut(10, np.array([0, 100, 1023], np.uint16), 10)
    assert lut.look_up(np.array([0.0, 10, 11, 99])).tolist() == [0, 0, 100, 1023]
    assert voi_lut_curve(lut)(np.array([12.0])).tolist() == [255]


def test_palettes_of_sixteen_and_of_falsely_labelled_eight_bits():
    wide = Lut(0, np.array([0, 0xFF00], np.uint16), 16)
    narrow = Lut(0, np.array([0, 0xFF], np.uint16), 16)
    picture = palette(np.array([[0, 1, 9]], np.uint8), wide, narrow, wide)
    assert picture.tolist() == [[[0, 0, 0], [255, 255, 255], [255, 255, 255]]]


@pytest.mark.parametrize(
    ("photometric", "sample", "shown"),
    [
        ("RGB", (1, 2, 3), (1, 2, 3)),
        ("YBR_FULL", (76, 85, 255), (254, 0, 0)),
        ("YBR_FULL", (128, 128, 128), (128, 128, 128)),
        ("YBR_PARTIAL_420", (16, 128, 128), (0, 0, 0)),
        ("YBR_PARTIAL_420", (235, 128, 128), (255, 255, 255)),
    ],
)
def test_colour_becomes_rgb(photometric, sample, shown):
    assert rgb(np.array([[sample]], np.uint8), photometric, 8).tolist() == [[list(shown)]]


def test_deep_colour_keeps_its_upper_bits():
    assert rgb(np.array([[[0xFFFF, 0x8000, 0x00FF]]], np.uint16), "RGB", 16).tolist() == [[[255, 128, 0]]]


def test_segmented_palettes_expand():
    words = np.array([0, 2, 5, 7, 1, 3, 10, 2, 1, 0, 0], np.uint16)  # discrete 5 7, linear to 10, once more segment 1
    assert expand_segments(words, 7).tolist() == [5, 7, 8, 9, 10, 5, 7]


@pytest.mark.parametrize("words", [[7, 1, 1], [0, 1, 5], [0, 0, 2, 2, 0, 0], [1, 3, 9]])
def test_segmented_palettes_that_do_not_fit_are_refused(words):
    with pytest.raises(ValueError):  # noqa: PT011
        expand_segments(np.array(words, np.uint16), 4)
