"""The index rows of arriving instances, written in one transaction. Counters are exact under concurrency.

Studies are locked in a fixed order first, their hospitals' holdings after them; whoever holds a study's lock decides
alone which instances are new in it. On SQLite the write transaction itself is that lock.
"""

from collections import Counter
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from foundation.ids import new_id
from imaging.dicom.names import name_key
from imaging.store import reasons, words
from imaging.store.holdings import open_ledger
from imaging.store.identity import COMPARED
from imaging.store.lifecycle import Apart, Why
from imaging.store.placing import PLACED_AS, Arrival, LockedStudy, Placed, PlacedAs, Plan, bytes_of, fitted
from imaging.store.tables import Base, Instance, InstanceHeader, Series, Study, StudyWord

_STUDY, _SERIES, _INSTANCE, _APART = (entity.core() for entity in (Study, Series, Instance, Apart))


def write(connection: Connection, arrivals: list[Arrival], now: datetime) -> list[Placed]:
    """Rows for ``arrivals``; one answer for each, in order. The first of several alike is the one stored."""
    studies = ensure_studies(connection, arrivals, now)
    ledger = open_ledger(connection, {arrival.owner for arrival in arrivals}, now)
    plan = Plan(ledger, studies, existing(connection, arrivals), kept_apart(connection, arrivals))
    for arrival in arrivals:
        plan.place(arrival)
    execute(connection, plan)
    return plan.placed


def ensure_studies(
    connection: Connection, arrivals: list[Arrival], now: datetime
) -> dict[tuple[str, str], LockedStudy]:
    """Lock the studies, then make the missing ones, both in one order; owner and UID → study.

    One that was emptied by deletion describes the first instance that comes to it again.
    """
    first = {arrival.study: arrival for arrival in reversed(arrivals)}
    found = lock_studies(connection, list(first))
    missing = sorted(first.keys() - found.keys())
    if missing:
        rows = [_study_row(first[study], now) for study in missing]
        for row in rows:
            _add_if_missing(connection, Study, row, ["owner", "study_instance_uid"])
        found |= lock_studies(connection, missing)
        _add_words(connection, rows, {study.key for study in found.values()})
    for study, locked in found.items():
        if locked.is_empty and study not in missing:
            found[study] = _described_anew(connection, locked, first[study])
    return found


def _add_words(connection: Connection, rows: list[dict[str, Any]], kept: set[str]) -> None:
    """What the new studies are found by; ``kept``: keys, among them those of the rows that were not there before."""
    found = [word for row in rows if row["id"] in kept for word in words.rows_of(row)]
    if found:
        connection.execute(insert(_table(StudyWord)), found)


def lock_studies(connection: Connection, studies: list[tuple[str, str]]) -> dict[tuple[str, str], LockedStudy]:
    """Those of the studies, by owner and UID, that exist; locked in one order."""
    columns = _STUDY.owner, _STUDY.study_instance_uid
    query = (
        select(*columns, _STUDY.id, _STUDY.instance_count, *(_STUDY[name] for name in COMPARED))
        .where(tuple_(*columns).in_(studies))
        .order_by(*columns)
        .with_for_update()
    )
    return {
        (owner, uid): LockedStudy(key, count == 0, dict(zip(COMPARED, patient, strict=True)))
        for owner, uid, key, count, *patient in connection.execute(query)
    }


def _described_anew(connection: Connection, study: LockedStudy, arrival: Arrival) -> LockedStudy:
    described = _description(arrival)
    connection.execute(update(_table(Study)).where(_STUDY.id == study.key).values(described))
    connection.execute(delete(_table(StudyWord)).where(StudyWord.core().study_key == study.key))
    _add_words(connection, [{"id": study.key, "owner": arrival.owner, **described}], {study.key})
    return LockedStudy(study.key, True, {name: described[name] for name in COMPARED})


def _ensure_series(connection: Connection, plan: Plan) -> tuple[dict[tuple[str, str], str], Counter[str]]:
    """(study key and series UID → series key, how many series are new in each study), for what is to be stored."""
    first = {(key, a.attributes.series_instance_uid): a for a, key in reversed(plan.stored)}
    columns = _SERIES.study_key, _SERIES.series_instance_uid
    query = select(*columns, _SERIES.id).where(tuple_(*columns).in_(list(first)))
    found = {(study, uid): key for study, uid, key in connection.execute(query)}
    missing = first.keys() - found.keys()
    rows = {series: _series_row(first[series], series[0], plan.ledger.now) for series in missing}
    if rows:
        connection.execute(insert(_table(Series)), list(rows.values()))
    found |= {series: row["id"] for series, row in rows.items()}
    return found, Counter(study for study, _ in missing)


def _add_if_missing(connection: Connection, entity: type[Base], row: dict[str, Any], unique: list[str]) -> None:
    """Insert ``row`` unless another process has just made one with the same ``unique`` columns."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(_table(entity)).on_conflict_do_nothing(index_elements=unique), row)


def _table(entity: type[Base]) -> Table:
    """For plain inserts: the ORM's bulk insert costs a multiple of the statement."""
    return cast(Table, entity.__table__)


_EXISTING: Final = (
    select(_STUDY.owner, _STUDY.study_instance_uid, _SERIES.series_instance_uid, _INSTANCE.sop_instance_uid)
    .add_columns(_INSTANCE.sha256)
    .where(_SERIES.id == _INSTANCE.series_key, _STUDY.id == _SERIES.study_key)
    .where(
        _INSTANCE.sop_instance_uid.in_(bindparam("instances", expanding=True)),
        _STUDY.owner.in_(bindparam("owners", expanding=True)),
    )
)
_KEPT_APART: Final = select(
    _APART.owner,
    _APART.study_instance_uid,
    _APART.series_instance_uid,
    _APART.sop_instance_uid,
    _APART.sha256,
    _APART.why,
    _APART.reason,
).where(
    _APART.sop_instance_uid.in_(bindparam("instances", expanding=True)),
    _APART.owner.in_(bindparam("owners", expanding=True)),
)


