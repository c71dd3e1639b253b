"""Where the frames and the bulk values of a stored object lie, so that one ranged read fetches any of them.

All offsets count bytes from the start of the stored file; for a deflated object (``Layout.deflated``) they count from
the start of the file meta information followed by the *inflated* data set, so a reader inflates first, with a bound.
"""

from typing import Any, Final, Literal

import msgspec

PixelTag = Literal["7FE00010", "7FE00008", "7FE00009"]
Span = tuple[int, int]
BulkSpan = tuple[int, int, str]

BULK_PREFIX: Final = "bulkdata/"


class FrameSpan(msgspec.Struct, frozen=True):
    """Bytes that hold one native frame.

    start, length: bytes, cut off at the end of the stored pixel data. first_bit: which bit of the first byte, counted
    from the least significant, begins the frame (always 0 unless bits_allocated is 1; PS3.5 section 8.1.1).
    """

    start: int
    length: int
    first_bit: int = 0


class Pixels(msgspec.Struct, frozen=True):
    """The pixel element and its description (PS3.3 section C.7.6.3).

    tag: Pixel Data, Float Pixel Data or Double Float Pixel Data. offset, length: the element's value in bytes; of an
    encapsulated one it begins at the basic offset table's item and ends before the sequence delimiter.
    frames: only for encapsulated pixel data, for each frame the (start, length) of its fragments, item tags left out;
    the fragments of a frame are joined to decode it.
    """

    tag: PixelTag
    rows: int
    columns: int
    samples_per_pixel: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int
    photometric_interpretation: str
    planar_configuration: int
    number_of_frames: int
    encapsulated: bool
    offset: int
    length: int
    frames: list[list[Span]] = []

    @property
    def native_frame_bits(self) -> int:
        """Bits of one uncompressed frame; native YBR_FULL_422 shares its chroma between two pixels (C.7.6.3.1.2)."""
        samples = 2 if self.photometric_interpretation == "YBR_FULL_422" else self.samples_per_pixel
        return self.rows * self.columns * samples * self.bits_allocated

    def native_frame_span(self, index: int) -> FrameSpan:
        """The bytes of frame ``index`` (from 0) of native pixel data. Raises IndexError beyond number_of_frames."""
        if not 0 <= index < self.number_of_frames:
            raise IndexError(index)
        first_bit = index * self.native_frame_bits
        end_byte = min((first_bit + self.native_frame_bits + 7) // 8, self.length)
        start_byte = min(first_bit // 8, end_byte)
        return FrameSpan(self.offset + start_byte, end_byte - start_byte, first_bit % 8)


class Layout(msgspec.Struct, frozen=True):
    """Kept as JSON beside each instance (``InstanceHeader.layout``).

    dataset_offset: where the data set begins, after preamble and file meta information.
    bulk: for every value that the metadata names by a BulkDataURI ``bulkdata/<path>``, (offset, length, vr) under
    ``<path>``: the element's tag, inside sequences ``<sequence tag>/<item from 0>/<tag>``. Values are as stored:
    little endian unless ``big_endian``; encapsulated pixel data with its item tags.
    """

    dataset_offset: int
    deflated: bool = False
    big_endian: bool = False
    pixels: Pixels | None = None
    bulk: dict[str, BulkSpan] = {}

    def to_json(self) -> dict[str, Any]:
        """JSON-able members."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Layout":
        """The inverse of :meth:`to_json`. Raises msgspec.ValidationError for anything else."""
        return msgspec.convert(stored, cls)
