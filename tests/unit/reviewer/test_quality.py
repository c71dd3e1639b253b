import numpy as np
import pytest

from reviewer import quality

SHAPE = (128, 96)


def ramp():
    return np.tile(np.linspace(100, 900, SHAPE[1], dtype=np.float32), (SHAPE[0], 1))


def noisy(deviation):
    return (ramp() + np.random.default_rng(1).normal(0, deviation, SHAPE)).astype(np.float32)


@pytest.mark.parametrize("deviation", [2, 10, 50])
def test_noise_is_estimated_within_a_tenth(deviation):
    assert quality.noise(noisy(deviation)) == pytest.approx(deviation, rel=0.1)


def test_edges_do_not_count_as_noise():
    frame = noisy(5)
    frame[:, ::16] += 400
    assert quality.noise(frame) == pytest.approx(5, rel=0.5)


def test_a_good_frame_has_no_remarks():
    measured = quality.measured(noisy(5), 4095)
    assert (measured.remarks, measured.blank, measured.clipped) == ([], False, 0)


def test_a_blank_frame_is_called_blank():
    measured = quality.measured(np.full(SHAPE, 7, np.float32), 4095)
    assert measured.remarks == ["该帧为空白"]


def test_clipping_is_named_with_its_share():
    frame = noisy(5)
    frame[:64] = 4095
    assert quality.measured(frame, 4095).remarks[0].startswith("50% 的像素")


def test_much_noise_is_named():
    assert quality.measured(noisy(700), 4095).remarks[-1].startswith("噪声为对比度的")


def test_a_brighter_half_is_uneven():
    assert quality.measured(ramp(), 4095).unevenness > 0.4


def test_worse_frames_rank_first():
    frames = [np.full(SHAPE, 7, np.float32), noisy(700), noisy(5)]
    badness = [quality.measured(frame, 4095).badness for frame in frames]
    assert badness == sorted(badness, reverse=True)
