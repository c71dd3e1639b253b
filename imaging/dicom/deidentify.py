"""A data set as an outsider may have it (PS3.15 Annex E, Basic Application Level Confidentiality Profile). Pure.

A value stays only in a form that cannot carry a name: a number, a word of a known vocabulary, a date moved by the
study's shift, a time of day, a code of a public dictionary with that dictionary's own words, a table of numbers, or a
UID replaced by a keyed one. Free text, private elements, overlays, curves and signatures have no such form, so they go,
at every depth. Which attributes are looked at, at all, is ``imaging.dicom.harmless``.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import msgspec
from pydicom import DataElement, Dataset, config
from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import keyword_for_tag
from pydicom.sr._concepts_dict import concepts

from imaging.dicom.harmless import CHARACTERISTICS, KEPT, TABLES, WORDS
from imaging.dicom.values import is_number

LONGEST_SHIFT_DAYS: Final = 3650
_NUMBERS: Final = frozenset({"DS", "IS", "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"})
_TEXTS: Final = frozenset({"CS", "SH", "LO"})
_TIME: Final = re.compile(r"[0-9]{2}([0-5][0-9]([0-6][0-9](\.[0-9]{1,6})?)?)?")
_AGE: Final = re.compile(r"[0-9]{3}[DWMY]")
_DATE_TIME: Final = re.compile(r"([0-9]{8})([0-9.]{0,13})([+-][0-9]{4})?")
# CID 7050 De-identification Method, and 109104 De-identifying Equipment of CID 7005.
_BASIC, _CHARACTERISTICS, _SHIFTED_DATES, _CLEANED_PIXELS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113108", "Retain Patient Characteristics Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113101", "Clean Pixel Data Option"),
)
# Pictures of screens and of the world: what they show may be a name (PS3.15 E.3.1).
_WRITTEN_ON: Final = frozenset({"US", "SC", "OT", "XC", "ES", "GM"})
_SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one kind of image carries text. rectangles: x, y, width, height in pixels, 0/0 the first pixel."""

    modality: str
    rows: int
    columns: int
    rectangles: list[tuple[int, int, int, int]]

    def fits(self, data: Dataset) -> bool:
        return (self.modality, self.rows, self.columns) == (data.get("Modality"), data.get("Rows"), data.get("Columns"))


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an endpoint may have beyond the basic profile. characteristics: sex, age, size and weight."""

    characteristics: bool = False
    regions: list[Region] = []

    @property
    def methods(self) -> list[tuple[str, str]]:
        """Codes and meanings for De-identification Method Code Sequence (0012,0064)."""
        return [
            _BASIC,
            _SHIFTED_DATES,
            *([_CHARACTERISTICS] if self.characteristics else []),
            *([_CLEANED_PIXELS] if self.regions else []),
        ]

    def region_for(self, data: Dataset) -> Region | None:
        return next((region for region in self.regions if region.fits(data)), None)


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Stand-ins made with ``key``, one key for each endpoint and study, so that two vendors cannot compare notes."""

    key: bytes

    @classmethod
    def of(cls, secret: bytes, endpoint: str, study: str) -> "Pseudonyms":
        return cls(_keyed(secret, f"{endpoint}|{study}"))

    def uid(self, uid: str) -> str:
        """The stand-in for a UID; one that the standard itself has registered (a class, a syntax) stays."""
        return uid if uid in UID_dictionary else f"2.25.{int.from_bytes(_keyed(self.key, uid)[:16])}"

    @property
    def patient(self) -> str:
        return f"ANON-{_keyed(self.key, 'patient').hex()[:12].upper()}"

    @property
    def shift(self) -> timedelta:
        """By how much dates move: back by 1 to LONGEST_SHIFT_DAYS days, the same for a whole study."""
        return -timedelta(days=int.from_bytes(_keyed(self.key, "days")[:4]) % LONGEST_SHIFT_DAYS + 1)


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)


@dataclass(frozen=True, slots=True)
class Disguise:
    """How one endpoint sees one study."""

    pseudonyms: Pseudonyms
    profile: Profile


def is_written_on(modality: str, sop_class_uid: str) -> bool:
    """Pictures of this kind commonly show the patient's name."""
    return modality in _WRITTEN_ON or sop_class_uid.startswith(_SECONDARY_CAPTURE)


def may_show_text(data: Dataset, profile: Profile) -> bool:
    """Are there words in the pixels, or may there be, that no region of the profile covers?"""
    suspicious = data.get("BurnedInAnnotation") == "YES" or is_written_on(
        str(data.get("Modality", "")), str(data.get("SOPClassUID", ""))
    )
    return suspicious and profile.region_for(data) is None


