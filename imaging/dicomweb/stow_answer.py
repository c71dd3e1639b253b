"""What a store request is answered: status and DICOM JSON body (PS3.18 section 10.5.3). Pure.

| status | when |
|---|---|
| 200 | every instance is stored, or was already |
| 202 | some are not, or some are with a warning |
| 409 | none is |
"""

from collections.abc import Sequence
from typing import Any

from imaging.dicomweb import http
from imaging.store.ingest import Outcome

_RETRIEVE_URL, _FAILED, _REFERENCED = "00081190", "00081198", "00081199"
_CLASS, _INSTANCE, _FAILURE_REASON, _WARNING_REASON = "00081150", "00081155", "00081197", "00081196"


def status(outcomes: Sequence[Outcome]) -> int:
    """The HTTP status for at least one outcome."""
    if not any(outcome.is_success for outcome in outcomes):
        return 409
    clean = all(outcome.is_success and outcome.warning_reason is None for outcome in outcomes)
    return 200 if clean else 202


def body(outcomes: Sequence[Outcome], root: str) -> dict[str, Any]:
    """The data set; ``root``: absolute URL of the service root. Retrieve URL is empty unless one study was stored."""
    stored = [outcome for outcome in outcomes if outcome.is_success]
    failed = [outcome for outcome in outcomes if not outcome.is_success]
    studies = {outcome.study_instance_uid for outcome in stored}
    answer = {_RETRIEVE_URL: _one("UR", f"{root}/studies/{studies.pop()}" if len(studies) == 1 else None)}
    if failed:
        answer[_FAILED] = {"vr": "SQ", "Value": [_failed_item(outcome) for outcome in failed]}
    if stored:
        answer[_REFERENCED] = {"vr": "SQ", "Value": [_stored_item(outcome, root) for outcome in stored]}
    return answer


def warning(outcomes: Sequence[Outcome]) -> str | None:
    """The Warning header: what was noticed, as stable words (``RefusedAs``, ``Remark``, ``already_stored``).

    For one instance the words are about it; for several, each word that fits any of them stands once.
    """
    words = (str(word) for outcome in outcomes for word in (outcome.word, *outcome.remarks))
    return http.warnings(word for word in words if word != "stored")


def _stored_item(outcome: Outcome, root: str) -> dict[str, Any]:
    url = (
        f"{root}/studies/{outcome.study_instance_uid}/series/{outcome.series_instance_uid}"
        f"/instances/{outcome.sop_instance_uid}"
    )
    item = {**_references(outcome), _RETRIEVE_URL: _one("UR", url)}
    if outcome.warning_reason is not None:
        item[_WARNING_REASON] = _one("US", outcome.warning_reason)
    return dict(sorted(item.items()))


def _failed_item(outcome: Outcome) -> dict[str, Any]:
    return {**_references(outcome), _FAILURE_REASON: _one("US", outcome.failure_reason)}


def _references(outcome: Outcome) -> dict[str, Any]:
    named = {_CLASS: outcome.sop_class_uid, _INSTANCE: outcome.sop_instance_uid}
    return {tag: _one("UI", uid) for tag, uid in named.items() if uid}


def _one(vr: str, value: object) -> dict[str, Any]:
    return {"vr": vr} if value is None else {"vr": vr, "Value": [value]}
