"""The instances of a store request, one after the other as they arrive, never whole in memory (PS3.18 10.5.1)."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import StreamReader, hdrs, web
from aiohttp.helpers import parse_mimetype
from aiohttp.http_exceptions import HttpProcessingError

from imaging.dicomweb.negotiation import DICOM, DICOM_JSON, DICOM_XML, METADATA_TYPES
from imaging.dicomweb.splitter import Event, Head, Splitter
from imaging.errors import BrokenMultipart, EncodedUpload, NotDicomUpload

# What aiohttp's reader raises for a body that is not what its headers say, or whose sender has gone.
_DAMAGED: Final = (ValueError, HttpProcessingError, web.PayloadAccessError, OSError, EOFError)
_PLAIN_ENCODINGS: Final = frozenset({"", "identity", "binary", "8bit", "7bit"})

Piece = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Part:
    """One instance or bulk value under way; read or not, it can be skipped. headers: by name in lower case."""

    headers: Mapping[str, str]
    pieces: AsyncIterator[Piece]

    @property
    def is_dicom(self) -> bool:
        """Whether the headers promise a plain DICOM file."""
        encodings = (self.headers.get(name, "").lower() for name in ("content-encoding", "content-transfer-encoding"))
        return self.media_type == DICOM and all(encoding in _PLAIN_ENCODINGS for encoding in encodings)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", DICOM).partition(";")[0].strip().lower()

    @property
    def transfer_syntax(self) -> str:
        """Of the content type's parameter, empty without one."""
        return parse_mimetype(self.headers.get("content-type", "")).parameters.get("transfer-syntax", "")

    @property
    def location(self) -> str:
        """The URI that metadata names a bulk value with."""
        return self.headers.get("content-location", "")


def check_body(request: web.Request) -> bool:
    """Whether metadata and bulk data come apart.

    Refuses what cannot be a store request before any of it is read. Raises EncodedUpload, NotDicomUpload.
    """
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise EncodedUpload("Send the instances as they are; compressed bodies are not taken.")
    if request.content_type not in {DICOM, "multipart/related"}:
        raise NotDicomUpload("Send application/dicom, or multipart/related with type application/dicom.")
    inner = parse_mimetype(request.headers[hdrs.CONTENT_TYPE]).parameters.get("type", DICOM)
    inner = inner.split(";")[0].strip().lower()
    if inner != DICOM and inner not in METADATA_TYPES:
        raise NotDicomUpload(f"Give multipart/related the type {DICOM}, {DICOM_JSON} or {DICOM_XML}.")
    return inner in METADATA_TYPES and request.content_type != DICOM


async def parts(request: web.Request) -> AsyncIterator[Part]:
    """The request's instances in order; read each to its end before the next is asked for.

    Raises BrokenMultipart, here or from a part's pieces, when the body cannot be read on.
    """
    if request.content_type == DICOM:
        yield Part({}, _arriving(request.content))
        return
    boundary = parse_mimetype(request.headers[hdrs.CONTENT_TYPE]).parameters.get("boundary", "")
    if not 0 < len(boundary) <= _BOUNDARY_LIMIT:
        raise BrokenMultipart("Give the boundary of the multipart body in its Content-Type.")
    events = _events(request.content, Splitter(boundary.encode()))
    async for event in events:
        # Whatever a part's pieces leave unread is skipped.
        if isinstance(event, Head):
            yield Part(event.headers, _pieces(event, events))


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
