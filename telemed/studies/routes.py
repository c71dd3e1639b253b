"""The API's doors to the desk's studies."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from telemed.studies.model import StudyDetail, StudyList
from telemed.studies.service import StudyDesk
from telemed.web import DOCTORS, Call, Route

PAGE_LIMIT: Final = 200


class StudiesQuery(Struct):
    q: Annotated[str, Meta(max_length=256)] = ""
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


def routes(desk: StudyDesk) -> list[Route]:
    async def listing(call: Call[None]) -> StudyList:
        query: StudiesQuery = call.query
        return await desk.listing(call.who, query.q, query.limit, query.offset, address=call.address)

    async def detail(call: Call[None]) -> StudyDetail:
        return await desk.detail(call.who, call.path("study_id"), address=call.address)

    return [
        Route("GET", "/api/v1/studies", listing, DOCTORS, "Find studies", query=StudiesQuery, reply=StudyList),
        Route("GET", "/api/v1/studies/{study_id}", detail, DOCTORS, "One study with its series", reply=StudyDetail),
    ]
