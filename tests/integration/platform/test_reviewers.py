"""An administrator registers AI reviewers; what they are told once is told once."""

from tests.platforms import ADMIN

ADDRESS = "/api/v1/review/endpoints"
MODEL = {
    "name": "lung",
    "vendor": "Example",
    "model_name": "lung-ai",
    "model_version": "2.1",
    "url": "http://127.0.0.1:9/hook",
    "rules": {"all": [{"modality": ["CT"]}]},
    "finding_codes": ["SCT:427359005"],
}


async def test_an_administrator_registers_a_reviewer_and_reads_its_secrets_once(house):
    made = await house.done(ADMIN, "POST", ADDRESS, MODEL)
    assert made["secret"].startswith("whsec_")
    assert made["key"].startswith("aikey_")
    listed = (await house.done(ADMIN, "GET", ADDRESS))["items"]
    assert [(row["name"], row["model_version"], row["enabled"]) for row in listed] == [("lung", "2.1", True)]
    assert made["secret"] not in str(listed)
    assert made["key"] not in str(listed)


async def test_a_paused_reviewer_stays_registered_and_both_deeds_are_on_record(house):
    key = (await house.done(ADMIN, "POST", ADDRESS, MODEL))["endpoint"]["endpoint_id"]
    paused = await house.done(ADMIN, "PATCH", f"{ADDRESS}/{key}", {"enabled": False})
    assert paused["enabled"] is False
    records = (await house.done(ADMIN, "GET", "/api/v1/audit?limit=2"))["items"]
    assert [(record["action"], record["subject_id"]) for record in records] == [
        ("administrator:reviewer:change", key),
        ("administrator:reviewer:create", key),
    ]


async def test_security_19_an_address_beyond_this_machine_and_rules_nobody_knows_are_refused(house):
    status, problem = await house.call(ADMIN, "POST", ADDRESS, {**MODEL, "url": "http://vendor.example/hook"})
    assert (status, problem["code"]) == (422, "review.url_refused")
    status, problem = await house.call(ADMIN, "POST", ADDRESS, {**MODEL, "rules": {"moon": 1}})
    assert (status, problem["code"]) == (422, "review.rules_invalid")
    assert (await house.done(ADMIN, "GET", ADDRESS))["total"] == 0


async def test_a_reviewer_nobody_knows_cannot_be_paused(house):
    status, problem = await house.call(ADMIN, "PATCH", f"{ADDRESS}/01ARZ3NDEKTSV4RRFFQ69G5FAV", {"enabled": False})
    assert (status, problem["code"]) == (404, "review.endpoint_unknown")
