"""All DICOMweb services under the root /dicom-web, and again under /dicom-web/hospitals/{owner} for one hospital's
holdings: that is how one names a study when two hospitals hold the same UID.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from foundation.errors import NotFound
from foundation.problem import Handler
from imaging.archive import Archive
from imaging.dicom.xml_model import to_xml
from imaging.dicomweb import http, multipart, qido, stow
from imaging.dicomweb.changes import Changes
from imaging.dicomweb.commitment import Commitment
from imaging.dicomweb.frames import Frames
from imaging.dicomweb.http import ROOT, Door
from imaging.dicomweb.metadata import OFFERS, Metadata
from imaging.dicomweb.multipart import Part, once
from imaging.dicomweb.negotiation import DICOM_XML, choose
from imaging.dicomweb.removal import Removal, gone_when_deleted
from imaging.dicomweb.rendered import Rendered
from imaging.dicomweb.wado import Instances
from imaging.guard import Guard
from imaging.store.rows import Hit
from imaging.store.search import Level

_STUDY, _SERIES = "/studies/{study}", "/studies/{study}/series/{series}"
_INSTANCE = _SERIES + "/instances/{instance}"
_FRAMES = _INSTANCE + "/frames/{frames}"
_COMMITMENT = "/commitment-requests/{transaction}"

RETRIEVE_URL: Final = "00081190"


class Search:
    """QIDO-RS: one handler for the six resources; their level follows from the path."""

    def __init__(self, door: Door, level: Level) -> None:
        self._door = door
        self._level = level

    async def search(self, request: web.Request) -> web.StreamResponse:
        access = await self._door.access(request)
        offer = choose(http.accept_of(request), OFFERS)
        named = (request.match_info.get(name) for name in ("study", "series"))
        query = qido.parse_query(request.query.items(), self._level, *named)
        page = await self._door.archive.catalog.search(access, query)
        await self._door.guard.record(request, access, "study.search", None)
        answers = [qido.answer(hit, query, self._url(request, hit, access.store_as)) for hit in page.hits]
        headers = CIMultiDict({"Cache-Control": "no-store"})
        for warning in qido.warning_headers(query, page.remaining, self._door.root(request), more=page.more):
            headers.add("Warning", warning)
        if not answers:
            return web.Response(status=204, headers=headers)
        if offer.media_type == DICOM_XML:
            return await multipart.respond(request, DICOM_XML, _documents(answers), headers)
        return web.Response(body=msgspec.json.encode(answers), headers=headers, content_type=offer.media_type)

    def _url(self, request: web.Request, hit: Hit, own: str | None) -> str:
        """An address of the study that is never ambiguous: another hospital's is named by its owner."""
        root = self._door.root(request, None if hit.study.owner == own else hit.study.owner)
        return f"{root}/studies/{hit.study.study_instance_uid}"


async def _documents(answers: Sequence[qido.Json]) -> AsyncGenerator[Part, None]:
    for model in answers:
        yield Part(DICOM_XML, once(await asyncio.to_thread(to_xml, model)), model[RETRIEVE_URL]["Value"][0])


def routes(archive: Archive, guard: Guard, public_url: str | None = None) -> list[web.RouteDef]:
    """Everything under /dicom-web. ``public_url``: scheme and host in answers; None: those of each request."""
    door = Door(archive, guard, public_url)
    # The router tries one after the other: first what is asked for most.
    services = [*_retrievals(door), *_searches(door), ("/changes", Changes(door).read)]
    commitment, removal = Commitment(door), gone_when_deleted(door, Removal(door).delete)
    mounted: list[web.RouteDef] = []
    for root in (ROOT, ROOT + "/hospitals/{owner}"):
        mounted += [web.get(root + path, gone_when_deleted(door, handler)) for path, handler in services]
        mounted += [web.delete(root + path, removal) for path in (_STUDY, _SERIES, _INSTANCE)]
        mounted += [web.post(root + _COMMITMENT, commitment.ask), web.get(root + _COMMITMENT, commitment.result)]
        mounted += stow.routes(archive, guard, root, public_url)
    return [*mounted, web.get(ROOT + "/{rest:.*}", _Nothing(door).refuse)]


def _searches(door: Door) -> list[tuple[str, Handler]]:
    studies, series, instances = (Search(door, level).search for level in Level)
    return [
        ("/studies", studies),
        ("/series", series),
        ("/instances", instances),
        (_STUDY + "/series", series),
        (_STUDY + "/instances", instances),
        (_SERIES + "/instances", instances),
    ]


def _retrievals(door: Door) -> list[tuple[str, Handler]]:
    instances, metadata, frames, pictures = Instances(door), Metadata(door), Frames(door), Rendered(door)
    every_level = [_STUDY, _SERIES, _INSTANCE]
    return [
        (_FRAMES, frames.retrieve),
        *((path, instances.retrieve) for path in every_level),
        *((path + "/metadata", metadata.retrieve) for path in every_level),
        *((path + "/rendered", pictures.rendered) for path in (*every_level, _FRAMES)),
        *((path + "/thumbnail", pictures.thumbnail) for path in (*every_level, _FRAMES)),
        (_INSTANCE + "/bulkdata/{path:.+}", frames.bulkdata),
    ]


class _Nothing:
    """What is not offered does not exist, for those who may ask at all."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def refuse(self, request: web.Request) -> web.StreamResponse:
        await self._door.access(request)
        raise NotFound("No DICOMweb resource has this address.")
