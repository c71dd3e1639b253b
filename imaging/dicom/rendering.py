"""One frame as a picture for people (PS3.18 section 9.5 and 10.4.1.1.3): the function that a worker process runs."""

import base64
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foundation.errors import Invalid
from imaging.dicom import pixels as px
from imaging.dicom.codecs import DamagedPixels, Frame
from imaging.dicom.frames import read_frame, read_span
from imaging.dicom.layout import BULK_PREFIX, Layout, Pixels

Json = dict[str, Any]

_ONE_BIT: Final = px.Window(0.5, 1, px.Function.LINEAR_EXACT)

# Attributes by tag, as the DICOM JSON model names them.
_SHARED_GROUPS, _FRAME_GROUPS = "52009229", "52009230"
_PIXEL_VALUE_TRANSFORMATION, _FRAME_VOI_LUT = "00289145", "00289132"
_RESCALE_INTERCEPT, _RESCALE_SLOPE = "00281052", "00281053"
_WINDOW_CENTER, _WINDOW_WIDTH, _VOI_FUNCTION = "00281050", "00281051", "00281056"
_MODALITY_LUT, _VOI_LUT, _LUT_DESCRIPTOR, _LUT_DATA = "00283000", "00283010", "00283002", "00283006"
_PADDING, _PADDING_LIMIT, _PRESENTATION_SHAPE, _MAXIMUM_FRACTION = "00280120", "00280121", "20500020", "0062000E"
# How far apart rows and columns lie, the better known first: (attribute, functional group).
_SPACINGS: Final = (("00280030", "00289110"), ("00181164", ""), ("00182010", ""), ("00280034", ""))
_PALETTE: Final = (
    ("00281101", "00281201", "00281221"),
    ("00281102", "00281202", "00281222"),
    ("00281103", "00281203", "00281223"),
)


# What is stretched further than this is a mistake, or would cost more than it shows.
_MOST_STRETCHED: Final = 10.0
_LONGEST_STRETCHED: Final = 16384


class BadViewport(Invalid):
    code = "rendered.viewport"


@dataclass(frozen=True, slots=True)
class Viewport:
    """The picture fits into width x height pixels and keeps its proportions.

    region: (left, top, width, height) of the source image in its pixels; None: all of it. A negative width or height
    mirrors (PS3.18 section 8.3.5.1.3).
    """

    width: int
    height: int
    region: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """frame: from 0. window: in modality units; None: the object's own. quality: 1 to 100, of JPEG."""

    frame: int = 0
    media_type: Literal["image/jpeg", "image/png"] = "image/jpeg"
    quality: int = 90
    window: px.Window | None = None
    viewport: Viewport | None = None


THUMBNAIL_PIXELS: Final = 128


