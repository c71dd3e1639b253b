"""The expert's opinion: saved while it is written, then signed with the password and frozen."""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.clock import Clock, utc_now
from foundation.database import Database
from foundation.errors import Conflict, Forbidden, Unauthenticated
from telemed.access import Person
from telemed.audit import Action as Deed
from telemed.audit import Audit, Entry, Outcome, Purpose, actor_of
from telemed.consultations import document, pdf
from telemed.consultations.document import Document, OpinionText
from telemed.consultations.model import (
    Action,
    BadState,
    ConsultationState,
    NotYourSide,
    Urgency,
    may_print,
    may_write_opinion,
)
from telemed.consultations.news import Newsroom
from telemed.consultations.store import Record, advance, course_of, record_for
from telemed.consultations.tables import ConsultationRow, OpinionRow
from telemed.consultations.views import Consultation, Directory, Opinion, Presenter, opinion_view
from telemed.people.model import User


class OpinionStale(Conflict):
    code, title = "opinion.stale", "The opinion was saved from another window meanwhile"


class BadPassword(Forbidden):
    code, title = "opinion.bad_password", "The password is wrong"


class Passwords(Protocol):
    """Asks a signed-in person for the password once more; ``telemed.people.sessions.Sessions`` does."""

    async def confirm(self, person: Person, password: str, *, address: str) -> None:
        """Raises Unauthenticated when it is wrong, RateLimited after too many tries."""
        ...


