"""The index rows of arriving instances, written in one transaction. Counters are exact under concurrency.

Studies are locked in a fixed order first; whoever holds a study's lock decides alone which instances are new in it.
On SQLite the write transaction itself is that lock.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, cast

from sqlalchemy import Connection, String, Table, bindparam, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from foundation.ids import new_id
from imaging.dicom.attributes import Attributes
from imaging.dicom.names import name_key
from imaging.dicom.reading import Examined
from imaging.store import words
from imaging.store.tables import Base, Conflict, Instance, InstanceHeader, Series, Study, StudyWord

_STUDY, _SERIES, _INSTANCE, _CONFLICT = (entity.core() for entity in (Study, Series, Instance, Conflict))

Kind = Literal["stored", "already_stored", "conflict"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An examined instance for one owner; its bytes are durable under ``blob_key``."""

    owner: str
    examined: Examined
    blob_key: str

    @property
    def attributes(self) -> Attributes:
        return self.examined.attributes

    @property
    def study(self) -> tuple[str, str]:
        return self.owner, self.attributes.study_instance_uid


@dataclass(frozen=True, slots=True)
class Placed:
    """study_id: our key. uses_blob: a row now names the arrival's blob; otherwise nobody needs it."""

    kind: Kind
    study_id: str
    uses_blob: bool


def write(connection: Connection, arrivals: list[Arrival], now: datetime) -> list[Placed]:
    """Rows for ``arrivals``; one answer for each, in order. The first of several alike is the one stored."""
    studies = _ensure_studies(connection, arrivals, now)
    series, new_series = _ensure_series(connection, arrivals, studies, now)
    plan = _Plan(now, _existing(connection, arrivals, list(series.values())))
    for arrival in arrivals:
        study_key = studies[arrival.study]
        plan.place(arrival, study_key, series[study_key, arrival.attributes.series_instance_uid])
    _execute(connection, plan, new_series)
    return plan.placed


def _ensure_studies(connection: Connection, arrivals: list[Arrival], now: datetime) -> dict[tuple[str, str], str]:
    """Lock the studies, then make the missing ones, both in one order; owner and UID → key."""
    first = {arrival.study: arrival for arrival in reversed(arrivals)}
    found = _locked_studies(connection, list(first))
    missing = sorted(first.keys() - found.keys())
    if missing:
        rows = [_study_row(first[study], now) for study in missing]
        for row in rows:
            _add_if_missing(connection, Study, row, ["owner", "study_instance_uid"])
        found |= _locked_studies(connection, missing)
        _add_words(connection, rows, set(found.values()))
    return found


def _add_words(connection: Connection, rows: list[dict[str, Any]], kept: set[str]) -> None:
    """What the new studies are found by; ``kept``: keys, among them those of the rows that were not there before."""
    found = [word for row in rows if row["id"] in kept for word in words.rows_of(row)]
    if found:
        connection.execute(insert(_table(StudyWord)), found)


