"""What is read of each table and in which order it is listed; shared by whoever reads the index."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, FromClause, bindparam, select
from sqlalchemy.engine import Row

from imaging.store import tables
from imaging.store.rows import Hit, InstanceRow, SeriesRow, StudyRow
from imaging.store.search import Level

Study, Series, Instance = tables.Study.core(), tables.Series.core(), tables.Instance.core()
STUDIES, SERIES_TABLE, INSTANCES = (table.__table__ for table in (tables.Study, tables.Series, tables.Instance))


def _columns(row: type[object], table: type[tables.Base]) -> list[Any]:
    columns = table.core()
    return [columns[field.name] for field in fields(row) if field.name in columns]  # type: ignore[arg-type]


STUDY: Final = _columns(StudyRow, tables.Study)
SERIES: Final = _columns(SeriesRow, tables.Series)
INSTANCE: Final = [
    Instance.id,
    Instance.series_key,
    Instance.study_key,
    Series.series_instance_uid,
    *_columns(InstanceRow, tables.Instance)[3:],
]
# Every key falls, so that ix_studies_owner_newest gives this order by itself.
STUDY_ORDER: Final = tuple(
    column.desc() for column in (Study.study_date, Study.study_time, Study.study_instance_uid, Study.id)
)
# The engines disagree about where an absent number belongs, so it is said.
SERIES_ORDER: Final = (Series.series_number.nulls_last(), Series.series_instance_uid)
INSTANCE_ORDER: Final = (Instance.instance_number.nulls_last(), Instance.sop_instance_uid)
READING_ORDER: Final = (*SERIES_ORDER, Series.id, *INSTANCE_ORDER, Instance.id)
ORDER: Final[dict[Level, tuple[Any, ...]]] = {
    Level.STUDY: STUDY_ORDER,
    Level.SERIES: (*STUDY_ORDER, *SERIES_ORDER, Series.id),
    Level.INSTANCE: (*STUDY_ORDER, *READING_ORDER),
}
JOINED: Final[dict[Level, FromClause]] = {
    Level.STUDY: STUDIES,
    Level.SERIES: STUDIES.join(SERIES_TABLE, Series.study_key == Study.id),
    Level.INSTANCE: STUDIES.join(SERIES_TABLE, Series.study_key == Study.id).join(
        INSTANCES, Instance.series_key == Series.id
    ),
}
WANTED: Final = {Level.STUDY: STUDY, Level.SERIES: [*STUDY, *SERIES], Level.INSTANCE: [*STUDY, *SERIES, *INSTANCE]}

# Put together once: making such a statement costs more than running it.
_MODALITIES: Final = (
    select(Series.study_key, Series.modality)
    .where(Series.study_key.in_(bindparam("studies", expanding=True)), Series.modality != "")
    .distinct()
    .order_by(Series.modality)
)


def modalities(connection: Connection, studies: Sequence[Row[Any]]) -> dict[str, list[str]]:
    """By study key, which is the first column of ``studies``."""
    if not studies:
        return {}
    found: dict[str, list[str]] = {}
    for study_id, modality in connection.execute(_MODALITIES, {"studies": sorted({row[0] for row in studies})}):
        found.setdefault(study_id, []).append(modality)
    return found


def study(row: Sequence[Any], by_study: dict[str, list[str]]) -> StudyRow:
    """``row``: begins with the columns of STUDY."""
    return StudyRow(*[*row[: len(STUDY)], by_study.get(row[0], [])])


def hit(row: Sequence[Any], by_study: dict[str, list[str]]) -> Hit:
    """``row``: the columns of WANTED at any level."""
    series_end = len(STUDY) + len(SERIES)
    series = SeriesRow(*row[len(STUDY) : series_end]) if len(row) > len(STUDY) else None
    instance = InstanceRow(*row[series_end:]) if len(row) > series_end else None
    return Hit(study(row, by_study), series, instance)
