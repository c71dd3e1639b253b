"""What the reviewer lets in: signed, fresh, known, each once."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer
from standardwebhooks import Webhook

from reviewer.webhook import Inbox, application

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
EVENT = {
    "type": "imaging.study.ready",
    "job": {"uid": "2.25.7", "token": "http://p/t", "manifest": "http://p/m", "results": "http://p/r"},
}


class Noting:
    def __init__(self):
        self.jobs = []

    async def __call__(self, job):
        self.jobs.append(job)
        if len(self.jobs) == 1 and job.uid == "fails":
            raise RuntimeError("boom")


@pytest.fixture
def noting():
    return Noting()


@pytest.fixture
def inbox(noting):
    return Inbox(SECRET, noting)


@pytest.fixture
async def client(inbox):
    async with TestClient(TestServer(application(inbox))) as client:
        yield client


async def send(client, event=EVENT, event_id="e1", *, age=timedelta(0), secret=SECRET, alter=lambda body: body):
    body, sent_at = json.dumps(event), datetime.now(UTC) - age
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, sent_at, body),
    }
    async with client.post("/", data=alter(body), headers=headers) as answer:
        return answer.status


async def test_a_signed_event_is_taken_at_once_and_worked_on(client, inbox, noting):
    assert await send(client) == 202
    await inbox.idle()
    assert [(job.uid, job.token_url) for job in noting.jobs] == [("2.25.7", "http://p/t")]


async def test_an_event_is_worked_on_once(client, inbox, noting):
    assert [await send(client), await send(client), await send(client, event_id="e2")] == [202, 409, 202]
    await inbox.idle()
    assert len(noting.jobs) == 2


async def test_a_stale_event_is_refused(client, noting):
    assert await send(client, age=timedelta(minutes=6)) == 401
    assert await send(client, age=timedelta(minutes=-6)) == 401
    assert noting.jobs == []


async def test_a_wrong_signature_is_refused(client):
    assert await send(client, secret="whsec_" + "A" * 32) == 401
    assert await send(client, alter=lambda body: body.replace("2.25.7", "2.25.8")) == 401


@pytest.mark.parametrize("headers", [{}, {"webhook-id": "e", "webhook-timestamp": "x", "webhook-signature": "v1,x"}])
async def test_an_unsigned_event_is_refused(client, headers):
    async with client.post("/", data=b"{}", headers=headers) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    "event", [[], {}, {"type": "imaging.study.ready"}, {"type": "imaging.study.ready", "job": 1}, 7]
)
async def test_a_signed_event_of_the_wrong_form_is_refused(client, event):
    assert await send(client, event) == 400


async def test_an_unknown_kind_of_event_is_refused(client):
    assert await send(client, {**EVENT, "type": "endpoint.ping"}) == 422


async def test_an_oversized_event_is_refused(client):
    assert await send(client, {**EVENT, "more": "x" * 70_000}) == 413


async def test_a_job_that_fails_does_not_stop_the_next(client, inbox, noting, caplog):
    await send(client, {**EVENT, "job": {**EVENT["job"], "uid": "fails"}}, "e1")
    await send(client, event_id="e2")
    await inbox.idle()
    assert [job.uid for job in noting.jobs] == ["fails", "2.25.7"]
    assert "a job failed" in caplog.text


async def test_answering_does_not_wait_for_the_work():
    free = asyncio.Event()

    async def slow(_job):
        await free.wait()

    inbox = Inbox(SECRET, slow)
    async with TestClient(TestServer(application(inbox))) as client:
        assert await send(client) == 202
        free.set()
        await inbox.idle()


async def test_only_so_many_ids_are_remembered(client, monkeypatch):
    monkeypatch.setattr("reviewer.webhook.REMEMBERED_IDS", 2)
    assert [await send(client, event_id=name) for name in ("a", "b", "c", "a")] == [202, 202, 202, 202]
