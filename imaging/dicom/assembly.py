"""A Part 10 file out of metadata and bulk data that came apart (PS3.18 section 10.5.1.4).

Runs in a worker process: what strangers send is read here. Memory holds the metadata; bulk data is copied in pieces.
"""

import mmap
import struct
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from struct import pack
from typing import Any, BinaryIO, Final

import msgspec

from imaging.dicom import codestream, elements, explicit, values, xml_model
from imaging.dicom.codecs import EXPLICIT_LITTLE_ENDIAN, NATIVE
from imaging.dicom.codestream import Stream
from imaging.dicom.json_model import JsonDataset
from imaging.dicom.reading import ReadingLimits
from imaging.dicom.remarks import RefusedAs, Remark, Unreadable
from imaging.dicom.values import PN_GROUPS

OCTETS: Final = "application/octet-stream"
_PIXEL_DATA, _DOCUMENT, _DOCUMENT_TYPE, _DOCUMENT_LENGTH = "7FE00010", "00420011", "00420012", "00420015"
_RLE: Final = "1.2.840.10008.1.2.5"
_NUMBERS: Final = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
_TEXT: Final = values.SPLIT.keys() | values.WHOLE
_LONGEST_DECIMAL: Final = 16
_PIECE_BYTES: Final = 1 << 20
_SMALLEST_GROUP, _META_GROUP = 0x0008, 0x0002
_MALFORMED: Final = (ValueError, TypeError, KeyError, AttributeError, IndexError, struct.error, OverflowError)


@dataclass(frozen=True, slots=True)
class Bulk:
    """One received bulk part. media_type: lower case. transfer_syntax: of its parameter, empty where it had none."""

    path: Path
    media_type: str
    transfer_syntax: str = ""


def read_models(document: bytes, *, is_xml: bool, limits: ReadingLimits) -> list[JsonDataset]:
    """The data sets of one metadata part. Raises Unreadable."""
    if is_xml:
        return [xml_model.from_xml(document, max_depth=limits.max_depth, max_elements=limits.max_elements)]
    try:
        found = msgspec.json.decode(document, type=list[dict[str, dict[str, Any]]])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(RefusedAs.METADATA_MALFORMED) from error
    except RecursionError as error:
        raise Unreadable(RefusedAs.TOO_DEEP) from error
    return found


def assemble(
    model: JsonDataset, bulk: Mapping[str, Sequence[Bulk]], target: Path, limits: ReadingLimits
) -> list[Remark]:
    """Write the instance of ``model`` to ``target``; what was done to it on the way.

    bulk: by the URI that the model names it with; several parts under one URI are the frames of one value in order.
    Raises Unreadable: METADATA_MALFORMED, TOO_DEEP, BULK_MISSING, BULK_UNSUITABLE.
    """
    try:
        return _Assembly(model, bulk, limits).write(target)
    except _MALFORMED as error:
        raise Unreadable(RefusedAs.METADATA_MALFORMED) from error


def encoded_dataset(model: JsonDataset) -> bytes:
    """A data set without bulk data in Explicit VR Little Endian. Raises ValueError and its like for a bad value."""
    out = BytesIO()
    _Assembly({}, {}, ReadingLimits()).write_dataset(out, model, 0)
    return out.getvalue()


