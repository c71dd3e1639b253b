"""What a page asks before it opens a socket, because a browser cannot read why a socket was refused. Pure.

One machine code and a sentence in both languages; the codes never change, the sentences may.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from signaling.messages import FEATURES, VERSION
from telemed.access import Decision
from telemed.consultations.model import ConsultationState


class Readiness(StrEnum):
    READY = "READY"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    ENDED = "ENDED"
    NOT_ON_ROSTER = "NOT_ON_ROSTER"
    DRAINING = "DRAINING"


class Sentence(Struct, frozen=True):
    zh: str
    en: str


class Preflight(Struct, frozen=True):
    """code: one of Readiness. retry_after_ms: when asking again makes sense, null: it does not by itself.

    protocol, features: of the room's server; a page that speaks another protocol must be loaded anew.
    """

    code: Readiness
    sentence: Sentence
    retry_after_ms: int | None
    protocol: int
    features: Sequence[str]


_SENTENCES: Final = {
    Readiness.READY: Sentence("可以进入会诊室。", "The room is open."),
    Readiness.NOT_ACCEPTED: Sentence("会诊尚未被接受，接受后即可进入。", "The consultation has not been accepted yet."),
    Readiness.ENDED: Sentence("会诊已结束，会诊室已关闭。", "The consultation is over and its room is closed."),
    Readiness.NOT_ON_ROSTER: Sentence("您不是这次会诊的参加者。", "You do not take part in this consultation."),
    Readiness.DRAINING: Sentence("服务正在重启，请稍候再进入。", "The service restarts; come back in a moment."),
}
_RETRY_MS: Final = {Readiness.NOT_ACCEPTED: 15_000, Readiness.DRAINING: 5_000}


def preflight(decision: Decision, state: ConsultationState, *, draining: bool) -> Preflight:
    """decision: of ``access.may_enter_room``."""
    code = _code(decision, state, draining)
    return Preflight(code, _SENTENCES[code], _RETRY_MS.get(code), VERSION, FEATURES)


def _code(decision: Decision, state: ConsultationState, draining: bool) -> Readiness:
    if not decision:
        if decision.reason != "not_open":
            return Readiness.NOT_ON_ROSTER
        return Readiness.NOT_ACCEPTED if state is ConsultationState.REQUESTED else Readiness.ENDED
    return Readiness.DRAINING if draining else Readiness.READY
