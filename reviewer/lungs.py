"""Where the lungs are, by thresholds and shapes alone. Pure numpy and scipy."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from reviewer.volume import HU, Mask, Volume

BODY_ABOVE_HU = -500.0
AIR_BELOW_HU = -400.0
# Gas in bowel, stomach and windpipe is darker than this, aerated lung is not.
LUNG_ABOVE_HU = -950.0
SMALLEST_LUNG_ML = 40.0
ENOUGH_LUNG_ML = 150.0
# Finer than this adds time, not accuracy, to the outline of a lung.
OUTLINE_MM = 1.4
# Nodules that touch the pleura, and vessels, dent the outline: a ball of this radius rolls over the dents.
CLOSING_MM = 8.0
LARGEST_HOLE_MM2 = 1500.0


@dataclass(frozen=True, slots=True)
class Lungs:
    """mask: (slices, rows, columns), what lies within the lungs' outline, vessels and nodules included.

    aerated_ml: volume of lung tissue proper, -950 to -400 HU.
    """

    mask: Mask
    aerated_ml: float

    @property
    def enough(self) -> bool:
        """Whether this is a chest at all."""
        return self.aerated_ml >= ENOUGH_LUNG_ML


def segmented(volume: Volume) -> Lungs:
    """The lungs in ``volume``; an empty mask where there are none."""
    step = tuple(max(1, round(OUTLINE_MM / spacing)) for spacing in volume.spacing_mm[1:])
    coarse = volume.hu[:, :: step[0], :: step[1]]
    pixel_mm = (volume.spacing_mm[1] * step[0], volume.spacing_mm[2] * step[1])
    voxel_ml = volume.spacing_mm[0] * pixel_mm[0] * pixel_mm[1] / 1000
    aerated = _aerated(coarse, voxel_ml)
    outline = np.stack([_closed(plane, pixel_mm) if plane.any() else plane for plane in aerated])
    share = aerated & (coarse > LUNG_ABOVE_HU) & (coarse < AIR_BELOW_HU)
    return Lungs(_fine(outline, step, volume.hu.shape), float(share.sum()) * voxel_ml)


def _aerated(hu: HU, voxel_ml: float) -> Mask:
    """Large connected air inside the body."""
    labels, count = ndimage.label(_body(hu) & (hu < AIR_BELOW_HU))
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * voxel_ml
    sizes[0] = 0
    return np.asarray((sizes >= SMALLEST_LUNG_ML)[labels], np.bool_)


def _body(hu: HU) -> Mask:
    """The largest connected thing denser than air, each slice with its holes filled."""
    labels, count = ndimage.label(hu > BODY_ABOVE_HU)
    if count == 0:
        return np.zeros(hu.shape, np.bool_)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = labels == sizes.argmax()
    return np.stack([ndimage.binary_fill_holes(plane) for plane in largest])


def _closed(plane: Mask, pixel_mm: tuple[float, float]) -> Mask:
    """``plane`` (rows, columns) closed by a disc of :data:`CLOSING_MM`, small holes filled."""
    margin = int(np.ceil(CLOSING_MM / min(pixel_mm))) + 1
    padded = np.pad(plane, margin)
    grown = ndimage.distance_transform_edt(~padded, sampling=pixel_mm) <= CLOSING_MM
    shrunk = ndimage.distance_transform_edt(grown, sampling=pixel_mm) > CLOSING_MM
    closed = (shrunk | padded)[margin:-margin, margin:-margin]
    holes, count = ndimage.label(~closed)
    areas = np.bincount(holes.ravel(), minlength=count + 1) * pixel_mm[0] * pixel_mm[1]
    small = areas < LARGEST_HOLE_MM2
    small[0] = True
    return np.asarray(small[holes], np.bool_)


def _fine(mask: Mask, step: tuple[int, ...], shape: tuple[int, ...]) -> Mask:
    return np.repeat(np.repeat(mask, step[0], 1), step[1], 2)[:, : shape[1], : shape[2]]
