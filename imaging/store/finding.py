"""Searches run: which index leads, one page, and how many more (docs/decisions/0014-search.md).

What one may see falls into branches, one for each hospital and one for single studies: within a branch an index gives
the matches newest first, which a condition with "or" would prevent. Statements are made once for each shape of search.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.engine import Row
from sqlalchemy.sql.elements import UnaryExpression

from foundation.errors import TooLarge
from imaging.guard import Access
from imaging.store import columns, search, tables, words
from imaging.store.columns import JOINED, ORDER, WANTED, Study
from imaging.store.rows import Page, StudyRow
from imaging.store.search import Level, Query, Shape, Term

# How far matches beyond a page are counted.
COUNTED: Final = 10_000
# Up to so many matches of a word are fetched and sorted; more stand so close that walking by date soon fills a page.
FEW: Final = 4_000
# Conditions that no index serves are compared study by study, over at most so many.
COMPARED: Final = 100_000
_SELECTIVE: Final = search.NUMBERS | {tag for tag, one in search.BY_TAG.items() if one.vr == "UI"}
_WORD: Final = tables.StudyWord.core()


class TooBroad(TooLarge):
    code, title = "search.too_broad", "The search would have to compare too many studies"


@dataclass(frozen=True, slots=True)
class _Branch:
    """owner: of all its studies; None: the single studies. at: makes its parameters' names unique."""

    owner: str | None
    at: int


@dataclass(frozen=True, slots=True)
class _Lead:
    """Which of a lookup's words leads to the matches: the position of the lookup and of the word in it."""

    lookup: int
    word: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """The shape of a search; statements are kept by it. branches: whether each is a hospital, and what leads there."""

    level: Level
    shapes: tuple[Shape, ...]
    lookups: tuple[tuple[tuple[int, ...], int, bool], ...]
    branches: tuple[tuple[bool, _Lead | None], ...]


def page(connection: Connection, access: Access, query: Query, terms: list[Term]) -> Page:
    """Raises TooBroad."""
    rows, remaining = _rows(connection, access, query, terms)
    by_study = columns.modalities(connection, rows)
    return Page([columns.hit(row, by_study) for row in rows], min(remaining, COUNTED), remaining > COUNTED)


def count(connection: Connection, access: Access, query: Query, terms: list[Term]) -> int:
    """All matches, however many. Raises TooBroad."""
    _refuse_broad(connection, access, terms)
    return _counted(connection, access, query.level, terms, None)


def worklist(
    connection: Connection, access: Access, text: str, *, limit: int, offset: int
) -> tuple[list[StudyRow], int]:
    """Newest first; and how many, at most COUNTED."""
    terms = search.typed(text)
    rows, _ = _rows(connection, access, Query(Level.STUDY, limit=limit, offset=offset), terms, counting=False)
    total = _counted(connection, access, Level.STUDY, terms, COUNTED)
    by_study = columns.modalities(connection, rows)
    return [columns.study(row, by_study) for row in rows], min(total, COUNTED)


def _rows(
    connection: Connection, access: Access, query: Query, terms: list[Term], *, counting: bool = True
) -> tuple[Sequence[Row[Any]], int]:
    branches = _branches(access)
    if not branches:
        return [], 0
    _refuse_broad(connection, access, terms)
    plan = _planned(connection, query.level, terms, branches)
    upto = query.offset + query.limit
    values = {**_values(access, terms, branches), "limit": query.limit + 1, "offset": query.offset, "upto": upto + 1}
    rows = connection.execute(_page_statement(plan), values).all()
    remaining = 0
    if counting and len(rows) > query.limit:
        remaining = _counted(connection, access, query.level, terms, upto + COUNTED + 1) - upto
    return rows[: query.limit], remaining


def _branches(access: Access) -> list[_Branch]:
    owners = sorted(access.owners if access.only_owner is None else access.owners & {access.only_owner})
    branches = [_Branch(owner, at) for at, owner in enumerate(owners)]
    return [*branches, _Branch(None, len(owners))] if access.study_ids else branches


