"""What can be searched for and how a condition becomes SQL: one table of attributes, used by queries and by answers.

A condition is read into a :class:`Term`: its shape, from which SQL is made once, and the values of this very search.
Pure apart from SQLAlchemy expressions; :mod:`imaging.store.finding` runs them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, and_, bindparam, exists, or_, select

from foundation.errors import Invalid
from imaging.dicom.names import name_key
from imaging.store import tables, words
from imaging.store.words import Lookup


class Level(IntEnum):
    """A lower level has the attributes of the levels above it too."""

    STUDY = 1
    SERIES = 2
    INSTANCE = 3


class BadValue(Invalid):
    code = "search.value"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of the index. extra: answered only when asked for by includefield."""

    keyword: str
    tag: str
    vr: str
    level: Level
    column: Column[Any]
    extra: bool = False


_S, _E, _I = Level.STUDY, Level.SERIES, Level.INSTANCE
_STUDY, _SERIES, _INSTANCE = tables.Study.core(), tables.Series.core(), tables.Instance.core()

# Answers per PS3.18 tables 10.6.3-3 to 10.6.3-5; the extra ones are ours.
ATTRIBUTES: Final = (
    Attribute("StudyDate", "00080020", "DA", _S, _STUDY.study_date),
    Attribute("StudyTime", "00080030", "TM", _S, _STUDY.study_time),
    Attribute("AccessionNumber", "00080050", "SH", _S, _STUDY.accession_number),
    Attribute("InstitutionName", "00080080", "LO", _S, _STUDY.institution_name, extra=True),
    Attribute("ReferringPhysicianName", "00080090", "PN", _S, _STUDY.referring_physician_name),
    Attribute("TimezoneOffsetFromUTC", "00080201", "SH", _S, _STUDY.timezone_offset),
    Attribute("StudyDescription", "00081030", "LO", _S, _STUDY.study_description, extra=True),
    Attribute("PatientName", "00100010", "PN", _S, _STUDY.patient_name),
    Attribute("PatientID", "00100020", "LO", _S, _STUDY.patient_id),
    Attribute("IssuerOfPatientID", "00100021", "LO", _S, _STUDY.issuer_of_patient_id),
    Attribute("PatientBirthDate", "00100030", "DA", _S, _STUDY.patient_birth_date),
    Attribute("PatientSex", "00100040", "CS", _S, _STUDY.patient_sex),
    Attribute("PatientAge", "00101010", "AS", _S, _STUDY.patient_age, extra=True),
    Attribute("StudyInstanceUID", "0020000D", "UI", _S, _STUDY.study_instance_uid),
    Attribute("StudyID", "00200010", "SH", _S, _STUDY.study_id),
    Attribute("NumberOfStudyRelatedSeries", "00201206", "IS", _S, _STUDY.series_count),
    Attribute("NumberOfStudyRelatedInstances", "00201208", "IS", _S, _STUDY.instance_count),
    Attribute("SeriesDate", "00080021", "DA", _E, _SERIES.series_date, extra=True),
    Attribute("SeriesTime", "00080031", "TM", _E, _SERIES.series_time, extra=True),
    Attribute("Modality", "00080060", "CS", _E, _SERIES.modality),
    Attribute("Manufacturer", "00080070", "LO", _E, _SERIES.manufacturer, extra=True),
    Attribute("SeriesDescription", "0008103E", "LO", _E, _SERIES.series_description),
    Attribute("BodyPartExamined", "00180015", "CS", _E, _SERIES.body_part_examined, extra=True),
    Attribute("SeriesInstanceUID", "0020000E", "UI", _E, _SERIES.series_instance_uid),
    Attribute("SeriesNumber", "00200011", "IS", _E, _SERIES.series_number),
    Attribute("NumberOfSeriesRelatedInstances", "00201209", "IS", _E, _SERIES.instance_count),
    Attribute("PerformedProcedureStepStartDate", "00400244", "DA", _E, _SERIES.performed_procedure_step_start_date),
    Attribute("SOPClassUID", "00080016", "UI", _I, _INSTANCE.sop_class_uid),
    Attribute("SOPInstanceUID", "00080018", "UI", _I, _INSTANCE.sop_instance_uid),
    Attribute("AvailableTransferSyntaxUID", "00083002", "UI", _I, _INSTANCE.transfer_syntax_uid),
    Attribute("InstanceNumber", "00200013", "IS", _I, _INSTANCE.instance_number),
    Attribute("NumberOfFrames", "00280008", "IS", _I, _INSTANCE.number_of_frames),
    Attribute("Rows", "00280010", "US", _I, _INSTANCE.rows),
    Attribute("Columns", "00280011", "US", _I, _INSTANCE.columns),
    Attribute("BitsAllocated", "00280100", "US", _I, _INSTANCE.bits_allocated),
)
# Derived from the series below a study, so it has no column of its own.
MODALITIES_IN_STUDY: Final = "00080061"
PATIENT_NAME: Final = "00100010"
STUDY_DATE: Final = "00080020"
# Whose exact value an index leads to, and of which the beginning is kept in study_words.
NUMBERS: Final = frozenset({"00100020", "00080050"})
KEYS: Final = NUMBERS | {"00100010"}
BY_TAG: Final = {attribute.tag: attribute for attribute in ATTRIBUTES}


