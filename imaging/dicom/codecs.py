"""Stored frames and numpy arrays: a table of transfer syntaxes, each with its media type and its decoder.

Pure: bytes in, arrays out; called in worker processes because decoding is slow and its input is not trusted. Sizes are
compared with the data set before a decoder allocates anything. The decoders are those of imagecodecs (BSD;
libjpeg-turbo, CharLS, OpenJPEG, OpenJPH): none is under the GPL.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from foundation.errors import NotAcceptable, TooLarge
from imaging.dicom.layout import Pixels

Samples = NDArray[Any]

# A whole-slide tile, a mammogram or a 10,000 x 10,000 photograph fits; a claim of 65535 x 65535 does not.
MAX_FRAME_BYTES: Final = 512 << 20

IMPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
HTJ2K_RPCL: Final = "1.2.840.10008.1.2.4.202"
NATIVE: Final = frozenset({IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN, DEFLATED_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN})

_FLOATS: Final = {"7FE00008": "<f4", "7FE00009": "<f8"}


class NoDecoder(NotAcceptable):
    code, title = "pixels.no_decoder", "The stored transfer syntax cannot be decoded here"


class DamagedPixels(NotAcceptable):
    code, title = "pixels.damaged", "The stored pixel data cannot be decoded"


class FrameTooLarge(TooLarge):
    code, title = "pixels.too_large", "A frame is larger than the published limit"


class Frame(NamedTuple):
    """One decoded frame.

    samples: shape (rows, columns) or (rows, columns, samples per pixel); dtype: unsigned or signed integer of 8, 16 or
    32 bits by Pixel Representation, with Bits Stored settled (upper bits cleared or sign-extended), or a float.
    photometric: interpretation of these samples, which a decoder may have changed (JPEG colour becomes RGB).
    """

    samples: Samples
    photometric: str


Decoder = Callable[[bytes, Pixels], Frame]


@dataclass(frozen=True, slots=True)
class Codec:
    """media_type: of one compressed frame (PS3.18 table 8.7.3-5). decode: None where nobody here can."""

    media_type: str
    decode: Decoder | None


def decode_frame(payload: bytes, transfer_syntax: str, pixels: Pixels) -> Frame:
    """One encapsulated frame: its fragments joined. Raises NoDecoder, DamagedPixels, FrameTooLarge."""
    codec = CODECS.get(transfer_syntax)
    if codec is None or codec.decode is None:
        raise NoDecoder(f"No decoder for transfer syntax {transfer_syntax}; retrieve the frame as it is stored.")
    check_size(pixels)
    try:
        frame = codec.decode(payload, pixels)
    except (RuntimeError, ValueError, TypeError, zlib.error, struct.error, IndexError) as error:
        raise DamagedPixels("The frame is not what its transfer syntax says; retrieve it as it is stored.") from error
    expected = (pixels.rows, pixels.columns) + ((pixels.samples_per_pixel,) if pixels.samples_per_pixel > 1 else ())
    if frame.samples.shape != expected:
        raise DamagedPixels("The frame has another size than the data set says; retrieve it as it is stored.")
    # Decoded, every pixel has its own chroma.
    photometric = "YBR_FULL" if frame.photometric == "YBR_FULL_422" else frame.photometric
    return Frame(_settled(frame.samples, pixels), photometric)


def little_endian(data: bytes, pixels: Pixels, *, first_bit: int = 0, big_endian: bool = False) -> bytes:
    """The bytes of ``Pixels.native_frame_span`` as Explicit VR Little Endian holds one frame, from a byte of its own.

    Values stay as they are, bits above Bits Stored too. Raises DamagedPixels where bytes are missing.
    """
    check_size(pixels)
    if len(data) * 8 < first_bit + pixels.native_frame_bits:
        raise DamagedPixels("The stored pixel data ends before this frame does.")
    if pixels.bits_allocated == 1:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        return np.packbits(bits[first_bit : first_bit + pixels.native_frame_bits], bitorder="little").tobytes()
    data = data[: pixels.native_frame_bits // 8]
    stored = _stored_dtype(pixels)
    return np.frombuffer(data, stored.newbyteorder(">")).astype(stored).tobytes() if big_endian else data


def native_frame(data: bytes, pixels: Pixels) -> Frame:
    """One uncompressed frame from the bytes that :func:`little_endian` gives (PS3.5 section 8, PS3.3 C.7.6.3.1).

    Planar configuration 1 becomes 0; YBR_FULL_422 becomes YBR_FULL by repeating the chroma of each pair.
    """
    frame = _unpacked(data, pixels)
    return frame._replace(samples=_settled(frame.samples, pixels))


def native_bytes(frame: Frame, pixels: Pixels) -> bytes:
    """``frame`` uncompressed: little endian, in the data set's own planar configuration, single bits packed."""
    samples = frame.samples
    if pixels.bits_allocated == 1:
        return np.packbits(samples.astype(bool).ravel(), bitorder="little").tobytes()
    if samples.ndim == 3 and pixels.planar_configuration == 1:
        samples = samples.transpose(2, 0, 1)
    kind = samples.dtype.kind
    return samples.astype(f"<{kind}{pixels.bits_allocated // 8}", order="C").tobytes()


