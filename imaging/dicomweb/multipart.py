"""Writing multipart/related answers (RFC 2387, PS3.18 section 8.6.1.2) part by part, with flat memory."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Part:
    """One part: ``content`` is its body in pieces; ``location`` an absolute URL or empty."""

    content_type: str
    content: AsyncIterator[bytes]
    location: str = ""


def new_boundary() -> str:
    """Clients search the raw bytes for it, so it carries 128 random bits (T44)."""
    return f"telemed-{secrets.token_hex(16)}"


def opening(boundary: str, part: Part, *, first: bool) -> bytes:
    lines = [f"--{boundary}", f"Content-Type: {part.content_type}"]
    if part.location:
        lines.append(f"Content-Location: {part.location}")
    return (("" if first else "\r\n") + "\r\n".join(lines) + "\r\n\r\n").encode()


def closing(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode()


async def respond(
    request: web.Request,
    inner_type: str,
    parts: AsyncGenerator[Part, None],
    headers: Mapping[str, str],
    status: int = 200,
) -> web.StreamResponse:
    """Send ``parts`` as they come. ``inner_type`` is their common media type without parameters."""
    boundary = new_boundary()
    reply = web.StreamResponse(status=status, headers=headers)
    reply.headers["Content-Type"] = f'multipart/related; type="{inner_type}"; boundary={boundary}'
    await reply.prepare(request)
    if request.method == "HEAD":
        return reply
    first = True
    # Closed at once when the client goes away, so that files and sessions are not held until collection (T58).
    async with aclosing(parts):
        async for part in parts:
            await reply.write(opening(boundary, part, first=first))
            first = False
            async for piece in part.content:
                await reply.write(piece)
    await reply.write(closing(boundary))
    await reply.write_eof()
    return reply
