"""The elements of a data set as positions in its bytes: tag, VR, where the value lies. No value is copied.

Strict about what could make a reader lose its place, tolerant of what writers commonly get wrong (PS3.5 section 7).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from mmap import mmap
from struct import Struct
from typing import Final, TypeAlias

from pydicom.datadict import dictionary_VR

from imaging.dicom.remarks import RefusedAs, Remark, Unreadable

Buffer: TypeAlias = bytes | mmap

UNDEFINED: Final = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
# The whole group is kept for delimiters (PS3.5 section 7.5).
_FIRST_DELIMITER: Final = 0xFFFE0000
PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA = 0x7FE00010, 0x7FE00008, 0x7FE00009
PIXEL_TAGS: Final = frozenset({PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA})
LAST_COMMAND: Final = 0x0000FFFF

_SHORT_VRS: Final = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG_VRS: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())


@dataclass(frozen=True, slots=True)
class Encoding:
    """How element headers and binary values are written."""

    implicit: bool
    big_endian: bool = False


IMPLICIT: Final = Encoding(implicit=True)


@dataclass(slots=True)
class Fragments:
    """The items of an encapsulated value: (start, length) of each payload. terminated: the delimiter was there."""

    spans: list[tuple[int, int]]
    terminated: bool


@dataclass(slots=True)
class Element:
    """One element. offset, length: of its value in bytes, header left out. items: the data sets of a sequence."""

    tag: int
    vr: str
    offset: int
    length: int
    items: "list[list[Element]] | None" = None
    fragments: Fragments | None = None


@dataclass(slots=True)
class Scan:
    """What :func:`scan` found: the elements in ascending order of tags, and remarks on how they were written."""

    elements: list[Element] = field(default_factory=list)
    remarks: set[Remark] = field(default_factory=set)


class _Layout:
    """Struct readers for one byte order."""

    def __init__(self, big_endian: bool) -> None:
        order = ">" if big_endian else "<"
        self.tag_and_length = Struct(order + "HHL").unpack_from
        self.explicit = Struct(order + "HH2sH").unpack_from
        self.long_length = Struct(order + "L").unpack_from


_LITTLE, _BIG = _Layout(False), _Layout(True)


@lru_cache(maxsize=4096)
def implicit_vr(tag: int) -> str:
    """The VR that the data dictionary gives; it may offer a choice ("US or SS"). Private and unknown tags are UN."""
    element = tag & 0xFFFF
    if element == 0:
        return "UL"
    if tag & 0x10000:
        return "LO" if 0x10 <= element <= 0xFF else "UN"
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


class _Scanner:
    """Walks element headers. Depth and number of elements are bounded, so that hostile input stays cheap."""

    def __init__(self, data: Buffer, max_depth: int, max_elements: int) -> None:
        self.data = data
        self.max_depth = max_depth
        self.left = max_elements
        self.remarks: set[Remark] = set()

    def top_level(self, start: int, encoding: Encoding) -> list[Element]:
        """Elements to the end of the data; what follows pixel data and cannot be read is trailing bytes."""
        elements: list[Element] = []
        end = len(self.data)
        try:
            for element in self._elements(start, end, encoding, 0):
                if element.tag <= LAST_COMMAND or element.tag >= _FIRST_DELIMITER:
                    self.remarks.add(Remark.TRAILING_BYTES)
                    break
                elements.append(element)
        except Unreadable as error:
            if not any(element.tag in PIXEL_TAGS for element in elements) or error.why is RefusedAs.TOO_MANY_ELEMENTS:
                raise
            self.remarks.add(Remark.TRAILING_BYTES)
        return elements

    def _elements(self, position: int, end: int, encoding: Encoding, depth: int) -> Iterator[Element]:
        while position + 8 <= end:
            element, position = self._element(position, end, encoding, depth)
            if not self._is_stray_delimiter(element, depth):
                yield element
        if position < end:
            if depth:
                raise Unreadable(RefusedAs.MALFORMED)
            # Too few bytes for another element: padding when they are zero, else its beginning.
            if any(self.data[position:end]):
                raise Unreadable(RefusedAs.TRUNCATED)
            self.remarks.add(Remark.TRAILING_BYTES)

    def _is_stray_delimiter(self, element: Element, depth: int) -> bool:
        """Whether an item of known length holds the end that only others need; an item where none can be is refused."""
        if not depth or element.tag < _FIRST_DELIMITER:
            return False
        if element.tag not in {ITEM_END, SEQUENCE_END} or element.length:
            raise Unreadable(RefusedAs.MALFORMED)
        self.remarks.add(Remark.SEQUENCE_INVALID)
        return True

    def _element(self, position: int, end: int, encoding: Encoding, depth: int) -> tuple[Element, int]:
        self._count()
        tag, vr, length, start = self._header(position, end, encoding)
        element = Element(tag, vr, start, length)
        if vr == "SQ" or (length == UNDEFINED and not self._is_encapsulated(element, encoding)):
            inner = IMPLICIT if vr == "UN" else encoding
            element.vr = "SQ"
            element.items, after = self._sequence(start, end, length, inner, depth + 1)
        elif length == UNDEFINED:
            element.fragments, after = self._fragments(start, end, encoding)
        else:
            after = self._end_of_value(element, end, depth)
            self._reveal_unknown(element, encoding, depth)
        element.length = min(after, end) - start if length != UNDEFINED else self._unlimited_length(element, after)
        return element, after

    def _count(self) -> None:
        """Elements, items and fragments all cost the reader something."""
        self.left -= 1
        if self.left < 0:
            raise Unreadable(RefusedAs.TOO_MANY_ELEMENTS)

    def _unlimited_length(self, element: Element, after: int) -> int:
        terminated = element.fragments is None or element.fragments.terminated
        return after - element.offset - (8 if terminated else 0)

    def _is_encapsulated(self, element: Element, encoding: Encoding) -> bool:
        return element.tag == PIXEL_DATA or (element.vr in {"OB", "OW"} and not encoding.implicit)

    def _end_of_value(self, element: Element, end: int, depth: int) -> int:
        after = element.offset + element.length
        if after > end:
            if depth:
                raise Unreadable(RefusedAs.MALFORMED)
            if element.tag not in PIXEL_TAGS:
                raise Unreadable(RefusedAs.TRUNCATED)
            self.remarks.add(Remark.PIXELS_SHORT)
        return after

    def _header(self, position: int, end: int, encoding: Encoding) -> tuple[int, str, int, int]:
        layout = _BIG if encoding.big_endian else _LITTLE
        if encoding.implicit:
            group, number, length = layout.tag_and_length(self.data, position)
            tag = group << 16 | number
            return tag, implicit_vr(tag), length, position + 8
        group, number, vr, length = layout.explicit(self.data, position)
        tag = group << 16 | number
        if vr in _SHORT_VRS:
            return tag, vr.decode(), length, position + 8
        if group == 0xFFFE:
            return tag, "", layout.tag_and_length(self.data, position)[2], position + 8
        if vr in _LONG_VRS or (vr.isalpha() and vr.isupper() and length == 0):
            if position + 12 > end:
                raise Unreadable(RefusedAs.TRUNCATED)
            (length,) = layout.long_length(self.data, position + 8)
            return tag, vr.decode() if vr in _LONG_VRS else "UN", length, position + 12
        if group == 0:
            return tag, "UN", 0, position + 8
        raise Unreadable(RefusedAs.MALFORMED)

    def _sequence(
        self, position: int, end: int, length: int, encoding: Encoding, depth: int
    ) -> tuple[list[list[Element]], int]:
        if depth > self.max_depth:
            raise Unreadable(RefusedAs.TOO_DEEP)
        stop = end if length == UNDEFINED else position + length
        if stop > end:
            raise Unreadable(RefusedAs.TRUNCATED if depth == 1 else RefusedAs.MALFORMED)
        items: list[list[Element]] = []
        while position + 8 <= stop:
            tag, item_length, start = self._item_header(position, encoding)
            if tag == SEQUENCE_END:
                return items, start
            if tag != ITEM:
                raise Unreadable(RefusedAs.MALFORMED)
            item, position = self._item(start, stop, item_length, encoding, depth)
            items.append(item)
        if length == UNDEFINED:
            raise Unreadable(RefusedAs.TRUNCATED)
        return items, stop

    def _item_header(self, position: int, encoding: Encoding) -> tuple[int, int, int]:
        layout = _BIG if encoding.big_endian else _LITTLE
        group, number, length = layout.tag_and_length(self.data, position)
        return group << 16 | number, length, position + 8

    def _item(self, position: int, end: int, length: int, encoding: Encoding, depth: int) -> tuple[list[Element], int]:
        self._count()
        if length != UNDEFINED:
            stop = position + length
            if stop > end:
                raise Unreadable(RefusedAs.TRUNCATED)
            return list(self._elements(position, stop, encoding, depth)), stop
        elements: list[Element] = []
        while position + 8 <= end:
            tag, _, after = self._item_header(position, encoding)
            if tag == ITEM_END:
                return elements, after
            element, position = self._element(position, end, encoding, depth)
            if not self._is_stray_delimiter(element, depth):
                elements.append(element)
        raise Unreadable(RefusedAs.TRUNCATED)

    def _fragments(self, position: int, end: int, encoding: Encoding) -> tuple[Fragments, int]:
        """The items of an encapsulated value; only headers are read (PS3.5 section A.4)."""
        spans: list[tuple[int, int]] = []
        while position + 8 <= end:
            tag, length, start = self._item_header(position, encoding)
            if tag == SEQUENCE_END:
                return Fragments(spans, terminated=True), start
            if tag != ITEM:
                break
            if start + length > end:
                raise Unreadable(RefusedAs.TRUNCATED)
            self._count()
            spans.append((start, length))
            position = start + length
        return Fragments(spans, terminated=False), position

    def _reveal_unknown(self, element: Element, encoding: Encoding, depth: int) -> None:
        """A value sent as UN is what the dictionary says, implicit little endian (PS3.5 section 6.2.2 note 2)."""
        if element.vr != "UN":
            return
        known = implicit_vr(element.tag)
        if known != "SQ":
            element.vr = known if not encoding.big_endian else "UN"
            return
        try:
            items, _ = self._sequence(
                element.offset, element.offset + element.length, element.length, IMPLICIT, depth + 1
            )
        except Unreadable as error:
            if error.why in {RefusedAs.TOO_DEEP, RefusedAs.TOO_MANY_ELEMENTS}:
                raise
            self.remarks.add(Remark.SEQUENCE_INVALID)
        else:
            element.vr, element.items = "SQ", items


def scan(data: Buffer, start: int, encoding: Encoding, *, max_depth: int, max_elements: int) -> Scan:
    """The data set that begins at ``start``.

    Raises Unreadable: TRUNCATED (a value or sequence reaches beyond the data), MALFORMED, TOO_DEEP, TOO_MANY_ELEMENTS.
    """
    scanner = _Scanner(data, max_depth, max_elements)
    elements = scanner.top_level(start, encoding)
    return Scan(elements, scanner.remarks)