def check_size(pixels: Pixels) -> None:
    """Before anything is allocated: raises FrameTooLarge over the limit, DamagedPixels for a frame of no size."""
    if min(pixels.rows, pixels.columns, pixels.samples_per_pixel) < 1 or pixels.bits_allocated not in {
        1,
        8,
        16,
        32,
        64,
    }:
        raise DamagedPixels("The data set does not describe an image: see Rows, Columns and Bits Allocated.")
    if pixels.rows * pixels.columns * pixels.samples_per_pixel * max(pixels.bits_allocated, 8) > MAX_FRAME_BYTES * 8:
        raise FrameTooLarge(
            f"One frame may have {MAX_FRAME_BYTES} bytes uncompressed; retrieve the instance as stored."
        )


def _unpacked(data: bytes, pixels: Pixels) -> Frame:
    data = little_endian(data, pixels)
    if pixels.bits_allocated == 1:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        return Frame(_shaped(bits[: pixels.native_frame_bits], pixels), pixels.photometric_interpretation)
    values = np.frombuffer(data, _stored_dtype(pixels))
    if pixels.photometric_interpretation == "YBR_FULL_422" and pixels.samples_per_pixel == 3:
        return Frame(_chroma_repeated(values, pixels), "YBR_FULL")
    return Frame(_shaped(values, pixels), pixels.photometric_interpretation)


def _stored_dtype(pixels: Pixels) -> np.dtype[Any]:
    return np.dtype(_FLOATS.get(pixels.tag) or f"<u{pixels.bits_allocated // 8}")


def _shaped(values: Samples, pixels: Pixels) -> Samples:
    if pixels.samples_per_pixel == 1:
        return values.reshape(pixels.rows, pixels.columns)
    if pixels.planar_configuration == 1:
        return values.reshape(pixels.samples_per_pixel, pixels.rows, pixels.columns).transpose(1, 2, 0)
    return values.reshape(pixels.rows, pixels.columns, pixels.samples_per_pixel)


def _chroma_repeated(values: Samples, pixels: Pixels) -> Samples:
    """Y1 Y2 Cb Cr per pair of pixels (PS3.3 section C.7.6.3.1.2) to Y Cb Cr per pixel."""
    pairs = values.reshape(-1, 4)
    full = np.empty((len(pairs) * 2, 3), values.dtype)
    full[0::2, 0], full[1::2, 0] = pairs[:, 0], pairs[:, 1]
    full[:, 1], full[:, 2] = pairs[:, 2].repeat(2), pairs[:, 3].repeat(2)
    return full.reshape(pixels.rows, pixels.columns, 3)


