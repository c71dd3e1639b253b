"""What administrators look at: usage against quota, what is kept apart and why, what was deleted and may come back."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Connection, Table, and_, case, func, or_, select, update

from foundation.clock import Clock
from foundation.database import Database
from imaging.dicom.reading import Examined
from imaging.store.deletion import NothingApart
from imaging.store.holdings import open_ledger
from imaging.store.ingest import Ingest
from imaging.store.lifecycle import Apart, Holding, State, Why
from imaging.store.tables import Instance, InstanceHeader, Series, Study

LISTED: Final = 200
# Attributes of a comparison; the rest is counted in its length only.
COMPARED_AT_MOST: Final = 100

_APART, _HOLDING, _STUDY, _SERIES, _INSTANCE, _HEADER = (
    entity.core() for entity in (Apart, Holding, Study, Series, Instance, InstanceHeader)
)
_HOLDINGS: Final = cast(Table, Holding.__table__)


@dataclass(frozen=True, slots=True)
class Usage:
    """As lifecycle.Holding, with how much of it waits for a decision or for its erasure."""

    owner: str
    instance_count: int
    size_bytes: int
    soft_bytes: int | None
    hard_bytes: int | None
    soft_instances: int | None
    hard_instances: int | None
    waiting_count: int = 0
    leaving_count: int = 0
    leaving_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """None: no limit."""

    soft_bytes: int | None
    hard_bytes: int | None
    soft_instances: int | None
    hard_instances: int | None


@dataclass(frozen=True, slots=True)
class ApartRow:
    """As lifecycle.Apart."""

    id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    why: str
    differences: list[list[str]]
    size_bytes: int
    sha256: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class DeletedAct:
    """What was deleted of one study at once and is still there."""

    act: str
    study_instance_uid: str
    reason: str
    instance_count: int
    size_bytes: int
    erase_at: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """tag: eight hexadecimal digits. differences: (tag, as served, as set aside), cut short. count: of all of them."""

    differences: list[tuple[str, str, str]]
    count: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all hospitals. full_hospitals: at or over a hard limit."""

    size_bytes: int
    full_hospitals: int
    waiting: int


class Inventory:
    def __init__(self, database: Database, ingest: Ingest, clock: Clock) -> None:
        self._database = database
        self._ingest = ingest
        self._clock = clock

    async def usage(self, owners: Sequence[str]) -> list[Usage]:
        """One for each hospital, zero where nothing was ever stored."""
        return await self._database.look(lambda connection: _usage(connection, owners))

    async def totals(self) -> Totals:
        def look(connection: Connection) -> Totals:
            size, full = connection.execute(_TOTALS).one()
            return Totals(int(size), int(full), connection.scalar(_ALL_WAITING) or 0)

        return await self._database.look(look)

    async def set_quota(self, owner: str, quota: Quota) -> None:
        now, limits = self._clock(), {name: getattr(quota, name) for name in Quota.__dataclass_fields__}

        def work(connection: Connection) -> None:
            open_ledger(connection, [owner], now)
            connection.execute(update(_HOLDINGS).where(_HOLDING.owner == owner).values(limits))

        await self._database.change(work)

    async def waiting(self, owner: str, limit: int = LISTED) -> list[ApartRow]:
        """What waits for a decision, the newest first."""
        query = _WAITING.where(_APART.owner == owner, _APART.state == State.OPEN).limit(min(limit, LISTED))
        return [ApartRow(*row) for row in await self._database.look(lambda connection: connection.execute(query).all())]

    async def deleted(self, owner: str) -> list[DeletedAct]:
        """What may still be restored, that which goes first at the top."""
        query = (
            select(
                _APART.act,
                _APART.study_instance_uid,
                _APART.reason,
                func.count(),
                func.sum(_APART.size_bytes),
                func.min(_APART.erase_at),
            )
            .where(_APART.owner == owner, _APART.state == State.LEAVING, _APART.why == Why.DELETED)
            .group_by(_APART.act, _APART.study_instance_uid, _APART.reason)
            .order_by(func.min(_APART.erase_at), _APART.act)
            .limit(LISTED)
        )
        rows = await self._database.look(lambda connection: connection.execute(query).all())
        return [DeletedAct(act, uid, reason, count, int(size), at) for act, uid, reason, count, size, at in rows]

    async def compare(self, owner: str, apart_id: str) -> Comparison:
        """Header against header. Raises NothingApart."""
        row = await self._database.look(
            lambda connection: connection.execute(
                select(_APART.blob_key, *_PATH).where(_APART.owner == owner, _APART.id == apart_id)
            ).first()
        )
        if row is None or row.blob_key is None:
            raise NothingApart()
        examined = await self._ingest.examine_blob(row.blob_key)
        served = await self._database.look(
            lambda connection: connection.scalar(
                _SERVED.where(
                    _STUDY.owner == owner,
                    _STUDY.study_instance_uid == row.study_instance_uid,
                    _SERIES.series_instance_uid == row.series_instance_uid,
                    _INSTANCE.sop_instance_uid == row.sop_instance_uid,
                )
            )
        )
        if served is None or not isinstance(examined, Examined):
            return Comparison([], 0)
        return _compared(served, examined.metadata_json)


