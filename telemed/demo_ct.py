"""The demonstration's chest CT: a phantom made of formulas, the same on every machine. No patient stands behind it.

Coordinates are millimetres in the patient system (PS3.3 C.7.6.2.1.1): x to the patient's left, y to the back, z to the
head. Values are Hounsfield units (HU) until they are written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

Plane = NDArray[np.float32]

SLICES: Final = 40
SIZE: Final = 512
PIXEL_MM: Final = 0.703125
SLICE_MM: Final = 5.0
TOP_MM: Final = SLICES * SLICE_MM / 2

AIR_HU, LUNG_HU, FAT_HU, TISSUE_HU, LIVER_HU = -1000.0, -860.0, -95.0, 45.0, 62.0
BONE_HU, MARROW_HU, DISC_HU, CORD_HU = 620.0, 210.0, 85.0, 30.0
NOISE_HU: Final = 16.0
LOBULES: Final = 40
# Stored value = HU + 1024, in 12 bits.
OFFSET_HU: Final = 1024


@dataclass(frozen=True, slots=True)
class Nodule:
    """A ball in the lung: centre and radius in mm, density in HU."""

    x: float
    y: float
    z: float
    radius: float
    hu: float


NODULES: Final = (
    Nodule(-92.0, -22.0, 42.0, 8.0, 55.0),
    Nodule(84.0, 34.0, -8.0, 6.5, 40.0),
    Nodule(-66.0, 46.0, -38.0, 5.5, 70.0),
)


@dataclass(frozen=True, slots=True)
class Vessel:
    """A straight piece of a vessel between two points, thinner at its end."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    radius: float


def study(uid_seed: str, taken_at: datetime) -> Iterator[bytes]:
    """The study's slices from head to foot, each a DICOM file. ``uid_seed`` fixes the UIDs."""
    for index in range(SLICES):
        yield _file(_dataset(uid_seed, taken_at, index))


def plane_hu(index: int) -> Plane:
    """Slice ``index`` (0 at the head): float32 HU, shape (rows, columns) = (SIZE, SIZE)."""
    z = slice_z_mm(index)
    plane = _trunk(z)
    lungs = _lungs(z) & (_mediastinum(z) > 1)
    plane[lungs] = _lung_tissue(index)[lungs]
    _draw_vessels(plane, lungs, z)
    _draw_airways(plane, z)
    for nodule in NODULES:
        _draw_ball(plane, nodule, z)
    return _blurred(plane) + _noise(index)


def slice_z_mm(index: int) -> float:
    return TOP_MM - SLICE_MM * index


@cache
def _grid() -> tuple[Plane, Plane]:
    axis = (np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2) * np.float32(PIXEL_MM)
    x, y = np.meshgrid(axis, axis)
    return x, y


def _ellipse(cx: float, cy: float, rx: float, ry: float) -> Plane:
    """Squared relative distance from the centre: below 1 inside."""
    x, y = _grid()
    return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2


def _shoulder(z: float) -> float:
    """1 over most of the chest, less towards the neck."""
    return 1.0 - 0.22 * max(0.0, (z - 55.0) / 45.0) ** 2


def _trunk(z: float) -> Plane:
    """Everything but the lungs: skin, fat, muscle, organs, bones, on the table."""
    width, depth = 158.0 * _shoulder(z), 108.0 * _shoulder(z)
    plane = np.full((SIZE, SIZE), AIR_HU, dtype=np.float32)
    plane[np.abs(_ellipse(0, -160, 330, 290) - 1) < 0.012] = -350.0
    plane[_ellipse(0, 0, width, depth) < 1] = FAT_HU
    plane[_ellipse(0, 3, width - 13, depth - 14) < 1] = TISSUE_HU
    plane[_mediastinum(z) < 0.8] = FAT_HU / 2
    _draw_organs(plane, z)
    _draw_bones(plane, z, width, depth)
    return plane


def _mediastinum(z: float) -> Plane:
    """The space between the lungs, wider where the heart lies."""
    heart = np.exp(-(((z + 45.0) / 42.0) ** 2))
    return np.minimum(_ellipse(0, 10, 27, 62), _ellipse(18 * heart, -22, 30 + 34 * heart, 42 + 6 * heart))


