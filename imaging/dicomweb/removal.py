"""DELETE on a study, a series or an instance, and what is said of it afterwards: 410 to those who could see it."""

from aiohttp import web

from foundation.errors import Forbidden, Gone, NotFound
from foundation.problem import Handler
from imaging.dicomweb.http import Door
from imaging.store.catalog import NoSuchInstance, NoSuchSeries, NoSuchStudy
from imaging.store.deletion import NothingToDelete
from imaging.store.moving import Path


class MayNotDelete(Forbidden):
    code, title = "archive.may_not_delete", "This caller may not delete studies"


class Deleted(Gone):
    code, title = "archive.deleted", "It was deleted"


class Removal:
    """The reason is a query parameter, because a DELETE has no body (RFC 9110 section 9.3.5): ?reason=113001."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """204. Raises MayNotDelete for a study that one may see and not delete, and as store.deletion."""
        access, named, archive = await self._door.access(request), request.match_info, self._door.archive
        study = await archive.catalog.find_study(access, named["study"])
        if study.owner not in access.removes:
            raise MayNotDelete("Only the hospital's own system may delete a study; ask its administrator.")
        path = Path(study.owner, study.study_instance_uid, named.get("series"), named.get("instance"))
        await archive.deletion.delete(path, request.query.get("reason", ""))
        await self._door.guard.record(request, access, "study.delete", study.id)
        await archive.on_stored(study.id)
        return web.Response(status=204, headers={"Cache-Control": "no-store"})


def gone_when_deleted(door: Door, handler: Handler) -> Handler:
    """The handler, with 410 in place of 404 where what the path names was deleted and the caller could see it."""

    async def told(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (NoSuchStudy, NoSuchSeries, NoSuchInstance, NothingToDelete) as missing:
            await _refuse_deleted(door, request, missing)
            raise

    return told


async def _refuse_deleted(door: Door, request: web.Request, missing: NotFound) -> None:
    named = request.match_info
    if "study" not in named:
        return
    access = await door.access(request)
    path = named["study"], named.get("series"), named.get("instance")
    if await door.archive.deletion.was_deleted(access, *path):
        raise Deleted("It was deleted; its hospital knows why.") from missing
