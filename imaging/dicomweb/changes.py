"""The change feed: GET /changes, of the caller's own hospital or of the one that the root names."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from foundation.errors import Invalid, NotFound
from imaging.dicomweb.http import Door
from imaging.store.changes import PAGE_LIMIT, ChangeRow


class Asked(Struct):
    """after: the number to go on from. wait: seconds to wait for the first change when there is none yet."""

    after: Annotated[int, Meta(ge=0, le=2**62)] = 0
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = 100
    wait: Annotated[float, Meta(ge=0, le=30)] = 0.0


class Page(Struct):
    """next: what to ask ``after`` next time. more: the page was full, so there may be more right now."""

    items: list[ChangeRow]
    next: int
    more: bool


class Changes:
    def __init__(self, door: Door) -> None:
        self._door = door

    async def read(self, request: web.Request) -> web.StreamResponse:
        """204 when nothing happened since.

        Whole hospitals only: a single shared study has no feed of its own, and numbers would tell of the others.
        """
        access = await self._door.access(request)
        owner = access.only_owner or access.store_as
        if owner is None or owner not in access.owners:
            raise NotFound("Name a hospital whose holdings you see: /dicom-web/hospitals/{owner}/changes")
        asked = _asked(request)
        await self._door.guard.record(request, access, "study.search", None)
        items = await self._door.archive.feed.page(owner, asked.after, asked.limit, asked.wait)
        headers = {"Cache-Control": "no-store"}
        if not items:
            return web.Response(status=204, headers=headers)
        page = Page(items, items[-1].number, len(items) == asked.limit)
        return web.Response(body=msgspec.json.encode(page), content_type="application/json", headers=headers)


def _asked(request: web.Request) -> Asked:
    try:
        return msgspec.convert(dict(request.query), Asked, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"The query parameters do not fit: {error}") from error
