"""Where events arrive: verified, answered at once, worked on afterwards, each once."""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from reviewer.platform import Job

log = logging.getLogger(__name__)

LARGEST_EVENT_BYTES = 64 * 1024
REMEMBERED_IDS = 10_000
_KNOWN_TYPES = frozenset({"imaging.study.ready", "imaging.study.updated"})

Review = Callable[[Job], Awaitable[None]]


class Inbox:
    """Takes events for ``review``, one job at a time: a study fills memory and a processor by itself."""

    def __init__(self, secret: str, review: Review) -> None:
        self._webhook = Webhook(secret)
        self._review = review
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()

    async def receive(self, request: web.Request) -> web.Response:
        """202 for a new event, 409 for one that is known already, 401 for a signature that is wrong or stale."""
        body = await request.read()
        try:
            self._webhook.verify(body, dict(request.headers), json_parse=False)
            event = json.loads(body)
            kind, job = event["type"], _job(event)
        except WebhookVerificationError:
            return web.Response(status=401)
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400)
        if kind not in _KNOWN_TYPES:
            return web.Response(status=422)
        return self._take(request.headers["webhook-id"], job)

    def _take(self, event_id: str, job: Job) -> web.Response:
        if event_id in self._seen:
            return web.Response(status=409)
        self._seen[event_id] = None
        while len(self._seen) > REMEMBERED_IDS:
            self._seen.popitem(last=False)
        self._jobs.put_nowait(job)
        return web.Response(status=202)

    async def work(self) -> None:
        """Review what arrives, until cancelled. One job's trouble does not end the work."""
        while True:
            job = await self._jobs.get()
            try:
                await self._review(job)
            except Exception:
                log.exception("a job failed", extra={"job_uid": job.uid})
            finally:
                self._jobs.task_done()

    async def idle(self) -> None:
        """Wait until everything taken so far is done."""
        await self._jobs.join()


def _job(event: dict[str, dict[str, str]]) -> Job:
    job = event["job"]
    return Job(job["uid"], job["token"], job["manifest"], job["results"])


def application(inbox: Inbox) -> web.Application:
    """Events are taken at ``/``; the work goes on while the application runs."""
    app = web.Application(client_max_size=LARGEST_EVENT_BYTES)
    app.router.add_post("/", inbox.receive)

    async def working(_app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(inbox.work())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    app.cleanup_ctx.append(working)
    return app
