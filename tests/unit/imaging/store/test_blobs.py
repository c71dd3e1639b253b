import asyncio
import errno
import os
from pathlib import Path

import pytest

from foundation.errors import Unavailable
from foundation.ids import new_id
from imaging.store import blobs as blobs_module
from imaging.store.blobs import PIECE_BYTES, FolderBlobs


@pytest.fixture
async def blobs(tmp_path):
    blobs = await FolderBlobs.open(tmp_path)
    yield blobs
    await blobs.close()


async def kept(blobs, content):
    path, key = await blobs.spool(), new_id()
    await asyncio.to_thread(path.write_bytes, content)
    await blobs.keep(path, key)
    return key


async def joined(pieces):
    return [piece async for piece in pieces]


async def test_what_is_kept_can_be_read_whole_and_in_part(blobs):
    key = await kept(blobs, b"0123456789")
    assert await blobs.read(key) == b"0123456789"
    assert await blobs.read(key, 3, 4) == b"3456"
    assert await blobs.read(key, 8, 100) == b"89"
    assert await blobs.read(key, 20) == b""


async def test_a_stream_comes_in_bounded_pieces(blobs):
    content = os.urandom(2 * PIECE_BYTES + 10)
    key = await kept(blobs, content)
    pieces = await joined(blobs.stream(key))
    assert [len(piece) for piece in pieces] == [PIECE_BYTES, PIECE_BYTES, 10]
    assert b"".join(pieces) == content
    assert b"".join(await joined(blobs.stream(key, 5, 7))) == content[5:12]


async def test_the_spooled_file_is_moved_and_the_path_is_ours(blobs, tmp_path):
    key = await kept(blobs, b"x")
    path = await blobs.local_path(key)
    assert path == tmp_path / "blobs" / key[:5] / key[5:7] / key
    assert [file for file in (tmp_path / "spool").rglob("*") if file.is_file()] == []


async def test_file_and_folder_are_synced_before_keep_returns(blobs, monkeypatch):
    synced = []
    real = os.fsync

    def observed(descriptor):
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", observed)
    key = await kept(blobs, b"x")
    path = await blobs.local_path(key)
    assert synced[0].split("/")[-3] == "spool"
    assert synced[-1] == str(path.parent)
    assert {str(path.parent.parent), str(path.parent.parent.parent)} <= set(synced)


async def test_what_is_kept_at_once_is_synced_and_a_failure_costs_only_its_own(blobs, monkeypatch, tmp_path):
    written, synced = blobs_module._write, []

    def write(path, data):
        if data == b"bad":
            path.write_bytes(data[:1])
            raise OSError(errno.ENOSPC, "no")
        written(path, data)

    real = os.fsync
    monkeypatch.setattr(blobs_module, "_write", write)
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), real(fd)))
    keys = [new_id() for _ in range(3)]
    failures = await blobs.keep_all(list(zip(keys, [b"one", b"bad", b"two"], strict=True)))
    assert [failure and failure.errno for failure in failures] == [None, errno.ENOSPC, None]
    assert await blobs.read(keys[0]) + await blobs.read(keys[2]) == b"onetwo"
    with pytest.raises(Unavailable):
        await blobs.read(keys[1])
    paths = [str(await blobs.local_path(key)) for key in keys]
    assert {paths[0], paths[2], str(Path(paths[0]).parent)} <= set(synced)


async def test_what_is_not_there_is_unavailable(blobs):
    with pytest.raises(Unavailable):
        await blobs.read(new_id())
    with pytest.raises(Unavailable):
        await joined(blobs.stream(new_id()))


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "x" * 26, "01ARZ3NDEKTSV4RRFFQ69G5FAV/"])
async def test_a_key_that_is_not_ours_is_refused(blobs, key):
    with pytest.raises(ValueError, match="ULID"):
        await blobs.read(key)


async def test_delete_is_content_with_what_is_gone(blobs):
    key = await kept(blobs, b"x")
    await blobs.delete(key)
    await blobs.delete(key)
    with pytest.raises(Unavailable):
        await blobs.read(key)


async def test_a_start_removes_what_dead_processes_spooled_and_nothing_else(blobs, tmp_path):
    alive = await blobs.spool()
    abandoned = tmp_path / "spool" / new_id() / "leftover"

    def fill():
        alive.write_bytes(b"under way")
        abandoned.parent.mkdir()
        abandoned.write_bytes(b"half an upload")

    await asyncio.to_thread(fill)
    second = await FolderBlobs.open(tmp_path)
    assert await asyncio.to_thread(alive.read_bytes) == b"under way"
    assert not await asyncio.to_thread(abandoned.parent.exists)
    await second.close()


async def test_blobs_as_the_first_version_laid_them_out_are_found(tmp_path):
    key = new_id()
    path = tmp_path / "blobs" / key[-1] / key[-2] / key

    def fill():
        path.parent.mkdir(parents=True)
        path.write_bytes(b"old")

    await asyncio.to_thread(fill)
    blobs = await FolderBlobs.open(tmp_path)
    assert await blobs.read(key) == b"old"
    await blobs.close()
