import pytest
from sqlalchemy import select

from foundation.clock import utc_now
from imaging.store import uploads
from imaging.store.tables import Upload
from tests.archives import archive_at


@pytest.fixture
async def database(database_url, tmp_path):
    async with archive_at(database_url, tmp_path / "archive") as archive:
        yield archive.database


async def open_rows(database):
    async with database.read() as session:
        return list(await session.scalars(select(Upload)))


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the test sets."""
    now = [100.0]
    monkeypatch.setattr(uploads.time, "monotonic", lambda: now[0])
    return now


async def test_a_request_that_takes_its_time_is_seen_and_gone_when_it_ends(database, clock):
    async with uploads.open_upload(database, utc_now, "WZ01") as upload:
        await upload.arriving()
        assert await open_rows(database) == []
        clock[0] += 1
        await upload.arriving()
        (row,) = await open_rows(database)
        assert row.owner == "WZ01"
        clock[0] += 60
        await upload.arriving()
        (renewed,) = await open_rows(database)
        assert renewed.seen_at > row.seen_at
        assert renewed.started_at == row.started_at
    assert await open_rows(database) == []


async def test_a_request_that_fails_leaves_no_row(database, clock):
    async def fail():
        async with uploads.open_upload(database, utc_now, "WZ01") as upload:
            clock[0] += 1
            await upload.arriving()
            assert len(await open_rows(database)) == 1
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        await fail()
    assert await open_rows(database) == []
