"""People and credentials as rules: names, passwords, tokens, sign-in limits. No I/O."""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from foundation.errors import Conflict, NotFound, RateLimited, Unauthenticated, Unprocessable
from telemed.access import Role

PASSWORD_MIN_CHARACTERS: Final = 10
# Argon2 reads all of it: a longer one only costs the server time.
PASSWORD_MAX_CHARACTERS: Final = 256
USERNAME_MIN_CHARACTERS: Final = 2
USERNAME_MAX_CHARACTERS: Final = 64
KEY_SCHEME: Final = "tk"

Code = Annotated[str, Meta(min_length=2, max_length=32, pattern="^[A-Za-z0-9][A-Za-z0-9-]*$")]
Username = Annotated[str, Meta(min_length=USERNAME_MIN_CHARACTERS, max_length=USERNAME_MAX_CHARACTERS)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Short = Annotated[str, Meta(max_length=64)]
Label = Annotated[str, Meta(min_length=1, max_length=64)]
# Length is the password policy's business, not the JSON shape's: it answers with its own code.
Secret = Annotated[str, Meta(max_length=1024)]


class BadCredentials(Unauthenticated):
    code, title = "session.bad_credentials", "Username or password is wrong"


class TooManyAttempts(RateLimited):
    code, title = "session.too_many_attempts", "Too many attempts to sign in"


class SetupTokenInvalid(Unauthenticated):
    code, title = "setup.token_invalid", "The set-up link is used up or wrong"


class WeakPassword(Unprocessable):
    code, title = "user.weak_password", "The password is too weak"


class UsernameTaken(Conflict):
    code, title = "user.username_taken", "Another user has that username"


class UsernameUnfit(Unprocessable):
    code, title = "user.username_unfit", "That username cannot be used"


class RoleHospitalMismatch(Unprocessable):
    code, title = "user.role_hospital_mismatch", "Role and hospital do not go together"


class HospitalExists(Conflict):
    code, title = "hospital.exists", "Another hospital has that code"


class HospitalUnknown(NotFound):
    code, title = "hospital.unknown", "There is no such hospital"


class UserUnknown(NotFound):
    code, title = "user.unknown", "There is no such user"


class OwnAccount(Conflict):
    code, title = "user.own_account", "Ask another administrator"


class Hospital(Struct, frozen=True):
    code: str
    name: str
    city: str


class User(Struct, frozen=True):
    """A person as the API shows one. hospital is None for an administrator."""

    id: str
    username: str
    name: str
    role: Role
    title: str
    specialty: str
    hospital: Hospital | None
    disabled: bool = False


class NewUser(Struct, frozen=True, forbid_unknown_fields=True):
    username: Username
    name: Name
    password: Secret
    role: Role
    hospital_code: Code | None = None
    title: Short = ""
    specialty: Short = ""


class UserChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What an administrator may change of a user; what is left out stays."""

    disabled: bool | msgspec.UnsetType = msgspec.UNSET
    password: Secret | msgspec.UnsetType = msgspec.UNSET


class ApiKey(Struct, frozen=True):
    """A key as listed: enough to recognise it, nothing to use it. prefix: how the key begins."""

    id: str
    label: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def normal_username(username: str) -> str:
    """One spelling for what people take for the same name: compatibility forms, case and outer blanks folded."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def check_username(username: str) -> None:
    """Raises :class:`UsernameUnfit`: the normal form may be shorter or longer than what was typed."""
    normal = normal_username(username)
    if not USERNAME_MIN_CHARACTERS <= len(normal) <= USERNAME_MAX_CHARACTERS or not normal.isprintable():
        raise UsernameUnfit(f"Choose {USERNAME_MIN_CHARACTERS} to {USERNAME_MAX_CHARACTERS} visible characters.")


def normal_password(password: str) -> str:
    """Composed form, so that keyboards that send decomposed letters give the same password (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, username: str) -> None:
    """Raises :class:`WeakPassword` with the rule that the password breaks."""
    normal = normal_password(password)
    if len(normal) < PASSWORD_MIN_CHARACTERS:
        raise WeakPassword(f"Choose at least {PASSWORD_MIN_CHARACTERS} characters.", min=PASSWORD_MIN_CHARACTERS)
    if len(normal) > PASSWORD_MAX_CHARACTERS:
        raise WeakPassword(f"Choose at most {PASSWORD_MAX_CHARACTERS} characters.", max=PASSWORD_MAX_CHARACTERS)
    if normal_username(password) == normal_username(username) or len(set(normal)) < 4:
        raise WeakPassword("Choose one that is neither the username nor a few characters repeated.")


def check_role(role: Role, hospital_code: str | None) -> None:
    """A doctor belongs to a hospital; an administrator to none, and so sees no images."""
    if (role is Role.DOCTOR) != (hospital_code is not None):
        raise RoleHospitalMismatch("Give a doctor a hospital_code and an administrator none.")


def new_secret() -> str:
    """256 random bits, safe in a URL and in a header."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """What is kept of a random secret: SHA-256, hexadecimal. Fast is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def key_prefix(key_id: str) -> str:
    return f"{KEY_SCHEME}_{key_id}"


_KEY: Final = re.compile(rf"{KEY_SCHEME}_([0-9A-Z]{{26}})_([A-Za-z0-9_-]{{43}})")


def split_key(key: str) -> tuple[str, str] | None:
    """(id, secret) of an API key; None when it is not shaped like one."""
    match = _KEY.fullmatch(key)
    return (match[1], match[2]) if match else None


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long a sign-in lasts: at most ``absolute``, and only while used within ``idle``."""

    absolute: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(hours=2)
    # How old ``seen_at`` may be before it is written again.
    touch_after: timedelta = timedelta(minutes=1)

    def alive(self, seen_at: datetime, ends_at: datetime, now: datetime) -> bool:
        return now < ends_at and now - seen_at < self.idle

    def needs_touch(self, seen_at: datetime, now: datetime) -> bool:
        return now - seen_at >= self.touch_after


@dataclass(frozen=True, slots=True)
class Attempt:
    """A failed sign-in, or one under way. username is fingerprinted."""

    username: str
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """Failures allowed within ``window``.

    The pair is tight against guessing; the address is wide because a hospital's doctors share one; the username is
    wide so that a stranger cannot lock a doctor out with a handful of tries, and yet stops guessing from many places.
    """

    window: timedelta = timedelta(minutes=15)
    pair: int = 8
    address: int = 60
    username: int = 60

    def retry_after(self, attempts: Iterable[Attempt], username: str, address: str, now: datetime) -> timedelta | None:
        """How long to wait before the next try; None: try now. ``attempts``: those that touch either of the two."""
        recent = sorted((a for a in attempts if now - a.at < self.window), key=lambda attempt: attempt.at)
        of_username = [a.at for a in recent if a.username == username]
        of_address = [a.at for a in recent if a.address == address]
        of_pair = [a.at for a in recent if a.username == username and a.address == address]
        groups = ((of_pair, self.pair), (of_address, self.address), (of_username, self.username))
        waits = [times[-limit] + self.window - now for times, limit in groups if len(times) >= limit]
        return max(waits, default=None)


def too_many(wait: timedelta) -> TooManyAttempts:
    seconds = max(1, -int(-wait.total_seconds() // 1))
    return TooManyAttempts("Wait before you try again, or ask an administrator.", retry_after_s=seconds)
