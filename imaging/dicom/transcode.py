"""A stored file rewritten in another transfer syntax, value by value as bytes: nothing is parsed that may be invalid.

Runs in a worker process. Memory holds the header and one frame; only a deflated data set is held whole.
"""

import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self

import numpy as np

from imaging.dicom import codecs, elements, explicit, file_meta, syntaxes, values
from imaging.dicom.codecs import (
    DEFLATED_LITTLE_ENDIAN,
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    DamagedPixels,
    FrameTooLarge,
)
from imaging.dicom.elements import PIXEL_TAGS, Buffer, Element
from imaging.dicom.encoding import ENCODERS, lossless_frame, photometric
from imaging.dicom.frames import read_frame, uncompressed_frame
from imaging.dicom.inflate import inflate
from imaging.dicom.layout import Layout, Pixels
from imaging.dicom.reading import ReadingLimits
from imaging.dicom.remarks import Unreadable

# Bytes of one word, for swapping values that came big endian (PS3.5 section 7.3).
_WORD_BYTES: Final = {
    **values.WORD_BYTES,
    **{"AT": 2, "US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "SV": 8, "UV": 8},
}
# Syntaxes that any readable instance can be rewritten in.
REWRITTEN: Final = (EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, DEFLATED_LITTLE_ENDIAN)
# They hold places of the fragments that were (PS3.3 section C.7.6.3.1.8).
_OFFSET_TABLES: Final = frozenset({0x7FE00001, 0x7FE00002})
_LONGEST_VALUE: Final = 0xFFFFFFFE
_SOP_CLASS_UID, _SOP_INSTANCE_UID, _PHOTOMETRIC_INTERPRETATION = 0x00080016, 0x00080018, 0x00280004
_PIECE_BYTES: Final = 1 << 20


def to_explicit_little_endian(source: Path, target: Path, transfer_syntax: str, layout: Layout) -> int:
    """:func:`rewrite` to the syntax that everybody reads."""
    return rewrite(source, target, transfer_syntax, layout, EXPLICIT_LITTLE_ENDIAN)


def rewrite(source: Path, target: Path, transfer_syntax: str, layout: Layout, wanted: str) -> int:
    """Write ``source`` to ``target`` in ``wanted``, one of REWRITTEN or of encoding.targets; its size in bytes.

    The same instance with the same values: pixels are decoded and, where ``wanted`` is compressed, encoded again
    without loss; JPEG colour becomes RGB and says so. Raises NoCopy and the refusals of :mod:`imaging.dicom.codecs`.
    """
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _Rewriter(source, data, transfer_syntax, layout, wanted).write(target)
        except Unreadable as error:
            raise DamagedPixels("The stored object cannot be rewritten; retrieve it as it is stored.") from error


class Output(Protocol):
    """Where a data set is written to."""

    def write(self, data: bytes, /) -> int: ...


class _Deflating:
    """PS3.5 section A.5: the data set as one deflated stream."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.write(self._packer.flush())
        self._out.write(b"\0" * (self._out.tell() % 2))

    def write(self, data: bytes, /) -> int:
        return self._out.write(self._packer.compress(data))


class _Rewriter:
    def __init__(self, path: Path, data: Buffer, transfer_syntax: str, layout: Layout, wanted: str) -> None:
        syntax = syntaxes.find(transfer_syntax)
        if syntax is None or not codecs.is_decodable(transfer_syntax):
            raise codecs.NoDecoder(f"No decoder for transfer syntax {transfer_syntax}.")
        self.path, self.layout, self.syntax = path, layout, syntax
        self.wanted = wanted
        self.header = _implicit_header if wanted == IMPLICIT_LITTLE_ENDIAN else explicit.header
        # Pixels that are not little endian words already, or are to be compressed.
        pixels = layout.pixels
        changed = pixels is not None and (pixels.encapsulated or layout.big_endian or wanted in ENCODERS)
        self.rewritten = pixels if changed else None
        self.start = file_meta.begin(data)
        limits = ReadingLimits()
        if layout.deflated:
            bounds = {"always_bytes": limits.always_inflated_bytes, "limit_bytes": limits.max_inflated_bytes}
            data = inflate(data, layout.dataset_offset, **bounds)
        self.data = data
        self.scan = elements.scan(
            data,
            layout.dataset_offset,
            syntax.encoding,
            max_depth=limits.max_depth,
            max_elements=limits.max_elements,
        )

    def write(self, target: Path) -> int:
        with target.open("wb") as out:
            self._write_meta(out)
            if self.wanted != DEFLATED_LITTLE_ENDIAN:
                self._write_dataset(out)
            else:
                with _Deflating(out) as deflating:
                    self._write_dataset(deflating)
            return out.tell()

    def _write_dataset(self, out: "Output") -> None:
        name = self._photometric()
        for element in self.scan.elements:
            if element.tag in PIXEL_TAGS and self.rewritten is not None:
                self._write_pixels(out, self.rewritten)
            elif element.tag == _PHOTOMETRIC_INTERPRETATION and name:
                out.write(self.header(element.tag, "CS", len(name)) + name)
            elif element.tag not in _OFFSET_TABLES or self.rewritten is None:
                self._write_element(out, element, signed=self._is_signed())

    def _photometric(self) -> bytes:
        """What the colours of rewritten pixels are called, padded; empty where nothing changes."""
        if self.rewritten is None or not (self.rewritten.encapsulated or self.wanted in ENCODERS):
            return b""
        name = self.rewritten.photometric_interpretation
        if self.rewritten.encapsulated:
            name = read_frame(self.path, self.syntax.uid, self.layout, 0).photometric
        name = photometric(name, self.wanted) if self.wanted in ENCODERS else name
        return name.encode() + b" " * (len(name) % 2)

    def _write_meta(self, out: BinaryIO) -> None:
        sop_class = self.start.sop_class_uid or self._uid(_SOP_CLASS_UID)
        sop_instance = self.start.sop_instance_uid or self._uid(_SOP_INSTANCE_UID)
        out.write(explicit.file_head(sop_class, sop_instance, self.wanted))

    def _uid(self, tag: int) -> str:
        found = next((element for element in self.scan.elements if element.tag == tag), None)
        return "" if found is None else self._raw(found).rstrip(b" \0").decode("ascii", "replace")

    def _raw(self, element: Element) -> bytes:
        return self.data[element.offset : element.offset + element.length]

    def _is_signed(self) -> bool:
        return self.layout.pixels is not None and self.layout.pixels.pixel_representation == 1

    def _write_element(self, out: "Output", element: Element, *, signed: bool) -> None:
        # Group lengths are retired and would be wrong; a compressed icon (C.7.6.1.1.6) is optional and has no place
        # in a native object.
        if element.tag & 0xFFFF == 0 or _holds_compressed(element):
            return
        if element.items is None:
            self._write_value(out, element, _settled(element.vr, signed))
            return
        out.write(self.header(element.tag, "SQ", elements.UNDEFINED))
        for item in element.items:
            out.write(explicit.item(elements.ITEM, elements.UNDEFINED))
            for inner in item:
                self._write_element(out, inner, signed=signed)
            out.write(explicit.item(elements.ITEM_END, 0))
        out.write(explicit.item(elements.SEQUENCE_END, 0))

    def _write_value(self, out: "Output", element: Element, vr: str) -> None:
        out.write(self.header(element.tag, vr, element.length + element.length % 2))
        for start in range(element.offset, element.offset + element.length, _PIECE_BYTES):
            piece = self.data[start : min(start + _PIECE_BYTES, element.offset + element.length)]
            out.write(self._little_endian(piece, vr))
        out.write(b"\0" * (element.length % 2))

    def _little_endian(self, piece: bytes, vr: str) -> bytes:
        size = _WORD_BYTES.get(vr, 1)
        if not self.syntax.encoding.big_endian or size == 1 or len(piece) % size:
            return piece
        return np.frombuffer(piece, f">u{size}").astype(f"<u{size}").tobytes()

    def _write_pixels(self, out: "Output", pixels: Pixels) -> None:
        if self.wanted in ENCODERS:
            self._write_fragments(out, pixels)
            return
        length = (_frame_bits(pixels) * pixels.number_of_frames + 7) // 8
        if length > _LONGEST_VALUE:
            raise FrameTooLarge("Uncompressed the pixel data is longer than a value may be; retrieve frames.")
        vr = {"7FE00008": "OF", "7FE00009": "OD"}.get(pixels.tag, "OW" if pixels.bits_allocated > 8 else "OB")
        out.write(self.header(int(pixels.tag, 16), vr, length + length % 2))
        for frame in self._packed(pixels):
            out.write(frame)
        out.write(b"\0" * (length % 2))

    def _write_fragments(self, out: "Output", pixels: Pixels) -> None:
        """An empty offset table and one fragment a frame (PS3.5 section A.4)."""
        out.write(self.header(elements.PIXEL_DATA, "OB", elements.UNDEFINED) + explicit.item(elements.ITEM, 0))
        for index in range(pixels.number_of_frames):
            frame = lossless_frame(self.path, self.syntax.uid, self.layout, index, self.wanted)
            out.write(explicit.item(elements.ITEM, len(frame) + len(frame) % 2) + frame + b"\0" * (len(frame) % 2))
        out.write(explicit.item(elements.SEQUENCE_END, 0))

    def _packed(self, pixels: Pixels) -> Iterator[bytes]:
        """The frames one after the other; single bits go on without a gap (PS3.5 section 8.1.1)."""
        frames = (
            uncompressed_frame(self.path, self.syntax.uid, self.layout, index)
            for index in range(pixels.number_of_frames)
        )
        if pixels.bits_allocated != 1:
            yield from frames
            return
        pending = np.empty(0, np.uint8)
        for frame in frames:
            bits = np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little")[: pixels.rows * pixels.columns]
            pending = np.concatenate([pending, bits])
            whole = len(pending) // 8 * 8
            yield np.packbits(pending[:whole], bitorder="little").tobytes()
            pending = pending[whole:]
        yield np.packbits(pending, bitorder="little").tobytes()


def _frame_bits(pixels: Pixels) -> int:
    # Decoded colour has all its samples; YBR_FULL_422 shares chroma only where it is native.
    decoded = pixels.rows * pixels.columns * pixels.samples_per_pixel * pixels.bits_allocated
    return decoded if pixels.encapsulated else pixels.native_frame_bits


def _settled(vr: str, signed: bool) -> str:
    """The one VR where the dictionary gives a choice (PS3.5 Annex A.2)."""
    if " or " not in vr:
        return vr
    if vr == "US or SS":
        return "SS" if signed else "US"
    return "OW"


def _implicit_header(tag: int, _vr: str, length: int) -> bytes:
    return explicit.item(tag, length)


def _holds_compressed(element: Element) -> bool:
    return any(
        inner.fragments is not None or _holds_compressed(inner) for item in element.items or () for inner in item
    )
