"""The signed document: everything an opinion rests on, frozen at signature, in one canonical form. No I/O.

Contents after 病历书写基本规范 (consultation record): application with condition, reason, purpose and applicant;
opinion with the consultant's institution, time and signature.
"""

import hashlib
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from foundation.errors import Unprocessable
from telemed.consultations.model import Urgency
from telemed.people.model import User

TEXT_MAX_CHARACTERS: Final = 8000


class OpinionIncomplete(Unprocessable):
    code, title = "opinion.incomplete", "An opinion needs a conclusion"


class OpinionTooLong(Unprocessable):
    code, title = "opinion.too_long", "A text of the opinion is too long"


class Subject(Struct, frozen=True):
    """Whose study the consultation is about, as it was when the invitation was sent. Dates are ISO, "" unknown."""

    patient_name: str = ""
    patient_sex: str = ""
    patient_birth_date: str = ""
    patient_age: str = ""
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    study_instance_uid: str = ""
    study_date: str = ""
    study_description: str = ""
    accession_number: str = ""
    modalities: list[str] = []


class Party(Struct, frozen=True):
    """A doctor who puts the name to something, with title and institution as they were then."""

    user_id: str
    name: str
    title: str
    hospital_code: str
    hospital_name: str


class OpinionText(Struct, frozen=True):
    """What the expert writes. findings and advice may stay empty; the conclusion may not."""

    findings: str = ""
    conclusion: str = ""
    advice: str = ""


class Document(Struct, frozen=True):
    """What the signature covers. Times are aware, UTC. version: of the draft that was signed."""

    consultation_id: str
    urgency: Urgency
    subject: Subject
    requested_by: Party
    requested_specialty: str
    requested_title: str
    reason: str
    purpose: str
    summary: str
    created_at: datetime
    scheduled_at: datetime
    opinion: OpinionText
    version: int
    signed_by: Party
    signed_at: datetime


def party(user: User) -> Party:
    hospital = user.hospital
    return Party(
        user_id=user.id,
        name=user.name,
        title=user.title,
        hospital_code=hospital.code if hospital else "",
        hospital_name=hospital.name if hospital else "",
    )


def check_lengths(text: OpinionText) -> None:
    """Raises OpinionTooLong naming the fields."""
    long = [name for name, value in msgspec.structs.asdict(text).items() if len(value) > TEXT_MAX_CHARACTERS]
    if long:
        raise OpinionTooLong(f"Use at most {TEXT_MAX_CHARACTERS} characters.", fields=long, max=TEXT_MAX_CHARACTERS)


def check_complete(text: OpinionText) -> None:
    """Raises OpinionIncomplete."""
    if not text.conclusion.strip():
        raise OpinionIncomplete("Write the conclusion before you sign.")


def subject_of(stored: dict[str, Any]) -> Subject:
    """The subject as the database keeps it."""
    return msgspec.convert(stored, Subject)


def canonical(document: Document) -> str:
    """JSON with sorted keys and no blanks: the same document always gives the same text."""
    return msgspec.json.encode(document, order="sorted").decode()


def parse(content: str) -> Document:
    """The document behind a canonical text."""
    return msgspec.json.decode(content, type=Document)


def sha256(content: str) -> str:
    """Hexadecimal, of the UTF-8 bytes."""
    return hashlib.sha256(content.encode()).hexdigest()


def masked(patient_id: str) -> str:
    """Enough to tell two patients apart on a list: the last four characters, at most half of the whole."""
    shown = min(4, len(patient_id) // 2)
    return "*" * (len(patient_id) - shown) + patient_id[len(patient_id) - shown :]
