"""The API's doors to the archive's keeping."""

from telemed.archive.model import (
    ComparisonReply,
    DecisionBody,
    DecisionReply,
    DeletedList,
    HoldBody,
    HoldReply,
    PolicyBody,
    QuotaBody,
    RetentionReply,
    RunReply,
    UsageList,
    VerificationReply,
    VerifyBody,
    WaitingList,
)
from telemed.archive.service import ArchiveDesk
from telemed.web import ADMINISTRATORS, SIGNED_IN, Call, Route

_BASE = "/api/v1/archive"
_HOSPITAL = _BASE + "/hospitals/{hospital}"


def routes(desk: ArchiveDesk) -> list[Route]:
    return [*_usage(desk), *_decisions(desk), *_deleted(desk), *_retention(desk), *_verification(desk)]


def _usage(desk: ArchiveDesk) -> list[Route]:
    async def usage(call: Call[None]) -> UsageList:
        items = await desk.usage(call.who)
        return UsageList(items, len(items))

    async def set_quota(call: Call[QuotaBody]) -> None:
        await desk.set_quota(call.who, call.path("hospital"), call.body, address=call.address)

    quota = "Set a hospital's quota"
    return [
        Route("GET", _BASE + "/hospitals", usage, SIGNED_IN, "Usage against quota", reply=UsageList),
        Route("PUT", _HOSPITAL + "/quota", set_quota, ADMINISTRATORS, quota, body=QuotaBody),
    ]


def _decisions(desk: ArchiveDesk) -> list[Route]:
    async def waiting(call: Call[None]) -> WaitingList:
        items = await desk.waiting(call.who, call.path("hospital"), address=call.address)
        return WaitingList(items, len(items))

    async def compare(call: Call[None]) -> ComparisonReply:
        return await desk.compare(call.who, call.path("hospital"), call.path("apart_id"), address=call.address)

    async def decide(call: Call[DecisionBody]) -> DecisionReply:
        body, hospital = call.body, call.path("hospital")
        return DecisionReply(await desk.decide(call.who, hospital, body.ids, body.decision, address=call.address))

    apart = _HOSPITAL + "/apart"
    listed = "Instances set aside that wait for a decision, the newest 200"
    compared = "What differs between an instance set aside and the served one"
    return [
        Route("GET", apart, waiting, SIGNED_IN, listed, reply=WaitingList),
        Route("GET", apart + "/{apart_id}/comparison", compare, SIGNED_IN, compared, reply=ComparisonReply),
        Route(
            "POST",
            apart + "/decisions",
            decide,
            SIGNED_IN,
            "Release or reject instances set aside",
            body=DecisionBody,
            reply=DecisionReply,
        ),
    ]


def _deleted(desk: ArchiveDesk) -> list[Route]:
    async def listing(call: Call[None]) -> DeletedList:
        items = await desk.deleted(call.who, call.path("hospital"))
        return DeletedList(items, len(items))

    async def restore(call: Call[None]) -> DecisionReply:
        return DecisionReply(
            await desk.restore(call.who, call.path("hospital"), call.path("act"), address=call.address)
        )

    path = _HOSPITAL + "/deleted"
    return [
        Route("GET", path, listing, ADMINISTRATORS, "Deleted studies that can be restored", reply=DeletedList),
        Route(
            "POST", path + "/{act}/restore", restore, ADMINISTRATORS, "Restore what was deleted", reply=DecisionReply
        ),
    ]


def _retention(desk: ArchiveDesk) -> list[Route]:
    async def retention(call: Call[None]) -> RetentionReply:
        return await desk.retention(call.who, call.path("hospital"))

    async def set_policy(call: Call[PolicyBody]) -> RetentionReply:
        body, hospital = call.body, call.path("hospital")
        await desk.set_policy(call.who, hospital, body.rule, body.years, body.automatic, address=call.address)
        return await desk.retention(call.who, hospital)

    async def place(call: Call[HoldBody]) -> HoldReply:
        body = call.body
        return await desk.place_hold(
            call.who, call.path("hospital"), body.study_instance_uid, body.note, address=call.address
        )

    async def lift(call: Call[None]) -> None:
        await desk.lift_hold(call.who, call.path("hospital"), call.path("hold_id"), address=call.address)

    path, holds = _HOSPITAL + "/retention", _HOSPITAL + "/holds"
    dry_run = "The retention policy, legal holds, and what a run would delete now"
    policy = "Set the retention policy"
    return [
        Route("GET", path, retention, ADMINISTRATORS, dry_run, reply=RetentionReply),
        Route("PUT", path, set_policy, ADMINISTRATORS, policy, body=PolicyBody, reply=RetentionReply),
        Route("POST", holds, place, ADMINISTRATORS, "Place a legal hold", body=HoldBody, reply=HoldReply, status=201),
        Route("DELETE", holds + "/{hold_id}", lift, ADMINISTRATORS, "Lift a legal hold"),
    ]


def _verification(desk: ArchiveDesk) -> list[Route]:
    async def state(_call: Call[None]) -> VerificationReply:
        return await desk.verification()

    async def verify(call: Call[VerifyBody]) -> RunReply:
        return await desk.verify(call.who, call.body.hospital, call.body.study_id, address=call.address)

    path, check = _BASE + "/verifications", "Check stored bytes now"
    found = "Checks of the stored bytes, and what is damaged"
    return [
        Route("GET", path, state, ADMINISTRATORS, found, reply=VerificationReply),
        Route("POST", path, verify, ADMINISTRATORS, check, body=VerifyBody, reply=RunReply, status=201),
    ]
