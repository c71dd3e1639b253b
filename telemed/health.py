"""Alive, ready, and figures: what an operator's tools ask for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from foundation.database import Database
from foundation.problem import Handler
from imaging.store.blobs import Blobs

Check = Callable[[], Awaitable[None]]

SECONDS: Final = (0.005, 0.02, 0.1, 0.5, 2, 10)


class Metrics:
    """Figures without identifiers: labels are route patterns, methods and statuses only."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "telemed_requests", "HTTP requests", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "telemed_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=self.registry
        )

    def middleware(self) -> Middleware:
        @web.middleware
        async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
            started = time.perf_counter()
            response = await handler(request)
            resource = request.match_info.route.resource
            route = resource.canonical if resource is not None else "none"
            counted, timed = self._series_of(request.method, route, response.status)
            counted.inc()
            timed.observe(time.perf_counter() - started)
            return response

        return measured

    @cache  # noqa: B019 - as many as there are routes and statuses, and one Metrics a process
    def _series_of(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(method, route, status), self.seconds.labels(route)


def database_check(database: Database) -> Check:
    async def check() -> None:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))

    return check


def storage_check(blobs: Blobs) -> Check:
    async def check() -> None:
        await asyncio.to_thread(_take_bytes, await blobs.spool())

    return check


def _take_bytes(path: Path) -> None:
    path.write_bytes(b"ready?")
    path.unlink()


def routes(metrics: Metrics, checks: Mapping[str, Check], refresh: Check) -> list[web.RouteDef]:
    """``refresh``: brings gauges up to date before they are read."""

    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(_request: web.Request) -> web.Response:
        """Names what is not ready, never why in words that could carry data."""
        results = {name: await _passes(check) for name, check in checks.items()}
        status = 200 if all(results.values()) else 503
        return web.json_response(
            {"status": "ready" if status == 200 else "not ready", "checks": results}, status=status
        )

    async def figures(_request: web.Request) -> web.Response:
        with suppress(SQLAlchemyError, OSError):
            await refresh()
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", figures)]


async def _passes(check: Check) -> bool:
    try:
        await check()
    except Exception:
        return False
    return True
