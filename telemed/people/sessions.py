"""Login sessions kept on the server: the browser holds a random token, the database its fingerprint.

Signing in, checking a token, signing out, confirming a password. Every sign-in, good or bad, is audited.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.ids import new_id
from telemed.access import Person
from telemed.audit import ANONYMOUS, Action, Actor, Audit, Entry, Outcome, Purpose, actor_of
from telemed.people.model import (
    Attempt,
    BadCredentials,
    SessionRules,
    SignInLimits,
    TooManyAttempts,
    User,
    fingerprint,
    new_secret,
    normal_username,
    too_many,
)
from telemed.people.passwords import Passwords
from telemed.people.service import person_of, user_of
from telemed.people.tables import LoginSessionRow, SignInAttemptRow, UserRow


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A living session. ends_at: the absolute end, whatever the activity."""

    id: str
    person: Person
    user: User
    ends_at: datetime


class Sessions:
    def __init__(
        self,
        database: Database,
        audit: Audit,
        passwords: Passwords,
        *,
        clock: Clock = utc_now,
        rules: SessionRules | None = None,
        limits: SignInLimits | None = None,
    ) -> None:
        self._database = database
        self._audit = audit
        self._passwords = passwords
        self._clock = clock
        self.rules = rules or SessionRules()
        self._limits = limits or SignInLimits()

    async def sign_in(self, username: str, password: str, *, address: str, old_token: str | None) -> tuple[str, User]:
        """The new token and whose it is. ``old_token``: the session this browser had, which ends here.

        Raises BadCredentials or TooManyAttempts.
        """
        known = await self._checked(normal_username(username), password, address)
        token = new_secret()
        rehashed = await self._passwords.hash(password) if self._passwords.outdated(known.password_hash) else None
        async with self._database.write() as session:
            row = await session.get(UserRow, known.id, options=[_WITH_HOSPITAL], with_for_update=_LOCK)
            # Between the check and now the user may have been disabled or given another password.
            if row is None or row.disabled_at or row.password_hash != known.password_hash:
                raise BadCredentials()
            row.password_hash = rehashed or row.password_hash
            await self._end(session, old_token)
            session.add(self._new_row(token, row.id))
            self._audit.add(session, _entry(Action.SESSION_CREATE, actor_of(person_of(row)), address))
            return token, user_of(row)

    async def find(self, token: str) -> LoginSession | None:
        """The living session of ``token``; notes, at most once a minute, that it was used."""
        now = self._clock()
        async with self._database.read() as session:
            row = await session.get(LoginSessionRow, fingerprint(token), options=[_WITH_USER])
        if row is None or row.user.disabled_at or not self.rules.alive(row.seen_at, row.ends_at, now):
            return None
        if self.rules.needs_touch(row.seen_at, now):
            await self._touch(row.id, now)
        return LoginSession(row.id, person_of(row.user), user_of(row.user), row.ends_at)

    async def sign_out(self, token: str, person: Person, *, address: str) -> None:
        async with self._database.write() as session:
            await self._end(session, token)
            self._audit.add(session, _entry(Action.SESSION_END, actor_of(person), address))

    async def confirm(self, person: Person, password: str, *, address: str) -> None:
        """A signature: the signed-in person gives the password again. Raises BadCredentials or TooManyAttempts."""
        async with self._database.read() as session:
            username = await session.scalar(select(UserRow.username).where(UserRow.id == person.user_id))
        await self._checked(username or "", password, address)

    async def sweep(self) -> None:
        """Remove what has ended: sessions past their absolute end, attempts outside the window."""
        now = self._clock()
        async with self._database.write() as session:
            await session.execute(delete(LoginSessionRow).where(LoginSessionRow.ends_at <= now))
            await session.execute(delete(SignInAttemptRow).where(SignInAttemptRow.at <= now - self._limits.window))

    async def _checked(self, username: str, password: str, address: str) -> UserRow:
        """The user whose password this is; each try counts until one succeeds."""
        async with self._database.read() as session:
            row = await session.scalar(select(UserRow).where(UserRow.username == username))
        try:
            await self._admit_attempt(fingerprint(username), address)
        except TooManyAttempts:
            await self._audit.record(_refusal(row, address))
            raise
        matches = await self._passwords.verify(row.password_hash if row else None, password)
        if row is None or not matches or row.disabled_at:
            await self._audit.record(_refusal(row, address))
            raise BadCredentials("Check username and password; an administrator can set a new password.")
        async with self._database.write() as session:
            await session.execute(delete(SignInAttemptRow).where(SignInAttemptRow.username == fingerprint(username)))
        return row

    async def _admit_attempt(self, username: str, address: str) -> None:
        # Counted before the slow check, so that many at once cannot pass together.
        now = self._clock()
        touching = or_(SignInAttemptRow.username == username, SignInAttemptRow.address == address)
        async with self._database.write() as session:
            if not self._database.is_sqlite:
                # SQLite lets one writer in at a time; here it takes a lock to count and add as one step.
                await session.execute(select(func.pg_advisory_xact_lock(_ATTEMPTS_LOCK)))
            rows = await session.scalars(
                select(SignInAttemptRow).where(touching, SignInAttemptRow.at > now - self._limits.window)
            )
            attempts = [Attempt(row.username, row.address, row.at) for row in rows]
            wait = self._limits.retry_after(attempts, username, address, now)
            if wait is not None:
                raise too_many(wait)
            session.add(SignInAttemptRow(id=new_id(), username=username, address=address, at=now))

    async def _touch(self, session_id: str, now: datetime) -> None:
        async with self._database.write() as session:
            await session.execute(update(LoginSessionRow).where(LoginSessionRow.id == session_id).values(seen_at=now))

    async def _end(self, session: AsyncSession, token: str | None) -> None:
        if token is not None:
            await session.execute(delete(LoginSessionRow).where(LoginSessionRow.id == fingerprint(token)))

    def _new_row(self, token: str, user_id: str) -> LoginSessionRow:
        now = self._clock()
        return LoginSessionRow(
            id=fingerprint(token), user_id=user_id, created_at=now, seen_at=now, ends_at=now + self.rules.absolute
        )


# Any number, as long as nothing else in this database locks the same one.
_ATTEMPTS_LOCK = 0x7369676E
_WITH_HOSPITAL = joinedload(UserRow.hospital)
_WITH_USER = joinedload(LoginSessionRow.user).joinedload(UserRow.hospital)
# Only the user: an outer join cannot be locked.
_LOCK = {"of": UserRow}


def _refusal(row: UserRow | None, address: str) -> Entry:
    # What was typed as a username is not kept: it may be somebody's password.
    actor = ANONYMOUS if row is None else Actor("anonymous", row.id, row.name, row.hospital_code)
    return _entry(Action.SESSION_CREATE, actor, address, "failure")


def _entry(action: Action, actor: Actor, address: str, outcome: Outcome = "success") -> Entry:
    return Entry(action, actor, Purpose.OPERATIONS, outcome=outcome, address=address)
