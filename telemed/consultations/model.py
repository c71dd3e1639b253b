"""The course of a consultation as rules: one transition table, who may act, what may be seen when. No I/O.

Source of the course: 远程医疗服务管理规范(试行), 国卫医发〔2018〕25号: the invitation names reason, purpose, time,
summary of the record and the specialty and title asked for; a refusal is notified with its reasons; the opinion is
signed by the invited side; the requesting side decides on the treatment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from foundation.errors import Conflict, Forbidden, NotFound, Unprocessable
from telemed.access import ConsultationFacts, Person, Side, may_act, may_enter_room, may_see_consultation

TEXT_MAX_CHARACTERS: Final = 2000


class ConsultationState(StrEnum):
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    OPINED = "opined"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What moves a consultation on."""

    ACCEPT = "accept"
    DECLINE = "decline"
    CANCEL = "cancel"
    SIGN = "sign"
    ACKNOWLEDGE = "acknowledge"


class Urgency(StrEnum):
    ORDINARY = "ordinary"
    URGENT = "urgent"


class ConsultationUnknown(NotFound):
    code, title = "consultation.not_found", "There is no such consultation, or not for you"


class BadState(Conflict):
    code, title = "consultation.bad_state", "The consultation is not in a state that allows this"


class Taken(BadState):
    code, title = "consultation.taken", "Another doctor has accepted already"


class NotYourSide(Forbidden):
    code, title = "consultation.not_your_side", "That belongs to the other side"


class TextRequired(Unprocessable):
    code, title = "consultation.text_required", "Say why"


class TextTooLong(Unprocessable):
    code, title = "consultation.text_too_long", "The text is too long"


@dataclass(frozen=True, slots=True)
class Transition:
    """Where an action leads, which side may do it, and whether it needs words (a reason, how it was handled)."""

    to: ConsultationState
    side: Side
    needs_text: bool = False


_S = ConsultationState

TRANSITIONS: Final[Mapping[tuple[ConsultationState, Action], Transition]] = {
    (_S.REQUESTED, Action.ACCEPT): Transition(_S.ACCEPTED, Side.INVITED),
    (_S.REQUESTED, Action.DECLINE): Transition(_S.DECLINED, Side.INVITED, needs_text=True),
    (_S.REQUESTED, Action.CANCEL): Transition(_S.CANCELLED, Side.REQUESTING, needs_text=True),
    (_S.ACCEPTED, Action.CANCEL): Transition(_S.CANCELLED, Side.REQUESTING, needs_text=True),
    (_S.ACCEPTED, Action.SIGN): Transition(_S.OPINED, Side.EXPERT),
    (_S.OPINED, Action.ACKNOWLEDGE): Transition(_S.COMPLETED, Side.REQUESTING, needs_text=True),
}

FINAL: Final = frozenset(ConsultationState) - {state for state, _ in TRANSITIONS}
OPEN: Final = frozenset({_S.ACCEPTED, _S.OPINED})
# Everything that a person may be offered, in the order in which the pages show it.
ACTION_NAMES: Final = ("accept", "decline", "join", "write_opinion", "sign", "acknowledge", "print", "cancel")
# In which states the opinion bears a signature.
SIGNED: Final = frozenset({_S.OPINED, _S.COMPLETED})


@dataclass(frozen=True, slots=True)
class Course:
    """How far one consultation has come. Times are aware, UTC, and never run backwards.

    expert: user id of the doctor who accepted. closed_at, closed_by: when it was
    completed, declined or cancelled, and the user id of who did it.
    """

    state: ConsultationState
    requesting_hospital: str
    invited_hospital: str
    created_at: datetime
    changed_at: datetime
    expert: str | None = None
    accepted_at: datetime | None = None
    declined_at: datetime | None = None
    opined_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    decline_reason: str = ""
    cancel_reason: str = ""
    handling: str = ""


def room_open(state: ConsultationState) -> bool:
    return state in OPEN


def expert_sees_study(state: ConsultationState) -> bool:
    """From acceptance until the consultation ends; that ``room_open`` says the same is no accident but not the law."""
    return state in OPEN


