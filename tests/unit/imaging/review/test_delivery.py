"""Delivery against vendors that are slow, broken, moved, hung, dead or back again. Their servers are real."""

import asyncio
from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

import imaging.review.delivery as delivery_module
from foundation.clock import utc_now
from tests.review_rows import Vendor, add_study, answering


@pytest.fixture
async def vendor():
    vendor = Vendor()
    async with vendor.listening() as server:
        vendor.url = str(server.make_url("/hook"))
        yield vendor


async def job_for(hook, url, **more):
    registered = await hook.register(url, **more)
    study = await add_study(hook.database, hook.clock)
    await hook.complete(study)
    job = next(job for job in await hook.jobs(study) if job.endpoint_key == registered.endpoint.endpoint_id)
    return study, registered, job


async def state_of(hook, study):
    return (await hook.jobs(study))[-1].state


async def test_an_event_is_delivered(hook, vendor):
    study, _, _ = await job_for(hook, vendor.url)
    await hook.deliverer.deliver_due()
    (delivery,) = await hook.deliveries()
    assert (delivery.state, await state_of(hook, study)) == ("delivered", "delivered")
    assert [(headers["webhook-id"], body.decode()) for headers, body in vendor.got] == [(delivery.id, delivery.body)]


async def test_the_library_accepts_a_fresh_attempt_and_refuses_it_when_stale_or_altered(hook, vendor):
    hook.clock.now = utc_now() - timedelta(seconds=21)
    _, registered, _ = await job_for(hook, vendor.url)
    await hook.deliverer.deliver_due()
    ((headers, body),) = vendor.got
    verifier = Webhook(registered.secret)
    assert verifier.verify(body, headers)["type"] == "imaging.study.ready"
    with pytest.raises(WebhookVerificationError):
        verifier.verify(body.replace(b"CT", b"MR"), headers)
    with pytest.raises(WebhookVerificationError, match="too old"):
        verifier.verify(body, {**headers, "webhook-timestamp": str(int(hook.clock().timestamp()) - 600)})


async def test_a_broken_vendor_is_tried_again_with_the_same_id_and_a_new_signature(hook, vendor):
    vendor.answers = [answering(500), answering(503)]
    study, _, _ = await job_for(hook, vendor.url)
    await hook.deliverer.deliver_due()
    assert (await state_of(hook, study), (await hook.deliveries())[0].last_error) == ("scheduled", "answered 500")
    hook.clock.passes(5)
    await hook.deliverer.deliver_due()
    hook.clock.passes(30)
    await hook.deliverer.deliver_due()
    assert len(vendor.got) == 3
    assert len(set(vendor.ids)) == 1
    assert len({headers["webhook-signature"] for headers, _ in vendor.got}) == 3
    assert [headers["webhook-attempt"] for headers, _ in vendor.got] == ["1", "2", "3"]
    assert len({body for _, body in vendor.got}) == 1
    assert await state_of(hook, study) == "delivered"


async def test_nothing_is_sent_before_it_is_due(hook, vendor):
    vendor.answers = [answering(429, **{"Retry-After": "60"})]
    await job_for(hook, vendor.url)
    await hook.deliverer.deliver_due()
    hook.clock.passes(59)
    await hook.deliverer.deliver_due()
    assert len(vendor.got) == 1
    hook.clock.passes(1)
    await hook.deliverer.deliver_due()
    assert len(vendor.got) == 2


async def test_a_used_up_schedule_leaves_a_dead_letter_and_an_expired_job(hook, vendor):
    vendor.answers = [answering(500)] * 3
    study, _, _ = await job_for(hook, vendor.url)
    for seconds in (0, 5, 30):
        hook.clock.passes(seconds)
        await hook.deliverer.deliver_due()
    (delivery,) = await hook.deliveries()
    assert (delivery.state, delivery.attempts, await state_of(hook, study)) == ("dead", 3, "expired")


async def test_no_attempt_is_made_after_the_deadline(hook, vendor):
    vendor.answers = [answering(500)] * 9
    study, _, _ = await job_for(hook, vendor.url, deadline_seconds=20)
    await hook.deliverer.deliver_due()
    hook.clock.passes(5)
    await hook.deliverer.deliver_due()
    (job,) = await hook.jobs(study)
    assert (job.state, len(vendor.got), (await hook.deliveries())[0].state) == ("expired", 2, "dead")


async def test_a_job_without_a_result_expires_at_its_deadline(hook, vendor):
    study, _, job = await job_for(hook, vendor.url)
    await hook.deliverer.deliver_due()
    hook.changes.clear()
    hook.clock.passes(3600)
    await hook.deliverer.deliver_due()
    assert await state_of(hook, study) == "expired"
    assert hook.changes == [("findings", study.id, job.job_uid)]


@pytest.mark.parametrize(("status", "state"), [(404, "failed"), (405, "failed"), (413, "skipped"), (422, "skipped")])
async def test_a_refusal_is_final(hook, vendor, status, state):
    vendor.answers = [answering(status)]
    study, _, _ = await job_for(hook, vendor.url)
    await hook.deliverer.deliver_due()
    (job,) = await hook.jobs(study)
    assert (job.state, job.last_error) == (state, f"answered {status}")
    assert (await hook.deliveries())[0].state == "dead"


async def test_security_19_a_redirect_is_not_followed(hook, vendor):
    elsewhere = Vendor()
    async with elsewhere.listening() as server:
        vendor.answers = [answering(307, Location=str(server.make_url("/hook")))]
        study, _, _ = await job_for(hook, vendor.url)
        await hook.deliverer.deliver_due()
    assert (elsewhere.got, await state_of(hook, study)) == ([], "failed")