def _draw_organs(plane: Plane, z: float) -> None:
    heart = 1 - ((z + 45.0) / 52.0) ** 2
    if heart > 0:
        plane[_ellipse(22, -24, 56 * heart**0.5, 42 * heart**0.5) < 1] = TISSUE_HU
    plane[_ellipse(22, 44, 12.5, 12.5) < 1] = TISSUE_HU + 3  # descending aorta
    if z > 20:
        plane[_ellipse(8, -14, 24, 15) < 1] = TISSUE_HU + 3  # arch and great vessels
    dome = -62.0 - z
    if dome > 0:
        plane[_ellipse(-62, 2, 26 + 1.2 * dome, 22 + 1.3 * dome) < 1] = LIVER_HU
        plane[_ellipse(80, 10, 14 + 0.9 * dome, 12 + 1.1 * dome) < 1] = LIVER_HU - 12


def _draw_bones(plane: Plane, z: float, width: float, depth: float) -> None:
    _draw_ribs(plane, z, width, depth)
    plane[_ellipse(0, -depth + 23, 17, 5) < 1] = MARROW_HU
    _draw_spine(plane, z, depth)


def _draw_spine(plane: Plane, z: float, depth: float) -> None:
    """A vertebra with its canal and process, or the disc between two."""
    disc = (z % 27.0) < 6.0
    body = _ellipse(0, depth - 42, 18, 15)
    plane[body < 1] = DISC_HU if disc else BONE_HU
    plane[body < 0.78] = DISC_HU if disc else MARROW_HU
    arch = _ellipse(0, depth - 23, 14, 11)
    plane[(arch < 1.35) & (arch > 0.75)] = BONE_HU * 0.8
    plane[_ellipse(0, depth - 23, 9, 8) < 1] = CORD_HU
    plane[_ellipse(0, depth - 14, 3, 7) < 1] = BONE_HU * 0.7


def _draw_ribs(plane: Plane, z: float, width: float, depth: float) -> None:
    """Ribs fall towards the front, so that a slice cuts several of them obliquely."""
    x, y = _grid()
    ring = np.sqrt(_ellipse(0, 2, width - 24, depth - 22))
    fall = z - 0.42 * y - 0.45 * np.abs(x)
    rib = np.abs((fall % 27.0) - 13.5)
    near = np.abs(ring - 1) * (depth - 22)
    plane[(near < 4.6) & (rib < 5.0)] = BONE_HU * 0.9
    plane[(near < 2.6) & (rib < 3.2)] = MARROW_HU


def _lungs(z: float) -> NDArray[np.bool_]:
    """Both lungs: rounded at the top, hollowed by the domes of the diaphragm below."""
    top = np.sqrt(np.clip(1 - (max(0.0, z) / 101.0) ** 2, 0.04, 1))
    right = _ellipse(-72 * top, 2, 58 * top, 78 * top) < 1
    left = _ellipse(72 * top, 2, 57 * top, 77 * top) < 1
    dome = -62.0 - z
    if dome > 0:
        right &= _ellipse(-62, 2, 30 + 1.2 * dome, 26 + 1.3 * dome) > 1
        left &= _ellipse(80, 10, 18 + 0.9 * dome, 16 + 1.1 * dome) > 1
    return right | left


def _lung_tissue(index: int) -> Plane:
    """Denser towards the back, where the blood sinks, and uneven at the scale of a lobule."""
    _, y = _grid()
    coarse = np.random.default_rng([7, index]).normal(0.0, 26.0, (LOBULES, LOBULES))
    uneven = _spread() @ coarse @ _spread().T
    return np.asarray(LUNG_HU + 0.55 * y + uneven, dtype=np.float32)


@cache
def _spread() -> NDArray[np.float64]:
    """Weights that draw LOBULES values out to SIZE pixels without steps, shape (SIZE, LOBULES)."""
    places = np.linspace(0, LOBULES - 1, SIZE)
    return np.stack([np.interp(places, np.arange(LOBULES), row) for row in np.eye(LOBULES)], axis=1)


