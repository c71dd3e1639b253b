"""How long studies are kept: the rules of retention.json, a hospital's policy, legal holds. The checks of a deletion.

A study is old when its date, or without a usable one its arrival, lies more than the policy's years back.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, func, insert, or_, select, update

from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import Conflict, Invalid, NotFound
from foundation.ids import new_id
from imaging.store.lifecycle import LegalHold, RetentionPolicy
from imaging.store.reasons import BOOK, LONGEST, REASONS, RULES, Reason
from imaging.store.tables import Study

LISTED: Final = 500

_STUDY, _HOLD, _POLICY = Study.core(), LegalHold.core(), RetentionPolicy.core()


class StillKept(Conflict):
    code, title = "archive.still_kept", "The study must be kept for some time yet"


class OnHold(Conflict):
    code, title = "archive.on_hold", "The study is under a legal hold"


class UnknownReason(Invalid):
    code, title = "archive.reason", "Give one of the coded reasons"


class BadPolicy(Invalid):
    code, title = "archive.policy", "A policy keeps studies no shorter than its rule"


class NoSuchHold(NotFound):
    code, title = "archive.no_hold", "No such legal hold"


@dataclass(frozen=True, slots=True)
class Policy:
    """A hospital's policy, as lifecycle.RetentionPolicy describes it; set_at None: nobody has set one yet."""

    owner: str
    rule: str
    book_version: int
    source: str
    years: int
    automatic: bool
    set_by: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """As lifecycle.LegalHold."""

    id: str
    owner: str
    study_instance_uid: str
    note: str
    placed_by: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """What a retention run would delete. studies: (UID, study date, instances, bytes) of the oldest LISTED."""

    study_count: int
    instance_count: int
    size_bytes: int
    studies: list[tuple[str, str, int, int]]


def reason_of(code: str) -> Reason:
    """Raises UnknownReason."""
    if code not in REASONS:
        raise UnknownReason(f"Give one of {', '.join(REASONS)} (PS3.16 CID 7011).")
    return REASONS[code]