@dataclass(frozen=True, slots=True)
class Condition:
    """``text`` as the caller sent it, not empty, for the attribute with ``tag`` (or MODALITIES_IN_STUDY)."""

    tag: str
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """A search at one level. limit, offset: of the page. within_*: the UIDs that the path names, exact.

    fuzzy, empty_values, multiple_values: the kinds of matching asked for (PS3.18 section 8.3.4.1).
    """

    level: Level
    conditions: tuple[Condition, ...] = ()
    limit: int = 100
    offset: int = 0
    within_study: str | None = None
    within_series: str | None = None
    fields: frozenset[str] = field(default_factory=frozenset)
    all_fields: bool = False
    warnings: tuple[str, ...] = ()
    fuzzy: bool = False
    empty_values: bool = False
    multiple_values: bool = False


Shape = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Term:
    """shape: (tag, form), from which :func:`expression` makes SQL. values: what its parameters stand for, in order.

    lookup: words that every match has; without form it is the whole condition. keyed: an index leads to the matches.
    """

    shape: Shape | None
    values: tuple[Any, ...] = ()
    lookup: Lookup | None = None
    keyed: bool = False


def terms(query: Query) -> list[Term]:
    """The query's conditions read. Raises BadValue for a text that its VR does not allow."""
    named = (("0020000D", query.within_study), ("0020000E", query.within_series))
    within = [Term((tag, "is"), (uid,), keyed=True) for tag, uid in named if uid is not None]
    return within + [_term(condition, query) for condition in query.conditions]


def typed(text: str) -> list[Term]:
    """The worklist's search box: a Study Instance UID, or the beginnings of words (imaging.store.words)."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)+", text.strip()):
        return [_uids("0020000D", text)]
    lookup = words.of_text(text)
    return [Term(None, lookup=lookup)] if lookup else []


def _term(condition: Condition, query: Query) -> Term:
    tag, text = condition.tag, condition.text
    if query.empty_values and text == '""':
        return Term((tag, "empty"))
    if query.fuzzy and tag == PATIENT_NAME and not _has_wildcard(text):
        return Term(None, lookup=words.of_name(text))
    vr = "CS" if tag == MODALITIES_IN_STUDY else BY_TAG[tag].vr
    if query.multiple_values and "\\" in text and vr not in _BY_VR:
        return _codes(tag, text)
    return _BY_VR.get(vr, _text)(tag, text)


def _listed(text: str) -> list[str]:
    # By comma (PS3.18 section 8.3.4.1.1); OHIF joins by backslash.
    values = [value.strip() for value in re.split(r"[,\\]", text)]
    return [value for value in values if value]


def _integer(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise BadValue("A number attribute is matched by one integer.") from None
    if abs(value) > 0x7FFFFFFF:
        raise BadValue("A number attribute is matched by an integer of 32 bits.")
    return value


def like_pattern(text: str) -> str:
    """DICOM wildcards as LIKE's with backslash as escape: ``*`` any text, ``?`` one character, all else literal."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return escaped.replace("*", "%").replace("?", "_")


def _has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def _stem(text: str) -> str:
    """What stands before the first wildcard."""
    return re.split(r"[*?]", text, maxsplit=1)[0]


def _text(tag: str, text: str) -> Term:
    # Wildcards ignore case on either engine; a plain value is exact, so that its index is used.
    if not _has_wildcard(text):
        return Term((tag, "is"), (text,), keyed=tag in KEYS)
    number = words.of_number(_stem(text)) if tag in NUMBERS else None
    return Term((tag, "like1"), (like_pattern(text),), number)


def _name(tag: str, text: str) -> Term:
    """The whole of any group of the name, folded the way names are when they are stored (imaging.dicom.names)."""
    if tag != PATIENT_NAME:
        return _text(tag, text)
    lookup = words.of_group(_stem(text).partition("=")[0])
    return Term((tag, "name"), (f"% {like_pattern(name_key(text))} %",), lookup)


