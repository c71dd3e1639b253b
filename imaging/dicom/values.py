"""One element's stored bytes as the value of the DICOM JSON model (PS3.18 section F.2.2 and Table F.2.3-1). Pure."""

import math
import re
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

# Beyond this a JSON reader that holds numbers as doubles loses digits.
SAFE_INTEGER: Final = 2**53
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")

JsonNumber = int | float
PN_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")

# VR → (struct code, bytes of one value).
_NUMBERS: Final[dict[str, tuple[str, int]]] = {
    "US": ("H", 2),
    "SS": ("h", 2),
    "UL": ("L", 4),
    "SL": ("l", 4),
    "UV": ("Q", 8),
    "SV": ("q", 8),
    "FL": ("f", 4),
    "FD": ("d", 8),
}
# How many bytes form one word where byte order matters (PS3.5 section 7.3).
WORD_BYTES: Final = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}


def integer(text: str) -> int | str | None:
    """IS: a number where it is one exactly, else the original text; None when blank."""
    text = text.strip(" \0")
    if not _INTEGER.fullmatch(text):
        return text or None
    value = int(text)
    return value if abs(value) <= SAFE_INTEGER else text


def decimal(text: str) -> JsonNumber | str | None:
    """DS: a number where a double writes out the same decimal value, else the original text; None when blank."""
    text = text.strip(" \0")
    if not _DECIMAL.fullmatch(text):
        return text or None
    value = float(text)
    try:
        exact = math.isfinite(value) and Decimal(repr(value)) == Decimal(text)
    except InvalidOperation:
        return text
    return value if exact else text


def is_number(value: JsonNumber | str | None) -> bool:
    """Whether a value of :func:`integer` or :func:`decimal` is a number, if need be as text, or blank."""
    return not isinstance(value, str) or _DECIMAL.fullmatch(value) is not None


def plain(text: str) -> str | None:
    """Text of one line: padding on either side does not count."""
    return text.strip(" \0") or None


def person_name(text: str) -> dict[str, str] | None:
    """PN: its non-empty groups by name (F.2.2); None when all are empty."""
    groups = (group.strip(" \0") for group in text.split("=", 3))
    named = {name: group for name, group in zip(PN_GROUPS, groups, strict=False) if group.strip("^")}
    return named or None


def numbers(value: bytes, vr: str, big_endian: bool) -> list[JsonNumber | str | None] | None:
    """Binary numbers; None when the length does not fit the VR. Not-a-number and infinity become null."""
    code, size = _NUMBERS[vr]
    if len(value) % size:
        return None
    found = struct.unpack(f"{'>' if big_endian else '<'}{len(value) // size}{code}", value)
    return [_speakable(number) for number in found]


def _speakable(number: JsonNumber) -> JsonNumber | str | None:
    if isinstance(number, float):
        return number if math.isfinite(number) else None
    return number if abs(number) <= SAFE_INTEGER else str(number)


def attribute_tags(value: bytes, big_endian: bool) -> list[str] | None:
    """AT: pairs of 16-bit numbers as eight upper case hexadecimal digits; None when the length does not fit."""
    if len(value) % 4:
        return None
    halves = struct.unpack(f"{'>' if big_endian else '<'}{len(value) // 2}H", value)
    return [f"{group:04X}{element:04X}" for group, element in zip(halves[::2], halves[1::2], strict=True)]


def little_endian(value: bytes, vr: str, big_endian: bool) -> bytes:
    """The words of a binary value in the byte order that InlineBinary and bulk data have (F.2.7)."""
    size = WORD_BYTES.get(vr, 1)
    if not big_endian or size == 1:
        return value
    whole = len(value) - len(value) % size
    swapped = bytearray(value)
    for byte in range(size):
        swapped[byte:whole:size] = value[size - 1 - byte : whole : size]
    return bytes(swapped)


# VRs of several values split at backslashes, each through one of the functions above.
SPLIT: Final[dict[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "TM", "SH", "LO", "UI", "UC"), plain),
    "IS": integer,
    "DS": decimal,
    "PN": person_name,
}
# VRs whose text is one value, backslashes included; only trailing padding goes.
WHOLE: Final = frozenset({"ST", "LT", "UT", "UR"})
# VRs that the Specific Character Set applies to (PS3.5 section 6.1.2.3); the others are ASCII.
IN_CHARSET: Final = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})


def texts(text: str, vr: str) -> Sequence[Any]:
    """The values of a text VR; None stands for a blank one among others, nothing at all is an empty list."""
    if vr in WHOLE:
        stripped = text.rstrip(" \0")
        return [stripped] if stripped else []
    convert = SPLIT[vr]
    values = [convert(part) for part in text.split("\\")]
    return values if any(value is not None for value in values) else []
