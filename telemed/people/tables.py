"""Hospitals, users and their credentials. Of every secret only a hash is kept."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from telemed.tables import FINGERPRINT, HOSPITAL_CODE, KEY, Base


class HospitalRow(Base):
    __tablename__ = "hospitals"

    code: Mapped[str] = mapped_column(HOSPITAL_CODE, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    city: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class UserRow(Base):
    """A doctor or an administrator. ``username`` is kept in its normal form (people.model.normal_username)."""

    __tablename__ = "users"
    __table_args__ = (Index("ix_users_hospital_code", "hospital_code"),)

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    role: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(64), default="")
    specialty: Mapped[str] = mapped_column(String(64), default="")
    hospital_code: Mapped[str | None] = mapped_column(HOSPITAL_CODE, ForeignKey("hospitals.code"))
    password_hash: Mapped[str] = mapped_column(String(256))
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    hospital: Mapped[HospitalRow | None] = relationship(lazy="raise")


class LoginSessionRow(Base):
    """One browser signed in. ``id`` is the fingerprint of the token in its cookie."""

    __tablename__ = "login_sessions"
    __table_args__ = (Index("ix_login_sessions_user_id", "user_id"), Index("ix_login_sessions_ends_at", "ends_at"))

    id: Mapped[str] = mapped_column(FINGERPRINT, primary_key=True)
    user_id: Mapped[str] = mapped_column(KEY, ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    # Written at most once a minute: reading a page must not cost a durable write each time.
    seen_at: Mapped[datetime]
    # The absolute end, whatever the activity.
    ends_at: Mapped[datetime]

    user: Mapped[UserRow] = relationship(lazy="raise")


class SignInAttemptRow(Base):
    """A sign-in that failed or is under way. The username is fingerprinted: people type passwords into that field."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index("ix_sign_in_attempts_username", "username", "at"),
        Index("ix_sign_in_attempts_address", "address", "at"),
        Index("ix_sign_in_attempts_at", "at"),
    )

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    username: Mapped[str] = mapped_column(FINGERPRINT)
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class ApiKeyRow(Base):
    """A key of a hospital's own software. The id is part of the key; of its secret only the fingerprint is here."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_hospital_code", "hospital_code"),)

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    hospital_code: Mapped[str] = mapped_column(HOSPITAL_CODE, ForeignKey("hospitals.code"))
    label: Mapped[str] = mapped_column(String(64))
    secret_fingerprint: Mapped[str] = mapped_column(FINGERPRINT)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SetupTokenRow(Base):
    """The one-time right to create the first administrator of an empty database."""

    __tablename__ = "setup_tokens"

    fingerprint: Mapped[str] = mapped_column(FINGERPRINT, primary_key=True)
    created_at: Mapped[datetime]
