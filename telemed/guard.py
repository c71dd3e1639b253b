"""Answers imaging's question "may this caller see this study?" with the platform's people, keys and consultations."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from aiohttp import web

from foundation.clock import Clock, utc_now
from imaging.guard import Access, Deed
from telemed.access import Person, Role, Who, study_access
from telemed.audit import Action, Actor, ActorKind, Audit, Entry, Purpose, actor_of
from telemed.identity import Identity


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom :meth:`PlatformGuard.access` found behind the request, kept for :meth:`PlatformGuard.record`."""

    who: Who


CALLER: Final = web.RequestKey("caller", Caller)

# 300 frames of one study are one look at it.
SAME_DEED_WITHIN: Final = timedelta(minutes=5)
REMEMBERED_DEEDS: Final = 10_000


class SharedStudies(Protocol):
    """What the consultations share; implemented by them."""

    async def shared_with(self, user_id: str) -> frozenset[str]:
        """Keys of the studies that open consultations show to this expert."""
        ...


class PlatformGuard:
    """The platform's ``imaging.guard.Guard``."""

    def __init__(self, identity: Identity, shared: SharedStudies, audit: Audit, *, clock: Clock = utc_now) -> None:
        self._identity = identity
        self._shared = shared
        self._audit = audit
        self._recent = RecentDeeds(clock)

    async def access(self, request: web.Request) -> Access:
        """Raises Unauthenticated, or CrossSite for an unsafe request that another site made the browser send."""
        who = await self._identity.who(request)
        request[CALLER] = Caller(who)
        return await self.access_of(who)

    async def access_of(self, who: Who) -> Access:
        """The same for a caller already known, as the API's handlers have."""
        if isinstance(who, Person) and who.role is Role.DOCTOR:
            return study_access(who, await self._shared.shared_with(who.user_id))
        return study_access(who)

    async def record(self, request: web.Request, access: Access, deed: Deed, study_id: str | None) -> None:
        """One record for the same caller, deed and study within five minutes."""
        caller = request.get(CALLER)
        who = caller.who if caller else None
        await self.record_for(who, access, deed, study_id, address=request.remote or "")

    async def record_for(self, who: Who, access: Access, deed: Deed, study_id: str | None, *, address: str) -> None:
        """The same for a caller already known. ``who`` None: the AI hook's own door, where only the access is known."""
        deed_key = (access.caller, deed, study_id)
        if not self._recent.is_new(deed_key):
            return
        try:
            await self._audit.record(_entry(who, access, deed, study_id, address))
        except BaseException:
            # Not written: the next one must not pass as a repetition.
            self._recent.forget(deed_key)
            raise


DeedKey = tuple[str, str, str | None]


class RecentDeeds:
    """What was recorded lately, at most :data:`REMEMBERED_DEEDS`: beyond that the oldest is recorded once more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen_at: OrderedDict[DeedKey, datetime] = OrderedDict()

    def is_new(self, deed: DeedKey) -> bool:
        """Was it not noted within the last five minutes? Then it is noted now."""
        now = self._clock()
        last = self._seen_at.get(deed)
        if last is not None and now - last < SAME_DEED_WITHIN:
            return False
        self._seen_at[deed] = now
        self._seen_at.move_to_end(deed)
        while len(self._seen_at) > REMEMBERED_DEEDS:
            self._seen_at.popitem(last=False)
        return True

    def forget(self, deed: DeedKey) -> None:
        self._seen_at.pop(deed, None)


_ACTIONS: Final[dict[tuple[Deed, ActorKind], Action]] = {
    ("study.search", "user"): Action.USER_STUDY_SEARCH,
    ("study.view", "user"): Action.USER_STUDY_VIEW,
    ("study.store", "user"): Action.USER_STUDY_STORE,
    ("study.search", "hospital"): Action.HOSPITAL_STUDY_SEARCH,
    ("study.view", "hospital"): Action.HOSPITAL_STUDY_VIEW,
    ("study.store", "hospital"): Action.HOSPITAL_STUDY_STORE,
    ("study.delete", "hospital"): Action.HOSPITAL_STUDY_DELETE,
    ("review.result", "reviewer"): Action.REVIEWER_RESULT_CREATE,
}


def _entry(who: Who, access: Access, deed: Deed, study_id: str | None, address: str) -> Entry:
    actor = Actor("reviewer", access.caller) if who is None else actor_of(who)
    action = _ACTIONS.get((deed, actor.kind), Action.REVIEWER_STUDY_FETCH)
    return Entry(action, actor, purpose_of(actor, access, study_id), study_id=study_id, address=address)


def purpose_of(actor: Actor, access: Access, study_id: str | None) -> Purpose:
    """Why somebody with this access deals with that study."""
    if actor.kind == "reviewer":
        return Purpose.REVIEW
    return Purpose.CONSULTATION if study_id in access.study_ids else Purpose.TREATMENT
