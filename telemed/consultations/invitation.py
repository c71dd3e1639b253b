"""What an invitation must say before it is sent. No I/O."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from foundation.errors import Unprocessable
from telemed.consultations.model import TEXT_MAX_CHARACTERS, Urgency

SUMMARY_MAX_CHARACTERS: Final = 8000
LABEL_MAX_CHARACTERS: Final = 64

# The mandatory fields (国卫医发〔2018〕25号) and the longest text each takes; the time is typed and checked apart.
FIELD_LIMITS: Final = {
    "reason": TEXT_MAX_CHARACTERS,
    "purpose": TEXT_MAX_CHARACTERS,
    "summary": SUMMARY_MAX_CHARACTERS,
    "requested_specialty": LABEL_MAX_CHARACTERS,
    "requested_title": LABEL_MAX_CHARACTERS,
}


class InvitationIncomplete(Unprocessable):
    code, title = "consultation.invitation_incomplete", "The invitation lacks something"


class OwnHospital(Unprocessable):
    code, title = "consultation.own_hospital", "Invite another hospital than your own"


class Invitation(Struct, frozen=True, forbid_unknown_fields=True):
    """A request for a consultation. scheduled_at is aware. What is left out is reported field by field."""

    study_id: str
    invited_hospital: str
    requested_specialty: str = ""
    requested_title: str = ""
    reason: str = ""
    purpose: str = ""
    summary: str = ""
    scheduled_at: datetime | None = None
    urgency: Urgency = Urgency.ORDINARY


def check(invitation: Invitation, own_hospital: str) -> None:
    """Raises OwnHospital, or InvitationIncomplete whose ``fields`` name everything that is wrong at once."""
    if invitation.invited_hospital == own_hospital:
        raise OwnHospital()
    wrong = problems(invitation)
    if wrong:
        raise InvitationIncomplete("Fill in the fields that are named.", fields=wrong)


def problems(invitation: Invitation) -> dict[str, str]:
    """Field → "missing", "too_long" or "no_time_zone"; empty when the invitation may be sent."""
    found = {name: _text_problem(getattr(invitation, name), limit) for name, limit in FIELD_LIMITS.items()}
    found["scheduled_at"] = _time_problem(invitation.scheduled_at)
    return {name: problem for name, problem in found.items() if problem}


def _text_problem(text: str, limit: int) -> str:
    if not text.strip():
        return "missing"
    return "too_long" if len(text) > limit else ""


def _time_problem(at: datetime | None) -> str:
    if at is None:
        return "missing"
    return "no_time_zone" if at.tzinfo is None else ""
