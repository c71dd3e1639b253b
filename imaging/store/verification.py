"""Are the stored bytes still those that were received? Checked on demand and on schedule, at a bounded rate.

A run is a row with a cursor: it goes on after a restart where it stopped. Bytes that differ are moved aside, so that no
door can serve them as good ones; bytes that are missing are served by none. Both stay on record until they are whole.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, cast

from sqlalchemy import Connection, Row, Table, bindparam, delete, func, insert, select, update

from foundation.clock import Clock
from foundation.database import Database
from foundation.ids import new_id
from imaging.store.blobs import Blobs
from imaging.store.lifecycle import Damage, Verification
from imaging.store.tables import Instance, Study

# Instances of one step, after which the cursor is written.
AT_ONCE: Final = 20
IDLE_SECONDS: Final = 5.0
LISTED: Final = 200
SCHEDULE: Final = "schedule"

State = Literal["whole", "missing", "differs"]

_INSTANCE, _STUDY, _RUN, _DAMAGE = (entity.core() for entity in (Instance, Study, Verification, Damage))
_RUNS, _DAMAGES = (cast(Table, entity.__table__) for entity in (Verification, Damage))


@dataclass(frozen=True, slots=True)
class Run:
    """As lifecycle.Verification."""

    id: str
    owner: str | None
    study_key: str | None
    cursor: str
    checked_instances: int
    checked_bytes: int
    damaged_instances: int
    started_by: str
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Damaged:
    """As lifecycle.Damage."""

    instance_key: str
    owner: str
    study_key: str
    sop_instance_uid: str
    found: str
    found_at: datetime


async def state_of(blobs: Blobs, blob_key: str, sha256: str) -> State:
    """Read all of a blob's file, not what is held of it, and compare; one set aside before is missing."""
    try:
        digest = await asyncio.to_thread(_digest, await blobs.local_path(blob_key))
    except OSError:
        return "missing"
    return "whole" if digest == sha256 else "differs"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Verifier:
    """every: a run over everything begins when the last one began so long ago; None: on demand only.
    bytes_per_second: what runs may read."""

    def __init__(
        self, database: Database, blobs: Blobs, *, clock: Clock, every: timedelta | None, bytes_per_second: int
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._every = every
        self._rate = bytes_per_second

    async def begin(self, by: str, owner: str | None = None, study_key: str | None = None) -> Run:
        """Ask for a run over everything, a hospital or a study; it is worked off in the background."""
        run = Run(new_id(), owner, study_key, "", 0, 0, 0, by, self._clock(), None)
        row = {name: getattr(run, name) for name in Run.__dataclass_fields__}
        await self._database.change(lambda connection: connection.execute(insert(_RUNS), row))
        return run

    async def step(self) -> float:
        """Check some more instances of the oldest open run; seconds until the next step."""
        run = await self._open_run()
        if run is None:
            return IDLE_SECONDS
        started = time.monotonic()
        rows = await self._database.look(lambda connection: connection.execute(_next_of(run)).all())
        states = {row.id: await state_of(self._blobs, row.blob_key, row.sha256) for row in rows}
        for row in rows:
            if states[row.id] == "differs":
                await self._blobs.set_aside(row.blob_key)
        now = self._clock()
        await self._database.change(lambda connection: _record(connection, run, rows, states, now))
        due: float = sum(row.size_bytes for row in rows) / self._rate
        return max(0.0, due - (time.monotonic() - started))

    async def runs(self) -> list[Run]:
        """The newest first."""
        query = select(*_RUN_COLUMNS).order_by(_RUN.id.desc()).limit(LISTED)
        return [Run(*row) for row in await self._database.look(lambda connection: connection.execute(query).all())]

    async def damaged(self, owner: str | None = None) -> list[Damaged]:
        """What is not whole, the newest first; of one hospital or of all."""
        query = _DAMAGED.order_by(_DAMAGE.found_at.desc())
        if owner is not None:
            query = query.where(_DAMAGE.owner == owner)
        rows = await self._database.look(lambda connection: connection.execute(query.limit(LISTED)).all())
        return [Damaged(*row) for row in rows]

    async def damaged_count(self) -> int:
        query = select(func.count()).select_from(_DAMAGED.subquery())
        return await self._database.look(lambda connection: connection.scalar(query)) or 0

    async def _open_run(self) -> Run | None:
        row = await self._database.look(lambda connection: connection.execute(_OPEN).first())
        if row is not None:
            return Run(*row)
        if self._every is None:
            return None
        last = await self._database.look(lambda connection: connection.scalar(_LAST_SCHEDULED))
        if last is not None and self._clock() - last < self._every:
            return None
        return await self.begin(SCHEDULE)


_RUN_COLUMNS: Final = [_RUN[name] for name in Run.__dataclass_fields__]
_DAMAGE_COLUMNS: Final = [_DAMAGE[name] for name in Damaged.__dataclass_fields__]
_OPEN: Final = select(*_RUN_COLUMNS).where(_RUN.finished_at.is_(None)).order_by(_RUN.id).limit(1)
_LAST_SCHEDULED: Final = select(func.max(_RUN.started_at)).where(_RUN.started_by == SCHEDULE)
# Of an instance that was deleted nothing is damaged any more.
_DAMAGED: Final = select(*_DAMAGE_COLUMNS).where(_DAMAGE.mended_at.is_(None), _INSTANCE.id == _DAMAGE.instance_key)
_ON_RECORD: Final = select(_DAMAGE.instance_key).where(
    _DAMAGE.mended_at.is_(None), _DAMAGE.instance_key.in_(bindparam("keys", expanding=True))
)
_FORGET: Final = delete(_DAMAGES).where(_DAMAGE.instance_key == bindparam("key"))
_MEND: Final = (
    update(_DAMAGES)
    .where(_DAMAGE.instance_key == bindparam("key"), _DAMAGE.mended_at.is_(None))
    .values(mended_at=bindparam("now"))
)


def _next_of(run: Run) -> Any:
    query = (
        select(
            _INSTANCE.id,
            _INSTANCE.study_key,
            _STUDY.owner,
            _INSTANCE.sop_instance_uid,
            _INSTANCE.blob_key,
            _INSTANCE.size_bytes,
            _INSTANCE.sha256,
        )
        .where(_INSTANCE.id > run.cursor, _STUDY.id == _INSTANCE.study_key)
        .order_by(_INSTANCE.id)
        .limit(AT_ONCE)
    )
    if run.owner is not None:
        query = query.where(_STUDY.owner == run.owner)
    return query if run.study_key is None else query.where(_STUDY.id == run.study_key)


def _record(
    connection: Connection, run: Run, rows: Sequence[Row[Any]], states: dict[str, State], now: datetime
) -> None:
    # One deleted while it was being read is missing for a good reason.
    there = set(connection.scalars(select(_INSTANCE.id).where(_INSTANCE.id.in_(list(states)))))
    damaged = [row for row in rows if states[row.id] != "whole" and row.id in there]
    known = set(connection.scalars(_ON_RECORD, {"keys": list(states)}))
    for row in (row for row in damaged if row.id not in known):
        connection.execute(_FORGET, {"key": row.id})
        connection.execute(insert(_DAMAGES), _damage_row(row, states[row.id], now))
    for row in rows:
        if states[row.id] == "whole":
            connection.execute(_MEND, {"key": row.id, "now": now})
    done = {
        "checked_instances": _RUN.checked_instances + len(rows),
        "checked_bytes": _RUN.checked_bytes + sum(row.size_bytes for row in rows),
        "damaged_instances": _RUN.damaged_instances + len(damaged),
        "finished_at": None if len(rows) == AT_ONCE else now,
        **({"cursor": rows[-1].id} if rows else {}),
    }
    connection.execute(update(_RUNS).where(_RUN.id == run.id).values(done))


def _damage_row(row: Row[Any], found: State, now: datetime) -> dict[str, Any]:
    return {
        "instance_key": row.id,
        "owner": row.owner,
        "study_key": row.study_key,
        "sop_instance_uid": row.sop_instance_uid,
        "blob_key": row.blob_key,
        "found": found,
        "found_at": now,
        "mended_at": None,
    }