def _settled(samples: Samples, pixels: Pixels) -> Samples:
    """Bits Stored below High Bit only, sign-extended where Pixel Representation is 1 (PS3.5 section 8.1.1)."""
    if samples.dtype.kind == "f" or pixels.bits_allocated == 1:
        return samples
    container = samples.dtype.itemsize * 8
    unsigned = samples.astype(f"u{samples.dtype.itemsize}", copy=False).view(f"u{samples.dtype.itemsize}")
    stored = min(pixels.bits_stored, container) or container
    high = min(max(pixels.high_bit, stored - 1), container - 1)
    kind = "i" if pixels.pixel_representation == 1 else "u"
    if stored == container:
        return unsigned.view(f"{kind}{samples.dtype.itemsize}")
    up, down = container - 1 - high, container - stored
    shifted: Samples = np.left_shift(unsigned, up).view(f"{kind}{samples.dtype.itemsize}")
    return np.asarray(np.right_shift(shifted, down))


# --- decoders ---------------------------------------------------------------------------------------------------


_START_OF_FRAME: Final = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD9), 0xFF})


def _jpeg_header(payload: bytes) -> tuple[int, int, int, bool, bool]:
    """(SOF marker, rows, columns, has JFIF marker, has Adobe marker); ITU-T T.81 section B.2.2, T.87 annex C."""
    at, jfif, adobe = 2, False, False
    while True:
        at = payload.index(b"\xff", at)
        marker = payload[at + 1]
        if marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _START_OF_FRAME:
            rows, columns = struct.unpack_from(">HH", payload, at + 5)
            return marker, rows, columns, jfif, adobe
        jfif |= marker == 0xE0 and payload[at + 4 : at + 8] == b"JFIF"
        adobe |= marker == 0xEE and payload[at + 4 : at + 9] == b"Adobe"
        at += 2 + struct.unpack_from(">H", payload, at + 2)[0]


def _refuse_other_size(rows: int, columns: int, pixels: Pixels) -> None:
    if (rows, columns) != (pixels.rows, pixels.columns):
        raise ValueError("the code stream has another size than the data set")


def _jpeg(payload: bytes, pixels: Pixels) -> Frame:
    """JPEG baseline, extended and lossless; lossy colour comes out as RGB."""
    marker, rows, columns, jfif, adobe = _jpeg_header(payload)
    _refuse_other_size(rows, columns, pixels)
    interpretation = pixels.photometric_interpretation
    if pixels.samples_per_pixel == 1:
        return Frame(imagecodecs.jpeg8_decode(payload), interpretation)
    if marker == 0xC3:  # lossless: never transformed
        return Frame(imagecodecs.jpeg8_decode(payload, colorspace="rgb", outcolorspace="rgb"), interpretation)
    # The stream's own marker knows better than the data set; without one the data set decides.
    colorspace = "rgb" if interpretation == "RGB" and not (jfif or adobe) else None
    return Frame(imagecodecs.jpeg8_decode(payload, colorspace=colorspace, outcolorspace="rgb"), "RGB")


def _jpeg_ls(payload: bytes, pixels: Pixels) -> Frame:
    _, rows, columns, _, _ = _jpeg_header(payload)
    _refuse_other_size(rows, columns, pixels)
    return Frame(imagecodecs.jpegls_decode(payload), pixels.photometric_interpretation)


def _jpeg_2000(decode: Callable[[bytes], Samples]) -> Decoder:
    def decoder(payload: bytes, pixels: Pixels) -> Frame:
        # SOC and SIZ (ISO 15444-1 annex A.5.1); some writers wrap the code stream in a JP2 file.
        at = payload.index(b"\xff\x4f\xff\x51")
        right, bottom, left, top = struct.unpack_from(">IIII", payload, at + 8)
        _refuse_other_size(bottom - top, right - left, pixels)
        changed = pixels.photometric_interpretation in {"YBR_RCT", "YBR_ICT"}
        return Frame(decode(payload), "RGB" if changed else pixels.photometric_interpretation)

    return decoder