def _named(arrivals: list[Arrival]) -> dict[str, list[str]]:
    return {
        "instances": list({arrival.attributes.sop_instance_uid for arrival in arrivals}),
        "owners": list({arrival.owner for arrival in arrivals}),
    }


def existing(connection: Connection, arrivals: list[Arrival]) -> dict[tuple[str, ...], str]:
    """What the owners have stored under these SOP Instance UIDs, in whatever study: path → digest."""
    return {tuple(path): digest for *path, digest in connection.execute(_EXISTING, _named(arrivals))}


def kept_apart(connection: Connection, arrivals: list[Arrival]) -> dict[tuple[str, ...], PlacedAs]:
    """What is known of bytes that are not to be stored again: path and digest → what to answer."""
    known: dict[tuple[str, ...], PlacedAs] = {}
    for *path, why, reason in connection.execute(_KEPT_APART, _named(arrivals)):
        if why != Why.DELETED or not reasons.may_return(reason):
            known[tuple(path)] = PLACED_AS[Why(why)]
    return known


def execute(connection: Connection, plan: Plan) -> None:
    """Write what was planned."""
    rows: list[dict[str, Any]] = []
    new_series: Counter[str] = Counter()
    if plan.stored:
        series, new_series = _ensure_series(connection, plan)
        rows = [
            _instance_row(arrival, key, series[key, arrival.attributes.series_instance_uid], plan.ledger.now)
            for arrival, key in plan.stored
        ]
        connection.execute(insert(_table(Instance)), rows)
        headers = [_header_row(arrival, row["id"]) for (arrival, _), row in zip(plan.stored, rows, strict=True)]
        connection.execute(insert(_table(InstanceHeader)), headers)
    if plan.set_aside:
        connection.execute(insert(_table(Apart)), plan.set_aside)
    _count(connection, rows, new_series, plan.ledger.now)
    plan.ledger.write(connection)


# Put together once: making such a statement costs more than running it.
_GROW_SERIES: Final = (
    update(_table(Series))
    .where(_SERIES.id == bindparam("key"))
    .values(
        instance_count=_SERIES.instance_count + bindparam("arrived"),
        revision=_SERIES.revision + 1,
        updated_at=bindparam("now"),
    )
)
_GROW_STUDY: Final = (
    update(_table(Study))
    .where(_STUDY.id == bindparam("key"))
    .values(
        series_count=_STUDY.series_count + bindparam("new_series"),
        instance_count=_STUDY.instance_count + bindparam("arrived"),
        size_bytes=_STUDY.size_bytes + bindparam("bytes"),
        revision=_STUDY.revision + 1,
        updated_at=bindparam("now"),
    )
)


def _count(connection: Connection, rows: list[dict[str, Any]], new_series: Counter[str], now: datetime) -> None:
    for series_key, arrived in Counter(row["series_key"] for row in rows).items():
        connection.execute(_GROW_SERIES, {"key": series_key, "arrived": arrived, "now": now})
    for study_key, arrived in Counter(row["study_key"] for row in rows).items():
        grown = {
            "key": study_key,
            "arrived": arrived,
            "new_series": new_series[study_key],
            "bytes": sum(row["size_bytes"] for row in rows if row["study_key"] == study_key),
            "now": now,
        }
        connection.execute(_GROW_STUDY, grown)


def _description(arrival: Arrival) -> dict[str, str]:
    described = fitted(Study, arrival.attributes.study)
    return {**described, **fitted(Study, {"patient_name_key": name_key(described["patient_name"])})}


def _study_row(arrival: Arrival, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "owner": arrival.owner,
        "study_instance_uid": arrival.attributes.study_instance_uid,
        **_description(arrival),
        **dict.fromkeys(("series_count", "instance_count", "size_bytes", "revision"), 0),
        "created_at": now,
        "updated_at": now,
    }


def _series_row(arrival: Arrival, study_key: str, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "study_key": study_key,
        "series_instance_uid": arrival.attributes.series_instance_uid,
        **fitted(Series, arrival.attributes.series),
        "series_number": arrival.attributes.series_number,
        "instance_count": 0,
        "revision": 0,
        "created_at": now,
        "updated_at": now,
    }


def _instance_row(arrival: Arrival, study_key: str, series_key: str, now: datetime) -> dict[str, Any]:
    found = arrival.attributes
    return {
        "id": new_id(),
        "study_key": study_key,
        "series_key": series_key,
        "sop_instance_uid": found.sop_instance_uid,
        "sop_class_uid": found.sop_class_uid,
        "transfer_syntax_uid": arrival.examined.transfer_syntax_uid,
        "instance_number": found.instance_number,
        "rows": found.rows,
        "columns": found.columns,
        "bits_allocated": found.bits_allocated,
        "number_of_frames": found.number_of_frames,
        "remarks": [str(remark) for remark in arrival.examined.remarks],
        "received_at": now,
        **bytes_of(arrival),
    }


def _header_row(arrival: Arrival, instance_key: str) -> dict[str, Any]:
    examined = arrival.examined
    return {"instance_key": instance_key, "metadata_json": examined.metadata_json, "layout": examined.layout}
