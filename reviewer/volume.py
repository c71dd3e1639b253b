"""From single-frame CT images to one array in Hounsfield units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut

HU = NDArray[np.float32]
Mask = NDArray[np.bool_]


class NotAVolume(Exception):
    """The images do not stack: the message says why."""


@dataclass(frozen=True, slots=True)
class Volume:
    """hu: (slices, rows, columns) float32, slices ordered along their normal. spacing_mm: in the same order.

    sop_instance_uids: one for each slice.
    """

    hu: HU
    spacing_mm: tuple[float, float, float]
    sop_instance_uids: tuple[str, ...]


def stacked(images: Sequence[Dataset]) -> Volume:
    """The images of one series as a volume. Raises :class:`NotAVolume`.

    Slices are ordered by Image Position (Patient) along the normal of Image Orientation (Patient), PS3.3 C.7.6.2.1.1:
    neither file names nor Instance Numbers can be relied on.
    """
    _check_alike(images)
    normal = np.cross(*np.reshape(np.array(images[0].ImageOrientationPatient, float), (2, 3)))
    along = [float(np.dot(normal, np.array(image.ImagePositionPatient, float))) for image in images]
    order = np.argsort(along)
    gaps = np.diff(np.array(along)[order])
    if gaps.min() <= 0:
        raise NotAVolume("two images lie at the same place")
    rows_mm, columns_mm = (float(value) for value in images[0].PixelSpacing)
    return Volume(
        np.stack([hounsfield(images[index]) for index in order]),
        (float(np.median(gaps)), rows_mm, columns_mm),
        tuple(str(images[index].SOPInstanceUID) for index in order),
    )


def _check_alike(images: Sequence[Dataset]) -> None:
    if len(images) < 2:
        raise NotAVolume("there are fewer than two images")
    for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "Rows", "Columns"):
        if any(image.get(keyword) is None for image in images):
            raise NotAVolume(f"an image has no {keyword}")
    if any(int(image.get("NumberOfFrames", 1) or 1) != 1 for image in images):
        raise NotAVolume("an image has several frames")
    first = images[0]
    if any((image.Rows, image.Columns) != (first.Rows, first.Columns) for image in images):
        raise NotAVolume("the images have different sizes")
    directions = np.array([image.ImageOrientationPatient for image in images], float)
    if np.abs(directions - directions[0]).max() > 1e-3:
        raise NotAVolume("the images lie in different directions")


def hounsfield(image: Dataset) -> HU:
    """Rescaled values of one frame: (rows, columns) float32, HU for CT (PS3.3 C.11.1.1.2)."""
    return np.asarray(apply_modality_lut(image.pixel_array, image), np.float32)
