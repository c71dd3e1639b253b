"""From received bytes to stored instances: examine, make the bytes durable, then the index rows, then answer.

In that order, so that a process that dies anywhere leaves either a whole instance or nothing anyone can see; at worst
a blob without a row stays behind.
"""

import asyncio
import errno
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from sqlalchemy.exc import SQLAlchemyError

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.ids import new_id
from imaging.dicom.reading import Examined, NotPlain, ReadingLimits, examine, examine_plain
from imaging.dicom.remarks import Refusal, RefusedAs, Remark, Unreadable, warning_reason
from imaging.errors import MayNotStore, TooMuchMemory, WorkerDied
from imaging.guard import Access
from imaging.store import records
from imaging.store.batching import Batcher
from imaging.store.blobs import Blobs
from imaging.store.placing import Arrival, Placed, PlacedAs
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


@dataclass(frozen=True, slots=True)
class Held:
    """One received instance in memory."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Spooled:
    """One received instance in a file. sha256: hexadecimal, None where it was not worked out on the way."""

    path: Path
    sha256: str | None = None


Received = Held | Spooled


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
        self._place = Batcher(self._write)

    async def close(self) -> None:
        """Let everything under way be committed."""
        await self._place.close()

    async def store(self, access: Access, spooled: Path, *, expected_study_uid: str | None = None) -> Outcome:
        """:meth:`store_all` for the one file at ``spooled``."""
        (outcome,) = await self.store_all(access, [Spooled(spooled)], expected_study_uid=expected_study_uid)
        return outcome

    async def store_all(
        self, access: Access, received: Sequence[Received], *, expected_study_uid: str | None = None
    ) -> list[Outcome]:
        """Store instances for ``access.store_as``; files are consumed whatever comes of them.

        Raises MayNotStore. Every other failure is an Outcome, so that the rest goes on.
        """
        try:
            if access.store_as is None:
                raise MayNotStore("Sign in as a hospital that may store studies.")
            judged = [_of_study(each, expected_study_uid) for each in await self._examine(received)]
            arrived = await self._keep(access.store_as, received, judged)
            return list(await asyncio.gather(*map(self._placed, arrived)))
        finally:
            await self._clear([each.path for each in received if isinstance(each, Spooled)])

    async def examine_blob(self, blob_key: str) -> Examined | Refusal:
        """Read a stored blob as if it arrived. Raises OSError when its bytes are away."""
        return await self._in_worker(Spooled(await self._blobs.local_path(blob_key)))

    async def _examine(self, received: Sequence[Received]) -> list[Examined | Refusal]:
        """What is plain in one trip to a thread, the rest in workers at the same time."""
        held = [each.data for each in received if isinstance(each, Held)]
        plain = iter(await asyncio.to_thread(_examine_plain, held, self._reading) if held else [])
        return list(
            await asyncio.gather(
                *(self._judged(each, next(plain) if isinstance(each, Held) else None) for each in received)
            )
        )

    async def _judged(self, received: Received, plain: Examined | Refusal | None) -> Examined | Refusal:
        if plain is not None:
            return plain
        if isinstance(received, Spooled):
            return await self._in_worker(received)
        path = await self._blobs.spool()
        try:
            with refusing(RefusedAs.DISK_FAILS):
                await asyncio.to_thread(path.write_bytes, received.data)
            return await self._in_worker(Spooled(path))
        except Unreadable as error:
            return Refusal(error.why)
        finally:
            await self._clear([path])

    async def _in_worker(self, spooled: Spooled) -> Examined | Refusal:
        try:
            return await self._workers.run(examine, spooled.path, self._reading, spooled.sha256)
        except WorkerDied:
            return Refusal(RefusedAs.READER_DIED)
        except TooMuchMemory:
            return Refusal(RefusedAs.INFLATES_TOO_FAR)
        except Exception as error:
            _note_gap(error)
            return Refusal(RefusedAs.READER_DIED)

    async def _keep(
        self, owner: str, received: Sequence[Received], judged: Sequence[Examined | Refusal]
    ) -> list[Arrival | Refusal]:
        """Make the bytes of what is readable durable, those in memory all at once."""
        work = [(new_id(), *each) for each in zip(received, judged, strict=True)]
        held = {key: it.data for key, it, what in work if isinstance(it, Held) and isinstance(what, Examined)}
        failed = dict(zip(held, await self._blobs.keep_all(list(held.items())) if held else [], strict=True))
        return [
            what if isinstance(what, Refusal) else await self._arrived(Arrival(owner, what, key), it, failed.get(key))
            for key, it, what in work
        ]

    async def _arrived(self, arrival: Arrival, received: Received, failure: OSError | None) -> Arrival | Refusal:
        try:
            with refusing(RefusedAs.DISK_FAILS):
                if failure is not None:
                    raise failure
                if isinstance(received, Spooled):
                    await self._blobs.keep(received.path, arrival.blob_key)
        except Unreadable as error:
            return _refusal(error.why, arrival.examined)
        return arrival

    async def _placed(self, arrived: Arrival | Refusal) -> Outcome:
        if isinstance(arrived, Refusal):
            return refused(arrived)
        try:
            # When this fails the blob stays: a commit whose answer was lost may have gone through.
            with refusing(RefusedAs.INDEX_AWAY):
                placed = await self._place(arrived)
        except Unreadable as error:
            return refused(_refusal(error.why, arrived.examined))
        if not placed.uses_blob:
            await self._blobs.delete(arrived.blob_key)
        return _outcome(placed, arrived.examined)

    async def _clear(self, paths: Sequence[Path]) -> None:
        """Remove what was not moved."""
        if paths:
            await asyncio.to_thread(_remove, paths)

    async def _write(self, arrivals: list[Arrival]) -> list[Placed]:
        now = self._clock()
        return await self._database.change(lambda connection: records.write(connection, arrivals, now))


def _examine_plain(bodies: Sequence[bytes], limits: ReadingLimits) -> list[Examined | Refusal | None]:
    """None: a worker must read it."""
    found: list[Examined | Refusal | None] = []
    for body in bodies:
        try:
            found.append(examine_plain(body, limits))
        except NotPlain:
            found.append(None)
        except Exception as error:
            _note_gap(error)
            found.append(Refusal(RefusedAs.READER_DIED))
    return found


def _note_gap(error: Exception) -> None:
    """A case that the reader did not foresee: ours to mend, but its file must not cost the rest of the request."""
    # Without the error's own text, which may quote the file.
    log.error("the reader stumbled over a file", extra={"error": type(error).__name__})


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _of_study(judged: Examined | Refusal, expected_study_uid: str | None) -> Examined | Refusal:
    if isinstance(judged, Refusal) or expected_study_uid in {None, judged.study_instance_uid}:
        return judged
    return _refusal(RefusedAs.STUDY_DIFFERS, judged)


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


_REFUSED_AS: Final[dict[PlacedAs, RefusedAs]] = {
    "conflict": RefusedAs.DIFFERENT_BYTES,
    "other_patient": RefusedAs.OTHER_PATIENT,
    "other_study": RefusedAs.OTHER_STUDY,
    "deleted": RefusedAs.DELETED,
    "over_quota": RefusedAs.OVER_QUOTA,
}


def _outcome(placed: Placed, examined: Examined) -> Outcome:
    if placed.kind not in ("stored", "already_stored"):
        kind: Literal["conflict", "refused"] = "conflict" if placed.kind == "conflict" else "refused"
        return replace(refused(_refusal(_REFUSED_AS[placed.kind], examined)), kind=kind, study_id=placed.study_id)
    return Outcome(
        placed.kind,
        placed.kind,
        examined.sop_class_uid,
        examined.sop_instance_uid,
        examined.study_instance_uid,
        examined.attributes.series_instance_uid,
        placed.study_id,
        warning_reason=warning_reason(examined.remarks),
        remarks=examined.remarks,
    )
