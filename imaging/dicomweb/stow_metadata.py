"""A store request of metadata with bulk data apart (PS3.18 section 10.5.1.4): put together, then stored as any file.

Metadata names bulk data by URI, and nothing stands for itself before the last part has come: of a request that breaks
off nothing is stored.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from imaging.archive import Archive
from imaging.dicom.assembly import Bulk, assemble, read_models
from imaging.dicom.json_model import JsonDataset
from imaging.dicom.reading import is_usable_uid
from imaging.dicom.remarks import Refusal, RefusedAs, Remark, Unreadable, warning_reason
from imaging.dicomweb.negotiation import DICOM_XML, METADATA_TYPES
from imaging.dicomweb.parts import Part
from imaging.dicomweb.spooling import Receiver
from imaging.errors import TooManyParts, TooMuchMemory, WorkerDied
from imaging.guard import Access
from imaging.store.ingest import Held, Outcome, Received, refused, refusing

METADATA_LIMIT_BYTES: Final = 64 << 20


class SentApart:
    """The parts of one request. Open with :func:`sent_apart`, which removes what was spooled."""

    def __init__(self, archive: Archive, receiver: Receiver) -> None:
        self._archive = archive
        self._receiver = receiver
        self._documents: list[Bulk] = []
        self._bulk: dict[str, list[Bulk]] = defaultdict(list)
        self._refused: list[Refusal] = []
        self._paths: list[Path] = []
        self._count = 0

    async def take(self, part: Part) -> None:
        """Raises BrokenMultipart and TooManyParts."""
        self._count += 1
        if self._count > self._archive.limits.max_request_parts:
            raise TooManyParts(f"Send at most {self._count - 1} parts in one request.")
        try:
            path = await self._spooled(await self._receiver.receive(part.pieces))
        except Unreadable as error:
            async for _ in part.pieces:
                pass
            self._refused.append(Refusal(error.why))
            return
        received = Bulk(path, part.media_type, part.transfer_syntax)
        if part.media_type in METADATA_TYPES:
            self._documents.append(received)
        else:
            self._bulk[part.location].append(received)

    async def _spooled(self, received: Received) -> Path:
        if not isinstance(received, Held):
            self._paths.append(received.path)
            return received.path
        path = await self._archive.blobs.spool()
        self._paths.append(path)
        try:
            with refusing(RefusedAs.DISK_FAILS):
                await asyncio.to_thread(path.write_bytes, received.data)
        finally:
            self._receiver.release(received)
        return path

    async def outcomes(self, access: Access, study: str | None) -> list[Outcome]:
        """One for each data set, for each document that holds none, and for each bulk part that none of them names."""
        settled: list[Outcome] = []
        named: set[str] = set()
        for document in self._documents:
            models = await self._models(document)
            if isinstance(models, Refusal):
                settled.append(refused(models))
                continue
            for model in models:
                named |= _uris(model)
                settled.append(await self._stored(access, model, study))
        unused = [part for uri, parts in self._bulk.items() if uri not in named for part in parts]
        refusals = [*self._refused, *(Refusal(RefusedAs.BULK_UNUSED) for _ in unused)]
        return [*settled, *map(refused, refusals)]

    async def _models(self, document: Bulk) -> list[JsonDataset] | Refusal:
        body = await asyncio.to_thread(_read, document.path)
        if body is None:
            return Refusal(RefusedAs.TOO_LARGE)
        try:
            return await self._archive.workers.run(
                read_models, body, is_xml=document.media_type == DICOM_XML, limits=self._archive.limits.reading
            )
        except Unreadable as error:
            return Refusal(error.why)
        except (WorkerDied, TooMuchMemory):
            return Refusal(RefusedAs.READER_DIED)

    async def _stored(self, access: Access, model: JsonDataset, study: str | None) -> Outcome:
        target = await self._archive.blobs.spool()
        self._paths.append(target)
        try:
            remarks = await self._archive.workers.run(
                assemble, model, dict(self._bulk), target, self._archive.limits.reading
            )
        except Unreadable as error:
            return refused(_refusal(error.why, model))
        except (WorkerDied, TooMuchMemory, OSError):
            return refused(_refusal(RefusedAs.READER_DIED, model))
        return _remarked(await self._archive.ingest.store(access, target, expected_study_uid=study), remarks)

    def remove(self) -> None:
        """What was spooled and not stored."""
        for path in self._paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)


@asynccontextmanager
async def sent_apart(archive: Archive, receiver: Receiver) -> AsyncIterator[SentApart]:
    """Nothing spooled is left when the block ends."""
    sent = SentApart(archive, receiver)
    try:
        yield sent
    finally:
        await asyncio.to_thread(sent.remove)


def _read(path: Path) -> bytes | None:
    return None if path.stat().st_size > METADATA_LIMIT_BYTES else path.read_bytes()


def _uris(model: JsonDataset) -> set[str]:
    """Every URI that the data set names, at whatever depth (bounded by the reader of the document)."""
    found: set[str] = set()
    waiting = [model]
    while waiting:
        for member in waiting.pop().values():
            if isinstance(uri := member.get("BulkDataURI"), str):
                found.add(uri)
            waiting += [item for item in member.get("Value") or () if isinstance(item, dict) and member["vr"] == "SQ"]
    return found


def _refusal(why: RefusedAs, model: JsonDataset) -> Refusal:
    uids = (str((model.get(tag, {}).get("Value") or [""])[0]) for tag in ("00080016", "00080018", "0020000D"))
    return Refusal(why, *(uid if is_usable_uid(uid) else "" for uid in uids))


def _remarked(outcome: Outcome, remarks: list[Remark]) -> Outcome:
    """With what was done while the instance was put together; the instance itself says so, too."""
    if not outcome.is_success:
        return outcome
    together = [*remarks, *outcome.remarks]
    return replace(outcome, remarks=together, warning_reason=warning_reason(together))
