"""The DICOMDIR of a file set with one study (PS3.3 Annex F, PS3.10 section 8): patient, study, series, objects."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from imaging.dicom.assembly import encoded_dataset
from imaging.dicom.elements import ITEM, UNDEFINED
from imaging.dicom.explicit import file_head, header, item
from imaging.dicom.json_model import JsonDataset
from imaging.dicom.pixel_data import is_image

DIRECTORY_CLASS: Final = "1.2.840.10008.1.3.10"
_SEQUENCE: Final = 0x00041220
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
# Keys of each type of record (PS3.3 section F.5), with what stands for a key that must not be empty.
_PATIENT: Final = {"00100010": ("PN", None), "00100020": ("LO", "UNKNOWN")}
_STUDY: Final = {
    "00080020": ("DA", "19000101"),
    "00080030": ("TM", "000000"),
    "00080050": ("SH", None),
    "00081030": ("LO", None),
    "0020000D": ("UI", None),
    "00200010": ("SH", "1"),
}
_SERIES: Final = {"00080060": ("CS", "OT"), "0020000E": ("UI", None), "00200011": ("IS", 0)}
_NUMBERED: Final = {"00200013": ("IS", 0)}
_DATED: Final = {**_NUMBERED, "00080023": ("DA", None), "00080033": ("TM", None)}
_TITLED: Final = {**_DATED, "0040A043": ("SQ", None)}
_LABELLED: Final = {**_NUMBERED, "00700080": ("CS", "UNNAMED"), "00700081": ("LO", None), "00700084": ("PN", None)}
_CREATED: Final = {"00700082": ("DA", "19000101"), "00700083": ("TM", "000000")}
_OBJECTS: Final = (
    ("88.59", "KEY OBJECT DOC", _TITLED),
    ("88.", "SR DOCUMENT", {**_TITLED, "0040A491": ("CS", "PARTIAL"), "0040A493": ("CS", "UNVERIFIED")}),
    ("104.", "ENCAP DOC", {**_TITLED, "00420010": ("ST", None), "00420012": ("LO", "application/octet-stream")}),
    ("11.", "PRESENTATION", {**_LABELLED, **_CREATED, "00081115": ("SQ", None)}),
    ("9.", "WAVEFORM", _DATED),
    ("481.2", "RT DOSE", {**_NUMBERED, "3004000A": ("CS", "PLAN")}),
    ("481.3", "RT STRUCTURE SET", {**_NUMBERED, "30060002": ("SH", "UNNAMED")}),
    ("481.5", "RT PLAN", {**_NUMBERED, "300A0002": ("SH", "UNNAMED")}),
)

Keys = dict[str, tuple[str, Any]]


@dataclass(slots=True)
class _Record:
    model: JsonDataset
    below: "list[_Record]" = field(default_factory=list)
    # From the start of the file; known when all records are.
    offset: int = 0


class Directory:
    """Add the instances in order, then :meth:`finish`. It keeps the keys of each, a few hundred bytes."""

    def __init__(self, sop_instance_uid: str) -> None:
        self._uid = sop_instance_uid
        self._patient: _Record | None = None
        self._series: dict[Any, _Record] = {}

    def add(self, model: JsonDataset, file_id: str, transfer_syntax: str) -> None:
        """file_id: path in the file set with slashes. What no type of record fits lies there without one."""
        found = _kind(str(_first(model, "00080016")))
        if found is None:
            return
        kind, keys = found
        if self._patient is None:
            self._patient = _Record(_record("PATIENT", _PATIENT, model))
            self._patient.below.append(_Record(_record("STUDY", _STUDY, model)))
        uid = _first(model, "0020000E")
        if uid not in self._series:
            self._series[uid] = _Record(_record("SERIES", _SERIES, model))
            self._patient.below[0].below.append(self._series[uid])
        reference = {
            "00041500": {"vr": "CS", "Value": file_id.split("/")},
            "00041510": _one("UI", _first(model, "00080016")),
            "00041511": _one("UI", _first(model, "00080018")),
            "00041512": _one("UI", transfer_syntax),
        }
        self._series[uid].below.append(_Record(_record(kind, keys, model) | reference))

    def finish(self) -> bytes:
        """The whole file."""
        roots = [self._patient] if self._patient else []
        records = list(_walk(roots))
        start = len(self._head(0)) + len(header(_SEQUENCE, "SQ", UNDEFINED))
        for record in records:
            record.offset = start
            start += len(_item(record.model, 0, 0))
        following = dict(_following(roots))
        body = b"".join(
            _item(each.model, following.get(id(each), 0), each.below[0].offset if each.below else 0) for each in records
        )
        return self._head(roots[0].offset if roots else 0) + header(_SEQUENCE, "SQ", len(body)) + body

    def _head(self, root: int) -> bytes:
        entries = {
            "00041130": _one("CS", "TELEMED"),
            "00041200": _one("UL", root),
            "00041202": _one("UL", root),
            "00041212": _one("US", 0),
        }
        return file_head(DIRECTORY_CLASS, self._uid) + encoded_dataset(entries)


def _kind(sop_class: str) -> tuple[str, Keys] | None:
    """The type of its record and the keys of that."""
    tail = sop_class.removeprefix(_STORAGE)
    for beginning, kind, keys in _OBJECTS:
        if tail != sop_class and tail.startswith(beginning):
            return kind, keys
    return ("IMAGE", _NUMBERED) if is_image(sop_class) else None


def _record(kind: str, keys: Keys, model: JsonDataset) -> JsonDataset:
    built: JsonDataset = {"00041430": _one("CS", kind), "00080005": _one("CS", "ISO_IR 192")}
    for tag, (vr, default) in keys.items():
        built[tag] = (
            model[tag]
            if _first(model, tag) is not None
            else {"vr": vr, "Value": [default]}
            if default is not None
            else {"vr": vr}
        )
    return built


def _item(model: JsonDataset, following: int, below: int) -> bytes:
    places = {"00041400": _one("UL", following), "00041410": _one("US", 0xFFFF), "00041420": _one("UL", below)}
    encoded = encoded_dataset(model | places)
    return item(ITEM, len(encoded)) + encoded


def _walk(records: list[_Record]) -> "list[_Record]":
    return [each for record in records for each in (record, *_walk(record.below))]


def _following(records: list[_Record]) -> list[tuple[int, int]]:
    """(which record, offset of the next at its level)."""
    own = [(id(one), two.offset) for one, two in pairwise(records)]
    return own + [pair for record in records for pair in _following(record.below)]


def _first(model: JsonDataset, tag: str) -> Any:
    return (model.get(tag, {}).get("Value") or [None])[0]


def _one(vr: str, value: object) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}