def _range(tag: str, text: str, first: Callable[[str], str], last: Callable[[str], str]) -> Term:
    """PS3.18 section 8.3.4.1.3 (PS3.4 C.2.2.2.5): ``a-b``, ``a-``, ``-b`` or one value, both ends included."""
    low, dash, high = (part.strip() for part in text.partition("-"))
    if not dash:
        high = low
    if not low and not high:
        raise BadValue("A range needs at least one end.")
    # An absent date is the empty text, which sorts before every date.
    ends = (first(low) if low else "!", last(high) if high else "~")
    return Term((tag, "between"), ends, keyed=tag == STUDY_DATE)


def _date(text: str) -> str:
    if not re.fullmatch(r"[0-9]{8}", text):
        raise BadValue("Write dates as YYYYMMDD or as a range of two with a hyphen.")
    return text


_LAST_TIME: Final = "235959.999999"


def _time(text: str) -> str:
    digits = text.replace(":", "")
    if not re.fullmatch(r"[0-9]{2}([0-9]{2}([0-9]{2}(\.[0-9]{1,6})?)?)?", digits):
        raise BadValue("Write times as HHMMSS, shorter if you like, or as a range of two with a hyphen.")
    return digits


def _earliest_time(text: str) -> str:
    # 0900 and 090000 are the same moment, and text compares "0900" as earlier: drop what is zero.
    whole, _, fraction = _time(text).partition(".")
    if fraction.strip("0"):
        return f"{whole}.{fraction}"
    while len(whole) > 2 and whole.endswith("00"):
        whole = whole[:-2]
    return whole


def _latest_time(text: str) -> str:
    digits = _time(text)
    return digits + _LAST_TIME[len(digits) :]


def _dates(tag: str, text: str) -> Term:
    return _range(tag, text, _date, _date)


def _times(tag: str, text: str) -> Term:
    return _range(tag, text, _earliest_time, _latest_time)


def _uids(tag: str, text: str) -> Term:
    # A list of one is written as one: PostgreSQL estimates it better.
    listed = _listed(text)
    return Term((tag, "is"), (listed[0],), keyed=True) if len(listed) == 1 else Term((tag, "in"), (listed,), keyed=True)


def _codes(tag: str, text: str) -> Term:
    listed = _listed(text)
    if not any(map(_has_wildcard, listed)):
        return Term((tag, "in"), (listed,), keyed=tag in KEYS)
    return Term((tag, f"like{len(listed)}"), tuple(map(like_pattern, listed)))


def _number(tag: str, text: str) -> Term:
    return Term((tag, "is"), (_integer(text),))


_BY_VR: Final[dict[str, Callable[[str, str], Term]]] = {
    "UI": _uids,
    "DA": _dates,
    "TM": _times,
    "IS": _number,
    "US": _number,
    "PN": _name,
    "CS": _codes,
}


@lru_cache(2000)
def expression(shape: Shape, at: str) -> ColumnElement[bool]:
    """A term's SQL; its values are the parameters ``<at>_0``, ``<at>_1`` …"""
    tag, form = shape
    if tag != MODALITIES_IN_STUDY:
        return _comparison(BY_TAG[tag].column, form, at)
    inner = _comparison(_SERIES.modality, form, at)
    return exists(select(_SERIES.id).where(_SERIES.study_key == _STUDY.id, inner))


def _comparison(column: Column[Any], form: str, at: str) -> ColumnElement[bool]:
    if form.startswith("like"):
        count = int(form.removeprefix("like"))
        return or_(*(column.ilike(bindparam(f"{at}_{number}"), escape="\\") for number in range(count)))
    return _FORMS[form](column, at)


def _is(column: Column[Any], at: str) -> ColumnElement[bool]:
    return column == bindparam(f"{at}_0")


def _in(column: Column[Any], at: str) -> ColumnElement[bool]:
    return column.in_(bindparam(f"{at}_0", expanding=True))


def _between(column: Column[Any], at: str) -> ColumnElement[bool]:
    return and_(column >= bindparam(f"{at}_0"), column <= bindparam(f"{at}_1"))


def _has_group(_column: Column[Any], at: str) -> ColumnElement[bool]:
    padded: ColumnElement[str] = " " + _STUDY.patient_name_key + " "
    return padded.like(bindparam(f"{at}_0"), escape="\\")


def _is_empty(column: Column[Any], _at: str) -> ColumnElement[bool]:
    return column.is_(None) if column.nullable else column == ""


_FORMS: Final = {"is": _is, "in": _in, "between": _between, "name": _has_group, "empty": _is_empty}
