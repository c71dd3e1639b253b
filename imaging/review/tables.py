"""Rows of the review hook. Every row that a crash must not lose is written before anything leaves the machine."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from imaging.review.model import OPEN
from imaging.store.tables import KEY, UID, Base

_WORD = String(32)
_HASH = String(64)
_REPORT_DUE = text("report_due")
_STILL_OPEN = text(f"state IN ({', '.join(sorted(repr(state.value) for state in OPEN))})")


class ReviewEndpoint(Base):
    """One registered model: a new version is a new row. The key for tokens is kept as a hash, the signing secret not:
    a signature is made from it."""

    __tablename__ = "review_endpoints"

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    vendor: Mapped[str] = mapped_column(String(128))
    model_name: Mapped[str] = mapped_column(String(128))
    model_version: Mapped[str] = mapped_column(String(64))
    url: Mapped[str] = mapped_column(String(2048))
    secret: Mapped[str] = mapped_column(String(128))
    key_hash: Mapped[str] = mapped_column(_HASH, unique=True)
    # imaging.review.rules.Node as JSON.
    rules: Mapped[dict[str, Any]]
    # "SYSTEM:code" of the findings this model may report.
    finding_codes: Mapped[list[Any]]
    # imaging.dicom.deidentify.Profile as JSON.
    deid: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    mode: Mapped[str] = mapped_column(_WORD, default="live")
    enabled: Mapped[bool] = mapped_column(default=True)
    deadline_seconds: Mapped[int]
    created_at: Mapped[datetime]


class ReviewDecision(Base):
    """The study was taken for complete: on what basis, and exactly which instances that covers."""

    __tablename__ = "review_decisions"
    __table_args__ = (UniqueConstraint("study_key", "generation"),)

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    study_key: Mapped[str] = mapped_column(KEY, ForeignKey("studies.id", ondelete="CASCADE"))
    generation: Mapped[int]
    supersedes: Mapped[int | None]
    basis: Mapped[str] = mapped_column(_WORD)
    manifest_hash: Mapped[str] = mapped_column(String(80))
    # imaging.review.manifest.Manifest, frozen: JSON deflated with zlib.
    manifest: Mapped[bytes] = mapped_column(LargeBinary)
    # Study.revision this decision covers: a higher one means that something came later.
    study_revision: Mapped[int]
    last_arrival_at: Mapped[datetime]
    # Endpoint id → why its rules left the study out.
    not_matched: Mapped[dict[str, Any]]
    decided_at: Mapped[datetime]


class ReviewJob(Base):
    """One endpoint's review of one generation of a study."""

    __tablename__ = "review_jobs"
    __table_args__ = (
        UniqueConstraint("endpoint_key", "study_key", "generation"),
        # Two generations never run at once for one model.
        Index(
            "ix_review_jobs_one_open",
            "endpoint_key",
            "study_key",
            unique=True,
            sqlite_where=_STILL_OPEN,
            postgresql_where=_STILL_OPEN,
        ),
        Index("ix_review_jobs_study_key", "study_key"),
        Index("ix_review_jobs_report_due", "id", sqlite_where=_REPORT_DUE, postgresql_where=_REPORT_DUE),
        Index("ix_review_jobs_state_deadline_at", "state", "deadline_at"),
    )

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    job_uid: Mapped[str] = mapped_column(UID, unique=True)
    decision_key: Mapped[str] = mapped_column(KEY, ForeignKey("review_decisions.id", ondelete="CASCADE"))
    endpoint_key: Mapped[str] = mapped_column(KEY, ForeignKey("review_endpoints.id"))
    study_key: Mapped[str] = mapped_column(KEY, ForeignKey("studies.id", ondelete="CASCADE"))
    generation: Mapped[int]
    state: Mapped[str] = mapped_column(_WORD)
    # Of the newest result document taken, 0 before the first.
    sequence: Mapped[int] = mapped_column(default=0)
    summary_code: Mapped[str] = mapped_column(_WORD, default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    last_error: Mapped[str] = mapped_column(Text, default="")
    # Findings or assessments are there that no report in the archive says yet.
    report_due: Mapped[bool] = mapped_column(server_default=false())
    deadline_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ReviewDelivery(Base):
    """The outbox: one event for one endpoint. ``id`` is the webhook-id, the same on every attempt."""

    __tablename__ = "review_deliveries"
    __table_args__ = (Index("ix_review_deliveries_state_next_at", "state", "next_at"),)

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    job_key: Mapped[str] = mapped_column(KEY, ForeignKey("review_jobs.id", ondelete="CASCADE"), index=True)
    endpoint_key: Mapped[str] = mapped_column(KEY, ForeignKey("review_endpoints.id"))
    body: Mapped[str] = mapped_column(Text)
    # imaging.review.outbox.DeliveryState
    state: Mapped[str] = mapped_column(_WORD)
    attempts: Mapped[int] = mapped_column(default=0)
    # When it is due. While an attempt is on the wire: when it counts as lost and is due again.
    next_at: Mapped[datetime]
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class ReviewToken(Base):
    """A short-lived bearer for one job; only its hash is here."""

    __tablename__ = "review_tokens"

    token_hash: Mapped[str] = mapped_column(_HASH, primary_key=True)
    job_key: Mapped[str] = mapped_column(KEY, ForeignKey("review_jobs.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ReviewResult(Base):
    """A result document that was taken, and what was answered, so that a repetition gets the same."""

    __tablename__ = "review_results"
    __table_args__ = (UniqueConstraint("job_key", "idempotency_key"), UniqueConstraint("job_key", "sequence"))

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    job_key: Mapped[str] = mapped_column(KEY, ForeignKey("review_jobs.id", ondelete="CASCADE"))
    idempotency_key: Mapped[str] = mapped_column(String(128))
    event_id: Mapped[str] = mapped_column(String(128))
    sequence: Mapped[int]
    # Of the body as sent, hexadecimal.
    body_sha256: Mapped[str] = mapped_column(_HASH)
    answer: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class ReviewFinding(Base):
    """What a model reports at one place. Pixel coordinates: 0/0 is the outer corner of the first pixel."""

    __tablename__ = "review_findings"
    __table_args__ = (
        UniqueConstraint("job_key", "vendor_finding_id"),
        Index("ix_review_findings_study_key", "study_key"),
    )

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    job_key: Mapped[str] = mapped_column(KEY, ForeignKey("review_jobs.id", ondelete="CASCADE"))
    study_key: Mapped[str] = mapped_column(KEY, ForeignKey("studies.id", ondelete="CASCADE"))
    vendor_finding_id: Mapped[str] = mapped_column(String(64))
    # Place in the vendor's own order, across documents.
    rank: Mapped[int]
    series_instance_uid: Mapped[str] = mapped_column(UID)
    sop_instance_uid: Mapped[str] = mapped_column(UID)
    frame: Mapped[int]
    label: Mapped[str] = mapped_column(String(256))
    label_code: Mapped[str] = mapped_column(String(128))
    probability: Mapped[float | None]
    kind: Mapped[str] = mapped_column(_WORD)
    points: Mapped[list[Any]]
    measurements: Mapped[list[Any]]
    description: Mapped[str] = mapped_column(Text, default="")
    # A newer generation's result replaced it before anybody assessed it: no longer shown.
    replaced: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class ReviewAssessment(Base):
    """A doctor's word on a finding. Rows are only ever added; the one with the highest id counts."""

    __tablename__ = "review_assessments"

    id: Mapped[int] = mapped_column(primary_key=True)
    finding_key: Mapped[str] = mapped_column(KEY, ForeignKey("review_findings.id", ondelete="CASCADE"), index=True)
    decision: Mapped[str] = mapped_column(_WORD)
    reason: Mapped[str] = mapped_column(Text)
    # Stable key of the doctor, and the name as it was then.
    by_key: Mapped[str] = mapped_column(String(64))
    by_name: Mapped[str] = mapped_column(String(256))
    by_organization: Mapped[str] = mapped_column(String(64), server_default="")
    at: Mapped[datetime]


class ReviewDocument(Base):
    """A structured report that was stored for a job: version 1 when it was done, one more after each assessment."""

    __tablename__ = "review_documents"
    __table_args__ = (UniqueConstraint("job_key", "version"),)

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    job_key: Mapped[str] = mapped_column(KEY, ForeignKey("review_jobs.id", ondelete="CASCADE"))
    version: Mapped[int]
    sop_instance_uid: Mapped[str] = mapped_column(UID)
    # Of the newest assessment it tells of, 0: of none.
    last_assessment: Mapped[int]
    created_at: Mapped[datetime]
