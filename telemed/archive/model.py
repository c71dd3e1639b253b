"""What the API says of the archive, and the words of a hospital's state. Pure."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from foundation.errors import NotFound

Bytes = Annotated[int, Meta(ge=0, le=1 << 60)]
Level = Literal["free", "soft", "hard"]
Id = Annotated[str, Meta(min_length=26, max_length=26)]


class NoSuchHoldings(NotFound):
    code, title = "archive.not_found", "No such hospital, or not for you"


class QuotaBody(Struct, forbid_unknown_fields=True):
    """None: no limit. Beyond soft a warning is shown, beyond hard nothing more is stored."""

    soft_bytes: Bytes | None = None
    hard_bytes: Bytes | None = None
    soft_instances: Bytes | None = None
    hard_instances: Bytes | None = None


class HospitalUsage(Struct):
    """instance_count, size_bytes: everything whose bytes are kept. waiting_count: for a decision. leaving: deleted, to
    be erased."""

    code: str
    name: str
    instance_count: int
    size_bytes: int
    quota: QuotaBody
    level: Level
    waiting_count: int
    leaving_count: int
    leaving_bytes: int


class UsageList(Struct):
    items: list[HospitalUsage]
    total: int


class Waiting(Struct):
    """An instance that was set aside. why: other_bytes, other_patient or other_study. differences: [attribute, as
    stored, as arrived]."""

    id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    why: str
    differences: list[list[str]]
    size_bytes: int
    sha256: str
    received_at: datetime


class WaitingList(Struct):
    items: list[Waiting]
    total: int


class Difference(Struct):
    tag: str
    served: str
    set_aside: str


class ComparisonReply(Struct):
    """count: of all attributes that differ; 0 with other bytes: only pixel or bulk data differ."""

    items: list[Difference]
    count: int


class DecisionBody(Struct, forbid_unknown_fields=True):
    """release: serve them, in place of other bytes where there are. reject: erase them after the grace period."""

    ids: Annotated[list[Id], Meta(min_length=1, max_length=500)]
    decision: Literal["release", "reject"]


class DecisionReply(Struct):
    instances: int


class Deleted(Struct):
    act: str
    study_instance_uid: str
    reason: str
    instance_count: int
    size_bytes: int
    erase_at: datetime


class DeletedList(Struct):
    items: list[Deleted]
    total: int


class PolicyBody(Struct, forbid_unknown_fields=True):
    rule: Annotated[str, Meta(max_length=32)]
    years: Annotated[int, Meta(ge=1, le=200)]
    automatic: bool = False


class PolicyReply(Struct):
    rule: str
    book_version: int
    source: str
    years: int
    automatic: bool
    set_at: datetime | None


class RuleReply(Struct):
    code: str
    years: int
    source: str


class OverdueStudy(Struct):
    study_instance_uid: str
    study_date: str
    instance_count: int
    size_bytes: int


class HoldReply(Struct):
    id: str
    study_instance_uid: str
    note: str
    placed_at: datetime


class RetentionReply(Struct):
    """overdue: what a run would delete now; study_count and the rest are exact, the list is the oldest of them."""

    policy: PolicyReply
    rules: list[RuleReply]
    study_count: int
    instance_count: int
    size_bytes: int
    overdue: list[OverdueStudy]
    holds: list[HoldReply]


class HoldBody(Struct, forbid_unknown_fields=True):
    study_instance_uid: Annotated[str, Meta(min_length=1, max_length=64)]
    note: Annotated[str, Meta(max_length=256)] = ""


class VerifyBody(Struct, forbid_unknown_fields=True):
    """hospital None: everything. study_id: our key, of that hospital."""

    hospital: Annotated[str, Meta(max_length=32)] | None = None
    study_id: Id | None = None


class RunReply(Struct):
    id: str
    owner: str | None
    study_key: str | None
    checked_instances: int
    checked_bytes: int
    damaged_instances: int
    started_by: str
    started_at: datetime
    finished_at: datetime | None


class DamageReply(Struct):
    """found: missing, or differs (the bytes were moved aside and are not served)."""

    instance_key: str
    owner: str
    study_key: str
    sop_instance_uid: str
    found: str
    found_at: datetime


class VerificationReply(Struct):
    runs: list[RunReply]
    damaged: list[DamageReply]


def level_of(instance_count: int, size_bytes: int, quota: QuotaBody) -> Level:
    """Which limit is reached."""
    figures = (
        (instance_count, quota.soft_instances, quota.hard_instances),
        (size_bytes, quota.soft_bytes, quota.hard_bytes),
    )
    if any(hard is not None and held >= hard for held, _, hard in figures):
        return "hard"
    return "soft" if any(soft is not None and held >= soft for held, soft, _ in figures) else "free"
