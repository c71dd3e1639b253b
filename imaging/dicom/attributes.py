"""The attributes that searches ask for, out of an instance's DICOM JSON model."""

from dataclasses import dataclass, field
from typing import Any, Final

from imaging.dicom.json_model import JsonDataset
from imaging.dicom.values import PN_GROUPS

_INT32_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Attributes:
    """Field names as the columns of imaging.store.tables. Text is repaired, empty where absent; numbers may be None."""

    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    study: dict[str, str] = field(default_factory=dict)
    series: dict[str, str] = field(default_factory=dict)
    series_number: int | None = None
    instance_number: int | None = None
    rows: int | None = None
    columns: int | None = None
    bits_allocated: int | None = None
    number_of_frames: int = 1

    @classmethod
    def of(cls, dataset: JsonDataset) -> "Attributes":
        return cls(
            sop_class_uid=text(dataset, "00080016"),
            sop_instance_uid=text(dataset, "00080018"),
            study_instance_uid=text(dataset, "0020000D"),
            series_instance_uid=text(dataset, "0020000E"),
            study={column: text(dataset, tag) for column, tag in STUDY_TAGS.items()},
            series={column: text(dataset, tag) for column, tag in SERIES_TAGS.items()},
            series_number=_number(dataset, "00200011"),
            instance_number=_number(dataset, "00200013"),
            rows=_number(dataset, "00280010"),
            columns=_number(dataset, "00280011"),
            bits_allocated=_number(dataset, "00280100"),
            number_of_frames=max(_number(dataset, "00280008") or 1, 1),
        )


STUDY_TAGS: Final = {
    "patient_id": "00100020",
    "issuer_of_patient_id": "00100021",
    "patient_name": "00100010",
    "patient_birth_date": "00100030",
    "patient_sex": "00100040",
    "patient_age": "00101010",
    "study_date": "00080020",
    "study_time": "00080030",
    "timezone_offset": "00080201",
    "accession_number": "00080050",
    "study_id": "00200010",
    "study_description": "00081030",
    "referring_physician_name": "00080090",
    "institution_name": "00080080",
}
SERIES_TAGS: Final = {
    "modality": "00080060",
    "series_description": "0008103E",
    "series_date": "00080021",
    "series_time": "00080031",
    "body_part_examined": "00180015",
    "manufacturer": "00080070",
    "performed_procedure_step_start_date": "00400244",
}


def text(dataset: JsonDataset, tag: str) -> str:
    """The first value of ``tag`` as text, a name with ``=`` between its groups; empty where there is none.

    NUL inside a value becomes a space: PostgreSQL keeps none, and a UID must not turn into another by losing it.
    """
    value: Any = (dataset.get(tag, {}).get("Value") or [None])[0]
    if isinstance(value, dict):
        value = "=".join(value.get(group, "") for group in PN_GROUPS).rstrip("=")
    return "" if value is None else str(value).replace("\0", " ")


def _number(dataset: JsonDataset, tag: str) -> int | None:
    value: Any = (dataset.get(tag, {}).get("Value") or [None])[0]
    return value if isinstance(value, int) and abs(value) <= _INT32_MAX else None
