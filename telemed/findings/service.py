"""What the AI review found, for doctors who may see the study, and their word on it. Every word is audited."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from imaging.guard import Access
from imaging.review.errors import FindingUnknown
from imaging.review.findings import Word
from telemed.access import Person
from telemed.audit import Action, Audit, Entry, actor_of
from telemed.findings.model import Finding, FindingList, Job, ListedFinding, StudyReviewReport
from telemed.guard import PlatformGuard, purpose_of
from telemed.studies.model import StudyRow
from telemed.studies.service import StudyDesk


class ReviewFinding(Protocol):
    """A finding of imaging's review: the attributes of ``findings.model.Finding`` and its study's key."""

    @property
    def study_id(self) -> str: ...


class Review(Protocol):
    """What of imaging's review service is used here."""

    async def jobs_of(self, study_id: str) -> Sequence[object]: ...
    async def findings_of(self, study_id: str) -> Sequence[ReviewFinding]: ...
    async def finding(self, finding_id: str) -> ReviewFinding: ...
    async def unreviewed(self, access: Access, limit: int, offset: int) -> tuple[Sequence[ReviewFinding], int]: ...
    async def assess(self, finding_id: str, word: Word) -> ReviewFinding: ...


class Findings:
    def __init__(self, review: Review, desk: StudyDesk, guard: PlatformGuard, audit: Audit) -> None:
        self._review = review
        self._desk = desk
        self._guard = guard
        self._audit = audit

    async def of_study(self, person: Person, study_id: str, *, address: str) -> StudyReviewReport:
        """Audited as a view of the study. Raises StudyUnknown."""
        await self._desk.open(person, study_id, address=address)
        jobs = msgspec.convert(await self._review.jobs_of(study_id), list[Job], from_attributes=True)
        found = await self._review.findings_of(study_id)
        return StudyReviewReport(jobs, msgspec.convert(found, list[Finding], from_attributes=True))

    async def unreviewed(self, person: Person, limit: int, offset: int) -> FindingList:
        """Findings nobody has assessed, newest first, in studies that ``person`` may see."""
        access = await self._guard.access_of(person)
        found, total = await self._review.unreviewed(access, limit, offset)
        rows = await self._desk.find_many(person, [finding.study_id for finding in found])
        # Between the two reads a consultation may have ended, and with it the sight of its study.
        return FindingList([_listed(f, rows[f.study_id]) for f in found if f.study_id in rows], total)

    async def assess(
        self, person: Person, finding_id: str, decision: Literal["accepted", "rejected"], reason: str, *, address: str
    ) -> Finding:
        """Raises FindingUnknown (also for a study that ``person`` may not see), RejectionWithoutReason."""
        study_id = (await self._review.finding(finding_id)).study_id
        if await self._desk.find(person, study_id) is None:
            raise FindingUnknown()
        actor = actor_of(person)
        purpose = purpose_of(actor, await self._guard.access_of(person), study_id)
        judged = await self._review.assess(
            finding_id, Word(person.user_id, person.name, decision, reason, person.hospital or "")
        )
        await self._audit.record(
            Entry(Action.FINDING_ASSESS, actor, purpose, study_id=study_id, subject_id=finding_id, address=address)
        )
        return _converted(judged)


def _converted(finding: object) -> Finding:
    return msgspec.convert(finding, Finding, from_attributes=True)


def _listed(finding: object, study: StudyRow) -> ListedFinding:
    members: dict[str, Any] = msgspec.structs.asdict(_converted(finding))
    return ListedFinding(
        **members, study_id=study.study_id, patient_name=study.patient_name, owner_name=study.owner_name
    )
