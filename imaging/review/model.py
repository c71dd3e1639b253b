"""What a review job may go through, and how several jobs sum up to one word for the study. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Literal

from imaging.review.errors import JobOutOfTurn


class JobState(StrEnum):
    SCHEDULED = "scheduled"
    DELIVERED = "delivered"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class JobEvent(StrEnum):
    """accepted: the vendor took the event (2xx). claimed: the vendor asked for a token. The rest end or report."""

    ACCEPTED = "accepted"
    CLAIMED = "claimed"
    PROGRESSED = "progressed"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


_ENDS_ANY_TIME: Final = {
    JobEvent.FAILED: JobState.FAILED,
    JobEvent.SKIPPED: JobState.SKIPPED,
    JobEvent.EXPIRED: JobState.EXPIRED,
    JobEvent.SUPERSEDED: JobState.SUPERSEDED,
}

# A state that is not a key here has ended. The vendor may claim before we have read its 202: hence scheduled → claimed,
# and an acceptance noticed late changes nothing.
TRANSITIONS: Final[Mapping[JobState, Mapping[JobEvent, JobState]]] = {
    JobState.SCHEDULED: {
        JobEvent.ACCEPTED: JobState.DELIVERED,
        JobEvent.CLAIMED: JobState.IN_PROGRESS,
        **_ENDS_ANY_TIME,
    },
    JobState.DELIVERED: {
        JobEvent.ACCEPTED: JobState.DELIVERED,
        JobEvent.CLAIMED: JobState.IN_PROGRESS,
        **_ENDS_ANY_TIME,
    },
    JobState.IN_PROGRESS: {
        JobEvent.ACCEPTED: JobState.IN_PROGRESS,
        JobEvent.CLAIMED: JobState.IN_PROGRESS,
        JobEvent.PROGRESSED: JobState.IN_PROGRESS,
        JobEvent.COMPLETED: JobState.COMPLETED,
        **_ENDS_ANY_TIME,
    },
}

OPEN: Final = frozenset(TRANSITIONS)


def advance(state: JobState, event: JobEvent) -> JobState:
    """The state after ``event``; raises :class:`JobOutOfTurn` when the table has no such step."""
    following = TRANSITIONS.get(state, {}).get(event)
    if following is None:
        raise JobOutOfTurn(f"A job that is {state} cannot become {event}.", state=state, event=event)
    return following


StudyReview = Literal["pending", "running", "done", "failed"]

# The first word that fits any of the jobs wins: what is still to come before what is over, trouble before success.
_SUMMED_UP: Final[tuple[tuple[StudyReview, frozenset[JobState]], ...]] = (
    ("running", frozenset({JobState.IN_PROGRESS})),
    ("pending", frozenset({JobState.SCHEDULED, JobState.DELIVERED})),
    ("failed", frozenset({JobState.FAILED, JobState.EXPIRED})),
    ("done", frozenset({JobState.COMPLETED, JobState.SKIPPED})),
)


def summed_up(states: Iterable[JobState]) -> StudyReview | None:
    """One word for all jobs of a study's newest generation; None when there is none (or all were superseded)."""
    present = set(states)
    return next((word for word, fitting in _SUMMED_UP if present & fitting), None)
