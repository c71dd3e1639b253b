"""Registering and pausing AI reviewers, audited. The registrations themselves are imaging's."""

from imaging.review.endpoints import Endpoint, NewEndpoint, Registered
from imaging.review.service import ReviewService
from telemed.access import Person
from telemed.audit import Action, Audit, Entry, Purpose, actor_of


class Reviewers:
    def __init__(self, review: ReviewService, audit: Audit) -> None:
        self._review = review
        self._audit = audit

    async def listing(self) -> list[Endpoint]:
        """All of them, oldest first, without their secrets."""
        return await self._review.endpoints()

    async def register(self, by: Person, new: NewEndpoint, *, address: str) -> Registered:
        """Applies to studies that become complete from now on. Raises UrlRefused, RulesInvalid."""
        registered = await self._review.register_endpoint(new)
        await self._record(Action.REVIEWER_CREATE, by, registered.endpoint.endpoint_id, address)
        return registered

    async def turn(self, by: Person, endpoint_id: str, enabled: bool, *, address: str) -> Endpoint:
        """Pause or resume. Raises EndpointUnknown."""
        endpoint = await self._review.enable_endpoint(endpoint_id, enabled)
        await self._record(Action.REVIEWER_CHANGE, by, endpoint_id, address)
        return endpoint

    async def _record(self, action: Action, by: Person, endpoint_id: str, address: str) -> None:
        deed = Entry(action, actor_of(by), Purpose.ADMINISTRATION, subject_id=endpoint_id, address=address)
        await self._audit.record(deed)
