"""The one access policy: pure, default deny. Every door asks it: DICOMweb, the API, rooms, the AI hook.

(who, what, facts) → allow or a reason. The facts are gathered by the caller of this module; nothing here does I/O.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    DOCTOR = "doctor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in user. hospital: the code of the hospital whose rights the person has; None for an administrator."""

    user_id: str
    role: Role
    hospital: str | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class HospitalSystem:
    """A hospital's own software, known by an API key."""

    key_id: str
    hospital: str