_FULL: Final = or_(_HOLDING.size_bytes >= _HOLDING.hard_bytes, _HOLDING.instance_count >= _HOLDING.hard_instances)
_TOTALS: Final = select(
    func.coalesce(func.sum(_HOLDING.size_bytes), 0), func.coalesce(func.sum(case((_FULL, 1), else_=0)), 0)
)
_ALL_WAITING: Final = select(func.count()).select_from(Apart.__table__).where(_APART.state == State.OPEN)
_PATH: Final = (_APART.study_instance_uid, _APART.series_instance_uid, _APART.sop_instance_uid)
_WAITING: Final = select(*(_APART[name] for name in ApartRow.__dataclass_fields__)).order_by(_APART.id.desc())
_SERVED: Final = select(_HEADER.metadata_json).where(
    _HEADER.instance_key == _INSTANCE.id, _SERIES.id == _INSTANCE.series_key, _STUDY.id == _SERIES.study_key
)


def _usage(connection: Connection, owners: Sequence[str]) -> list[Usage]:
    names = [name for name in Usage.__dataclass_fields__ if name in _HOLDING]
    held = {
        row.owner: row
        for row in connection.execute(select(*(_HOLDING[n] for n in names)).where(_HOLDING.owner.in_(owners)))
    }
    apart = {(row.owner, row.state): row for row in connection.execute(_apart_figures(owners))}
    found = []
    for owner in owners:
        figures: Sequence[Any] = held.get(owner, (owner, 0, 0, None, None, None, None))
        waiting, leaving = apart.get((owner, State.OPEN)), apart.get((owner, State.LEAVING))
        counts = [row.instances if row else 0 for row in (waiting, leaving)]
        found.append(Usage(*(*figures[:7], *counts, int(leaving.size) if leaving else 0)))
    return found


def _apart_figures(owners: Sequence[str]) -> Any:
    return (
        select(_APART.owner, _APART.state, func.count().label("instances"), func.sum(_APART.size_bytes).label("size"))
        .where(and_(_APART.owner.in_(owners), _APART.state.in_([State.OPEN, State.LEAVING])))
        .group_by(_APART.owner, _APART.state)
    )


def _compared(served: bytes, other: bytes) -> Comparison:
    left, right = (msgspec.json.decode(zlib.decompress(model)) for model in (served, other))
    tags = [tag for tag in sorted(left.keys() | right.keys()) if left.get(tag) != right.get(tag)]
    shown = [(tag, _text(left.get(tag)), _text(right.get(tag))) for tag in tags[:COMPARED_AT_MOST]]
    return Comparison(shown, len(tags))


def _text(element: Any) -> str:
    """An element as a person reads it, cut short; empty where it is absent."""
    if element is None:
        return ""
    values = element.get("Value", element.get("BulkDataURI", ""))
    return msgspec.json.encode(values).decode()[:200] if values else ""
