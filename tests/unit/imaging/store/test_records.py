import asyncio

import pytest

from foundation.clock import utc_now
from foundation.ids import new_id
from imaging.dicom.reading import ReadingLimits, examine
from imaging.store import records
from imaging.store.placing import Arrival
from tests.archives import archive_at
from tests.samples import ct_series, to_bytes


@pytest.fixture
async def database(database_url, tmp_path):
    async with archive_at(database_url, tmp_path / "archive") as archive:
        yield archive.database


@pytest.fixture
def arrivals(tmp_path):
    def examined(data):
        path = tmp_path / "file"
        path.write_bytes(to_bytes(data))
        return examine(path, ReadingLimits())

    return [Arrival("WZ01", examined(data), new_id()) for data in ct_series("1", 3, 16)]


async def write(database, arrivals):
    return await database.change(lambda connection: records.write(connection, arrivals, utc_now()))


async def test_who_holds_the_study_decides_alone_what_is_new_in_it(database, arrivals):
    """A second process with the same instance waits for the first, and then finds it stored."""
    await write(database, arrivals[:1])
    written = asyncio.Event()
    go_on = asyncio.Event()

    async def first():
        async with database.write() as session:
            connection = await session.connection()
            placed = await connection.run_sync(records.write, arrivals[1:2], utc_now())
            written.set()
            await go_on.wait()
            return placed

    async def second():
        await written.wait()
        asyncio.get_running_loop().call_later(0.2, go_on.set)
        return await write(database, arrivals[1:2])

    (one,), (two,) = await asyncio.gather(first(), second())
    assert (one.kind, two.kind) == ("stored", "already_stored")
    assert one.study_id == two.study_id
