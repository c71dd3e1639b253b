"""QIDO-RS over HTTP (PS3.18 section 10.6): the six resources, their counts, JSON or a table for spreadsheets."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from imaging.dicom.xml_model import to_xml
from imaging.dicomweb import http, multipart, qido, tabular
from imaging.dicomweb.http import Door
from imaging.dicomweb.metadata import OFFERS
from imaging.dicomweb.multipart import Part, once
from imaging.dicomweb.negotiation import DICOM_XML, Offer, choose
from imaging.guard import Access
from imaging.store.rows import Hit
from imaging.store.search import Level, Query

_CSV: Final = Offer("text/csv")
_ENCODER: Final = msgspec.json.Encoder()


class Search:
    """One handler for all resources of a level."""

    def __init__(self, door: Door, level: Level) -> None:
        self._door = door
        self._level = level

    async def search(self, request: web.Request) -> web.StreamResponse:
        access = await self._door.access(request)
        offer = choose(http.accept_of(request), (*OFFERS, _CSV))
        query = self._query(request)
        page = await self._door.archive.catalog.search(access, query)
        await self._door.guard.record(request, access, "study.search", None)
        headers = CIMultiDict({"Cache-Control": "no-store"})
        for warning in qido.warning_headers(query, page.remaining, self._door.root(request), more=page.more):
            headers.add("Warning", warning)
        if not page.hits:
            return web.Response(status=204, headers=headers)
        urls = self._urls(request, access, page.hits)
        answers = [qido.answer(hit, query, url) for hit, url in zip(page.hits, urls, strict=True)]
        return await _written(request, offer, answers, headers)

    async def count(self, request: web.Request) -> web.Response:
        """How many match: exact, of what the caller may see, whatever limit and offset say. Not of the standard."""
        access = await self._door.access(request)
        choose(http.accept_of(request), OFFERS)
        found = await self._door.archive.catalog.count(access, self._query(request))
        await self._door.guard.record(request, access, "study.search", None)
        body = _ENCODER.encode({"count": found})
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    def _query(self, request: web.Request) -> Query:
        named = (request.match_info.get(name) for name in ("study", "series"))
        return qido.parse_query(request.query.items(), self._level, *named)

    def _urls(self, request: web.Request, access: Access, hits: list[Hit]) -> list[str]:
        """Addresses of the studies that are never ambiguous: another hospital's is named by its owner."""
        roots = {
            owner: self._door.root(request, None if owner == access.store_as else owner)
            for owner in {hit.study.owner for hit in hits}
        }
        return [f"{roots[hit.study.owner]}/studies/{hit.study.study_instance_uid}" for hit in hits]


async def _written(
    request: web.Request, offer: Offer, answers: list[qido.Json], headers: CIMultiDict[str]
) -> web.StreamResponse:
    if offer.media_type == DICOM_XML:
        return await multipart.respond(request, DICOM_XML, _documents(answers), headers)
    if offer is _CSV:
        headers["Content-Disposition"] = 'attachment; filename="studies.csv"'
    body = tabular.csv_of(answers) if offer is _CSV else _ENCODER.encode(answers)
    return web.Response(body=body, headers=headers, content_type=offer.media_type)


async def _documents(answers: Sequence[qido.Json]) -> AsyncGenerator[Part, None]:
    for model in answers:
        yield Part(DICOM_XML, once(await asyncio.to_thread(to_xml, model)), model[qido.RETRIEVE_URL]["Value"][0])
