"""The store service, STOW-RS (PS3.18 section 10.5): POST /studies and POST /studies/{study}.

Every instance stands for itself: one that cannot be stored is answered with its reason and the rest goes on. An
instance is answered as stored only when its bytes and its index row are durable.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from imaging.archive import Archive
from imaging.dicom.reading import is_usable_uid
from imaging.dicom.remarks import Refusal, RefusedAs, Unreadable
from imaging.dicomweb import stow_answer
from imaging.dicomweb.http import ROOT, Door, accept_of
from imaging.dicomweb.negotiation import DICOM_JSON, Offer, choose
from imaging.dicomweb.parts import Part, check_body, parts
from imaging.dicomweb.spooling import spool
from imaging.errors import BadStudyUid, BrokenMultipart, MayNotStore, NothingSent, TooManyParts, TryLater
from imaging.guard import Access, Guard
from imaging.store.ingest import Outcome, refused
from imaging.store.uploads import OpenUpload, open_upload

# Instances of one request that are examined and committed while the next arrive.
IN_FLIGHT: Final = 8
_OFFERS: Final = (Offer(DICOM_JSON), Offer("application/json"))
_TRY_LATER: Final = frozenset({RefusedAs.INDEX_AWAY, RefusedAs.DISK_FULL, RefusedAs.DISK_FAILS})
# Of a broken request, as many stored instances are named in the error; the count is exact.
_NAMED_LIMIT: Final = 1000


def routes(archive: Archive, guard: Guard, prefix: str = ROOT, public_url: str | None = None) -> list[web.RouteDef]:
    """The store service under ``prefix``; a ``{owner}`` in it narrows the caller to that hospital.

    public_url: scheme and host that Retrieve URLs begin with; None: those of the request.
    """
    door = Door(archive, guard, public_url)

    async def store(request: web.Request) -> web.StreamResponse:
        return await _store(door, request)

    return [web.post(f"{prefix}/studies", store), web.post(f"{prefix}/studies/{{study}}", store)]


async def _store(door: Door, request: web.Request) -> web.StreamResponse:
    """Needs an Access with store_as. Audited as ``study.store``, once for each study, before the answer."""
    access = await door.access(request)
    if access.store_as is None:
        raise MayNotStore("Sign in as a hospital or doctor that may store studies here.")
    study = request.match_info.get("study")
    if study is not None and not is_usable_uid(study):
        raise BadStudyUid("Give the Study Instance UID as letters, digits, dots and hyphens, at most 64.")
    offer = choose(accept_of(request), _OFFERS)
    check_body(request)
    outcomes, broken = await _received(door.archive, access, access.store_as, request, study)
    await _record(door.guard, request, access, outcomes)
    for study_id in _studies(outcome for outcome in outcomes if outcome.kind == "stored"):
        await door.archive.on_stored(study_id)
    if broken is not None:
        raise type(broken)(broken.detail, **_facts(outcomes))
    return _answer(outcomes, door.root(request), offer.media_type)


async def _received(
    archive: Archive, access: Access, owner: str, request: web.Request, study: str | None
) -> tuple[list[Outcome], BrokenMultipart | TooManyParts | None]:
    """What became of each instance, and what ended the request early if anything did."""
    async with open_upload(archive.database, archive.clock, owner) as upload:
        intake = _Intake(archive, access, study, upload)
        try:
            async for part in parts(request):
                await intake.take(part)
        except (BrokenMultipart, TooManyParts) as broken:
            return await intake.outcomes(), broken
        return await intake.outcomes(), None


class _Intake:
    """Spools one instance after the other while those before it are being stored."""

    def __init__(self, archive: Archive, access: Access, study: str | None, upload: OpenUpload) -> None:
        self._archive = archive
        self._access = access
        self._study = study
        self._upload = upload
        self._free = asyncio.Semaphore(IN_FLIGHT)
        self._tasks: list[asyncio.Task[Outcome]] = []

    async def take(self, part: Part) -> None:
        """Raises BrokenMultipart (the body ends inside this part) and TooManyParts."""
        if len(self._tasks) == self._archive.limits.max_request_parts:
            raise TooManyParts(f"Send at most {len(self._tasks)} instances in one request.")
        await self._free.acquire()
        try:
            path = await self._spooled(part)
        except Unreadable as error:
            self._add(_refused(error.why))
        else:
            self._add(self._archive.ingest.store(self._access, path, expected_study_uid=self._study))

    async def outcomes(self) -> list[Outcome]:
        """In the order in which the instances came, when all of them are settled."""
        return await asyncio.gather(*self._tasks)

    async def _spooled(self, part: Part) -> Path:
        """Where the part's bytes lie now. Raises Unreadable, the part read to its end, and BrokenMultipart."""
        path = await self._archive.blobs.spool()
        try:
            await self._spool(part, path)
        except (Unreadable, BrokenMultipart):
            await asyncio.to_thread(path.unlink, missing_ok=True)
            async for _ in part.pieces:
                pass
            raise
        return path

    async def _spool(self, part: Part, path: Path) -> None:
        if not part.is_dicom:
            raise Unreadable(RefusedAs.WRONG_CONTENT_TYPE)
        await spool(part.pieces, path, self._archive.limits.max_part_bytes, self._upload)

    def _add(self, work: Coroutine[None, None, Outcome]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._free.release())
        self._tasks.append(task)


async def _refused(why: RefusedAs) -> Outcome:
    return refused(Refusal(why))


async def _record(guard: Guard, request: web.Request, access: Access, outcomes: Sequence[Outcome]) -> None:
    for study_id in _studies(outcomes) or (None,):
        await guard.record(request, access, "study.store", study_id)


def _studies(outcomes: Iterable[Outcome]) -> list[str]:
    """The keys of the studies they belong to, each once."""
    return list(dict.fromkeys(outcome.study_id for outcome in outcomes if outcome.study_id is not None))


def _facts(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """What was stored before a request broke off, so that the sender need not guess."""
    stored = [outcome.sop_instance_uid for outcome in outcomes if outcome.is_success]
    return {
        "stored_count": len(stored),
        "failed_count": len(outcomes) - len(stored),
        "stored_sop_instance_uids": stored[:_NAMED_LIMIT],
    }


def _answer(outcomes: Sequence[Outcome], root: str, media_type: str) -> web.Response:
    if not outcomes:
        raise NothingSent("Send at least one instance.")
    if all(outcome.word in _TRY_LATER for outcome in outcomes):
        raise TryLater(outcomes[0].detail)
    warning = stow_answer.warning(outcomes)
    return web.Response(
        status=stow_answer.status(outcomes),
        body=msgspec.json.encode(stow_answer.body(outcomes, root)),
        content_type=media_type,
        headers={"Cache-Control": "no-store", **({"Warning": warning} if warning else {})},
    )
