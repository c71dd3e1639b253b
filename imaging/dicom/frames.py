"""Frames out of stored files by the recorded layout: ranged reads, never the whole file unless it is deflated.

The functions block and are called in worker processes; what they raise pickles.
"""

import zlib
from pathlib import Path
from typing import Final

import numpy as np

from imaging.dicom.codecs import DamagedPixels, Frame, decode_frame, little_endian, native_bytes, native_frame
from imaging.dicom.layout import Layout, Pixels

_PIECE_BYTES: Final = 1 << 20


def read_span(path: Path, layout: Layout, start: int, length: int) -> bytes:
    """``length`` bytes from ``start``, in the layout's own count (of the inflated data set where it is deflated)."""
    with path.open("rb") as file:
        if not layout.deflated:
            file.seek(start)
            return file.read(length)
        file.seek(layout.dataset_offset)
        return _inflated_span(file.read(), start - layout.dataset_offset, length)


def frame_payload(path: Path, layout: Layout, index: int) -> bytes:
    """An encapsulated frame (from 0) as stored: its fragments joined, without item tags."""
    spans = _pixels(layout).frames[index]
    return b"".join(read_span(path, layout, start, length) for start, length in spans)


def native_payload(path: Path, layout: Layout, index: int) -> bytes:
    """An uncompressed frame (from 0) as Explicit VR Little Endian holds it, starting at a byte of its own."""
    pixels = _pixels(layout)
    span = pixels.native_frame_span(index)
    if layout.big_endian and _is_word_swapped(path, layout, pixels):
        data = _swapped_words(path, layout, pixels, span.start, span.length)
        return little_endian(data, pixels, first_bit=span.first_bit)
    data = read_span(path, layout, span.start, span.length)
    return little_endian(data, pixels, first_bit=span.first_bit, big_endian=layout.big_endian)


def frame_with_bytes(path: Path, transfer_syntax: str, layout: Layout, index: int) -> tuple[Frame, bytes]:
    """Frame ``index`` (from 0) decoded, and the uncompressed bytes that a lossless copy of it must give back."""
    pixels = _pixels(layout)
    if pixels.encapsulated:
        frame = read_frame(path, transfer_syntax, layout, index)
        return frame, native_bytes(frame, pixels)
    payload = native_payload(path, layout, index)
    return native_frame(payload, pixels), payload


def read_frame(path: Path, transfer_syntax: str, layout: Layout, index: int) -> Frame:
    """Frame ``index`` (from 0) decoded. Raises the refusals of :mod:`imaging.dicom.codecs`."""
    pixels = _pixels(layout)
    if not pixels.encapsulated:
        return native_frame(native_payload(path, layout, index), pixels)
    if index >= len(pixels.frames):
        raise DamagedPixels("The stored pixel data has fewer frames than the data set says.")
    return decode_frame(frame_payload(path, layout, index), transfer_syntax, pixels)


def uncompressed_frame(path: Path, transfer_syntax: str, layout: Layout, index: int) -> bytes:
    """Frame ``index`` (from 0) as Explicit VR Little Endian holds it, decoded where it is compressed.

    In the planar configuration of the data set; colour that was JPEG-compressed is RGB.
    """
    pixels = _pixels(layout)
    if not pixels.encapsulated:
        return native_payload(path, layout, index)
    return native_bytes(read_frame(path, transfer_syntax, layout, index), pixels)


def _pixels(layout: Layout) -> Pixels:
    if layout.pixels is None:
        raise DamagedPixels("The instance has no pixel data.")
    return layout.pixels


def _inflated_span(deflated: bytes, start: int, length: int) -> bytes:
    inflater, position, found = zlib.decompressobj(-15), 0, bytearray()
    try:
        # In pieces, so that a small file which inflates to gigabytes costs time at most, not memory.
        piece = inflater.decompress(deflated, _PIECE_BYTES)
        while piece and position < start + length:
            found += piece[max(start - position, 0) : start + length - position]
            position += len(piece)
            piece = inflater.decompress(inflater.unconsumed_tail, _PIECE_BYTES)
    except zlib.error as error:
        raise DamagedPixels("The deflated data set is damaged.") from error
    return bytes(found)


def _is_word_swapped(path: Path, layout: Layout, pixels: Pixels) -> bool:
    # Samples of a byte in an element of VR OW: big endian swaps its 16-bit words (PS3.5 section 7.3). The VR stands in
    # the element's header, twelve bytes of tag, VR, reserved and length before the value.
    return pixels.bits_allocated <= 8 and read_span(path, layout, pixels.offset - 8, 2) == b"OW"


def _swapped_words(path: Path, layout: Layout, pixels: Pixels, start: int, length: int) -> bytes:
    skipped = (start - pixels.offset) % 2
    padded = (skipped + length + 1) // 2 * 2
    words = read_span(path, layout, start - skipped, padded)
    words = words[: len(words) // 2 * 2]
    return np.frombuffer(words, ">u2").astype("<u2").tobytes()[skipped : skipped + length]
