"""An archive of its own for a test, and a guard that knows who calls by a header."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from foundation.database import open_database
from foundation.errors import Unauthenticated
from foundation.problem import problems
from imaging.archive import Archive, Limits, open_archive
from imaging.guard import Access, Deed
from imaging.store import words
from imaging.store.tables import Base, Study, StudyWord

WENZHOU = Access("key:wz", store_as="WZ01", owners=frozenset({"WZ01"}))
SHANGHAI = Access("key:sh", store_as="SH01", owners=frozenset({"SH01"}))
VISITOR = Access("user:visitor")


class HeaderGuard:
    """``Authorization: Bearer wenzhou | shanghai | visitor``; keeps what it was told to record."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, str | None]] = []

    async def access(self, request: web.Request) -> Access:
        known = {"Bearer wenzhou": WENZHOU, "Bearer shanghai": SHANGHAI, "Bearer visitor": VISITOR}
        access = known.get(request.headers.get("Authorization", ""))
        if access is None:
            raise Unauthenticated()
        return access

    async def record(self, request: web.Request, access: Access, deed: Deed, study_id: str | None) -> None:
        self.records.append((access.caller, deed, study_id))


@asynccontextmanager
async def archive_at(url: str, folder: Path, limits: Limits | None = None) -> AsyncIterator[Archive]:
    """An empty archive on the database at ``url``, its tables made."""
    database = open_database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with open_archive(database, folder, limits or Limits(worker_processes=1)) as archive:
        yield archive
    await database.close()


@asynccontextmanager
async def client_of(routes: list[web.RouteDef], caller: str = "wenzhou") -> AsyncIterator[TestClient]:
    """A client that calls over real HTTP as ``caller``."""
    app = web.Application(middlewares=[problems])
    app.add_routes(routes)
    headers = {"Authorization": f"Bearer {caller}"}
    async with TestClient(TestServer(app), headers=headers) as client:
        yield client


def words_of(study: Study) -> list[StudyWord]:
    """The rows by which a study that a test makes itself is found."""
    texts = ("patient_name", "patient_id", "accession_number", "study_description")
    known = {name: getattr(study, name) or "" for name in texts}
    return [StudyWord(**row) for row in words.rows_of({"id": study.id, "owner": study.owner, **known})]
