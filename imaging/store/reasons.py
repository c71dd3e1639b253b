"""Why images are deleted and how long they are kept: the rows of ``retention.json``, each with its source."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct


class Reason(Struct, frozen=True):
    """code: of PS3.16 CID 7011 (scheme DCM). within_retention: may be given before the retention period is over.
    may_return: the same bytes are stored again when they are sent again."""

    code: str
    meaning: str
    within_retention: bool
    may_return: bool


class Rule(Struct, frozen=True):
    """years: counted from the study's date. source: where the period stands written."""

    code: str
    meaning: str
    years: int
    source: str


class Book(Struct, frozen=True):
    """version: grows with every change of a row; what was decided under a version keeps it."""

    version: int
    reasons: list[Reason]
    rules: list[Rule]


BOOK: Final = msgspec.json.decode((Path(__file__).with_name("retention.json")).read_bytes(), type=Book)
REASONS: Final = {reason.code: reason for reason in BOOK.reasons}
RULES: Final = {rule.code: rule for rule in BOOK.rules}
# Which kind of record a study belongs to is in no DICOM attribute that hospitals fill in: the longest period counts
# until an administrator says otherwise.
LONGEST: Final = max(BOOK.rules, key=lambda rule: rule.years)
RETENTION_OVER: Final = "113039"


def may_return(code: str) -> bool:
    """Whether what was deleted for this reason may be stored again."""
    reason = REASONS.get(code)
    return reason is not None and reason.may_return
