"""HTJ2K copies of frames: lossless, lowest resolution first (transfer syntax HTJ2KLosslessRPCL, PS3.5 section 10.18).

Any beginning of such a frame is a picture: each resolution is a tile-part of its own, and the TLM marker at the front
tells where each ends. A copy is offered only when it decodes to the very bytes that the frame has uncompressed.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, log2
from pathlib import Path
from typing import Final

import imagecodecs
import numpy as np

from foundation.errors import NotAcceptable, ServiceError
from imaging.dicom import codecs
from imaging.dicom.codecs import HTJ2K_RPCL, DamagedPixels, Frame, native_bytes
from imaging.dicom.frames import frame_with_bytes
from imaging.dicom.layout import Layout, Pixels, Span
from imaging.dicom.rendering import RenderOptions, render

# Raise it when copies or thumbnails come out otherwise than before: all are then made anew.
RECIPE: Final = 1
BASE_PIXELS: Final = 64
# More buys nothing for compression; a larger image needs more to come down to BASE_PIXELS.
USUAL_LEVELS: Final = 5
# Sources that lost something before: a lossless copy would be several times their size.
_LOSSY: Final = frozenset({f"1.2.840.10008.1.2.4.{number}" for number in ("50", "51", "81", "91", "203")})


class Unfit(StrEnum):
    """Why an instance has no HTJ2K copies: stable words, kept with it."""

    NO_PIXELS = "no_pixels"
    STORED_SO = "stored_so"
    LOSSY = "lossy_source"
    NO_DECODER = "no_decoder"
    # Indices into a colour table make no picture at lower resolution; YBR and planar colour would come out otherwise
    # than the data set says.
    NOT_GREY_OR_RGB = "not_grey_or_rgb"
    DEPTH = "depth"
    # Each frame would have to be inflated from the beginning of the file.
    DEFLATED = "deflated"
    # Bits above Bits Stored carry something, old overlays for one.
    NOT_LOSSLESS = "not_lossless"
    DAMAGED = "damaged"


class NoCopy(NotAcceptable):
    code, title = "pixels.no_lossless_copy", "There is no lossless HTJ2K form of this frame"


@dataclass(frozen=True, slots=True)
class Derived:
    """What :func:`derive` wrote to one file. unfit: why it has no frames. spans: (start, length) in bytes."""

    unfit: Unfit | None
    frames: list[Span] = field(default_factory=list)
    thumbnail: Span | None = None


def unfit(transfer_syntax: str, layout: Layout) -> Unfit | None:
    """Why frames stored so have no HTJ2K copies, as far as the data set tells; None where they may."""
    pixels = layout.pixels
    if pixels is None:
        return Unfit.NO_PIXELS
    checks = (
        (transfer_syntax == HTJ2K_RPCL, Unfit.STORED_SO),
        (transfer_syntax in _LOSSY, Unfit.LOSSY),
        (not codecs.is_decodable(transfer_syntax), Unfit.NO_DECODER),
        (not _is_grey_or_rgb(pixels), Unfit.NOT_GREY_OR_RGB),
        (pixels.tag != "7FE00010" or pixels.bits_allocated not in {8, 16}, Unfit.DEPTH),
        (layout.deflated and pixels.number_of_frames > 1, Unfit.DEFLATED),
    )
    return next((why for holds, why in checks if holds), None)


def _is_grey_or_rgb(pixels: Pixels) -> bool:
    if pixels.samples_per_pixel == 1:
        return pixels.photometric_interpretation in {"MONOCHROME1", "MONOCHROME2"}
    rgb = pixels.photometric_interpretation == "RGB" and pixels.planar_configuration == 0
    return rgb and pixels.samples_per_pixel == 3


def levels(rows: int, columns: int) -> int:
    """Decompositions, so that the base is at most BASE_PIXELS wide and high."""
    return max(ceil(log2(max(rows, columns) / BASE_PIXELS)), min(USUAL_LEVELS, int(log2(min(rows, columns)))), 0)


def encode(frame: Frame) -> bytes:
    """One frame of 8 or 16 bit integers, grey or RGB, as a code stream."""
    samples = np.ascontiguousarray(frame.samples)
    return bytes(
        imagecodecs.htj2k_encode(
            samples,
            reversible=True,
            rgb=samples.ndim == 3,
            resolutions=levels(*samples.shape[:2]),
            tlm=True,
            tilepart=imagecodecs.HTJ2K.TILEPART.RESOLUTIONS,
        )
    )


def lossless_copy(path: Path, transfer_syntax: str, layout: Layout, index: int) -> bytes:
    """Frame ``index`` (from 0) as a code stream that was decoded and compared. Raises NoCopy and read_frame's refusals.

    For a frame whose instance :func:`unfit` lets pass.
    """
    pixels = layout.pixels
    if pixels is None:
        raise DamagedPixels("The instance has no pixel data.")
    frame, wanted = frame_with_bytes(path, transfer_syntax, layout, index)
    copy = encode(frame)
    if native_bytes(Frame(imagecodecs.htj2k_decode(copy), frame.photometric), pixels) != wanted:
        raise NoCopy("The frame's bits do not survive; retrieve it as it is stored or uncompressed.")
    return copy


def derive(
    path: Path, transfer_syntax: str, layout: Layout, metadata: bytes, *, thumbnail: RenderOptions, target: Path
) -> Derived:
    """Write the copies of all frames and a thumbnail one after the other into the empty file ``target``.

    What cannot be made is left out; nothing is raised for a damaged object. Whoever waits may take ``target`` away:
    then it ends early.
    """
    with target.open("r+b") as out:
        why, frames = unfit(transfer_syntax, layout), []
        try:
            for index in range(layout.pixels.number_of_frames if layout.pixels and why is None else 0):
                if not target.exists():
                    break
                copy = lossless_copy(path, transfer_syntax, layout, index)
                frames.append((out.tell(), out.write(copy)))
        except NoCopy:
            why = Unfit.NOT_LOSSLESS
        except ServiceError:
            why = Unfit.DAMAGED
        if why is not None:
            frames = []
            out.seek(0)
            out.truncate()
        picture = _thumbnail(path, transfer_syntax, layout, metadata, thumbnail) if layout.pixels else b""
        return Derived(why, frames, (out.tell(), out.write(picture)) if picture else None)


def _thumbnail(path: Path, transfer_syntax: str, layout: Layout, metadata: bytes, options: RenderOptions) -> bytes:
    try:
        return render(path, transfer_syntax, layout, metadata, options)
    except ServiceError:
        return b""