def _rle(payload: bytes, pixels: Pixels) -> Frame:
    """PS3.5 annex G: one segment per byte of each sample, so the samples come out planar."""
    _refuse_stray_segments(payload, pixels.samples_per_pixel * max(pixels.bits_allocated // 8, 1))
    if pixels.bits_allocated == 1:
        return _unpacked(bytes(imagecodecs.dicomrle_decode(payload, "u1")), pixels)
    dtype = f"<u{pixels.bits_allocated // 8}"
    values = np.frombuffer(imagecodecs.dicomrle_decode(payload, dtype), dtype)
    planes = values.reshape(pixels.samples_per_pixel, pixels.rows, pixels.columns)
    samples = planes[0] if pixels.samples_per_pixel == 1 else planes.transpose(1, 2, 0)
    return Frame(samples, pixels.photometric_interpretation)


def _refuse_stray_segments(payload: bytes, expected: int) -> None:
    # The decoder believes the offsets and would read beyond the payload: a crash, or memory shown as an image.
    count, *offsets = struct.unpack_from("<16L", payload)
    bounds = [64, *offsets[:count], len(payload)]
    if count != expected or bounds != sorted(bounds):
        raise ValueError("the segments lie outside the frame")


def _deflated_frame(payload: bytes, pixels: Pixels) -> Frame:
    """PS3.5 section A.4.13: each frame deflated (RFC 1951), inflated to no more than the frame needs."""
    needed = (pixels.native_frame_bits + 7) // 8
    return _unpacked(zlib.decompressobj(-15).decompress(payload, needed), pixels)


CODECS: Final[dict[str, Codec]] = {
    "1.2.840.10008.1.2.4.50": Codec("image/jpeg", _jpeg),
    "1.2.840.10008.1.2.4.51": Codec("image/jpeg", _jpeg),
    "1.2.840.10008.1.2.4.57": Codec("image/jpeg", _jpeg),
    "1.2.840.10008.1.2.4.70": Codec("image/jpeg", _jpeg),
    # Retired processes: kept and returned as stored.
    "1.2.840.10008.1.2.4.53": Codec("image/jpeg", None),
    "1.2.840.10008.1.2.4.55": Codec("image/jpeg", None),
    "1.2.840.10008.1.2.4.80": Codec("image/jls", _jpeg_ls),
    "1.2.840.10008.1.2.4.81": Codec("image/jls", _jpeg_ls),
    "1.2.840.10008.1.2.4.90": Codec("image/jp2", _jpeg_2000(imagecodecs.jpeg2k_decode)),
    "1.2.840.10008.1.2.4.91": Codec("image/jp2", _jpeg_2000(imagecodecs.jpeg2k_decode)),
    "1.2.840.10008.1.2.4.201": Codec("image/jphc", _jpeg_2000(imagecodecs.htj2k_decode)),
    HTJ2K_RPCL: Codec("image/jphc", _jpeg_2000(imagecodecs.htj2k_decode)),
    "1.2.840.10008.1.2.4.203": Codec("image/jphc", _jpeg_2000(imagecodecs.htj2k_decode)),
    "1.2.840.10008.1.2.5": Codec("image/dicom-rle", _rle),
    "1.2.840.10008.1.2.8.1": Codec("application/octet-stream", _deflated_frame),
    **{f"1.2.840.10008.1.2.4.{number}": Codec("video/mpeg", None) for number in ("100", "100.1", "101", "101.1")},
    **{
        f"1.2.840.10008.1.2.4.{number}": Codec("video/mp4", None)
        for number in ("102", "102.1", "103", "103.1", "104", "104.1", "105", "105.1", "106", "106.1", "107", "108")
    },
}


def media_type(transfer_syntax: str) -> str:
    """Of one frame as stored; octets for native and unknown syntaxes."""
    codec = CODECS.get(transfer_syntax)
    return codec.media_type if codec else "application/octet-stream"


def is_decodable(transfer_syntax: str) -> bool:
    codec = CODECS.get(transfer_syntax)
    return transfer_syntax in NATIVE or (codec is not None and codec.decode is not None)