class _Assembly:
    def __init__(self, model: JsonDataset, bulk: Mapping[str, Sequence[Bulk]], limits: ReadingLimits) -> None:
        self.bulk = bulk
        self.limits = limits
        self.remarks: set[Remark] = set()
        self.transfer_syntax = _first(model, "00020010") or ""
        self.model = self._kept(model)
        # Whether the pixel data is written as fragments, and from which byte of each part on.
        self.encapsulated = False
        self.skipped = 0

    def write(self, target: Path) -> list[Remark]:
        # JSON is UTF-8 whatever its own label says, and that is how the text is written (F.2).
        self.model["00080005"] = _one("CS", "ISO_IR 192")
        self._describe_pixels()
        self._describe_document()
        head = explicit.file_head(
            _first(self.model, "00080016") or "", _first(self.model, "00080018") or "", self.transfer_syntax
        )
        with target.open("wb") as out:
            out.write(head)
            self.write_dataset(out, self.model, 0)
        return sorted(self.remarks)

    def _kept(self, model: JsonDataset) -> JsonDataset:
        """Without what has no place in a data set; file meta information is ours to write."""
        kept = {tag: member for tag, member in sorted(model.items()) if _belongs(int(tag, 16)) and len(tag) == 8}
        if any(int(tag[:4], 16) != _META_GROUP for tag in model.keys() - kept.keys()):
            self.remarks.add(Remark.ELEMENTS_DISCARDED)
        return kept

    def _parts(self, member: dict[str, Any]) -> Sequence[Bulk]:
        parts = self.bulk.get(member["BulkDataURI"])
        if not parts:
            # Nothing is fetched from elsewhere.
            raise Unreadable(RefusedAs.BULK_MISSING)
        return parts

    # --- descriptions --------------------------------------------------------------------------------------------

    def _describe_pixels(self) -> None:
        member = self.model.get(_PIXEL_DATA, {})
        parts = self._parts(member) if "BulkDataURI" in member else ()
        declared = next((part.transfer_syntax for part in parts if part.transfer_syntax), self.transfer_syntax)
        if not parts or (parts[0].media_type == OCTETS and declared in {*NATIVE, ""}):
            self.transfer_syntax = EXPLICIT_LITTLE_ENDIAN
            return
        self.encapsulated = True
        if parts[0].media_type == "image/dicom-rle" or (parts[0].media_type == OCTETS and declared):
            self.transfer_syntax = _RLE if parts[0].media_type != OCTETS else declared
            return
        stream = _described(parts[0])
        # The stream is the fact; a syntax that cannot be true for its type is not believed.
        self.transfer_syntax = stream.transfer_syntax
        self.skipped = stream.offset
        self._fill(_description(stream, max(len(parts), stream.frames)))

    def _fill(self, described: JsonDataset) -> None:
        """What the sender left out, and what contradicts the stream, which is then kept as the standard asks for."""
        wrong = {
            tag: self.model[tag]
            for tag in _CORRECTED & described.keys() & self.model.keys()
            if _first(self.model, tag) is not None and _first(self.model, tag) != _first(described, tag)
        }
        for tag, member in described.items():
            if tag in wrong or _first(self.model, tag) is None:
                self.model[tag] = member
        if wrong:
            self.remarks.add(Remark.VALUES_CORRECTED)
            history = self.model.setdefault("04000561", {"vr": "SQ"})
            history["Value"] = [*history.get("Value", ()), _correction(wrong)]
        self.model = dict(sorted(self.model.items()))

    def _describe_document(self) -> None:
        member = self.model.get(_DOCUMENT, {})
        if "BulkDataURI" not in member:
            return
        (part,) = self._parts(member)
        described = {_DOCUMENT_TYPE: _one("LO", part.media_type)} if part.media_type != OCTETS else {}
        described[_DOCUMENT_LENGTH] = _one("UL", part.path.stat().st_size)
        for tag, value in described.items():
            self.model.setdefault(tag, value)
        self.model = dict(sorted(self.model.items()))

    # --- writing -------------------------------------------------------------------------------------------------

    def write_dataset(self, out: BinaryIO, model: JsonDataset, depth: int) -> None:
        if depth > self.limits.max_depth:
            raise Unreadable(RefusedAs.TOO_DEEP)
        for key, member in sorted(model.items()):
            tag = int(key, 16)
            if key == _PIXEL_DATA and depth == 0 and self.encapsulated:
                self._write_fragments(out, self._parts(member))
            elif member["vr"] == "SQ":
                self._write_sequence(out, tag, member.get("Value") or (), depth)
            elif "BulkDataURI" in member:
                self._write_bulk(out, tag, member)
            else:
                out.write(explicit.element(tag, _checked(member["vr"]), _encoded(member)))

    def _write_sequence(self, out: BinaryIO, tag: int, items: Sequence[JsonDataset], depth: int) -> None:
        out.write(explicit.header(tag, "SQ", elements.UNDEFINED))
        for inner in items:
            out.write(explicit.item(elements.ITEM, elements.UNDEFINED))
            self.write_dataset(out, inner or {}, depth + 1)
            out.write(explicit.item(elements.ITEM_END, 0))
        out.write(explicit.item(elements.SEQUENCE_END, 0))

    def _write_bulk(self, out: BinaryIO, tag: int, member: dict[str, Any]) -> None:
        parts = self._parts(member)
        size = sum(part.path.stat().st_size for part in parts)
        out.write(explicit.header(tag, _checked(member["vr"]), size + size % 2))
        for part in parts:
            _copy(part.path, out, 0)
        out.write(b"\0" * (size % 2))

    def _write_fragments(self, out: BinaryIO, parts: Sequence[Bulk]) -> None:
        """An empty offset table and one fragment a frame (PS3.5 section A.4)."""
        out.write(explicit.header(elements.PIXEL_DATA, "OB", elements.UNDEFINED) + explicit.item(elements.ITEM, 0))
        for part in parts:
            size = part.path.stat().st_size - self.skipped
            out.write(explicit.item(elements.ITEM, size + size % 2))
            _copy(part.path, out, self.skipped)
            out.write(b"\0" * (size % 2))
        out.write(explicit.item(elements.SEQUENCE_END, 0))


