"""WADO-RS frames and bulk data (PS3.18 section 10.4.1.1.5 and 10.4.1.1.6): ranged reads of what is asked for alone."""

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from aiohttp import web

from foundation.errors import Invalid, NotFound, TooLarge
from imaging.dicom import codecs, encoding, htj2k, values
from imaging.dicom.codecs import HTJ2K_RPCL, DamagedPixels
from imaging.dicom.frames import read_span, uncompressed_frame
from imaging.dicom.layout import BulkSpan, Layout, Pixels
from imaging.dicomweb import http, multipart
from imaging.dicomweb.http import Door
from imaging.dicomweb.multipart import Part, Pieces, once
from imaging.dicomweb.negotiation import EXPLICIT_LITTLE_ENDIAN, OCTETS, Offer, choose
from imaging.store.rows import InstanceRow

# Values that cannot be streamed as they lie (deflated, big endian) are held in memory whole.
MAX_CONVERTED_BYTES: Final = 1 << 30
_FRAME_LIST: Final = re.compile(r"[0-9]{1,9}(,[0-9]{1,9})*")
_BULK_OFFERS: Final = (Offer(OCTETS), Offer(OCTETS, multipart=True))


class NoSuchFrame(NotFound):
    code, title = "frame.not_found", "The instance has no such frame"


class NoSuchBulk(NotFound):
    code, title = "bulkdata.not_found", "The instance has no such value"


class BadFrameList(Invalid):
    code, title = "frame.list", "Name frames as 1 or 1,2,3"


def frame_numbers(text: str) -> list[int]:
    """The frames that a path names, from 1, in the order asked for, repeated if asked (T45). Raises BadFrameList."""
    if not _FRAME_LIST.fullmatch(text) or 0 in (numbers := [int(number) for number in text.split(",")]):
        raise BadFrameList("Frames are numbers from 1 with commas between them.")
    return numbers


def frame_offers(syntax: str, layout: Layout, *, alone: bool) -> list[Offer]:
    """The forms of frames stored in ``syntax``: native first, then compressed; bare bodies only for one frame."""
    pixels = pixels_of(layout)
    kinds = [(OCTETS, EXPLICIT_LITTLE_ENDIAN, not pixels.encapsulated)]
    if pixels.encapsulated:
        decodable = kinds if codecs.is_decodable(syntax) else []
        kinds = [*decodable, *dict.fromkeys([(codecs.media_type(syntax), syntax, True), (OCTETS, syntax, True)])]
    if htj2k.unfit(syntax, layout) is None:
        kinds.append((codecs.media_type(HTJ2K_RPCL), HTJ2K_RPCL, False))
    kinds += [
        (codecs.media_type(target), target, False)
        for target in encoding.targets(syntax, layout)
        if target != HTJ2K_RPCL and codecs.media_type(target) not in {kind for kind, _, stored in kinds if stored}
    ]
    return [
        Offer(media_type, named, multipart=wrapped, stored=stored)
        for wrapped in ((True, False) if alone else (True,))
        for media_type, named, stored in kinds
    ]


def pixels_of(layout: Layout) -> Pixels:
    if layout.pixels is None:
        raise NoSuchFrame("The instance has no pixel data that could be cut into frames.")
    return layout.pixels


