"""What an answer to a delivery means, and when to try again. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

# Before attempt n+1, after attempt n: Standard Webhooks 1.0, "Deliverability and reliability", begun sooner because a
# reader is waiting.
DELAYS_SECONDS: Final = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 21600.0, 86400.0)
JITTER_SHARE: Final = 0.2
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    RETRY = "retry"
    REFUSED = "refused"
    SKIPPED = "skipped"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """status: None when there was no answer (``error`` says why). retry_after: the header as sent."""

    status: int | None
    error: str = ""
    retry_after: str = ""


_BY_STATUS: Final = {
    409: Verdict.ACCEPTED,  # it has this id already: our earlier attempt arrived, only its answer was lost
    410: Verdict.GONE,
    401: Verdict.RETRY,  # a secret being rotated looks like this for a while
    403: Verdict.RETRY,
    408: Verdict.RETRY,
    425: Verdict.RETRY,
    429: Verdict.RETRY,
    413: Verdict.SKIPPED,
    415: Verdict.SKIPPED,
    422: Verdict.SKIPPED,
}


def judge(answer: Answer) -> Verdict:
    """A redirect is refused, not followed: following would let an endpoint aim our requests elsewhere."""
    status = answer.status
    if status is None or status >= 500:
        return Verdict.RETRY
    if 200 <= status < 300:
        return Verdict.ACCEPTED
    return _BY_STATUS.get(status, Verdict.REFUSED)


def reason(answer: Answer) -> str:
    """For the job's ``last_error``: never anything the vendor wrote."""
    return answer.error if answer.status is None else f"answered {answer.status}"


def next_attempt(
    attempts: int, now: datetime, delays: Sequence[float], jitter: Callable[[], float], answer: Answer
) -> datetime | None:
    """When to try again after ``attempts`` tries; None when the schedule is used up. ``jitter`` gives 0..1."""
    if attempts > len(delays):
        return None
    share = 1 + JITTER_SHARE * (2 * jitter() - 1)
    planned = now + timedelta(seconds=delays[attempts - 1] * share)
    return max(planned, _asked_for(answer.retry_after, now) or planned)


def _asked_for(header: str, now: datetime) -> datetime | None:
    if header.isascii() and header.isdigit() and len(header) < 8:
        return now + min(timedelta(seconds=int(header)), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return min(moment, now + LONGEST_RETRY_AFTER) if moment.tzinfo else None
