"""The index of what is stored. Rows carry what searches ask for; bytes live in blobs, headers in ``InstanceHeader``.

Keys are ours (ULID). A study belongs to the hospital that sent it (``owner``): two hospitals may send the same
Patient ID, Study or SOP Instance UID, and both live side by side (docs/decisions/0004-identity.md).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from foundation.database import UtcDateTime, new_metadata

KEY = String(26)
UID = String(64)
# Compared by code point on either engine, so that an index serves "begins with".
WORD = String(80).with_variant(String(80, collation="C"), "postgresql")


class Base(DeclarativeBase):
    metadata = new_metadata()
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON(), list[Any]: JSON()}

    @classmethod
    def core(cls) -> ReadOnlyColumnCollection[str, Column[Any]]:
        """The columns for statements without a session; the ORM's attributes cost a multiple of the statement."""
        return cls.__table__.columns  # type: ignore[return-value]


class Study(Base):
    """One study of one hospital. Patient attributes are those of the first instance stored, text repaired."""

    __tablename__ = "studies"
    __table_args__ = (
        UniqueConstraint("owner", "study_instance_uid"),
        Index("ix_studies_study_instance_uid", "study_instance_uid"),
        # By owner first: whose studies one may see is part of every search.
        Index("ix_studies_owner_patient_id", "owner", "patient_id"),
        Index("ix_studies_owner_accession_number", "owner", "accession_number"),
        Index("ix_studies_owner_newest", "owner", "study_date", "study_time", "study_instance_uid", "id"),
        Index("ix_studies_updated_at", "updated_at"),
    )

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    owner: Mapped[str] = mapped_column(String(32))
    study_instance_uid: Mapped[str] = mapped_column(UID)
    patient_id: Mapped[str] = mapped_column(String(256), default="")
    issuer_of_patient_id: Mapped[str] = mapped_column(String(256), default="")
    # The PN groups as one string with "=", repaired to Unicode: "Wang^XiaoDong=王^小东".
    patient_name: Mapped[str] = mapped_column(String(512), default="")
    # Lower case, separators and accents folded, every group: what name searches run on.
    patient_name_key: Mapped[str] = mapped_column(String(512), default="")
    patient_birth_date: Mapped[str] = mapped_column(String(16), default="")
    patient_sex: Mapped[str] = mapped_column(String(16), default="")
    patient_age: Mapped[str] = mapped_column(String(16), default="")
    study_date: Mapped[str] = mapped_column(String(16), default="")
    study_time: Mapped[str] = mapped_column(String(32), default="")
    timezone_offset: Mapped[str] = mapped_column(String(16), default="")
    accession_number: Mapped[str] = mapped_column(String(64), default="")
    study_id: Mapped[str] = mapped_column(String(64), default="")
    study_description: Mapped[str] = mapped_column(String(512), default="")
    referring_physician_name: Mapped[str] = mapped_column(String(512), default="")
    institution_name: Mapped[str] = mapped_column(String(512), default="")
    series_count: Mapped[int] = mapped_column(default=0)
    instance_count: Mapped[int] = mapped_column(default=0)
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    # Grows by one with every change below the study: the base of ETags and of caches.
    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    # When the newest instance arrived: quiet time counts from here.
    updated_at: Mapped[datetime]