def deidentified(data: Dataset, disguise: Disguise) -> Dataset:
    """A new data set of what may stay of ``data`` (no file meta, no pixels), marked as de-identified."""
    pseudonyms, profile = disguise.pseudonyms, disguise.profile
    # What pydicom says of an odd value quotes it, and that would stand in a log.
    with config.disable_value_validation():
        kept = _kept(data, pseudonyms, KEPT | TABLES | (CHARACTERISTICS if profile.characteristics else frozenset()))
    kept.PatientName = kept.PatientID = pseudonyms.patient
    for keyword in _NEVER_ABSENT:
        if keyword not in kept:
            setattr(kept, keyword, "")
    kept.PatientIdentityRemoved = "YES"
    kept.LongitudinalTemporalInformationModified = "MODIFIED"
    kept.DeidentificationMethod = "Kept only what is known to be harmless"
    kept.DeidentificationMethodCodeSequence = [_code("DCM", value, meaning) for value, meaning in profile.methods]
    kept.ContributingEquipmentSequence = [_equipment()]
    return kept


# Type 2 in every image (PS3.3 Patient and General Study modules): present, if empty.
_NEVER_ABSENT: Final = (
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
    "StudyDate",
    "StudyTime",
)


def _kept(data: Dataset, pseudonyms: Pseudonyms, keywords: frozenset[str]) -> Dataset:
    kept = Dataset()
    for tag in list(data.keys()):
        keyword = "" if tag.is_private else keyword_for_tag(tag)
        if keyword not in keywords:
            continue
        value = _value(_read(data, tag), keyword, pseudonyms, keywords)
        if value is not None:
            setattr(kept, keyword, value)
    return kept


def _read(data: Dataset, tag: Any) -> DataElement | None:
    """The element, or None where its value is not what its VR says: that cannot be judged, so it goes."""
    try:
        element: DataElement = data[tag]
    except (ValueError, TypeError, OverflowError, AttributeError, NotImplementedError):
        return None
    return element


def _value(element: DataElement | None, keyword: str, pseudonyms: Pseudonyms, keywords: frozenset[str]) -> Any:
    """What stays of the element's value; None: nothing."""
    if element is None:
        return None
    if element.VR == "SQ":
        return [item for item in _items(element, keyword, pseudonyms, keywords) if len(item)] or None
    if keyword in TABLES:
        return element.value if isinstance(element.value, bytes | int | list) else None
    values = list(element.value) if element.VM > 1 else [element.value] if element.VM else []
    kept = [one for each in values if (one := _one(each, element.VR, pseudonyms)) is not None]
    # A word less is still true (Image Type); a number less is another place.
    if element.VR not in _TEXTS and len(kept) < len(values):
        return None
    return kept[0] if len(kept) == 1 else kept or None


def _items(element: DataElement, keyword: str, pseudonyms: Pseudonyms, keywords: frozenset[str]) -> Iterator[Dataset]:
    for item in element.value:
        if keyword.endswith("CodeSequence") or keyword == "AnatomicRegionSequence":
            yield from _known_code(item)
        else:
            yield _kept(item, pseudonyms, keywords)


def _known_code(item: Dataset) -> Iterator[Dataset]:
    """The code with its dictionary's own words, whatever words came with it."""
    scheme, value = str(item.get("CodingSchemeDesignator", "")), str(item.get("CodeValue", ""))
    meaning = _meanings(scheme).get(value)
    if meaning is not None:
        yield _code(scheme, value, meaning)


@cache
def _meanings(scheme: str) -> dict[str, str]:
    known: dict[str, dict[str, tuple[str, list[int]]]] = concepts.get(scheme, {})  # type: ignore[assignment]
    return {value: meaning for each in known.values() for value, (meaning, *_) in each.items()}


def _one(value: Any, vr: str, pseudonyms: Pseudonyms) -> Any:
    text = str(value)
    if vr in _NUMBERS:
        return value if vr not in {"DS", "IS"} or is_number(text) else None
    if vr in _TEXTS:
        return text if text in WORDS else None
    if vr == "UI":
        return pseudonyms.uid(text)
    if vr in {"DA", "DT"}:
        return _moved(text, pseudonyms.shift)
    pattern = {"TM": _TIME, "AS": _AGE}.get(vr)
    return text if pattern is not None and pattern.fullmatch(text) else None


def _moved(text: str, shift: timedelta) -> str | None:
    """A date, or a date with a time, moved by whole days; None where it is no date."""
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return None
    try:
        day = datetime.strptime(found[1], "%Y%m%d") + shift  # noqa: DTZ007 - a calendar day, in no zone
    except (ValueError, OverflowError):
        return None
    return f"{day:%Y%m%d}{found[2]}{found[3] or ''}"


def _code(scheme: str, value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _equipment() -> Dataset:
    equipment = Dataset()
    equipment.Manufacturer = "telemed"
    equipment.PurposeOfReferenceCodeSequence = [_code("DCM", "109104", "De-identifying Equipment")]
    return equipment
