"""Metadata out of the stored pieces: unpacked, made absolute and joined, without reading the JSON in them."""

import asyncio
import zlib
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from imaging.dicom.layout import BULK_PREFIX
from imaging.dicomweb import http, multipart
from imaging.dicomweb.http import Door
from imaging.dicomweb.multipart import Pieces
from imaging.dicomweb.negotiation import DICOM_JSON, Offer, accepts_gzip, choose

OFFERS: Final = (Offer(DICOM_JSON), Offer("application/json"))
# The stored model is compact JSON in which a quote inside text is escaped, so these bytes are nothing else.
_RELATIVE: Final = b'"BulkDataURI":"' + BULK_PREFIX.encode()


class Assembler:
    """One JSON array in pieces, packed where asked. Each call may take milliseconds: call it in a thread."""

    def __init__(self, *, gzip: bool) -> None:
        self._packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16) if gzip else None
        self._glue = b"["

    def add(self, models: Sequence[tuple[bytes, str]]) -> bytes:
        """The next (stored metadata, absolute address) of instances."""
        joined = bytearray()
        for packed, address in models:
            absolute = f'"BulkDataURI":"{address}/{BULK_PREFIX}'.encode()
            joined += self._glue + zlib.decompress(packed).replace(_RELATIVE, absolute)
            self._glue = b","
        return self._packed(bytes(joined))

    def finish(self) -> bytes:
        end = self._packed(b"[]" if self._glue == b"[" else b"]")
        return end + self._packer.flush() if self._packer else end

    def _packed(self, data: bytes) -> bytes:
        return self._packer.compress(data) if self._packer else data


class Metadata:
    """The DICOM JSON model of every instance that the path names (PS3.18 section 10.4.1.1.2)."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        instances = await self._door.instances(request)
        offer = choose(http.accept_of(request), OFFERS)
        addresses = [self._door.address(request, row) for row in instances]
        gzip = accepts_gzip(request.headers.get("Accept-Encoding"))
        etag = http.etag_of([offer.media_type, str(gzip), self._door.root(request), *(row.sha256 for row in instances)])
        http.refuse_unchanged(request, etag)
        reply = web.StreamResponse(headers={**http.cached_headers(etag), "Content-Type": offer.media_type})
        if gzip:
            reply.headers["Content-Encoding"] = "gzip"
        # Where text was repaired, the words are not what the file says: whoever reads them is told.
        if noticed := http.warnings(word for row in instances for word in row.remarks):
            reply.headers["Warning"] = noticed
        ids = [row.id for row in instances]
        return await multipart.send(request, reply, self._assembled(ids, addresses, Assembler(gzip=gzip)))

    async def _assembled(self, ids: Sequence[str], addresses: Sequence[str], assembler: Assembler) -> Pieces:
        address_of = dict(zip(ids, addresses, strict=True))
        async for headers in self._door.archive.catalog.headers(ids):
            models = [(packed, address_of[key]) for key, packed in headers]
            yield await asyncio.to_thread(assembler.add, models)
        yield assembler.finish()