def facts(course: Course) -> ConsultationFacts:
    """What the access policy needs to know."""
    return ConsultationFacts(
        course.requesting_hospital, course.invited_hospital, course.expert, open=expert_sees_study(course.state)
    )


def perform(course: Course, action: Action, person: Person, at: datetime, text: str = "") -> Course:
    """The course after ``person`` did ``action`` at ``at``; ``text`` is the reason or how it was handled.

    Raises ConsultationUnknown, BadState, Taken, NotYourSide, TextRequired, TextTooLong; then nothing has changed.
    """
    require_visible(course, person)
    transition = TRANSITIONS.get((course.state, action))
    if transition is None:
        raise refusal(course, action, person)
    if not may_act(person, facts(course), transition.side):
        raise NotYourSide(f"Only the {transition.side} side may {action} a consultation.", side=transition.side)
    if transition.needs_text:
        _check_text(action, text)
    # A clock set back must not let a consultation close before it was accepted.
    moved = replace(course, state=transition.to, changed_at=max(at, course.changed_at))
    return _marked(moved, action, person, text.strip())


def require_visible(course: Course, person: Person) -> None:
    """Raises ConsultationUnknown for everybody who stands on neither side."""
    if not may_see_consultation(person, facts(course)):
        raise ConsultationUnknown()


def refusal(course: Course, action: Action, person: Person) -> BadState:
    """Why the table has no such step, with the states that would allow it and the one found."""
    expected = [state for state, possible in TRANSITIONS if possible is action]
    known = {"expected": expected, "got": course.state}
    late = action is Action.ACCEPT and course.state is _S.ACCEPTED
    if late and may_act(person, facts(course), Side.INVITED) and course.expert != person.user_id:
        return Taken("A colleague accepted this consultation; read it from the list.", **known)
    return BadState(f"To {action} it must be {' or '.join(expected)}; it is {course.state}.", **known)


def _check_text(action: Action, text: str) -> None:
    if not text.strip():
        raise TextRequired(f"Write a sentence for the other side to {action} this.")
    if len(text) > TEXT_MAX_CHARACTERS:
        raise TextTooLong(f"Use at most {TEXT_MAX_CHARACTERS} characters.", max=TEXT_MAX_CHARACTERS)


def _marked(course: Course, action: Action, person: Person, text: str) -> Course:
    """The action's own marks on a course that has already moved."""
    now = course.changed_at
    match action:
        case Action.ACCEPT:
            return replace(course, expert=person.user_id, accepted_at=now)
        case Action.DECLINE:
            return replace(course, declined_at=now, closed_at=now, closed_by=person.user_id, decline_reason=text)
        case Action.CANCEL:
            return replace(course, closed_at=now, closed_by=person.user_id, cancel_reason=text)
        case Action.SIGN:
            return replace(course, opined_at=now)
        case Action.ACKNOWLEDGE:
            return replace(course, closed_at=now, closed_by=person.user_id, handling=text)


def may_write_opinion(course: Course, person: Person) -> bool:
    return course.state is _S.ACCEPTED and bool(may_act(person, facts(course), Side.EXPERT))


def may_read_opinion(course: Course, person: Person) -> bool:
    """A draft belongs to its author; what is signed belongs to the records of both hospitals."""
    return may_write_opinion(course, person) or may_print(course, person)


def may_print(course: Course, person: Person) -> bool:
    return course.state in SIGNED and bool(may_see_consultation(person, facts(course)))


def actions_for(course: Course, person: Person) -> list[str]:
    """What ``person`` may do now, in the order in which the pages show it."""
    known = facts(course)
    steps = {action: step for (state, action), step in TRANSITIONS.items() if state is course.state}
    able = {
        **{action.value: bool(may_act(person, known, step.side)) for action, step in steps.items()},
        "join": bool(may_enter_room(person, known)),
        "write_opinion": may_write_opinion(course, person),
        "print": may_print(course, person),
    }
    return [name for name in ACTION_NAMES if able.get(name)]
