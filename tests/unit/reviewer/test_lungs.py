import numpy as np
import pytest

from reviewer import lungs
from reviewer.volume import Volume
from tests.reviewer_phantoms import SPACING_MM, chest


def block(hu):
    return Volume(np.asarray(hu, np.float32), SPACING_MM, tuple(str(index) for index in range(len(hu))))


def test_the_lungs_of_a_chest_are_outlined_with_vessels_and_nodules_inside():
    volume, (nodule,) = chest(1, (14,))
    found = lungs.segmented(volume)
    # Two ellipsoids less the heart, by counting voxels of the phantom: 1.96 l.
    assert found.aerated_ml == pytest.approx(1960, rel=0.02)
    assert found.enough
    index = tuple(np.round(np.divide(nodule.centre_mm, SPACING_MM)).astype(int))
    assert found.mask[index]
    assert found.mask.shape == volume.hu.shape


def test_neither_the_air_around_the_body_nor_bone_is_lung():
    volume, _ = chest(1)
    found = lungs.segmented(volume)
    assert not found.mask[:, :10].any()
    assert not (found.mask & (volume.hu > 400)).any()


@pytest.mark.parametrize("value", [-1000, 40, 3000])
def test_a_block_of_one_value_has_no_lungs(value):
    found = lungs.segmented(block(np.full((6, 64, 64), value)))
    assert (found.enough, found.mask.any()) == (False, False)


def test_gas_in_the_bowel_is_not_enough_lung():
    hu = np.full((30, 128, 128), -1000.0)
    hu[:, 8:120, 8:120] = 40
    hu[5:25, 30:90, 30:90] = -1000
    assert not lungs.segmented(block(hu)).enough


def test_a_fine_grid_gives_the_same_lungs():
    volume, _ = chest(3, vessels=0)
    part = volume.hu[20:26]
    fine = np.repeat(np.repeat(part, 2, 1), 2, 2)
    coarse_found = lungs.segmented(Volume(part, SPACING_MM, volume.sop_instance_uids[20:26]))
    halved = (SPACING_MM[0], SPACING_MM[1] / 2, SPACING_MM[2] / 2)
    fine_found = lungs.segmented(Volume(fine, halved, volume.sop_instance_uids[20:26]))
    assert fine_found.aerated_ml == pytest.approx(coarse_found.aerated_ml, rel=0.01)
    assert fine_found.mask.shape == fine.shape
