"""The database's tables as migrations make them: one history for all three parts."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import imaging.review.tables
import imaging.store.lifecycle  # noqa: F401 - each import registers its tables
import telemed.audit
import telemed.consultations.tables
import telemed.people.tables  # noqa: F401
from foundation.database import Database
from imaging.store.tables import Base as ImagingBase
from telemed.tables import Base as TelemedBase

METADATA: Final = [ImagingBase.metadata, TelemedBase.metadata]


def configuration(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    config = configuration(connection)
    if (
        MigrationContext.configure(connection).get_current_revision()
        == ScriptDirectory.from_config(config).get_current_head()
    ):
        return
    command.upgrade(config, "head")


async def upgrade(database: Database) -> None:
    """Bring the database to the newest revision, in one transaction; nothing to do is quick."""
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade)
