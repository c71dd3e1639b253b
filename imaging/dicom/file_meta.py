"""Where the data set begins and how it is written: preamble and file meta information (PS3.10 section 7.1).

Files without preamble or meta information are read where their encoding is beyond doubt, and that is remarked.
"""

from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from imaging.dicom import syntaxes
from imaging.dicom.elements import IMPLICIT, Buffer, Encoding
from imaging.dicom.remarks import RefusedAs, Remark, Unreadable

PREAMBLE_BYTES: Final = 132
# Real meta information is a few hundred bytes; the longest allowed one holds private data of a few kilobytes.
META_LIMIT_BYTES: Final = 1 << 20
_EXPLICIT: Final = Encoding(implicit=False)
_LONG: Final = frozenset({b"OB", b"OW", b"UN", b"UT", b"SQ"})
_TAG: Final = Struct("<HH").unpack_from
_EXPLICIT_HEAD: Final = Struct("<HH2sH").unpack_from
_LENGTH: Final = Struct("<L").unpack_from

# Of both byte orders, of classic and of big files.
_TIFF_HEADS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MEDIA_CLASS, MEDIA_INSTANCE, TRANSFER_SYNTAX = 0x0002, 0x0003, 0x0010


@dataclass(slots=True)
class Start:
    """What stands before the data set. The UIDs are empty where there is no meta information."""

    dataset_offset: int
    transfer_syntax_uid: str
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    remarks: set[Remark] = field(default_factory=set)


def begin(data: Buffer) -> Start:
    """Raises Unreadable: NOT_DICOM, NO_FILE_META, SYNTAX_MISSING or TRUNCATED."""
    if bytes(data[128:PREAMBLE_BYTES]) == b"DICM":
        start = _with_meta(data, PREAMBLE_BYTES)
        if not _is_harmless(bytes(data[:128])):
            start.remarks.add(Remark.PREAMBLE_WITHHELD)
        return start
    head = bytes(data[:8])
    if head.startswith(b"\x02\x00") and len(head) == 8:
        start = _with_meta(data, 0)
        start.remarks.add(Remark.FILE_META_NONSTANDARD)
        return start
    return _without_meta(head)


def _is_harmless(preamble: bytes) -> bool:
    """Empty at its start, or the head of a TIFF file, which pathology scanners write; else it could start a program."""
    return not any(preamble[:4]) or preamble.startswith(_TIFF_HEADS)


def _without_meta(head: bytes) -> Start:
    """Only a data set that begins with group 0008 and an early element is taken for one."""
    if len(head) == 8 and head[1] == 0 and head[3] == 0 and head[0] == 8:
        explicit = head[4:6].isalpha() and head[4:6].isupper()
        syntax = syntaxes.EXPLICIT_LE if explicit else syntaxes.IMPLICIT_LE
        return Start(0, syntax, remarks={Remark.NO_FILE_META})
    raise Unreadable(RefusedAs.NO_FILE_META if head.startswith(b"\x00\x08\x00") else RefusedAs.NOT_DICOM)


def _with_meta(data: Buffer, position: int) -> Start:
    encoding = _EXPLICIT if bytes(data[position + 4 : position + 6]).isupper() else IMPLICIT
    values: dict[int, str] = {}
    limit = min(len(data), position + META_LIMIT_BYTES)
    # The group length is not trusted: the meta information ends where group 0002 ends.
    while position + 8 <= limit and _TAG(data, position)[0] == 2:
        number, start, length = _meta_element(data, position, encoding)
        position = start + length
        if position > limit:
            raise Unreadable(RefusedAs.TRUNCATED)
        if number in {MEDIA_CLASS, MEDIA_INSTANCE, TRANSFER_SYNTAX}:
            values[number] = bytes(data[start:position]).rstrip(b" \0").decode("ascii", "replace")
    if not values.get(TRANSFER_SYNTAX):
        raise Unreadable(RefusedAs.SYNTAX_MISSING)
    remarks = {Remark.FILE_META_NONSTANDARD} if encoding.implicit else set()
    return Start(
        position, values[TRANSFER_SYNTAX], values.get(MEDIA_CLASS, ""), values.get(MEDIA_INSTANCE, ""), remarks
    )


def _meta_element(data: Buffer, position: int, encoding: Encoding) -> tuple[int, int, int]:
    """(element number, where its value begins, its length in bytes)."""
    if encoding.implicit:
        return _TAG(data, position)[1], position + 8, _LENGTH(data, position + 4)[0]
    _, number, vr, length = _EXPLICIT_HEAD(data, position)
    if vr not in _LONG:
        return number, position + 8, length
    if position + 12 > len(data):
        raise Unreadable(RefusedAs.TRUNCATED)
    return number, position + 12, _LENGTH(data, position + 8)[0]
