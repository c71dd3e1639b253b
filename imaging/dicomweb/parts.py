"""The instances of a store request, one after the other as they arrive, never whole in memory (PS3.18 10.5.1)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import StreamReader, hdrs, web
from aiohttp.helpers import parse_mimetype
from aiohttp.http_exceptions import HttpProcessingError

from imaging.dicomweb.splitter import Event, Head, Splitter
from imaging.errors import BrokenMultipart, EncodedUpload, NotDicomUpload

DICOM: Final = "application/dicom"
# What aiohttp's reader raises for a body that is not what its headers say, or whose sender has gone.
_DAMAGED: Final = (ValueError, HttpProcessingError, web.PayloadAccessError, OSError, EOFError)
_PLAIN_ENCODINGS: Final = frozenset({"", "identity", "binary", "8bit", "7bit"})

Piece = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Part:
    """One instance under way. is_dicom: its headers promise a plain DICOM file; read or not, it can be skipped."""

    is_dicom: bool
    pieces: AsyncIterator[Piece]


def check_body(request: web.Request) -> None:
    """Refuse what cannot be a store request before any of it is read. Raises EncodedUpload, NotDicomUpload."""
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise EncodedUpload("Send the instances as they are; compressed bodies are not taken.")
    if request.content_type not in {DICOM, "multipart/related"}:
        raise NotDicomUpload("Send application/dicom, or multipart/related with type application/dicom.")
    inner = parse_mimetype(request.headers[hdrs.CONTENT_TYPE]).parameters.get("type", DICOM)
    if inner.split(";")[0].strip().lower() != DICOM:
        raise NotDicomUpload("Of multipart/related only type application/dicom is taken, not metadata with bulk data.")


async def parts(request: web.Request) -> AsyncIterator[Part]:
    """The request's instances in order; read each to its end before the next is asked for.

    Raises BrokenMultipart, here or from a part's pieces, when the body cannot be read on.
    """
    if request.content_type == DICOM:
        yield Part(True, _arriving(request.content))
        return
    boundary = parse_mimetype(request.headers[hdrs.CONTENT_TYPE]).parameters.get("boundary", "")
    if not 0 < len(boundary) <= _BOUNDARY_LIMIT:
        raise BrokenMultipart("Give the boundary of the multipart body in its Content-Type.")
    events = _events(request.content, Splitter(boundary.encode()))
    async for event in events:
        # Whatever a part's pieces leave unread is skipped.
        if isinstance(event, Head):
            yield Part(_is_dicom(event.headers), _pieces(event, events))


# RFC 2046 section 5.1.1.
_BOUNDARY_LIMIT: Final = 70


async def _events(content: StreamReader, splitter: Splitter) -> AsyncIterator[Event]:
    async for data in _arriving(content):
        for event in splitter.feed(data):
            yield event
    splitter.finish()


async def _pieces(head: Head, events: AsyncIterator[Event]) -> AsyncIterator[Piece]:
    """The part is whole only when a delimiter ends it and its length is what its head says."""
    size = 0
    async for event in events:
        if event is None:
            break
        assert not isinstance(event, Head)
        size += len(event)
        yield event
    if head.headers.get("content-length", str(size)) != str(size):
        raise BrokenMultipart("The length that an instance's head gives is not the length it has.")


async def _arriving(content: StreamReader) -> AsyncIterator[bytes]:
    with _breaking():
        async for data in content.iter_any():
            yield data


@contextmanager
def _breaking() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise BrokenMultipart("The body ends, or changes its form, inside or after an instance.") from error


def _is_dicom(headers: dict[str, str]) -> bool:
    media_type = headers.get("content-type", DICOM).partition(";")[0].strip().lower()
    encodings = (headers.get(name, "").lower() for name in ("content-encoding", "content-transfer-encoding"))
    return media_type == DICOM and all(encoding in _PLAIN_ENCODINGS for encoding in encodings)
