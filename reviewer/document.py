"""The result document of docs/ai-hook.md, made from a report."""

from typing import Any, Final

import numpy as np

from reviewer.analysis import DENSE_CANDIDATE, IMAGE_QUALITY, Report, Spot

MODEL_NAME: Final = "reference-reviewer"
MODEL_VERSION: Final = "1.0"
# A private scheme: these findings claim nothing that a clinical code would claim.
CODING_SCHEME: Final = "99TELEMED"
FINDING_CODES: Final = [f"{CODING_SCHEME}:{code}" for code, _ in (DENSE_CANDIDATE, IMAGE_QUALITY)]


def in_progress(job_uid: str) -> dict[str, Any]:
    return _document(job_uid, 1, "in-progress")


def completed(job_uid: str, report: Report, sizes: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """``sizes``: rows and columns of each image, so that no mark leaves it."""
    return _document(job_uid, 2, "completed") | {
        "summary": {"code": report.code, "text": report.text},
        "findings": [_finding(f"F{place}", spot, sizes) for place, spot in enumerate(report.spots, start=1)],
    }


def ended(job_uid: str, status: str, reason: str) -> dict[str, Any]:
    """``status``: ``failed`` or ``skipped``."""
    return _document(job_uid, 2, status) | {"reason": reason}


def _document(job_uid: str, sequence: int, status: str) -> dict[str, Any]:
    return {
        "eventId": f"{job_uid}-{sequence}",
        "sequence": sequence,
        "status": status,
        "model": {"name": MODEL_NAME, "version": MODEL_VERSION},
    }


def _finding(finding_id: str, spot: Spot, sizes: dict[str, tuple[int, int]]) -> dict[str, Any]:
    return {
        "id": finding_id,
        "code": {"system": CODING_SCHEME, "code": spot.code, "display": spot.display},
        "probability": None,
        "location": [_location(spot, sizes)],
        "measurements": [{"name": name, "value": value, "unit": unit} for name, value, unit in spot.values],
        "description": spot.description,
    }


def _location(spot: Spot, sizes: dict[str, tuple[int, int]]) -> dict[str, Any]:
    place = {"sop": spot.sop_instance_uid, "frame": spot.frame}
    if spot.circle is None:
        return {"kind": "image", **place}
    x, y, radius = spot.circle
    columns = sizes[spot.sop_instance_uid][1]
    edge = x + radius if x + radius <= columns else x - radius
    data = [float(np.round(value, 2)) for value in (x, y, max(0.0, edge), y)]
    return {"kind": "scoord", **place, "type": "CIRCLE", "data": data}
