"""Consultations, their opinions, and what was said and marked in their rooms."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from telemed.tables import FINGERPRINT, HOSPITAL_CODE, KEY, Base

LABEL: Final = String(64)
STATE: Final = String(16)


class ConsultationRow(Base):
    """One invitation and its course. ``state`` changes only by compare-and-set (consultations.store)."""

    __tablename__ = "consultations"
    __table_args__ = (
        Index("ix_consultations_requesting_hospital", "requesting_hospital", "id"),
        Index("ix_consultations_invited_hospital", "invited_hospital", "id"),
        Index("ix_consultations_expert", "expert", "state"),
    )

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    # The meeting point's own name: it appears in URLs of the signalling server and tells nothing else.
    room: Mapped[str] = mapped_column(KEY, unique=True)
    state: Mapped[str] = mapped_column(STATE)
    urgency: Mapped[str] = mapped_column(STATE)
    requesting_hospital: Mapped[str] = mapped_column(HOSPITAL_CODE, ForeignKey("hospitals.code"))
    requesting_doctor: Mapped[str] = mapped_column(KEY, ForeignKey("users.id"))
    invited_hospital: Mapped[str] = mapped_column(HOSPITAL_CODE, ForeignKey("hospitals.code"))
    expert: Mapped[str | None] = mapped_column(KEY, ForeignKey("users.id"))
    requested_specialty: Mapped[str] = mapped_column(LABEL)
    requested_title: Mapped[str] = mapped_column(LABEL)
    reason: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    scheduled_at: Mapped[datetime]
    study_id: Mapped[str] = mapped_column(KEY, index=True)
    # The patient and the study as they were when the invitation was sent (consultations.document.Subject): part of the
    # record that is signed, whatever is corrected in the index later.
    subject: Mapped[dict[str, Any]]
    decline_reason: Mapped[str] = mapped_column(Text, default="")
    cancel_reason: Mapped[str] = mapped_column(Text, default="")
    handling: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    opined_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(KEY, ForeignKey("users.id"))


class OpinionRow(Base):
    """The expert's opinion: a draft that grows by ``version``, then signed and never changed again."""

    __tablename__ = "opinions"

    consultation_id: Mapped[str] = mapped_column(
        KEY, ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True
    )
    findings: Mapped[str] = mapped_column(Text, default="")
    conclusion: Mapped[str] = mapped_column(Text, default="")
    advice: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=0)
    saved_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None] = mapped_column(KEY, ForeignKey("users.id"))
    # The whole document as it was signed (consultations.document), and its SHA-256 in hexadecimal.
    signed_content: Mapped[str | None] = mapped_column(Text)
    content_sha256: Mapped[str | None] = mapped_column(FINGERPRINT)


class RoomEventRow(Base):
    """The journal of a room: its durable events, numbered 1, 2, 3 … without gaps."""

    __tablename__ = "room_events"
    __table_args__ = (UniqueConstraint("room", "seq"),)

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    room: Mapped[str] = mapped_column(KEY)
    seq: Mapped[int]
    # Identity of the room's history (docs/protocol.md): the same in all of a room's events.
    epoch: Mapped[str] = mapped_column(LABEL)
    kind: Mapped[str] = mapped_column(LABEL)
    author: Mapped[str] = mapped_column(LABEL)
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    # The client's own id of its command: repeating one after a restart must not say it twice.
    command_id: Mapped[str | None] = mapped_column(LABEL)


class RoomLeaseRow(Base):
    """Which process serves a room. ``fence`` grows with every change of hands; the journal takes only the newest."""

    __tablename__ = "room_leases"

    room: Mapped[str] = mapped_column(KEY, primary_key=True)
    node: Mapped[str] = mapped_column(String(320))
    url: Mapped[str] = mapped_column(String(2048))
    fence: Mapped[int]
    expires_at: Mapped[datetime]


class SpentTicketRow(Base):
    """A ticket that opened a room; it opens none again. Kept until it would be too old anyway."""

    __tablename__ = "spent_tickets"

    number: Mapped[str] = mapped_column(KEY, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
