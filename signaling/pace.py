"""How fast one participant may talk: token buckets on the room's own notion of now."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from signaling.limits import Limits


class Pace(StrEnum):
    """Which allowance a message draws on."""

    COMMAND = "command"
    STREAM = "stream"
    SIGNAL = "signal"
    FAULT = "fault"


@dataclass(slots=True)
class TokenBucket:
    """``burst`` tokens at first, refilled at ``per_second``."""

    per_second: float
    burst: float
    tokens: float
    filled_at: datetime

    def take(self, now: datetime) -> bool:
        """Whether there was a token. A clock that went back refills nothing."""
        elapsed_s = max(0.0, (now - self.filled_at).total_seconds())
        self.tokens = min(self.burst, self.tokens + elapsed_s * self.per_second)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def allowances(limits: Limits, now: datetime) -> dict[Pace, TokenBucket]:
    """Full buckets for somebody who has just arrived."""
    rates = {
        Pace.COMMAND: (limits.commands_per_second, limits.command_burst),
        Pace.STREAM: (limits.stream_per_second, limits.stream_burst),
        Pace.SIGNAL: (limits.signal_per_second, limits.signal_burst),
        Pace.FAULT: (limits.fault_per_second, limits.fault_burst),
    }
    return {pace: TokenBucket(rate, burst, burst, now) for pace, (rate, burst) in rates.items()}