def _locked_studies(connection: Connection, studies: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    columns = _STUDY.owner, _STUDY.study_instance_uid
    query = select(*columns, _STUDY.id).where(tuple_(*columns).in_(studies)).order_by(*columns).with_for_update()
    return {(owner, uid): key for owner, uid, key in connection.execute(query)}


def _ensure_series(
    connection: Connection, arrivals: list[Arrival], studies: dict[tuple[str, str], str], now: datetime
) -> tuple[dict[tuple[str, str], str], Counter[str]]:
    """(study key and series UID → series key, how many series are new in each study); the studies are locked."""
    first = {(studies[a.study], a.attributes.series_instance_uid): a for a in reversed(arrivals)}
    columns = _SERIES.study_key, _SERIES.series_instance_uid
    query = select(*columns, _SERIES.id).where(tuple_(*columns).in_(list(first)))
    found = {(study, uid): key for study, uid, key in connection.execute(query)}
    missing = first.keys() - found.keys()
    rows = {series: _series_row(first[series], series[0], now) for series in missing}
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


def _existing(
    connection: Connection, arrivals: list[Arrival], series_keys: list[str]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Series key and SOP Instance UID → (instance key, digest)."""
    query = select(_INSTANCE.series_key, _INSTANCE.sop_instance_uid, _INSTANCE.id, _INSTANCE.sha256).where(
        _INSTANCE.series_key.in_(series_keys),
        _INSTANCE.sop_instance_uid.in_({a.attributes.sop_instance_uid for a in arrivals}),
    )
    return {(series, uid): (key, digest) for series, uid, key, digest in connection.execute(query)}


@dataclass(slots=True)
class _Plan:
    """Decides each arrival in turn and gathers the rows. known: as :func:`_existing`, grown by what is stored here."""

    now: datetime
    known: dict[tuple[str, str], tuple[str, str]]
    placed: list[Placed] = field(default_factory=list)
    instances: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, Any]] = field(default_factory=list)
    # Position in ``placed`` → row, for bytes that differ from what is stored.
    conflicts: dict[int, dict[str, Any]] = field(default_factory=dict)

    def place(self, arrival: Arrival, study_key: str, series_key: str) -> None:
        stored = self.known.get((series_key, arrival.attributes.sop_instance_uid))
        if stored is None:
            self._store(arrival, study_key, series_key)
            self.placed.append(Placed("stored", study_key, uses_blob=True))
        elif stored[1] == arrival.examined.sha256:
            self.placed.append(Placed("already_stored", study_key, uses_blob=False))
        else:
            self.conflicts[len(self.placed)] = self._conflict_row(arrival, stored[0])
            self.placed.append(Placed("conflict", study_key, uses_blob=True))

    def _store(self, arrival: Arrival, study_key: str, series_key: str) -> None:
        row = _instance_row(arrival, study_key, series_key, self.now)
        self.instances.append(row)
        self.headers.append(
            {
                "instance_key": row["id"],
                "metadata_json": arrival.examined.metadata_json,
                "layout": arrival.examined.layout,
            }
        )
        self.known[series_key, row["sop_instance_uid"]] = row["id"], row["sha256"]

    def _conflict_row(self, arrival: Arrival, instance_key: str) -> dict[str, Any]:
        return {"id": new_id(), "instance_key": instance_key, "received_at": self.now, **_bytes_of(arrival)}


def _set_aside(connection: Connection, plan: _Plan) -> None:
    """Rows for the conflicts; bytes that were set aside before need neither a row nor a blob again."""
    query = select(_CONFLICT.instance_key, _CONFLICT.sha256).where(
        _CONFLICT.instance_key.in_({row["instance_key"] for row in plan.conflicts.values()})
    )
    known = {(key, digest) for key, digest in connection.execute(query)}
    for position, row in plan.conflicts.items():
        if (row["instance_key"], row["sha256"]) in known:
            plan.placed[position] = replace(plan.placed[position], uses_blob=False)
        else:
            known.add((row["instance_key"], row["sha256"]))
            connection.execute(insert(_table(Conflict)), row)


def _execute(connection: Connection, plan: _Plan, new_series: Counter[str]) -> None:
    if plan.instances:
        connection.execute(insert(_table(Instance)), plan.instances)
        connection.execute(insert(_table(InstanceHeader)), plan.headers)
    if plan.conflicts:
        _set_aside(connection, plan)
    _count(connection, plan, new_series)


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


def _count(connection: Connection, plan: _Plan, new_series: Counter[str]) -> None:
    for series_key, arrived in Counter(row["series_key"] for row in plan.instances).items():
        connection.execute(_GROW_SERIES, {"key": series_key, "arrived": arrived, "now": plan.now})
    for study_key, arrived in Counter(row["study_key"] for row in plan.instances).items():
        grown = {
            "key": study_key,
            "arrived": arrived,
            "new_series": new_series[study_key],
            "bytes": sum(row["size_bytes"] for row in plan.instances if row["study_key"] == study_key),
            "now": plan.now,
        }
        connection.execute(_GROW_STUDY, grown)


def _study_row(arrival: Arrival, now: datetime) -> dict[str, Any]:
    described = _fitted(Study, arrival.attributes.study)
    return {
        "id": new_id(),
        "owner": arrival.owner,
        "study_instance_uid": arrival.attributes.study_instance_uid,
        **described,
        **_fitted(Study, {"patient_name_key": name_key(described["patient_name"])}),
        **dict.fromkeys(("series_count", "instance_count", "size_bytes", "revision"), 0),
        "created_at": now,
        "updated_at": now,
    }


def _series_row(arrival: Arrival, study_key: str, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "study_key": study_key,
        "series_instance_uid": arrival.attributes.series_instance_uid,
        **_fitted(Series, arrival.attributes.series),
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
        **_bytes_of(arrival),
    }


def _bytes_of(arrival: Arrival) -> dict[str, Any]:
    examined = arrival.examined
    return {"blob_key": arrival.blob_key, "size_bytes": examined.size_bytes, "sha256": examined.sha256}


def _fitted(entity: type[Base], texts: dict[str, str]) -> dict[str, str]:
    """``texts`` cut to their columns: the full text stays in the metadata, and PostgreSQL refuses longer ones."""
    columns = entity.__table__.c
    return {name: text[: cast(String, columns[name].type).length] for name, text in texts.items()}
