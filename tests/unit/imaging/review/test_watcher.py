"""The watcher's decisions with the rows that follow from them."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from foundation.ids import new_id
from imaging.review import outbox
from imaging.review.manifest import thawed
from imaging.review.outside import Outside
from imaging.review.tables import ReviewDecision, ReviewJob
from imaging.review.watcher import Watcher
from imaging.store.tables import Study, Upload
from tests.review_rows import add_instance, add_study


async def decisions(hook):
    async with hook.database.read() as session:
        return list(await session.scalars(select(ReviewDecision).order_by(ReviewDecision.generation)))


async def test_a_quiet_study_gets_decision_job_and_event(hook):
    registered = await hook.register()
    study = await add_study(hook.database, hook.clock)
    await hook.watcher.step()
    assert await decisions(hook) == []
    job = await hook.complete(study)
    (decision,) = await decisions(hook)
    assert (decision.basis, decision.generation, decision.supersedes) == ("quiet", 1, None)
    assert (job.state, job.endpoint_key) == ("scheduled", registered.endpoint.endpoint_id)
    (delivery,) = await hook.deliveries()
    assert (delivery.job_key, delivery.state, delivery.attempts) == (job.id, "pending", 0)
    assert hook.changes == [("findings", study.id, job.job_uid)]


async def test_the_event_says_where_to_go_and_nothing_of_the_patient(hook):
    await hook.register()
    study = await add_study(hook.database, hook.clock, patient_name="Wang^XiaoDong", patient_id="P-77")
    job = await hook.complete(study)
    (delivery,) = await hook.deliveries()
    event = json.loads(delivery.body)
    assert event["type"] == "imaging.study.ready"
    assert event["job"]["token"] == f"http://127.0.0.1:8080/ai/jobs/{job.job_uid}/token"
    assert event["study"]["instances"] == 3
    assert event["study"]["completeness"]["basis"] == "quiet"
    assert "Wang" not in delivery.body
    assert "P-77" not in delivery.body


async def test_an_instance_that_arrives_late_makes_a_generation_that_supersedes(hook):
    await hook.register()
    study = await add_study(hook.database, hook.clock)
    await hook.complete(study)
    hook.clock.passes(3600 * 24)
    await add_instance(hook.database, hook.clock, study.id)
    await hook.complete(study)
    first, second = await hook.jobs(study)
    assert (first.state, first.generation, second.state, second.generation) == ("superseded", 1, "scheduled", 2)
    old, new = await hook.deliveries()
    assert (old.state, new.state) == ("withdrawn", "pending")
    assert json.loads(new.body)["type"] == "imaging.study.updated"
    assert [row.basis for row in await decisions(hook)] == ["quiet", "quiet"]


async def test_the_manifest_stays_as_it_was_decided(hook):
    study = await add_study(hook.database, hook.clock)
    hook.clock.passes(21)
    await hook.watcher.step()
    await add_instance(hook.database, hook.clock, study.id)
    (decision,) = await decisions(hook)
    manifest = thawed(decision.manifest)
    assert manifest.facts.instance_count == 3
    assert manifest.hash == decision.manifest_hash


async def test_a_change_without_new_instances_is_no_new_generation(hook):
    study = await add_study(hook.database, hook.clock)
    hook.clock.passes(21)
    await hook.watcher.step()
    async with hook.database.write() as session:
        (await session.get_one(Study, study.id)).revision += 1
    hook.clock.passes(60)
    await hook.watcher.step()
    (decision,) = await decisions(hook)
    assert (decision.generation, decision.study_revision) == (1, 4)


async def test_an_open_upload_of_the_hospital_holds_back_until_forced(hook):
    study = await add_study(hook.database, hook.clock)
    other = await add_study(hook.database, hook.clock, owner="SH01")
    upload = Upload(id=new_id(), owner="WZ01", started_at=hook.clock(), seen_at=hook.clock() + timedelta(hours=1))
    async with hook.database.write() as session:
        session.add(upload)
    hook.clock.passes(300)
    await hook.watcher.step()
    assert [row.study_key for row in await decisions(hook)] == [other.id]
    hook.clock.passes(600)
    await hook.watcher.step()
    assert {row.study_key: row.basis for row in await decisions(hook)} == {other.id: "quiet", study.id: "forced"}


async def test_why_a_model_was_not_asked_is_kept(hook):
    registered = await hook.register(rules={"modality": ["MR"]})
    study = await add_study(hook.database, hook.clock)
    hook.clock.passes(21)
    await hook.watcher.step()
    (decision,) = await decisions(hook)
    assert decision.not_matched == {registered.endpoint.endpoint_id: ["modality is CT, wanted MR"]}
    assert await hook.jobs(study) == []


async def test_a_disabled_endpoint_gets_no_job(hook):
    registered = await hook.register()
    await hook.service.enable_endpoint(registered.endpoint.endpoint_id, False)
    study = await add_study(hook.database, hook.clock)
    hook.clock.passes(21)
    await hook.watcher.step()
    assert await hook.jobs(study) == []


async def test_every_matching_endpoint_gets_its_own_job(hook):
    await hook.register()
    await hook.register(name="Second", model_version="2.0")
    study = await add_study(hook.database, hook.clock)
    await hook.complete(study)
    assert len(await hook.jobs(study)) == len(await hook.deliveries()) == 2


async def test_a_restart_forgets_nothing(hook):
    await hook.register()
    study = await add_study(hook.database, hook.clock)
    await hook.watcher.step()
    hook.clock.passes(3600 * 24 * 7)
    restarted = Watcher(
        hook.database, hook.clock, hook.policy, Outside("http://127.0.0.1:8080", b"stand-ins"), hook._planned
    )
    await restarted.step()
    assert len(await hook.jobs(study)) == 1


async def test_a_decision_is_made_once_by_two_processes(hook):
    await hook.register()
    study = await add_study(hook.database, hook.clock)
    second = Watcher(
        hook.database, hook.clock, hook.policy, Outside("http://127.0.0.1:8080", b"stand-ins"), hook._planned
    )
    hook.clock.passes(21)
    await hook.watcher.step()
    await second._decided(study.id)
    assert len(await decisions(hook)) == len(await hook.jobs(study)) == 1


async def test_decision_and_events_are_written_together_or_not_at_all(hook, monkeypatch):
    await hook.register()
    study = await add_study(hook.database, hook.clock)
    await add_study(hook.database, hook.clock)
    event, broken = outbox._event, study.study_instance_uid

    def breaks_for_one(job, endpoint, decided, view):
        if decided.study.study_instance_uid == broken:
            raise RuntimeError("boom")
        return event(job, endpoint, decided, view)

    monkeypatch.setattr(outbox, "_event", breaks_for_one)
    hook.clock.passes(21)
    await hook.watcher.step()
    assert len(await decisions(hook)) == 1, "one study's trouble stops neither the other nor the task"
    assert await hook.jobs(study) == []
    monkeypatch.undo()
    await hook.watcher.step()
    assert len(await hook.jobs(study)) == 1


async def test_it_sleeps_until_the_next_study_is_due(hook):
    await add_study(hook.database, hook.clock)
    hook.clock.passes(19.5)
    assert await hook.watcher.step() == pytest.approx(0.5)


async def test_decided_studies_are_not_read_again(hook):
    study = await add_study(hook.database, hook.clock)
    hook.clock.passes(21)
    await hook.watcher.step()
    hook.clock.passes(3600)
    await hook.watcher.step()
    async with hook.database.read() as session:
        updated_at = await session.scalar(select(func.max(Study.updated_at)))
    assert hook.watcher._since > updated_at >= study.updated_at


async def test_two_open_jobs_of_one_model_for_one_study_cannot_be(hook):
    await hook.register()
    job = await hook.complete(await add_study(hook.database, hook.clock))
    twin = {name: getattr(job, name) for name in ReviewJob.__table__.columns.keys()}  # noqa: SIM118
    twin |= {"id": new_id(), "job_uid": "2.25.1", "generation": 2}
    with pytest.raises(IntegrityError):
        async with hook.database.write() as session:
            session.add(ReviewJob(**twin))
