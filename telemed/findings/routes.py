"""The API's doors to the AI review."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from telemed.findings.model import Finding, FindingList, NewAssessment, StudyReviewReport
from telemed.findings.service import Findings
from telemed.web import DOCTORS, Call, Route

PAGE_LIMIT: Final = 200


class FindingsQuery(Struct):
    state: Literal["unreviewed"] = "unreviewed"
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


def routes(findings: Findings) -> list[Route]:
    async def of_study(call: Call[None]) -> StudyReviewReport:
        return await findings.of_study(call.who, call.path("study_id"), address=call.address)

    async def unreviewed(call: Call[None]) -> FindingList:
        query: FindingsQuery = call.query
        return await findings.unreviewed(call.who, query.limit, query.offset)

    async def assess(call: Call[NewAssessment]) -> Finding:
        body = call.body
        return await findings.assess(
            call.who, call.path("finding_id"), body.decision, body.reason, address=call.address
        )

    base = "/api/v1"
    return [
        Route(
            "GET",
            f"{base}/studies/{{study_id}}/review",
            of_study,
            DOCTORS,
            "What the AI review found",
            reply=StudyReviewReport,
        ),
        Route(
            "GET", f"{base}/findings", unreviewed, DOCTORS, "Findings to assess", query=FindingsQuery, reply=FindingList
        ),
        Route(
            "POST",
            f"{base}/findings/{{finding_id}}/assessment",
            assess,
            DOCTORS,
            "Accept or reject a finding",
            body=NewAssessment,
            reply=Finding,
        ),
    ]
