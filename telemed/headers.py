"""The headers every answer carries, so that a page runs our own code only."""

from functools import lru_cache
from typing import Final

from aiohttp import web

from telemed.addresses import Addresses

STATIC_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
}


@lru_cache(100)
def content_security_policy(signaling_origin: str) -> str:
    """No inline code, no foreign origin; WebAssembly and workers for the image codecs, one socket for the rooms."""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "worker-src 'self' blob:",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            f"connect-src 'self' blob: {signaling_origin}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def attach(app: web.Application, addresses: Addresses) -> None:
    async def add(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in STATIC_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", content_security_policy(addresses.signaling(request)))

    app.on_response_prepare.append(add)
