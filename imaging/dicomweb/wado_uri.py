"""WADO-URI (PS3.18 chapter 9): one instance by query parameters, as a picture for people or as a DICOM file."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from aiohttp import web

from foundation.errors import Invalid, NotAcceptable
from imaging.dicom.pixels import Window
from imaging.dicom.rendering import RenderOptions, Viewport
from imaging.dicomweb import http
from imaging.dicomweb.http import Door
from imaging.dicomweb.negotiation import DICOM, Offer, choose
from imaging.dicomweb.rendered import MAX_VIEWPORT_PIXELS, Rendered
from imaging.dicomweb.wado import Instances
from imaging.store.catalog import NoSuchInstance
from imaging.store.rows import InstanceRow

_JPEG, _PNG = "image/jpeg", "image/png"
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_SYNTAX: Final = re.compile(r"[0-9.]{1,64}|\*")


class BadUriRequest(Invalid):
    code, title = "wado_uri.parameter", "A parameter of the WADO-URI request is missing or malformed"


class WadoUri:
    """``?requestType=WADO&studyUID=…&seriesUID=…&objectUID=…``; wrong parents do not resolve."""

    def __init__(self, door: Door, instances: Instances, pictures: Rendered) -> None:
        self._door = door
        self._instances = instances
        self._pictures = pictures

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        access, asked = await self._door.access(request), request.query
        if asked.get("requestType") != "WADO":
            raise BadUriRequest("Give requestType=WADO.")
        study, series, instance = (_required(asked, name) for name in ("studyUID", "seriesUID", "objectUID"))
        study_id, row = await self._door.archive.catalog.locate(access, study, series, instance)
        await self._door.guard.record(request, access, "study.view", study_id)
        if row is None:
            raise NoSuchInstance("No such instance in this study and series.")
        media_type = _media_type(asked, row)
        if media_type == DICOM:
            return await self._file(request, row, asked.get("transferSyntax", ""))
        options = parse_options(asked, row, "image/png" if media_type == _PNG else "image/jpeg")
        return await self._pictures.picture(request, row, options)

    async def _file(self, request: web.Request, row: InstanceRow, syntax: str) -> web.StreamResponse:
        if syntax and not _SYNTAX.fullmatch(syntax):
            raise BadUriRequest("The parameter transferSyntax is a UID.")
        accept = f"{DICOM}; transfer-syntax={syntax}" if syntax else DICOM
        ((_, offer),) = await self._instances.plan(accept, [row], alone=True)
        etag = http.etag_of([row.sha256, offer.part_type])
        http.refuse_unchanged(request, etag)
        return await self._instances.bare(request, row, offer, http.cached_headers(etag))


def _required(asked: Mapping[str, str], name: str) -> str:
    if not asked.get(name):
        raise BadUriRequest(f"The parameter {name} is missing.")
    return asked[name]


def _media_type(asked: Mapping[str, str], row: InstanceRow) -> str:
    """Of contentType, which may list several; without it a picture of what is an image (section 9.4.2.4)."""
    has_image = bool(row.rows and row.columns)
    pictures = [Offer(_JPEG), Offer(_PNG)] if has_image else []
    wanted = asked.get("contentType", "")
    if not wanted.strip():
        return _JPEG if has_image else DICOM
    # DICOM and pictures may stand beside each other here.
    for media_type in wanted.split(","):
        for offer in (*pictures, Offer(DICOM)):
            try:
                return choose(media_type, [offer]).media_type
            except NotAcceptable:
                continue
    raise NotAcceptable(f"Ask for {_JPEG}, {_PNG} or {DICOM}.")


def parse_options(
    asked: Mapping[str, str], row: InstanceRow, media_type: Literal["image/jpeg", "image/png"]
) -> RenderOptions:
    """The parameters of section 9.4.1.2 for an image. Raises BadUriRequest naming the parameter."""
    frame = _count(asked, "frameNumber", 1, row.number_of_frames)
    quality = _count(asked, "imageQuality", 90, 100)
    window = None
    if "windowCenter" in asked or "windowWidth" in asked:
        window = Window(_decimal(asked, "windowCenter"), _decimal(asked, "windowWidth"))
        if not window.is_valid:
            raise BadUriRequest("The parameter windowWidth is at least 1.")
    return RenderOptions(frame - 1, media_type, quality, window, _viewport(asked, row))


def _count(asked: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = asked.get(name, str(default))
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise BadUriRequest(f"The parameter {name} is an integer from 1 to {most}.")
    return int(text)


def _decimal(asked: Mapping[str, str], name: str) -> float:
    try:
        return float(_required(asked, name))
    except ValueError:
        raise BadUriRequest(f"The parameter {name} is a number.") from None


def _viewport(asked: Mapping[str, str], row: InstanceRow) -> Viewport | None:
    if not {"rows", "columns", "region"} & asked.keys():
        return None
    rows, columns = row.rows or 1, row.columns or 1
    # One side alone leaves the other to the proportions, which a viewport keeps.
    height = _count(asked, "rows", MAX_VIEWPORT_PIXELS if "columns" in asked else rows, MAX_VIEWPORT_PIXELS)
    width = _count(asked, "columns", MAX_VIEWPORT_PIXELS if "rows" in asked else columns, MAX_VIEWPORT_PIXELS)
    return Viewport(width, height, _region(asked["region"], rows, columns) if "region" in asked else None)


def _region(text: str, rows: int, columns: int) -> tuple[int, int, int, int]:
    """left, top, right, bottom as parts of the image; in pixels left, top, width, height (section 9.4.1.2.6)."""
    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError:
        left = top = right = bottom = -1
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise BadUriRequest("The parameter region is left,top,right,bottom, each from 0 to 1.")
    x, y = int(left * columns), int(top * rows)
    return x, y, max(round(right * columns) - x, 1), max(round(bottom * rows) - y, 1)
