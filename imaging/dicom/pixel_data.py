"""The pixel element of a scanned data set: how it is described, where each frame lies, whether both agree.

Only headers, offset tables and the first bytes of the first frame are read, so that the cost does not grow with size.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from struct import Struct, unpack
from typing import Any, Final

from pydicom import config
from pydicom.uid import UID

from imaging.dicom.elements import PIXEL_TAGS, Buffer, Element
from imaging.dicom.json_model import JsonDataset
from imaging.dicom.layout import Pixels, PixelTag, Span
from imaging.dicom.remarks import RefusedAs, Remark, Unreadable
from imaging.dicom.syntaxes import RLE, Syntax

EXTENDED_OFFSETS, EXTENDED_LENGTHS = 0x7FE00001, 0x7FE00002
_TAGS: Final[dict[int, PixelTag]] = {0x7FE00010: "7FE00010", 0x7FE00008: "7FE00008", 0x7FE00009: "7FE00009"}
_FLOAT_BITS: Final = {0x7FE00008: 32, 0x7FE00009: 64}
# Image classes whose names do not say so (PS3.6 Table A-1).
_MORE_IMAGES: Final = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.30"})

_JPEG: Final = frozenset({f"1.2.840.10008.1.2.4.{number}" for number in (*range(50, 67), 70, 80, 81)})
_JPEG_2000: Final = frozenset({f"1.2.840.10008.1.2.4.{number}" for number in (90, 91, 92, 93, 201, 202, 203)})
_SOI, _SOC, _JP2 = b"\xff\xd8", b"\xff\x4f", b"\x00\x00\x00\x0cjP  "
# SIZ: after SOC, marker, length and capabilities (ITU-T T.800 A.5.1) width, height, origin x and y …
_SIZE: Final = Struct(">4L")
_SIZE_AT, _DEPTH_AT = 8, 42


@dataclass(slots=True)
class Described:
    """pixels: None where there is no pixel data, or too little is said about it to find a frame."""

    pixels: Pixels | None = None
    remarks: set[Remark] = field(default_factory=set)


def describe(
    data: Buffer, elements: list[Element], dataset: JsonDataset, syntax: Syntax, sop_class_uid: str
) -> Described:
    """Raises Unreadable(TRUNCATED) for encapsulated pixel data that ends before its last frame."""
    element = next((element for element in elements if element.tag in PIXEL_TAGS), None)
    if element is None or element.length == 0:
        missing = is_image(sop_class_uid) and not syntax.referenced
        return Described(None, {Remark.PIXELS_MISSING} if missing else set())
    description = _Description(dataset)
    if not description.is_sufficient(element.tag):
        return Described(None, {Remark.PIXELS_UNDESCRIBED})
    pixels = description.pixels(element, min(element.length, len(data) - element.offset))
    remarks = {Remark.PIXELS_NOT_IN_SYNTAX} if pixels.encapsulated != syntax.encapsulated else set()
    if element.fragments is None:
        if pixels.native_frame_bits * pixels.number_of_frames > pixels.length * 8:
            remarks.add(Remark.PIXELS_SHORT)
        return Described(pixels, remarks)
    frames, found = _frames(data, elements, element, pixels.number_of_frames, syntax)
    return Described(
        description.pixels(element, pixels.length, frames), remarks | found | _stream(data, pixels, frames, syntax)
    )


def is_image(sop_class_uid: str) -> bool:
    """Whether objects of this class have pixels to look at."""
    return sop_class_uid in _MORE_IMAGES or "Image Storage" in UID(sop_class_uid, config.IGNORE).name


class _Description:
    """The attributes of the image pixel module, as far as they are usable."""

    def __init__(self, dataset: JsonDataset) -> None:
        self._dataset = dataset

    def _first(self, tag: str) -> Any:
        return (self._dataset.get(tag, {}).get("Value") or [None])[0]

    def _number(self, tag: str, default: int) -> int:
        value = self._first(tag)
        return value if isinstance(value, int) else default

    def _bits(self, tag: int) -> int:
        return _FLOAT_BITS.get(tag) or self._number("00280100", 0)

    def is_sufficient(self, tag: int) -> bool:
        return min(self._number("00280010", 0), self._number("00280011", 0), self._bits(tag)) > 0

    def pixels(self, element: Element, length: int, frames: list[list[Span]] | None = None) -> Pixels:
        bits = self._bits(element.tag)
        stored = self._number("00280101", bits)
        return Pixels(
            tag=_TAGS[element.tag],
            rows=self._number("00280010", 0),
            columns=self._number("00280011", 0),
            samples_per_pixel=max(self._number("00280002", 1), 1),
            bits_allocated=bits,
            bits_stored=stored,
            high_bit=self._number("00280102", stored - 1),
            pixel_representation=self._number("00280103", 0),
            photometric_interpretation=str(self._first("00280004") or ""),
            planar_configuration=self._number("00280006", 0),
            number_of_frames=max(self._number("00280008", 1), 1),
            encapsulated=element.fragments is not None,
            offset=element.offset,
            length=length,
            frames=frames or [],
        )


def _frames(
    data: Buffer, elements: list[Element], element: Element, count: int, syntax: Syntax
) -> tuple[list[list[Span]], set[Remark]]:
    """The fragments of each frame: by offset table, else by their number, else by where streams begin (PS3.5 A.4)."""
    assert element.fragments is not None
    remarks = set() if element.fragments.terminated else {Remark.PIXELS_NOT_TERMINATED}
    table, fragments = element.fragments.spans[:1], element.fragments.spans[1:]
    if count == 1 or syntax.video:
        frames = [fragments] if fragments else []
    elif len(fragments) == count:
        frames = [[fragment] for fragment in fragments]
    else:
        offsets = _extended_offsets(data, elements) or _basic_offsets(data, table)
        frames = _grouped_by(offsets, fragments) if offsets else _grouped_by_start(data, fragments)
    missing = count - len(frames) if not syntax.video else 0
    if missing > 0 and not element.fragments.terminated:
        raise Unreadable(RefusedAs.TRUNCATED)
    if missing:
        remarks.add(Remark.PIXELS_SHORT if missing > 0 else Remark.FRAMES_UNCERTAIN)
    return frames, remarks


def _basic_offsets(data: Buffer, table: list[Span]) -> list[int]:
    return _unsigned(data, table[0], 4) if table else []


def _extended_offsets(data: Buffer, elements: list[Element]) -> list[int]:
    found = next((element for element in elements if element.tag == EXTENDED_OFFSETS), None)
    return _unsigned(data, (found.offset, found.length), 8) if found else []


def _unsigned(data: Buffer, span: Span, size: int) -> list[int]:
    start, length = span
    count = length // size
    return list(unpack(f"<{count}{'L' if size == 4 else 'Q'}", data[start : start + count * size]))


def _grouped_by(offsets: list[int], fragments: list[Span]) -> list[list[Span]]:
    """Fragments between one offset and the next; offsets count from the first fragment's item tag."""
    if not fragments:
        return []
    origin = fragments[0][0]
    bounds = [*offsets, fragments[-1][0] - origin + 1]
    groups = []
    position = 0
    for _, end in pairwise(bounds):
        group = []
        while position < len(fragments) and fragments[position][0] - origin < end:
            group.append(fragments[position])
            position += 1
        groups.append(group)
    return [group for group in groups if group]


