"""The read side of the index. Every function takes the caller's Access and applies it in SQL, so that rows one may not
see are in no list and in no count; functions that take our own study key are for callers who have already asked.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.engine import Row

from foundation.database import Database
from foundation.errors import Conflict, NotFound
from imaging.dicom.layout import Layout
from imaging.dicom.names import name_key
from imaging.guard import Access
from imaging.store import search, tables
from imaging.store.layouts import RecentLayouts
from imaging.store.rows import Hit, InstanceRow, Page, SeriesRow, StudyRow
from imaging.store.search import Level, Query

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


def _columns(row: type[object], table: type[tables.Base]) -> list[Any]:
    columns = table.core()
    return [columns[field.name] for field in fields(row) if field.name in columns]  # type: ignore[arg-type]


Study, Series, Instance = tables.Study.core(), tables.Series.core(), tables.Instance.core()
InstanceHeader: Final = tables.InstanceHeader.core()
_STUDIES, _SERIES_TABLE, _INSTANCES = (table.__table__ for table in (tables.Study, tables.Series, tables.Instance))
_STUDY: Final = _columns(StudyRow, tables.Study)
_SERIES: Final = _columns(SeriesRow, tables.Series)
_INSTANCE: Final = [
    Instance.id,
    Instance.series_key,
    Instance.study_key,
    Series.series_instance_uid,
    *_columns(InstanceRow, tables.Instance)[3:],
]
_STUDY_ORDER: Final = (Study.study_date.desc(), Study.study_time.desc(), Study.study_instance_uid, Study.id)
# The engines disagree about where an absent number belongs, so it is said.
_SERIES_ORDER: Final = (Series.series_number.nulls_last(), Series.series_instance_uid)
_INSTANCE_ORDER: Final = (Instance.instance_number.nulls_last(), Instance.sop_instance_uid)
_ORDER: Final[dict[Level, tuple[Any, ...]]] = {
    Level.STUDY: _STUDY_ORDER,
    Level.SERIES: (*_STUDY_ORDER, *_SERIES_ORDER, Series.id),
    Level.INSTANCE: (*_STUDY_ORDER, *_SERIES_ORDER, Series.id, *_INSTANCE_ORDER, Instance.id),
}


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
    seen = or_(*admitted)
    return seen if access.only_owner is None else and_(Study.owner == access.only_owner, seen)


class Catalog:
    """Answers what is stored. Nothing here writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._layouts = RecentLayouts()

    async def search(self, access: Access, query: Query) -> Page:
        """One page of matches, newest study first, the same order every time. Raises search.BadValue."""
        conditions = [visible(access), *search.clauses(query.conditions), *_within(query)]
        page = _MATCHES[query.level].where(*conditions).limit(query.limit + 1).offset(query.offset)

        def look(connection: Connection) -> Page:
            rows = connection.execute(page).all()
            remaining = 0
            if len(rows) > query.limit:
                counting = select(func.count()).select_from(_JOINED[query.level]).where(*conditions)
                remaining = (connection.scalar(counting) or 0) - query.offset - query.limit
            rows = rows[: query.limit]
            modalities = _modalities(connection, rows)
            return Page([_hit(row, modalities) for row in rows], max(remaining, 0))

        return await self._database.look(look)

    async def studies(self, access: Access, text: str, limit: int, offset: int) -> tuple[list[StudyRow], int]:
        """Worklist: studies whose patient, number or description contains ``text``, newest first; and how many."""
        conditions = [visible(access), *_containing(text)]
        page = _MATCHES[Level.STUDY].where(*conditions).limit(limit).offset(offset)
        counting = select(func.count()).select_from(_STUDIES).where(*conditions)

        def look(connection: Connection) -> tuple[list[StudyRow], int]:
            return _studies(connection, page), connection.scalar(counting) or 0

        return await self._database.look(look)

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
        """(our key of the study, its instance) in one question: what a viewer asks for hundreds of times.

        The study is chosen as by :meth:`find_study`, with its refusals, whether or not the instance is in it.
        """
        uids = {"study": study_instance_uid, "series": series_instance_uid, "instance": sop_instance_uid}
        rows = await self._database.look(lambda connection: connection.execute(_LOCATED, uids).all())
        held = [_located(row) for row in rows]
        found = _the_one(access, [one for one in held if access.admits(one.owner, one.study_id)])
        return found.study_id, found.instance

    async def series_of(self, study_id: str) -> list[SeriesRow]:
        """The series of a study that the caller may see, by number and UID."""
        statement = select(*_SERIES).where(Series.study_key == study_id).order_by(*_SERIES_ORDER)
        return [SeriesRow(*row) for row in await self._rows(statement)]

    async def instances_of(self, study_id: str, series_instance_uid: str | None = None) -> list[InstanceRow]:
        """The instances of a study that the caller may see, or of one series of it: by series, number and UID."""
        statement = _instances(study_id, series_instance_uid).order_by(*_READING_ORDER)
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
        statement = select(*_STUDY).where(condition)
        return await self._database.look(lambda connection: _studies(connection, statement))

    async def _rows(self, statement: Select[Any], parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        return await self._database.look(lambda connection: connection.execute(statement, parameters).all())


_READING_ORDER: Final = (*_SERIES_ORDER, Series.id, *_INSTANCE_ORDER, Instance.id)


_JOINED: Final[dict[Level, FromClause]] = {
    Level.STUDY: _STUDIES,
    Level.SERIES: _STUDIES.join(_SERIES_TABLE, Series.study_key == Study.id),
    Level.INSTANCE: _STUDIES.join(_SERIES_TABLE, Series.study_key == Study.id).join(
        _INSTANCES, Instance.series_key == Series.id
    ),
}
_WANTED: Final = {
    Level.STUDY: _STUDY,
    Level.SERIES: [*_STUDY, *_SERIES],
    Level.INSTANCE: [*_STUDY, *_SERIES, *_INSTANCE],
}
# Put together once: making such a statement costs more than running it.
_MATCHES: Final = {
    level: select(*_WANTED[level]).select_from(_JOINED[level]).order_by(*_ORDER[level]) for level in Level
}
_OF_INSTANCES: Final = InstanceHeader.instance_key.in_(bindparam("instances", expanding=True))
_HEADERS: Final = select(InstanceHeader.instance_key, InstanceHeader.metadata_json).where(_OF_INSTANCES)
_LAYOUTS: Final = select(InstanceHeader.layout).where(_OF_INSTANCES)
_LOCATED: Final = (
    select(Study.id, Study.owner, *_INSTANCE)
    .select_from(
        _STUDIES.outerjoin(
            _SERIES_TABLE, and_(Series.study_key == Study.id, Series.series_instance_uid == bindparam("series"))
        ).outerjoin(
            _INSTANCES, and_(Instance.series_key == Series.id, Instance.sop_instance_uid == bindparam("instance"))
        )
    )
    .where(Study.study_instance_uid == bindparam("study"))
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


def _within(query: Query) -> list[ColumnElement[bool]]:
    named = [(Study.study_instance_uid, query.within_study), (Series.series_instance_uid, query.within_series)]
    return [column == uid for column, uid in named if uid is not None]


def _containing(text: str) -> list[ColumnElement[bool]]:
    if not text.strip():
        return []
    part = f"%{_literal(text.strip())}%"
    columns = (Study.patient_id, Study.accession_number, Study.study_description, Study.study_instance_uid)
    matches = [column.ilike(part, escape="\\") for column in columns]
    if key := name_key(text):
        matches.append(Study.patient_name_key.like(f"%{_literal(key)}%", escape="\\"))
    return [or_(*matches)]


def _literal(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _instances(study_id: str, series_instance_uid: str | None) -> Select[Any]:
    joined = _INSTANCES.join(_SERIES_TABLE, Instance.series_key == Series.id)
    statement = select(*_INSTANCE).select_from(joined).where(Instance.study_key == study_id)
    if series_instance_uid is None:
        return statement
    return statement.where(Series.series_instance_uid == series_instance_uid)


def _studies(connection: Connection, statement: Select[Any]) -> list[StudyRow]:
    rows = connection.execute(statement).all()
    modalities = _modalities(connection, rows)
    return [_study(row, modalities) for row in rows]


_MODALITIES: Final = (
    select(Series.study_key, Series.modality)
    .where(Series.study_key.in_(bindparam("studies", expanding=True)), Series.modality != "")
    .distinct()
    .order_by(Series.modality)
)


def _modalities(connection: Connection, studies: Sequence[Row[Any]]) -> dict[str, list[str]]:
    """By study key, which is the first column of ``studies``."""
    if not studies:
        return {}
    found: dict[str, list[str]] = {}
    rows: Iterable[Any] = connection.execute(_MODALITIES, {"studies": sorted({row[0] for row in studies})})
    for study_id, modality in rows:
        found.setdefault(study_id, []).append(modality)
    return found


def _study(row: Sequence[Any], modalities: dict[str, list[str]]) -> StudyRow:
    return StudyRow(*[*row[: len(_STUDY)], modalities.get(row[0], [])])


def _hit(row: Row[Any], modalities: dict[str, list[str]]) -> Hit:
    series_end = len(_STUDY) + len(_SERIES)
    series = SeriesRow(*row[len(_STUDY) : series_end]) if len(row) > len(_STUDY) else None
    instance = InstanceRow(*row[series_end:]) if len(row) > series_end else None
    return Hit(_study(row, modalities), series, instance)
