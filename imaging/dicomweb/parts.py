"""The instances of a store request, one after the other as they arrive, never whole in memory (PS3.18 10.5.1)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import BodyPartReader, MultipartReader, hdrs, web
from aiohttp.helpers import parse_mimetype
from aiohttp.http_exceptions import HttpProcessingError

from imaging.errors import BrokenMultipart, EncodedUpload, NotDicomUpload

PIECE_BYTES: Final = 256 * 1024
DICOM: Final = "application/dicom"
# What aiohttp's reader raises for a body that is not what its headers say, or whose sender has gone.
_DAMAGED: Final = (ValueError, AssertionError, HttpProcessingError, web.PayloadAccessError, OSError, EOFError)
_PLAIN_ENCODINGS: Final = frozenset({"", "identity", "binary", "8bit", "7bit"})


@dataclass(frozen=True, slots=True)
class Part:
    """One instance under way. is_dicom: its headers promise a plain DICOM file; read or not, it can be skipped."""

    is_dicom: bool
    pieces: AsyncIterator[bytes]


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
        yield Part(True, _guarded(request.content.iter_chunked(PIECE_BYTES)))
        return
    try:
        body = _Multipart(await request.multipart())
    except ValueError as error:
        raise BrokenMultipart("Give the boundary of the multipart body in its Content-Type.") from error
    async for part in body.parts():
        yield part


class _Multipart:
    def __init__(self, reader: MultipartReader) -> None:
        self._reader = reader
        self._next: MultipartReader | BodyPartReader | None = None

    async def parts(self) -> AsyncIterator[Part]:
        await self._advance()
        while (part := self._next) is not None:
            yield Part(_is_dicom(part), _guarded(self._pieces(part)))

    async def _pieces(self, part: MultipartReader | BodyPartReader) -> AsyncIterator[bytes]:
        """The part is whole only when a boundary ends it, so its pieces end with the start of the next."""
        if isinstance(part, BodyPartReader):
            while piece := await part.read_chunk(PIECE_BYTES):
                yield piece
        await self._advance()

    async def _advance(self) -> None:
        with _breaking():
            self._next = await self._reader.next()


async def _guarded(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    with _breaking():
        async for piece in pieces:
            yield piece


@contextmanager
def _breaking() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise BrokenMultipart("The body ends, or changes its form, inside or after an instance.") from error


def _is_dicom(part: MultipartReader | BodyPartReader) -> bool:
    media_type = part.headers.get(hdrs.CONTENT_TYPE, DICOM).partition(";")[0].strip().lower()
    encodings = (part.headers.get(name, "").lower() for name in (hdrs.CONTENT_ENCODING, hdrs.CONTENT_TRANSFER_ENCODING))
    return media_type == DICOM and all(encoding in _PLAIN_ENCODINGS for encoding in encodings)
