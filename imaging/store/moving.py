"""Instances taken out of what is served and put back into it, inside a transaction. Counters stay exact.

The study is locked first, the holdings after it, as in ``records``; so an arrival, a deletion and a decision about the
same study happen one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, delete, insert, select, update

from foundation.ids import new_id
from imaging.dicom.reading import Examined
from imaging.store import records
from imaging.store.holdings import Ledger, open_ledger
from imaging.store.lifecycle import Apart, Kind, State, Why
from imaging.store.placing import Arrival, LockedStudy, Plan
from imaging.store.tables import Instance, Series, Study

_STUDY, _SERIES, _INSTANCE, _APART = (entity.core() for entity in (Study, Series, Instance, Apart))
_STUDIES, _SERIES_TABLE, _INSTANCES, _APARTS = (
    cast(Table, entity.__table__) for entity in (Study, Series, Instance, Apart)
)


class Path(NamedTuple):
    """What a deletion names: a study of a hospital, or a series or an instance of it."""

    owner: str
    study_instance_uid: str
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None


@dataclass(frozen=True, slots=True)
class Apartness:
    """How instances are to be kept apart: the columns of lifecycle.Apart that are the same for all of an act."""

    why: Why
    state: State
    kind: Kind
    reason: str = ""
    erase_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken out. act: names it. study_key: ours. instance_keys: what copies were made under."""

    act: str
    study_key: str
    instance_keys: list[str]
    size_bytes: int


def take_out(connection: Connection, ledger: Ledger, study: LockedStudy, path: Path, how: Apartness) -> Taken:
    """Move what ``path`` names out of the locked study; nothing found: nothing taken."""
    found = connection.execute(_TAKEN.where(_INSTANCE.study_key == study.key, *_below(path))).all()
    act = new_id()
    rows = [_apart_row(row, path.owner, act, how) for row in found]
    if rows:
        connection.execute(insert(_APARTS), rows)
        connection.execute(_REMOVE, [{"key": row.id} for row in found])
        for row in rows:
            ledger.note(how.kind, row)
        _shrink(connection, study.key, found, ledger.now)
    return Taken(act, study.key, [row.id for row in found], sum(row.size_bytes for row in found))


_TAKEN: Final = select(
    _INSTANCE.id,
    _INSTANCE.series_key,
    _INSTANCE.study_key,
    _STUDY.study_instance_uid,
    _SERIES.series_instance_uid,
    _INSTANCE.sop_instance_uid,
    _INSTANCE.sop_class_uid,
    _INSTANCE.blob_key,
    _INSTANCE.size_bytes,
    _INSTANCE.sha256,
    _INSTANCE.received_at,
).where(_SERIES.id == _INSTANCE.series_key, _STUDY.id == _INSTANCE.study_key)
_REMOVE: Final = delete(_INSTANCES).where(_INSTANCE.id == bindparam("key"))
_SHRINK_SERIES: Final = (
    update(_SERIES_TABLE)
    .where(_SERIES.id == bindparam("key"))
    .values(
        instance_count=_SERIES.instance_count - bindparam("gone"),
        revision=_SERIES.revision + 1,
        updated_at=bindparam("now"),
    )
)
_SHRINK_STUDY: Final = (
    update(_STUDIES)
    .where(_STUDY.id == bindparam("key"))
    .values(
        series_count=_STUDY.series_count - bindparam("series"),
        instance_count=_STUDY.instance_count - bindparam("gone"),
        size_bytes=_STUDY.size_bytes - bindparam("bytes"),
        revision=_STUDY.revision + 1,
        updated_at=bindparam("now"),
    )
)


def _below(path: Path) -> list[ColumnElement[bool]]:
    named = [
        (_SERIES.series_instance_uid, path.series_instance_uid),
        (_INSTANCE.sop_instance_uid, path.sop_instance_uid),
    ]
    return [column == uid for column, uid in named if uid is not None]


def _apart_row(row: Any, owner: str, act: str, how: Apartness) -> dict[str, Any]:
    copied = (
        "study_key",
        "study_instance_uid",
        "series_instance_uid",
        "sop_instance_uid",
        "sop_class_uid",
        "blob_key",
        "size_bytes",
        "sha256",
        "received_at",
    )
    return {
        "id": new_id(),
        "owner": owner,
        **{name: getattr(row, name) for name in copied},
        "why": how.why,
        "state": how.state,
        "differences": [],
        "reason": how.reason,
        "act": act,
        "erase_at": how.erase_at,
        "erased_at": None,
    }


def _shrink(connection: Connection, study_key: str, found: Sequence[Any], now: datetime) -> None:
    gone: dict[str, int] = {}
    for row in found:
        gone[row.series_key] = gone.get(row.series_key, 0) + 1
    for key, count in gone.items():
        connection.execute(_SHRINK_SERIES, {"key": key, "gone": count, "now": now})
    emptied = connection.execute(
        delete(_SERIES_TABLE).where(_SERIES.study_key == study_key, _SERIES.instance_count == 0)
    ).rowcount
    size = sum(row.size_bytes for row in found)
    shrunk = {"key": study_key, "series": emptied, "gone": len(found), "bytes": size, "now": now}
    connection.execute(_SHRINK_STUDY, shrunk)


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of lifecycle.Apart that may be put back, with its bytes read again."""

    id: str
    owner: str
    blob_key: str
    examined: Examined

    @property
    def arrival(self) -> Arrival:
        return Arrival(self.owner, self.examined, self.blob_key)


@dataclass(frozen=True, slots=True)
class Returned:
    """study_keys: of the studies instances came back to. replaced: keys of instances that went for them."""

    study_keys: list[str]
    replaced: list[str]


def put_back(connection: Connection, kept: Sequence[Kept], kind: Kind, now: datetime) -> Returned:
    """Serve what is kept apart, whatever contradicted.

    Rows that were decided otherwise meanwhile are left alone. Where other bytes are served under the same UIDs these
    are kept apart instead when ``kind`` is REPLACED, else they stay and the row waits on.
    """
    arrivals = [one.arrival for one in kept]
    studies = records.ensure_studies(connection, arrivals, now)
    ledger = open_ledger(connection, {one.owner for one in kept}, now)
    still = set(connection.scalars(_STILL_APART, {"ids": [one.id for one in kept]}))
    plan = Plan(ledger, studies, records.existing(connection, arrivals), {})
    back, replaced = [], list[str]()
    for one, arrival in zip(kept, arrivals, strict=True):
        if one.id not in still:
            continue
        if arrival.path in plan.known:
            if kind is not Kind.REPLACED:
                continue
            how = Apartness(Why.OTHER_BYTES, State.OPEN, Kind.CONFLICT)
            taken = take_out(connection, ledger, studies[arrival.study], Path(*arrival.path), how)
            replaced += taken.instance_keys
        plan.store(arrival, studies[arrival.study], kind)
        back.append(one.id)
    connection.execute(delete(_APARTS).where(_APART.id.in_(back)))
    records.execute(connection, plan)
    return Returned(sorted({placed.study_id for placed in plan.placed}), replaced)


_STILL_APART: Final = select(_APART.id).where(
    and_(
        _APART.id.in_(bindparam("ids", expanding=True)),
        _APART.state.in_([State.OPEN, State.LEAVING]),
    )
)
