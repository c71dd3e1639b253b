"""Storage commitment over REST (PS3.18 sections 13.4 and 13.5): ask, and look for the result of what was asked."""

from typing import Any, Final

import msgspec
from aiohttp import web

from foundation.errors import Invalid, UnsupportedMedia
from imaging.dicom.reading import is_usable_uid
from imaging.dicomweb.http import Door, accept_of
from imaging.dicomweb.negotiation import DICOM_JSON, Offer, choose
from imaging.errors import MayNotStore
from imaging.store.commitment import Answered

# Instances of one request, and the bytes of a body that names so many.
ASKED_LIMIT: Final = 5000
RETRY_SECONDS: Final = 5
_OFFERS: Final = (Offer(DICOM_JSON), Offer("application/json"))
_REFERENCED, _FAILED, _CLASS, _INSTANCE, _REASON = "00081199", "00081198", "00081150", "00081155", "00081197"


class Commitment:
    """For those who store: a hospital asks about what it has sent itself."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """200 with the result, or 202: look for it later. Raises TransactionUsed (409)."""
        owner, offer = await self._owner(request), choose(accept_of(request), _OFFERS)
        uid = _transaction(request)
        asked = _references(await _document(request))
        answered = await self._door.archive.commitments.ask(owner, uid, asked)
        return _reply(answered, offer)

    async def result(self, request: web.Request) -> web.StreamResponse:
        owner, offer = await self._owner(request), choose(accept_of(request), _OFFERS)
        return _reply(await self._door.archive.commitments.result(owner, _transaction(request)), offer)

    async def _owner(self, request: web.Request) -> str:
        access = await self._door.access(request)
        if access.store_as is None:
            raise MayNotStore("Ask as the hospital that stored the instances.")
        return access.store_as


def _transaction(request: web.Request) -> str:
    uid = request.match_info["transaction"]
    if not is_usable_uid(uid):
        raise Invalid("Give the Transaction UID as letters, digits, dots and hyphens, at most 64.")
    return uid


async def _document(request: web.Request) -> Any:
    if request.content_type not in {DICOM_JSON, "application/json"}:
        raise UnsupportedMedia("Send the request as application/dicom+json.")
    try:
        document = msgspec.json.decode(await request.read())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("The body is no JSON.") from error
    # The model allows a data set alone and one in an array (PS3.18 section F.2).
    return document[0] if isinstance(document, list) and len(document) == 1 else document


def _references(document: Any) -> list[tuple[str, str]]:
    """The items of Referenced SOP Sequence, each once. Raises Invalid."""
    try:
        items = document[_REFERENCED]["Value"]
        found = [(item[_CLASS]["Value"][0], item[_INSTANCE]["Value"][0]) for item in items]
    except (KeyError, IndexError, TypeError) as error:
        raise Invalid("Name the instances in Referenced SOP Sequence (0008,1199), each with its class.") from error
    if not found or len(found) > ASKED_LIMIT:
        raise Invalid(f"Ask for 1 to {ASKED_LIMIT} instances at once.")
    if not all(isinstance(uid, str) and is_usable_uid(uid) for one in found for uid in one):
        raise Invalid("One of the UIDs is none.")
    return list(dict.fromkeys(found))


def _reply(answered: Answered | None, offer: Offer) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if answered is None:
        return web.Response(status=202, headers={**headers, "Retry-After": str(RETRY_SECONDS)})
    body = msgspec.json.encode(_answer(answered))
    return web.Response(body=body, content_type=offer.media_type, headers=headers)


def _answer(answered: Answered) -> dict[str, Any]:
    """The Storage Commitment Response Module (PS3.18 section J.2): an empty sequence is left out."""
    failed = [
        {**_item(kind, uid), _REASON: {"vr": "US", "Value": [reason]}}
        for kind, uid, reason in answered.instances
        if reason
    ]
    kept = [_item(kind, uid) for kind, uid, reason in answered.instances if not reason]
    sequences = {_FAILED: failed, _REFERENCED: kept}
    return {tag: {"vr": "SQ", "Value": items} for tag, items in sequences.items() if items}


def _item(sop_class_uid: str, sop_instance_uid: str) -> dict[str, Any]:
    return {_CLASS: {"vr": "UI", "Value": [sop_class_uid]}, _INSTANCE: {"vr": "UI", "Value": [sop_instance_uid]}}