def keep_until(study_date: str, arrived: datetime, years: int) -> date:
    """The day from which a study need not be kept any more."""
    try:
        day = datetime.strptime(study_date, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        day = arrived.date()
    leap = day.month == 2 and day.day == 29
    return day.replace(year=day.year + years, day=28 if leap else day.day)


def policy_of(connection: Connection, owner: str) -> Policy:
    """The newest; by default the longest rule, and nothing is deleted by itself."""
    columns = [_POLICY[name] for name in Policy.__dataclass_fields__]
    newest = select(*columns).where(_POLICY.owner == owner).order_by(_POLICY.id.desc()).limit(1)
    row = connection.execute(newest).first()
    return Policy(*row) if row else Policy(owner, LONGEST.code, BOOK.version, LONGEST.source, LONGEST.years, False)


def check_deletion(connection: Connection, owner: str, study_key: str, reason: Reason, today: date) -> None:
    """Raises OnHold, or StillKept where the reason does not excuse it."""
    uid, study_date, created_at = connection.execute(
        select(_STUDY.study_instance_uid, _STUDY.study_date, _STUDY.created_at).where(_STUDY.id == study_key)
    ).one()
    if connection.scalar(select(exists().where(on_hold(owner, uid)))):
        raise OnHold("Lift the legal hold first.")
    until = keep_until(study_date, created_at, policy_of(connection, owner).years)
    if today < until and not reason.within_retention:
        raise StillKept("Its retention period is not over.", keep_until=until.isoformat())


def on_hold(owner: object, study_instance_uid: object) -> ColumnElement[bool]:
    """A legal hold that is not lifted; either may be a column."""
    return and_(_HOLD.owner == owner, _HOLD.study_instance_uid == study_instance_uid, _HOLD.lifted_at.is_(None))


def overdue(policy: Policy, today: date) -> list[ColumnElement[bool]]:
    """The studies that a policy no longer keeps, as conditions on ``studies``. The text of a date sorts by time."""
    before = keep_until(today.strftime("%Y%m%d"), datetime.now(UTC), -policy.years)
    dated = func.length(_STUDY.study_date) == 8
    midnight = datetime(before.year, before.month, before.day, tzinfo=UTC)
    return [
        _STUDY.owner == policy.owner,
        _STUDY.instance_count > 0,
        or_(
            and_(dated, _STUDY.study_date <= before.strftime("%Y%m%d")),
            and_(~dated, _STUDY.created_at < midnight),
        ),
        ~exists().where(on_hold(_STUDY.owner, _STUDY.study_instance_uid)),
    ]


class Retention:
    """Policies and holds, and what a policy would delete."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def policy(self, owner: str) -> Policy:
        return await self._database.look(lambda connection: policy_of(connection, owner))

    async def set_policy(self, owner: str, rule: str, years: int, automatic: bool, by: str) -> Policy:
        """Raises BadPolicy for an unknown rule, or for fewer years than it asks."""
        if rule not in RULES or years < RULES[rule].years:
            raise BadPolicy(f"Give one of the rules {', '.join(RULES)} and at least its years.")
        policy = Policy(owner, rule, BOOK.version, RULES[rule].source, years, automatic, by, self._clock())
        row = {"id": new_id(), **{name: getattr(policy, name) for name in Policy.__dataclass_fields__}}
        await self._database.change(lambda connection: connection.execute(insert(RetentionPolicy), row))
        return policy

    async def would_delete(self, owner: str) -> Overdue:
        """The dry run: exact counts, and the oldest by name."""
        today = self._clock().date()

        def look(connection: Connection) -> Overdue:
            conditions = overdue(policy_of(connection, owner), today)
            figures = select(
                func.count(),
                func.coalesce(func.sum(_STUDY.instance_count), 0),
                func.coalesce(func.sum(_STUDY.size_bytes), 0),
            ).where(*conditions)
            count, instances, size = connection.execute(figures).one()
            oldest = (
                select(_STUDY.study_instance_uid, _STUDY.study_date, _STUDY.instance_count, _STUDY.size_bytes)
                .where(*conditions)
                .order_by(_STUDY.study_date, _STUDY.id)
                .limit(LISTED)
            )
            return Overdue(count, int(instances), int(size), [(*row,) for row in connection.execute(oldest)])

        return await self._database.look(look)

    async def place_hold(self, owner: str, study_instance_uid: str, note: str, by: str) -> Hold:
        """Also on a study that is deleted already: it is not erased then."""
        hold = Hold(new_id(), owner, study_instance_uid, note, by, self._clock())
        row = {name: getattr(hold, name) for name in Hold.__dataclass_fields__}
        await self._database.change(
            lambda connection: connection.execute(insert(LegalHold), {**row, "lifted_by": "", "lifted_at": None})
        )
        return hold

    async def lift_hold(self, owner: str, hold_id: str, by: str) -> None:
        """Raises NoSuchHold."""
        lifted = (
            update(LegalHold)
            .where(_HOLD.id == bindparam("hold"), _HOLD.owner == bindparam("holder"), _HOLD.lifted_at.is_(None))
            .values(lifted_by=by, lifted_at=self._clock())
        )
        named = {"hold": hold_id, "holder": owner}
        if not await self._database.change(lambda connection: connection.execute(lifted, named).rowcount):
            raise NoSuchHold()

    async def holds(self, owner: str) -> list[Hold]:
        columns = [_HOLD[name] for name in Hold.__dataclass_fields__]
        query = select(*columns).where(_HOLD.owner == owner, _HOLD.lifted_at.is_(None)).order_by(_HOLD.id.desc())
        rows = await self._database.look(lambda connection: connection.execute(query.limit(LISTED)).all())
        return [Hold(*row) for row in rows]
