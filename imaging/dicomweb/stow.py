"""The store service, STOW-RS (PS3.18 section 10.5): POST /studies and POST /studies/{study}.

Every instance stands for itself: one that cannot be stored is answered with its reason and the rest goes on. An
instance is answered as stored only when its bytes and its index row are durable.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from aiohttp import web

from imaging.archive import Archive
from imaging.dicom.reading import is_usable_uid
from imaging.dicom.remarks import Refusal, RefusedAs, Unreadable
from imaging.dicom.xml_model import to_xml
from imaging.dicomweb import stow_answer
from imaging.dicomweb.http import ROOT, Door, accept_of
from imaging.dicomweb.negotiation import DICOM_JSON, DICOM_XML, Offer, choose
from imaging.dicomweb.parts import Part, check_body, parts
from imaging.dicomweb.spooling import Receiver
from imaging.dicomweb.stow_metadata import sent_apart
from imaging.errors import BadStudyUid, BrokenMultipart, MayNotStore, NothingSent, TooManyParts, TryLater
from imaging.guard import Access, Guard
from imaging.store.ingest import Outcome, Received, Spooled, refused
from imaging.store.uploads import open_upload

# Instances that are examined, made durable and committed together, and how many such batches of one request wait.
BATCH: Final = 16
BATCHES_IN_FLIGHT: Final = 2
_OFFERS: Final = (Offer(DICOM_JSON), Offer("application/json"), Offer(DICOM_XML))
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
    receive = _received_apart if check_body(request) else _received
    outcomes, broken = await receive(door.archive, access, access.store_as, request, study)
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
        receiver = Receiver(archive.blobs, archive.memory, archive.limits.max_part_bytes, upload)
        intake = _Intake(archive, access, study, receiver)
        ended = None
        try:
            async for part in parts(request):
                await intake.take(part)
        except (BrokenMultipart, TooManyParts) as broken:
            ended = broken
        finally:
            # Also when the request is given up: what came whole is stored and its memory is free again.
            intake.hand_over()
        return await intake.outcomes(), ended


async def _received_apart(
    archive: Archive, access: Access, owner: str, request: web.Request, study: str | None
) -> tuple[list[Outcome], BrokenMultipart | TooManyParts | None]:
    """The same for metadata with bulk data apart."""
    async with open_upload(archive.database, archive.clock, owner) as upload:
        receiver = Receiver(archive.blobs, archive.memory, archive.limits.max_part_bytes, upload)
        async with sent_apart(archive, receiver) as sent:
            try:
                async for part in parts(request):
                    await sent.take(part)
            except (BrokenMultipart, TooManyParts) as broken:
                return [], broken
            return await sent.outcomes(access, study), None


class _Intake:
    """Receives instances in batches; one batch is stored while the next arrives."""

    def __init__(self, archive: Archive, access: Access, study: str | None, receiver: Receiver) -> None:
        self._archive = archive
        self._access = access
        self._study = study
        self._receiver = receiver
        self._free = asyncio.Semaphore(BATCHES_IN_FLIGHT)
        self._batch: list[Received | Refusal] = []
        self._tasks: list[asyncio.Task[list[Outcome]]] = []
        self._count = 0

    async def take(self, part: Part) -> None:
        """Raises BrokenMultipart (the body ends inside this part) and TooManyParts."""
        if self._count == self._archive.limits.max_request_parts:
            raise TooManyParts(f"Send at most {self._count} instances in one request.")
        if not self._batch:
            await self._free.acquire()
        self._batch.append(await self._received(part))
        self._count += 1
        if len(self._batch) == BATCH or isinstance(self._batch[-1], Spooled):
            self.hand_over()

    def hand_over(self) -> None:
        """Begin to store what has been received."""
        batch, self._batch = self._batch, []
        if batch:
            self._tasks.append(asyncio.create_task(self._stored(batch)))

    async def outcomes(self) -> list[Outcome]:
        """In the order in which the instances came, when all of them are settled."""
        return [outcome for batch in await asyncio.gather(*self._tasks) for outcome in batch]

    async def _received(self, part: Part) -> Received | Refusal:
        """The part is read to its end. Raises BrokenMultipart."""
        try:
            if part.is_dicom:
                return await self._receiver.receive(part.pieces)
            refusal = Refusal(RefusedAs.WRONG_CONTENT_TYPE)
        except Unreadable as error:
            refusal = Refusal(error.why)
        async for _ in part.pieces:
            pass
        return refusal

    async def _stored(self, batch: Sequence[Received | Refusal]) -> list[Outcome]:
        received = [each for each in batch if not isinstance(each, Refusal)]
        try:
            stored = iter(await self._archive.ingest.store_all(self._access, received, expected_study_uid=self._study))
            return [refused(each) if isinstance(each, Refusal) else next(stored) for each in batch]
        finally:
            for each in received:
                self._receiver.release(each)
            self._free.release()


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
        body=(to_xml if media_type == DICOM_XML else msgspec.json.encode)(stow_answer.body(outcomes, root)),
        content_type=media_type,
        headers={"Cache-Control": "no-store", **({"Warning": warning} if warning else {})},
    )
