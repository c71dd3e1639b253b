"""From stored samples to what an eye sees: pure numpy, nothing here reads files or writes to its arguments.

Order of steps for grey images (PS3.4 annex N.2): modality, values of interest, polarity. Displayed values are uint8,
0 black to 255 white; shapes are (rows, columns) grey or (rows, columns, 3) RGB.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]
Values = NDArray[np.float64]
Display = NDArray[np.uint8]
Curve = Callable[[Values], Values]

WHITE: Final = 255.0
# Integers of up to so many different values go through a table instead of arithmetic on every pixel.
_TABLE_BITS: Final = 16


class Function(StrEnum):
    """VOI LUT Function (PS3.3 section C.11.2.1.3)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """Window centre and width in modality units (HU for CT). LINEAR asks for width >= 1, the others for more than 0."""

    centre: float
    width: float
    function: Function = Function.LINEAR

    @property
    def is_valid(self) -> bool:
        lowest = 1.0 if self.function is Function.LINEAR else np.nextafter(0.0, 1.0)
        return bool(np.isfinite(self.centre) and np.isfinite(self.width) and self.width >= lowest)


@dataclass(frozen=True, slots=True)
class Lut:
    """A lookup table (PS3.3 section C.11.1.1). Inputs beyond its ends are clamped.

    first: the input value of ``entries[0]``. entries: shape (n,). bits: of an entry.
    """

    first: int
    entries: NDArray[np.uint16]
    bits: int

    def look_up(self, values: Values) -> Values:
        index = np.clip(np.nan_to_num(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        return self.entries[index].astype(np.float64)


def rescale(slope: float, intercept: float) -> Curve:
    """Modality transformation by slope and intercept (PS3.3 section C.11.1.1.2)."""

    def curve(values: Values) -> Values:
        return values * slope + intercept

    return curve


def window_curve(window: Window) -> Curve:
    """Values of interest to 0…255 (PS3.3 sections C.11.2.1.2.1 and C.11.2.1.3). ``window`` must be valid."""
    return _WINDOW_CURVES[window.function](window.centre, window.width)


def _linear(centre: float, width: float) -> Curve:
    def curve(values: Values) -> Values:
        if width == 1:
            return np.where(values <= centre - 0.5, 0.0, WHITE)
        return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1) * WHITE

    return curve


def _linear_exact(centre: float, width: float) -> Curve:
    def curve(values: Values) -> Values:
        return np.clip((values - centre) / width + 0.5, 0, 1) * WHITE

    return curve


def _sigmoid(centre: float, width: float) -> Curve:
    def curve(values: Values) -> Values:
        exponent = np.clip(-4 * (values - centre) / width, -700, 700)
        return WHITE / (1 + np.exp(exponent))

    return curve


_WINDOW_CURVES: Final[dict[Function, Callable[[float, float], Curve]]] = {
    Function.LINEAR: _linear,
    Function.LINEAR_EXACT: _linear_exact,
    Function.SIGMOID: _sigmoid,
}


def voi_lut_curve(lut: Lut) -> Curve:
    """Values of interest through a VOI LUT (PS3.3 section C.11.2.1.1) to 0…255."""

    def curve(values: Values) -> Values:
        return lut.look_up(values) * (WHITE / ((1 << lut.bits) - 1))

    return curve


def full_range(values: Values, padding: Sequence[float] = ()) -> Window:
    """The window that shows every value, where an object names none.

    ``padding``: the values between the lowest and the highest of these are background and do not count (PS3.3 section
    C.7.5.1.1.2).
    """
    counted = values[np.isfinite(values)]
    if padding:
        image = counted[(counted < min(padding)) | (counted > max(padding))]
        counted = image if image.size else counted
    return between(float(counted.min(initial=np.inf)), float(counted.max(initial=-np.inf)))


def between(low: float, high: float) -> Window:
    """The window from black at ``low`` to white at ``high``; where that is one value alone, or none, all is black."""
    if low >= high:
        return Window((high if np.isfinite(high) else 0.0) + 0.5, 1)
    return Window((low + high) / 2, high - low, Function.LINEAR_EXACT)


def grey(samples: Samples, modality: Curve, interest: Curve, *, inverted: bool = False) -> Display:
    """(rows, columns) of integers or floats to the same shape of uint8; ``inverted`` for MONOCHROME1."""

    def shown(values: Samples) -> Display:
        level = np.nan_to_num(interest(modality(values.astype(np.float64))), nan=0.0)
        return np.rint(WHITE - level if inverted else level).astype(np.uint8)

    if samples.dtype.kind not in "ui" or samples.dtype.itemsize * 8 > _TABLE_BITS:
        return shown(samples)
    low, high = int(samples.min()), int(samples.max())
    table = shown(np.arange(low, high + 1))
    return np.asarray(np.take(table, samples.astype(np.intp) - low), np.uint8)


def palette(samples: Samples, red: Lut, green: Lut, blue: Lut) -> Display:
    """PALETTE COLOR (PS3.3 section C.7.6.3.1.5): (rows, columns) to (rows, columns, 3)."""
    values = samples.astype(np.float64)
    return np.stack([_eight_bits(lut.look_up(values), lut) for lut in (red, green, blue)], axis=-1)


def _eight_bits(levels: Values, lut: Lut) -> Display:
    # Some writers say 16 bits and fill in 8.
    shift = 8 if lut.bits > 8 and lut.entries.max(initial=0) > 255 else 0
    return (levels.astype(np.uint16) >> shift).astype(np.uint8)


def rgb(samples: Samples, photometric: str, bits_stored: int) -> Display:
    """(rows, columns, 3) of RGB, YBR_FULL or YBR_PARTIAL_* unsigned samples to RGB of 8 bits.

    Source: PS3.3 section C.7.6.3.1.2 (ITU-R BT.601); samples of more than 8 bits lose the lower ones.
    """
    eight = (samples.astype(np.uint32) >> max(bits_stored - 8, 0)).clip(0, 255).astype(np.uint8)
    if not photometric.startswith("YBR"):
        return eight
    y, blue, red = np.moveaxis(eight.astype(np.float32), -1, 0)
    scale = 1.0
    if photometric.startswith("YBR_PARTIAL"):  # luminance 16…235, chroma 16…240
        y, scale = (y - 16) * np.float32(255 / 219), 255 / 224
    red, blue = (red - 128) * np.float32(scale), (blue - 128) * np.float32(scale)
    parts = (y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue)
    return np.asarray(np.rint(np.stack(parts, axis=-1)).clip(0, 255), np.uint8)


def expand_segments(words: NDArray[np.uint16], length: int) -> NDArray[np.uint16]:
    """A segmented palette (PS3.3 section C.7.9.2) to ``length`` entries; ValueError where it does not fit.

    Opcodes: 0 discrete (n values), 1 linear (n steps to a value), 2 indirect (n segments again from a byte offset).
    """
    entries: list[int] = []
    _expand(words.tolist(), 0, len(words), entries, length, nested=False)
    if len(entries) != length:
        raise ValueError("the segmented palette has another length than its descriptor says")
    return np.array(entries, np.uint16)


def _expand(words: list[int], at: int, segments: int, out: list[int], length: int, *, nested: bool) -> None:
    while at + 2 < len(words) and segments and len(out) < length:
        opcode, count = words[at], words[at + 1]
        segments -= 1
        if opcode == 0:
            out.extend(words[at + 2 : at + 2 + count])
            at += 2 + count
        elif opcode == 1 and out:
            out.extend(np.rint(np.linspace(out[-1], words[at + 2], count + 1)[1:]).astype(int).tolist())
            at += 3
        elif opcode == 2 and not nested and at + 3 < len(words):
            # The offset counts bytes; an indirect segment must not lead to another one.
            _expand(words, (words[at + 2] + (words[at + 3] << 16)) // 2, count, out, length, nested=True)
            at += 4
        else:
            raise ValueError("the palette has a segment of an unknown kind")
