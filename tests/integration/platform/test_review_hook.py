"""The AI hook with the reference reviewer as the process it is: it may be there, away, or come up later."""

import asyncio
import contextlib
import json
import sys

import pytest

from imaging.review.endpoints import NewEndpoint
from reviewer import document
from tests.platforms import free_port, open_house, uids, until
from tests.samples import ct_series, ct_slice
from tests.servers import ROOT

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path / "var", review_quiet_seconds=0) as house:
        yield house


@pytest.fixture
async def config(house, tmp_path):
    """What the reviewer is told after its registration, as a file; it does not run yet."""
    port = free_port()
    registered = await house.platform.review.service.register_endpoint(
        NewEndpoint(
            name="reference",
            vendor="telemed",
            model_name=document.MODEL_NAME,
            model_version=document.MODEL_VERSION,
            url=f"http://127.0.0.1:{port}/",
            rules={"all": []},
            finding_codes=document.FINDING_CODES,
        )
    )
    told = {"secret": registered.secret, "key": registered.key, "base_url": house.base_url, "port": port}
    path = tmp_path / "reviewer.json"
    await asyncio.to_thread(path.write_text, json.dumps(told))
    return path


@contextlib.asynccontextmanager
async def reviewing(config):
    port = json.loads(config.read_text())["port"]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "reviewer", "--config", str(config), cwd=ROOT)

    async def listens():
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True

    try:
        await until(listens)
        yield
    finally:
        process.terminate()
        await process.wait()


async def review_of(house, study, username="chen"):
    return await house.done(username, "GET", f"/api/v1/studies/{study['study_id']}/review")


async def completed(house, study):
    """The review, once a job is done."""

    async def probe():
        review = await review_of(house, study)
        return any(job["state"] == "completed" for job in review["jobs"]) and review

    return await until(probe, 60)


async def test_a_chest_is_reviewed_and_the_findings_are_judged(house, config):
    series = ct_series("chest", 20, 128)
    async with reviewing(config):
        study = await house.store("WZ01", *series)
        review = await completed(house, study)
    (job,) = review["jobs"]
    assert (job["model_name"], job["completeness_basis"], job["last_error"]) == (document.MODEL_NAME, "quiet", "")
    assert job["summary"]
    first, second = review["findings"][:2]
    assert {first["kind"], second["kind"]} == {"circle"}
    assert {first["sop_instance_uid"], second["sop_instance_uid"]} <= set(uids(series))
    assert (await house.study("WZ01", study["study_instance_uid"]))["open_findings"] == len(review["findings"])

    address = "/api/v1/findings/{}/assessment"
    await house.done("chen", "POST", address.format(first["finding_id"]), {"decision": "accepted"})
    rejected = {"decision": "rejected", "reason": "血管断面"}
    await house.done("zhou", "POST", address.format(second["finding_id"]), rejected)
    judged = {one["finding_id"]: one["assessment"] for one in (await review_of(house, study))["findings"]}
    accepted_by = judged[first["finding_id"]]
    assert (accepted_by["decision"], accepted_by["by_name"]) == ("accepted", "陈静")
    rejected_by = judged[second["finding_id"]]
    assert (rejected_by["decision"], rejected_by["reason"], rejected_by["by_name"]) == ("rejected", "血管断面", "周敏")
    row = await house.study("WZ01", study["study_instance_uid"])
    assert (row["review_state"], row["open_findings"]) == ("done", len(review["findings"]) - 2)
    assert (await house.call("li", "POST", address.format(first["finding_id"]), rejected))[0] == 404


async def test_a_reviewer_that_is_down_delays_nobody_and_is_tried_again(house, config):
    study = await house.store("WZ01", ct_slice("waiting", size=64))
    assert await house.status("chen", f"/api/v1/studies/{study['study_id']}") == 200

    async def refused():
        (job,) = (await review_of(house, study))["jobs"] or [{"last_error": ""}]
        return job["last_error"] and job

    job = await until(refused)
    assert (job["state"], job["attempts"]) == ("scheduled", 1)
    assert job["last_error"].startswith("no connection")
    async with reviewing(config):
        review = await completed(house, study)
    assert review["jobs"][0]["attempts"] > 1
    assert len(review["findings"]) == 1


async def test_an_expert_reads_the_findings_while_the_consultation_is_open(house, config):
    async with reviewing(config):
        study = await house.store("WZ01", ct_slice("shared", size=64))
        (finding,) = (await completed(house, study))["findings"]
    consultation = await house.accepted(study["study_id"])
    address = f"/api/v1/findings/{finding['finding_id']}/assessment"
    assert (await review_of(house, study, "li"))["findings"] == [finding]
    await house.done("li", "POST", address, {"decision": "accepted"})
    (record,) = [row for row in await house.audit() if row["action"] == "doctor:finding:assess"]
    assert (record["actor_name"], record["purpose"], record["subject_id"]) == (
        "李明华",
        "consultation",
        finding["finding_id"],
    )
    await house.done("chen", "POST", f"{consultation}/cancel", {"reason": "已转院"})
    assert (await house.call("li", "POST", address, {"decision": "accepted"}))[0] == 404
