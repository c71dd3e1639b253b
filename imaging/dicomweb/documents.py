"""Rendered forms of what is no picture: PDF documents and videos, passed on as they are (PS3.18 table 8.7.4-1).

They are strangers' content: never sniffed, a document always a download that could run nothing even if shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from foundation.errors import NotAcceptable
from imaging.dicom import codecs
from imaging.dicom.layout import Layout, Span
from imaging.dicomweb import http, multipart
from imaging.dicomweb.frames import Frames
from imaging.dicomweb.http import Door
from imaging.dicomweb.multipart import Pieces
from imaging.dicomweb.negotiation import Offer, choose
from imaging.store.rows import InstanceRow

ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_ENCAPSULATED_DOCUMENT: Final = "00420011"
_PDF_HEAD: Final = b"%PDF-"
_NOTHING_RUNS: Final = {"Content-Security-Policy": "sandbox; default-src 'none'"}


class NotAPdf(NotAcceptable):
    code, title = "rendered.not_a_pdf", "The encapsulated document is no PDF"


@dataclass(frozen=True, slots=True)
class _Content:
    """``length`` bytes; pieces: of a part of them, given where it begins and how long it is."""

    media_type: str
    length: int
    pieces: Callable[[int, int], Pieces]
    headers: Mapping[str, str]


class Documents:
    """PDF and video of one instance."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._frames = Frames(door)

    async def rendered(self, request: web.Request, row: InstanceRow) -> web.StreamResponse | None:
        """None where ``row`` is neither. Raises NotAPdf for a document that only says so."""
        media_type = codecs.media_type(row.transfer_syntax_uid)
        if row.sop_class_uid == ENCAPSULATED_PDF:
            layout = await self._door.archive.catalog.layout(row.id)
            return await self._pdf(request, row, layout)
        if media_type.startswith("video/"):
            layout = await self._door.archive.catalog.layout(row.id)
            return await self._video(request, row, layout, media_type)
        return None

    async def _pdf(self, request: web.Request, row: InstanceRow, layout: Layout) -> web.StreamResponse:
        span = layout.bulk.get(_ENCAPSULATED_DOCUMENT, (0, 0, "OB"))
        head = b"".join([piece async for piece in self._frames.value(row, layout, span, 0, len(_PDF_HEAD))])
        if head != _PDF_HEAD:
            raise NotAPdf("Retrieve the instance or its bulk data instead.")
        name = {"Content-Disposition": f'attachment; filename="{row.sop_instance_uid}.pdf"'}

        def content(start: int, length: int) -> Pieces:
            return self._frames.value(row, layout, span, start, length)

        return await self._passed_on(request, row, _Content("application/pdf", span[1], content, name))

    async def _video(
        self, request: web.Request, row: InstanceRow, layout: Layout, media_type: str
    ) -> web.StreamResponse | None:
        if layout.pixels is None or not layout.pixels.frames:
            return None
        spans = layout.pixels.frames[0]

        def content(start: int, length: int) -> Pieces:
            return self._joined(row.blob_key, spans, start, length)

        length = sum(size for _, size in spans)
        return await self._passed_on(request, row, _Content(media_type, length, content, {}))

    async def _joined(self, blob_key: str, spans: Sequence[Span], start: int, length: int) -> Pieces:
        """``length`` bytes from ``start`` of the fragments one after the other."""
        for offset, size in spans:
            skipped = min(start, size)
            taken = min(size - skipped, length)
            start, length = start - skipped, length - taken
            if taken:
                async for piece in self._door.archive.blobs.stream(blob_key, offset + skipped, taken):
                    yield piece

    async def _passed_on(self, request: web.Request, row: InstanceRow, content: _Content) -> web.StreamResponse:
        choose(http.accept_of(request), (Offer(content.media_type),))
        etag = http.etag_of([row.sha256, content.media_type])
        http.refuse_unchanged(request, etag)
        asked = http.slice_of(request, content.length, etag)
        headers = {**http.cached_headers(etag), **asked.headers, **_NOTHING_RUNS, **content.headers}
        reply = web.StreamResponse(status=asked.status, headers={**headers, "Content-Type": content.media_type})
        reply.content_length = asked.length
        return await multipart.send(request, reply, content.pieces(asked.start, asked.length))
