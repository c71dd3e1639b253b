"""Frames compressed for callers who ask for it: lossless alone, decoded again and compared before they leave.

Runs in worker processes. A lossy form would be another instance with a UID of its own (PS3.4 section B.4.1.3), which
nobody stored; who wants one for the eye asks for a rendered image.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import imagecodecs
import msgspec
import numpy as np

from imaging.dicom import codecs, htj2k
from imaging.dicom.codecs import HTJ2K_RPCL, Frame, Samples, decode_frame, native_bytes
from imaging.dicom.frames import frame_with_bytes
from imaging.dicom.htj2k import NoCopy
from imaging.dicom.layout import Layout, Pixels

RLE, JPEG_LS, JPEG_2000, HTJ2K = (f"1.2.840.10008.1.2.{tail}" for tail in ("5", "4.80", "4.90", "4.201"))


_RLE_HEADER_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Encoder:
    """encode: of contiguous samples of 8 or 16 bits, grey or RGB by pixel. colour: what RGB is called when encoded."""

    encode: Callable[[Samples], Any]
    colour: str = "RGB"


def _unsigned(samples: Samples) -> Samples:
    """JPEG-LS knows no sign: the data set tells how the bits are read."""
    return samples.view(f"u{samples.dtype.itemsize}")


def _rle(samples: Samples) -> bytes:
    """A segment for each byte of each sample, the most significant first, packed row by row (PS3.5 annex G)."""
    planes = samples.transpose(2, 0, 1) if samples.ndim == 3 else samples[np.newaxis]
    segments = []
    for plane in planes:
        octets = np.ascontiguousarray(plane).view(np.uint8).reshape(*plane.shape, plane.itemsize)
        for byte in reversed(range(plane.itemsize)):
            packed = bytes(imagecodecs.packbits_encode(np.ascontiguousarray(octets[..., byte]), axis=-1))
            segments.append(packed + b"\0" * (len(packed) % 2))
    starts = accumulate((len(segment) for segment in segments[:-1]), initial=_RLE_HEADER_BYTES)
    header = struct.pack(f"<{1 + len(segments)}L", len(segments), *starts).ljust(_RLE_HEADER_BYTES, b"\0")
    return header + b"".join(segments)


def _jpeg_2000(samples: Samples) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(samples, codecformat="J2K", reversible=True, mct=False))


def _htj2k(samples: Samples) -> bytes:
    return htj2k.encode(Frame(samples, ""))


ENCODERS: Final = {
    JPEG_LS: Encoder(lambda samples: bytes(imagecodecs.jpegls_encode(_unsigned(samples)))),
    JPEG_2000: Encoder(_jpeg_2000),
    HTJ2K: Encoder(_htj2k, "YBR_RCT"),
    HTJ2K_RPCL: Encoder(_htj2k, "YBR_RCT"),
    RLE: Encoder(_rle),
}


def targets(transfer_syntax: str, layout: Layout) -> list[str]:
    """The compressed syntaxes that an instance stored so can be given in, as far as the data set tells."""
    pixels = layout.pixels
    fits = pixels is not None and codecs.is_decodable(transfer_syntax) and _is_plain(pixels)
    return [target for target in ENCODERS if target != transfer_syntax] if fits else []


def _is_plain(pixels: Pixels) -> bool:
    grey = pixels.samples_per_pixel == 1 and pixels.photometric_interpretation != "PALETTE COLOR"
    # Lossy colour is RGB when it has been decoded.
    colour = pixels.samples_per_pixel == 3 and pixels.planar_configuration == 0
    readable = pixels.encapsulated or pixels.photometric_interpretation == "RGB"
    return (grey or (colour and readable)) and pixels.tag == "7FE00010" and pixels.bits_allocated in {8, 16}


def photometric(decoded: str, target: str) -> str:
    """How the data set calls the colours that ``target`` holds."""
    return ENCODERS[target].colour if decoded == "RGB" else decoded


def lossless_frame(path: Path, transfer_syntax: str, layout: Layout, index: int, target: str) -> bytes:
    """Frame ``index`` (from 0) in ``target``. Raises NoCopy where bits would be lost, and read_frame's refusals."""
    pixels = layout.pixels
    if pixels is None:
        raise NoCopy("The instance has no pixel data.")
    frame, wanted = frame_with_bytes(path, transfer_syntax, layout, index)
    if frame.samples.ndim == 3 and frame.photometric != "RGB":
        raise NoCopy("Only grey and RGB frames are compressed; retrieve it as it is stored or uncompressed.")
    payload: bytes = ENCODERS[target].encode(np.ascontiguousarray(frame.samples))
    again = decode_frame(payload, target, _plain(pixels, frame))
    if native_bytes(again, pixels) != wanted:
        raise NoCopy("The frame's bits do not survive; retrieve it as it is stored or uncompressed.")
    return payload


def _plain(pixels: Pixels, frame: Frame) -> Pixels:
    """The description of ``frame`` for a decoder, whatever the stored one was."""
    interpretation = "RGB" if frame.samples.ndim == 3 else pixels.photometric_interpretation
    return msgspec.structs.replace(pixels, photometric_interpretation=interpretation)
