"""The read side of the index. Every function takes the caller's Access and applies it in SQL, so that rows one may not
see are in no list and in no count; functions that take our own study key are for callers who have already asked.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    false,
    or_,
    select,
)

from foundation.database import Database
from foundation.errors import Conflict, NotFound
from imaging.dicom.layout import Layout
from imaging.guard import Access
from imaging.store import columns, finding, search, tables
from imaging.store.columns import (
    INSTANCE,
    INSTANCES,
    READING_ORDER,
    SERIES,
    SERIES_ORDER,
    SERIES_TABLE,
    STUDIES,
    STUDY,
    Instance,
    Series,
    Study,
)
from imaging.store.layouts import RecentLayouts
from imaging.store.recent_series import RecentSeries, StoredSeries
from imaging.store.rows import InstanceRow, Page, SeriesRow, StudyRow
from imaging.store.search import Query

S = TypeVar("S", bound="_HasOwner")

CONDITIONS_KEPT: Final = 500
# Headers read from the database at a time: a few hundred kilobytes.
_HEADERS_AT_ONCE: Final = 200


class AmbiguousStudy(Conflict):
    code, title = "study.ambiguous", "Several hospitals hold a study with this UID"


class NoSuchStudy(NotFound):
    code = "study.not_found"


class NoSuchSeries(NotFound):
    code = "series.not_found"


class NoSuchInstance(NotFound):
    code = "instance.not_found"


class _HasOwner(Protocol):
    @property
    def owner(self) -> str: ...


class _Located(NamedTuple):
    """A study that the caller may see, and what the path names below it, if it is there."""

    study_id: str
    owner: str
    instance: InstanceRow | None


InstanceHeader: Final = tables.InstanceHeader.core()


@lru_cache(CONDITIONS_KEPT)
def visible(access: Access) -> ColumnElement[bool]:
    """The studies that ``access`` admits (Access.admits), as a condition on ``studies``.

    Kept by all that the access says: one that changed in any way is another.
    """
    admitted: list[ColumnElement[bool]] = []
    if access.owners:
        admitted.append(Study.owner.in_(sorted(access.owners)))
    if access.study_ids:
        admitted.append(Study.id.in_(sorted(access.study_ids)))
    if not admitted:
        return false()
    # A study whose last instance was deleted keeps its row, for whoever refers to it, and is in no list.
    seen = and_(Study.instance_count > 0, or_(*admitted))
    return seen if access.only_owner is None else and_(Study.owner == access.only_owner, seen)


class Catalog:
    """Answers what is stored. Nothing here writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._layouts = RecentLayouts()
        self._recent = RecentSeries(StoredSeries(database))

    def forget(self, study_instance_uid: str) -> None:
        """For whoever deletes or hides something below a study with this UID: call it right after the commit."""
        self._recent.forget(study_instance_uid)

    async def search(self, access: Access, query: Query) -> Page:
        """One page of matches, newest study first, the same order every time. Raises BadValue, TooBroad."""
        terms = search.terms(query)
        return await self._database.look(lambda connection: finding.page(connection, access, query, terms))

    async def count(self, access: Access, query: Query) -> int:
        """How many match, exactly, whatever the page asked for. Raises as :meth:`search`."""
        terms = search.terms(query)
        return await self._database.look(lambda connection: finding.count(connection, access, query, terms))

    async def studies(self, access: Access, text: str, limit: int, offset: int) -> tuple[list[StudyRow], int]:
        """Worklist: studies of which a name (in any reading), number or word of the description begins with each word
        of ``text``, newest first; and how many, at most finding.COUNTED.
        """
        return await self._database.look(
            lambda connection: finding.worklist(connection, access, text, limit=limit, offset=offset)
        )

    async def study(self, access: Access, study_id: str) -> StudyRow | None:
        """The study with our key ``study_id``; None unless visible."""
        found = await self._studies_where(and_(Study.id == study_id, visible(access)))
        return found[0] if found else None

    async def studies_by_id(self, access: Access, study_ids: Iterable[str]) -> list[StudyRow]:
        """Those of the studies with our keys ``study_ids`` that are visible, in no particular order."""
        return await self._studies_where(and_(Study.id.in_(sorted(study_ids)), visible(access)))

    async def find_study(self, access: Access, study_instance_uid: str) -> StudyRow:
        """The study with this UID. Where several hospitals hold one, the caller's own, else AmbiguousStudy (409).

        Raises NoSuchStudy unless visible.
        """
        condition = and_(Study.study_instance_uid == study_instance_uid, visible(access))
        return _the_one(access, await self._studies_where(condition))

    async def locate(
        self, access: Access, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str
    ) -> tuple[str, InstanceRow | None]:
        """(our key of the study, its instance): what a viewer asks for hundreds of times.

        The study is chosen as by :meth:`find_study`, with its refusals, whether or not the instance is in it. Found
        among the series held in memory or in one question; whatever is not found there is always asked for.
        """
        held_series = await self._recent.get((study_instance_uid, series_instance_uid))
        seen = [study.id for study in held_series.studies if access.admits(study.owner, study.id)]
        if len(seen) == 1 and (row := held_series.instances.get((seen[0], sop_instance_uid))) is not None:
            return seen[0], row
        uids = {"study": study_instance_uid, "series": series_instance_uid, "instance": sop_instance_uid}
        rows = await self._database.look(lambda connection: connection.execute(_LOCATED, uids).all())
        held = [_located(row) for row in rows]
        found = _the_one(access, [one for one in held if access.admits(one.owner, one.study_id)])
        return found.study_id, found.instance

    async def series_of(self, study_id: str) -> list[SeriesRow]:
        """The series of a study that the caller may see, by number and UID."""
        statement = select(*SERIES).where(Series.study_key == study_id).order_by(*SERIES_ORDER)
        return [SeriesRow(*row) for row in await self._rows(statement)]

    async def instances_of(self, study_id: str, series_instance_uid: str | None = None) -> list[InstanceRow]:
        """The instances of a study that the caller may see, or of one series of it: by series, number and UID."""
        statement = _instances(study_id, series_instance_uid).order_by(*READING_ORDER)
        return [InstanceRow(*row) for row in await self._rows(statement)]

    async def remarks_of(self, study_id: str) -> list[str]:
        """What was repaired or noticed in any instance of a study that the caller may see, each word once, in order."""
        # As text, because PostgreSQL cannot compare JSON.
        listed = select(cast(Instance.remarks, Text)).where(Instance.study_key == study_id).distinct()
        return sorted({word for row in await self._rows(listed) for word in msgspec.json.decode(row[0])})

    async def layout(self, instance_id: str) -> Layout:
        """Where the frames and bulk values of an instance lie."""
        layout = self._layouts.get(instance_id)
        if layout is None:
            ((stored,),) = await self._rows(_LAYOUTS, {"instances": [instance_id]})
            layout = Layout.from_json(stored)
            self._layouts.keep(instance_id, layout)
        return layout

    async def headers(self, instance_ids: Sequence[str]) -> AsyncIterator[list[tuple[str, bytes]]]:
        """(id, stored metadata) of instances in the order given, some at a time: DICOM JSON, deflated with zlib.

        One that was deleted since it was listed is left out.
        """
        for start in range(0, len(instance_ids), _HEADERS_AT_ONCE):
            ids = instance_ids[start : start + _HEADERS_AT_ONCE]
            found = {row[0]: row[1] for row in await self._rows(_HEADERS, {"instances": ids})}
            yield [(key, found[key]) for key in ids if key in found]

    async def _studies_where(self, condition: ColumnElement[bool]) -> list[StudyRow]:
        statement = select(*STUDY).where(condition)

        def look(connection: Connection) -> list[StudyRow]:
            rows = connection.execute(statement).all()
            by_study = columns.modalities(connection, rows)
            return [columns.study(row, by_study) for row in rows]

        return await self._database.look(look)

    async def _rows(self, statement: Select[Any], parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        return await self._database.look(lambda connection: connection.execute(statement, parameters).all())


_OFINSTANCES: Final = InstanceHeader.instance_key.in_(bindparam("instances", expanding=True))
_HEADERS: Final = select(InstanceHeader.instance_key, InstanceHeader.metadata_json).where(_OFINSTANCES)
_LAYOUTS: Final = select(InstanceHeader.layout).where(_OFINSTANCES)
_LOCATED: Final = (
    select(Study.id, Study.owner, *INSTANCE)
    .select_from(
        STUDIES.outerjoin(
            SERIES_TABLE, and_(Series.study_key == Study.id, Series.series_instance_uid == bindparam("series"))
        ).outerjoin(
            INSTANCES, and_(Instance.series_key == Series.id, Instance.sop_instance_uid == bindparam("instance"))
        )
    )
    .where(Study.study_instance_uid == bindparam("study"), Study.instance_count > 0)
)


def _the_one(access: Access, found: list[S]) -> S:
    """Of the studies with one UID that are visible. Raises NoSuchStudy, AmbiguousStudy."""
    if not found:
        raise NoSuchStudy("No study with this UID is visible to you.")
    if len(found) == 1:
        return found[0]
    own = [study for study in found if study.owner == access.store_as]
    if not own:
        owners = sorted(study.owner for study in found)
        raise AmbiguousStudy("Name the hospital: /dicom-web/hospitals/{owner}/studies/…", owners=owners)
    return own[0]


def _located(row: Sequence[Any]) -> _Located:
    study_id, owner, *instance = row
    return _Located(study_id, owner, None if instance[0] is None else InstanceRow(*instance))


def _instances(study_id: str, series_instance_uid: str | None) -> Select[Any]:
    joined = INSTANCES.join(SERIES_TABLE, Instance.series_key == Series.id)
    statement = select(*INSTANCE).select_from(joined).where(Instance.study_key == study_id)
    if series_instance_uid is None:
        return statement
    return statement.where(Series.series_instance_uid == series_instance_uid)