@cache
def _vessels() -> tuple[Vessel, ...]:
    """Two trees that start at the roots of the lungs."""
    rng = np.random.default_rng(20261123)
    pieces: list[Vessel] = []
    for side in (-1.0, 1.0):
        for lift in (1.9, 0.9, 0.3, -0.3, -0.9, -1.8):
            direction = _unit(np.array([side, rng.normal(0, 0.4), lift]))
            _grow(pieces, rng, np.array([side * 26.0, 12.0, 4.0]), direction, 4.2)
    return tuple(pieces)


def _grow(
    pieces: list[Vessel],
    rng: np.random.Generator,
    start: NDArray[np.float64],
    direction: NDArray[np.float64],
    radius: float,
) -> None:
    end = start + direction * (7.0 + 5.5 * radius)
    pieces.append(Vessel(start, end, radius))
    if radius * 0.74 < 0.6:
        return
    for _ in range(2):
        _grow(pieces, rng, end, _unit(direction + rng.normal(0, 0.55, 3)), radius * 0.74)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def _draw_vessels(plane: Plane, lungs: NDArray[np.bool_], z: float) -> None:
    drawn = plane.copy()
    for vessel in _vessels():
        low, high = sorted((vessel.start[2], vessel.end[2]))
        if low - vessel.radius - SLICE_MM / 2 <= z <= high + vessel.radius + SLICE_MM / 2:
            _draw_vessel(drawn, vessel, z)
    plane[lungs] = np.maximum(plane, drawn)[lungs]


def _draw_vessel(plane: Plane, vessel: Vessel, z: float) -> None:
    steps = 2 + int(np.linalg.norm(vessel.end - vessel.start) / max(1.0, 0.6 * vessel.radius))
    for x, y, height in np.linspace(vessel.start, vessel.end, steps):
        _draw_ball(plane, Nodule(x, y, height, vessel.radius, TISSUE_HU), z)


def _draw_ball(plane: Plane, ball: Nodule, z: float) -> None:
    """Brighten towards the ball's density, by the share of each voxel that it fills."""
    above = abs(z - ball.z)
    if above >= ball.radius + SLICE_MM / 2:
        return
    share = min(1.0, (ball.radius + SLICE_MM / 2 - above) / min(SLICE_MM, 2 * ball.radius))
    # A ball between two slices still has its width in both.
    radius = np.sqrt(max(ball.radius**2 - max(0.0, above - SLICE_MM / 2) ** 2, 0.0))
    window = _window(ball, radius)
    x, y = _grid()
    distance = np.hypot(x[window] - ball.x, y[window] - ball.y)
    weight = np.clip((radius - distance) / PIXEL_MM + 0.5, 0, 1) * share
    patch = plane[window]
    plane[window] = np.maximum(patch, patch + weight * (ball.hu - patch))


def _window(ball: Nodule, radius: float) -> tuple[slice, slice]:
    """The few pixels that the ball may touch."""

    def span(centre: float) -> slice:
        middle, reach = centre / PIXEL_MM + (SIZE - 1) / 2, radius / PIXEL_MM + 2
        return slice(max(0, int(middle - reach)), min(SIZE, int(middle + reach) + 1))

    return span(ball.y), span(ball.x)


def _draw_airways(plane: Plane, z: float) -> None:
    """The trachea, which divides into the main bronchi at z = 15 mm."""
    parting = max(0.0, 15.0 - z)
    if parting > 42:
        return
    radius = 8.5 if parting == 0 else 6.0
    for side in (-1, 1):
        centre = side * (parting * 0.9 + (3 if parting else 0))
        plane[_ellipse(centre, 14 + 0.1 * parting, radius + 1.8, radius + 1.8) < 1] = TISSUE_HU
        plane[_ellipse(centre, 14 + 0.1 * parting, radius, radius) < 1] = AIR_HU


