"""Migrations make exactly the tables that the code declares, on both engines."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

from foundation.database import open_database
from telemed import schema


@pytest.fixture
async def database(database_url):
    database = open_database(database_url)
    yield database
    await database.close()


def all_tables() -> MetaData:
    merged = MetaData()
    for metadata in schema.METADATA:
        for table in metadata.tables.values():
            table.to_metadata(merged)
    return merged


def difference(connection):
    return compare_metadata(MigrationContext.configure(connection), all_tables())


async def test_migrations_and_declarations_agree(database):
    await schema.upgrade(database)
    async with database.engine.begin() as connection:
        assert await connection.run_sync(difference) == []


async def test_upgrading_again_changes_nothing(database):
    await schema.upgrade(database)
    await schema.upgrade(database)
    async with database.engine.begin() as connection:
        assert await connection.run_sync(difference) == []
