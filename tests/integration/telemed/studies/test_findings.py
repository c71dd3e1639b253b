import pytest

from tests.telemed_people import sign_in

FINDINGS = "/api/v1/findings"


async def test_a_doctor_sees_what_the_review_found(client, telemed, finding_id):
    await sign_in(client, "wang")
    report = await (await client.get(f"/api/v1/studies/{telemed.own}/review")).json()
    (job,), (finding,) = report["jobs"], report["findings"]
    assert (job["state"], job["vendor"], job["summary"]) == ("completed", "示范厂商", "1 candidate")
    assert (finding["finding_id"], finding["kind"], finding["assessment"]) == (finding_id, "circle", None)
    assert finding["points"] == [[100.5, 200.5], [110.5, 200.5]]
    (row,) = (await (await client.get("/api/v1/studies")).json())["items"]
    assert (row["review_state"], row["open_findings"]) == ("done", 1)


async def test_the_findings_to_assess_name_their_study(client, telemed, finding_id):
    await sign_in(client, "wang")
    found = await (await client.get(FINDINGS, params={"state": "unreviewed"})).json()
    (item,) = found["items"]
    assert (found["total"], item["finding_id"], item["study_id"]) == (1, finding_id, telemed.own)
    assert (item["patient_name"], item["owner_name"]) == ("王小东", "温州示范医院")


@pytest.mark.parametrize(("decision", "reason"), [("accepted", ""), ("rejected", "血管断面")])
async def test_a_doctors_word_is_kept_told_and_audited(client, telemed, finding_id, decision, reason):
    await sign_in(client, "wang")
    body = {"decision": decision, "reason": reason}
    finding = await (await client.post(f"{FINDINGS}/{finding_id}/assessment", json=body)).json()
    assert finding["assessment"] == {
        "decision": decision,
        "reason": reason,
        "by_name": "王医生",
        "at": "2026-11-23T08:00:00Z",
    }
    assert (await (await client.get(FINDINGS)).json())["total"] == 0
    assert telemed.changes.seen == [("findings", telemed.own, finding_id)]
    (record,) = await telemed.audit.listing(action="doctor:finding:assess")
    assert (record.subject_id, record.study_id) == (finding_id, telemed.own)


async def test_a_rejection_needs_a_reason(client, finding_id):
    await sign_in(client, "wang")
    reply = await client.post(f"{FINDINGS}/{finding_id}/assessment", json={"decision": "rejected"})
    assert (reply.status, (await reply.json())["code"]) == (422, "review.reason_missing")


async def test_findings_of_another_hospital_do_not_exist(client, telemed, finding_id):
    await sign_in(client, "li")
    assert (await (await client.get(FINDINGS)).json()) == {"items": [], "total": 0}
    assert (await client.get(f"/api/v1/studies/{telemed.own}/review")).status == 404
    refused = [
        await client.post(f"{FINDINGS}/{key}/assessment", json={"decision": "accepted"})
        for key in (finding_id, "01KB0000000000000000000000")
    ]
    assert [(reply.status, (await reply.json())["code"]) for reply in refused] == [(404, "review.finding_unknown")] * 2
    assert await telemed.audit.listing(action="doctor:finding:assess") == []


async def test_the_expert_of_an_open_consultation_assesses_like_the_own_hospital(client, telemed, finding_id):
    telemed.shared.studies[telemed.li.id] = frozenset({telemed.own})
    await sign_in(client, "li")
    reply = await client.post(f"{FINDINGS}/{finding_id}/assessment", json={"decision": "accepted"})
    assert (await reply.json())["assessment"]["by_name"] == "李医生"
