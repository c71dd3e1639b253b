"""The desk's studies: imaging's catalogue and the state of the AI review, for one doctor."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from imaging.guard import Access
from imaging.review.model import StudyReview
from imaging.store.rows import SeriesRow
from imaging.store.rows import StudyRow as HeldStudy
from telemed.access import Person
from telemed.guard import PlatformGuard
from telemed.people.service import People
from telemed.studies.model import StudyDetail, StudyList, StudyRow, StudySeries, StudyUnknown, row_of


class Catalog(Protocol):
    """The read side of imaging's index; ``imaging.store.catalog.Catalog``."""

    async def studies(self, access: Access, text: str, limit: int, offset: int) -> tuple[list[HeldStudy], int]: ...
    async def study(self, access: Access, study_id: str) -> HeldStudy | None: ...
    async def studies_by_id(self, access: Access, study_ids: Iterable[str]) -> list[HeldStudy]: ...
    async def series_of(self, study_id: str) -> list[SeriesRow]: ...
    async def remarks_of(self, study_id: str) -> list[str]: ...


class ReviewStates(Protocol):
    async def study_states(self, study_ids: Sequence[str]) -> Mapping[str, tuple[StudyReview | None, int]]: ...


class StudyDesk:
    """Every method shows only what the access policy lets ``person`` see."""

    def __init__(self, catalog: Catalog, review: ReviewStates, people: People, guard: PlatformGuard) -> None:
        self._catalog = catalog
        self._review = review
        self._people = people
        self._guard = guard

    async def listing(self, person: Person, text: str, limit: int, offset: int, *, address: str) -> StudyList:
        """Studies that fit ``text`` (name, ID, accession number), newest first. Audited as a search."""
        access = await self._guard.access_of(person)
        found, total = await self._catalog.studies(access, text, limit, offset)
        await self._guard.record_for(person, access, "study.search", None, address=address)
        return StudyList(await self._rows(found), total)

    async def detail(self, person: Person, study_id: str, *, address: str) -> StudyDetail:
        """One study with its series. Audited as a view. Raises StudyUnknown."""
        row = await self.open(person, study_id, address=address)
        series = msgspec.convert(await self._catalog.series_of(study_id), list[StudySeries], from_attributes=True)
        remarks = await self._catalog.remarks_of(study_id)
        return StudyDetail(**msgspec.structs.asdict(row), series=series, remarks=remarks)

    async def open(self, person: Person, study_id: str, *, address: str) -> StudyRow:
        """One study, audited as a view. Raises StudyUnknown."""
        access = await self._guard.access_of(person)
        row = await self._find(access, study_id)
        if row is None:
            raise StudyUnknown()
        await self._guard.record_for(person, access, "study.view", study_id, address=address)
        return row

    async def find(self, person: Person, study_id: str) -> StudyRow | None:
        """One study as a line in some list; None when ``person`` may not see it. Not audited."""
        return await self._find(await self._guard.access_of(person), study_id)

    async def find_many(self, person: Person, study_ids: Sequence[str]) -> dict[str, StudyRow]:
        """The same for several; those that ``person`` may not see are left out."""
        access = await self._guard.access_of(person)
        held = await self._catalog.studies_by_id(access, set(study_ids))
        return {row.study_id: row for row in await self._rows(held)}

    async def _find(self, access: Access, study_id: str) -> StudyRow | None:
        held = await self._catalog.study(access, study_id)
        return None if held is None else (await self._rows([held]))[0]

    async def _rows(self, held: list[HeldStudy]) -> list[StudyRow]:
        names = {hospital.code: hospital.name for hospital in await self._people.hospitals()}
        reviews = await self._review.study_states([study.id for study in held])
        return [row_of(study, names.get(study.owner, study.owner), reviews) for study in held]