def _described(part: Bulk) -> Stream:
    with part.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        stream = codestream.describe(data, part.media_type)
    if stream is None:
        raise Unreadable(RefusedAs.BULK_UNSUITABLE)
    return stream


# What a contradicting stream decides; the rest may rightly say more than the stream does.
_CORRECTED: Final = frozenset({"00280002", "00280010", "00280011", "00282110"})


def _description(stream: Stream, frames: int) -> JsonDataset:
    """The image pixel module of a stream (PS3.3 section C.7.6.3), and whether it lost something before."""
    allocated = 8 if stream.precision <= 8 else 16
    described = {
        "00280002": _one("US", stream.samples),
        "00280004": _one("CS", stream.photometric),
        "00280010": _one("US", stream.rows),
        "00280011": _one("US", stream.columns),
        "00280100": _one("US", allocated),
        "00280101": _one("US", stream.precision),
        "00280102": _one("US", stream.precision - 1),
        "00280103": _one("US", int(stream.signed)),
    }
    if stream.samples > 1:
        described["00280006"] = _one("US", 0)
    if frames > 1:
        described["00280008"] = _one("IS", frames)
    if stream.lossy:
        described |= {"00282110": _one("CS", "01"), "00282114": _one("CS", stream.lossy)}
    return described


def _correction(wrong: JsonDataset) -> JsonDataset:
    """An item of Original Attributes Sequence (PS3.3 section C.12.1)."""
    return {
        "04000550": {"vr": "SQ", "Value": [wrong]},
        "04000562": _one("DT", datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")),
        "04000563": _one("LO", "telemed"),
        "04000564": {"vr": "LO"},
        "04000565": _one("CS", "CORRECT"),
    }


def _belongs(tag: int) -> bool:
    group, number = tag >> 16, tag & 0xFFFF
    return group >= _SMALLEST_GROUP and group < 0xFFFC and number != 0


def _one(vr: str, value: object) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


def _first(model: JsonDataset, tag: str) -> Any:
    return (model.get(tag, {}).get("Value") or [None])[0]


def _checked(vr: str) -> str:
    if vr not in _TEXT and vr not in _NUMBERS and vr not in {"AT", "OB", "OD", "OF", "OL", "OV", "OW", "UN"}:
        raise ValueError("no VR of the standard")
    return vr


def _encoded(member: dict[str, Any]) -> bytes:
    """The value of one member in Little Endian (Table F.2.3-1)."""
    vr, found = member["vr"], member.get("Value") or []
    if "InlineBinary" in member:
        return b64decode(member["InlineBinary"], validate=True)
    if vr in _NUMBERS:
        number = float if vr in {"FL", "FD"} else int
        return b"".join(pack(f"<{_NUMBERS[vr]}", number(value)) for value in found)
    if vr == "AT":
        return b"".join(pack("<HH", int(value[:4], 16), int(value[4:], 16)) for value in found)
    if vr not in _TEXT and found:
        raise ValueError("binary values are not listed")
    return "\\".join(_text(value, vr) for value in found).encode()


def _text(value: Any, vr: str) -> str:
    if value is None:
        return ""
    if vr == "PN":
        return "=".join(value.get(group, "") for group in PN_GROUPS).rstrip("=")
    if isinstance(value, float):
        return _decimal(value)
    text = value if isinstance(value, str) else str(int(value))
    if "\\" in text and vr in values.SPLIT:
        raise ValueError("a backslash divides values")
    return text


def _decimal(value: float) -> str:
    """As many digits as a decimal string may have (PS3.5 Table 6.2-1)."""
    return next(text for digits in range(17, 0, -1) if len(text := f"{value:.{digits}g}") <= _LONGEST_DECIMAL)


def _copy(path: Path, out: BinaryIO, start: int) -> None:
    with path.open("rb") as file:
        file.seek(start)
        while piece := file.read(_PIECE_BYTES):
            out.write(piece)