class Frames:
    """Frames and bulk values of one instance."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._archive = door.archive

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        numbers = frame_numbers(request.match_info["frames"])
        row, layout, address = await self._located(request)
        offers = frame_offers(row.transfer_syntax_uid, layout, alone=len(numbers) == 1)
        try:
            return await self._respond(request, row, layout, address, numbers, offers=offers)
        except htj2k.NoCopy:
            others = [offer for offer in offers if offer.stored or offer.transfer_syntax not in encoding.ENCODERS]
            return await self._respond(request, row, layout, address, numbers, offers=others)

    async def _located(self, request: web.Request) -> tuple[InstanceRow, Layout, str]:
        row = await self._door.instance(request)
        return row, await self._archive.catalog.layout(row.id), self._door.address(request, row)

    async def _respond(
        self,
        request: web.Request,
        row: InstanceRow,
        layout: Layout,
        address: str,
        numbers: list[int],
        *,
        offers: Sequence[Offer],
    ) -> web.StreamResponse:
        pixels = pixels_of(layout)
        if max(numbers) > pixels.number_of_frames:
            raise NoSuchFrame(f"The instance has {pixels.number_of_frames} frames.")
        alone = len(numbers) == 1
        offer = choose(http.accept_of(request), offers)
        recipe = str(htj2k.RECIPE) if offer.transfer_syntax == HTJ2K_RPCL else ""
        etag = http.etag_of([row.sha256, offer.part_type, str(offer.multipart), recipe, *map(str, numbers)])
        http.refuse_unchanged(request, etag)
        if alone:
            body = await self._frame(row, layout, offer, numbers[0] - 1)
            if not offer.multipart:
                return await _sliced(request, body, offer.part_type, etag)
            location = f"{address}/frames/{numbers[0]}"
            headers = http.cached_headers(etag)
            reply, pieces = multipart.wrapped(offer.media_type, offer.part_type, body, location, headers)
            return await multipart.send_whole(request, reply, pieces)
        parts = self._parts(row, layout, offer, numbers, address)
        return await multipart.respond(request, offer.media_type, parts, http.cached_headers(etag))

    async def _parts(
        self, row: InstanceRow, layout: Layout, offer: Offer, numbers: list[int], address: str
    ) -> AsyncGenerator[Part, None]:
        for number in numbers:
            body = await self._frame(row, layout, offer, number - 1)
            yield Part(offer.part_type, once(body), f"{address}/frames/{number}")

    async def _frame(self, row: InstanceRow, layout: Layout, offer: Offer, index: int) -> bytes:
        pixels = pixels_of(layout)
        if offer.transfer_syntax == HTJ2K_RPCL and not offer.stored:
            return await self._htj2k(row, layout, index)
        if offer.transfer_syntax in encoding.ENCODERS and not offer.stored:
            path = await self._archive.blobs.local_path(row.blob_key)
            return await self._archive.workers.run(
                encoding.lossless_frame, path, row.transfer_syntax_uid, layout, index, offer.transfer_syntax
            )
        if pixels.encapsulated and offer.stored:
            return await self._payload(row.blob_key, pixels, index)
        if pixels.encapsulated or layout.deflated or layout.big_endian:
            path = await self._archive.blobs.local_path(row.blob_key)
            return await self._archive.workers.run(uncompressed_frame, path, row.transfer_syntax_uid, layout, index)
        span = pixels.native_frame_span(index)
        data = await self._archive.blobs.read(row.blob_key, span.start, span.length)
        return codecs.little_endian(data, pixels, first_bit=span.first_bit)

    async def _htj2k(self, row: InstanceRow, layout: Layout, index: int) -> bytes:
        """The copy made before, else one made now: the same bytes."""
        copies = await self._archive.derivatives.find(row.id)
        if copies and copies.frames and (ready := await self._archive.derivatives.read(row.id, copies.frames[index])):
            return ready
        path = await self._archive.blobs.local_path(row.blob_key)
        return await self._archive.workers.run(htj2k.lossless_copy, path, row.transfer_syntax_uid, layout, index)

    async def _payload(self, blob_key: str, pixels: Pixels, index: int) -> bytes:
        if index >= len(pixels.frames) or not pixels.frames[index]:
            raise DamagedPixels("The stored pixel data has fewer frames than the data set says.")
        spans = pixels.frames[index]
        # One read over all fragments; between them lie only item tags of eight bytes.
        first, end = spans[0][0], spans[-1][0] + spans[-1][1]
        data = await self._archive.blobs.read(blob_key, first, end - first)
        return data if len(spans) == 1 else b"".join(data[at - first : at - first + size] for at, size in spans)

    async def bulkdata(self, request: web.Request) -> web.StreamResponse:
        """A value that the metadata names by this very address; compressed pixel data as all its frames."""
        row, layout, address = await self._located(request)
        path = request.match_info["path"]
        pixels = layout.pixels
        if pixels is not None and pixels.encapsulated and path == pixels.tag:
            # A video is one stream, however many frames it tells.
            numbers = list(range(1, len(pixels.frames) + 1))
            offers = frame_offers(row.transfer_syntax_uid, layout, alone=len(numbers) == 1)
            return await self._respond(request, row, layout, address, numbers, offers=offers)
        if path not in layout.bulk:
            raise NoSuchBulk("The metadata of the instance names no such value.")
        offer = choose(http.accept_of(request), _BULK_OFFERS)
        etag = http.etag_of([row.sha256, path, str(offer.multipart)])
        http.refuse_unchanged(request, etag)
        span = layout.bulk[path]
        if offer.multipart:
            part = Part(OCTETS, self.value(row, layout, span, 0, span[1]), f"{address}/bulkdata/{path}")
            return await multipart.respond(request, OCTETS, _parts_of(part), http.cached_headers(etag))
        asked = http.slice_of(request, span[1], etag)
        headers = {**http.cached_headers(etag), **asked.headers, "Content-Type": OCTETS}
        reply = web.StreamResponse(status=asked.status, headers=headers)
        # Whatever a value holds (PDF, HTML), a browser must not show it as a page of this site.
        reply.headers["Content-Disposition"] = "attachment"
        reply.content_length = asked.length
        return await multipart.send(request, reply, self.value(row, layout, span, asked.start, asked.length))

    async def value(self, row: InstanceRow, layout: Layout, span: BulkSpan, start: int, length: int) -> Pieces:
        """``length`` bytes from ``start`` of a bulk value, little endian."""
        offset, size, vr = span
        if not layout.deflated and not layout.big_endian:
            async for piece in self._archive.blobs.stream(row.blob_key, offset + start, length):
                yield piece
            return
        if size > MAX_CONVERTED_BYTES:
            raise TooLarge("Retrieve the instance as it is stored.")
        path = await self._archive.blobs.local_path(row.blob_key)
        whole = await self._archive.workers.run(read_span, path, layout, offset, size)
        yield values.little_endian(whole, vr, layout.big_endian)[start : start + length]


async def _sliced(request: web.Request, body: bytes, content_type: str, etag: str) -> web.StreamResponse:
    """``body`` or the part of it that the Range header asks for."""
    asked = http.slice_of(request, len(body), etag)
    headers = {**http.cached_headers(etag), **asked.headers, "Content-Type": content_type}
    reply = web.StreamResponse(status=asked.status, headers=headers)
    part = body[asked.start : asked.start + asked.length] if asked.partial else body
    return await multipart.send_whole(request, reply, [part])


async def _parts_of(part: Part) -> AsyncGenerator[Part, None]:
    yield part
