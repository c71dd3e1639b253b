import asyncio
import errno

import pytest

from imaging.dicom.remarks import RefusedAs, Unreadable
from imaging.dicomweb import spooling
from imaging.dicomweb.spooling import BUFFER_BYTES, spool


class NoUpload:
    async def arriving(self):
        pass


async def pieces(*sizes):
    for number, size in enumerate(sizes):
        yield bytes([number]) * size


async def test_pieces_arrive_in_order_however_large(tmp_path):
    path = tmp_path / "file"
    await spool(pieces(10, BUFFER_BYTES, 5), path, 2 * BUFFER_BYTES, NoUpload())
    content = await asyncio.to_thread(path.read_bytes)
    assert content == b"\0" * 10 + b"\1" * BUFFER_BYTES + b"\2" * 5


async def test_over_the_limit_stops_at_once(tmp_path):
    with pytest.raises(Unreadable) as caught:
        await spool(pieces(60, 41, 10), tmp_path / "file", 100, NoUpload())
    assert caught.value.why is RefusedAs.TOO_LARGE


async def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "no")

    monkeypatch.setattr(spooling, "_write", refuse)
    with pytest.raises(Unreadable) as caught:
        await spool(pieces(10), tmp_path / "file", 100, NoUpload())
    assert caught.value.why is RefusedAs.DISK_FULL
