"""The API's doors to consultations and their opinions."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, Protocol

from aiohttp import web
from msgspec import Meta, Struct

from foundation.errors import Invalid
from signaling.ice import IceServer
from telemed.access import Person
from telemed.addresses import Addresses
from telemed.consultations.document import OpinionText
from telemed.consultations.invitation import Invitation
from telemed.consultations.model import ConsultationState
from telemed.consultations.opinion import Opinions
from telemed.consultations.preflight import Preflight
from telemed.consultations.service import LIST_MAX, Consultations
from telemed.consultations.views import Consultation, ConsultationList, Joined, Opinion
from telemed.web import DOCTORS, Call, Route

ROOT: Final = "/api/v1/consultations"
ONE: Final = ROOT + "/{consultation_id}"

IceServers = Callable[[str], list[IceServer]]
Version = Annotated[int, Meta(ge=0, le=2**31 - 2)]


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str = ""


class Handling(Struct, frozen=True, forbid_unknown_fields=True):
    handling: str = ""


class SaveOpinion(Struct, frozen=True, forbid_unknown_fields=True):
    """version: of the opinion that this text was written from; 0 at first."""

    findings: str
    conclusion: str
    advice: str
    version: Version


class SignOpinion(Struct, frozen=True, forbid_unknown_fields=True):
    version: Version
    password: Annotated[str, Meta(max_length=1024)]


class ListQuery(Struct):
    """state: one or several, separated by commas."""

    box: Literal["sent", "received"] | None = None
    state: str = ""
    limit: Annotated[int, Meta(ge=1, le=LIST_MAX)] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class LiveRooms(Protocol):
    """Where rooms are served; ``signaling.server.SignalingServer``."""

    @property
    def draining(self) -> bool: ...

    async def elsewhere(self, room: str) -> str | None: ...


def routes(
    consultations: Consultations, opinions: Opinions, addresses: Addresses, rooms: LiveRooms, ice_servers: IceServers
) -> list[Route]:
    """``ice_servers``: user id → the STUN and TURN servers for that person's calls."""
    entering = _entering(consultations, addresses, rooms, ice_servers)
    return [*_consultation_routes(consultations), *_opinion_routes(opinions), *entering]


def _consultation_routes(consultations: Consultations) -> list[Route]:
    async def invite(call: Call[Invitation]) -> Consultation:
        return await consultations.invite(call.who, call.body, address=call.address)

    async def listing(call: Call[None]) -> ConsultationList:
        query: ListQuery = call.query
        states = parse_states(query.state)
        return await consultations.list(call.who, query.box, states, limit=query.limit, offset=query.offset)

    async def get(call: Call[None]) -> Consultation:
        return await consultations.get(*_subject(call), address=call.address)

    async def accept(call: Call[None]) -> Consultation:
        return await consultations.accept(*_subject(call), address=call.address)

    async def decline(call: Call[Reason]) -> Consultation:
        return await consultations.decline(*_subject(call), call.body.reason, address=call.address)

    async def cancel(call: Call[Reason]) -> Consultation:
        return await consultations.cancel(*_subject(call), call.body.reason, address=call.address)

    async def acknowledge(call: Call[Handling]) -> Consultation:
        return await consultations.acknowledge(*_subject(call), call.body.handling, address=call.address)

    return [
        Route("POST", ROOT, invite, DOCTORS, "Invite a hospital", body=Invitation, reply=Consultation, status=201),
        Route("GET", ROOT, listing, DOCTORS, "Own hospital's list", query=ListQuery, reply=ConsultationList),
        Route("GET", ONE, get, DOCTORS, "One consultation", reply=Consultation),
        Route("POST", ONE + "/accept", accept, DOCTORS, "Become its expert", reply=Consultation),
        Route("POST", ONE + "/decline", decline, DOCTORS, "Decline, with a reason", body=Reason, reply=Consultation),
        Route("POST", ONE + "/cancel", cancel, DOCTORS, "Take it back, with a reason", body=Reason, reply=Consultation),
        Route(
            "POST",
            ONE + "/acknowledge",
            acknowledge,
            DOCTORS,
            "Note what was done with the opinion; this closes the consultation",
            body=Handling,
            reply=Consultation,
        ),
    ]


def _opinion_routes(opinions: Opinions) -> list[Route]:
    async def save(call: Call[SaveOpinion]) -> Opinion:
        body = call.body
        text = OpinionText(body.findings, body.conclusion, body.advice)
        return await opinions.save(*_subject(call), text, body.version)

    async def sign(call: Call[SignOpinion]) -> Consultation:
        return await opinions.sign(*_subject(call), call.body.version, call.body.password, address=call.address)

    async def printed(call: Call[None]) -> web.Response:
        return _pdf(await opinions.print(*_subject(call), address=call.address), call.path("consultation_id"))

    return [
        Route("PUT", ONE + "/opinion", save, DOCTORS, "Keep the draft", body=SaveOpinion, reply=Opinion),
        Route("POST", ONE + "/opinion/sign", sign, DOCTORS, "Sign it", body=SignOpinion, reply=Consultation),
        Route("GET", ONE + "/opinion.pdf", printed, DOCTORS, "The signed opinion", media="application/pdf"),
    ]


def _entering(
    consultations: Consultations, addresses: Addresses, rooms: LiveRooms, ice_servers: IceServers
) -> list[Route]:
    async def preflight(call: Call[None]) -> Preflight:
        return await consultations.preflight(*_subject(call), draining=rooms.draining)

    async def join(call: Call[None]) -> Joined:
        entrance = await consultations.join(*_subject(call), address=call.address)
        return Joined(
            ticket=entrance.ticket,
            signaling_url=await rooms.elsewhere(entrance.room) or addresses.room(call.request, entrance.room),
            room=entrance.room,
            ice_servers=ice_servers(call.who.user_id),
            consultation=entrance.consultation,
        )

    return [
        Route("GET", ONE + "/preflight", preflight, DOCTORS, "Whether the room may be entered now", reply=Preflight),
        Route("POST", ONE + "/join", join, DOCTORS, "A ticket for the room", reply=Joined),
    ]


def _subject(call: Call[Any]) -> tuple[Person, str]:
    return call.who, call.path("consultation_id")


def parse_states(text: str) -> list[ConsultationState]:
    """ "requested,accepted" as states; "" is none. Raises Invalid for a word that is no state."""
    try:
        return [ConsultationState(word) for word in text.split(",") if word]
    except ValueError as error:
        raise Invalid(f"state is one or several of {', '.join(ConsultationState)}.") from error


def _pdf(content: bytes, consultation_id: str) -> web.Response:
    return web.Response(
        body=content,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="opinion-{consultation_id}.pdf"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
