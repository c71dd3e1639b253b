import struct

import pytest

from imaging.dicom.elements import IMPLICIT, Encoding, implicit_vr, scan
from imaging.dicom.remarks import RefusedAs, Remark, Unreadable

EXPLICIT = Encoding(implicit=False)
BIG = Encoding(implicit=False, big_endian=True)
UNDEFINED = 0xFFFFFFFF


def header(tag, vr, length, order="<"):
    long = vr in {"OB", "OW", "SQ", "UN", "UT"}
    start = struct.pack(f"{order}HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return start + (struct.pack(f"{order}HL", 0, length) if long else struct.pack(f"{order}H", length))


def element(tag, vr, value=b"", order="<"):
    return header(tag, vr, len(value), order) + value


def item(content, length=None):
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(content) if length is None else length) + content


ITEM_END = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
NAME = element(0x00100010, "PN", b"A^B ")


def scanned(data, encoding=EXPLICIT, start=0, max_depth=64, max_elements=1000):
    return scan(data, start, encoding, max_depth=max_depth, max_elements=max_elements)


def values(data, elements):
    return {f"{e.tag:08X}": (e.vr, data[e.offset : e.offset + e.length]) for e in elements}


def refused(data, **how):
    with pytest.raises(Unreadable) as caught:
        scanned(data, **how)
    return caught.value.why


def test_explicit_elements_from_an_offset():
    data = b"meta" + NAME + element(0x00104000, "UT", b"note")
    assert values(data, scanned(data, start=4).elements) == {"00100010": ("PN", b"A^B "), "00104000": ("UT", b"note")}


def test_implicit_elements_take_their_vr_from_the_dictionary():
    data = struct.pack("<HHL", 0x0010, 0x0010, 4) + b"A^B " + struct.pack("<HHL", 0x0029, 0x1010, 2) + b"xx"
    assert values(data, scanned(data, IMPLICIT).elements) == {"00100010": ("PN", b"A^B "), "00291010": ("UN", b"xx")}


def test_big_endian_headers():
    data = element(0x00280010, "US", b"\x02\x00", ">")
    assert values(data, scanned(data, BIG).elements) == {"00280010": ("US", b"\x02\x00")}


@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_of_both_kinds_of_length(undefined):
    inner = item(NAME + ITEM_END, UNDEFINED) if undefined else item(NAME)
    content = inner + item(b"") + (SEQUENCE_END if undefined else b"")
    data = header(0x00081140, "SQ", UNDEFINED if undefined else len(content)) + content + NAME
    sequence, name = scanned(data).elements
    assert [len(found) for found in sequence.items] == [1, 0]
    assert sequence.items[0][0].tag == name.tag == 0x00100010


def test_fragments_of_encapsulated_pixel_data():
    data = header(0x7FE00010, "OB", UNDEFINED) + item(b"") + item(b"abcd") + item(b"ef") + SEQUENCE_END
    (pixels,) = scanned(data).elements
    assert [data[start : start + length] for start, length in pixels.fragments.spans] == [b"", b"abcd", b"ef"]
    assert pixels.fragments.terminated
    assert pixels.length == len(data) - 12 - 8


def test_delimiter_bytes_inside_a_fragment_are_content():
    stream = b"xx" + SEQUENCE_END + b"yy"
    data = header(0x7FE00010, "OB", UNDEFINED) + item(b"") + item(stream) + SEQUENCE_END
    (pixels,) = scanned(data).elements
    assert [length for _, length in pixels.fragments.spans] == [0, len(stream)]


def test_fragments_without_delimiter_end_with_the_file():
    data = header(0x7FE00010, "OB", UNDEFINED) + item(b"") + item(b"abcd")
    (pixels,) = scanned(data).elements
    assert not pixels.fragments.terminated
    assert pixels.length == len(data) - 12


def test_a_value_sent_as_un_is_what_the_dictionary_says():
    sequence = item(struct.pack("<HHL", 0x0010, 0x0010, 4) + b"A^B ")
    data = element(0x00100020, "UN", b"ID") + element(0x00081140, "UN", sequence) + element(0x00290010, "UN", b"ACME")
    identifier, references, creator = scanned(data).elements
    assert (identifier.vr, references.vr, creator.vr) == ("LO", "SQ", "LO")
    assert references.items[0][0].vr == "PN"


