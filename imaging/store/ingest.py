"""From a spooled file to a stored instance: examine, make the bytes durable, then the index rows, then answer.

In that order, so that a process that dies anywhere leaves either a whole instance or nothing anyone can see; at worst
a blob without a row stays behind.
"""

import asyncio
import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.ids import new_id
from imaging.dicom.reading import Examined, ReadingLimits, examine
from imaging.dicom.remarks import WARN_DOES_NOT_MATCH_CLASS, Refusal, RefusedAs, Remark, Unreadable, warns
from imaging.errors import MayNotStore, TooMuchMemory, WorkerDied
from imaging.guard import Access
from imaging.store import records
from imaging.store.batching import Batcher
from imaging.store.blobs import Blobs
from imaging.store.records import Arrival, Identity, Placed
from imaging.workers import Workers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one instance.

    The UIDs are empty where they could not be read. study_id: our key, None when refused. failure_reason,
    warning_reason: values for Failure Reason (0008,1197) and Warning Reason (0008,1196). word: the stable word for
    why, of ``RefusedAs``, or the kind. detail: one English sentence, empty unless refused or in conflict.
    """

    kind: Literal["stored", "already_stored", "conflict", "refused"]
    word: str
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    study_id: str | None = None
    failure_reason: int | None = None
    warning_reason: int | None = None
    detail: str = ""
    remarks: list[Remark] = field(default_factory=list)

    @property
    def is_success(self) -> bool:
        return self.failure_reason is None


class Ingest:
    """Stores instances. Instances that wait at the same time share one transaction."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        workers: Workers,
        reading: ReadingLimits | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._workers = workers
        self._reading = reading or ReadingLimits()
        self._clock = clock
        self._find = Batcher(self._find_alike)
        self._place = Batcher(self._write)

    async def close(self) -> None:
        """Let everything under way be committed."""
        await self._find.close()
        await self._place.close()

    async def store(self, access: Access, spooled: Path, *, expected_study_uid: str | None = None) -> Outcome:
        """Store the file at ``spooled`` for ``access.store_as``; the file is consumed whatever comes of it.

        Raises MayNotStore. Every other failure is an Outcome, so that the rest of a request goes on.
        """
        moved = False
        try:
            if access.store_as is None:
                raise MayNotStore("Sign in as a hospital that may store studies.")
            outcome = await self._stored(access.store_as, spooled, expected_study_uid)
            moved = outcome.kind == "stored"
            return outcome
        finally:
            if not moved:
                await asyncio.to_thread(spooled.unlink, missing_ok=True)

    async def _stored(self, owner: str, spooled: Path, expected_study_uid: str | None) -> Outcome:
        examined = await self._examined(spooled)
        if isinstance(examined, Refusal):
            return refused(examined)
        if expected_study_uid not in {None, examined.study_instance_uid}:
            return refused(_refusal(RefusedAs.STUDY_DIFFERS, examined))
        try:
            return await self._kept(owner, spooled, examined)
        except Unreadable as error:
            return refused(_refusal(error.why, examined))

    async def _examined(self, spooled: Path) -> Examined | Refusal:
        try:
            return await self._workers.run(examine, spooled, self._reading)
        except WorkerDied:
            return Refusal(RefusedAs.READER_DIED)
        except TooMuchMemory:
            return Refusal(RefusedAs.INFLATES_TOO_FAR)

    async def _kept(self, owner: str, spooled: Path, examined: Examined) -> Outcome:
        found = examined.attributes
        identity = Identity(
            owner, found.study_instance_uid, found.series_instance_uid, found.sop_instance_uid, examined.sha256
        )
        with refusing(RefusedAs.INDEX_AWAY):
            study_id = await self._find(identity)
        if study_id is not None:
            return _outcome(Placed("already_stored", study_id, uses_blob=False), examined)
        blob_key = new_id()
        with refusing(RefusedAs.DISK_FAILS):
            await self._blobs.keep(spooled, blob_key)
        # When this fails the blob stays: a commit whose answer was lost may have gone through.
        with refusing(RefusedAs.INDEX_AWAY):
            placed = await self._place(Arrival(owner, examined, blob_key))
        if not placed.uses_blob:
            await self._blobs.delete(blob_key)
        return _outcome(placed, examined)

    async def _find_alike(self, wanted: list[Identity]) -> list[str | None]:
        return await self._database.look(lambda connection: records.stored_alike(connection, wanted))

    async def _write(self, arrivals: list[Arrival]) -> list[Placed]:
        now = self._clock()
        return await self._database.change(lambda connection: records.write(connection, arrivals, now))


@contextmanager
def refusing(why: RefusedAs) -> Iterator[None]:
    """Turn a failing disk or database into a refusal for ``why``; a full disk keeps its own word."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        # The error's own text may quote rows, and rows name patients.
        log.error("an instance could not be stored", extra={"why": why, "error": type(error).__name__})  # noqa: TRY400
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise Unreadable(RefusedAs.DISK_FULL if full else why) from error


def refused(refusal: Refusal) -> Outcome:
    """The outcome for an object that is not kept."""
    return Outcome(
        "refused",
        refusal.why,
        refusal.sop_class_uid,
        refusal.sop_instance_uid,
        refusal.study_instance_uid,
        failure_reason=refusal.failure_reason,
        detail=refusal.detail,
    )


def _refusal(why: RefusedAs, examined: Examined) -> Refusal:
    return Refusal(why, examined.sop_class_uid, examined.sop_instance_uid, examined.study_instance_uid)


def _outcome(placed: Placed, examined: Examined) -> Outcome:
    if placed.kind == "conflict":
        conflict = refused(_refusal(RefusedAs.DIFFERENT_BYTES, examined))
        return replace(conflict, kind="conflict", study_id=placed.study_id)
    return Outcome(
        placed.kind,
        placed.kind,
        examined.sop_class_uid,
        examined.sop_instance_uid,
        examined.study_instance_uid,
        examined.attributes.series_instance_uid,
        placed.study_id,
        warning_reason=WARN_DOES_NOT_MATCH_CLASS if warns(frozenset(examined.remarks)) else None,
        remarks=examined.remarks,
    )
