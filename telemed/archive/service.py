"""Looking after the archive: who may, what is done, and the audit of it. The work itself is imaging's."""

from collections.abc import Sequence

import msgspec

from imaging.archive import Archive
from imaging.store.inventory import Quota, Usage
from imaging.store.reasons import RULES
from telemed.access import Person, may_look_after
from telemed.archive.model import (
    ComparisonReply,
    Deleted,
    Difference,
    HoldReply,
    HospitalUsage,
    NoSuchHoldings,
    OverdueStudy,
    PolicyReply,
    QuotaBody,
    RetentionReply,
    RuleReply,
    RunReply,
    VerificationReply,
    Waiting,
    level_of,
)
from telemed.audit import Action, Audit, Entry, Purpose, actor_of
from telemed.people.service import People


class ArchiveDesk:
    """Every method raises NoSuchHoldings for a hospital that ``by`` does not look after."""

    def __init__(self, archive: Archive, people: People, audit: Audit) -> None:
        self._archive = archive
        self._people = people
        self._audit = audit

    async def usage(self, by: Person) -> list[HospitalUsage]:
        """Of each hospital that ``by`` looks after."""
        names = await self._names()
        mine = [code for code in names if may_look_after(by, code)]
        return [_usage(held, names[held.owner]) for held in await self._archive.inventory.usage(mine)]

    async def set_quota(self, by: Person, hospital: str, quota: QuotaBody, *, address: str) -> None:
        await self._check(by, hospital)
        await self._archive.inventory.set_quota(hospital, Quota(**msgspec.structs.asdict(quota)))
        await self._record(Action.ARCHIVE_QUOTA_SET, by, hospital, address)

    async def waiting(self, by: Person, hospital: str, *, address: str) -> list[Waiting]:
        """What was set aside and waits for a decision. Audited: it names patients."""
        await self._check(by, hospital)
        found = await self._archive.inventory.waiting(hospital)
        await self._record(Action.ARCHIVE_APART_VIEW, by, hospital, address)
        return msgspec.convert(found, list[Waiting], from_attributes=True)

    async def compare(self, by: Person, hospital: str, apart_id: str, *, address: str) -> ComparisonReply:
        """Raises NothingApart."""
        await self._check(by, hospital)
        compared = await self._archive.inventory.compare(hospital, apart_id)
        await self._record(Action.ARCHIVE_APART_VIEW, by, hospital, address)
        return ComparisonReply([Difference(*row) for row in compared.differences], compared.count)

    async def decide(self, by: Person, hospital: str, ids: Sequence[str], decision: str, *, address: str) -> int:
        """How many instances it was about. Raises NothingApart, CannotReturn."""
        await self._check(by, hospital)
        deletion = self._archive.deletion
        decided = await (deletion.release if decision == "release" else deletion.reject)(hospital, ids)
        for one in ids:
            await self._record(Action.ARCHIVE_APART_DECIDE, by, one, address)
        await self._tell(decided.study_ids)
        return decided.instances

    async def deleted(self, by: Person, hospital: str) -> list[Deleted]:
        await self._check(by, hospital)
        return msgspec.convert(await self._archive.inventory.deleted(hospital), list[Deleted], from_attributes=True)

    async def restore(self, by: Person, hospital: str, act: str, *, address: str) -> int:
        """How many instances came back. Raises NothingApart, CannotReturn."""
        await self._check(by, hospital)
        decided = await self._archive.deletion.restore(hospital, act)
        for study_id in decided.study_ids:
            await self._record(Action.ARCHIVE_RESTORE, by, act, address, study_id)
        await self._tell(decided.study_ids)
        return decided.instances

    async def retention(self, by: Person, hospital: str) -> RetentionReply:
        """The policy, the holds, and what a run would delete now."""
        await self._check(by, hospital)
        retention = self._archive.retention
        policy, overdue, holds = (
            await retention.policy(hospital),
            await retention.would_delete(hospital),
            await retention.holds(hospital),
        )
        return RetentionReply(
            msgspec.convert(policy, PolicyReply, from_attributes=True),
            [RuleReply(rule.code, rule.years, rule.source) for rule in RULES.values()],
            overdue.study_count,
            overdue.instance_count,
            overdue.size_bytes,
            [OverdueStudy(*row) for row in overdue.studies],
            msgspec.convert(holds, list[HoldReply], from_attributes=True),
        )

    async def set_policy(
        self, by: Person, hospital: str, rule: str, years: int, automatic: bool, *, address: str
    ) -> None:
        """Raises BadPolicy."""
        await self._check(by, hospital)
        await self._archive.retention.set_policy(hospital, rule, years, automatic, f"user:{by.user_id}")
        await self._record(Action.ARCHIVE_RETENTION_SET, by, hospital, address)

    async def place_hold(self, by: Person, hospital: str, study: str, note: str, *, address: str) -> HoldReply:
        await self._check(by, hospital)
        hold = await self._archive.retention.place_hold(hospital, study, note, f"user:{by.user_id}")
        await self._record(Action.ARCHIVE_HOLD_PLACE, by, hold.id, address)
        return msgspec.convert(hold, HoldReply, from_attributes=True)

    async def lift_hold(self, by: Person, hospital: str, hold_id: str, *, address: str) -> None:
        """Raises NoSuchHold."""
        await self._check(by, hospital)
        await self._archive.retention.lift_hold(hospital, hold_id, f"user:{by.user_id}")
        await self._record(Action.ARCHIVE_HOLD_LIFT, by, hold_id, address)

    async def verification(self) -> VerificationReply:
        """Runs and damages of all hospitals: the administrator's."""
        runs, damaged = await self._archive.verifier.runs(), await self._archive.verifier.damaged()
        return msgspec.convert({"runs": runs, "damaged": damaged}, VerificationReply, from_attributes=True)

    async def verify(self, by: Person, hospital: str | None, study_id: str | None, *, address: str) -> RunReply:
        if hospital is not None:
            await self._check(by, hospital)
        run = await self._archive.verifier.begin(f"user:{by.user_id}", hospital, study_id)
        await self._record(Action.ARCHIVE_VERIFY, by, run.id, address)
        return msgspec.convert(run, RunReply, from_attributes=True)

    async def _names(self) -> dict[str, str]:
        return {hospital.code: hospital.name for hospital in await self._people.hospitals()}

    async def _check(self, by: Person, hospital: str) -> None:
        if not may_look_after(by, hospital) or hospital not in await self._names():
            raise NoSuchHoldings()

    async def _record(
        self, action: Action, by: Person, subject: str, address: str, study_id: str | None = None
    ) -> None:
        entry = Entry(
            action, actor_of(by), Purpose.ADMINISTRATION, study_id=study_id, subject_id=subject, address=address
        )
        await self._audit.record(entry)

    async def _tell(self, study_ids: Sequence[str]) -> None:
        for study_id in study_ids:
            await self._archive.on_stored(study_id)


def _usage(held: Usage, name: str) -> HospitalUsage:
    quota = QuotaBody(held.soft_bytes, held.hard_bytes, held.soft_instances, held.hard_instances)
    return HospitalUsage(
        held.owner,
        name,
        held.instance_count,
        held.size_bytes,
        quota,
        level_of(held.instance_count, held.size_bytes, quota),
        held.waiting_count,
        held.leaving_count,
        held.leaving_bytes,
    )