class Opinions:
    def __init__(
        self,
        *,
        database: Database,
        people: Directory,
        passwords: Passwords,
        presenter: Presenter,
        audit: Audit,
        news: Newsroom,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._people = people
        self._passwords = passwords
        self._presenter = presenter
        self._audit = audit
        self._news = news
        self._clock = clock
        self._printer = pdf.OpinionPrinter()

    async def save(self, person: Person, consultation_id: str, text: OpinionText, version: int) -> Opinion:
        """Keep the draft; ``version`` is the one it was written from. Only the expert, only before signature.

        Raises ConsultationUnknown, BadState, NotYourSide, OpinionTooLong, OpinionStale with the present version.
        """
        document.check_lengths(text)
        async with self._database.write() as session:
            row, _ = await record_for(session, person, consultation_id)
            _require_writable(row, person)
            values = {"findings": text.findings, "conclusion": text.conclusion, "advice": text.advice}
            await self._set(session, row.id, version, version=version + 1, saved_at=self._clock(), **values)
            _, opinion = await record_for(session, person, consultation_id)
        return opinion_view(opinion, None)

    async def sign(
        self, person: Person, consultation_id: str, version: int, password: str, *, address: str
    ) -> Consultation:
        """Sign the saved ``version`` with the password: its text is frozen and its SHA-256 recorded.

        Raises ConsultationUnknown, BadState, NotYourSide, OpinionStale, OpinionIncomplete, BadPassword, RateLimited.
        """
        async with self._database.read() as session:
            row, opinion = await record_for(session, person, consultation_id)
        _require_writable(row, person)
        document.check_complete(_text_of(opinion))
        await self._confirm(person, row, password, address)
        users = await self._people.users_by_id([row.requesting_doctor, person.user_id])
        async with self._database.write() as session:
            signed = await advance(session, person, consultation_id, Action.SIGN, clock=self._clock)
            await self._freeze(session, signed, version, users)
            self._audit.add(session, _entry(Deed.OPINION_SIGN, person, row, address))
        self._news.changed(row)
        return await self._presenter.one(person, await self._record(person, consultation_id))

    async def print(self, person: Person, consultation_id: str, *, address: str) -> bytes:
        """The signed opinion as PDF, for both sides. Raises ConsultationUnknown, BadState before signature."""
        row, opinion = await self._record(person, consultation_id)
        if not may_print(course_of(row), person) or opinion.signed_content is None:
            raise BadState("There is nothing to print before the opinion is signed.", got=row.state)
        outcome = await self._outcome(row)
        assert opinion.content_sha256 is not None
        made = await self._printer.print(document.parse(opinion.signed_content), opinion.content_sha256, outcome)
        await self._audit.record(_entry(Deed.OPINION_PRINT, person, row, address))
        return made

    async def _record(self, person: Person, consultation_id: str) -> Record:
        async with self._database.read() as session:
            return await record_for(session, person, consultation_id)

    async def _confirm(self, person: Person, row: ConsultationRow, password: str, address: str) -> None:
        try:
            await self._passwords.confirm(person, password, address=address)
        # The login session is fine: 401 would send the doctor to the sign-in page with the opinion unsigned.
        except Unauthenticated as error:
            await self._audit.record(_entry(Deed.OPINION_SIGN, person, row, address, outcome="failure"))
            raise BadPassword("Enter the password you sign in with.") from error

    async def _freeze(self, session: AsyncSession, record: Record, version: int, users: Mapping[str, User]) -> None:
        row, opinion = record
        frozen = _document(row, opinion, users)
        content = document.canonical(frozen)
        await self._set(
            session,
            row.id,
            version,
            signed_at=frozen.signed_at,
            signed_by=frozen.signed_by.user_id,
            signed_content=content,
            content_sha256=document.sha256(content),
        )

    async def _outcome(self, row: ConsultationRow) -> pdf.Outcome | None:
        """What the requesting side did with it, once acknowledged."""
        if row.state != ConsultationState.COMPLETED or row.closed_by is None or row.closed_at is None:
            return None
        users = await self._people.users_by_id([row.closed_by])
        return pdf.Outcome(row.handling, document.party(users[row.closed_by]), row.closed_at)

    async def _set(self, session: AsyncSession, consultation_id: str, expected: int, **values: object) -> None:
        """Compare-and-set on the version: another window's save, or the signature, must not be overwritten."""
        still = (
            OpinionRow.consultation_id == consultation_id,
            OpinionRow.version == expected,
            OpinionRow.signed_at.is_(None),
        )
        query = update(OpinionRow).where(*still).values(**values).returning(OpinionRow.version)
        if await session.scalar(query.execution_options(synchronize_session=False)) is None:
            current = await session.get_one(OpinionRow, consultation_id, populate_existing=True)
            raise _stale(current.version)


def _require_writable(row: ConsultationRow, person: Person) -> None:
    course = course_of(row)
    if may_write_opinion(course, person):
        return
    if course.state is not ConsultationState.ACCEPTED:
        expected = [ConsultationState.ACCEPTED]
        raise BadState("An opinion is written between acceptance and signature.", expected=expected, got=course.state)
    raise NotYourSide("Only the doctor who accepted writes the opinion.", side="expert")


def _document(row: ConsultationRow, opinion: OpinionRow, users: Mapping[str, User]) -> Document:
    """What is signed. The row must have reached "opined": the expert and the time are there."""
    assert row.expert is not None
    assert row.opined_at is not None
    return Document(
        consultation_id=row.id,
        urgency=Urgency(row.urgency),
        subject=document.subject_of(row.subject),
        requested_by=document.party(users[row.requesting_doctor]),
        requested_specialty=row.requested_specialty,
        requested_title=row.requested_title,
        reason=row.reason,
        purpose=row.purpose,
        summary=row.summary,
        created_at=row.created_at,
        scheduled_at=row.scheduled_at,
        opinion=_text_of(opinion),
        version=opinion.version,
        signed_by=document.party(users[row.expert]),
        signed_at=row.opined_at,
    )


def _text_of(opinion: OpinionRow) -> OpinionText:
    return OpinionText(opinion.findings, opinion.conclusion, opinion.advice)


def _stale(version: int) -> OpinionStale:
    return OpinionStale("Read the opinion as it is now, then save again.", version=version)


def _entry(deed: Deed, person: Person, row: ConsultationRow, address: str, outcome: Outcome = "success") -> Entry:
    return Entry(
        deed,
        actor_of(person),
        Purpose.CONSULTATION,
        study_id=row.study_id,
        consultation_id=row.id,
        outcome=outcome,
        address=address,
    )
