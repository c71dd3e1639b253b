"""What a report of a review says, and under which UIDs: made from names
(PS3.5 Annex B.2), so nothing has to keep them. Pure.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from imaging.review.findings import Finding

_NAMESPACE: Final = uuid.UUID("5a3f0c1e-6d1b-4c52-9d0e-2f4b8d6c7a90")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a report says.

    version: from 1; a later one names the one before. verifier, organization: who gave the last word when every finding
    is assessed, empty before. at: when the review, or that last word, was made.
    """

    job_uid: str
    vendor: str
    model_name: str
    model_version: str
    summary_code: str
    findings: Sequence[Finding]
    at: datetime
    version: int = 1
    verifier: str = ""
    organization: str = ""


def made_uid(*names: object) -> str:
    """A UID made from names: the same names, the same UID."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, '|'.join(map(str, names))).int}"


def series_instance_uid(job_uid: str) -> str:
    return made_uid(job_uid, "series")


def sop_instance_uid(job_uid: str, version: int) -> str:
    return made_uid(job_uid, "report", version)
