"""The detector on chests whose nodules are known: what it finds, what it leaves alone, what it measures."""

from itertools import pairwise

import numpy as np
import pytest

from reviewer import candidates, lungs
from reviewer.lungs import Lungs
from reviewer.volume import Volume
from tests.reviewer_phantoms import AXES, SHAPE, SPACING_MM, chest

DIAMETERS_MM = (6, 8, 10, 14, 20)
SEEDS = range(4)


def run(volume):
    return candidates.found(volume, lungs.segmented(volume))


def hit(candidate, nodule):
    away = np.linalg.norm(np.subtract(candidate.centre_mm, nodule.centre_mm))
    return away < max(3.0, nodule.diameter_mm / 2)


@pytest.fixture(scope="module")
def scans():
    """(nodules, candidates) of several chests, each with one nodule of every diameter among forty vessels."""
    made = [chest(seed, DIAMETERS_MM) for seed in SEEDS]
    return [(nodules, run(volume)) for volume, nodules in made]


def test_nineteen_of_twenty_nodules_are_found(scans):
    found = [any(hit(one, nodule) for one in listed) for nodules, listed in scans for nodule in nodules]
    assert len(found) == 20
    assert sum(found) >= 19


def test_few_of_forty_vessels_are_taken_for_nodules(scans):
    wrong = [one for nodules, listed in scans for one in listed if not any(hit(one, nodule) for nodule in nodules)]
    assert len(wrong) / len(scans) <= 3


def test_nodules_rank_before_what_is_none(scans):
    for nodules, listed in scans:
        right = [any(hit(one, nodule) for nodule in nodules) for one in listed]
        assert right == sorted(right, reverse=True)


def test_diameter_volume_and_density_are_measured(scans):
    for nodules, listed in scans:
        for nodule in nodules:
            for one in (one for one in listed if hit(one, nodule) and nodule.diameter_mm <= 14):
                assert one.diameter_mm == pytest.approx(nodule.diameter_mm, abs=1.0)
                assert one.volume_mm3 == pytest.approx(np.pi * one.diameter_mm**3 / 6)
                assert one.mean_hu == pytest.approx(40, abs=40)


def test_the_circle_surrounds_the_nodule_on_the_slice_of_its_middle(scans):
    for nodules, listed in scans:
        for nodule in nodules:
            one = next((one for one in listed if hit(one, nodule)), None)
            if one is None or nodule.diameter_mm > 14:
                continue
            z, y, x = np.divide(nodule.centre_mm, SPACING_MM)
            assert abs(one.slice_index - z) <= 1.5
            assert np.hypot(one.centre_px[0] - 0.5 - x, one.centre_px[1] - 0.5 - y) < 1.5
            assert one.radius_px * SPACING_MM[1] >= nodule.diameter_mm / 2


def test_circles_count_from_the_corner_of_the_first_pixel(scans):
    """Index 7 is the middle of the eighth pixel, which lies at 7.5."""
    off = [
        np.subtract(one.centre_px, np.divide(nodule.centre_mm, SPACING_MM)[:0:-1])
        for nodules, listed in scans
        for nodule in nodules
        for one in listed
        if hit(one, nodule) and nodule.diameter_mm <= 14
    ]
    assert np.mean(off, axis=0) == pytest.approx([0.5, 0.5], abs=0.2)


@pytest.mark.parametrize("radius_mm", [3, 4, 5, 6])
def test_a_thick_vessel_is_no_candidate(radius_mm):
    volume, _ = chest(25, vessels=0)
    z, y, x = (axis - middle for axis, middle in zip(AXES, (50, 145, 80), strict=True))
    slanted = (y[None, :, None] - 0.3 * z[:, None, None]) ** 2 + (x[None, None, :] - 0.3 * z[:, None, None]) ** 2
    volume.hu[slanted < radius_mm**2] = 40
    assert run(volume) == []


def test_a_nodule_at_the_pleura_is_found():
    volume, _ = chest(26, vessels=0)
    row, plane = 104, 25
    edge = int(np.flatnonzero(volume.hu[plane, row] < -700)[(np.flatnonzero(volume.hu[plane, row] < -700) > 30)][0])
    place = np.array([plane, row, edge + 2]) * SPACING_MM
    away = sum(
        axis.reshape(shape) ** 2
        for axis, shape in zip(
            (axis - at for axis, at in zip(AXES, place, strict=True)), ((-1, 1, 1), (1, -1, 1), (1, 1, -1)), strict=True
        )
    )
    volume.hu[away < 5**2] = 40
    assert [np.linalg.norm(np.subtract(one.centre_mm, place)) < 5 for one in run(volume)] == [True]


def test_a_chest_without_nodules_gives_few_candidates():
    volume, _ = chest(21)
    assert len(run(volume)) <= 3


def test_the_list_is_short_and_sorted():
    volume, _ = chest(22, (8,) * 16, vessels=0)
    listed = run(volume)
    assert len(listed) == candidates.MOST_CANDIDATES
    assert all(one.score >= following.score for one, following in pairwise(listed))
    assert all(0 < one.score <= 1 for one in listed)


def test_without_lungs_there_is_nothing():
    nothing = Volume(np.zeros((3, 8, 8), np.float32), SPACING_MM, ("1", "2", "3"))
    assert candidates.found(nothing, Lungs(np.zeros((3, 8, 8), bool), 0.0)) == []


def test_what_the_last_slice_cuts_is_left_out():
    volume, (nodule,) = chest(23, (16,), vessels=0)
    assert any(hit(one, nodule) for one in run(volume))
    middle = round(nodule.centre_mm[0] / SPACING_MM[0])
    cut = Volume(volume.hu[: middle + 1], SPACING_MM, volume.sop_instance_uids[: middle + 1])
    assert not any(hit(one, nodule) for one in run(cut))


def test_the_phantom_holds_what_it_says():
    volume, (nodule,) = chest(24, (12,), vessels=0)
    index = tuple(np.round(np.divide(nodule.centre_mm, SPACING_MM)).astype(int))
    assert volume.hu.shape == SHAPE
    assert volume.hu[index] == pytest.approx(40, abs=120)
