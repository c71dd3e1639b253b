"""Deleting, restoring and at last erasing instances, and deciding about those that were set aside.

Deleting takes rows out of the index at once and keeps the bytes for a grace period. Erasing is in two steps, so that a
process that dies between them leaves neither bytes nobody knows of nor a row that promises bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, Select, Table, and_, bindparam, exists, select, update

from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import Conflict, NotFound
from imaging.dicom.reading import Examined
from imaging.errors import BlobAway
from imaging.guard import Access
from imaging.store import records, retention
from imaging.store.blobs import Blobs
from imaging.store.catalog import Catalog
from imaging.store.derivatives import Derivatives
from imaging.store.holdings import open_ledger
from imaging.store.ingest import Ingest
from imaging.store.lifecycle import Apart, Kind, RetentionPolicy, State, Why
from imaging.store.moving import Apartness, Kept, Path, Returned, Taken, put_back, take_out
from imaging.store.reasons import RETENTION_OVER
from imaging.store.tables import Study

# Instances put back or erased in one transaction.
AT_ONCE: Final = 200
# Studies that a retention run deletes in one step.
STUDIES_AT_ONCE: Final = 20

_STUDY, _APART = Study.core(), Apart.core()
_APARTS: Final = cast(Table, Apart.__table__)


class NothingToDelete(NotFound):
    code, title = "archive.nothing_to_delete", "Nothing of that name is stored"


class NothingApart(NotFound):
    code, title = "archive.nothing_apart", "Nothing of that name is kept apart"


class CannotReturn(Conflict):
    code, title = "archive.cannot_return", "It cannot be put back: its bytes are away or other ones are served"


@dataclass(frozen=True, slots=True)
class Decided:
    """instances: how many the act was about. study_ids: our keys of the studies that changed."""

    instances: int
    study_ids: list[str]


class Deletion:
    """grace: how long deleted and rejected bytes are kept."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        ingest: Ingest,
        catalog: Catalog,
        derivatives: Derivatives,
        *,
        clock: Clock,
        grace: timedelta,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._ingest = ingest
        self._catalog = catalog
        self._derivatives = derivatives
        self._clock = clock
        self._grace = grace

    async def delete(self, path: Path, reason_code: str) -> Taken:
        """Take what ``path`` names out of the index. Raises UnknownReason, NothingToDelete, OnHold, StillKept."""
        reason, now = retention.reason_of(reason_code), self._clock()
        how = Apartness(Why.DELETED, State.LEAVING, Kind.DELETED, reason.code, now + self._grace)

        def work(connection: Connection) -> Taken:
            study = records.lock_studies(connection, [path[:2]]).get(path[:2])
            if study is None:
                raise NothingToDelete()
            retention.check_deletion(connection, path.owner, study.key, reason, now.date())
            ledger = open_ledger(connection, [path.owner], now)
            taken = take_out(connection, ledger, study, path, how)
            if not taken.instance_keys:
                raise NothingToDelete()
            ledger.write(connection)
            return taken

        taken = await self._database.change(work)
        self._catalog.forget(path.study_instance_uid)
        await self._forget(taken.instance_keys)
        return taken

    async def was_deleted(self, access: Access, study: str, series: str | None, instance: str | None) -> bool:
        """Whether something of that name was deleted that the caller could see."""
        query = select(_APART.owner, _APART.study_key).where(
            _APART.why == Why.DELETED, *_named(study, series, instance)
        )
        rows = await self._database.look(lambda connection: connection.execute(query.distinct()).all())
        return any(access.admits(owner, study_key) for owner, study_key in rows)

    async def restore(self, owner: str, act: str) -> Decided:
        """Put back what one act deleted. Raises NothingApart, CannotReturn."""
        condition = and_(_APART.owner == owner, _APART.act == act, _APART.state == State.LEAVING)
        return await self._return(_KEPT.where(condition, _APART.why == Why.DELETED), Kind.RESTORED)

    async def release(self, owner: str, apart_ids: Sequence[str]) -> Decided:
        """Serve instances that were set aside, in place of other bytes where there are. Raises as :meth:`restore`."""
        chosen = _KEPT.where(_APART.owner == owner, _APART.id.in_(apart_ids), _APART.why != Why.DELETED)
        replacing = await self._rows(chosen.where(_APART.why == Why.OTHER_BYTES).with_only_columns(_APART.id))
        return await self._return(chosen, Kind.REPLACED if replacing else Kind.RELEASED)

    async def reject(self, owner: str, apart_ids: Sequence[str]) -> Decided:
        """Let instances that were set aside go: they are erased after the grace period. Raises NothingApart."""
        now = self._clock()
        chosen = and_(_APART.owner == owner, _APART.id.in_(apart_ids), _APART.state == State.OPEN)
        query = select(*_NAMES).where(chosen)

        def work(connection: Connection) -> int:
            ledger = open_ledger(connection, [owner], now)
            rows = connection.execute(query.with_for_update()).all()
            for row in rows:
                ledger.note(Kind.REJECTED, {**row._mapping})
            going = {"state": State.LEAVING, "erase_at": now + self._grace}
            connection.execute(update(_APARTS).where(chosen).values(going))
            ledger.write(connection)
            return len(rows)

        count = await self._database.change(work)
        if not count:
            raise NothingApart()
        return Decided(count, [])

    async def erase_due(self) -> int:
        """Erase what has been kept its grace period, a bounded number; how many."""
        now = self._clock()
        await self._database.change(lambda connection: connection.execute(_BEGIN_ERASING, {"now": now}))
        rows = await self._rows(_ERASING)
        for row in rows:
            await self._blobs.delete(row.blob_key)
        if rows:
            await self._database.change(lambda connection: _erased(connection, rows, now))
        return len(rows)

    async def delete_overdue(self) -> int:
        """Delete what policies that say so no longer keep, a bounded number of studies; how many."""
        now = self._clock()
        due = await self._database.look(lambda connection: _overdue(connection, now))
        for path in due:
            await self.delete(path, RETENTION_OVER)
        return len(due)

    async def _return(self, chosen: Select[Any], kind: Kind) -> Decided:
        rows = await self._rows(chosen.where(_APART.state.in_([State.OPEN, State.LEAVING])))
        if not rows:
            raise NothingApart()
        studies: set[str] = set()
        for start in range(0, len(rows), AT_ONCE):
            kept = [await self._read(row) for row in rows[start : start + AT_ONCE]]
            back = await self._put_back(kept, kind)
            studies |= set(back.study_keys)
            await self._forget(back.replaced)
        if not studies:
            raise CannotReturn("Other bytes are served under the same UIDs; choose between them instead.")
        self._derivatives.wake()
        return Decided(len(rows), sorted(studies))

    async def _put_back(self, kept: Sequence[Kept], kind: Kind) -> Returned:
        now = self._clock()
        back = await self._database.change(lambda connection: put_back(connection, kept, kind, now))
        for uid in {one.examined.study_instance_uid for one in kept}:
            self._catalog.forget(uid)
        return back

    async def _forget(self, instance_keys: Sequence[str]) -> None:
        for start in range(0, len(instance_keys), AT_ONCE):
            await self._derivatives.forget(instance_keys[start : start + AT_ONCE])

    async def _read(self, row: Row[Any]) -> Kept:
        try:
            examined = await self._ingest.examine_blob(row.blob_key)
        except (BlobAway, OSError) as error:
            raise CannotReturn("Its bytes cannot be read.") from error
        if not isinstance(examined, Examined) or examined.sha256 != row.sha256:
            raise CannotReturn("Its bytes are not what was received.")
        return Kept(row.id, row.owner, row.blob_key, examined)

    async def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        return await self._database.look(lambda connection: connection.execute(query).all())


