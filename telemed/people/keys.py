"""API keys of the hospitals' own software: ``tk_<id>_<secret>``, shown once, kept as a fingerprint, revocable."""

import hmac
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, update

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.errors import NotFound
from foundation.ids import new_id
from telemed.access import HospitalSystem, Person
from telemed.audit import Action, Audit, Entry, Purpose
from telemed.people.model import ApiKey, fingerprint, key_prefix, new_secret, split_key
from telemed.people.service import acting, existing_hospital
from telemed.people.tables import ApiKeyRow

# How stale last_used_at may be: 300 frames a second must not be 300 durable writes.
TOUCH_AFTER: Final = timedelta(minutes=1)
# How long a key is taken for what it was. One revoked by this process is forgotten at once, by another within this.
TRUSTED_FOR: Final = timedelta(seconds=3)
REMEMBERED_KEYS: Final = 1_000


# Asked with every request of a hospital's software, hence without a session.
_BY_ID: Final = select(ApiKeyRow.__table__).where(ApiKeyRow.__table__.c.id == bindparam("key_id"))


class ApiKeys:
    def __init__(self, database: Database, audit: Audit, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        # Fingerprint of the whole key → until when it is trusted, and whose it is.
        self._trusted: OrderedDict[str, tuple[datetime, HospitalSystem]] = OrderedDict()
        self._revocations = 0

    async def listing(self, hospital: str) -> list[ApiKey]:
        """The hospital's keys, newest first, revoked ones too. Raises HospitalUnknown."""
        query = select(ApiKeyRow).where(ApiKeyRow.hospital_code == hospital).order_by(ApiKeyRow.id.desc())
        async with self._database.read() as session:
            await existing_hospital(session, hospital)
            return [_listed(row) for row in await session.scalars(query)]

    async def create(self, by: Person | None, hospital: str, label: str, *, address: str = "") -> tuple[str, str]:
        """(id, the key): the only time the key is known. Raises HospitalUnknown."""
        key_id, secret = new_id(), new_secret()
        async with self._database.write() as session:
            await existing_hospital(session, hospital)
            session.add(self._new_row(key_id, hospital, label, secret))
            self._audit.add(session, _entry(Action.API_KEY_CREATE, by, key_id, address))
        return key_id, f"{key_prefix(key_id)}_{secret}"

    async def revoke(self, by: Person, hospital: str, key_id: str, *, address: str = "") -> None:
        """Works from the next request on, in other processes after TRUSTED_FOR; twice is once. Raises NotFound."""
        async with self._database.write() as session:
            row = await session.get(ApiKeyRow, key_id)
            if row is None or row.hospital_code != hospital:
                raise NotFound()
            row.revoked_at = row.revoked_at or self._clock()
            self._audit.add(session, _entry(Action.API_KEY_REVOKE, by, key_id, address))
        self._revocations += 1
        self._trusted.clear()

    async def find(self, key: str) -> HospitalSystem | None:
        """Whose key this is; None when it is unknown, wrong or revoked."""
        presented = fingerprint(key)
        until, system = self._trusted.get(presented, (None, None))
        if until is not None and self._clock() < until:
            return system
        revocations = self._revocations
        system = await self._read(key)
        # What was read before a revocation says nothing about the time after it.
        if system is not None and revocations == self._revocations:
            self._trust(presented, system)
        return system

    def _trust(self, presented: str, system: HospitalSystem) -> None:
        self._trusted[presented] = self._clock() + TRUSTED_FOR, system
        self._trusted.move_to_end(presented)
        while len(self._trusted) > REMEMBERED_KEYS:
            self._trusted.popitem(last=False)

    async def _read(self, key: str) -> HospitalSystem | None:
        parts = split_key(key)
        if parts is None:
            return None
        key_id, secret = parts
        row = await self._database.look(lambda connection: connection.execute(_BY_ID, {"key_id": key_id}).first())
        if row is None or row.revoked_at or not hmac.compare_digest(row.secret_fingerprint, fingerprint(secret)):
            return None
        await self._touch(row)
        return HospitalSystem(row.id, row.hospital_code, row.label)

    async def _touch(self, row: Row[Any]) -> None:
        now = self._clock()
        if not _stale(row.last_used_at, now):
            return
        async with self._database.write() as session:
            await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == row.id).values(last_used_at=now))

    def _new_row(self, key_id: str, hospital: str, label: str, secret: str) -> ApiKeyRow:
        return ApiKeyRow(
            id=key_id,
            hospital_code=hospital,
            label=label,
            secret_fingerprint=fingerprint(secret),
            created_at=self._clock(),
            last_used_at=None,
            revoked_at=None,
        )


def _entry(action: Action, by: Person | None, key_id: str, address: str) -> Entry:
    return Entry(action, acting(by), Purpose.ADMINISTRATION, subject_id=key_id, address=address)


def _stale(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or now - last_used_at >= TOUCH_AFTER


def _listed(row: ApiKeyRow) -> ApiKey:
    return ApiKey(row.id, row.label, key_prefix(row.id), row.created_at, row.last_used_at, row.revoked_at)