def thumbnail_options(number_of_frames: int) -> RenderOptions:
    """What a thumbnail is unless the caller asks for something else: the middle frame, small."""
    return RenderOptions(number_of_frames // 2, viewport=Viewport(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))


def render(path: Path, transfer_syntax: str, layout: Layout, metadata: bytes, options: RenderOptions) -> bytes:
    """The encoded picture. ``metadata``: the stored DICOM JSON, deflated.

    Raises the refusals of :mod:`imaging.dicom.codecs` and BadViewport.
    """
    frame = read_frame(path, transfer_syntax, layout, options.frame)
    header = Header(msgspec.json.decode(zlib.decompress(metadata)), path, layout, options.frame)
    try:
        display = _display(frame, header, options.window)
    except (ValueError, IndexError, OverflowError) as error:
        raise DamagedPixels("The attributes that describe the picture contradict each other.") from error
    return _encoded(Image.fromarray(display), header.pixel_height(), options)


class Header:
    """The attributes of one frame: of its functional groups first, then the data set's own (PS3.3 section C.7.6.16)."""

    def __init__(self, data: Json, path: Path, layout: Layout, frame: int) -> None:
        self._data, self._path, self._layout = data, path, layout
        self._groups = [*_items(data, _FRAME_GROUPS)[frame : frame + 1], *_items(data, _SHARED_GROUPS)[:1]]

    @property
    def pixels(self) -> Pixels:
        if self._layout.pixels is None:
            raise DamagedPixels("The instance has no pixel data.")
        return self._layout.pixels

    def numbers(self, tag: str, macro: str = "") -> list[float]:
        """The values of ``tag``, in the functional group ``macro`` or the data set; what is no number is left out."""
        return [number for value in self._values(tag, macro) if (number := _number(value)) is not None]

    def word(self, tag: str, macro: str = "") -> str:
        return next((str(value).strip().upper() for value in self._values(tag, macro)), "")

    def pixel_height(self) -> float:
        """How many times as high as wide a pixel is (PS3.3 sections 10.7.1.3, C.7.6.3.1.7); 1 where nothing is said."""
        for tag, macro in _SPACINGS:
            found = self.numbers(tag, macro)
            if len(found) == 2 and min(found) > 0:
                return found[0] / found[1]
        return 1.0

    def lut_item(self, sequence: str, *, signed: bool) -> px.Lut | None:
        """The first item of a Modality or VOI LUT Sequence. signed: its input may be negative."""
        item = next(iter(_items(self._data, sequence)), None)
        if item is None:
            return None
        descriptor = [int(n) for value in _value(item, _LUT_DESCRIPTOR) if (n := _number(value)) is not None]
        return self._lut(descriptor, item.get(_LUT_DATA, {}), f"{sequence}/0/{_LUT_DATA}", signed=signed)

    def palette(self) -> tuple[px.Lut, px.Lut, px.Lut]:
        red, green, blue = (self._palette(*tags) for tags in _PALETTE)
        return red, green, blue

    def _palette(self, descriptor_tag: str, data_tag: str, segmented_tag: str) -> px.Lut:
        descriptor = [int(number) for number in self.numbers(descriptor_tag)]
        signed = self.pixels.pixel_representation == 1
        if data_tag in self._data:
            return self._lut(descriptor, self._data[data_tag], data_tag, signed=signed)
        words = np.frombuffer(self._binary(self._data.get(segmented_tag, {}), segmented_tag), "<u2")
        count, first, bits = _described(descriptor, signed)
        return px.Lut(first, px.expand_segments(words, count), bits)

    def _lut(self, descriptor: list[int], element: Json, path: str, *, signed: bool) -> px.Lut:
        count, first, bits = _described(descriptor, signed)
        data = self._binary(element, path)
        # Entries of eight bits may be packed two to a word.
        entries = np.frombuffer(data, np.uint8 if len(data) < 2 * count else "<u2")[:count]
        if len(entries) != count:
            raise ValueError("the table is shorter than its descriptor says")
        return px.Lut(first, entries.astype(np.uint16), bits)

    def _binary(self, element: Json, path: str) -> bytes:
        if "InlineBinary" in element:
            return base64.b64decode(element["InlineBinary"])
        if element.get("BulkDataURI", "").startswith(BULK_PREFIX):
            start, length, _ = self._layout.bulk[path]
            words = read_span(self._path, self._layout, start, length)
            return np.frombuffer(words, ">u2").astype("<u2").tobytes() if self._layout.big_endian else words
        return np.array(element.get("Value", []), np.int64).astype("<u2").tobytes()

    def _values(self, tag: str, macro: str) -> list[Any]:
        for group in self._groups if macro else ():
            for item in _items(group, macro)[:1]:
                if tag in item:
                    return _value(item, tag)
        return _value(self._data, tag)


def _described(descriptor: list[int], signed: bool) -> tuple[int, int, int]:
    """A LUT Descriptor as number of entries, first input value and bits (PS3.3 section C.11.1.1.1)."""
    count, first, bits = descriptor
    if signed and first > 0x7FFF:
        first -= 0x10000
    if not 8 <= bits <= 16:
        raise ValueError("a table has entries of 8 to 16 bits")
    # 0 stands for 65536, which does not fit.
    return (count & 0xFFFF) or 0x10000, first, bits


def _value(data: Json, tag: str) -> list[Any]:
    values: list[Any] = data.get(tag, {}).get("Value", [])
    return values


def _items(data: Json, tag: str) -> list[Json]:
    return [item for item in _value(data, tag) if isinstance(item, dict)]


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _display(frame: Frame, header: Header, window: px.Window | None) -> NDArray[np.uint8]:
    if frame.samples.ndim == 3:
        if frame.samples.shape[2] != 3:
            raise ValueError("colour has three samples per pixel")
        return px.rgb(frame.samples, frame.photometric, header.pixels.bits_stored)
    if frame.photometric == "PALETTE COLOR":
        return px.palette(frame.samples, *header.palette())
    modality = _modality(header)
    inverted = frame.photometric == "MONOCHROME1" or header.word(_PRESENTATION_SHAPE) == "INVERSE"
    return px.grey(frame.samples, modality, _interest(frame, header, modality, window), inverted=inverted)


def _modality(header: Header) -> px.Curve:
    lut = header.lut_item(_MODALITY_LUT, signed=header.pixels.pixel_representation == 1)
    if lut is not None:
        return lut.look_up
    slope = header.numbers(_RESCALE_SLOPE, _PIXEL_VALUE_TRANSFORMATION) or [1.0]
    return px.rescale(slope[0] or 1.0, _intercept(header))


def _intercept(header: Header) -> float:
    return next(iter(header.numbers(_RESCALE_INTERCEPT, _PIXEL_VALUE_TRANSFORMATION)), 0.0)


def _interest(frame: Frame, header: Header, modality: px.Curve, window: px.Window | None) -> px.Curve:
    """The caller's window, else the object's first one, else its VOI LUT, else everything there is."""
    chosen = window or _own_window(header)
    if chosen is not None:
        return px.window_curve(chosen)
    # Its input is what the rescaling gives, so that may be negative where stored values are not (C.11.2.1.1).
    lut = header.lut_item(_VOI_LUT, signed=header.pixels.pixel_representation == 1 or _intercept(header) < 0)
    if lut is not None:
        return px.voi_lut_curve(lut)
    return px.window_curve(_fallback_window(frame, header, modality))


def _own_window(header: Header) -> px.Window | None:
    centres = header.numbers(_WINDOW_CENTER, _FRAME_VOI_LUT)
    widths = header.numbers(_WINDOW_WIDTH, _FRAME_VOI_LUT)
    if not centres or not widths:
        return None
    word = header.word(_VOI_FUNCTION, _FRAME_VOI_LUT)
    function = px.Function(word) if word in px.Function.__members__ else px.Function.LINEAR
    if function is px.Function.LINEAR and 0 < widths[0] < 1:
        # Not allowed, but written with small units; only the exact function makes sense of it.
        function = px.Function.LINEAR_EXACT
    window = px.Window(centres[0], widths[0], function)
    return window if window.is_valid else None


def _fallback_window(frame: Frame, header: Header, modality: px.Curve) -> px.Window:
    if header.pixels.bits_allocated == 1:
        return _ONE_BIT
    if frame.samples.dtype == np.uint8:
        # All that may be stored: what is dark stays dark, and frames of one object compare.
        highest = header.numbers(_MAXIMUM_FRACTION) or [2.0**header.pixels.bits_stored - 1]
        ends = modality(np.array([0.0, highest[0]]))
        return px.between(float(ends.min()), float(ends.max()))
    padding = [value for tag in (_PADDING, _PADDING_LIMIT) for value in header.numbers(tag)[:1]]
    background: list[float] = modality(np.array(padding)).tolist()
    return px.full_range(modality(frame.samples.astype(np.float64)), background)


def _encoded(image: Image.Image, pixel_height: float, options: RenderOptions) -> bytes:
    if options.viewport is not None and options.viewport.region is not None:
        image = _cropped(image, options.viewport.region)
    size = _shown_size(image, pixel_height, options.viewport)
    if size != image.size:
        smaller = size[0] * size[1] < image.width * image.height
        image = image.resize(size, Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC)
    buffer = BytesIO()
    if options.media_type == "image/png":
        image.save(buffer, "PNG", compress_level=3)
    else:
        image.save(buffer, "JPEG", quality=options.quality)
    return buffer.getvalue()


def _shown_size(image: Image.Image, pixel_height: float, viewport: Viewport | None) -> tuple[int, int]:
    """Width and height with square pixels: stretched, so that nothing is lost, then fitted into ``viewport``."""
    width, height = float(image.width), float(image.height)
    if not 1 / _MOST_STRETCHED <= pixel_height <= _MOST_STRETCHED or abs(pixel_height - 1) < 0.01:
        pixel_height = 1.0
    wide, high = width / min(pixel_height, 1.0), height * max(pixel_height, 1.0)
    if max(wide, high) <= max(_LONGEST_STRETCHED, width, height):
        width, height = wide, high
    scale = 1.0 if viewport is None else min(viewport.width / width, viewport.height / height)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _cropped(image: Image.Image, region: tuple[int, int, int, int]) -> Image.Image:
    left, top, width, height = region
    right, bottom = left + abs(width), top + abs(height)
    if left < 0 or top < 0 or right > image.width or bottom > image.height:
        raise BadViewport("The viewport's source region must lie inside the image.")
    part = image.crop((left, top, right, bottom))
    if width < 0:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return part.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if height < 0 else part