_NAMES: Final = (
    _APART.owner,
    _APART.study_key,
    _APART.study_instance_uid,
    _APART.series_instance_uid,
    _APART.sop_instance_uid,
    _APART.sha256,
    _APART.reason,
)
_KEPT: Final = select(_APART.id, _APART.owner, _APART.blob_key, _APART.sha256).order_by(_APART.id)
_FREE: Final = ~exists().where(retention.on_hold(_APART.owner, _APART.study_instance_uid))
_BEGIN_ERASING: Final = (
    update(_APARTS)
    .where(
        _APART.id.in_(
            select(_APART.id)
            .where(_APART.state == State.LEAVING, _APART.erase_at <= bindparam("now"), _FREE)
            .limit(AT_ONCE)
        ),
        _APART.state == State.LEAVING,
    )
    .values(state=State.ERASING)
)
_ERASING: Final = (
    select(_APART.id, _APART.blob_key, _APART.size_bytes, *_NAMES).where(_APART.state == State.ERASING).limit(AT_ONCE)
)
_ERASED: Final = (
    update(_APARTS)
    .where(_APART.id == bindparam("key"), _APART.state == State.ERASING)
    .values(state=State.ERASED, blob_key=None, differences=[], erased_at=bindparam("now"))
)


def _named(study: str, series: str | None, instance: str | None) -> list[Any]:
    named = [
        (_APART.study_instance_uid, study),
        (_APART.series_instance_uid, series),
        (_APART.sop_instance_uid, instance),
    ]
    return [column == uid for column, uid in named if uid is not None]


def _erased(connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
    ledger = open_ledger(connection, {row.owner for row in rows}, now)
    for row in rows:
        # Another process may have erased it at the same time.
        if connection.execute(_ERASED, {"key": row.id, "now": now}).rowcount:
            ledger.arrived(row.owner, -row.size_bytes, -1)
            ledger.note(Kind.ERASED, {**row._mapping})
    ledger.write(connection)


def _overdue(connection: Connection, now: datetime) -> list[Path]:
    owners = connection.scalars(select(RetentionPolicy.core().owner).distinct())
    due: list[Path] = []
    for policy in (retention.policy_of(connection, owner) for owner in owners.all()):
        if policy.automatic and len(due) < STUDIES_AT_ONCE:
            query = select(_STUDY.owner, _STUDY.study_instance_uid).where(*retention.overdue(policy, now.date()))
            due += [Path(*row) for row in connection.execute(query.limit(STUDIES_AT_ONCE - len(due)))]
    return due
