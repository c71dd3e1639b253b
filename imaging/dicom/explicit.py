"""Elements written in Explicit VR Little Endian (PS3.5 section 7.1.2)."""

from struct import pack
from typing import Final

from imaging.dicom.codecs import EXPLICIT_LITTLE_ENDIAN

IMPLEMENTATION_CLASS_UID: Final = "1.2.826.0.1.3680043.10.1234.1"
_SHORT: Final = frozenset("AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())  # noqa: SIM905
_NUL_PADDED: Final = frozenset({"UI", "OB", "UN"})


def header(tag: int, vr: str, length: int) -> bytes:
    """Tag, VR and length of an element."""
    if vr in _SHORT and length <= 0xFFFF:
        return pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)
    # Too long for a short length field: UN is what the standard provides (PS3.5 section 6.2.2 note 7).
    vr = "UN" if vr in _SHORT else vr
    return pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)


def item(tag: int, length: int) -> bytes:
    """An item or a delimiter: they have no VR."""
    return pack("<HHL", tag >> 16, tag & 0xFFFF, length)


def element(tag: int, vr: str, value: bytes) -> bytes:
    """A whole element, its value padded to even length."""
    value += (b"\0" if vr in _NUL_PADDED else b" ") * (len(value) % 2)
    return header(tag, vr, len(value)) + value


def file_head(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str = EXPLICIT_LITTLE_ENDIAN) -> bytes:
    """Preamble and file meta information of a file (PS3.10 section 7.1): what stands before the data set."""
    meta = element(0x00020001, "OB", b"\0\1")
    for tag, uid in (
        (0x00020002, sop_class_uid),
        (0x00020003, sop_instance_uid),
        (0x00020010, transfer_syntax_uid),
        (0x00020012, IMPLEMENTATION_CLASS_UID),
    ):
        meta += element(tag, "UI", uid.encode("ascii", "replace"))
    return b"\0" * 128 + b"DICM" + element(0x00020000, "UL", pack("<L", len(meta))) + meta
