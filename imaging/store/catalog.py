"""The read side of the index. Every function takes the caller's Access and applies it in SQL, so that rows one may not
see are in no list and in no count; functions that take our own study key are for callers who have already asked.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.database import Database
from foundation.errors import Conflict, NotFound
from imaging.dicom.layout import Layout
from imaging.dicom.names import name_key
from imaging.guard import Access
from imaging.store import search, tables
from imaging.store.search import Level, Query
from imaging.store.tables import Instance, InstanceHeader, Series, Study

R = TypeVar("R")

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


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study as tables.Study describes it. modalities: distinct, in alphabetical order."""

    id: str
    owner: str
    study_instance_uid: str
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    patient_age: str
    study_date: str
    study_time: str
    timezone_offset: str
    accession_number: str
    study_id: str
    study_description: str
    referring_physician_name: str
    institution_name: str
    series_count: int
    instance_count: int
    size_bytes: int
    revision: int
    created_at: datetime
    updated_at: datetime
    modalities: list[str]


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series as tables.Series describes it."""

    id: str
    study_key: str
    series_instance_uid: str
    modality: str
    series_number: int | None
    series_description: str
    series_date: str
    series_time: str
    body_part_examined: str
    manufacturer: str
    performed_procedure_step_start_date: str
    instance_count: int
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance as tables.Instance describes it, with the UID of its series."""

    id: str
    series_key: str
    study_key: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int | None
    rows: int | None
    columns: int | None
    bits_allocated: int | None
    number_of_frames: int
    blob_key: str
    size_bytes: int
    sha256: str
    remarks: list[str]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Hit:
    """One match of a search with the rows of its level and above; the lower ones are None."""

    study: StudyRow
    series: SeriesRow | None
    instance: InstanceRow | None


@dataclass(frozen=True, slots=True)
class Page:
    """hits: of the page asked for. remaining: how many matches lie beyond it."""

    hits: list[Hit]
    remaining: int


def _columns(row: type[object], table: type[tables.Base]) -> list[Any]:
    return [getattr(table, field.name) for field in fields(row) if hasattr(table, field.name)]  # type: ignore[arg-type]


