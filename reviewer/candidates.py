"""Dense, round things inside the lungs: candidates for a doctor's eye, ranked by a heuristic, not by a trained model.

Soft tissue inside the lungs is vessels, airway walls and what one looks for. An opening by balls of growing radius
takes the thinner vessels away, ever more of them; what remains is judged by how ball-like it is and by how much it is
a thing of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from reviewer.lungs import Lungs
from reviewer.volume import HU, Mask, Volume

DENSE_ABOVE_HU = -450.0
OPENING_RADII_MM = (1.2, 2.0, 3.0, 4.5, 6.5)
SMALLEST_DIAMETER_MM = 4.0
LARGEST_DIAMETER_MM = 40.0
LEAST_ROUNDNESS = 0.8
# How far around a blob one looks for what it is part of, in its own radii, and the share of that it must make up.
WINDOW_RADII = 2.5
LEAST_SOLITUDE = 0.4
# From this size on, a thing's size adds nothing more to its rank.
FULL_WEIGHT_DIAMETER_MM = 10.0
LEAST_SCORE = 0.22
MOST_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """slice_index: of the largest area. centre_px: (x, y) on that slice, 0/0 the outer corner of the first pixel.

    radius_px: of a circle around its outline there. score: roundness times solitude times a weight for size, 0..1; it
    is no probability.
    """

    slice_index: int
    centre_px: tuple[float, float]
    radius_px: float
    diameter_mm: float
    volume_mm3: float
    mean_hu: float
    score: float
    centre_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Region:
    """A box of the volume that holds one blob. origin: index of its first voxel."""

    blob: Mask
    dense: Mask
    hu: HU
    origin: tuple[int, ...]
    spacing_mm: tuple[float, float, float]


def found(volume: Volume, lungs: Lungs) -> list[Candidate]:
    """At most :data:`MOST_CANDIDATES`, the highest score first."""
    box = ndimage.find_objects(lungs.mask.view(np.uint8))
    if not box:
        return []
    inside, hu = lungs.mask[box[0]], volume.hu[box[0]]
    dense = inside & (hu > DENSE_ABOVE_HU)
    depth_mm = ndimage.distance_transform_edt(dense, sampling=volume.spacing_mm).astype(np.float32)
    whole = _Region(dense, dense, hu, tuple(part.start for part in box[0]), volume.spacing_mm)
    candidates = [
        candidate
        for radius_mm in OPENING_RADII_MM
        for region in _opened(depth_mm, radius_mm, whole)
        if (candidate := _judged(region, whole, len(volume.hu))) is not None
    ]
    return _distinct(candidates)


def _opened(depth_mm: NDArray[np.float32], radius_mm: float, whole: _Region) -> Iterator[_Region]:
    """What an opening of the dense voxels by a ball leaves, piece by piece.

    depth_mm: distance of each dense voxel from the nearest one that is not.
    """
    labels, _ = ndimage.label(depth_mm > radius_mm)
    margin = [int(np.ceil(radius_mm / spacing)) + 2 for spacing in whole.spacing_mm]
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        wide = tuple(
            slice(max(0, part.start - more), min(size, part.stop + more))
            for part, more, size in zip(box, margin, labels.shape, strict=True)
        )
        # Too large even before it is grown back: the heart's edge or the diaphragm within the outline.
        if (box[1].stop - box[1].start) * whole.spacing_mm[1] > LARGEST_DIAMETER_MM:
            continue
        core = labels[wide] == number
        near = ndimage.distance_transform_edt(~core, sampling=whole.spacing_mm) <= radius_mm
        yield _Region(
            near & whole.dense[wide],
            whole.dense[wide],
            whole.hu[wide],
            tuple(start + part.start for start, part in zip(whole.origin, wide, strict=True)),
            whole.spacing_mm,
        )


def _judged(region: _Region, whole: _Region, slices: int) -> Candidate | None:
    """The blob as a candidate, or None where its size, shape or surroundings speak against it."""
    volume_mm3 = float(region.blob.sum() * np.prod(region.spacing_mm))
    diameter_mm = _diameter_mm(volume_mm3)
    if not SMALLEST_DIAMETER_MM <= diameter_mm <= LARGEST_DIAMETER_MM or not _whole(region, slices):
        return None
    roundness = _roundness(region.blob, region.spacing_mm)
    if roundness < LEAST_ROUNDNESS:
        return None
    solitude = _solitude(region, whole, diameter_mm)
    if solitude < LEAST_SOLITUDE:
        return None
    score = roundness * solitude * min(1.0, diameter_mm / FULL_WEIGHT_DIAMETER_MM)
    return _candidate(region, diameter_mm, volume_mm3, score) if score >= LEAST_SCORE else None


def _whole(region: _Region, slices: int) -> bool:
    """Whether its shape along the slices is known: it spans two or more and neither the first nor the last cuts it."""
    planes = np.flatnonzero(region.blob.any(axis=(1, 2))) + region.origin[0]
    return bool(len(planes) > 1 and planes[0] > 0 and planes[-1] < slices - 1)


def _diameter_mm(volume_mm3: float) -> float:
    """Of the ball with this volume."""
    return float(2 * (3 * volume_mm3 / (4 * np.pi)) ** (1 / 3))


def _roundness(blob: Mask, spacing_mm: tuple[float, float, float]) -> float:
    """1 for a ball, less for anything else: the spread a ball of this volume has, over the spread the blob has."""
    points = np.argwhere(blob) * np.array(spacing_mm)
    # The voxels' own extent counts as well: without it a flat disc of thick slices would seem compact.
    spread = points.var(axis=0) + np.array(spacing_mm) ** 2 / 12
    of_ball = 3 * (_diameter_mm(float(len(points) * np.prod(spacing_mm))) / 2) ** 2 / 5
    return min(1.0, float(np.sqrt(of_ball / spread.sum())))


def _solitude(region: _Region, whole: _Region, diameter_mm: float) -> float:
    """The blob's share of what it is part of, as seen through a ball-shaped window around it.

    A nodule is nearly all there is, with a vessel or two; a piece cut out of a vessel goes on at both ends; a piece of
    the heart's edge is a small part of it.
    """
    reach_mm = WINDOW_RADII * diameter_mm / 2
    middle = np.argwhere(region.blob).mean(axis=0) + np.subtract(region.origin, whole.origin)
    low = [max(0, int(at - reach_mm / step)) for at, step in zip(middle, region.spacing_mm, strict=True)]
    high = [int(at + reach_mm / step) + 2 for at, step in zip(middle, region.spacing_mm, strict=True)]
    seen = whole.dense[tuple(map(slice, low, high))]
    away_mm = np.linalg.norm((np.indices(seen.shape).T + low - middle) * np.array(region.spacing_mm), axis=-1).T
    window = away_mm <= reach_mm
    labels, _ = ndimage.label(seen & window)
    own = labels[tuple(np.round(middle - low).astype(int))]
    return min(1.0, float(region.blob.sum() / (labels == own).sum())) if own else 0.0


def _candidate(region: _Region, diameter_mm: float, volume_mm3: float, score: float) -> Candidate:
    plane = int(region.blob.sum(axis=(1, 2)).argmax())
    rows, columns = np.nonzero(region.blob[plane])
    centre = (float(columns.mean()), float(rows.mean()))
    reach = float(np.hypot(columns - centre[0], rows - centre[1]).max()) + 1.5
    middle = (np.argwhere(region.blob).mean(axis=0) + region.origin) * np.array(region.spacing_mm)
    return Candidate(
        slice_index=plane + region.origin[0],
        # Half a pixel more: coordinates count from the corner of a pixel, indices name its middle.
        centre_px=(centre[0] + region.origin[2] + 0.5, centre[1] + region.origin[1] + 0.5),
        radius_px=reach,
        diameter_mm=float(diameter_mm),
        volume_mm3=volume_mm3,
        mean_hu=float(region.hu[region.blob].mean()),
        score=score,
        centre_mm=(float(middle[0]), float(middle[1]), float(middle[2])),
    )


def _distinct(candidates: list[Candidate]) -> list[Candidate]:
    """The best of those at one place: each scale of the opening may have seen the same thing."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: one.score, reverse=True):
        if len(kept) < MOST_CANDIDATES and not any(_same(candidate, other) for other in kept):
            kept.append(candidate)
    return kept


def _same(one: Candidate, other: Candidate) -> bool:
    return bool(np.linalg.norm(np.subtract(one.centre_mm, other.centre_mm)) < max(one.diameter_mm, other.diameter_mm))