def _grouped_by_start(data: Buffer, fragments: list[Span]) -> list[list[Span]]:
    """A fragment that begins with a start-of-image or start-of-codestream marker begins a frame."""
    groups: list[list[Span]] = []
    for fragment in fragments:
        begins = data[fragment[0] : fragment[0] + 2] in {_SOI, _SOC}
        if begins or not groups:
            groups.append([])
        groups[-1].append(fragment)
    return groups


def _stream(data: Buffer, pixels: Pixels, frames: list[list[Span]], syntax: Syntax) -> set[Remark]:
    """Whether the first frame begins as its syntax says and describes the same image as the data set."""
    if not frames:
        return set()
    start, length = frames[0][0]
    head = data[start : start + min(length, 64)]
    if syntax.uid in _JPEG_2000:
        return _jpeg_2000(head, pixels)
    odd = (syntax.uid in _JPEG and not head.startswith(_SOI)) or (syntax.uid == RLE and not _is_rle_header(head))
    return {Remark.STREAM_NONSTANDARD} if odd else set()


def _jpeg_2000(head: bytes, pixels: Pixels) -> set[Remark]:
    if not head.startswith(_SOC) or len(head) <= _DEPTH_AT:
        return {Remark.STREAM_NONSTANDARD}
    right, bottom, left, top = _SIZE.unpack_from(head, _SIZE_AT)
    signed = head[_DEPTH_AT] >> 7
    same = (bottom - top, right - left, signed) == (pixels.rows, pixels.columns, pixels.pixel_representation)
    return set() if same else {Remark.STREAM_DIFFERS}


def _is_rle_header(head: bytes) -> bool:
    return len(head) == 64 and 1 <= int.from_bytes(head[:4], "little") <= 15
