"""Small images for every rule of showing pixels, each with the picture that the standard asks for, worked out by hand.

The formulas stand here once more and on their own, value by value, so that they can disagree with the code under test.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import (
    EnhancedMRImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    ParametricMapStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)

from tests.samples import patient_study

RAMP = np.arange(256, dtype=np.uint16).reshape(16, 16)


@dataclass(frozen=True)
class Phantom:
    """An image and what frame ``frame`` (from 0) of it looks like: (rows, columns) or (rows, columns, 3) of 0…255."""

    data: Dataset
    shown: NDArray[np.int64]
    frame: int = 0


def _image(name: str, values: NDArray, stored: int = 0, sop_class: str = SecondaryCaptureImageStorage, **attributes):
    data = patient_study(f"picture {name}", sop_class)
    bits = values.dtype.itemsize * 8
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = values.shape[-2:]
    data.BitsAllocated, data.BitsStored = bits, stored or bits
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(values.dtype.kind == "i")
    data.add_new("PixelData", "OW" if bits > 8 else "OB", values.tobytes())
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    return data


def _each(values: Iterable, curve: Callable[[float], float]) -> NDArray[np.int64]:
    return np.vectorize(lambda value: int(np.floor(curve(float(value)) + 0.5)), otypes=[np.int64])(values)


def linear(centre: float, width: float) -> Callable[[float], float]:
    def level(x: float) -> float:
        if x <= centre - 0.5 - (width - 1) / 2:
            return 0.0
        if x > centre - 0.5 + (width - 1) / 2:
            return 255.0
        return ((x - (centre - 0.5)) / (width - 1) + 0.5) * 255

    return level


def exact(centre: float, width: float) -> Callable[[float], float]:
    return lambda x: min(max((x - centre) / width + 0.5, 0.0), 1.0) * 255


def sigmoid(centre: float, width: float) -> Callable[[float], float]:
    return lambda x: 255 / (1 + exp(-4 * (x - centre) / width))


def _lut(first: int, entries: list[int], bits: int = 16, vr: str = "US") -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", vr, [len(entries), first, bits])
    item.add_new("LUTData", "OW", np.array(entries, "<u2").tobytes())
    item.ModalityLUTType = "US"
    return item


def _palette(data: Dataset, first: int, bits: int, tables: list[list[int]], *, segmented: bool = False) -> Dataset:
    data.PhotometricInterpretation = "PALETTE COLOR"
    vr = "SS" if first < 0 else "US"
    for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        count = 64 if segmented else len(table)
        prefix = "Segmented" if segmented else ""
        data.add_new(f"{colour}PaletteColorLookupTableDescriptor", vr, [count, first, bits])
        data.add_new(f"{prefix}{colour}PaletteColorLookupTableData", "OW", np.array(table, "<u2").tobytes())
    return data


def windows() -> dict[str, Phantom]:
    """Windows and tables over unsigned and signed values."""
    signed = (np.arange(-128, 128).reshape(16, 16) * 16).astype(np.int16)
    twelve = signed >> 4 << 4
    padded = (RAMP * 10).astype(np.uint16)
    padded[1, :4] = 4095
    hu = RAMP.astype(np.int64) * 8 - 1024
    entries = [int(i * i / 255 * 16) for i in range(256)]
    return {
        "linear": Phantom(_image("linear", RAMP, WindowCenter=100, WindowWidth=80), _each(RAMP, linear(100, 80))),
        "linear of width 1": Phantom(
            _image("width 1", RAMP, WindowCenter=100, WindowWidth=1), np.where(RAMP <= 99.5, 0, 255)
        ),
        "linear exact": Phantom(
            _image("exact", RAMP, WindowCenter=100, WindowWidth=80, VOILUTFunction="LINEAR_EXACT"),
            _each(RAMP, exact(100, 80)),
        ),
        "sigmoid": Phantom(
            _image("sigmoid", RAMP, WindowCenter=100, WindowWidth=80, VOILUTFunction="SIGMOID"),
            _each(RAMP, sigmoid(100, 80)),
        ),
        "the first of two windows": Phantom(
            _image("two", RAMP, WindowCenter=[100, 20], WindowWidth=[80, 10]), _each(RAMP, linear(100, 80))
        ),
        "a window narrower than one": Phantom(
            _image("narrow", RAMP, RescaleSlope=0.001, RescaleIntercept=0, WindowCenter=0.1, WindowWidth=0.08),
            _each(RAMP / 1000, exact(0.1, 0.08)),
        ),
        "monochrome1": Phantom(
            _image("mono1", RAMP, WindowCenter=100, WindowWidth=80, PhotometricInterpretation="MONOCHROME1"),
            _each(RAMP, lambda x: 255 - linear(100, 80)(x)),
        ),
        "inverse presentation": Phantom(
            _image("inverse", RAMP, WindowCenter=100, WindowWidth=80, PresentationLUTShape="INVERSE"),
            _each(RAMP, lambda x: 255 - linear(100, 80)(x)),
        ),
        "rescaled": Phantom(
            _image("hu", RAMP * 8, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400),
            _each(hu, linear(40, 400)),
        ),
        "signed 16 bits": Phantom(
            _image("signed", signed, WindowCenter=0, WindowWidth=2000), _each(signed, linear(0, 2000))
        ),
        "signed 12 bits": Phantom(
            _image(
                "signed 12",
                (twelve & 0xFFF).astype(np.uint16),
                12,
                PixelRepresentation=1,
                WindowCenter=0,
                WindowWidth=2000,
            ),
            _each(twelve, linear(0, 2000)),
        ),
        "no window": Phantom(_image("none", RAMP * 10), _each(RAMP * 10, exact(1275, 2550))),
        "no window, padding": Phantom(
            _image("padding", padded, 12, PixelPaddingValue=4095), _each(padded, exact(1275, 2550))
        ),
        "no window, a range of padding": Phantom(
            _image("padding range", RAMP * 10, PixelPaddingValue=0, PixelPaddingRangeLimit=500),
            _each(RAMP * 10, exact((510 + 2550) / 2, 2550 - 510)),
        ),
        "a table of interest": Phantom(
            _image("voi", RAMP, VOILUTSequence=[_lut(0, entries, 12)]),
            _each(np.array(entries)[RAMP], lambda x: x / 4095 * 255),
        ),
        "a table of interest over negative values": Phantom(
            _image(
                "voi signed",
                RAMP * 8,
                RescaleSlope=1,
                RescaleIntercept=-1024,
                VOILUTSequence=[_lut(-1024 & 0xFFFF, list(range(0, 2041)), 11)],
            ),
            _each(RAMP * 8, lambda x: x / 2047 * 255),
        ),
        "a modality table": Phantom(
            _image("modality", RAMP, ModalityLUTSequence=[_lut(0, entries)], WindowCenter=2000, WindowWidth=3000),
            _each(np.array(entries)[RAMP], linear(2000, 3000)),
        ),
    }


def layouts() -> dict[str, Phantom]:
    """How values lie in their bytes."""
    overlaid = (RAMP << 4).astype(np.uint16) | np.where(RAMP % 3 == 0, 0x8000, 0).astype(np.uint16)
    four = (np.arange(64, dtype=np.uint8) % 16).reshape(8, 8)
    bits = np.random.default_rng(7).integers(0, 2, (3, 5, 5))
    deep = (RAMP.astype(np.uint32) << 16) + 5
    ratio = _image("aspect", RAMP[:8], WindowCenter=100, WindowWidth=80, PixelAspectRatio=[1, 1])
    return {
        "eight bits": Phantom(_image("eight", RAMP.astype(np.uint8)), RAMP.astype(np.int64)),
        "four bits of eight": Phantom(_image("four", four, 4), _each(four, lambda x: x * 17)),
        "an overlay in the upper bits": Phantom(
            _image("overlay", overlaid, 12, WindowCenter=2000, WindowWidth=3000), _each(RAMP << 4, linear(2000, 3000))
        ),
        "high bit above bits stored": Phantom(
            _image("high bit", (RAMP << 8).astype(np.uint16), 8, HighBit=15), RAMP.astype(np.int64) * 1
        ),
        "single bits that begin inside a byte": Phantom(_bits(bits), bits[1] * 255, frame=1),
        "32 bits": Phantom(
            _image("deep", deep, WindowCenter=2.0**23, WindowWidth=2.0**24), _each(deep, linear(2.0**23, 2.0**24))
        ),
        "square pixels": Phantom(ratio, _each(RAMP[:8], linear(100, 80))),
    }


def _bits(bits: NDArray) -> Dataset:
    data = _image("bits", np.zeros(bits.shape[1:], np.uint8), sop_class=SegmentationStorage, SegmentationType="BINARY")
    data.NumberOfFrames, data.BitsAllocated, data.BitsStored, data.HighBit = len(bits), 1, 1, 0
    packed = np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes()
    data["PixelData"].value = packed + b"\0" * (len(packed) % 2)
    return data


def floats() -> dict[str, Phantom]:
    """Pixels that are no integers, and kinds of object that are looked at in their own way."""
    single, double = RAMP.astype("<f4") / 100 - 1, RAMP.astype("<f8") / 1000
    fractions = (RAMP % 101).astype(np.uint8)
    return {
        "single floats": Phantom(
            _floats("single", single, "FloatPixelData"), _each(single.astype(float), exact(0.275, 2.55))
        ),
        "double floats": Phantom(
            _floats("double", double, "DoubleFloatPixelData"), _each(double, exact(0.1275, 0.255))
        ),
        "fractions of a segment": Phantom(
            _image(
                "fractions",
                fractions,
                sop_class=SegmentationStorage,
                SegmentationType="FRACTIONAL",
                MaximumFractionalValue=100,
            ),
            _each(fractions, lambda x: x * 2.55),
        ),
        "frames with their own rescaling": Phantom(
            _enhanced(), _each(RAMP.astype(float) * 3 - 100, linear(200, 300)), frame=1
        ),
    }


def _floats(name: str, values: NDArray, keyword: str) -> Dataset:
    data = _image(name, np.zeros((16, 16), np.uint16), sop_class=ParametricMapStorage)
    for gone in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(data, gone)
    data.BitsAllocated = values.dtype.itemsize * 8
    setattr(data, keyword, values.tobytes())
    return data


def _enhanced() -> Dataset:
    data = _image("enhanced", np.stack([RAMP, RAMP]), sop_class=EnhancedMRImageStorage, NumberOfFrames=2)
    data.SharedFunctionalGroupsSequence, groups = [Dataset()], []
    for slope, intercept, centre in ((1, 0, 100), (3, -100, 200)):
        group, rescaling, window = Dataset(), Dataset(), Dataset()
        rescaling.RescaleSlope, rescaling.RescaleIntercept, rescaling.RescaleType = slope, intercept, "US"
        window.WindowCenter, window.WindowWidth = centre, 300
        group.PixelValueTransformationSequence, group.FrameVOILUTSequence = [rescaling], [window]
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = groups
    return data


def colours() -> dict[str, Phantom]:
    """Palettes, planes and chroma."""
    steps = [list(range(0, 65536, 1024)), list(range(65535, -1, -1024)), [0x8000] * 64]
    eight = [[value >> 8 for value in table] for table in steps]
    index = (np.arange(64) % 64).astype(np.uint8).reshape(8, 8)
    indexed = np.stack([np.array(table)[index] for table in eight], axis=-1)
    moved = (index.astype(np.int16) - 20).astype(np.int16)
    rgb = np.random.default_rng(3).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    return {
        "a palette of 16 bits": Phantom(_palette(_image("p16", index), 0, 16, steps), indexed),
        "a palette of 8 bits": Phantom(_palette(_image("p8", index), 0, 8, eight), indexed),
        "a palette that begins below zero": Phantom(_palette(_image("p-", moved), -20, 16, steps), indexed),
        "values beyond a palette": Phantom(
            _palette(_image("beyond", (index * 4).astype(np.uint8)), 0, 16, steps),
            np.stack([np.array(table)[np.minimum(index * 4, 63)] for table in eight], axis=-1),
        ),
        "a segmented palette": Phantom(
            _palette(_image("segments", index), 0, 16, [[0, 1, 0, 1, 63, 63 * 1024]] * 3, segmented=True),
            np.repeat((index.astype(np.int64) * 1024 >> 8)[..., None], 3, axis=-1),
        ),
        "colour by pixel": Phantom(_colour("by pixel", rgb, "RGB", 0), rgb.astype(np.int64)),
        "colour by plane": Phantom(_colour("by plane", rgb, "RGB", 1), rgb.astype(np.int64)),
        "full chroma": Phantom(_colour("ybr", rgb, "YBR_FULL", 0), _from_ybr(rgb)),
        "full chroma by plane": Phantom(_colour("ybr planes", rgb, "YBR_FULL", 1), _from_ybr(rgb)),
        "halved chroma": Phantom(
            _halved(rgb), _from_ybr(np.repeat(rgb[:, ::2], 2, axis=1) * [0, 1, 1] + rgb * [1, 0, 0])
        ),
    }


def _colour(name: str, rgb: NDArray, photometric: str, planar: int) -> Dataset:
    data = _image(name, rgb[..., 0], sop_class=MultiFrameTrueColorSecondaryCaptureImageStorage, SamplesPerPixel=3)
    data.PhotometricInterpretation, data.PlanarConfiguration = photometric, planar
    data["PixelData"].value = (rgb.transpose(2, 0, 1) if planar else rgb).tobytes()
    return data


def _halved(rgb: NDArray) -> Dataset:
    data = _colour("halved", rgb, "YBR_FULL_422", 0)
    pairs = np.stack([rgb[:, ::2, 0], rgb[:, 1::2, 0], rgb[:, ::2, 1], rgb[:, ::2, 2]], axis=-1)
    data["PixelData"].value = pairs.tobytes()
    return data


def _from_ybr(values: NDArray) -> NDArray[np.int64]:
    y, blue, red = (values[..., i].astype(float) for i in range(3))
    red, blue = red - 128, blue - 128
    parts = (y + 1.402 * red, y - 0.114 * 1.772 / 0.587 * blue - 0.299 * 1.402 / 0.587 * red, y + 1.772 * blue)
    return np.floor(np.clip(np.stack(parts, axis=-1), 0, 255) + 0.5).astype(np.int64)


def all_phantoms() -> dict[str, Phantom]:
    return {**windows(), **layouts(), **floats(), **colours()}
