"""Storage commitment (PS3.18 chapter 13): does the archive answer for these instances?

Committing means that the bytes were just read and are the received ones. A short list is answered at once, a long one
in the background.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import Conflict, NotFound
from imaging.store.blobs import Blobs
from imaging.store.lifecycle import Commitment
from imaging.store.tables import Instance, Study
from imaging.store.verification import state_of

# Answered within the request.
AT_ONCE: Final = 50
IDLE_SECONDS: Final = 30.0
# A request this old without an answer was cut off by the end of its process.
CUT_OFF: Final = timedelta(seconds=60)

# Failure reasons of PS3.3 section C.14.1.1.
PROCESSING_FAILURE: Final = 0x0110
NO_SUCH_INSTANCE: Final = 0x0112
CLASS_CONFLICT: Final = 0x0119

_INSTANCE, _STUDY, _ROW = Instance.core(), Study.core(), Commitment.core()
_ROWS: Final = cast(Table, Commitment.__table__)


class TransactionUsed(Conflict):
    code, title = "commitment.transaction_used", "This Transaction UID is in use already"


class NoSuchCommitment(NotFound):
    code, title = "commitment.not_found", "No such storage commitment request"


@dataclass(frozen=True, slots=True)
class Answered:
    """(SOP Class UID, SOP Instance UID, Failure Reason or 0) of each instance asked for."""

    instances: list[tuple[str, str, int]]


class Commitments:
    def __init__(self, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    async def ask(self, owner: str, transaction_uid: str, asked: Sequence[tuple[str, str]]) -> Answered | None:
        """The answer, or None: look again later. asked: (SOP Class UID, SOP Instance UID). Raises TransactionUsed."""
        row = {"owner": owner, "transaction_uid": transaction_uid, "asked": [list(one) for one in asked]}
        new = {**row, "answer": None, "made_at": self._clock(), "answered_at": None}
        try:
            await self._database.change(lambda connection: connection.execute(insert(_ROWS), new))
        except IntegrityError as error:
            raise TransactionUsed("Use another Transaction UID.") from error
        if len(asked) > AT_ONCE:
            return None
        return await self._work_out(owner, transaction_uid, asked)

    async def result(self, owner: str, transaction_uid: str) -> Answered | None:
        """None: not yet worked out. Raises NoSuchCommitment."""
        named = {"holder": owner, "uid": transaction_uid}
        row = await self._database.look(lambda connection: connection.execute(_ANSWER, named).first())
        if row is None:
            raise NoSuchCommitment()
        return None if row.answer is None else Answered([(*one,) for one in row.answer])

    async def step(self) -> float:
        """Work out one long list; seconds until the next."""
        row = await self._database.look(lambda connection: connection.execute(_OLDEST_OPEN).first())
        if row is None:
            return IDLE_SECONDS
        if len(row.asked) <= AT_ONCE and self._clock() - row.made_at < CUT_OFF:
            # Its request is at it.
            return CUT_OFF.total_seconds()
        await self._work_out(row.owner, row.transaction_uid, row.asked)
        return 0.0

    async def _work_out(self, owner: str, transaction_uid: str, asked: Sequence[Sequence[str]]) -> Answered:
        uids = sorted({instance for _, instance in asked})
        held = await self._database.look(lambda connection: _held(connection, owner, uids))
        answer = [(kind, uid, await self._judged(kind, held.get(uid, []))) for kind, uid in asked]
        done = {"holder": owner, "uid": transaction_uid, "found": [list(one) for one in answer], "now": self._clock()}
        await self._database.change(lambda connection: connection.execute(_SETTLE, done))
        return Answered(answer)

    async def _judged(self, sop_class_uid: str, held: Sequence[Any]) -> int:
        if not held:
            return NO_SUCH_INSTANCE
        if any(row.sop_class_uid != sop_class_uid for row in held):
            return CLASS_CONFLICT
        states = [await state_of(self._blobs, row.blob_key, row.sha256) for row in held]
        return 0 if set(states) == {"whole"} else PROCESSING_FAILURE


_ANSWER: Final = select(_ROW.answer).where(_ROW.owner == bindparam("holder"), _ROW.transaction_uid == bindparam("uid"))
_OLDEST_OPEN: Final = (
    select(_ROW.owner, _ROW.transaction_uid, _ROW.asked, _ROW.made_at)
    .where(_ROW.answered_at.is_(None))
    .order_by(_ROW.made_at)
    .limit(1)
)
_SETTLE: Final = (
    update(_ROWS)
    .where(_ROW.owner == bindparam("holder"), _ROW.transaction_uid == bindparam("uid"))
    .values(answer=bindparam("found"), answered_at=bindparam("now"))
)
_OF_OWNER: Final = select(
    _INSTANCE.sop_instance_uid, _INSTANCE.sop_class_uid, _INSTANCE.blob_key, _INSTANCE.sha256
).where(
    _STUDY.id == _INSTANCE.study_key,
    _STUDY.owner == bindparam("holder"),
    _INSTANCE.sop_instance_uid.in_(bindparam("uids", expanding=True)),
)
# Parameters of one statement.
_ASKED_AT_ONCE: Final = 1000


def _held(connection: Connection, owner: str, uids: Sequence[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for start in range(0, len(uids), _ASKED_AT_ONCE):
        named = {"holder": owner, "uids": uids[start : start + _ASKED_AT_ONCE]}
        for row in connection.execute(_OF_OWNER, named):
            found.setdefault(row.sop_instance_uid, []).append(row)
    return found
