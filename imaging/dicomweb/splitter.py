"""Cuts a multipart body into its parts while it arrives (RFC 2046 section 5.1.1). Pure, and bounded in memory.

A delimiter is a line of its own: CRLF, ``--``, the boundary, blanks, CRLF, or ``--`` after the boundary for the last.
Bytes that only begin like one are content.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from imaging.errors import BrokenMultipart

# Real heads are a few hundred bytes.
HEAD_LIMIT_BYTES: Final = 16 * 1024
_LINE_END: Final = re.compile(rb"--|[ \t]{0,64}\r\n")
# What may become one with more bytes.
_BEGUN: Final = re.compile(rb"-?|[ \t]{0,64}\r?")
_BROKEN: Final = "The body ends, or changes its form, inside or after an instance."


@dataclass(frozen=True, slots=True)
class Head:
    """A part begins. headers: by name in lower case."""

    headers: dict[str, str]


class _State(Enum):
    PREAMBLE, HEAD, CONTENT, EPILOGUE = range(4)


# A part's head, then its content in any number of pieces, then None: a delimiter has ended it.
Event = Head | memoryview | None


class Splitter:
    """Feed it the body in pieces of any size, then call :meth:`finish`."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        # The start of the body is the start of a line.
        self._rest = b"\r\n"
        self._state = _State.PREAMBLE

    def feed(self, data: bytes) -> Iterator[Event]:
        """What is settled now; take all of it before the next piece. Raises BrokenMultipart for an endless head."""
        buffer, position = self._rest + data, 0
        while self._state is not _State.EPILOGUE:
            if self._state is _State.HEAD:
                end = self._end_of_head(buffer, position)
                if end < 0:
                    break
                yield Head(_headers(buffer[position:end]))
                self._state, position = _State.CONTENT, end + 4
                continue
            end, line = self._delimiter_in(buffer, position)
            if self._state is _State.CONTENT:
                if end > position:
                    yield memoryview(buffer)[position:end]
                if line is not None:
                    yield None
            position = end
            if line is None:
                break
            closes = line.group() == b"--"
            self._state = _State.EPILOGUE if closes else _State.HEAD
            position = line.end() - 2
        self._rest = b"" if self._state is _State.EPILOGUE else buffer[position:]

    def finish(self) -> None:
        """The body has ended. Raises BrokenMultipart unless its last delimiter came."""
        if self._state is not _State.EPILOGUE:
            raise BrokenMultipart(_BROKEN)

    def _end_of_head(self, buffer: bytes, position: int) -> int:
        """Where the blank line begins; the head begins with the CRLF of its delimiter."""
        end = buffer.find(b"\r\n\r\n", position)
        if (len(buffer) if end < 0 else end) - position > HEAD_LIMIT_BYTES:
            raise BrokenMultipart(_BROKEN)
        return end

    def _delimiter_in(self, buffer: bytes, position: int) -> tuple[int, "re.Match[bytes] | None"]:
        """Where the next delimiter begins, and the end of its line; None: up to there it is surely content."""
        while True:
            start = buffer.find(self._delimiter, position)
            if start < 0:
                return max(position, len(buffer) - len(self._delimiter) + 1), None
            after = start + len(self._delimiter)
            line = _LINE_END.match(buffer, after)
            if line is not None or _BEGUN.fullmatch(buffer, after):
                return start, line
            position = start + 1


def _headers(head: bytes) -> dict[str, str]:
    """Raises BrokenMultipart for a line that is no header."""
    headers = {}
    for line in head.decode("utf-8", "replace").replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
        elif line:
            raise BrokenMultipart(_BROKEN)
    return headers
