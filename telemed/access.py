"""The one access policy: pure, default deny. Every door asks it: DICOMweb, the API, rooms, the AI hook.

(who, what, facts) → allow or a reason. The facts are gathered by the caller of this module; nothing here does I/O.
What the policy does not name is denied, and more facts never take away what fewer facts gave.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from imaging.guard import Access


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
    """A hospital's own software, known by an API key. label: what the administrator called the key."""

    key_id: str
    hospital: str
    label: str = ""


Who = Person | HospitalSystem | None


@dataclass(frozen=True, slots=True)
class Decision:
    """True when allowed; else ``reason`` is a stable word that says why not."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


ALLOWED: Final = Decision(True)


class Side(StrEnum):
    """What a person is to a consultation. The expert is the doctor who accepted; the others are their hospital's."""

    REQUESTING = "requesting"
    INVITED = "invited"
    EXPERT = "expert"


@dataclass(frozen=True, slots=True)
class ConsultationFacts:
    """What the policy needs to know of a consultation.

    requesting_hospital, invited_hospital: hospital codes. expert: user id of the doctor who accepted, None before.
    open: accepted and not yet closed, the time in which the expert sees the study and the room may be entered.
    """

    requesting_hospital: str
    invited_hospital: str
    expert: str | None = None
    open: bool = False


def study_access(who: Who, shared: frozenset[str] = frozenset()) -> Access:
    """What ``who`` may see and store in the archive.

    shared: keys of the studies that open consultations share with this doctor; nobody else gains by it.
    An administrator runs the platform and sees no images. Only the hospital's own system deletes what it holds.
    """
    match who:
        case None:
            return Access(caller="nobody")
        case Person():
            return _person_access(who, shared)
        case HospitalSystem():
            own = frozenset({who.hospital})
            return Access(f"key:{who.key_id}", store_as=who.hospital, owners=own, removes=own)
    assert_never(who)


def _person_access(person: Person, shared: frozenset[str]) -> Access:
    caller = f"user:{person.user_id}"
    if not _is_doctor(person) or person.hospital is None:
        return Access(caller)
    return Access(caller, store_as=person.hospital, owners=frozenset({person.hospital}), study_ids=shared)


def sides(person: Person, facts: ConsultationFacts) -> frozenset[Side]:
    """Every side on which ``person`` stands; empty: the consultation does not exist for them."""
    if not _is_doctor(person) or person.hospital is None:
        return frozenset()
    invited = person.hospital == facts.invited_hospital
    standing = {
        Side.REQUESTING: person.hospital == facts.requesting_hospital,
        Side.INVITED: invited,
        # A doctor who has since moved to another hospital does not take the patient along.
        Side.EXPERT: invited and person.user_id == facts.expert,
    }
    return frozenset(side for side, stands in standing.items() if stands)


def may_see_consultation(person: Person, facts: ConsultationFacts) -> Decision:
    """The invitation and its course, without the images: doctors of both hospitals."""
    return ALLOWED if sides(person, facts) else Decision(False, "not_a_side")


def may_act(person: Person, facts: ConsultationFacts, side: Side) -> Decision:
    """An act that belongs to one side (accept: invited, sign: expert, acknowledge: requesting)."""
    return ALLOWED if side in sides(person, facts) else Decision(False, f"not_{side}")


def may_enter_room(person: Person, facts: ConsultationFacts) -> Decision:
    """The requesting hospital's doctors and the expert, while the consultation is open."""
    if not sides(person, facts) & {Side.REQUESTING, Side.EXPERT}:
        return Decision(False, "not_a_participant")
    return ALLOWED if facts.open else Decision(False, "not_open")


def shares_study(person: Person, facts: ConsultationFacts) -> Decision:
    """Does this consultation show its study to ``person``? Only to the expert, only while it is open."""
    if Side.EXPERT not in sides(person, facts):
        return Decision(False, "not_expert")
    return ALLOWED if facts.open else Decision(False, "not_open")


def may_send(person: Person, study_owner: str) -> Decision:
    """Invite another hospital to a study: a doctor of the hospital that holds it."""
    if not _is_doctor(person) or person.hospital != study_owner:
        return Decision(False, "not_own_study")
    return ALLOWED


def may_look_after(person: Person, hospital: str) -> Decision:
    """Usage, quarantine and conflicts of a hospital's holdings: its doctors, and whoever runs the platform."""
    if person.role is Role.ADMINISTRATOR or (_is_doctor(person) and person.hospital == hospital):
        return ALLOWED
    return Decision(False, "not_own_holdings")


def _is_doctor(person: Person) -> bool:
    return person.role is Role.DOCTOR
