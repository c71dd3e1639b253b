"""One handle on the database, the same on SQLite and PostgreSQL.

A unit of work is ``async with database.write() as session:``: it commits when the block ends and rolls back when it
raises. ``read()`` gives a session for looking only. ``look`` and ``change`` are the same for hot paths: a plain
function over a Core connection. Both engines run the same statements; where SQLite differs (locking, durability) the
difference is set here once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import URL, Connection, DateTime, Dialect, MetaData, create_engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.types import TypeDecorator

R = TypeVar("R")

# Threads that run the hot paths' statements on SQLite. Readers never wait for the writer (WAL), so few are enough.
SQLITE_THREADS: Final = 4

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Metadata whose constraint names are the same on every engine, so that migrations can name them."""
    return MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime in and out; refuses a naive one. SQLite keeps no zone, so it is added on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Direct(Protocol):
    """Runs plain functions over a Core connection, each in one go."""

    async def look(self, work: Callable[[Connection], R]) -> R: ...

    async def change(self, work: Callable[[Connection], R]) -> R: ...

    async def close(self) -> None: ...


class Database:
    """Sessions over one engine. Create with :func:`open_database`, end with :meth:`close`."""

    def __init__(self, engine: AsyncEngine, direct: Direct) -> None:
        self.engine = engine
        self._direct = direct
        writing = engine.execution_options(telemed_write=True)
        self._read = async_sessionmaker(engine, expire_on_commit=False)
        self._write = async_sessionmaker(writing, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for queries; whatever it changed is rolled back."""
        async with self._read() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A unit of work: durable when the block has ended without raising."""
        async with self._write() as session, session.begin():
            yield session

    async def look(self, work: Callable[[Connection], R]) -> R:
        """What ``work`` finds; outside a transaction, so that each of its statements sees what was committed before.

        A function in one go, not a session, because on SQLite every step of a session is a trip to another thread.
        It may run in any thread, and must touch nothing but its connection.
        """
        return await self._direct.look(work)

    async def change(self, work: Callable[[Connection], R]) -> R:
        """A unit of work like :meth:`write`, in one go like :meth:`look`."""
        return await self._direct.change(work)

    async def close(self) -> None:
        await self._direct.close()
        await self.engine.dispose()


def open_database(url: str) -> Database:
    """``url``: ``sqlite+aiosqlite:///path`` or ``postgresql+asyncpg://…``. Connects lazily."""
    # Parameters name patients; errors are logged.
    engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"), hide_parameters=True)
    if engine.dialect.name != "sqlite":
        return Database(engine, _OverAsyncEngine(engine))
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return Database(engine, _InThreads(make_url(url).set(drivername="sqlite")))


class _OverAsyncEngine:
    def __init__(self, engine: AsyncEngine) -> None:
        self._looking = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._changing = engine

    async def look(self, work: Callable[[Connection], R]) -> R:
        async with self._looking.connect() as connection:
            return await connection.run_sync(work)

    async def change(self, work: Callable[[Connection], R]) -> R:
        async with self._changing.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """The engine is its owner's."""


class _InThreads:
    """SQLite without the async driver: one trip to a thread for the whole of ``work``."""

    def __init__(self, url: URL) -> None:
        self._threads = ThreadPoolExecutor(SQLITE_THREADS, "database")
        # Nothing is begun, so there is nothing to roll back when a connection returns to its pool.
        self._looking = create_engine(url, hide_parameters=True, pool_reset_on_return=None)
        self._changing = create_engine(url, hide_parameters=True).execution_options(telemed_write=True)
        for engine in (self._looking, self._changing):
            event.listen(engine, "connect", _prepare_sqlite)
        event.listen(self._changing, "begin", _begin_sqlite)

    async def look(self, work: Callable[[Connection], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _with, self._looking.connect, work)

    async def change(self, work: Callable[[Connection], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _with, self._changing.begin, work)

    async def close(self) -> None:
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._threads.shutdown()
        for engine in (self._looking, self._changing):
            engine.dispose()


def _with(opening: Callable[[], AbstractContextManager[Connection]], work: Callable[[Connection], R]) -> R:
    with opening() as connection:
        return work(connection)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not open transactions by itself: _begin_sqlite does, with the right lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        # FULL, because an acknowledged instance must survive a power cut; NORMAL may lose the last commits in WAL mode.
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A writer takes its lock at once: upgrading a read lock later fails instead of waiting.
    writing = connection.get_execution_options().get("telemed_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
