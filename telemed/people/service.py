"""Hospitals and users: who exists. Creating and changing is the administrators' work and audited with it."""

from collections.abc import Iterable

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.ids import new_id
from telemed.access import Person, Role
from telemed.audit import SYSTEM, Action, Actor, Audit, Entry, Purpose, actor_of
from telemed.people.model import (
    Hospital,
    HospitalExists,
    HospitalUnknown,
    NewUser,
    OwnAccount,
    SetupTokenInvalid,
    User,
    UserChange,
    UsernameTaken,
    UserUnknown,
    check_password,
    check_role,
    check_username,
    fingerprint,
    new_secret,
    normal_username,
)
from telemed.people.passwords import Passwords
from telemed.people.tables import HospitalRow, LoginSessionRow, SetupTokenRow, UserRow

_WITH_HOSPITAL = joinedload(UserRow.hospital)


class People:
    """``by`` is the administrator who acts; None where the platform itself does (set-up, demonstration)."""

    def __init__(self, database: Database, audit: Audit, passwords: Passwords, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._audit = audit
        self._passwords = passwords
        self._clock = clock

    async def hospitals(self) -> list[Hospital]:
        """All hospitals, by code."""
        async with self._database.read() as session:
            return [hospital_of(row) for row in await session.scalars(select(HospitalRow).order_by(HospitalRow.code))]

    async def hospital(self, code: str) -> Hospital:
        """Raises HospitalUnknown."""
        async with self._database.read() as session:
            return hospital_of(await existing_hospital(session, code))

    async def add_hospital(self, by: Person | None, hospital: Hospital, *, address: str = "") -> Hospital:
        """Raises HospitalExists."""
        row = HospitalRow(code=hospital.code, name=hospital.name, city=hospital.city, created_at=self._clock())
        try:
            async with self._database.write() as session:
                session.add(row)
                self._audit.add(session, _deed(Action.HOSPITAL_CREATE, by, hospital.code, address))
        except IntegrityError as error:
            raise HospitalExists() from error
        return hospital

    async def users(self) -> list[User]:
        """All users, by username, disabled ones too."""
        async with self._database.read() as session:
            rows = await session.scalars(select(UserRow).options(_WITH_HOSPITAL).order_by(UserRow.username))
            return [user_of(row) for row in rows]

    async def users_by_id(self, ids: Iterable[str]) -> dict[str, User]:
        """The users with these ids, disabled ones too; unknown ids are left out."""
        async with self._database.read() as session:
            rows = await session.scalars(select(UserRow).options(_WITH_HOSPITAL).where(UserRow.id.in_(set(ids))))
            return {row.id: user_of(row) for row in rows}

    async def active(self, user_id: str) -> Person | None:
        """The person with this id; None when unknown or disabled."""
        async with self._database.read() as session:
            row = await session.get(UserRow, user_id)
            return None if row is None or row.disabled_at else person_of(row)

    async def doctors(self, hospital: str | None = None) -> list[User]:
        """Doctors who may sign in, of one hospital or of all."""
        query = select(UserRow).options(_WITH_HOSPITAL).order_by(UserRow.hospital_code, UserRow.username)
        query = query.where(UserRow.role == Role.DOCTOR, UserRow.disabled_at.is_(None))
        if hospital is not None:
            query = query.where(UserRow.hospital_code == hospital)
        async with self._database.read() as session:
            return [user_of(row) for row in await session.scalars(query)]

    async def add_user(self, by: Person | None, new: NewUser, *, address: str = "") -> User:
        """Raises WeakPassword, UsernameUnfit, UsernameTaken, RoleHospitalMismatch, HospitalUnknown."""
        row = await self._new_row(new)
        try:
            async with self._database.write() as session:
                if row.hospital_code is not None:
                    row.hospital = await existing_hospital(session, row.hospital_code)
                session.add(row)
                self._audit.add(session, _deed(Action.USER_CREATE, by, row.id, address))
        except IntegrityError as error:
            raise UsernameTaken() from error
        return user_of(row)

    async def change_user(self, by: Person, user_id: str, change: UserChange, *, address: str = "") -> User:
        """Disabling a user or giving a new password ends all of the user's sessions at once.

        Raises UserUnknown, WeakPassword, OwnAccount (administrators do not lock themselves out).
        """
        if change.disabled is True and by.user_id == user_id:
            raise OwnAccount("Another administrator has to disable this account.")
        hashed = await self._hash_for(user_id, change.password) if isinstance(change.password, str) else None
        async with self._database.write() as session:
            row = await session.get(UserRow, user_id, options=[_WITH_HOSPITAL], with_for_update={"of": UserRow})
            if row is None:
                raise UserUnknown()
            if isinstance(change.disabled, bool):
                row.disabled_at = (row.disabled_at or self._clock()) if change.disabled else None
            row.password_hash = hashed or row.password_hash
            if hashed or row.disabled_at:
                await session.execute(delete(LoginSessionRow).where(LoginSessionRow.user_id == user_id))
            self._audit.add(session, _deed(Action.USER_CHANGE, by, user_id, address))
            return user_of(row)

    async def ensure_setup_token(self) -> str | None:
        """The one-time token for the first administrator, made anew; None once anybody exists."""
        token = new_secret()
        async with self._database.write() as session:
            if await session.scalar(select(func.count()).select_from(UserRow)):
                return None
            await session.execute(delete(SetupTokenRow))
            session.add(SetupTokenRow(fingerprint=fingerprint(token), created_at=self._clock()))
        return token

    async def redeem_setup_token(self, token: str, new: NewUser, *, address: str) -> User:
        """The first administrator. Raises SetupTokenInvalid, WeakPassword."""
        async with self._database.read() as session:
            await _check_setup_token(session, token)
        row = await self._new_row(new)
        async with self._database.write() as session:
            await _check_setup_token(session, token, lock=True)
            await session.execute(delete(SetupTokenRow))
            session.add(row)
            actor = Actor("user", row.id, row.name)
            self._audit.add(session, Entry(Action.SETUP_REDEEM, actor, Purpose.ADMINISTRATION, address=address))
        return user_of(row)

    async def _new_row(self, new: NewUser) -> UserRow:
        check_role(new.role, new.hospital_code)
        check_username(new.username)
        check_password(new.password, new.username)
        return UserRow(
            id=new_id(),
            username=normal_username(new.username),
            name=new.name,
            role=new.role,
            title=new.title,
            specialty=new.specialty,
            hospital_code=new.hospital_code,
            hospital=None,
            password_hash=await self._passwords.hash(new.password),
            disabled_at=None,
            created_at=self._clock(),
        )

    async def _hash_for(self, user_id: str, password: str) -> str:
        async with self._database.read() as session:
            row = await session.get(UserRow, user_id)
        if row is None:
            raise UserUnknown()
        check_password(password, row.username)
        return await self._passwords.hash(password)


async def existing_hospital(session: AsyncSession, code: str) -> HospitalRow:
    row = await session.get(HospitalRow, code)
    if row is None:
        raise HospitalUnknown()
    return row


async def _check_setup_token(session: AsyncSession, token: str, *, lock: bool = False) -> None:
    row = await session.get(SetupTokenRow, fingerprint(token), with_for_update=lock)
    if row is None:
        raise SetupTokenInvalid("Start the server again: on an empty data folder it prints a fresh link.")


def _deed(action: Action, by: Person | None, subject: str, address: str) -> Entry:
    return Entry(action, acting(by), Purpose.ADMINISTRATION, subject_id=subject, address=address)


def acting(by: Person | None) -> Actor:
    """The actor of a deed that an administrator does, or the platform itself."""
    return SYSTEM if by is None else actor_of(by)


def person_of(row: UserRow) -> Person:
    return Person(row.id, Role(row.role), row.hospital_code, row.name)


def hospital_of(row: HospitalRow) -> Hospital:
    return Hospital(row.code, row.name, row.city)


def user_of(row: UserRow) -> User:
    """Needs ``row.hospital`` loaded."""
    return User(
        id=row.id,
        username=row.username,
        name=row.name,
        role=Role(row.role),
        title=row.title,
        specialty=row.specialty,
        hospital=None if row.hospital is None else hospital_of(row.hospital),
        disabled=row.disabled_at is not None,
    )
