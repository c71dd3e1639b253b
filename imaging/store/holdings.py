"""Hospitals' holdings inside a transaction: the usage counters, the quota, and the numbering of the change feed.

One row per hospital, locked after the studies and always in the order of the codes. Whoever holds it numbers the
changes; the lock ends with the commit, so a reader who sees number n sees every number before it
(docs/decisions/0010-lifecycle.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from imaging.store.lifecycle import Change, Holding, Kind

_HOLDING = Holding.core()
_HOLDINGS: Final = cast(Table, Holding.__table__)
_CHANGES: Final = cast(Table, Change.__table__)
_LOCKED: Final = (
    select(
        _HOLDING.owner,
        _HOLDING.instance_count,
        _HOLDING.size_bytes,
        _HOLDING.last_change,
        _HOLDING.hard_instances,
        _HOLDING.hard_bytes,
    )
    .where(_HOLDING.owner.in_(bindparam("owners", expanding=True)))
    .order_by(_HOLDING.owner)
    .with_for_update()
)
_GROW: Final = (
    update(_HOLDINGS)
    .where(_HOLDING.owner == bindparam("key"))
    .values(
        instance_count=bindparam("instances"),
        size_bytes=bindparam("bytes"),
        last_change=bindparam("last"),
    )
)


@dataclass(slots=True)
class Held:
    """One hospital's locked row. last: of the changes numbered so far."""

    instance_count: int
    size_bytes: int
    last: int
    hard_instances: int | None
    hard_bytes: int | None

    def has_room(self, size_bytes: int) -> bool:
        """Whether one more instance of this size stays within the hard limits."""
        return (self.hard_instances is None or self.instance_count < self.hard_instances) and (
            self.hard_bytes is None or self.size_bytes + size_bytes <= self.hard_bytes
        )


@dataclass(slots=True)
class Ledger:
    """The holdings that one transaction has locked, and the changes it will write. Create with :func:`open_ledger`."""

    now: datetime
    held: dict[str, Held]
    changes: list[dict[str, Any]] = field(default_factory=list)

    def has_room(self, owner: str, size_bytes: int) -> bool:
        return self.held[owner].has_room(size_bytes)

    def arrived(self, owner: str, size_bytes: int, instances: int = 1) -> None:
        """Bytes were added, or with negative figures erased."""
        self.held[owner].instance_count += instances
        self.held[owner].size_bytes += size_bytes

    def note(self, kind: Kind, row: dict[str, Any]) -> None:
        """A line of the feed about ``row``, which has owner, study_key, the three UIDs and sha256."""
        held = self.held[row["owner"]]
        held.last += 1
        named = {name: row[name] for name in _NAMED}
        self.changes.append(
            {**named, "number": held.last, "kind": kind, "reason": row.get("reason", ""), "at": self.now}
        )

    def write(self, connection: Connection) -> None:
        """Write what was noted; call once, at the end."""
        if self.changes:
            connection.execute(insert(_CHANGES), self.changes)
        for owner, held in self.held.items():
            grown = {
                "key": owner,
                "instances": held.instance_count,
                "bytes": held.size_bytes,
                "last": held.last,
            }
            connection.execute(_GROW, grown)


_NAMED: Final = ("owner", "study_key", "study_instance_uid", "series_instance_uid", "sop_instance_uid", "sha256")


def open_ledger(connection: Connection, owners: Iterable[str], now: datetime) -> Ledger:
    """Lock the holdings of ``owners``; the studies concerned must be locked already."""
    wanted = sorted(set(owners))
    found = _locked(connection, wanted)
    missing = [owner for owner in wanted if owner not in found]
    if missing:
        _add(connection, missing)
        found |= _locked(connection, missing)
    return Ledger(now, found)


def _locked(connection: Connection, owners: Sequence[str]) -> dict[str, Held]:
    return {owner: Held(*figures) for owner, *figures in connection.execute(_LOCKED, {"owners": owners})}


def _add(connection: Connection, owners: Sequence[str]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    nothing = {"instance_count": 0, "size_bytes": 0, "last_change": 0}
    rows = [{"owner": owner, **nothing} for owner in owners]
    connection.execute(dialect.insert(_HOLDINGS).on_conflict_do_nothing(index_elements=["owner"]), rows)
