"""The AI review as the API shows it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct


class Assessment(Struct, frozen=True):
    decision: Literal["accepted", "rejected"]
    reason: str
    by_name: str
    at: datetime


class Finding(Struct, frozen=True):
    """frame: from 1. points: [x, y] in pixels, 0/0 the outer corner of the first pixel.

    circle: centre and a point on it; ellipse: ends of the major, then of the minor axis.
    """

    finding_id: str
    job_uid: str
    model_name: str
    model_version: str
    series_instance_uid: str
    sop_instance_uid: str
    frame: int
    label: str
    label_code: str
    probability: float | None
    kind: Literal["point", "polyline", "circle", "ellipse", "image"]
    points: list[list[float]]
    measurements: list[dict[str, Any]]
    description: str
    assessment: Assessment | None


class ListedFinding(Finding, frozen=True, kw_only=True):
    """A finding in the list of those to assess, with what names its study there."""

    study_id: str
    patient_name: str
    owner_name: str


class Job(Struct, frozen=True):
    """One model's review of the study as it was when it counted as complete."""

    job_uid: str
    model_name: str
    model_version: str
    vendor: str
    state: str
    completeness_basis: str
    generation: int
    updated_at: datetime
    attempts: int
    last_error: str
    summary: str


class StudyReviewReport(Struct, frozen=True):
    jobs: list[Job]
    findings: list[Finding]


class FindingList(Struct, frozen=True):
    items: list[ListedFinding]
    total: int


class NewAssessment(Struct, frozen=True, forbid_unknown_fields=True):
    """reason: required to reject."""

    decision: Literal["accepted", "rejected"]
    reason: Annotated[str, Meta(max_length=2000)] = ""