_STUDY: Final = _columns(StudyRow, Study)
_SERIES: Final = _columns(SeriesRow, Series)
_INSTANCE: Final = [
    Instance.id,
    Instance.series_key,
    Instance.study_key,
    Series.series_instance_uid,
    *_columns(InstanceRow, Instance)[3:],
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


def visible(access: Access) -> ColumnElement[bool]:
    """The studies that ``access`` admits (Access.admits), as a condition on ``studies``."""
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

    async def search(self, access: Access, query: Query) -> Page:
        """One page of matches, newest study first, the same order every time. Raises search.BadValue."""
        conditions = [visible(access), *search.clauses(query.conditions), *_within(query)]
        wanted = [_STUDY, [*_STUDY, *_SERIES], [*_STUDY, *_SERIES, *_INSTANCE]][query.level - 1]
        statement = _joined(select(*wanted), query.level).where(*conditions)
        page = statement.order_by(*_ORDER[query.level]).limit(query.limit + 1).offset(query.offset)
        async with self._database.read() as session:
            rows = (await session.execute(page)).all()
            remaining = 0
            if len(rows) > query.limit:
                counting = _joined(select(func.count()).select_from(Study), query.level).where(*conditions)
                remaining = (await session.scalar(counting) or 0) - query.offset - query.limit
            rows = rows[: query.limit]
            modalities = await _modalities(session, {row[0] for row in rows})
        return Page([_hit(row, modalities) for row in rows], max(remaining, 0))

    async def studies(self, access: Access, text: str, limit: int, offset: int) -> tuple[list[StudyRow], int]:
        """Worklist: studies whose patient, number or description contains ``text``, newest first; and how many."""
        conditions = [visible(access), *_containing(text)]
        page = select(*_STUDY).where(*conditions).order_by(*_STUDY_ORDER).limit(limit).offset(offset)
        async with self._database.read() as session:
            total = await session.scalar(select(func.count()).select_from(Study).where(*conditions)) or 0
            rows = (await session.execute(page)).all()
            modalities = await _modalities(session, {row[0] for row in rows})
        return [_study(row, modalities) for row in rows], total

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
        found = await self._studies_where(and_(Study.study_instance_uid == study_instance_uid, visible(access)))
        if not found:
            raise NoSuchStudy("No study with this UID is visible to you.")
        if len(found) == 1:
            return found[0]
        own = [study for study in found if study.owner == access.store_as]
        if not own:
            owners = sorted(study.owner for study in found)
            raise AmbiguousStudy("Name the hospital: /dicom-web/hospitals/{owner}/studies/…", owners=owners)
        return own[0]

    async def series_of(self, study_id: str) -> list[SeriesRow]:
        """The series of a study that the caller may see, by number and UID."""
        statement = select(*_SERIES).where(Series.study_key == study_id).order_by(*_SERIES_ORDER)
        async with self._database.read() as session:
            return [SeriesRow(*row) for row in (await session.execute(statement)).all()]

    async def instances_of(self, study_id: str, series_instance_uid: str | None = None) -> list[InstanceRow]:
        """The instances of a study that the caller may see, or of one series of it: by series, number and UID."""
        statement = _instances(study_id, series_instance_uid).order_by(*_READING_ORDER)
        async with self._database.read() as session:
            return [InstanceRow(*row) for row in (await session.execute(statement)).all()]

    async def instance(self, study_id: str, series_instance_uid: str, sop_instance_uid: str) -> InstanceRow:
        """One instance of a study that the caller may see. Raises NoSuchInstance when the parents do not match."""
        statement = _instances(study_id, series_instance_uid).where(Instance.sop_instance_uid == sop_instance_uid)
        async with self._database.read() as session:
            row = (await session.execute(statement)).first()
        if row is None:
            raise NoSuchInstance("No such instance in this study and series.")
        return InstanceRow(*row)

    async def layout(self, instance_id: str) -> Layout:
        """Where the frames and bulk values of an instance lie."""
        async with self._database.read() as session:
            statement = select(InstanceHeader.layout).where(InstanceHeader.instance_key == instance_id)
            return Layout.from_json((await session.execute(statement)).scalar_one())

    async def headers(self, instance_ids: Sequence[str]) -> AsyncIterator[list[tuple[str, bytes]]]:
        """(id, stored metadata) of instances in the order given, some at a time: DICOM JSON, deflated with zlib.

        One that was deleted since it was listed is left out.
        """
        for start in range(0, len(instance_ids), _HEADERS_AT_ONCE):
            ids = instance_ids[start : start + _HEADERS_AT_ONCE]
            statement = select(InstanceHeader.instance_key, InstanceHeader.metadata_json)
            async with self._database.read() as session:
                rows = await session.execute(statement.where(InstanceHeader.instance_key.in_(ids)))
                found = {row[0]: row[1] for row in rows}
            yield [(key, found[key]) for key in ids if key in found]

    async def _studies_where(self, condition: ColumnElement[bool]) -> list[StudyRow]:
        async with self._database.read() as session:
            rows = (await session.execute(select(*_STUDY).where(condition))).all()
            modalities = await _modalities(session, {row[0] for row in rows})
        return [_study(row, modalities) for row in rows]


_READING_ORDER: Final = (*_SERIES_ORDER, Series.id, *_INSTANCE_ORDER, Instance.id)


def _joined(statement: Select[Any], level: Level) -> Select[Any]:
    if level >= Level.SERIES:
        statement = statement.join(Series, Series.study_key == Study.id)
    if level >= Level.INSTANCE:
        statement = statement.join(Instance, Instance.series_key == Series.id)
    return statement


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
    statement = select(*_INSTANCE).join(Series, Instance.series_key == Series.id).where(Instance.study_key == study_id)
    if series_instance_uid is None:
        return statement
    return statement.where(Series.series_instance_uid == series_instance_uid)


async def _modalities(session: AsyncSession, study_ids: set[str]) -> dict[str, list[str]]:
    if not study_ids:
        return {}
    statement = (
        select(Series.study_key, Series.modality)
        .where(Series.study_key.in_(sorted(study_ids)), Series.modality != "")
        .distinct()
        .order_by(Series.modality)
    )
    found: dict[str, list[str]] = {}
    for study_id, modality in (await session.execute(statement)).all():
        found.setdefault(study_id, []).append(modality)
    return found


def _study(row: Sequence[Any], modalities: dict[str, list[str]]) -> StudyRow:
    return StudyRow(*[*row[: len(_STUDY)], modalities.get(row[0], [])])


def _hit(row: Row[Any], modalities: dict[str, list[str]]) -> Hit:
    series_end = len(_STUDY) + len(_SERIES)
    series = SeriesRow(*row[len(_STUDY) : series_end]) if len(row) > len(_STUDY) else None
    instance = InstanceRow(*row[series_end:]) if len(row) > series_end else None
    return Hit(_study(row, modalities), series, instance)
