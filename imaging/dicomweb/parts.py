"""The instances of a store request, one after the other as they arrive, never whole in memory (PS3.18 10.5.1)."""

from collections.abc import AsyncIterator
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
        raise NotDicomUpload(
            "Of multipart/related only type application/dicom is taken, not metadata with bulk data."
        )


async def parts(request: web.Request) -> AsyncIterator[Part]:
    """The request's instances in order. Raises BrokenMultipart when the body cannot be read on."""
    if request.content_type == DICOM:
        yield Part(True, _guarded(request.content.iter_chunked(PIECE_BYTES)))
        return
    reader = await _opened(request)
    while (part := await _next(reader)) is not None:
        if isinstance(part, BodyPartReader):
            yield Part(_is_dicom(part), _guarded(_pieces(part)))
        else:
            yield Part(False, _guarded(_drained(part)))


async def _opened(request: web.Request) -> MultipartReader:
    try:
        return await request.multipart()
    except _DAMAGED as error:
        raise BrokenMultipart("Give the boundary of the multipart body in its Content-Type.") from error


async def _next(reader: MultipartReader) -> MultipartReader | BodyPartReader | None:
    try:
        return await reader.next()
    except _DAMAGED as error:
        raise BrokenMultipart("The multipart body ends or changes where a part should begin.") from error


async def _guarded(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    except _DAMAGED as error:
        raise BrokenMultipart("The body ends in the middle of an instance.") from error


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await part.read_chunk(PIECE_BYTES):
        yield piece


async def _drained(part: MultipartReader) -> AsyncIterator[bytes]:
    await part.release()
    return
    yield b""


def _is_dicom(part: BodyPartReader) -> bool:
    media_type = part.headers.get(hdrs.CONTENT_TYPE, DICOM).partition(";")[0].strip().lower()
    encodings = (part.headers.get(name, "").lower() for name in (hdrs.CONTENT_ENCODING, hdrs.CONTENT_TRANSFER_ENCODING))
    return media_type == DICOM and all(encoding in _PLAIN_ENCODINGS for encoding in encodings)
