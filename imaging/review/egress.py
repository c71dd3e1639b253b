"""What leaves for a job: its images and their metadata over WADO-RS, under the endpoint's own UIDs, de-identified.

A job token opens nothing else: the archive's own door (/dicom-web) does not know it.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.errors import NotAcceptable, Unprocessable
from imaging.archive import Archive
from imaging.dicom.outgoing import deidentified_metadata, write_deidentified
from imaging.dicomweb import multipart
from imaging.dicomweb.multipart import Part, Pieces
from imaging.dicomweb.negotiation import DICOM, DICOM_JSON, EXPLICIT_LITTLE_ENDIAN, Offer, choose
from imaging.review.manifest import thawed
from imaging.review.outside import Outside, View
from imaging.review.tables import ReviewDecision, ReviewEndpoint, ReviewJob
from imaging.store.catalog import NoSuchInstance, NoSuchSeries, NoSuchStudy
from imaging.store.rows import InstanceRow
from imaging.store.tables import Study

STUDY: Final = "/ai/jobs/{job_uid}/dicom-web/studies/{study}"
PATHS: Final = (STUDY, STUDY + "/series/{series}", STUDY + "/series/{series}/instances/{instance}")
_PIECE_BYTES: Final = 256 * 1024
_METADATA: Final = (Offer(DICOM_JSON), Offer("application/json"))


@dataclass(frozen=True, slots=True)
class Sight:
    """A job's study and the endpoint's view of it."""

    job: ReviewJob
    study: Study
    view: View


async def sight_of(session: AsyncSession, job: ReviewJob, outside: Outside) -> Sight:
    decision = await session.get_one(ReviewDecision, job.decision_key)
    endpoint = await session.get_one(ReviewEndpoint, job.endpoint_key)
    study = await session.get_one(Study, job.study_key)
    return Sight(job, study, outside.view(endpoint.id, endpoint.deid, study.id, thawed(decision.manifest)))


class Egress:
    """Answers for one request after the other; ``sight`` says whose and which study."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def images(self, request: web.Request, sight: Sight) -> web.StreamResponse:
        """Files in Explicit VR Little Endian, or as stored (``transfer-syntax=*``).

        Of several, those that may not leave after all are left out; one alone is refused by name.
        Raises NoSuchStudy, NoSuchSeries, NoSuchInstance, NothingAcceptable.
        """
        rows = await self._rows(request, sight)
        alone = "instance" in request.match_info
        chosen = choose(request.headers.get("Accept"), _offers(alone=alone))
        if not alone:
            return await multipart.respond(request, DICOM, self._parts(request, sight, rows, chosen), _NOT_KEPT)
        path, syntax = await self._written(rows[0], sight, native=not chosen.stored)
        offer = Offer(DICOM, syntax)
        if chosen.multipart:
            return await multipart.respond(request, DICOM, _single(offer, path, str(request.url)), _NOT_KEPT)
        reply = web.StreamResponse(headers={**_NOT_KEPT, "Content-Type": offer.part_type})
        return await multipart.send(request, reply, _pieces(path))

    async def metadata(self, request: web.Request, sight: Sight) -> web.StreamResponse:
        """The same as DICOM JSON, without pixels."""
        choose(request.headers.get("Accept"), _METADATA)
        found = []
        for row in await self._rows(request, sight):
            try:
                found.append(await self._metadata(row, sight))
            except Unprocessable:
                if "instance" in request.match_info:
                    raise
        return web.Response(body=msgspec.json.encode(found), content_type=DICOM_JSON, headers=_NOT_KEPT)

    async def _rows(self, request: web.Request, sight: Sight) -> list[InstanceRow]:
        """What the address names, as the archive knows it; only what the job's manifest covers."""
        if request.match_info["study"] != sight.view.study_uid(sight.study.study_instance_uid):
            raise NoSuchStudy("Take the addresses from the job's manifest.")
        real = sight.view.real_uids()
        series, instance = (request.match_info.get(name) for name in ("series", "instance"))
        if series is not None and series not in real:
            raise NoSuchSeries("Take the addresses from the job's manifest.")
        covered = set(real.values())
        rows = [
            row
            for row in await self._archive.catalog.instances_of(sight.study.id, real[series] if series else None)
            if row.sop_instance_uid in covered and instance in {None, sight.view.study_uid(row.sop_instance_uid)}
        ]
        if not rows:
            raise NoSuchInstance("Take the addresses from the job's manifest.")
        return rows

    async def _parts(
        self, request: web.Request, sight: Sight, rows: list[InstanceRow], chosen: Offer
    ) -> AsyncGenerator[Part, None]:
        root = str(request.url.origin()) + STUDY.format(
            job_uid=sight.job.job_uid, study=sight.view.study_uid(sight.study.study_instance_uid)
        )
        uid = sight.view.study_uid
        for row in rows:
            try:
                path, syntax = await self._written(row, sight, native=not chosen.stored)
            except (Unprocessable, NotAcceptable):
                continue
            address = f"{root}/series/{uid(row.series_instance_uid)}/instances/{uid(row.sop_instance_uid)}"
            yield Part(Offer(DICOM, syntax).part_type, _pieces(path), address)

    async def _written(self, row: InstanceRow, sight: Sight, *, native: bool) -> tuple[Path, str]:
        blobs, layout = self._archive.blobs, await self._archive.catalog.layout(row.id)
        source, target = await blobs.local_path(row.blob_key), await blobs.spool()
        write = partial(write_deidentified, native=native)
        try:
            syntax = await self._archive.workers.run(
                write, source, target, row.transfer_syntax_uid, layout, sight.view.disguise
            )
        except BaseException:
            await asyncio.to_thread(target.unlink, missing_ok=True)
            raise
        return target, syntax

    async def _metadata(self, row: InstanceRow, sight: Sight) -> dict[str, object]:
        layout = await self._archive.catalog.layout(row.id)
        path = await self._archive.blobs.local_path(row.blob_key)
        return await self._archive.workers.run(deidentified_metadata, path, layout, sight.view.disguise)


# Of one job only: neither the vendor's proxy nor a browser keeps it.
_NOT_KEPT: Final = {"Cache-Control": "no-store"}


def _offers(*, alone: bool) -> list[Offer]:
    return [
        Offer(DICOM, syntax, multipart=wrapped, stored=stored)
        for wrapped in ((True, False) if alone else (True,))
        for syntax, stored in ((EXPLICIT_LITTLE_ENDIAN, False), ("", True))
    ]


async def _single(offer: Offer, path: Path, address: str) -> AsyncGenerator[Part, None]:
    yield Part(offer.part_type, _pieces(path), address)


async def _pieces(path: Path) -> Pieces:
    """The file in pieces; it is gone afterwards, also when nobody reads on."""
    try:
        size, at = (await asyncio.to_thread(path.stat)).st_size, 0
        while at < size:
            piece = await asyncio.to_thread(_read, path, at)
            yield piece
            at += len(piece)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _read(path: Path, start: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(_PIECE_BYTES)
