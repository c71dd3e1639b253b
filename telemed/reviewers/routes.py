"""The API's doors to the registrations of AI reviewers."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from imaging.review.endpoints import Endpoint, NewEndpoint, Registered
from telemed.reviewers.service import Reviewers
from telemed.web import ADMINISTRATORS, Call, Route

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class NewReviewer(Struct, forbid_unknown_fields=True):
    """rules, finding_codes, deid: see docs/ai-hook.md."""

    name: Name
    vendor: Name
    model_name: Name
    model_version: Annotated[str, Meta(min_length=1, max_length=64)]
    url: Annotated[str, Meta(max_length=2048)]
    rules: dict[str, Any]
    finding_codes: list[Annotated[str, Meta(max_length=128)]]
    deadline_seconds: Annotated[int, Meta(ge=60, le=7 * 86_400)] = 3600
    deid: dict[str, Any] = {}


class Turn(Struct, forbid_unknown_fields=True):
    enabled: bool


class NewSecrets(Struct):
    """Shown once. secret: signs our events. key: the vendor shows it to get job tokens."""

    endpoint: Endpoint
    secret: str
    key: str


class ReviewerList(Struct):
    items: list[Endpoint]
    total: int


def routes(reviewers: Reviewers) -> list[Route]:
    async def listing(_call: Call[None]) -> ReviewerList:
        items = await reviewers.listing()
        return ReviewerList(items, len(items))

    async def register(call: Call[NewReviewer]) -> NewSecrets:
        made = await reviewers.register(call.who, _wanted(call.body), address=call.address)
        return _secrets(made)

    async def turn(call: Call[Turn]) -> Endpoint:
        return await reviewers.turn(call.who, call.path("endpoint_id"), call.body.enabled, address=call.address)

    base = "/api/v1/review/endpoints"
    one = base + "/{endpoint_id}"
    create = "Register an AI reviewer"
    return [
        Route("GET", base, listing, ADMINISTRATORS, "Registered AI reviewers", reply=ReviewerList),
        Route("POST", base, register, ADMINISTRATORS, create, body=NewReviewer, reply=NewSecrets, status=201),
        Route("PATCH", one, turn, ADMINISTRATORS, "Pause or resume an AI reviewer", body=Turn, reply=Endpoint),
    ]


def _wanted(body: NewReviewer) -> NewEndpoint:
    return NewEndpoint(
        body.name,
        body.vendor,
        body.model_name,
        body.model_version,
        body.url,
        body.rules,
        body.finding_codes,
        body.deadline_seconds,
        body.deid,
    )


def _secrets(made: Registered) -> NewSecrets:
    return NewSecrets(made.endpoint, made.secret, made.key)