def _values(access: Access, terms: list[Term], branches: Sequence[_Branch]) -> dict[str, Any]:
    """Every parameter of a statement about ``branches``, but those of its page."""
    values: dict[str, Any] = {f"owner{branch.at}": branch.owner for branch in branches if branch.owner is not None}
    if any(branch.owner is None for branch in branches):
        values |= {"shared": sorted(access.study_ids), "owned": sorted(access.owners), "only": access.only_owner or ""}
    for at, term in enumerate(terms):
        values |= {f"t{at}_{number}": value for number, value in enumerate(term.values)}
        if term.lookup is not None:
            for place, beginnings in enumerate((*term.lookup.every, term.lookup.joined)):
                values |= words.values(beginnings, f"w{at}_{place}")
    return values


def _planned(connection: Connection, level: Level, terms: list[Term], branches: Sequence[_Branch]) -> _Plan:
    keyed = any(_is_selective(term.shape) for term in terms)
    leads = (None if keyed else _lead(connection, terms, branch) for branch in branches)
    return _plan(
        level, terms, tuple((branch.owner is not None, lead) for branch, lead in zip(branches, leads, strict=True))
    )


def _is_selective(shape: Shape | None) -> bool:
    """Whether few studies match, and the index on this attribute should lead."""
    return shape is not None and shape[0] in _SELECTIVE and shape[1] in {"is", "in"}


def _plan(level: Level, terms: list[Term], branches: tuple[tuple[bool, _Lead | None], ...]) -> _Plan:
    shapes = tuple(term.shape or ("", "") for term in terms)
    lookups = tuple((*term.lookup.shape, term.shape is None) if term.lookup else ((), 0, False) for term in terms)
    return _Plan(level, shapes, lookups, branches)


def _lead(connection: Connection, terms: list[Term], branch: _Branch) -> _Lead | None:
    """The first word typed that few studies of this hospital have."""
    if branch.owner is None:
        return None
    for at, term in enumerate(terms):
        for place, beginnings in enumerate(term.lookup.every if term.lookup else ()):
            joined = term.lookup.joined if term.lookup else ()
            values = words.values((*beginnings, *joined), "p")
            having = connection.scalar(_few(len(beginnings) + len(joined)), {"owner": branch.owner, **values})
            if (having or 0) <= FEW:
                return _Lead(at, place)
    return None


@lru_cache(50)
def _few(count: int) -> Select[Any]:
    some = _with_words("owner", [words.beginning(one, "p") for one in range(count)]).limit(FEW + 1)
    return select(func.count()).select_from(some.subquery())


def _with_words(owner: str, beginnings: list[ColumnElement[bool]]) -> CompoundSelect[Any]:
    # Not one condition with "or", for which SQLite reads every word of the hospital.
    owned = _WORD.owner == bindparam(owner)
    return union_all(*(select(_WORD.study_key).where(owned, beginning) for beginning in beginnings))


def _refuse_broad(connection: Connection, access: Access, terms: list[Term]) -> None:
    if all(term.keyed or term.lookup for term in terms):
        return
    kept = [term for term in terms if term.keyed]
    level = Level.INSTANCE if any(_level(term) is Level.INSTANCE for term in kept) else Level.SERIES
    level = level if any(_level(term) is not Level.STUDY for term in kept) else Level.STUDY
    if _counted(connection, access, level, kept, COMPARED + 1) > COMPARED:
        raise TooBroad(f"Add a number, a name's beginning or a date: more than {COMPARED} studies are left to compare.")


def _level(term: Term) -> Level:
    known = search.BY_TAG.get(term.shape[0]) if term.shape else None
    return known.level if known else Level.STUDY


def _counted(connection: Connection, access: Access, level: Level, terms: list[Term], bound: int | None) -> int:
    """How many match; counting ends at ``bound`` in each branch, and branches do not overlap."""
    total = 0
    for branch in _branches(access):
        plan = _planned(connection, level, terms, [branch])
        values = _values(access, terms, [branch])
        values = values if bound is None else {**values, "bound": bound}
        total += connection.scalar(_count_statement(plan, branch.at, bound is not None), values) or 0
    return total


