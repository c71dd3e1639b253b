"""The transfer syntaxes of the standard (PS3.6 Table A-1), as far as reading a data set needs them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pydicom import config
from pydicom.uid import UID

from imaging.dicom.elements import Encoding

EXPLICIT_LE, IMPLICIT_LE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
RLE: Final = "1.2.840.10008.1.2.5"
# Newer than pydicom's dictionary (PS3.5 section A.4.12): native frames, each deflated by itself.
DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"
_VIDEO: Final = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?")
_DEFLATED: Final = frozenset({f"1.2.840.10008.1.2.{tail}" for tail in ("1.99", "4.95", "4.205")})
# Not for files: MIME and XML wrappings, live video, an old vendor's own.
_NOT_FOR_FILES: Final = ("1.2.840.10008.1.2.6.", "1.2.840.10008.1.2.7.", "1.2.840.10008.1.20")
# Pixels held elsewhere, fetched by JPIP.
_REFERENCED: Final = frozenset({f"1.2.840.10008.1.2.4.{number}" for number in (94, 95, 204, 205)})


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a data set is written. video: one stream for all frames; referenced: the pixels lie on another server."""

    uid: str
    encoding: Encoding
    deflated: bool
    encapsulated: bool
    retired: bool
    video: bool
    referenced: bool


@lru_cache(maxsize=128)
def find(uid: str) -> Syntax | None:
    """The transfer syntax with this UID; None for a private or unknown one, whose data set nobody could read."""
    if uid == DEFLATED_FRAMES:
        return Syntax(uid, Encoding(implicit=False), False, True, False, False, False)
    # Not validated: pydicom would write what a file says into the log.
    known = UID(uid, config.IGNORE)
    if known.type != "Transfer Syntax" or uid.startswith(_NOT_FOR_FILES):
        return None
    referenced = uid in _REFERENCED
    return Syntax(
        uid,
        Encoding(known.is_implicit_VR, not known.is_little_endian),
        uid in _DEFLATED,
        known.is_encapsulated and not referenced,
        # Explicit big endian is retired but plainly readable.
        known.is_retired and known.is_encapsulated,
        _VIDEO.fullmatch(uid) is not None,
        referenced,
    )
