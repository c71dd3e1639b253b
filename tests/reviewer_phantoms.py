"""Chests with known nodules and vessels, made of geometry and noise: what the reviewer's algorithms are measured on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from scipy import ndimage

from reviewer.volume import Volume
from tests.samples import patient_study, set_pixels, uid

SPACING_MM = (2.0, 1.4, 1.4)
SHAPE = (50, 220, 220)
AXES = [np.arange(size) * spacing for size, spacing in zip(SHAPE, SPACING_MM, strict=True)]


@dataclass(frozen=True)
class Nodule:
    """centre_mm: (z, y, x) from the middle of the first voxel."""

    centre_mm: tuple[float, float, float]
    diameter_mm: float


def chest(seed: int, diameters_mm: tuple[float, ...] = (), vessels: int = 40) -> tuple[Volume, list[Nodule]]:
    """A chest, 100 mm high: body, two lungs, heart, spine, table, branching vessels and nodules of these diameters."""
    chance = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*AXES, indexing="ij", sparse=True)
    hu = np.full(SHAPE, -1000.0)
    hu[np.broadcast_to(((x - 154) / 140) ** 2 + ((y - 150) / 105) ** 2 < 1, SHAPE)] = 40
    lungs = np.zeros(SHAPE, bool)
    for side in (-62, 62):
        lungs |= ((x - 154 - side) / 50) ** 2 + ((y - 145) / 78) ** 2 + ((z - 50) / 110) ** 2 < 1
    lungs &= ~(((x - 170) / 45) ** 2 + ((y - 120) / 40) ** 2 < 1)
    hu[lungs] = -850
    hu[np.broadcast_to((x - 154) ** 2 + (y - 225) ** 2 < 16**2, SHAPE)] = 500
    hu[np.broadcast_to((y > 262) & (y < 268), SHAPE)] = -100
    depth_mm = ndimage.distance_transform_edt(lungs, sampling=SPACING_MM)
    for _ in range(vessels):
        _draw_vessel(hu, lungs, depth_mm, chance)
    nodules = [_draw_nodule(hu, depth_mm, chance, diameter) for diameter in diameters_mm]
    hu += chance.normal(0, 25, SHAPE)
    uids = tuple(f"1.2.3.{index}" for index in range(SHAPE[0]))
    return Volume(hu.astype(np.float32), SPACING_MM, uids), nodules


def _somewhere(
    depth_mm: NDArray[np.float64], chance: np.random.Generator, margin_mm: float
) -> tuple[float, float, float]:
    """A place in the lungs that far from their outline and from the first and last slice, in mm.

    depth_mm: of each voxel under the lungs' outline.
    """
    high = (SHAPE[0] - 1) * SPACING_MM[0]
    while True:
        index = tuple(int(chance.integers(size)) for size in SHAPE)
        z, y, x = (place * spacing for place, spacing in zip(index, SPACING_MM, strict=True))
        if depth_mm[index] > margin_mm and margin_mm + 2 < z < high - margin_mm - 2:
            return z, y, x


def _draw_vessel(
    hu: NDArray[np.float64], lungs: NDArray[np.bool_], depth_mm: NDArray[np.float64], chance: np.random.Generator
) -> None:
    """A tube of 1 to 2.5 mm radius and 30 to 90 mm length, inside the lungs only."""
    start = _somewhere(depth_mm, chance, 0)
    direction = chance.normal(size=3)
    direction /= np.linalg.norm(direction)
    length, radius = chance.uniform(30, 90), chance.uniform(1, 2.5)
    places = [np.add(start, direction * along) for along in np.arange(0, length, 0.7)]
    for place in places:
        _ball(hu, place, radius, 30, lungs)


def _draw_nodule(
    hu: NDArray[np.float64], depth_mm: NDArray[np.float64], chance: np.random.Generator, diameter_mm: float
) -> Nodule:
    centre = _somewhere(depth_mm, chance, diameter_mm / 2)
    _ball(hu, np.array(centre), diameter_mm / 2, 40, np.ones(SHAPE, bool))
    return Nodule(centre, diameter_mm)


def _ball(
    hu: NDArray[np.float64], centre_mm: NDArray[np.float64], radius_mm: float, value: float, where: NDArray[np.bool_]
) -> None:
    low = [max(0, int((at - radius_mm) / step)) for at, step in zip(centre_mm, SPACING_MM, strict=True)]
    high = [max(0, int((at + radius_mm) / step) + 2) for at, step in zip(centre_mm, SPACING_MM, strict=True)]
    box = tuple(map(slice, low, high))
    z, y, x = (axis[part] for axis, part in zip(AXES, box, strict=True))
    away = (z[:, None, None] - centre_mm[0]) ** 2 + (y[:, None] - centre_mm[1]) ** 2 + (x[None, :] - centre_mm[2]) ** 2
    hu[box][(away < radius_mm**2) & where[box]] = value


def ct_images(volume: Volume, key: str = "phantom") -> list[Dataset]:
    """The volume as CT images of one series, in the volume's order, from foot to head."""
    images = []
    for index, plane in enumerate(volume.hu):
        image = patient_study(key)
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid(key, "instance", index)
        image.InstanceNumber = len(volume.hu) - index
        image.ImagePositionPatient = [-150.0, -150.0, index * volume.spacing_mm[0]]
        image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        image.PixelSpacing, image.SliceThickness = list(volume.spacing_mm[1:]), volume.spacing_mm[0]
        image.RescaleIntercept, image.RescaleSlope = -1200, 1
        set_pixels(image, np.clip(plane + 1200, 0, 4095).astype(np.uint16))
        images.append(image)
    return images
