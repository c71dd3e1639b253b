"""Metadata out of the stored pieces: unpacked, made absolute and joined; only for XML is the JSON in them read."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Sequence
from gzip import decompress as gunzip
from typing import Final

import msgspec
from aiohttp import web

from imaging.dicom.layout import BULK_PREFIX
from imaging.dicom.xml_model import to_xml
from imaging.dicomweb import http, multipart
from imaging.dicomweb.http import Door
from imaging.dicomweb.multipart import Part, Pieces, once
from imaging.dicomweb.negotiation import DICOM_JSON, DICOM_XML, Offer, accepts_gzip, choose
from imaging.dicomweb.recent_metadata import Ready, RecentMetadata
from imaging.store.rows import InstanceRow

OFFERS: Final = (Offer(DICOM_JSON), Offer("application/json"), Offer(DICOM_XML, multipart=True))
# Answers about more instances are made anew each time: some ten megabytes of JSON.
MAX_READY: Final = 3_000
# The stored model is compact JSON in which a quote inside text is escaped, so these bytes are nothing else.
_RELATIVE: Final = b'"BulkDataURI":"' + BULK_PREFIX.encode()


def unpacked(packed: bytes, address: str) -> bytes:
    """The JSON of one instance out of its stored metadata, bulk data named below its absolute address."""
    return zlib.decompress(packed).replace(_RELATIVE, f'"BulkDataURI":"{address}/{BULK_PREFIX}'.encode())


class Assembler:
    """One JSON array in pieces, packed where asked. Each call may take milliseconds: call it in a thread."""

    def __init__(self, *, gzip: bool) -> None:
        self._packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16) if gzip else None
        self._glue = b"["

    def add(self, models: Sequence[tuple[bytes, str]]) -> bytes:
        """The next (stored metadata, absolute address) of instances."""
        joined = bytearray()
        for packed, address in models:
            joined += self._glue + unpacked(packed, address)
            self._glue = b","
        return self._packed(bytes(joined))

    def finish(self) -> bytes:
        end = self._packed(b"[]" if self._glue == b"[" else b"]")
        return end + self._packer.flush() if self._packer else end

    def _packed(self, data: bytes) -> bytes:
        return self._packer.compress(data) if self._packer else data


class Metadata:
    """Every instance that the path names, as DICOM JSON model or Native DICOM Model (PS3.18 section 10.4.1.1.2)."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._recent = RecentMetadata()

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        if "instance" in request.match_info:
            return await self._assemble(request, [await self._door.instance(request)], (*OFFERS, Offer(DICOM_XML)))
        study = await self._door.study(request)
        name = study.id, study.revision, request.match_info.get("series"), self._door.root(request)
        ready = self._recent.get(name)
        instances = [] if ready else await self._door.instances_of(request, study)
        offer = choose(http.accept_of(request), OFFERS)
        if offer.media_type == DICOM_XML or len(instances) > MAX_READY:
            return await self._assemble(request, instances or await self._door.instances_of(request, study), OFFERS)
        if ready is None:
            ready = await self._made_ready(request, instances)
            self._recent.keep(name, ready)
        return await self._send(request, offer, ready)

    async def _made_ready(self, request: web.Request, instances: Sequence[InstanceRow]) -> Ready:
        ids, addresses = [row.id for row in instances], [self._door.address(request, row) for row in instances]
        packed = b"".join([piece async for piece in self._assembled(ids, addresses, Assembler(gzip=True))])
        return Ready(packed, _content(instances), _warning(instances))

    async def _send(self, request: web.Request, offer: Offer, ready: Ready) -> web.StreamResponse:
        reply = self._reply(request, offer, ready.content, ready.warning)
        packed = "Content-Encoding" in reply.headers
        body = ready.packed if packed else await asyncio.to_thread(gunzip, ready.packed)
        return await multipart.send_whole(request, reply, [body])

    async def _assemble(
        self, request: web.Request, instances: Sequence[InstanceRow], offers: Sequence[Offer]
    ) -> web.StreamResponse:
        """Piece by piece, with flat memory."""
        offer = choose(http.accept_of(request), offers)
        reply = self._reply(request, offer, _content(instances), _warning(instances))
        ids, addresses = [row.id for row in instances], [self._door.address(request, row) for row in instances]
        if offer.multipart:
            return await multipart.respond(request, DICOM_XML, self._documents(ids, addresses), reply.headers)
        if offer.media_type == DICOM_XML:
            return await multipart.send(request, reply, self._document(ids, addresses))
        assembler = Assembler(gzip="Content-Encoding" in reply.headers)
        return await multipart.send(request, reply, self._assembled(ids, addresses, assembler))

    def _reply(self, request: web.Request, offer: Offer, content: str, warning: str | None) -> web.StreamResponse:
        """The head of an answer. Raises 304."""
        gzip = offer.media_type != DICOM_XML and accepts_gzip(request.headers.get("Accept-Encoding"))
        etag = http.etag_of([repr(offer), str(gzip), self._door.root(request), content])
        http.refuse_unchanged(request, etag)
        reply = web.StreamResponse(headers={**http.cached_headers(etag), "Content-Type": offer.media_type})
        if warning:
            reply.headers["Warning"] = warning
        if gzip:
            reply.headers["Content-Encoding"] = "gzip"
        return reply

    async def _assembled(self, ids: Sequence[str], addresses: Sequence[str], assembler: Assembler) -> Pieces:
        address_of = dict(zip(ids, addresses, strict=True))
        async for headers in self._door.archive.catalog.headers(ids):
            models = [(packed, address_of[key]) for key, packed in headers]
            yield await asyncio.to_thread(assembler.add, models)
        yield assembler.finish()

    async def _documents(self, ids: Sequence[str], addresses: Sequence[str]) -> AsyncGenerator[Part, None]:
        address_of = dict(zip(ids, addresses, strict=True))
        async for headers in self._door.archive.catalog.headers(ids):
            for key, packed in headers:
                document = await asyncio.to_thread(_xml, packed, address_of[key])
                yield Part(DICOM_XML, once(document), f"{address_of[key]}/metadata")

    async def _document(self, ids: Sequence[str], addresses: Sequence[str]) -> Pieces:
        async for part in self._documents(ids, addresses):
            async for piece in part.content:
                yield piece


def _content(instances: Sequence[InstanceRow]) -> str:
    return http.etag_of(row.sha256 for row in instances)


def _warning(instances: Sequence[InstanceRow]) -> str | None:
    """Where text was repaired, the words are not what the file says: whoever reads them is told."""
    return http.warnings(word for row in instances for word in row.remarks)


def _xml(packed: bytes, address: str) -> bytes:
    return to_xml(msgspec.json.decode(unpacked(packed, address)))
