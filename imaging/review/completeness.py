"""When is a study complete? DICOM senders never say, so it is decided, once, on a stated basis. Pure.

A study counts as complete when nothing arrived for it for a while and no upload that could belong to it is open
(``quiet``), and at the latest some time after its first undecided instance (``forced``). Instances that arrive after a
decision lead to a new one, one generation higher.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Basis(StrEnum):
    QUIET = "quiet"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class Policy:
    quiet_seconds: float = 20.0
    forced_after_seconds: float = 900.0
    # An upload whose process died leaves its row behind: one not renewed for this long is ignored.
    upload_stale_seconds: float = 60.0

    @property
    def quiet(self) -> timedelta:
        return timedelta(seconds=self.quiet_seconds)

    @property
    def forced_after(self) -> timedelta:
        return timedelta(seconds=self.forced_after_seconds)

    @property
    def upload_stale(self) -> timedelta:
        return timedelta(seconds=self.upload_stale_seconds)


@dataclass(frozen=True, slots=True)
class OpenUpload:
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one study with undecided instances.

    first_arrival_at, last_arrival_at: of the instances no decision has covered yet. uploads: those open for the same
    hospital. decided_generation: of the newest decision, 0 before the first.
    """

    first_arrival_at: datetime
    last_arrival_at: datetime
    uploads: tuple[OpenUpload, ...]
    decided_generation: int


@dataclass(frozen=True, slots=True)
class Decision:
    """supersedes: the generation this one replaces, None for the first."""

    basis: Basis
    generation: int
    supersedes: int | None


def decide(facts: Facts, policy: Policy, now: datetime) -> Decision | None:
    """The decision due at ``now``, or None: wait on."""
    basis = _basis(facts, policy, now)
    if basis is None:
        return None
    return Decision(basis, facts.decided_generation + 1, facts.decided_generation or None)


def due_at(facts: Facts, policy: Policy) -> datetime:
    """The earliest moment at which :func:`decide` can give a decision."""
    return min(facts.last_arrival_at + policy.quiet, facts.first_arrival_at + policy.forced_after)


def manifest_hash(sop_instance_uids: Iterable[str]) -> str:
    """Names a set of instances: SHA-256 over the sorted SOP Instance UIDs, one per line."""
    text = "\n".join(sorted(sop_instance_uids))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _basis(facts: Facts, policy: Policy, now: datetime) -> Basis | None:
    quiet_from = facts.last_arrival_at + policy.quiet
    if now >= quiet_from and not any(_holds_back(upload, quiet_from, policy, now) for upload in facts.uploads):
        return Basis.QUIET
    if now >= facts.first_arrival_at + policy.forced_after:
        return Basis.FORCED
    return None


def _holds_back(upload: OpenUpload, quiet_from: datetime, policy: Policy, now: datetime) -> bool:
    # One that began after the quiet time had passed would have come too late anyway; without this bound a hospital
    # that always uploads something would have every study forced.
    return upload.started_at < quiet_from and now - upload.seen_at < policy.upload_stale