def test_un_of_undefined_length_is_an_implicit_sequence():
    inner = item(struct.pack("<HHL", 0x0010, 0x0010, 4) + b"A^B ")
    data = header(0x00291020, "UN", UNDEFINED) + inner + SEQUENCE_END
    (found,) = scanned(data).elements
    assert (found.vr, found.items[0][0].vr) == ("SQ", "PN")


def test_a_sequence_sent_as_un_that_cannot_be_read_stays_un_with_a_remark():
    result = scanned(element(0x00081140, "UN", b"no items here.."))
    assert result.elements[0].vr == "UN"
    assert result.remarks == {Remark.SEQUENCE_INVALID}


@pytest.mark.parametrize(
    "data",
    [
        header(0x00100010, "PN", 40) + b"A",
        header(0x00081140, "SQ", 40) + item(NAME),
        header(0x00081140, "SQ", UNDEFINED) + item(NAME),
        header(0x00081140, "SQ", UNDEFINED) + item(NAME, UNDEFINED),
        header(0x7FE00010, "OB", UNDEFINED) + item(b"") + item(b"abcd", 50),
        header(0x00420011, "OB", 0)[:10],
        header(0x00420011, "OB", 0)[:5],
    ],
)
def test_what_ends_too_soon_is_truncated(data):
    assert refused(NAME + data) is RefusedAs.TRUNCATED


def test_native_pixel_data_cut_short_is_only_a_remark():
    data = header(0x7FE00010, "OW", 100) + bytes(60)
    result = scanned(data)
    assert result.remarks == {Remark.PIXELS_SHORT}
    assert result.elements[0].length == 60


@pytest.mark.parametrize("rest", [bytes(4000), b"garbage that is no element", b"\0\0"])
def test_what_follows_the_pixels_and_cannot_be_read_is_trailing_bytes(rest):
    result = scanned(element(0x7FE00010, "OW", b"\1\0") + rest)
    assert result.remarks == {Remark.TRAILING_BYTES}
    assert len(result.elements) == 1


def test_nested_values_may_not_leave_their_item():
    inner = header(0x00100010, "PN", 40) + b"A^B "
    assert refused(element(0x00081140, "SQ", item(inner)) + bytes(100)) is RefusedAs.MALFORMED


def test_a_delimiter_where_none_is_needed_is_passed_over_and_any_other_item_refused():
    found = scanned(element(0x00081140, "SQ", item(NAME + ITEM_END)))
    assert [inner.tag for inner in found.elements[0].items[0]] == [0x00100010]
    assert found.remarks == {Remark.SEQUENCE_INVALID}
    for encoding in (EXPLICIT, IMPLICIT):
        name = NAME if encoding is EXPLICIT else struct.pack("<HHL", 0x10, 0x10, 4) + b"A^B "
        sequence = struct.pack("<HH", 0x08, 0x1140) + (b"SQ\0\0" if encoding is EXPLICIT else b"")
        nested = item(name + item(b""))
        with pytest.raises(Unreadable) as caught:
            scanned(sequence + struct.pack("<L", len(nested)) + nested, encoding)
        assert caught.value.why is RefusedAs.MALFORMED


def test_a_tag_of_the_delimiters_group_ends_the_data_set():
    found = scanned(NAME + struct.pack("<HHL", 0xFFFE, 0x0010, 4) + b"what")
    assert ([element.tag for element in found.elements], found.remarks) == ([0x00100010], {Remark.TRAILING_BYTES})


def test_security_09_depth_is_bounded():
    data = b""
    for _ in range(600):
        data = header(0x00081140, "SQ", len(item(data))) + item(data)
    assert refused(data, max_depth=64, max_elements=5000) is RefusedAs.TOO_DEEP


def test_security_09_the_number_of_elements_is_bounded():
    assert refused(NAME * 50, max_elements=40) is RefusedAs.TOO_MANY_ELEMENTS
    assert refused(element(0x7FE00010, "OW", b"\1\0") + NAME * 50, max_elements=40) is RefusedAs.TOO_MANY_ELEMENTS


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00100010, "PN"),
        (0x60020010, "US"),
        (0x00291001, "UN"),
        (0x00290010, "LO"),
        (0x00100000, "UL"),
        (0x00080007, "UN"),
    ],
)
def test_dictionary_vrs(tag, vr):
    assert implicit_vr(tag) == vr
