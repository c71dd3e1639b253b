"""The tables of what becomes of instances beside being served: the change feed, what is kept apart, what is owed.

Their writers are the modules of the same names; ``records`` writes the first three in the transaction of an arrival.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from imaging.store.tables import KEY, UID, Base

OWNER = String(32)
WORD = String(32)


class Kind(StrEnum):
    """What happened to one instance. A value never changes once published."""

    STORED = "stored"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"
    RELEASED = "released"
    REJECTED = "rejected"
    REPLACED = "replaced"
    DELETED = "deleted"
    RESTORED = "restored"
    ERASED = "erased"


class Why(StrEnum):
    """Why an instance is kept apart from what is served."""

    OTHER_BYTES = "other_bytes"
    OTHER_PATIENT = "other_patient"
    OTHER_STUDY = "other_study"
    DELETED = "deleted"


class State(StrEnum):
    """open: waits for a person. leaving: erased when its time has come, until then it may come back.
    erasing: its bytes are being removed. erased: only this row is left."""

    OPEN = "open"
    LEAVING = "leaving"
    ERASING = "erasing"
    ERASED = "erased"


class Holding(Base):
    """One hospital's whole: what its bytes amount to, its limits, and the number of its newest change.

    Locked last in every transaction, after the studies: so numbers have no gaps and are committed in their order.
    """

    __tablename__ = "holdings"

    owner: Mapped[str] = mapped_column(OWNER, primary_key=True)
    # Of every instance whose bytes are kept: served, apart, and deleted until erased.
    instance_count: Mapped[int] = mapped_column(BigInteger, default=0)
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    last_change: Mapped[int] = mapped_column(BigInteger, default=0)
    # None: no limit. Beyond soft a warning is shown, beyond hard nothing more is stored.
    soft_bytes: Mapped[int | None] = mapped_column(BigInteger)
    hard_bytes: Mapped[int | None] = mapped_column(BigInteger)
    soft_instances: Mapped[int | None] = mapped_column(BigInteger)
    hard_instances: Mapped[int | None] = mapped_column(BigInteger)


class Change(Base):
    """One line of a hospital's change feed, numbered from 1 without gaps. Never changed, never removed."""

    __tablename__ = "changes"

    owner: Mapped[str] = mapped_column(OWNER, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(WORD)
    study_key: Mapped[str] = mapped_column(KEY)
    study_instance_uid: Mapped[str] = mapped_column(UID)
    series_instance_uid: Mapped[str] = mapped_column(UID)
    sop_instance_uid: Mapped[str] = mapped_column(UID)
    # Of the bytes it is about.
    sha256: Mapped[str] = mapped_column(String(64))
    # A coded reason where there is one.
    reason: Mapped[str] = mapped_column(WORD)
    at: Mapped[datetime]


class Apart(Base):
    """An instance that is kept but not served, and after its erasure the trace of it."""

    __tablename__ = "instances_apart"
    __table_args__ = (
        Index("ix_instances_apart_sop_instance_uid", "sop_instance_uid"),
        Index("ix_instances_apart_study_instance_uid", "study_instance_uid"),
        Index("ix_instances_apart_owner_state", "owner", "state"),
        Index("ix_instances_apart_state_erase_at", "state", "erase_at"),
    )

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    owner: Mapped[str] = mapped_column(OWNER)
    study_key: Mapped[str] = mapped_column(KEY)
    study_instance_uid: Mapped[str] = mapped_column(UID)
    series_instance_uid: Mapped[str] = mapped_column(UID)
    sop_instance_uid: Mapped[str] = mapped_column(UID)
    sop_class_uid: Mapped[str] = mapped_column(UID)
    why: Mapped[str] = mapped_column(WORD)
    state: Mapped[str] = mapped_column(WORD)
    # [attribute, as stored, as arrived] for each that contradicts.
    differences: Mapped[list[Any]] = mapped_column(default=list)
    # The code of ``reasons`` that it was deleted for; empty otherwise.
    reason: Mapped[str] = mapped_column(WORD, default="")
    # Instances deleted at once share it.
    act: Mapped[str] = mapped_column(KEY, default="")
    # None: erased.
    blob_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    erase_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class LegalHold(Base):
    """While it is not lifted, nothing of the study is deleted or erased."""

    __tablename__ = "legal_holds"
    __table_args__ = (Index("ix_legal_holds_owner_study", "owner", "study_instance_uid"),)

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    owner: Mapped[str] = mapped_column(OWNER)
    study_instance_uid: Mapped[str] = mapped_column(UID)
    note: Mapped[str] = mapped_column(String(256))
    placed_by: Mapped[str] = mapped_column(String(96))
    placed_at: Mapped[datetime]
    lifted_by: Mapped[str] = mapped_column(String(96), default="")
    lifted_at: Mapped[datetime | None]


class RetentionPolicy(Base):
    """How long a hospital keeps its studies. Rows are added and never changed: the newest counts."""

    __tablename__ = "retention_policies"

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    owner: Mapped[str] = mapped_column(OWNER, index=True)
    # A rule of retention.json, its version and source as they were.
    rule: Mapped[str] = mapped_column(WORD)
    book_version: Mapped[int]
    source: Mapped[str] = mapped_column(String(256))
    # Never less than the rule's.
    years: Mapped[int]
    # Whether what is over is deleted by itself.
    automatic: Mapped[bool]
    set_by: Mapped[str] = mapped_column(String(96))
    set_at: Mapped[datetime]


class Verification(Base):
    """One run over stored bytes. It can stop anywhere and goes on from its cursor."""

    __tablename__ = "verifications"

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    # None: of every hospital, of every study.
    owner: Mapped[str | None] = mapped_column(OWNER)
    study_key: Mapped[str | None] = mapped_column(KEY)
    # The last instance that was checked.
    cursor: Mapped[str] = mapped_column(KEY, default="")
    checked_instances: Mapped[int] = mapped_column(BigInteger, default=0)
    checked_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    damaged_instances: Mapped[int] = mapped_column(BigInteger, default=0)
    started_by: Mapped[str] = mapped_column(String(96))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)


class Damage(Base):
    """Stored bytes that are not what was received. The row stays when they are whole again, with the time of that."""

    __tablename__ = "damages"

    instance_key: Mapped[str] = mapped_column(KEY, primary_key=True)
    owner: Mapped[str] = mapped_column(OWNER, index=True)
    study_key: Mapped[str] = mapped_column(KEY)
    sop_instance_uid: Mapped[str] = mapped_column(UID)
    blob_key: Mapped[str] = mapped_column(String(64))
    # "missing" or "differs".
    found: Mapped[str] = mapped_column(WORD)
    found_at: Mapped[datetime]
    mended_at: Mapped[datetime | None]


class Commitment(Base):
    """A storage commitment request (PS3.18 chapter 13) and, once worked out, its answer."""

    __tablename__ = "commitments"

    owner: Mapped[str] = mapped_column(OWNER, primary_key=True)
    transaction_uid: Mapped[str] = mapped_column(UID, primary_key=True)
    # [SOP Class UID, SOP Instance UID] of each instance asked for.
    asked: Mapped[list[Any]]
    # [SOP Class UID, SOP Instance UID, failure reason or 0] of each; None: not yet known.
    answer: Mapped[list[Any] | None]
    made_at: Mapped[datetime]
    answered_at: Mapped[datetime | None] = mapped_column(index=True)
