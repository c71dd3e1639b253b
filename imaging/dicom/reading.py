"""One received instance, judged and described: from its bytes where it is small and plain, else by a worker process
from its file.
"""

import hashlib
import mmap
import re
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from imaging.dicom import elements, file_meta, inflate, json_model, pixel_data, syntaxes
from imaging.dicom.attributes import Attributes, text
from imaging.dicom.elements import Buffer
from imaging.dicom.layout import Layout
from imaging.dicom.remarks import Refusal, RefusedAs, Remark, Unreadable

_DIRECTORY: Final = "1.2.840.10008.1.3.10"
# Anything else could not stand in an address or a header. Real archives hold UIDs that de-identification tools made of
# hexadecimal digits, so breaking the rule of PS3.5 section 9.1 only earns a remark; a leading zero, not even that.
_USABLE_UID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-]{0,63}")
_STANDARD_UID: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_PATIENT_NAME: Final = "00100010"
_BIRTH_DATE: Final = re.compile(
    r"(?!0000)[0-9]{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|[0-9]{4}\.[0-9]{2}\.[0-9]{2}"
)
# What is plain takes some milliseconds at most, whoever made it up.
_PLAIN_ELEMENTS: Final = 2_000
_PLAIN_HEADER_BYTES: Final = 64 * 1024
# The model is written once and read often, but the sender waits for it.
_COMPRESSION_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """What one file may make its reader spend. always_inflated_bytes: allowed whatever the ratio."""

    max_depth: int = 64
    max_elements: int = 1_000_000
    always_inflated_bytes: int = 64 << 20
    max_inflated_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Examined:
    """Everything the index and the retrieve services need to know about one readable instance.

    metadata_json: the DICOM JSON model, deflated with zlib. layout: :class:`Layout` as JSON members.
    """

    attributes: Attributes
    transfer_syntax_uid: str
    size_bytes: int
    sha256: str
    metadata_json: bytes
    layout: dict[str, Any]
    remarks: list[Remark] = field(default_factory=list)

    @property
    def sop_class_uid(self) -> str:
        return self.attributes.sop_class_uid

    @property
    def sop_instance_uid(self) -> str:
        return self.attributes.sop_instance_uid

    @property
    def study_instance_uid(self) -> str:
        return self.attributes.study_instance_uid


