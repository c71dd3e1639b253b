"""The archive and a client at its door, for tests in which neither engine nor guard makes a difference."""

import pytest

from imaging.dicomweb.app import routes
from tests.archives import HeaderGuard, archive_at, client_of


@pytest.fixture
async def archive(sqlite_url, tmp_path):
    async with archive_at(sqlite_url, tmp_path / "archive") as archive:
        yield archive


@pytest.fixture
async def client(archive):
    async with client_of(routes(archive, HeaderGuard())) as client:
        yield client
