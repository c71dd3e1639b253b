"""The stable words for what the receiver noticed about an object, and the reasons for which it keeps none.

A word never changes once published: the browser shows the sentence its message files hold for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Failure and warning reasons of the store service (PS3.18 Tables I.2-1 and I.2-2, PS3.4 section B.2.3). Within the
# ranges A7xx, A9xx and Cxxx the numbers are our own, so that the items of one answer can be told apart.
PROCESSING_FAILURE: Final = 0x0110
DUPLICATE_INSTANCE: Final = 0x0111
CLASS_NOT_SUPPORTED: Final = 0x0122
OUT_OF_RESOURCES: Final = 0xA700
OVER_LIMIT: Final = 0xA701
DOES_NOT_MATCH_CLASS: Final = 0xA900
STUDY_DIFFERS: Final = 0xA901
UID_UNUSABLE: Final = 0xA902
NOT_UNDERSTOOD: Final = 0xC000
SYNTAX_NOT_SUPPORTED: Final = 0xC122
WARN_COERCED: Final = 0xB000
WARN_DISCARDED: Final = 0xB006
WARN_DOES_NOT_MATCH_CLASS: Final = 0xB007


class Remark(StrEnum):
    """What is odd about a stored object."""

    CHARSET_REPAIRED = "charset_repaired"
    CHARSET_DOUBTFUL = "charset_doubtful"
    CHARSET_UNKNOWN = "charset_unknown"
    NO_FILE_META = "no_file_meta"
    FILE_META_NONSTANDARD = "file_meta_nonstandard"
    FILE_META_DIFFERS = "file_meta_differs"
    PREAMBLE_WITHHELD = "preamble_withheld"
    TRAILING_BYTES = "trailing_bytes"
    SEQUENCE_INVALID = "sequence_invalid"
    ELEMENT_LENGTH_INVALID = "element_length_invalid"
    VALUE_INVALID = "value_invalid"
    UID_INVALID = "uid_invalid"
    BIRTH_DATE_INVALID = "birth_date_invalid"
    PATIENT_ID_MISSING = "patient_id_missing"
    PATIENT_NAME_MISSING = "patient_name_missing"
    MODALITY_MISSING = "modality_missing"
    SYNTAX_RETIRED = "transfer_syntax_retired"
    PIXELS_MISSING = "pixel_data_missing"
    PIXELS_SHORT = "pixel_data_short"
    PIXELS_UNDESCRIBED = "pixel_data_undescribed"
    PIXELS_NOT_TERMINATED = "pixel_data_not_terminated"
    PIXELS_NOT_IN_SYNTAX = "pixel_data_not_in_syntax"
    FRAMES_UNCERTAIN = "pixel_frames_uncertain"
    STREAM_NONSTANDARD = "pixel_stream_nonstandard"
    STREAM_DIFFERS = "pixel_stream_differs"
    VALUES_CORRECTED = "values_corrected"
    ELEMENTS_DISCARDED = "elements_discarded"


# Shown to people, but no defect of the object: the answer stays a plain success.
NOTES: Final = frozenset({Remark.CHARSET_REPAIRED, Remark.FILE_META_DIFFERS, Remark.PREAMBLE_WITHHELD})


def warning_reason(remarks: Iterable[Remark]) -> int | None:
    """The value of Warning Reason (0008,1196) for an object with these remarks, the gravest where several apply."""
    warnings = set(remarks) - NOTES
    if Remark.VALUES_CORRECTED in warnings:
        return WARN_COERCED
    if Remark.ELEMENTS_DISCARDED in warnings:
        return WARN_DISCARDED
    return WARN_DOES_NOT_MATCH_CLASS if warnings else None


class RefusedAs(StrEnum):
    """Why an object is not kept."""

    NOT_DICOM = "not_dicom"
    NO_FILE_META = "no_file_meta"
    SYNTAX_MISSING = "transfer_syntax_missing"
    SYNTAX_UNKNOWN = "transfer_syntax_unknown"
    DIRECTORY = "directory_object"
    NOT_PATIENT_OBJECT = "not_a_patient_object"
    UID_MISSING = "uid_missing"
    UID_UNUSABLE = "uid_unusable"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    TOO_DEEP = "too_deep"
    TOO_MANY_ELEMENTS = "too_many_elements"
    INFLATES_TOO_FAR = "inflates_too_far"
    TOO_LARGE = "too_large"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    METADATA_MALFORMED = "metadata_malformed"
    BULK_MISSING = "bulk_missing"
    BULK_UNUSED = "bulk_unused"
    BULK_UNSUITABLE = "bulk_unsuitable"
    STUDY_DIFFERS = "study_differs"
    DIFFERENT_BYTES = "different_bytes"
    OTHER_PATIENT = "other_patient"
    OTHER_STUDY = "other_study"
    DELETED = "deleted"
    OVER_QUOTA = "over_quota"
    DISK_FULL = "disk_full"
    DISK_FAILS = "disk_fails"
    INDEX_AWAY = "index_away"
    READER_DIED = "reader_died"


@dataclass(frozen=True, slots=True)
class _Explained:
    failure_reason: int
    detail: str


_EXPLAINED: Final[dict[RefusedAs, _Explained]] = {
    RefusedAs.NOT_DICOM: _Explained(NOT_UNDERSTOOD + 1, "This is not a DICOM file; send DICOM Part 10 files."),
    RefusedAs.NO_FILE_META: _Explained(
        NOT_UNDERSTOOD + 2,
        "The file has no file meta information and is big endian, so its encoding cannot be trusted.",
    ),
    RefusedAs.SYNTAX_MISSING: _Explained(NOT_UNDERSTOOD + 3, "The file meta information names no transfer syntax."),
    RefusedAs.SYNTAX_UNKNOWN: _Explained(SYNTAX_NOT_SUPPORTED, "The transfer syntax is none of the standard's."),
    RefusedAs.DIRECTORY: _Explained(
        CLASS_NOT_SUPPORTED, "A DICOMDIR is an index of other files; send the files it lists."
    ),
    RefusedAs.NOT_PATIENT_OBJECT: _Explained(
        CLASS_NOT_SUPPORTED, "The object belongs to no patient and no study; only studies are kept here."
    ),
    RefusedAs.UID_MISSING: _Explained(
        DOES_NOT_MATCH_CLASS, "A SOP Class, SOP Instance, Study or Series Instance UID is missing."
    ),
    RefusedAs.UID_UNUSABLE: _Explained(
        UID_UNUSABLE,
        "A UID is longer than 64 characters or holds characters other than letters, digits, dots and hyphens.",
    ),
    RefusedAs.TRUNCATED: _Explained(NOT_UNDERSTOOD + 4, "The file ends in the middle of an element; send it again."),
    RefusedAs.MALFORMED: _Explained(NOT_UNDERSTOOD, "The data set cannot be read with its transfer syntax."),
    RefusedAs.TOO_DEEP: _Explained(NOT_UNDERSTOOD + 5, "Sequences are nested deeper than this archive reads."),
    RefusedAs.TOO_MANY_ELEMENTS: _Explained(OVER_LIMIT, "The data set has more elements than this archive reads."),
    RefusedAs.INFLATES_TOO_FAR: _Explained(OVER_LIMIT, "The deflated data set inflates beyond the published limit."),
    RefusedAs.TOO_LARGE: _Explained(OVER_LIMIT, "The instance is larger than the published limit."),
    RefusedAs.WRONG_CONTENT_TYPE: _Explained(NOT_UNDERSTOOD + 6, "Send each part as application/dicom."),
    RefusedAs.METADATA_MALFORMED: _Explained(
        NOT_UNDERSTOOD + 7, "The metadata is not the DICOM JSON model or the Native DICOM Model of an instance."
    ),
    RefusedAs.BULK_MISSING: _Explained(
        NOT_UNDERSTOOD + 8, "The metadata names bulk data that is not among the parts; nothing is fetched elsewhere."
    ),
    RefusedAs.BULK_UNUSED: _Explained(
        NOT_UNDERSTOOD + 9, "The metadata of no instance names this bulk data by its Content-Location."
    ),
    RefusedAs.BULK_UNSUITABLE: _Explained(
        NOT_UNDERSTOOD + 10, "The bulk data is not what its Content-Type says, or of a kind that DICOM does not use."
    ),
    RefusedAs.STUDY_DIFFERS: _Explained(STUDY_DIFFERS, "The instance belongs to another study than the address names."),
    RefusedAs.DIFFERENT_BYTES: _Explained(
        DUPLICATE_INSTANCE,
        "An instance with these UIDs and other content is stored already; it stays, and this one was set aside.",
    ),
    RefusedAs.OTHER_PATIENT: _Explained(
        PROCESSING_FAILURE,
        "The study is stored already for a patient this instance contradicts; it was set aside until somebody decides.",
    ),
    RefusedAs.OTHER_STUDY: _Explained(
        PROCESSING_FAILURE,
        "Another study of this hospital holds the SOP Instance UID; the instance was set aside until somebody decides.",
    ),
    RefusedAs.DELETED: _Explained(
        PROCESSING_FAILURE, "This very instance was deleted for a reason that keeps it away; restore it instead."
    ),
    RefusedAs.OVER_QUOTA: _Explained(OUT_OF_RESOURCES, "The hospital's storage quota is used up."),
    RefusedAs.DISK_FULL: _Explained(
        OUT_OF_RESOURCES, "There is no room to store the instance; nothing of it was kept."
    ),
    RefusedAs.DISK_FAILS: _Explained(PROCESSING_FAILURE, "The instance could not be written; send it again later."),
    RefusedAs.INDEX_AWAY: _Explained(PROCESSING_FAILURE, "The index is not available just now; send it again later."),
    RefusedAs.READER_DIED: _Explained(PROCESSING_FAILURE, "Reading the instance failed; send it again by itself."),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object that is not kept. The UIDs are those that could be read before the reason was found, else empty."""

    why: RefusedAs
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""

    @property
    def failure_reason(self) -> int:
        """The value of Failure Reason (0008,1197)."""
        return _EXPLAINED[self.why].failure_reason

    @property
    def detail(self) -> str:
        """One English sentence that tells the sender what to do."""
        return _EXPLAINED[self.why].detail


class Unreadable(Exception):
    """Raised while reading or storing one object; becomes a :class:`Refusal` before anyone else sees it."""

    def __init__(self, why: RefusedAs) -> None:
        super().__init__(why)
        self.why = why
