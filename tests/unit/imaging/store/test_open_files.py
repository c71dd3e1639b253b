"""Files stay open while somebody reads them and no longer."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from imaging.errors import BlobAway
from imaging.store.open_files import OpenFiles


def is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


async def test_a_kept_file_is_opened_once_and_read_on_by_who_holds_it(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    files = OpenFiles()
    file = await files.get("a", tmp_path / "a")
    assert await files.get("a", tmp_path / "a") is file
    assert await file.read(2, 3) == b"234"
    (tmp_path / "a").unlink()
    files.close("a")
    assert await file.read(0, 2) == b"01"
    with pytest.raises(BlobAway):
        await files.get("a", tmp_path / "a")


async def test_what_nobody_holds_any_more_is_closed(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    files = OpenFiles()
    descriptor = (await files.get("a", tmp_path / "a")).descriptor
    files.close("a")
    # The one thread takes another task: it has let go of what it opened.
    await asyncio.to_thread(int)
    assert not is_open(descriptor)


async def test_only_so_many_are_kept(tmp_path, monkeypatch):
    files = OpenFiles()
    monkeypatch.setattr(files, "_limit", 2)
    for name in "abc":
        (tmp_path / name).write_bytes(name.encode())
    first, second, third = [await files.get(name, tmp_path / name) for name in "abc"]
    assert await files.get("b", tmp_path / "b") is second
    assert await files.get("c", tmp_path / "c") is third
    assert await files.get("a", tmp_path / "a") is not first


async def test_a_missing_file_is_away(tmp_path):
    with pytest.raises(BlobAway):
        await OpenFiles().get("a", tmp_path / "a")


async def test_what_the_kernel_does_not_hold_is_read_in_a_thread(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"0123456789")
    file = await OpenFiles().get("a", tmp_path / "a")

    def not_in_memory(*_arguments):
        raise BlockingIOError

    monkeypatch.setattr(os, "preadv", not_in_memory)
    assert await file.read(8, 5) == b"89"
