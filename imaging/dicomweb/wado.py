"""WADO-RS: the instances of a study, a series or one alone (PS3.18 section 10.4), streamed with flat memory."""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Final

from aiohttp import web

from imaging.dicom import codecs
from imaging.dicom.explicit import file_head
from imaging.dicom.remarks import Remark
from imaging.dicom.transcode import to_explicit_little_endian
from imaging.dicomweb import http, multipart
from imaging.dicomweb.http import Door
from imaging.dicomweb.multipart import Part
from imaging.dicomweb.negotiation import DICOM, EXPLICIT_LITTLE_ENDIAN, NothingAcceptable, Offer, choose
from imaging.store.rows import InstanceRow

EMPTY_PREAMBLE: Final = bytes(128)
_PIECE_BYTES: Final = 256 * 1024


class Instances:
    """Part 10 files, as stored or rewritten in Explicit VR Little Endian when that is asked for."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._archive = door.archive

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """206 and a Warning when some instances cannot be given in an acceptable syntax (T42)."""
        instances = await self._door.instances(request)
        syntaxes = {row.transfer_syntax_uid for row in instances}
        plan = _plan(http.accept_of(request), syntaxes, alone="instance" in request.match_info)
        given = [(row, offer) for row in instances if (offer := plan.get(row.transfer_syntax_uid)) is not None]
        etag = http.etag_of(
            part for row, offer in given for part in (row.sha256, offer.part_type, str(offer.multipart))
        )
        http.refuse_unchanged(request, etag)
        headers = http.cached_headers(etag)
        if not given[0][1].multipart:
            return await self._bare(request, *given[0], headers)
        missing = len(instances) - len(given)
        if missing:
            text = f"{missing} of {len(instances)} instances cannot be converted to an acceptable transfer syntax"
            headers["Warning"] = f'299 {self._door.root(request)}: "{text}"'
        parts = self._parts(request, given)
        return await multipart.respond(request, DICOM, parts, headers, 206 if missing else 200)

    async def _bare(
        self, request: web.Request, row: InstanceRow, offer: Offer, headers: dict[str, str]
    ) -> web.StreamResponse:
        reply = web.StreamResponse(headers={**headers, "Content-Type": offer.part_type})
        reply.headers["Content-Disposition"] = f'attachment; filename="{row.sop_instance_uid}.dcm"'
        if offer.stored and not _lacks_head(row):
            reply.content_length = row.size_bytes
        return await multipart.send(request, reply, self._bytes(row, offer))

    async def _parts(
        self, request: web.Request, given: Sequence[tuple[InstanceRow, Offer]]
    ) -> AsyncGenerator[Part, None]:
        for row, offer in given:
            yield Part(offer.part_type, self._bytes(row, offer), self._door.address(request, row))

    async def _stored(self, row: InstanceRow) -> AsyncGenerator[bytes, None]:
        start = 0
        if _lacks_head(row):
            yield file_head(row.sop_class_uid, row.sop_instance_uid, row.transfer_syntax_uid)
            start = (await self._archive.catalog.layout(row.id)).dataset_offset
        elif Remark.PREAMBLE_WITHHELD in row.remarks:
            # A preamble may be the head of a program (CVE-2019-11687); no reader of DICOM needs it.
            start = len(EMPTY_PREAMBLE)
            yield EMPTY_PREAMBLE
        async for piece in self._archive.blobs.stream(row.blob_key, start):
            yield piece

    async def _bytes(self, row: InstanceRow, offer: Offer) -> AsyncGenerator[bytes, None]:
        if offer.stored:
            async for piece in self._stored(row):
                yield piece
            return
        source, target = await self._archive.blobs.local_path(row.blob_key), await self._archive.blobs.spool()
        layout = await self._archive.catalog.layout(row.id)
        rewritten = self._archive.workers.run(
            to_explicit_little_endian, source, target, row.transfer_syntax_uid, layout
        )
        try:
            size = await rewritten
            for start in range(0, size, _PIECE_BYTES):
                yield await asyncio.to_thread(_read, target, start)
        finally:
            await asyncio.to_thread(target.unlink, missing_ok=True)


def _lacks_head(row: InstanceRow) -> bool:
    """Received without a proper preamble and file meta information, which every reader of the answer expects."""
    return not {Remark.NO_FILE_META, Remark.FILE_META_NONSTANDARD}.isdisjoint(row.remarks)


def _plan(accept: str | None, syntaxes: set[str], *, alone: bool) -> dict[str, Offer]:
    """What to send for each stored transfer syntax; one that cannot be given is left out.

    Raises NothingAcceptable where none can.
    """
    plan: dict[str, Offer] = {}
    refusal = NothingAcceptable()
    for syntax in sorted(syntaxes):
        try:
            plan[syntax] = choose(accept, offers(syntax, alone=alone))
        except NothingAcceptable as refused:
            refusal = refused
    if not plan:
        raise refusal
    return plan


def offers(syntax: str, *, alone: bool) -> list[Offer]:
    """The forms of an instance stored in ``syntax``; bare files only where one instance is asked for (T41c)."""
    built: list[Offer] = []
    for wrapped in (True, False) if alone else (True,):
        if syntax != EXPLICIT_LITTLE_ENDIAN and codecs.is_decodable(syntax):
            built.append(Offer(DICOM, EXPLICIT_LITTLE_ENDIAN, multipart=wrapped))
        built.append(Offer(DICOM, syntax, multipart=wrapped, stored=True))
    return built


def _read(path: Path, start: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.pread(descriptor, _PIECE_BYTES, start)
    finally:
        os.close(descriptor)
