"""Which instances a series has, held in memory for the moment: a viewer names hundreds of the same series in a row.

Why what is held cannot be wrong for longer than it says: everything below a study is a function of the study's key and
its revision, which grows with every change (``tables.Study``). What was read is trusted for :data:`TRUSTED_FOR`
seconds; after that one small question, which studies with this UID exist and at which revision, confirms all of it or
drops it. This process drops it at once (:meth:`RecentSeries.forget`) when it deletes. Only what was found is held: an
absence is always looked up. Who may see it is not held at all; the access is decided for every request.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import and_, bindparam, select

from foundation.database import Database
from imaging.store.columns import INSTANCE, INSTANCES, SERIES_TABLE, STUDIES, Instance, Series, Study
from imaging.store.rows import InstanceRow

# How late a change by another process is seen, at most.
TRUSTED_FOR: Final = 2.0
# Some tens of megabytes.
KEPT_INSTANCES: Final = 50_000
# Of a longer series the instances are looked up one by one.
MAX_SERIES: Final = 10_000

SeriesName = tuple[str, str]
Now = Callable[[], float]


@dataclass(frozen=True, slots=True)
class HeldStudy:
    """One hospital's study with the UID."""

    id: str
    owner: str
    revision: int


@dataclass(frozen=True, slots=True)
class HeldSeries:
    """instances: by (our key of the study, SOP Instance UID)."""

    studies: tuple[HeldStudy, ...]
    instances: Mapping[tuple[str, str], InstanceRow]


class Source(Protocol):
    """The database's side."""

    async def studies_named(self, study_instance_uid: str) -> tuple[HeldStudy, ...]:
        """In a fixed order."""
        ...

    async def series_named(self, name: SeriesName) -> HeldSeries:
        """Read at one moment. Without instances where there are more than MAX_SERIES."""
        ...


class RecentSeries:
    """The series asked for last, by (Study Instance UID, Series Instance UID)."""

    def __init__(self, source: Source, now: Now = time.monotonic, limit: int = KEPT_INSTANCES) -> None:
        self._source = source
        self._now = now
        self._limit = limit
        self._size = 0
        # Until when it is trusted, and what it is.
        self._held: OrderedDict[SeriesName, tuple[float, HeldSeries]] = OrderedDict()
        self._forgotten = 0

    async def get(self, name: SeriesName) -> HeldSeries:
        until, held = self._held.get(name, (0.0, None))
        if held is not None and self._now() < until:
            self._held.move_to_end(name)
            return held
        forgotten, asked_at = self._forgotten, self._now()
        if held is None or held.studies != await self._source.studies_named(name[0]):
            held = await self._source.series_named(name)
        # What was read before something was forgotten says nothing about the time after it.
        if forgotten == self._forgotten:
            self._keep(name, asked_at + TRUSTED_FOR, held)
        return held

    def forget(self, study_instance_uid: str) -> None:
        """Something below a study with this UID was deleted or hidden, by this process, just now."""
        self._forgotten += 1
        for name in [name for name in self._held if name[0] == study_instance_uid]:
            self._drop(name)

    def _keep(self, name: SeriesName, until: float, held: HeldSeries) -> None:
        self._drop(name)
        if not held.instances:
            return
        self._held[name] = until, held
        self._size += len(held.instances)
        while self._size > self._limit:
            self._drop(next(iter(self._held)))

    def _drop(self, name: SeriesName) -> None:
        _, held = self._held.pop(name, (0.0, None))
        self._size -= len(held.instances) if held else 0


_STUDIES_NAMED: Final = select(Study.id, Study.owner, Study.revision).where(
    Study.study_instance_uid == bindparam("study"), Study.instance_count > 0
)
# One statement, so that revision and instances are of one moment.
_SERIES_NAMED: Final = (
    select(Study.id, Study.owner, Study.revision, *INSTANCE)
    .select_from(
        STUDIES.outerjoin(
            SERIES_TABLE, and_(Series.study_key == Study.id, Series.series_instance_uid == bindparam("series"))
        ).outerjoin(INSTANCES, Instance.series_key == Series.id)
    )
    .where(Study.study_instance_uid == bindparam("study"), Study.instance_count > 0)
    .limit(MAX_SERIES + 1)
)


class StoredSeries:
    """The :class:`Source` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def studies_named(self, study_instance_uid: str) -> tuple[HeldStudy, ...]:
        uid = {"study": study_instance_uid}
        return _studies(await self._database.look(lambda connection: connection.execute(_STUDIES_NAMED, uid).all()))

    async def series_named(self, name: SeriesName) -> HeldSeries:
        uids = {"study": name[0], "series": name[1]}
        rows = await self._database.look(lambda connection: connection.execute(_SERIES_NAMED, uids).all())
        if len(rows) > MAX_SERIES:
            return HeldSeries(await self.studies_named(name[0]), {})
        found = [(row[0], InstanceRow(*row[3:])) for row in rows if row[3] is not None]
        return HeldSeries(_studies(rows), {(study, row.sop_instance_uid): row for study, row in found})


def _studies(rows: Iterable[Any]) -> tuple[HeldStudy, ...]:
    """Of rows that begin with key, owner and revision."""
    return tuple(HeldStudy(*study) for study in sorted({tuple(row[:3]) for row in rows}))
