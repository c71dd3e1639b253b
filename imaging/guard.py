"""May this caller see this study? The question ``imaging`` asks and somebody else answers.

``imaging`` knows no users, roles or consultations. For each request it asks its :class:`Guard` once and applies the
answer to every row it touches, so that what one may not see does not exist: not in lists, not in counts, not as 403.
"""

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from aiohttp import web

Deed = Literal["study.view", "study.store", "study.delete", "study.search", "review.fetch", "review.result"]


@dataclass(frozen=True, slots=True)
class Access:
    """What one caller may do, decided once per request. The default admits nothing.

    caller: stable key for the audit trail, never a person's name.
    store_as: code of the hospital that uploads are held for; None: may not store.
    owners: sees every study held for these hospital codes.
    study_ids: and these single studies (our keys, not UIDs).
    removes: may delete what is held for these hospital codes, of what it sees.
    only_owner: looks at the holdings of this hospital alone (a narrowed service root).
    """

    caller: str
    store_as: str | None = None
    owners: frozenset[str] = frozenset()
    study_ids: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    only_owner: str | None = None

    def admits(self, owner: str, study_id: str) -> bool:
        if self.only_owner is not None and owner != self.only_owner:
            return False
        return owner in self.owners or study_id in self.study_ids


def at_hospital(access: Access, owner: str) -> Access:
    """``access`` narrowed to what one hospital holds, for looking and for storing."""
    return replace(access, store_as=owner if access.store_as == owner else None, only_owner=owner)


class Guard(Protocol):
    """Implemented by whoever mounts the archive."""

    async def access(self, request: web.Request) -> Access:
        """Who is asking and what may they do; raises ``foundation.errors.Unauthenticated`` for an unknown caller."""
        ...

    async def record(self, request: web.Request, access: Access, deed: Deed, study_id: str | None) -> None:
        """Leave an audit record; called before the answer is sent."""
        ...
