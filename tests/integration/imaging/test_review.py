"""The vendor's door over HTTP, on both databases: from a finished upload to a finding a doctor can judge."""

import asyncio
from io import BytesIO

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from foundation.problem import problems
from imaging.review.routes import routes
from tests.review_rows import Vendor, add_instance, add_study, hook_on, result, stand_in


class Recorder:
    """Stands for telemed's guard: the routes only record."""

    def __init__(self):
        self.records = []

    async def record(self, request, access, deed, study_id):
        self.records.append((deed, access.caller, study_id))


@pytest.fixture
async def hook(database_url):
    async with hook_on(database_url) as hook:
        yield hook


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
async def door(hook, recorder):
    app = web.Application(middlewares=[problems])
    app.add_routes(routes(hook.service, None, recorder))
    async with TestClient(TestServer(app)) as client:
        yield client


def bearer(value):
    return {"Authorization": f"Bearer {value}"}


async def claimed(hook, door):
    registered = await hook.register()
    study = await add_study(hook.database, hook.clock)
    job = await hook.complete(study)
    async with door.post(f"/ai/jobs/{job.job_uid}/token", headers=bearer(registered.key)) as answer:
        assert answer.status == 200
        token = (await answer.json())["access_token"]
    return study, job, token


async def post(door, job, token, document, key="k1", **headers):
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    sent = {**bearer(token), "Content-Type": "application/json", "Idempotency-Key": key, **headers}
    async with door.post(f"/ai/jobs/{job.job_uid}/results", data=BytesIO(body), headers=sent) as answer:
        return answer.status, await answer.json()


async def test_from_upload_to_finding(hook, door, recorder):
    vendor = Vendor()
    async with vendor.listening() as server:
        registered = await hook.register(str(server.make_url("/hook")))
        study = await add_study(hook.database, hook.clock)
        job = await hook.complete(study)
        await hook.deliverer.deliver_due()
    event = msgspec.json.decode(vendor.got[0][1])

    async with door.post(
        event["job"]["token"].removeprefix("http://127.0.0.1:8080"), headers=bearer(registered.key)
    ) as r:
        issued = await r.json()
        assert (r.status, issued["expires_in"]) == (200, 900)
    token = issued["access_token"]

    async with door.get(f"/ai/jobs/{job.job_uid}/manifest", headers=bearer(token)) as r:
        manifest = await r.json()
    assert manifest["manifest_hash"] == event["study"]["completeness"]["manifestHash"]
    assert manifest["dicomweb_url"] == f"http://127.0.0.1:8080/ai/jobs/{job.job_uid}/dicom-web"
    first = manifest["series"][0]["instances"][0]
    assert first["url"] == (
        f"{manifest['dicomweb_url']}/studies/{event['study']['uid']}"
        f"/series/{manifest['series'][0]['series_instance_uid']}/instances/{first['sop_instance_uid']}"
    )
    assert (first["frames"], first["rows"], first["columns"]) == (1, 64, 48)

    document = result(job.job_uid, sop=first["sop_instance_uid"])
    status, answer = await post(door, job, token, document)
    assert (status, answer["state"], answer["findings"]) == (201, "completed", 1)
    assert (await post(door, job, token, document))[0] == 200
    (finding,) = await hook.service.findings_of(study.id)
    assert first["sop_instance_uid"] == stand_in(job, finding.sop_instance_uid) != finding.sop_instance_uid
    caller = f"review-job:{job.job_uid}"
    assert recorder.records == [
        ("review.fetch", caller, study.id),
        ("review.fetch", caller, study.id),
        ("review.result", caller, study.id),
        ("review.result", caller, study.id),
    ]


async def test_a_refusal_is_one_problem_document_with_pointers(hook, door):
    _, job, token = await claimed(hook, door)
    status, problem = await post(door, job, token, result(job.job_uid, sop="9.9"))
    assert (status, problem["code"]) == (422, "review.result_refused")
    assert problem["errors"] == [
        {
            "pointer": "/findings/0/location/0/sop",
            "code": "foreign_instance",
            "detail": "The instance is not in the job's manifest.",
        }
    ]


@pytest.mark.parametrize(
    ("body", "headers", "refusal"),
    [
        (b"{", {}, (400, "review.result_malformed")),
        (b"{}", {}, (400, "review.result_malformed")),
        (b"x" * ((1 << 20) + 1), {}, (413, "review.result_too_large")),
        (b"{}", {"Content-Type": "text/plain"}, (415, "review.result_not_json")),
        (b"{}", {"Idempotency-Key": ""}, (400, "review.idempotency_key_missing")),
        (b"{}", {"Idempotency-Key": "k" * 200}, (400, "review.idempotency_key_missing")),
        (b"{}", {"Authorization": "Bearer aijob_guess"}, (401, "review.token_invalid")),
        (b"{}", {"Authorization": ""}, (401, "review.token_invalid")),
        (b"{}", {"Authorization": "Basic eDp5"}, (401, "review.token_invalid")),
    ],
)
async def test_bad_input_gets_a_clear_refusal(hook, door, body, headers, refusal):
    _, job, token = await claimed(hook, door)
    got, problem = await post(door, job, token, body, **headers)
    assert (got, problem["code"]) == refusal
    assert (await hook.service.jobs_of(job.study_key))[0].state == "in_progress"


async def test_without_a_key_there_is_no_token(hook, door):
    _, job, _ = await claimed(hook, door)
    for headers in ({}, bearer("aikey_wrong")):
        async with door.post(f"/ai/jobs/{job.job_uid}/token", headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, "review.key_invalid")
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_endpoint_key_opens_no_study(hook, door):
    registered = await hook.register()
    job = await hook.complete(await add_study(hook.database, hook.clock))
    async with door.get(f"/ai/jobs/{job.job_uid}/manifest", headers=bearer(registered.key)) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, "review.token_invalid")


async def test_a_superseded_job_is_gone(hook, door):
    study, job, token = await claimed(hook, door)
    await add_instance(hook.database, hook.clock, study.id)
    await hook.complete(study)
    assert (await post(door, job, token, result(job.job_uid)))[0] == 410


async def test_a_hanging_claim_and_a_new_generation_meet_without_deadlock(hook, door):
    """The job is locked by whoever changes it; both engines let the second one see what the first did."""
    study, job, token = await claimed(hook, door)
    sop = stand_in(job, f"{study.study_instance_uid[:50]}.1.1")
    await add_instance(hook.database, hook.clock, study.id)
    hook.clock.passes(21)
    (status, _), _ = await asyncio.gather(post(door, job, token, result(job.job_uid, sop=sop)), hook.watcher.step())
    first, second = await hook.jobs(study)
    assert (status, first.state) in {(201, "completed"), (410, "superseded")}
    assert second.state == "scheduled"