def _blurred(plane: Plane) -> Plane:
    """The scanner's point spread: 1-2-1 in both directions."""
    for axis in (0, 1):
        plane = (np.roll(plane, 1, axis) + 2 * plane + np.roll(plane, -1, axis)) / np.float32(4)
    return plane


def _noise(index: int) -> Plane:
    grain = np.random.default_rng([11, index]).normal(0.0, 1.0, (SIZE, SIZE)).astype(np.float32)
    blurred = _blurred(grain)
    return np.asarray(blurred * np.float32(NOISE_HU / blurred.std()), dtype=np.float32)


def _dataset(uid_seed: str, taken_at: datetime, index: int) -> Dataset:
    dataset = Dataset()
    dataset.update(_patient_and_study(uid_seed, taken_at))
    dataset.update(_series(uid_seed, taken_at))
    dataset.update(_image(uid_seed, index))
    stored = np.clip(np.rint(plane_hu(index)) + OFFSET_HU, 0, 4095).astype("<u2")
    dataset.PixelData = stored.tobytes()
    return dataset


def _patient_and_study(uid_seed: str, taken_at: datetime) -> Dataset:
    part = Dataset()
    part.SpecificCharacterSet = "ISO_IR 192"
    part.PatientName = "Wang^XiaoDong=王^小东"
    part.PatientID = "WZ20260417"
    part.IssuerOfPatientID = "WZ01"
    part.PatientBirthDate = "19620315"
    part.PatientSex = "M"
    part.PatientAge = "064Y"
    part.StudyInstanceUID = _uid(uid_seed, "study")
    part.StudyDate, part.StudyTime = taken_at.strftime("%Y%m%d"), taken_at.strftime("%H%M%S")
    part.AccessionNumber = "CT260417001"
    part.StudyID = "1"
    part.StudyDescription = "胸部CT平扫（模体）"
    part.ReferringPhysicianName = ""
    part.InstitutionName = "温州示范医院"
    return part


def _series(uid_seed: str, taken_at: datetime) -> Dataset:
    part = Dataset()
    part.Modality = "CT"
    part.SeriesInstanceUID = _uid(uid_seed, "series")
    part.SeriesNumber = 2
    part.SeriesDescription = "胸部 5mm"
    part.SeriesDate, part.SeriesTime = taken_at.strftime("%Y%m%d"), taken_at.strftime("%H%M%S")
    part.BodyPartExamined = "CHEST"
    part.PatientPosition = "HFS"
    part.FrameOfReferenceUID = _uid(uid_seed, "frame of reference")
    part.PositionReferenceIndicator = ""
    part.Manufacturer = "telemed phantom"
    part.KVP = "120"
    part.ConvolutionKernel = "B60"
    return part


def _image(uid_seed: str, index: int) -> Dataset:
    corner = -(SIZE - 1) / 2 * PIXEL_MM
    part = Dataset()
    part.SOPClassUID = CTImageStorage
    part.SOPInstanceUID = _uid(uid_seed, f"slice {index}")
    part.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    part.InstanceNumber = index + 1
    part.AcquisitionNumber = 1
    part.ImagePositionPatient = [round(corner, 4), round(corner, 4), slice_z_mm(index)]
    part.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    part.SliceLocation = slice_z_mm(index)
    part.SliceThickness = SLICE_MM
    part.PixelSpacing = [PIXEL_MM, PIXEL_MM]
    part.Rows = part.Columns = SIZE
    part.SamplesPerPixel, part.PhotometricInterpretation = 1, "MONOCHROME2"
    part.BitsAllocated, part.BitsStored, part.HighBit, part.PixelRepresentation = 16, 12, 11, 0
    part.RescaleIntercept, part.RescaleSlope, part.RescaleType = -OFFSET_HU, 1, "HU"
    part.WindowCenter, part.WindowWidth = [-600, 40], [1500, 400]
    part.WindowCenterWidthExplanation = ["LUNG", "MEDIASTINUM"]
    part.BurnedInAnnotation = "NO"
    return part


def _file(dataset: Dataset) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _uid(uid_seed: str, part: str) -> str:
    return generate_uid(entropy_srcs=["telemed phantom", uid_seed, part])
