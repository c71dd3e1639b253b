"""The vendor's door: /ai/jobs/{job_uid}/token, /manifest, /dicom-web, /results. Described in docs/ai-hook.md."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict

import msgspec
from aiohttp import web

from imaging.archive import Archive
from imaging.guard import Guard
from imaging.review import tokens
from imaging.review.egress import PATHS, Egress, Sight
from imaging.review.errors import (
    IdempotencyKeyMissing,
    KeyInvalid,
    ResultNotJson,
    ResultTooLarge,
    TokenInvalid,
)
from imaging.review.intake import Sent
from imaging.review.results import LIMIT_BYTES
from imaging.review.service import ReviewService

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_IDEMPOTENCY_KEY_LENGTH = 128


def routes(review: ReviewService, archive: Archive, guard: Guard) -> list[web.RouteDef]:
    """``guard`` is asked only to record: who may do what is decided by the endpoint key and the job token."""
    door = _Door(review, archive, guard)
    return [
        web.post("/ai/jobs/{job_uid}/token", door.token),
        web.get("/ai/jobs/{job_uid}/manifest", door.manifest, allow_head=False),
        web.post("/ai/jobs/{job_uid}/results", door.results),
        *(web.get(path, door.images, allow_head=False) for path in PATHS),
        *(web.get(f"{path}/metadata", door.metadata, allow_head=False) for path in PATHS),
    ]


class _Door:
    def __init__(self, review: ReviewService, archive: Archive, guard: Guard) -> None:
        self._review = review
        self._egress = Egress(archive)
        self._guard = guard

    async def token(self, request: web.Request) -> web.Response:
        key = _bearer(request)
        if key is None:
            raise KeyInvalid("Send the key given at registration as Authorization: Bearer.")
        issued = await self._review.issue_token(key, _job_uid(request))
        await self._guard.record(request, tokens.access_of(issued.job), "review.fetch", issued.job.study_key)
        return _json({"access_token": issued.access_token, "token_type": "Bearer", "expires_in": issued.expires_in})

    async def manifest(self, request: web.Request) -> web.Response:
        return _json(asdict(self._review.manifest(await self._sight(request))))

    async def images(self, request: web.Request) -> web.StreamResponse:
        return await self._egress.images(request, await self._sight(request))

    async def metadata(self, request: web.Request) -> web.StreamResponse:
        return await self._egress.metadata(request, await self._sight(request))

    async def _sight(self, request: web.Request) -> Sight:
        """Every look is recorded."""
        sight = await self._review.sight(_job_token(request), _job_uid(request))
        await self._guard.record(request, tokens.access_of(sight.job), "review.fetch", sight.study.id)
        return sight

    async def results(self, request: web.Request) -> web.Response:
        token = _job_token(request)
        if request.content_type != "application/json":
            raise ResultNotJson("Send the result document as application/json.")
        key = request.headers.get("Idempotency-Key", "")
        if not 0 < len(key) <= _IDEMPOTENCY_KEY_LENGTH:
            raise IdempotencyKeyMissing(f"Send an Idempotency-Key of 1 to {_IDEMPOTENCY_KEY_LENGTH} characters.")
        taken = await self._review.take_result(Sent(_job_uid(request), token, key, await _limited_body(request)))
        await self._guard.record(request, tokens.access_of(taken.job), "review.result", taken.job.study_key)
        return _json(taken.answer, status=200 if taken.repeated else 201)


def _job_uid(request: web.Request) -> str:
    return request.match_info["job_uid"]


def _bearer(request: web.Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


def _job_token(request: web.Request) -> str:
    token = _bearer(request)
    if token is None:
        raise TokenInvalid("Send the job token as Authorization: Bearer.")
    return token


async def _limited_body(request: web.Request) -> bytes:
    """The body, read no further than the limit: its size is the sender's word."""
    body = bytearray()
    async for piece in request.content.iter_chunked(1 << 16):
        body += piece
        if len(body) > LIMIT_BYTES:
            raise ResultTooLarge(f"Send at most {LIMIT_BYTES} bytes.", limit_bytes=LIMIT_BYTES)
    return bytes(body)


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=msgspec.json.encode(document),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