async def test_gone_disables_the_endpoint(hook, vendor):
    vendor.answers = [answering(410)]
    study, _, _ = await job_for(hook, vendor.url)
    await hook.deliverer.deliver_due()
    (endpoint,) = await hook.service.endpoints()
    assert (endpoint.enabled, await state_of(hook, study)) == (False, "failed")


async def test_a_vendor_that_is_down_is_reached_when_it_is_up(hook):
    down = Vendor()
    async with down.listening() as server:
        port = server.port
    study, _, _ = await job_for(hook, f"http://127.0.0.1:{port}/hook")
    await hook.deliverer.deliver_due()
    assert (await hook.deliveries())[0].last_error.startswith("no connection")
    async with down.listening(port):
        hook.clock.passes(5)
        await hook.deliverer.deliver_due()
    assert (len(down.got), await state_of(hook, study)) == (1, "delivered")


async def test_a_hung_vendor_delays_nobody(hook, vendor):
    hung = Vendor(hangs=True)
    async with hung.listening() as server:
        registered = await hook.register(str(server.make_url("/hook")), name="Hung")
        study, _, job = await job_for(hook, vendor.url)
        hook.changes.clear()
        hook.deliverer.start()
        await hung.arrived.wait()
        await vendor.arrived.wait()
        await hook.until_changed(job.job_uid)
        states = {row.endpoint_key: row.state for row in await hook.jobs(study)}
        assert states == {registered.endpoint.endpoint_id: "scheduled", job.endpoint_key: "delivered"}
        await hook.deliverer.close()


async def test_a_vendor_that_never_answers_is_given_up_for_now(hook):
    hung = Vendor(hangs=True)
    hook.timeout_seconds = 0.1
    deliverer = hook.new_deliverer()
    async with hung.listening() as server:
        await job_for(hook, str(server.make_url("/hook")))
        await deliverer.deliver_due()
        await deliverer.close()
    (delivery,) = await hook.deliveries()
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("pending", 1, "no answer in time")


async def test_a_delivery_whose_answer_was_lost_is_sent_again_with_the_same_id(hook):
    vendor = Vendor(hangs=True)
    async with vendor.listening() as server:
        study, _, _ = await job_for(hook, str(server.make_url("/hook")))
        hook.deliverer.start()
        await vendor.arrived.wait()
        await hook.deliverer.close()  # killed while the attempt is on the wire
        vendor.hangs = False
        restarted = hook.new_deliverer()
        await restarted.deliver_due()
        assert len(vendor.got) == 1, "the lost attempt may still be on its way"
        hook.clock.passes(delivery_module._LEASE.total_seconds())
        await restarted.deliver_due()
        await restarted.close()
    assert len(vendor.got) == 2
    assert len(set(vendor.ids)) == 1
    assert await state_of(hook, study) == "delivered"


async def test_two_deliverers_do_not_send_the_same_attempt(hook, vendor):
    await job_for(hook, vendor.url)
    second = hook.new_deliverer()
    await asyncio.gather(hook.deliverer.deliver_due(), second.deliver_due())
    await second.close()
    assert len(vendor.got) == 1


async def test_a_claim_stops_the_sending(hook, vendor):
    vendor.answers = [answering(500)]
    study, registered, job = await job_for(hook, vendor.url)
    await hook.deliverer.deliver_due()
    await hook.service.issue_token(registered.key, job.job_uid)
    hook.clock.passes(5)
    await hook.deliverer.deliver_due()
    assert len(vendor.got) == 1
    assert ((await hook.deliveries())[0].state, await state_of(hook, study)) == ("delivered", "in_progress")


async def test_many_waiting_events_all_go_out(hook, vendor):
    await hook.register(vendor.url)
    for _ in range(11):
        await add_study(hook.database, hook.clock, instances=1)
    hook.clock.passes(21)
    await hook.watcher.step()
    await hook.deliverer.deliver_due()
    assert len(set(vendor.ids)) == 11


async def test_waking_delivers_without_waiting_for_the_poll(hook, vendor):
    hook.deliverer.start()
    await asyncio.sleep(0)
    await job_for(hook, vendor.url)
    hook.deliverer.wake()
    async with asyncio.timeout(10):
        await vendor.arrived.wait()
    assert len(vendor.got) == 1


async def test_a_claim_while_the_answer_is_awaited_stands(hook):
    vendor = Vendor(hangs=True)
    hook.timeout_seconds = 0.5
    deliverer = hook.new_deliverer()
    async with vendor.listening() as server:
        study, registered, job = await job_for(hook, str(server.make_url("/hook")))
        delivering = asyncio.create_task(deliverer.deliver_due())
        await vendor.arrived.wait()
        await hook.service.issue_token(registered.key, job.job_uid)
        await delivering
        await deliverer.close()
    (delivery,) = await hook.deliveries()
    assert (delivery.state, delivery.last_error, await state_of(hook, study)) == ("delivered", "", "in_progress")


async def test_an_endpoint_has_one_task_however_often_it_is_woken(hook):
    vendor = Vendor(hangs=True)
    async with vendor.listening() as server:
        await job_for(hook, str(server.make_url("/hook")))
        await hook.deliverer._step()
        await vendor.arrived.wait()
        (task,) = hook.deliverer._draining.values()
        await add_study(hook.database, hook.clock)
        hook.clock.passes(21)
        await hook.watcher.step()
        await hook.deliverer._step()
        assert list(hook.deliverer._draining.values()) == [task]
        await hook.deliverer.close()
