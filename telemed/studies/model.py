"""A study as a doctor reads it in a list: what the catalogue holds, in the forms of the API. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from foundation.errors import NotFound
from imaging.dicom.names import display_name
from imaging.review.model import StudyReview
from imaging.store.rows import StudyRow as HeldStudy


class StudyUnknown(NotFound):
    code, title = "study.unknown", "No such study that you may see"


class StudyRow(Struct, frozen=True, kw_only=True):
    """study_id: our key. Dates as 2026-11-23, times as 14:05:00 or what was stored where that is no date.

    patient_name: as people read it; patient_name_raw: the DICOM groups. patient_age: as stored (045Y).
    dicomweb_root: where this very study is found, even if another hospital holds the same UID.
    """

    study_id: str
    owner: str
    owner_name: str
    study_instance_uid: str
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_name_raw: str
    patient_birth_date: str
    patient_sex: str
    patient_age: str
    study_date: str
    study_time: str
    accession_number: str
    study_description: str
    modalities: list[str]
    series_count: int
    instance_count: int
    size_bytes: int
    updated_at: datetime
    dicomweb_root: str
    review_state: StudyReview | None
    open_findings: int


class StudySeries(Struct, frozen=True):
    series_instance_uid: str
    modality: str
    series_number: int | None
    series_description: str
    instance_count: int
    body_part_examined: str


class StudyDetail(StudyRow, frozen=True, kw_only=True):
    """remarks: what was repaired or noticed in any of its instances, as the words of imaging.dicom.remarks."""

    series: list[StudySeries]
    remarks: list[str]


class StudyList(Struct, frozen=True):
    items: list[StudyRow]
    total: int


Reviews = Mapping[str, tuple[StudyReview | None, int]]
_NOT_REVIEWED: Final[tuple[StudyReview | None, int]] = (None, 0)


def row_of(held: HeldStudy, owner_name: str, reviews: Reviews) -> StudyRow:
    """``reviews``: study key → state of the AI review and number of findings nobody has assessed."""
    state, open_findings = reviews.get(held.id, _NOT_REVIEWED)
    return StudyRow(
        study_id=held.id,
        owner=held.owner,
        owner_name=owner_name,
        study_instance_uid=held.study_instance_uid,
        patient_id=held.patient_id,
        issuer_of_patient_id=held.issuer_of_patient_id,
        patient_name=display_name(held.patient_name),
        patient_name_raw=held.patient_name,
        patient_birth_date=iso_date(held.patient_birth_date),
        patient_sex=held.patient_sex,
        patient_age=held.patient_age,
        study_date=iso_date(held.study_date),
        study_time=iso_time(held.study_time),
        accession_number=held.accession_number,
        study_description=held.study_description,
        modalities=held.modalities,
        series_count=held.series_count,
        instance_count=held.instance_count,
        size_bytes=held.size_bytes,
        updated_at=held.updated_at,
        dicomweb_root=f"/dicom-web/hospitals/{held.owner}",
        review_state=state,
        open_findings=open_findings,
    )


# DA, with the points of the old ACR-NEMA form (PS3.5 table 6.2-1); TM, of which all but the hour may be missing.
_DATE: Final = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)")
_TIME: Final = re.compile(r"(\d\d):?(\d\d):?(\d\d)?(?:\.\d*)?")


def iso_date(value: str) -> str:
    """20261123 → 2026-11-23; anything else as it is, for people to judge."""
    match = _DATE.fullmatch(value.strip())
    return "-".join(match.groups()) if match else value


def iso_time(value: str) -> str:
    """140503.25 → 14:05:03; anything else as it is."""
    match = _TIME.fullmatch(value.strip())
    return ":".join(part or "00" for part in match.groups()) if match else value