@lru_cache(1000)
def _page_statement(plan: _Plan) -> Select[Any]:
    wanted, order = WANTED[plan.level], ORDER[plan.level]
    keyed = any(map(_is_selective, plan.shapes))
    sorts = [keyed or not is_owner or lead is not None for is_owner, lead in plan.branches]
    if len(plan.branches) == 1:
        listed = (
            select(*wanted)
            .select_from(JOINED[plan.level])
            .where(*_conditions(plan, 0, 0))
            .order_by(*_order(plan, sorts[0]))
        )
        return listed.limit(bindparam("limit")).offset(bindparam("offset"))
    labelled = [column.label(f"c{number}") for number, column in enumerate(wanted)]
    parts = [
        select(*labelled)
        .select_from(JOINED[plan.level])
        .where(*_conditions(plan, number, number))
        .order_by(*_order(plan, sorts[number]))
        .limit(bindparam("upto"))
        .subquery()
        for number in range(len(plan.branches))
    ]
    together = union_all(*(select(part) for part in parts)).subquery()
    known = dict(zip(wanted, together.c, strict=True))
    outer = (_outside(one, known) for one in order)
    return select(together).order_by(*outer).limit(bindparam("limit")).offset(bindparam("offset"))


def _order(plan: _Plan, sorts: bool) -> list[Any]:
    """The level's order; sorts: few match, so that no engine is to walk the hospital's studies for the order's sake."""
    newest, *rest = ORDER[plan.level]
    return [(Study.study_date + "").desc() if sorts else newest, *rest]


def _outside(ordering: Any, known: dict[Any, Any]) -> Any:
    """An order of the inner columns as one of those of the union."""
    if isinstance(ordering, UnaryExpression):
        return UnaryExpression(_outside(ordering.element, known), modifier=ordering.modifier)
    return known[ordering]


@lru_cache(1000)
def _count_statement(plan: _Plan, at: int, bounded: bool) -> Select[Any]:
    matching = select(Study.id).select_from(JOINED[plan.level]).where(*_conditions(plan, 0, at))
    matching = matching.limit(bindparam("bound")) if bounded else matching
    return select(func.count()).select_from(matching.subquery())


def _conditions(plan: _Plan, number: int, at: int) -> list[ColumnElement[bool]]:
    """Of the plan's branch ``number``, whose parameters end in ``at``."""
    is_owner, lead = plan.branches[number]
    found = [Study.owner == bindparam(f"owner{at}")] if is_owner else _shared()
    if lead is not None:
        # The words are this hospital's already; another way to its studies would only tempt the planner.
        found = []
    # A study whose last instance was deleted keeps its row, for whoever refers to it, and is in no list.
    found.append(Study.instance_count > 0)
    for place, (shape, lookup) in enumerate(zip(plan.shapes, plan.lookups, strict=True)):
        if shape != ("", ""):
            found.append(search.expression(shape, f"t{place}"))
        every, joined, alone = lookup
        if lead is not None and lead.lookup == place:
            found.append(_led(lookup, lead, at))
            if len(every) == 1 and not joined:
                continue
        if alone:
            found.append(_having(place, every, joined))
    return found


def _shared() -> list[ColumnElement[bool]]:
    return [
        Study.id.in_(bindparam("shared", expanding=True)),
        Study.owner.not_in(bindparam("owned", expanding=True)),
        or_(literal("") == bindparam("only"), Study.owner == bindparam("only")),
    ]


def _led(lookup: tuple[tuple[int, ...], int, bool], lead: _Lead, at: int) -> ColumnElement[bool]:
    every, joined, _ = lookup
    places = [(every[lead.word], lead.word), (joined, len(every))]
    beginnings = [words.beginning(one, f"w{lead.lookup}_{place}") for size, place in places for one in range(size)]
    return Study.id.in_(_with_words(f"owner{at}", beginnings))


def _having(place: int, every: tuple[int, ...], joined: int) -> ColumnElement[bool]:
    """The study has a word with each beginning, or with the joined one."""
    each = and_(*(_has(size, f"w{place}_{number}") for number, size in enumerate(every)))
    return or_(each, _has(joined, f"w{place}_{len(every)}")) if joined else each


def _has(size: int, at: str) -> ColumnElement[bool]:
    own = select(_WORD.study_key).where(_WORD.study_key == Study.id)
    return or_(*(exists(own.where(words.beginning(one, at))) for one in range(size)))
