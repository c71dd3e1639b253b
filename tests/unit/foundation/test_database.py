import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from foundation.database import UtcDateTime, new_metadata, open_database


class Base(DeclarativeBase):
    metadata = new_metadata()


class Moment(Base):
    __tablename__ = "moments"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime())


@pytest.fixture
async def database(database_url):
    database = open_database(database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


async def test_write_commits_when_the_block_ends(database):
    moment = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
    async with database.write() as session:
        session.add(Moment(id=1, at=moment))
    async with database.read() as session:
        assert (await session.scalar(select(Moment.at))) == moment


async def test_write_rolls_back_when_the_block_raises(database):
    with pytest.raises(RuntimeError, match="boom"):
        async with database.write() as session:
            session.add(Moment(id=1, at=datetime.now(UTC)))
            await session.flush()
            raise RuntimeError("boom")
    async with database.read() as session:
        assert (await session.scalar(select(Moment.id))) is None


async def test_a_naive_datetime_is_refused(database):
    with pytest.raises(StatementError, match="naive"):
        async with database.write() as session:
            session.add(Moment(id=1, at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_a_change_is_kept_and_a_look_sees_it_at_once(database):
    moment = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
    await database.change(lambda connection: connection.execute(insert(Moment), {"id": 1, "at": moment}))
    assert await database.look(lambda connection: connection.scalar(select(Moment.at))) == moment


async def test_a_change_that_raises_leaves_nothing(database):
    def change(connection):
        connection.execute(insert(Moment), {"id": 1, "at": datetime.now(UTC)})
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        await database.change(change)
    assert await database.look(lambda connection: connection.scalar(select(Moment.id))) is None


async def test_writers_of_either_kind_wait_for_each_other(sqlite_url):
    """On SQLite there is one lock, whoever asks for it and by whatever driver."""
    database = open_database(sqlite_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)

    def add(connection):
        newest = connection.scalar(select(Moment.id).order_by(Moment.id.desc())) or 0
        connection.execute(insert(Moment), {"id": newest + 1, "at": datetime.now(UTC)})

    async def session():
        async with database.write() as session:
            await (await session.connection()).run_sync(add)

    await asyncio.gather(*(database.change(add) for _ in range(5)), *(session() for _ in range(5)))
    ids = await database.look(lambda connection: connection.scalars(select(Moment.id).order_by(Moment.id)).all())
    await database.close()
    assert ids == list(range(1, 11))
