"""A lean HTTP/1.1 client: blocking sockets in threads, so that what is measured is the server.

Every reply is checked for its status and length, and for its content as far as :data:`HEAD_BYTES`; every
:data:`WHOLE_EVERY`-th is read and compared whole. Of the others the kernel throws the rest away without copying it:
copying and comparing half a megabyte costs this client more than nginx needs to send it.
"""

import ctypes
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

BUFFER_BYTES = 4 << 20
HEAD_BYTES = 64 << 10
WHOLE_EVERY = 7
_compare = ctypes.CDLL(None).memcmp
_compare.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)


class WrongReply(RuntimeError):
    """A server said something else than it should have; the run is worthless."""


class Reply:
    """A reply in its connection's buffer: good until the next request on it."""

    def __init__(
        self, status: int, head: bytes, buffer: bytearray, start: int, end: int, *, known: int | None = None
    ) -> None:
        self.status, self.head, self._buffer, self.start, self.end = status, head, buffer, start, end
        # Up to where the buffer holds what came; beyond it only the length is known.
        self._known = end if known is None else known

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def body(self) -> bytes:
        return bytes(memoryview(self._buffer)[self.start : self.end])

    def holds(self, expected: bytes) -> bool:
        """Is ``expected`` the whole body, or the whole content of its first part, as far as it was read?"""
        start = self.start
        if b"multipart/" in self.head:
            start = self._buffer.find(b"\r\n\r\n", start, self.end) + 4
        elif len(self) != len(expected):
            return False
        if self.end - start < len(expected):
            return False
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._buffer, start))
        return _compare(address, expected, min(len(expected), self._known - start)) == 0


Check = Callable[[Reply], bool]


@dataclass(frozen=True)
class Ask:
    """One request; ``check`` says whether the reply is right. sampled: it looks at the reply with ``holds`` alone."""

    path: str
    check: Check
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    sampled: bool = False


class Connection:
    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(base_url)
        self._root = parts.path
        self._headers = {"Host": parts.netloc, **headers}
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(BUFFER_BYTES)
        self._asked = 0

    def close(self) -> None:
        self._socket.close()

    def ask(self, ask: Ask) -> Reply:
        self.send(ask)
        self._asked += 1
        reply = self._read(whole=not ask.sampled or self._asked % WHOLE_EVERY == 0)
        if not ask.check(reply):
            raise WrongReply(f"{ask.method} {ask.path}: {reply.status}, {len(reply)} bytes, {reply.body[:300]!r}")
        return reply

    def send(self, ask: Ask) -> None:
        headers = {**self._headers, **ask.headers}
        if ask.body:
            headers["Content-Length"] = str(len(ask.body))
        lines = [
            f"{ask.method} {self._root}{ask.path} HTTP/1.1",
            *(f"{key}: {value}" for key, value in headers.items()),
        ]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._socket.sendall(head)
        if ask.body:
            self._socket.sendall(ask.body)

    def _read(self, *, whole: bool) -> Reply:
        got = 0
        while (end := self._buffer.find(b"\r\n\r\n", 0, got)) < 0:
            got = self._more(got)
        head = bytes(self._buffer[: end + 2])
        status = int(head[9:12])
        lowered = head.lower()
        if b"\r\ntransfer-encoding: chunked" in lowered:
            return self._chunked(status, head, end + 4, got)
        _, found, rest = lowered.partition(b"\r\ncontent-length:")
        end_of_body = end + 4 + (int(rest.split(b"\r\n", 1)[0]) if found else 0)
        known = end_of_body if whole else min(max(got, HEAD_BYTES), end_of_body)
        got = self._until(known, got)
        self._pass(end_of_body - got)
        return Reply(status, head, self._buffer, end + 4, end_of_body, known=known)

    def _chunked(self, status: int, head: bytes, start: int, got: int) -> Reply:
        """The chunks are moved together where they lie."""
        at = end = start
        while True:
            while (line := self._buffer.find(b"\r\n", at, got)) < 0:
                got = self._more(got)
            size = int(self._buffer[at:line].split(b";")[0], 16)
            first = line + 2
            got = self._until(first + size + 2, got)
            if size == 0:
                return Reply(status, head, self._buffer, start, end)
            self._buffer[end : end + size] = self._buffer[first : first + size]
            end, at = end + size, first + size + 2

    def _until(self, end: int, got: int) -> int:
        if end > len(self._buffer):
            self._buffer.extend(bytes(end - len(self._buffer)))
        while got < end:
            count = self._socket.recv_into(memoryview(self._buffer)[got:end], 0, socket.MSG_WAITALL)
            if not count:
                raise WrongReply("the connection ended within a reply")
            got += count
        return got

    def _pass(self, count: int) -> None:
        """Take so many bytes without copying them (tcp(7), MSG_TRUNC)."""
        while count > 0:
            passed = self._socket.recv_into(self._buffer, min(count, len(self._buffer)), socket.MSG_TRUNC)
            if not passed:
                raise WrongReply("the connection ended within a reply")
            count -= passed

    def _more(self, got: int) -> int:
        count = self._socket.recv_into(memoryview(self._buffer)[got : got + HEAD_BYTES])
        if not count:
            raise WrongReply("the connection ended before a reply")
        return got + count


@dataclass(frozen=True)
class Driven:
    """What a load came to. seconds: of the wall clock; times: of each reply, in seconds, unordered."""

    seconds: float
    times: list[float]

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    @property
    def median_ms(self) -> float:
        return sorted(self.times)[len(self.times) // 2] * 1000


def drive(
    base_url: str, headers: Mapping[str, str], asks: Sequence[Ask], connections: int, seconds: float | None = None
) -> Driven:
    """Ask over so many connections: everything once, or over and over for ``seconds``. Raises WrongReply."""
    source: Iterator[Ask] = iter(asks) if seconds is None else itertools.cycle(asks)
    guard, times, errors = threading.Lock(), list[float](), list[Exception]()
    opened = [Connection(base_url, headers) for _ in range(connections)]
    started = time.perf_counter()
    end = float("inf") if seconds is None else started + seconds

    def work(connection: Connection) -> None:
        while not errors:
            with guard:
                ask = next(source, None)
            before = time.perf_counter()
            if ask is None or before > end:
                return
            try:
                connection.ask(ask)
            except Exception as error:
                errors.append(error)
                return
            times.append(time.perf_counter() - before)

    threads = [threading.Thread(target=work, args=(connection,)) for connection in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - started
    for connection in opened:
        connection.close()
    if errors:
        raise errors[0]
    return Driven(taken, times)
