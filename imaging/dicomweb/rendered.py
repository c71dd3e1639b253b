"""Pictures for people: rendered images and thumbnails at every level (PS3.18 sections 8.3.5 and 10.4.1.1.3).

Instances that are PDF or video are passed on in that form. Reports, plans and contours have no rendered form.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from aiohttp import web

from foundation.errors import Invalid, NotAcceptable, NotFound
from imaging.dicom.pixels import Function, Window
from imaging.dicom.rendering import THUMBNAIL_PIXELS, RenderOptions, Viewport, render, thumbnail_options
from imaging.dicomweb import http
from imaging.dicomweb.documents import Documents
from imaging.dicomweb.frames import NoSuchFrame, frame_numbers
from imaging.dicomweb.http import Door
from imaging.dicomweb.negotiation import Offer, choose
from imaging.store.rows import InstanceRow

MAX_VIEWPORT_PIXELS: Final = 8192
_OFFERS: Final = (Offer("image/jpeg"), Offer("image/png"))


class NotAPicture(NotAcceptable):
    code, title = "rendered.not_an_image", "There is no image to render"


class NoThumbnail(NotFound):
    code, title = "thumbnail.none", "There is no image to make a thumbnail of"


class BadRendering(Invalid):
    code, title = "rendered.parameter", "A rendering parameter is malformed"


def parse_options(
    query: Mapping[str, str], media_type: Literal["image/jpeg", "image/png"], frame: int
) -> RenderOptions:
    """The query parameters of PS3.18 section 8.3.5.1. ``frame``: from 0. Raises BadRendering naming the parameter."""
    quality = query.get("quality", "90")
    if not re.fullmatch(r"[0-9]{1,3}", quality) or not 1 <= int(quality) <= 100:
        raise BadRendering("The parameter quality is an integer from 1 to 100.")
    window = _window(query["window"]) if "window" in query else None
    viewport = _viewport(query["viewport"]) if "viewport" in query else None
    return RenderOptions(frame, media_type, int(quality), window, viewport)


def _window(text: str) -> Window:
    parts = [part.strip() for part in text.split(",")]
    word = (parts[2] if len(parts) == 3 else "linear").upper().replace("-", "_")
    try:
        window = Window(float(parts[0]), float(parts[1]), Function(word))
    except (ValueError, IndexError):
        window = None
    if window is None or len(parts) > 3 or not window.is_valid:
        raise BadRendering("The parameter window is center,width,function: linear, linear-exact or sigmoid.")
    return window


def _viewport(text: str) -> Viewport:
    refusal = BadRendering(f"The parameter viewport is vw,vh or vw,vh,sx,sy,sw,sh, up to {MAX_VIEWPORT_PIXELS} pixels.")
    if not re.fullmatch(r"[0-9]{1,5},[0-9]{1,5}(,-?[0-9]{1,6}){4}|[0-9]{1,5},[0-9]{1,5}", text.replace(" ", "")):
        raise refusal
    width, height, *region = (int(number) for number in text.split(","))
    if not (1 <= width <= MAX_VIEWPORT_PIXELS and 1 <= height <= MAX_VIEWPORT_PIXELS) or 0 in region[2:]:
        raise refusal
    return Viewport(width, height, (region[0], region[1], region[2], region[3]) if region else None)


def representative(instances: Sequence[InstanceRow]) -> InstanceRow | None:
    """The picture that stands for a study or series: the middle image of the first series that has any."""
    images = [row for row in instances if row.rows and row.columns]
    first_series = [row for row in images if row.series_key == images[0].series_key]
    return first_series[len(first_series) // 2] if first_series else None


class Rendered:
    """Rendered images and thumbnails. A study or series shows one representative image."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._documents = Documents(door)

    async def rendered(self, request: web.Request) -> web.StreamResponse:
        instances = await self._door.instances(request)
        if "instance" in request.match_info and "frames" not in request.match_info:
            document = await self._documents.rendered(request, instances[0])
            if document is not None:
                return document
        row = representative(instances)
        if row is None:
            raise NotAPicture("Retrieve the instance or its metadata instead.")
        return await self._picture(request, row, self._frame(request, row, 0), request.query)

    async def thumbnail(self, request: web.Request) -> web.StreamResponse:
        row = representative(await self._door.instances(request))
        if row is None:
            raise NoThumbnail("Only images have thumbnails.")
        query = {"viewport": f"{THUMBNAIL_PIXELS},{THUMBNAIL_PIXELS}", **request.query}
        return await self._picture(request, row, self._frame(request, row, row.number_of_frames // 2), query)

    def _frame(self, request: web.Request, row: InstanceRow, default: int) -> int:
        """The frame to show, from 0: the one that the path names, else ``default``."""
        text = request.match_info.get("frames")
        if text is None:
            return default
        numbers = frame_numbers(text)
        if len(numbers) > 1:
            raise BadRendering("Name one frame to render.")
        if numbers[0] > row.number_of_frames:
            raise NoSuchFrame(f"The instance has {row.number_of_frames} frames.")
        return numbers[0] - 1

    async def _picture(
        self, request: web.Request, row: InstanceRow, frame: int, query: Mapping[str, str]
    ) -> web.StreamResponse:
        offer = choose(http.accept_of(request), _OFFERS)
        options = parse_options(query, "image/png" if offer.media_type == "image/png" else "image/jpeg", frame)
        return await self.picture(request, row, options)

    async def picture(self, request: web.Request, row: InstanceRow, options: RenderOptions) -> web.StreamResponse:
        """One frame of an instance, made as ``options`` say."""
        etag = http.etag_of([row.sha256, repr(options)])
        http.refuse_unchanged(request, etag)
        archive = self._door.archive
        if options == thumbnail_options(row.number_of_frames) and (ready := await self._ready_thumbnail(row)):
            return web.Response(body=ready, headers={**http.cached_headers(etag), "Content-Type": options.media_type})
        layout = await archive.catalog.layout(row.id)
        if layout.pixels is None:
            raise NotAPicture("Retrieve the instance or its metadata instead.")
        metadata = [packed async for headers in archive.catalog.headers([row.id]) for _, packed in headers]
        path = await archive.blobs.local_path(row.blob_key)
        body = await archive.workers.run(render, path, row.transfer_syntax_uid, layout, metadata[0], options)
        return web.Response(body=body, headers={**http.cached_headers(etag), "Content-Type": options.media_type})

    async def _ready_thumbnail(self, row: InstanceRow) -> bytes | None:
        derivatives = self._door.archive.derivatives
        copies = await derivatives.find(row.id)
        return await derivatives.read(row.id, copies.thumbnail) if copies and copies.thumbnail else None
