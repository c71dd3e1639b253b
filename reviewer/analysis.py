"""What to do with a series, and what to say of it. Pure: images in, a report out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from pydicom import Dataset

from reviewer import candidates, lungs, quality
from reviewer.candidates import Candidate
from reviewer.quality import Quality
from reviewer.volume import NotAVolume, Volume, stacked

FEWEST_SLICES = 5
MOST_FLAGGED = 10
# What a doctor reads is Chinese: this reviewer serves the platform's own hospitals.
DISCLAIMER = "本程序不是医疗器械，结果仅供医师参考。"

FOUND, NOTHING_FOUND = "111242", "111241"  # PS3.16 CID 6047: succeeded with findings, succeeded without findings


@dataclass(frozen=True, slots=True)
class Spot:
    """A finding. circle: (x, y, radius) in pixels, None when it concerns the whole image. values: (name, value, unit).

    frame: from 1.
    """

    code: str
    display: str
    sop_instance_uid: str
    frame: int
    circle: tuple[float, float, float] | None
    values: tuple[tuple[str, float, str], ...]
    description: str


@dataclass(frozen=True, slots=True)
class Report:
    """code: see FOUND, NOTHING_FOUND. text: what was done and what came out."""

    code: str
    text: str
    spots: list[Spot] = field(default_factory=list)


class NothingToDo(Exception):
    """No image in the study has pixels that can be read."""


DENSE_CANDIDATE = ("dense-candidate", "肺内致密候选灶")
IMAGE_QUALITY = ("image-quality", "图像质量检查")


def chest_report(images: Sequence[Dataset]) -> Report | None:
    """Dense candidates when the series is a CT of a chest; None when it is not."""
    if len(images) < FEWEST_SLICES or any(image.get("Modality") != "CT" for image in images):
        return None
    try:
        volume = stacked(images)
    except NotAVolume:
        return None
    found = lungs.segmented(volume)
    if not found.enough:
        return None
    spots = [_candidate_spot(one, rank, volume) for rank, one in enumerate(candidates.found(volume, found), start=1)]
    text = (
        f"胸部CT：阈值法在 {len(images)} 层上分割出含气肺 {found.aerated_ml:.0f} ml，"
        f"其中致密候选灶 {len(spots)} 个。{DISCLAIMER}"
    )
    return Report(FOUND if spots else NOTHING_FOUND, text, spots)


def _candidate_spot(one: Candidate, rank: int, volume: Volume) -> Spot:
    return Spot(
        *DENSE_CANDIDATE,
        sop_instance_uid=volume.sop_instance_uids[one.slice_index],
        frame=1,
        circle=(*one.centre_px, one.radius_px),
        values=(
            ("直径", round(one.diameter_mm, 1), "mm"),
            ("体积", round(one.volume_mm3), "mm3"),
            ("平均密度", round(one.mean_hu), "[hnsf'U]"),
            ("启发式评分", round(one.score, 2), "1"),
        ),
        description=f"按大小、圆度和孤立程度排序第 {rank}；评分不是概率。{DISCLAIMER}",
    )


@dataclass(frozen=True, slots=True)
class Checked:
    sop_instance_uid: str
    frame: int
    quality: Quality


def quality_report(images: Sequence[Dataset]) -> Report:
    """The image-quality check; raises :class:`NothingToDo` without a single readable frame."""
    checked = [frame for image in images for frame in _frames(image)]
    if not checked:
        raise NothingToDo("no image in the study has pixels this reviewer can read")
    worst = sorted(checked, key=lambda one: one.quality.badness, reverse=True)
    flagged = [one for one in worst if one.quality.remarks]
    text = (
        f"图像质量检查（非诊断）：共测 {len(checked)} 帧，异常 {len(flagged)} 帧；"
        f"噪声中位数 {np.median([one.quality.noise for one in checked]):.3g}（存储值）。{DISCLAIMER}"
    )
    # One finding at least, so that a doctor sees what was measured on the image it fits worst.
    return Report(FOUND, text, [_quality_spot(one) for one in (flagged or worst[:1])[:MOST_FLAGGED]])


def _frames(image: Dataset) -> Iterator[Checked]:
    """The grey frames of an image; colour is reduced to its mean."""
    if "PixelData" not in image:
        return
    pixels = np.asarray(image.pixel_array, np.float32)
    if int(image.get("SamplesPerPixel", 1)) > 1:
        pixels = pixels.mean(axis=-1)
    darkest, brightest = _limits(image)
    for index, frame in enumerate(pixels.reshape(-1, *pixels.shape[-2:])):
        if min(frame.shape) >= 3:
            yield Checked(str(image.SOPInstanceUID), index + 1, quality.measured(frame, brightest, darkest))


def _limits(image: Dataset) -> tuple[float, float]:
    """The values that Bits Stored and Pixel Representation allow, PS3.3 C.7.6.3.1."""
    bits = int(image.BitsStored)
    return (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if image.get("PixelRepresentation") else (0.0, 2.0**bits - 1)


def _quality_spot(one: Checked) -> Spot:
    measured = one.quality
    remarks = "；".join(measured.remarks) or "未见异常；此为所测各帧中最差的一帧"
    return Spot(
        *IMAGE_QUALITY,
        sop_instance_uid=one.sop_instance_uid,
        frame=one.frame,
        circle=None,
        values=(
            ("噪声", round(measured.noise, 2), "1"),
            ("噪声与对比度之比", round(measured.noise_share, 3), "1"),
            ("截断像素", round(100 * measured.clipped, 2), "%"),
            ("不均匀度", round(measured.unevenness, 3), "1"),
        ),
        description=f"{remarks}。{DISCLAIMER}",
    )
