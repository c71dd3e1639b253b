"""What a rule is: it looks at one command and the state of the room, and says what follows. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from signaling.bodies import Grant
from signaling.codes import ErrorCode, Refusal
from signaling.messages import Envelope, EventKind, encode
from signaling.pace import Pace
from signaling.state import Output, Seat, State


@dataclass(frozen=True, slots=True)
class Stream:
    """Something sent many times a second: only the newest of its slot matters, and its author knows it already."""

    slot: tuple[str, ...]
    message: Envelope


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command leads to. events: proposed, (kind, body). outputs: told at once. stream: told at a pace."""

    events: tuple[tuple[EventKind, dict[str, Any]], ...] = ()
    outputs: tuple[Output, ...] = ()
    stream: Stream | None = None


B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Turn(Generic[B]):
    """One command about to be judged: who says what, in which state of the room, when, thinking of which scope."""

    state: State
    seat: Seat
    body: B
    now: datetime
    scope: str = ""


Rule = Callable[[Turn[Any]], Effect]


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table of commands.

    grant: needed for it; None: everybody may. durable: may propose events, so the driver journals it before telling.
    scoped: refused when the room has turned to something else meanwhile. outside: may be said in the waiting room.
    """

    rule: Rule
    grant: Grant | None
    pace: Pace = Pace.COMMAND
    durable: bool = False
    scoped: bool = False
    outside: bool = False


def check_scope(turn: Turn[Any]) -> None:
    if turn.scope != turn.state.history.scope:
        raise Refusal(ErrorCode.STALE_SCOPE)


def jsonable(raw: msgspec.Raw, most: int) -> Any:
    """The value as every other side will read it; raises Refusal for one that is too large or cannot be told."""
    if len(raw) > most:
        raise Refusal(ErrorCode.TOO_LARGE, f"A value holds at most {most} bytes of JSON.")
    try:
        again = encode(msgspec.json.decode(raw))
        value = msgspec.json.decode(again)
    except (msgspec.MsgspecError, OverflowError, RecursionError, ValueError) as error:
        raise Refusal(ErrorCode.INVALID, "The value is not JSON that others can read.") from error
    if b"\\u0000" in again:
        raise Refusal(ErrorCode.INVALID, "The value holds a NUL character.")
    return value
