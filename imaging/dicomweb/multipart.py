"""Writing answers piece by piece with flat memory: bare bodies, and multipart/related (PS3.18 section 8.6.1.2).

The first piece is made before the status line is sent, so that what cannot be produced is still refused properly.
"""

import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web

Pieces = AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class Part:
    """One part: ``content`` is its body in pieces; ``location`` an absolute URL."""

    content_type: str
    content: Pieces
    location: str


async def once(body: bytes) -> Pieces:
    """``body`` as the one piece of a part."""
    yield body


def new_boundary() -> str:
    """Clients search the raw bytes for it, so it carries 128 random bits (T44)."""
    return f"telemed-{secrets.token_hex(16)}"


async def send(request: web.Request, reply: web.StreamResponse, content: Pieces) -> web.StreamResponse:
    """Send ``reply`` with ``content`` as its body; of a HEAD request the head alone.

    ``content`` is closed at once when the client goes away, so that no file waits for the collector (T58).
    """
    async with aclosing(content):
        if request.method == "HEAD":
            await reply.prepare(request)
            return reply
        first = await anext(content, b"")
        await reply.prepare(request)
        await reply.write(first)
        async for piece in content:
            await reply.write(piece)
    await reply.write_eof()
    return reply


async def respond(
    request: web.Request,
    inner_type: str,
    parts: AsyncGenerator[Part, None],
    headers: Mapping[str, str],
    status: int = 200,
) -> web.StreamResponse:
    """Send ``parts`` as they come. ``inner_type``: their common media type without parameters."""
    boundary = new_boundary()
    described = _described(inner_type, boundary)
    reply = web.StreamResponse(status=status, headers=headers)
    reply.headers["Content-Type"] = described
    return await send(request, reply, _body(boundary, parts))


async def send_whole(request: web.Request, reply: web.StreamResponse, pieces: Sequence[bytes]) -> web.StreamResponse:
    """Send ``reply`` with a body that is in memory, its length told, without joining what was read from a file."""
    reply.content_length = sum(map(len, pieces))
    writer = await reply.prepare(request)
    if writer is not None and request.method != "HEAD":
        # Apart from the body, because together they would be copied into one.
        writer.send_headers()
        for piece in pieces:
            await writer.write(piece, drain=False)  # type: ignore[call-arg]  # only the interface lacks it
    await reply.write_eof()
    return reply


def wrapped(
    inner_type: str, part_type: str, body: bytes, location: str, headers: Mapping[str, str]
) -> tuple[web.StreamResponse, list[bytes]]:
    """A single part that is in memory, for :func:`send_whole`."""
    boundary = new_boundary()
    reply = web.StreamResponse(headers={**headers, "Content-Type": _described(inner_type, boundary)})
    return reply, [_opening(f"--{boundary}", part_type, location), body, f"\r\n--{boundary}--\r\n".encode()]


def _described(inner_type: str, boundary: str) -> str:
    return f'multipart/related; type="{inner_type}"; boundary={boundary}'


def _opening(delimiter: str, content_type: str, location: str) -> bytes:
    return f"{delimiter}\r\nContent-Type: {content_type}\r\nContent-Location: {location}\r\n\r\n".encode()


async def _body(boundary: str, parts: AsyncGenerator[Part, None]) -> Pieces:
    delimiter = f"--{boundary}"
    async with aclosing(parts):
        async for part in parts:
            opening = _opening(delimiter, part.content_type, part.location)
            # One piece with the first of the content: see the module's second sentence.
            async with aclosing(part.content) as content:
                yield opening + await anext(content, b"")
                async for piece in content:
                    yield piece
            delimiter = f"\r\n--{boundary}"
    yield f"{delimiter}--\r\n".encode()
