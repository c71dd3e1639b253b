"""What the read side answers: plain rows, apart from the tables and their sessions."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study as tables.Study describes it. modalities: distinct, in alphabetical order."""

    id: str
    owner: str
    study_instance_uid: str
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    patient_age: str
    study_date: str
    study_time: str
    timezone_offset: str
    accession_number: str
    study_id: str
    study_description: str
    referring_physician_name: str
    institution_name: str
    series_count: int
    instance_count: int
    size_bytes: int
    revision: int
    created_at: datetime
    updated_at: datetime
    modalities: list[str]


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series as tables.Series describes it."""

    id: str
    study_key: str
    series_instance_uid: str
    modality: str
    series_number: int | None
    series_description: str
    series_date: str
    series_time: str
    body_part_examined: str
    manufacturer: str
    performed_procedure_step_start_date: str
    instance_count: int
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance as tables.Instance describes it, with the UID of its series."""

    id: str
    series_key: str
    study_key: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int | None
    rows: int | None
    columns: int | None
    bits_allocated: int | None
    number_of_frames: int
    blob_key: str
    size_bytes: int
    sha256: str
    remarks: list[str]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Hit:
    """One match of a search with the rows of its level and above; the lower ones are None."""

    study: StudyRow
    series: SeriesRow | None
    instance: InstanceRow | None


@dataclass(frozen=True, slots=True)
class Page:
    """hits: of the page asked for. remaining: how many matches lie beyond it; more: and further ones, not counted."""

    hits: list[Hit]
    remaining: int
    more: bool = False
