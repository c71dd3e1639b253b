"""QIDO-RS: the query string read, and the matches written (PS3.18 section 8.3.4 and 10.6). Pure; app.py serves it."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from pydicom.datadict import dictionary_has_tag, tag_for_keyword

from foundation.errors import Invalid
from imaging.dicom.values import PN_GROUPS
from imaging.store.rows import Hit
from imaging.store.search import (
    ATTRIBUTES,
    BY_TAG,
    MODALITIES_IN_STUDY,
    PATIENT_NAME,
    Attribute,
    Condition,
    Level,
    Query,
)

# Also what is answered when no limit is asked for.
MAX_RESULTS: Final = 1000
# Kinds of matching that are asked for (PS3.18 section 8.3.4.1), as fields of Query.
_MATCHING: Final = {
    "fuzzymatching": "fuzzy",
    "emptyvaluematching": "empty_values",
    "multiplevaluematching": "multiple_values",
}
_IGNORED: Final = frozenset({"accept", "charset"})
_HEX_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}")

Json = dict[str, Any]


class BadQuery(Invalid):
    code = "search.query"


def parse_query(
    parameters: Iterable[tuple[str, str]], level: Level, study: str | None = None, series: str | None = None
) -> Query:
    """The search that a query string asks for at ``level``, within the UIDs that the path names.

    Raises BadQuery for an unknown or unsupported attribute to match, and for a limit or offset that is no count.
    """
    conditions: list[Condition] = []
    included: list[str] = []
    matching: dict[str, bool] = {}
    limit, offset = MAX_RESULTS, 0
    for name, value in parameters:
        lowered = name.lower()
        if lowered == "limit":
            limit = min(_count(name, value, at_least=1), MAX_RESULTS)
        elif lowered == "offset":
            offset = _count(name, value, at_least=0)
        elif lowered == "includefield":
            included += [part.strip() for part in value.split(",") if part.strip()]
        elif lowered in _MATCHING:
            matching[_MATCHING[lowered]] = _flag(value)
        elif lowered not in _IGNORED:
            conditions += _condition(name, value, level)
    fields = frozenset(_tag(name) for name in included if name.lower() != "all")
    all_fields = any(name.lower() == "all" for name in included)
    warnings = _warnings(conditions, matching)
    return Query(level, tuple(conditions), limit, offset, study, series, fields, all_fields, warnings, **matching)


def _warnings(conditions: list[Condition], matching: dict[str, bool]) -> tuple[str, ...]:
    """Of the kinds of matching asked for, what is not done (PS3.18 section 8.3.4.2)."""
    literal = any(one.tag in BY_TAG and BY_TAG[one.tag].vr == "PN" and one.tag != PATIENT_NAME for one in conditions)
    if matching.get("fuzzy") and literal:
        return ("Fuzzy matching is of PatientName alone; other names were matched literally",)
    return ()


def _count(name: str, value: str, at_least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < at_least:
        raise BadQuery(f"The parameter {name} is an integer of at least {at_least}.")
    return int(value)


def _flag(value: str) -> bool:
    return value.strip().lower() == "true"


def _condition(name: str, value: str, level: Level) -> list[Condition]:
    tag = _tag(name)
    attribute = BY_TAG.get(tag)
    if tag != MODALITIES_IN_STUDY and (attribute is None or attribute.level > level):
        raise BadQuery(f"The attribute {_printable(name)} cannot be matched at this level.")
    # An empty value or a star alone matches everything (PS3.4 section C.2.2.2.3).
    return [Condition(tag, value.strip())] if value.strip(" *") else []


def _tag(name: str) -> str:
    """Eight upper case hexadecimal digits for a keyword or a tag in either case."""
    if _HEX_TAG.fullmatch(name):
        tag = int(name, 16)
        if dictionary_has_tag(tag) or tag & 0x10000:
            return name.upper()
    else:
        # Of a path into a sequence (T23) the whole is not indexed; the head says whether it is at all known.
        known = [tag_for_keyword(part) or (_HEX_TAG.fullmatch(part) and int(part, 16)) for part in name.split(".")]
        if all(known):
            return f"{known[0]:08X}" if len(known) == 1 else name
    raise BadQuery(f"The parameter {_printable(name)} is neither a keyword nor a tag of the DICOM dictionary.")


def _printable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]", "_", name)[:80]


def answer(hit: Hit, query: Query, retrieve_url: str) -> Json:
    """One match as DICOM JSON, tags ascending. ``retrieve_url``: of the study, without a slash at the end."""
    named = query.within_study is not None, query.within_series is not None
    found: Json = {}
    for tag, vr, attribute in _selected(query.level, query.fields, query.all_fields, *named):
        if attribute is not None:
            found[tag] = _element(vr, _value(hit, attribute))
        elif tag == MODALITIES_IN_STUDY:
            found[tag] = _element(vr, hit.study.modalities)
        elif tag == _AVAILABILITY:
            found[tag] = {"vr": vr, "Value": ["ONLINE"]}
        else:
            found[tag] = {"vr": vr, "Value": [_location(hit, retrieve_url)]}
    if hit.instance is not None and hit.instance.rows is None:
        found.pop("00280008", None)
    return found


_AVAILABILITY: Final = "00080056"
RETRIEVE_URL: Final = "00081190"


@lru_cache(200)
def _selected(
    level: Level, fields: frozenset[str], all_fields: bool, names_study: bool, names_series: bool
) -> tuple[tuple[str, str, Attribute | None], ...]:
    """(tag, VR, attribute or None where it has no column) of what is answered, tags ascending."""
    chosen: list[tuple[str, str, Attribute | None]] = [(_AVAILABILITY, "CS", None), (RETRIEVE_URL, "UR", None)]
    # Below a named study its attributes are known already (PS3.18 section 10.6.3.3.2).
    known = {Level.STUDY: names_study, Level.SERIES: names_series}
    if level is Level.STUDY or not names_study or all_fields or MODALITIES_IN_STUDY in fields:
        chosen.append((MODALITIES_IN_STUDY, "CS", None))
    for attribute in ATTRIBUTES:
        own = attribute.level == level or not known.get(attribute.level, False)
        asked = all_fields or attribute.tag in fields or attribute.vr == "UI"
        if attribute.level <= level and (asked or (own and not attribute.extra)):
            chosen.append((attribute.tag, attribute.vr, attribute))
    return tuple(sorted(chosen, key=lambda one: one[0]))


def _value(hit: Hit, attribute: Attribute) -> object:
    row: object = (hit.study, hit.series, hit.instance)[attribute.level - 1]
    return getattr(row, attribute.column.key)


def _element(vr: str, value: object) -> Json:
    values = value if isinstance(value, list) else [value]
    present = [_person_name(str(one)) if vr == "PN" else one for one in values if one not in (None, "")]
    return {"vr": vr, "Value": present} if present else {"vr": vr}


def _person_name(name: str) -> Json:
    groups = (group if group.strip(" ^") else "" for group in name.split("="))
    return {key: group for key, group in zip(PN_GROUPS, groups, strict=False) if group}


def _location(hit: Hit, retrieve_url: str) -> str:
    url = retrieve_url
    if hit.series is not None:
        url += f"/series/{hit.series.series_instance_uid}"
    if hit.instance is not None:
        url += f"/instances/{hit.instance.sop_instance_uid}"
    return url


def warning_headers(query: Query, remaining: int, root: str, *, more: bool = False) -> list[str]:
    """The Warning headers of an answer (PS3.18 sections 8.3.4.4 and 8.3.4.3): only of what is visible, and exact unless
    there are ``more`` than the ``remaining`` ones counted.
    """
    texts = list(query.warnings)
    if remaining:
        number = f"more than {remaining}" if more else str(remaining)
        texts.append(f"There are {number} additional results that can be requested")
    return [f'299 {root}: "{text}"' for text in texts]
