"""Instances in a ZIP file with their DICOMDIR (media type application/zip), streamed with flat memory.

Names in it are our own, never a file's; each is a File ID that PS3.10 section 8.2 allows.
"""

import asyncio
import zlib
from collections.abc import Callable, Sequence
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import msgspec

from foundation.ids import new_id
from imaging.dicom.directory import Directory
from imaging.dicomweb.multipart import Pieces
from imaging.dicomweb.negotiation import Offer
from imaging.store.catalog import Catalog
from imaging.store.rows import InstanceRow

Given = Sequence[tuple[InstanceRow, Offer]]
# The earliest day that a ZIP file can name: the same request makes the same bytes.
_DAY: Final = (1980, 1, 1, 0, 0, 0)


class _Sink:
    """Takes what the archive writes; without ``tell`` it is written as a stream."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def write(self, data: bytes) -> int:
        self._pending += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def take(self) -> bytes:
        taken, self._pending = bytes(self._pending), bytearray()
        return taken


async def pieces(catalog: Catalog, given: Given, content: Callable[[InstanceRow, Offer], Pieces]) -> Pieces:
    """The ZIP file. content: the bytes of one instance as offered."""
    names = file_ids([row for row, _ in given])
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED) as archive:  # type: ignore[call-overload]
        for row, offer in given:
            with archive.open(ZipInfo(names[row.id], _DAY), "w", force_zip64=True) as member:
                async for piece in content(row, offer):
                    member.write(piece)
                    yield sink.take()
        archive.writestr(ZipInfo("DICOMDIR", _DAY), await _directory(catalog, given, names))
    yield sink.take()


def file_ids(instances: Sequence[InstanceRow]) -> dict[str, str]:
    """Instance key → path in the ZIP file: a folder for each series, numbered in reading order."""
    series = {key: number for number, key in enumerate(dict.fromkeys(row.series_key for row in instances), 1)}
    return {row.id: f"DICOM/SE{series[row.series_key]:06}/IM{number:06}" for number, row in enumerate(instances, 1)}


async def _directory(catalog: Catalog, given: Given, names: dict[str, str]) -> bytes:
    directory = Directory(f"2.25.{int.from_bytes(new_id().encode()[:15])}")
    syntaxes = {row.id: offer.transfer_syntax for row, offer in given}

    def add(headers: Sequence[tuple[str, bytes]]) -> None:
        for key, packed in headers:
            directory.add(msgspec.json.decode(zlib.decompress(packed)), names[key], syntaxes[key])

    async for headers in catalog.headers([row.id for row, _ in given]):
        await asyncio.to_thread(add, headers)
    return await asyncio.to_thread(directory.finish)
