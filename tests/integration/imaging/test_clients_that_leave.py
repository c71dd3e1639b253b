"""Callers that go away in the middle of an answer (checklist T58)."""

import asyncio
from pathlib import Path

import pytest

from imaging.dicomweb.app import routes
from tests.archives import HeaderGuard, archive_at, client_of
from tests.dicomweb import address, keep
from tests.platforms import until
from tests.samples import ct_slice, rle

SIDE = 2048


def open_below(folder):
    """Files below ``folder`` that this process holds open."""
    links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link for link in links if link.is_relative_to(folder)]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads Linux' list of open files")
async def test_t58_callers_that_leave_free_tasks_files_and_the_spool(sqlite_url, tmp_path):
    folder = tmp_path / "archive"
    async with archive_at(sqlite_url, folder) as archive, client_of(routes(archive, HeaderGuard())) as client:
        # One is streamed as it lies, the other is rewritten into the spool first.
        plain, packed = ct_slice("plain", count=1, size=SIDE), rle(ct_slice("packed", count=1, size=SIDE))
        await keep(archive, plain, packed)
        tasks, files = len(asyncio.all_tasks()), len(open_below(folder))
        for data in (plain, packed):
            for _ in range(5):
                reply = await client.get(address(data), headers={"Accept": "application/dicom"})
                assert len(await reply.content.read(1000)) > 0
                reply.close()

        async def everything_is_free():
            spooled = [path for path in folder.rglob("*") if "spool" in path.parts and path.is_file()]
            # A few files stay open for the next caller: as many as there are objects, not as many as callers.
            return not spooled and len(open_below(folder)) <= files + 2 and len(asyncio.all_tasks()) <= tasks

        await until(everything_is_free)
        good = await client.get(address(plain), headers={"Accept": "application/dicom"})
        assert len(await good.read()) > SIDE * SIDE * 2
