import asyncio
import errno
import hashlib

import pytest

from imaging.dicom.remarks import RefusedAs, Unreadable
from imaging.dicomweb import spooling
from imaging.dicomweb.spooling import BUFFER_BYTES, HELD_LIMIT_BYTES, Receiver
from imaging.store.blobs import FolderBlobs
from imaging.store.ingest import Held, Spooled
from imaging.store.memory import Memory


class NoUpload:
    async def arriving(self):
        pass


async def pieces(*sizes):
    for number, size in enumerate(sizes):
        yield bytes([number]) * size


@pytest.fixture
async def blobs(tmp_path):
    blobs = await FolderBlobs.open(tmp_path)
    yield blobs
    await blobs.close()


@pytest.fixture
def memory():
    return Memory(HELD_LIMIT_BYTES)


def receiver(blobs, memory, limit=1 << 30):
    return Receiver(blobs, memory, limit, NoUpload())


def is_all_free(memory):
    return memory.take(HELD_LIMIT_BYTES)


def spool_files(tmp_path):
    return [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]


async def test_what_is_small_stays_in_memory_until_it_is_released(blobs, memory):
    receiving = receiver(blobs, memory)
    received = await receiving.receive(pieces(3, 0, 2))
    assert received == Held(b"\0\0\0\2\2")
    assert not is_all_free(memory)
    receiving.release(received)
    assert is_all_free(memory)


async def test_what_is_large_goes_to_a_file_and_is_digested_on_the_way(blobs, memory):
    sizes = (10, HELD_LIMIT_BYTES, BUFFER_BYTES, 5)
    received = await receiver(blobs, memory).receive(pieces(*sizes))
    assert isinstance(received, Spooled)
    content = await asyncio.to_thread(received.path.read_bytes)
    assert content == b"".join([piece async for piece in pieces(*sizes)])
    assert received.sha256 == hashlib.sha256(content).hexdigest()
    assert is_all_free(memory)


async def test_without_room_in_memory_it_goes_to_a_file_however_small(blobs, memory):
    assert memory.take(HELD_LIMIT_BYTES - 4)
    received = await receiver(blobs, memory).receive(pieces(3, 2))
    assert await asyncio.to_thread(received.path.read_bytes) == b"\0\0\0\1\1"
    assert memory.take(4)


@pytest.mark.parametrize("sizes", [(60, 41, 10), (HELD_LIMIT_BYTES, BUFFER_BYTES, 1 << 24)])
async def test_over_the_limit_stops_at_once_and_leaves_nothing(blobs, memory, tmp_path, sizes):
    with pytest.raises(Unreadable) as caught:
        await receiver(blobs, memory, sum(sizes) - 1).receive(pieces(*sizes))
    assert caught.value.why is RefusedAs.TOO_LARGE
    assert is_all_free(memory)
    assert spool_files(tmp_path) == []


async def test_a_full_disk_is_told(blobs, memory, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "no")

    monkeypatch.setattr(spooling, "_write", refuse)
    with pytest.raises(Unreadable) as caught:
        await receiver(blobs, memory).receive(pieces(HELD_LIMIT_BYTES, 1))
    assert caught.value.why is RefusedAs.DISK_FULL
    assert is_all_free(memory)