class StudyWord(Base):
    """What a study is found by the beginning of: names in every reading, numbers (imaging.store.words)."""

    __tablename__ = "study_words"
    __table_args__ = (Index("ix_study_words_owner_word", "owner", "word", "study_key"), {"sqlite_with_rowid": False})

    study_key: Mapped[str] = mapped_column(KEY, ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    # Its kind in one letter, then the word.
    word: Mapped[str] = mapped_column(WORD, primary_key=True)
    owner: Mapped[str] = mapped_column(String(32))


class Series(Base):
    __tablename__ = "series"
    __table_args__ = (
        UniqueConstraint("study_key", "series_instance_uid"),
        Index("ix_series_series_instance_uid", "series_instance_uid"),
        Index("ix_series_study_key", "study_key", "modality"),
    )

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    study_key: Mapped[str] = mapped_column(KEY, ForeignKey("studies.id", ondelete="CASCADE"))
    series_instance_uid: Mapped[str] = mapped_column(UID)
    modality: Mapped[str] = mapped_column(String(16), default="")
    series_number: Mapped[int | None]
    series_description: Mapped[str] = mapped_column(String(512), default="")
    series_date: Mapped[str] = mapped_column(String(16), default="")
    series_time: Mapped[str] = mapped_column(String(32), default="")
    body_part_examined: Mapped[str] = mapped_column(String(64), default="")
    manufacturer: Mapped[str] = mapped_column(String(256), default="")
    performed_procedure_step_start_date: Mapped[str] = mapped_column(String(16), default="")
    instance_count: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Instance(Base):
    """One stored SOP instance. ``blob_key`` names bytes that are never changed."""

    __tablename__ = "instances"
    __table_args__ = (
        UniqueConstraint("series_key", "sop_instance_uid"),
        Index("ix_instances_sop_instance_uid", "sop_instance_uid"),
        Index("ix_instances_study_key", "study_key"),
    )

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    series_key: Mapped[str] = mapped_column(KEY, ForeignKey("series.id", ondelete="CASCADE"))
    study_key: Mapped[str] = mapped_column(KEY, ForeignKey("studies.id", ondelete="CASCADE"))
    sop_instance_uid: Mapped[str] = mapped_column(UID)
    sop_class_uid: Mapped[str] = mapped_column(UID)
    transfer_syntax_uid: Mapped[str] = mapped_column(UID)
    instance_number: Mapped[int | None]
    # None where the object has no such attribute (SR, PDF): not every instance is an image.
    rows: Mapped[int | None]
    columns: Mapped[int | None]
    bits_allocated: Mapped[int | None]
    number_of_frames: Mapped[int] = mapped_column(default=1)
    blob_key: Mapped[str] = mapped_column(String(64), unique=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    # Of the stored bytes, hexadecimal.
    sha256: Mapped[str] = mapped_column(String(64))
    # What the receiver repaired or noticed, as stable words (imaging.dicom.remarks), shown to people.
    remarks: Mapped[list[Any]] = mapped_column(default=list)
    received_at: Mapped[datetime]


class InstanceHeader(Base):
    """What a viewer reads without touching pixel bytes; one small row beside each instance."""

    __tablename__ = "instance_headers"

    instance_key: Mapped[str] = mapped_column(KEY, ForeignKey("instances.id", ondelete="CASCADE"), primary_key=True)
    # The DICOM JSON model (PS3.18 Annex F) of the data set, deflated with zlib; BulkDataURI values are relative
    # ("bulkdata/<tag path>") and made absolute on the way out.
    metadata_json: Mapped[bytes] = mapped_column(LargeBinary)
    # Where the frames and the bulk values lie in the blob: imaging.dicom.layout.Layout as JSON.
    layout: Mapped[dict[str, Any]]


class Derivative(Base):
    """What was made of an instance in the background: its HTJ2K frames and its thumbnail, or why there are none.

    Their bytes lie apart from the originals, under the instance's own key: whatever is lost of them is made again.
    """

    __tablename__ = "derivatives"

    instance_key: Mapped[str] = mapped_column(KEY, ForeignKey("instances.id", ondelete="CASCADE"), primary_key=True)
    # imaging.dicom.htj2k.RECIPE of the time: what an earlier one made is made again.
    recipe: Mapped[int]
    # A word of imaging.dicom.htj2k.Unfit; empty where there are frames.
    unfit: Mapped[str] = mapped_column(String(32), default="")
    # (start, length) in bytes, of each frame.
    frames: Mapped[list[Any]] = mapped_column(default=list)
    # (start, length); empty where there is no thumbnail.
    thumbnail: Mapped[list[Any]] = mapped_column(default=list)
    made_at: Mapped[datetime]


class Upload(Base):
    """An upload request that is under way for a study: while one is open, the study is not complete."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    owner: Mapped[str] = mapped_column(String(32), index=True)
    started_at: Mapped[datetime]
    # Renewed while bytes arrive; a request whose process died is ignored after a while.
    seen_at: Mapped[datetime]
