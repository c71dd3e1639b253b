import struct

import pytest

from imaging.dicom.file_meta import begin
from imaging.dicom.remarks import RefusedAs, Remark, Unreadable
from tests.samples import ct_slice, to_bytes

EXPLICIT_LE = "1.2.840.10008.1.2.1"


def implicit(number, value):
    return struct.pack("<HHL", 2, number, len(value)) + value


def test_a_part_10_file():
    data = ct_slice(count=1, size=16)
    body = to_bytes(data)
    start = begin(body)
    assert (start.transfer_syntax_uid, start.sop_instance_uid) == (EXPLICIT_LE, data.SOPInstanceUID)
    assert body[start.dataset_offset : start.dataset_offset + 4] == b"\x08\x00\x05\x00"
    assert start.remarks == set()


def test_the_group_length_is_not_needed():
    body = to_bytes(ct_slice(count=1, size=16))
    without = body[:132] + body[144:]
    assert begin(without).dataset_offset == begin(body).dataset_offset - 12


@pytest.mark.parametrize("preamble", [b"", bytes(128) + b"DICM"])
def test_meta_in_implicit_vr_is_read_and_remarked(preamble):
    body = preamble + implicit(2, b"1.2.3\0") + implicit(0x10, b"1.2.840.10008.1.2\0") + b"\x08\x00\x05\x00....."
    start = begin(body)
    assert (start.transfer_syntax_uid, start.sop_class_uid) == ("1.2.840.10008.1.2", "1.2.3")
    assert start.remarks == {Remark.FILE_META_NONSTANDARD}


@pytest.mark.parametrize(
    ("head", "syntax"),
    [(b"\x08\x00\x05\x00CS\x0a\x00", EXPLICIT_LE), (b"\x08\x00\x05\x00\x0a\x00\x00\x00", "1.2.840.10008.1.2")],
)
def test_a_bare_data_set_is_read_where_its_encoding_is_beyond_doubt(head, syntax):
    start = begin(head + b"ISO_IR 100")
    assert (start.dataset_offset, start.transfer_syntax_uid, start.remarks) == (0, syntax, {Remark.NO_FILE_META})


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", RefusedAs.NOT_DICOM),
        (b"PK\x03\x04 a zip archive", RefusedAs.NOT_DICOM),
        (bytes(128) + b"DICX" + bytes(20), RefusedAs.NOT_DICOM),
        (b"\x20\x08\x00\x05\x00CS\x0a\x00", RefusedAs.NOT_DICOM),
        (b"\x00\x08\x00\x05CS\x00\x0a", RefusedAs.NO_FILE_META),
        (bytes(128) + b"DICM", RefusedAs.SYNTAX_MISSING),
        (bytes(128) + b"DICM" + implicit(2, b"1.2"), RefusedAs.SYNTAX_MISSING),
        (to_bytes(ct_slice(count=1, size=16))[:190], RefusedAs.TRUNCATED),
    ],
)
def test_what_is_no_file_is_refused_with_its_reason(body, why):
    with pytest.raises(Unreadable) as caught:
        begin(body)
    assert caught.value.why is why
