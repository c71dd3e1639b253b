"""The one JSON error shape: problem details (RFC 9457) with a stable ``code``."""

import logging
from collections.abc import Awaitable, Callable
from secrets import token_hex

import msgspec
from aiohttp import web

from foundation import errors

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)

REQUEST_ID = web.RequestKey("request_id", str)

_BY_STATUS: dict[int, type[errors.ServiceError]] = {
    cls.status: cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.ServiceError)
}


def document(error: errors.ServiceError, request_id: str) -> dict[str, object]:
    """The problem members for ``error``; ``facts`` never replace a standard member."""
    standard = {
        "type": f"/api/docs#error-{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "instance": f"urn:request:{request_id}",
    }
    return {**error.facts, **standard}


def response(error: errors.ServiceError, request_id: str) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_s" in error.facts:
        headers["Retry-After"] = str(error.facts["retry_after_s"])
    return web.Response(
        status=error.status,
        body=msgspec.json.encode(document(error, request_id)),
        content_type="application/problem+json",
        headers=headers,
    )


def from_http(raised: web.HTTPException) -> errors.ServiceError:
    """aiohttp's own refusals (no such route, body over the limit) in our tree."""
    family = _BY_STATUS.get(raised.status, errors.Invalid if raised.status < 500 else errors.ServiceError)
    return family()


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error of the tree, and every error nobody foresaw, into a problem document."""
    request_id = request[REQUEST_ID] = token_hex(13)
    try:
        reply = await handler(request)
    except errors.ServiceError as error:
        return response(error, request_id)
    except web.HTTPException as raised:
        if raised.status < 400:
            raise
        reply = response(from_http(raised), request_id)
        if "Allow" in raised.headers:
            reply.headers["Allow"] = raised.headers["Allow"]
        return reply
    except ConnectionResetError:
        # The caller left; there is nobody to answer and nothing went wrong here.
        raise
    except Exception:
        # The route's pattern, not its path: a path may carry identifiers.
        resource = request.match_info.route.resource
        log.exception(
            "unforeseen error", extra={"request_id": request_id, "route": getattr(resource, "canonical", "?")}
        )
        return response(errors.ServiceError(), request_id)
    if not reply.prepared:
        reply.headers.setdefault("X-Request-ID", request_id)
    return reply
