"""The platform as a vendor sees it: token, manifest, DICOMweb, results. Nothing else is fetched, nowhere else."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from pydicom import Dataset, dcmread

log = logging.getLogger(__name__)

T = TypeVar("T")

# Native pixels, so that no codec is needed: Explicit VR Little Endian.
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1'
RETRY_SECONDS = (0.5, 2.0, 5.0, 15.0)
TIMEOUT = aiohttp.ClientTimeout(total=300, sock_read=60)
LARGEST_ANSWER_BYTES = 1 << 30
_WORTH_RETRYING = frozenset({408, 425, 429})


class Refused(Exception):
    """The platform says no, for good."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"the platform answered {status} {code}".strip())
        self.status = status


class Unreachable(Exception):
    """No usable answer after every retry."""


@dataclass(frozen=True, slots=True)
class Job:
    """Addresses from the event."""

    uid: str
    token_url: str
    manifest_url: str
    results_url: str


class Platform:
    """Calls with ``session`` (made with :data:`TIMEOUT`) to addresses under ``base_url`` only, whoever names others.

    key: the endpoint key. pauses: seconds before each repetition.
    """

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, key: str, pauses: Sequence[float] = RETRY_SECONDS
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._key = key
        self._pauses = pauses

    async def token(self, job: Job) -> str:
        answer = await self._retried(lambda: self._json("POST", job.token_url, self._key))
        return str(answer["access_token"])

    async def manifest(self, job: Job, token: str) -> dict[str, Any]:
        return await self._retried(lambda: self._json("GET", job.manifest_url, token))

    async def post_result(self, job: Job, token: str, document: dict[str, Any]) -> None:
        """Safe to repeat: the event id is the Idempotency-Key."""
        headers = {"Idempotency-Key": str(document["eventId"])}
        await self._retried(lambda: self._json("POST", job.results_url, token, json=document, headers=headers))

    async def images(self, url: str, token: str) -> list[Dataset]:
        """What a series or instance address holds, native. Raises ``Refused`` (406: not to be had in this form)."""
        return await self._retried(lambda: self._images(url, token))

    async def _images(self, url: str, token: str) -> list[Dataset]:
        async with self._asked("GET", url, token, headers={"Accept": ACCEPT}) as response:
            bodies = [body async for body in _parts(response)]
        # Parsing takes longer than fetching: it must not hold up the event loop.
        return await asyncio.to_thread(lambda: [dcmread(io.BytesIO(body)) for body in bodies])

    async def _json(self, method: str, url: str, bearer: str, **more: Any) -> dict[str, Any]:
        async with self._asked(method, url, bearer, **more) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    @asynccontextmanager
    async def _asked(
        self, method: str, url: str, bearer: str, headers: dict[str, str] | None = None, **more: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if not url.startswith(self._base_url + "/"):
            raise Refused(0, "for an address outside the platform")
        headers = {"Authorization": f"Bearer {bearer}", **(headers or {})}
        async with self._session.request(method, url, headers=headers, allow_redirects=False, **more) as response:
            await _check(response)
            yield response

    async def _retried(self, once: Callable[[], Awaitable[T]]) -> T:
        for pause in (*self._pauses, None):
            try:
                return await once()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if pause is None:
                    raise Unreachable(f"no usable answer ({type(error).__name__})") from error
                await asyncio.sleep(pause)
        raise AssertionError("the last round returns or raises")


async def _check(response: aiohttp.ClientResponse) -> None:
    if response.status < 300:
        return
    if response.status >= 500 or response.status in _WORTH_RETRYING:
        raise aiohttp.ClientResponseError(response.request_info, (), status=response.status)
    raise Refused(response.status, await _code(response))


async def _code(response: aiohttp.ClientResponse) -> str:
    """The stable code of a problem document (RFC 9457)."""
    if not response.content_type.endswith("json"):
        return ""
    problem = await response.json(content_type=None)
    return str(problem.get("code", "")) if isinstance(problem, dict) else ""


async def _parts(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The bodies of a multipart/related answer (PS3.18 8.7.1)."""
    reader = aiohttp.MultipartReader.from_response(response)
    total = 0
    while (part := await reader.next()) is not None:
        if not isinstance(part, aiohttp.BodyPartReader):
            continue
        body = bytes(await part.read())
        total += len(body)
        if total > LARGEST_ANSWER_BYTES:
            raise Refused(0, "with more than this reviewer can hold")
        yield body
