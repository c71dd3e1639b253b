"""What a compressed image says about itself, where its sender left the description to it (PS3.18 10.5.1). Pure."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from
from typing import Final

from imaging.dicom.elements import Buffer

_SOF: Final = {0xC0: "50", 0xC1: "51", 0xC3: "57", 0xF7: "80"}
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_SOC_SIZ: Final = b"\xff\x4f\xff\x51"
_HEVC: Final = frozenset({b"hvc1", b"hev1"})
_JPEG_2000_LOSSY, _JPEG_LOSSY, _JPEG_LS_LOSSY = "ISO_15444_1", "ISO_10918_1", "ISO_14495_1"


@dataclass(frozen=True, slots=True)
class Stream:
    """One image or video. precision: bits of a sample. lossy: the defined term of its method (PS3.3 C.7.6.1.1.5.1).

    offset: where the code stream begins in what was sent.
    """

    transfer_syntax: str
    rows: int
    columns: int
    samples: int
    precision: int
    signed: bool
    photometric: str
    lossy: str = ""
    frames: int = 1
    offset: int = 0


def describe(data: Buffer, media_type: str) -> Stream | None:
    """None where ``data`` is not what its media type says, or of a process that DICOM does not use."""
    read = {"image/jpeg": _jpeg, "image/jls": _jpeg, "image/jp2": _jpeg_2000, "image/jphc": _jpeg_2000}
    try:
        return read.get(media_type, _video)(data)
    except (IndexError, ValueError, KeyError, struct.error):
        return None


def _jpeg(data: Buffer) -> Stream:
    """ITU-T T.81 annex B, T.87 annex C."""
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG stream")
    sizes: tuple[int, ...] = ()
    kind, transformed = 0, True
    for marker, at in _segments(data):
        if marker in _SOF:
            kind, sizes = marker, unpack_from(">BHHB", data, at)
        elif marker == 0xEE and data[at : at + 5] == b"Adobe":
            transformed = data[at + 11] != 0
        elif marker == 0xDA:
            # After the components: the predictor of lossless JPEG, the error that JPEG-LS may make.
            parameter = data[at + 1 + 2 * data[at]]
            return _jpeg_stream(kind, sizes, parameter, transformed)
    raise ValueError("no scan")


def _segments(data: Buffer) -> Iterator[tuple[int, int]]:
    """(marker, where its parameters begin) up to the first scan."""
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker, at = data[at + 1], at + 2
        if marker not in _WITHOUT_LENGTH:
            yield marker, at + 2
            at += unpack_from(">H", data, at)[0]


def _jpeg_stream(kind: int, sizes: tuple[int, ...], parameter: int, transformed: bool) -> Stream:
    precision, rows, columns, samples = sizes
    tail, lossy = _SOF[kind], ""
    if kind == 0xC3 and parameter == 1:
        tail = "70"
    elif kind == 0xF7 and parameter:
        tail, lossy = "81", _JPEG_LS_LOSSY
    elif kind in {0xC0, 0xC1}:
        lossy = _JPEG_LOSSY
    ybr = lossy == _JPEG_LOSSY and transformed
    photometric = "MONOCHROME2" if samples == 1 else "YBR_FULL_422" if ybr else "RGB"
    return Stream(f"1.2.840.10008.1.2.4.{tail}", rows, columns, samples, precision, False, photometric, lossy)


def _jpeg_2000(data: Buffer) -> Stream:
    """ISO 15444-1 annex A; also inside a JP2 file, whose boxes DICOM leaves out (PS3.5 section A.4.4)."""
    offset = data.find(_SOC_SIZ)
    if offset < 0:
        raise ValueError("no code stream")
    right, bottom, left, top = unpack_from(">4L", data, offset + 8)
    samples, depth = unpack_from(">HB", data, offset + 40)
    at, high_throughput = offset + 2, False
    while (marker := unpack_from(">H", data, at)[0]) != 0xFF52:
        high_throughput |= marker == 0xFF50
        at += 2 + unpack_from(">H", data, at + 2)[0]
    transform, reversible = data[at + 8], data[at + 13] == 1
    kinds = ("201", "203") if high_throughput else ("90", "91")
    changed = ("YBR_RCT" if reversible else "YBR_ICT") if transform else "RGB"
    return Stream(
        f"1.2.840.10008.1.2.4.{kinds[0] if reversible else kinds[1]}",
        bottom - top,
        right - left,
        samples,
        (depth & 0x7F) + 1,
        depth >> 7 == 1,
        "MONOCHROME2" if samples == 1 else changed,
        "" if reversible else _JPEG_2000_LOSSY,
        offset=offset,
    )


def _video(data: Buffer) -> Stream:
    """An MP4 file (ISO 14496-12): size and kind from its sample description, frames from its sample sizes."""
    entry = _box(data, b"stsd") + 8
    columns, rows = unpack_from(">HH", data, entry + 8 + 24)
    hevc = data[entry + 4 : entry + 8] in _HEVC
    frames = unpack_from(">L", data, _box(data, b"stsz") + 8)[0]
    syntax, method = ("107", "ISO_23008_2") if hevc else ("102", "ISO_14496_10")
    return Stream(
        f"1.2.840.10008.1.2.4.{syntax}", rows, columns, 3, 8, False, "YBR_PARTIAL_420", method, max(frames, 1)
    )


def _box(data: Buffer, name: bytes) -> int:
    """Where the content of the first box of this name begins."""
    if data[4:8] != b"ftyp" or (at := data.find(name)) < 0:
        raise ValueError("no MP4 file")
    return at + 4
