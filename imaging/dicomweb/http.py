"""What every retrieve service does with a request: who asks, under which root, which study, changed or not."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from foundation.errors import RangeNotSatisfiable
from imaging.archive import Archive
from imaging.guard import Access, Guard, at_hospital
from imaging.store.catalog import NoSuchInstance, NoSuchSeries
from imaging.store.rows import InstanceRow, StudyRow

ROOT: Final = "/dicom-web"
WARNING_LIMIT_BYTES: Final = 1024
_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class Door:
    """public_url: scheme and host that addresses in answers begin with; None: those of the request itself."""

    archive: Archive
    guard: Guard
    public_url: str | None = None

    async def access(self, request: web.Request) -> Access:
        """Who asks, narrowed where the path names a hospital."""
        access = await self.guard.access(request)
        owner = request.match_info.get("owner")
        return access if owner is None else at_hospital(access, owner)

    async def instances(self, request: web.Request) -> list[InstanceRow]:
        """What the path names, in reading order, never empty; the viewing of its study recorded.

        Raises NoSuchStudy, AmbiguousStudy, NoSuchSeries, NoSuchInstance.
        """
        if "instance" in request.match_info:
            return [await self.instance(request)]
        return await self.instances_of(request, await self.study(request))

    async def study(self, request: web.Request) -> StudyRow:
        """The study that the path names, its viewing recorded. Raises NoSuchStudy, AmbiguousStudy."""
        access = await self.access(request)
        study = await self.archive.catalog.find_study(access, request.match_info["study"])
        await self.guard.record(request, access, "study.view", study.id)
        return study

    async def instances_of(self, request: web.Request, study: StudyRow) -> list[InstanceRow]:
        """Those of ``study`` that the path names, never empty. Raises NoSuchSeries."""
        found = await self.archive.catalog.instances_of(study.id, request.match_info.get("series"))
        if not found:
            raise NoSuchSeries("No such series in this study.")
        return found

    async def instance(self, request: web.Request) -> InstanceRow:
        """The one instance that the path names, the viewing of its study recorded. Raises as :meth:`instances`."""
        access, named = await self.access(request), request.match_info
        study_id, row = await self.archive.catalog.locate(access, named["study"], named["series"], named["instance"])
        await self.guard.record(request, access, "study.view", study_id)
        if row is None:
            raise NoSuchInstance("No such instance in this study and series.")
        return row

    def address(self, request: web.Request, row: InstanceRow) -> str:
        """The absolute address of an instance of the study that the path names, under the root the request came by."""
        series = f"{self.root(request)}/studies/{request.match_info['study']}/series/{row.series_instance_uid}"
        return f"{series}/instances/{row.sop_instance_uid}"

    def root(self, request: web.Request, owner: str | None = None) -> str:
        """The absolute service root the request came by, or that of ``owner``'s holdings."""
        base = (self.public_url or f"{request.scheme}://{request.host}").rstrip("/") + ROOT
        owner = owner or request.match_info.get("owner")
        return base if owner is None else f"{base}/hospitals/{owner}"


def accept_of(request: web.Request) -> str | None:
    """The Accept header, or the query parameter that stands in for it (PS3.18 section 8.3.3.1)."""
    asked = request.query.getall("accept", request.headers.getall("Accept", []))
    return ", ".join(asked) or None


def etag_of(parts: Iterable[str]) -> str:
    """From content, so that every server says the same: a hash over whatever the answer's bytes depend on."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]


def cached_headers(etag: str) -> dict[str, str]:
    """For answers to one caller alone that are worth keeping, but not without asking again."""
    return {
        "ETag": f'"{etag}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Accept-Encoding, Authorization, Cookie",
        "X-Content-Type-Options": "nosniff",
    }


def warnings(words: Iterable[str]) -> str | None:
    """A Warning header of stable words, each once: ASCII, at most WARNING_LIMIT_BYTES, never text from a file."""
    values = [f'299 archive "{word}"' for word in dict.fromkeys(words)]
    while len(", ".join(values)) > WARNING_LIMIT_BYTES:
        values.pop()
    return ", ".join(values) or None


def refuse_unchanged(request: web.Request, etag: str) -> None:
    """Raises 304 when the caller holds this version already (RFC 9110 section 13.1.2)."""
    held = request.headers.get("If-None-Match", "")
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in held.split(",")}
    if etag in tags or "*" in tags:
        raise web.HTTPNotModified(headers=cached_headers(etag))


@dataclass(frozen=True, slots=True)
class Slice:
    """Which bytes to send of ``total``: status 206 where the caller asked for a part."""

    start: int
    length: int
    total: int
    partial: bool

    @property
    def status(self) -> int:
        return 206 if self.partial else 200

    @property
    def headers(self) -> dict[str, str]:
        described = {"Accept-Ranges": "bytes"}
        if self.partial:
            described["Content-Range"] = f"bytes {self.start}-{self.start + self.length - 1}/{self.total}"
        return described


def slice_of(request: web.Request, total: int, etag: str) -> Slice:
    """The Range header applied (RFC 9110 section 14.2). Several ranges or a stale If-Range: all of it, as allowed.

    Raises RangeNotSatisfiable (416).
    """
    whole = Slice(0, total, total, partial=False)
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    stale = request.headers.get("If-Range", f'"{etag}"') != f'"{etag}"'
    if asked is None or stale or asked[0] == "bytes=-":
        return whole
    if not asked[1]:
        length = min(int(asked[2]), total)
        start = total - length
    else:
        start = int(asked[1])
        length = min(int(asked[2] or total), total - 1) - start + 1
    if start >= total or length < 1:
        raise RangeNotSatisfiable(f"The content has {total} bytes.")
    return Slice(start, length, total, partial=True)
