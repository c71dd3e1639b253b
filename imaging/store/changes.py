"""The read side of the change feed: one hospital's changes in order, without gaps, from where the reader left off."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select

from foundation.database import Database
from imaging.store.lifecycle import Change

PAGE_LIMIT: Final = 1000
# Other processes write too, so a waiting reader looks again by itself.
LOOK_AGAIN_SECONDS: Final = 0.5

_CHANGE = Change.core()
_PAGE: Final = (
    select(
        _CHANGE.number,
        _CHANGE.kind,
        _CHANGE.study_instance_uid,
        _CHANGE.series_instance_uid,
        _CHANGE.sop_instance_uid,
        _CHANGE.sha256,
        _CHANGE.reason,
        _CHANGE.at,
    )
    .where(_CHANGE.owner == bindparam("owner"), _CHANGE.number > bindparam("after"))
    .order_by(_CHANGE.number)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A line of the feed, as lifecycle.Change describes it."""

    number: int
    kind: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sha256: str
    reason: str
    at: datetime


class Feed:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, owner: str, after: int, limit: int, wait_seconds: float = 0.0) -> list[ChangeRow]:
        """At most ``limit`` changes of ``owner`` numbered above ``after``; waits for the first when there is none."""
        named = {"owner": owner, "after": after, "limit": min(limit, PAGE_LIMIT)}
        end = time.monotonic() + wait_seconds
        while True:
            rows = await self._database.look(lambda connection: connection.execute(_PAGE, named).all())
            if rows or time.monotonic() >= end:
                return [ChangeRow(*row) for row in rows]
            await asyncio.sleep(min(LOOK_AGAIN_SECONDS, max(0.0, end - time.monotonic())))
