import json
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.dicom import values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        (" -7 ", -7),
        ("12.5", "12.5"),
        ("abc", "abc"),
        ("1A", "1A"),
        ("", None),
        ("99999999999999999", "99999999999999999"),
    ],
)
def test_t33_integer_strings_are_numbers_only_when_exact(text, value):
    assert values.integer(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.50", 1.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("0.1", 0.1),
        ("1,5", "1,5"),
        ("NaN", "NaN"),
        ("inf", "inf"),
        ("1e999", "1e999"),
        ("0.12345678901234567890", "0.12345678901234567890"),
        ("   ", None),
    ],
)
def test_t33_decimal_strings_are_numbers_only_when_exact(text, value):
    assert values.decimal(text) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6).map(str))
def test_t33_a_decimal_string_never_changes_its_value(text):
    value = values.decimal(text)
    assert Decimal(json.dumps(value) if not isinstance(value, str) else value) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Wang^XiaoDong=王^小东", {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}),
        ("Wang^XiaoDong==", {"Alphabetic": "Wang^XiaoDong"}),
        ("=王^小东", {"Ideographic": "王^小东"}),
        ("A^B^C^D^E", {"Alphabetic": "A^B^C^D^E"}),
        ("A=B=C=D", {"Alphabetic": "A", "Ideographic": "B", "Phonetic": "C"}),
        ("^^^^", None),
        ("", None),
    ],
)
def test_t37_person_names_have_only_their_non_empty_groups(text, name):
    assert values.person_name(text) == name


def test_binary_numbers_of_both_byte_orders():
    assert values.numbers(b"\x01\x00\x02\x00", "US", big_endian=False) == [1, 2]
    assert values.numbers(b"\xff\xfe", "SS", big_endian=True) == [-2]


def test_t32_not_a_number_and_infinity_are_null():
    raw = struct.pack("<3d", float("nan"), float("inf"), 1.5)
    assert values.numbers(raw, "FD", big_endian=False) == [None, None, 1.5]


def test_t33_integers_beyond_a_double_are_text():
    raw = struct.pack("<2Q", 2**53, 2**64 - 1)
    assert values.numbers(raw, "UV", big_endian=False) == [2**53, str(2**64 - 1)]


def test_values_of_a_wrong_length_are_none():
    assert values.numbers(b"\1\2\3", "US", big_endian=False) is None
    assert values.attribute_tags(b"\1\2", big_endian=False) is None


def test_t30_attribute_tags_are_eight_hexadecimal_digits():
    assert values.attribute_tags(b"\x54\x00\x1a\x0f", big_endian=False) == ["00540F1A"]


@pytest.mark.parametrize(("vr", "turned"), [("OW", b"\2\1\4\3\5"), ("OB", b"\1\2\3\4\5"), ("OF", b"\4\3\2\1\5")])
def test_big_endian_words_are_turned(vr, turned):
    assert values.little_endian(b"\1\2\3\4\5", vr, big_endian=True) == turned


def test_t31_blanks_among_values_are_null_and_only_blanks_are_nothing():
    assert values.texts("ORIGINAL \\\\AXIAL", "CS") == ["ORIGINAL", None, "AXIAL"]
    assert values.texts("\\", "CS") == []
    assert values.texts("a\\b", "LT") == ["a\\b"]
    assert values.texts("1\\ \\3", "IS") == [1, None, 3]
