"""The file that an outsider gets: header de-identified, pixels as they are or blanked where the profile says so.

Runs in a worker process. Memory holds the header; pixels are copied in pieces.
"""

import mmap
from pathlib import Path
from struct import pack
from typing import Any, BinaryIO, Final

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from foundation.errors import Unprocessable
from imaging.dicom import elements, file_meta, json_model, syntaxes
from imaging.dicom.codecs import EXPLICIT_LITTLE_ENDIAN
from imaging.dicom.deidentify import Disguise, Region, deidentified, may_show_text
from imaging.dicom.elements import PIXEL_TAGS, SEQUENCE_END, UNDEFINED, Buffer, Element
from imaging.dicom.explicit import file_head
from imaging.dicom.layout import Layout
from imaging.dicom.reading import ReadingLimits
from imaging.dicom.transcode import to_explicit_little_endian

_PIECE_BYTES: Final = 1 << 20


class TextInPixels(Unprocessable):
    code, title = "egress.text_in_pixels", "The image may show text, and no region rule says where"


class NothingToShow(Unprocessable):
    code, title = "egress.not_an_image", "Only images leave; this object is none"


def write_deidentified(
    source: Path, target: Path, transfer_syntax: str, layout: Layout, disguise: Disguise, *, native: bool
) -> str:
    """Write ``source`` as ``target`` without anything that identifies; the transfer syntax written.

    native: in Explicit VR Little Endian; else as stored, where the stored form can be kept. Raises TextInPixels,
    NothingToShow, and the refusals of :mod:`imaging.dicom.codecs`.
    """
    header = dcmread(source, stop_before_pixels=True, force=True)
    _refuse(header, layout, disguise)
    region = disguise.profile.region_for(header)
    unkeepable = layout.deflated or layout.big_endian or region is not None
    if not ((native or unkeepable) and transfer_syntax != EXPLICIT_LITTLE_ENDIAN):
        _write(source, target, transfer_syntax, deidentified(header, disguise), region)
        return transfer_syntax
    plain = target.with_name(f"{target.name}.plain")
    try:
        to_explicit_little_endian(source, plain, transfer_syntax, layout)
        header = dcmread(plain, stop_before_pixels=True)
        _write(plain, target, EXPLICIT_LITTLE_ENDIAN, deidentified(header, disguise), region)
    finally:
        plain.unlink(missing_ok=True)
    return EXPLICIT_LITTLE_ENDIAN


def deidentified_metadata(source: Path, layout: Layout, disguise: Disguise) -> dict[str, Any]:
    """The same header in the DICOM JSON model, without pixels. Raises as :func:`write_deidentified`."""
    header = dcmread(source, stop_before_pixels=True, force=True)
    _refuse(header, layout, disguise)
    encoded = _encoded(deidentified(header, disguise), implicit=False)
    encoding = elements.Encoding(implicit=False)
    dataset = json_model.build(encoded, _scanned(encoded, 0, encoding), encoding).dataset
    # Long tables are in the files only: there is no door to them here.
    return {tag: member for tag, member in dataset.items() if "BulkDataURI" not in member}


def _refuse(header: Dataset, layout: Layout, disguise: Disguise) -> None:
    if layout.pixels is None:
        raise NothingToShow("Ask for the images of the study.")
    if may_show_text(header, disguise.profile):
        raise TextInPixels("An administrator may register where this kind of image carries text.")


def _write(source: Path, target: Path, transfer_syntax: str, header: Dataset, region: Region | None) -> None:
    syntax = syntaxes.find(transfer_syntax)
    implicit = syntax is not None and syntax.encoding.implicit
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        pixels = _pixel_element(data, implicit)
        with target.open("wb") as out:
            out.write(file_head(header.SOPClassUID, header.SOPInstanceUID, transfer_syntax))
            out.write(_encoded(header, implicit))
            start = _write_pixels(out, data, pixels, implicit)
    if region is not None:
        _blank(target, start, header, region)


def _pixel_element(data: Buffer, implicit: bool) -> Element:
    found = _scanned(data, file_meta.begin(data).dataset_offset, elements.Encoding(implicit=implicit))
    return next(element for element in found if element.tag in PIXEL_TAGS)


def _scanned(data: Buffer, start: int, encoding: elements.Encoding) -> list[Element]:
    limits = ReadingLimits()
    return elements.scan(data, start, encoding, max_depth=limits.max_depth, max_elements=limits.max_elements).elements


def _encoded(header: Dataset, implicit: bool) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = implicit, True
    write_dataset(buffer, header)
    return buffer.getvalue()


def _write_pixels(out: BinaryIO, data: Buffer, element: Element, implicit: bool) -> int:
    """The pixel element alone: what follows it in the file (padding, signatures) stays behind. Where its value lies."""
    encapsulated = element.fragments is not None
    length = UNDEFINED if encapsulated else element.length
    tag = pack("<HH", element.tag >> 16, element.tag & 0xFFFF)
    vr = "OB" if encapsulated else element.vr if len(element.vr) == 2 else "OW"
    out.write(tag + (pack("<L", length) if implicit else pack("<2sHL", vr.encode(), 0, length)))
    start = out.tell()
    end = element.offset + element.length
    out.writelines(data[at : min(at + _PIECE_BYTES, end)] for at in range(element.offset, end, _PIECE_BYTES))
    if encapsulated:
        out.write(pack("<HHL", SEQUENCE_END >> 16, SEQUENCE_END & 0xFFFF, 0))
    return start


def _blank(path: Path, start: int, header: Dataset, region: Region) -> None:
    """Set the region's rectangles to zero in every frame of native pixels."""
    samples = int(header.get("SamplesPerPixel", 1))
    by_plane = samples > 1 and int(header.get("PlanarConfiguration", 0)) == 1
    frames, rows, columns = int(header.get("NumberOfFrames") or 1), int(header.Rows), int(header.Columns)
    shape = (frames * samples, rows, columns, 1) if by_plane else (frames, rows, columns, samples)
    pixels = np.memmap(path, np.dtype(f"u{int(header.BitsAllocated) // 8}"), "r+", start, shape)
    for x, y, width, height in region.rectangles:
        pixels[:, y : y + height, x : x + width] = 0
    pixels.flush()
