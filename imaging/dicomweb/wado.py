"""WADO-RS: the instances of a study, a series or one alone (PS3.18 section 10.4), streamed with flat memory."""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Final

from aiohttp import web

from imaging.dicom import codecs, encoding
from imaging.dicom.explicit import file_head
from imaging.dicom.remarks import Remark
from imaging.dicom.transcode import REWRITTEN, rewrite
from imaging.dicomweb import http, multipart, zipped
from imaging.dicomweb.http import Door
from imaging.dicomweb.multipart import Part
from imaging.dicomweb.negotiation import DICOM, ZIP, NothingAcceptable, Offer, choose, named_syntaxes, zip_wanted
from imaging.store.rows import InstanceRow

EMPTY_PREAMBLE: Final = bytes(128)
_PIECE_BYTES: Final = 256 * 1024


class Instances:
    """Part 10 files, as stored or rewritten in the transfer syntax that is asked for."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._archive = door.archive

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """206 and a Warning when some instances cannot be given in an acceptable syntax (T42)."""
        instances = await self._door.instances(request)
        if zipped_as := zip_wanted(http.accept_of(request)):
            return await self._zip(request, instances, zipped_as)
        given = await self.plan(http.accept_of(request), instances, alone="instance" in request.match_info)
        etag = http.etag_of(
            part for row, offer in given for part in (row.sha256, offer.part_type, str(offer.multipart))
        )
        http.refuse_unchanged(request, etag)
        headers = http.cached_headers(etag)
        if not given[0][1].multipart:
            return await self.bare(request, *given[0], headers)
        parts = self._parts(request, given)
        return await multipart.respond(request, DICOM, parts, headers, self._told(request, instances, given, headers))

    def _told(
        self, request: web.Request, instances: Sequence[InstanceRow], given: zipped.Given, headers: dict[str, str]
    ) -> int:
        """The status, and a warning where some instances are missing."""
        missing = len(instances) - len(given)
        if not missing:
            return 200
        text = f"{missing} of {len(instances)} instances cannot be converted to an acceptable transfer syntax"
        headers["Warning"] = f'299 {self._door.root(request)}: "{text}"'
        return 206

    async def _zip(self, request: web.Request, instances: Sequence[InstanceRow], accept: str) -> web.StreamResponse:
        given = await self.plan(accept, instances, alone=True)
        etag = http.etag_of([ZIP, *(part for row, offer in given for part in (row.sha256, offer.part_type))])
        http.refuse_unchanged(request, etag)
        headers = http.cached_headers(etag)
        status = self._told(request, instances, given, headers)
        reply = web.StreamResponse(status=status, headers={**headers, "Content-Type": ZIP})
        reply.headers["Content-Disposition"] = 'attachment; filename="dicom.zip"'
        return await multipart.send(request, reply, zipped.pieces(self._archive.catalog, given, self._bytes))

    async def plan(
        self, accept: str | None, instances: Sequence[InstanceRow], *, alone: bool
    ) -> list[tuple[InstanceRow, Offer]]:
        """What to send of each instance; one that cannot be given is left out. Raises NothingAcceptable for none."""
        chosen: dict[tuple[str, ...], Offer | NothingAcceptable] = {}
        compressed = not named_syntaxes(accept).isdisjoint(encoding.ENCODERS)
        plan = []
        for row in instances:
            targets = await self._targets(row) if compressed else []
            key = (row.transfer_syntax_uid, *targets)
            if key not in chosen:
                chosen[key] = _chosen(accept, offers(row.transfer_syntax_uid, targets, alone=alone))
            if isinstance(offer := chosen[key], Offer):
                plan.append((row, offer))
        if not plan:
            raise next(refusal for refusal in chosen.values() if isinstance(refusal, NothingAcceptable))
        return plan

    async def _targets(self, row: InstanceRow) -> list[str]:
        return encoding.targets(row.transfer_syntax_uid, await self._archive.catalog.layout(row.id))

    async def bare(
        self, request: web.Request, row: InstanceRow, offer: Offer, headers: dict[str, str]
    ) -> web.StreamResponse:
        """The file alone, without a wrapping."""
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
            rewrite, source, target, row.transfer_syntax_uid, layout, offer.transfer_syntax
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


def _chosen(accept: str | None, offered: Sequence[Offer]) -> Offer | NothingAcceptable:
    try:
        return choose(accept, offered)
    except NothingAcceptable as refused:
        return refused


def offers(syntax: str, targets: Sequence[str] = (), *, alone: bool) -> list[Offer]:
    """The forms of an instance stored in ``syntax``; bare files only where one instance is asked for (T41c).

    targets: compressed syntaxes that it can be given in, too.
    """
    rewritten = REWRITTEN if codecs.is_decodable(syntax) else ()
    first, *others = [*rewritten, *targets] or [""]
    built: list[Offer] = []
    for wrapped in (True, False) if alone else (True,):
        if first and syntax != first:
            built.append(Offer(DICOM, first, multipart=wrapped))
        built.append(Offer(DICOM, syntax, multipart=wrapped, stored=True))
        built += [Offer(DICOM, other, multipart=wrapped) for other in others if other != syntax]
    return built


def _read(path: Path, start: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.pread(descriptor, _PIECE_BYTES, start)
    finally:
        os.close(descriptor)