def examine(path: Path, limits: ReadingLimits, sha256: str | None = None) -> Examined | Refusal:
    """Read the file at ``path``; bounded in memory by its header, not by its pixels. sha256: where it is known."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size == 0:
            return Refusal(RefusedAs.NOT_DICOM)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(data, limits).result(sha256 or hashlib.sha256(data).hexdigest())


class NotPlain(Exception):
    """Reading this may take long or explode: it belongs into a worker."""


def examine_plain(data: bytes, limits: ReadingLimits) -> Examined | Refusal:
    """The same for bytes in memory, within milliseconds. Raises NotPlain: deflated, or a header beyond the usual."""
    reader = _PlainReader(data, replace(limits, max_elements=min(_PLAIN_ELEMENTS, limits.max_elements)))
    return reader.result(hashlib.sha256(data).hexdigest())


class _Reader:
    """Keeps the UIDs known so far, so that a refusal can name the instance."""

    def __init__(self, data: Buffer, limits: ReadingLimits) -> None:
        self.data = data
        self.size = len(data)
        self.limits = limits
        self.attributes = Attributes()
        self.remarks: set[Remark] = set()

    def result(self, sha256: str) -> Examined | Refusal:
        try:
            return self._examined(sha256)
        except Unreadable as error:
            known = self.attributes
            return Refusal(
                error.why, *map(_nameable, (known.sop_class_uid, known.sop_instance_uid, known.study_instance_uid))
            )

    def _examined(self, sha256: str) -> Examined:
        start = file_meta.begin(self.data)
        self.attributes = Attributes(sop_class_uid=start.sop_class_uid, sop_instance_uid=start.sop_instance_uid)
        if start.sop_class_uid == _DIRECTORY:
            raise Unreadable(RefusedAs.DIRECTORY)
        syntax = syntaxes.find(start.transfer_syntax_uid)
        if syntax is None:
            raise Unreadable(RefusedAs.SYNTAX_UNKNOWN)
        scanned = self._scan(start.dataset_offset, syntax)
        model = json_model.build(self.data, scanned.elements, syntax.encoding)
        self.attributes = Attributes.of(model.dataset)
        self._check_uids(start)
        described = pixel_data.describe(
            self.data, scanned.elements, model.dataset, syntax, self.attributes.sop_class_uid
        )
        self.remarks |= start.remarks | scanned.remarks | model.remarks | described.remarks | _oddities(model.dataset)
        if syntax.retired:
            self.remarks.add(Remark.SYNTAX_RETIRED)
        layout = Layout(start.dataset_offset, syntax.deflated, syntax.encoding.big_endian, described.pixels, model.bulk)
        return Examined(
            self.attributes,
            syntax.uid,
            self.size,
            sha256,
            zlib.compress(msgspec.json.encode(model.dataset), _COMPRESSION_LEVEL),
            layout.to_json(),
            sorted(self.remarks),
        )

    def _scan(self, offset: int, syntax: syntaxes.Syntax) -> elements.Scan:
        if syntax.deflated:
            self.data = inflate.inflate(
                self.data,
                offset,
                always_bytes=self.limits.always_inflated_bytes,
                limit_bytes=self.limits.max_inflated_bytes,
            )
        return elements.scan(
            self.data,
            offset,
            syntax.encoding,
            max_depth=self.limits.max_depth,
            max_elements=self.limits.max_elements,
        )

    def _check_uids(self, start: file_meta.Start) -> None:
        known = self.attributes
        required = known.sop_class_uid, known.sop_instance_uid, known.study_instance_uid, known.series_instance_uid
        if not all(required):
            named = known.sop_class_uid and known.sop_instance_uid
            belongs_nowhere = named and not known.study_instance_uid and not known.series_instance_uid
            raise Unreadable(RefusedAs.NOT_PATIENT_OBJECT if belongs_nowhere else RefusedAs.UID_MISSING)
        if not all(map(is_usable_uid, required)):
            raise Unreadable(RefusedAs.UID_UNUSABLE)
        if not all(map(_STANDARD_UID.fullmatch, required)):
            self.remarks.add(Remark.UID_INVALID)
        in_meta = start.sop_class_uid or known.sop_class_uid, start.sop_instance_uid or known.sop_instance_uid
        if in_meta != (known.sop_class_uid, known.sop_instance_uid):
            self.remarks.add(Remark.FILE_META_DIFFERS)


class _PlainReader(_Reader):
    """Stops where it could become expensive."""

    def _scan(self, offset: int, syntax: syntaxes.Syntax) -> elements.Scan:
        if syntax.deflated:
            raise NotPlain
        try:
            scanned = super()._scan(offset, syntax)
        except Unreadable as error:
            if error.why is RefusedAs.TOO_MANY_ELEMENTS:
                raise NotPlain from error
            raise
        header = sum(element.length for element in scanned.elements if element.tag not in elements.PIXEL_TAGS)
        if header > _PLAIN_HEADER_BYTES:
            raise NotPlain
        return scanned


def is_usable_uid(uid: str) -> bool:
    """Whether the archive keeps objects under this UID: looser than the standard, strict about what is dangerous."""
    return _USABLE_UID.fullmatch(uid) is not None


def _nameable(uid: str) -> str:
    return uid if is_usable_uid(uid) else ""


def _oddities(dataset: json_model.JsonDataset) -> set[Remark]:
    """What a doctor or a search will miss in the header."""
    required = {"00100020": Remark.PATIENT_ID_MISSING, "00080060": Remark.MODALITY_MISSING}
    found = {remark for tag, remark in required.items() if not text(dataset, tag)}
    # De-identified studies carry an empty name, as the standard allows; only its absence is a defect.
    if _PATIENT_NAME not in dataset:
        found.add(Remark.PATIENT_NAME_MISSING)
    birth_date = text(dataset, "00100030")
    if birth_date and not _BIRTH_DATE.fullmatch(birth_date):
        found.add(Remark.BIRTH_DATE_INVALID)
    return found
