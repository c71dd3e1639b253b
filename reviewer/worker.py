"""One job from claim to result. Whatever goes wrong, the platform is told why."""

import asyncio
import logging
from typing import Any

from pydicom import Dataset

from reviewer import document
from reviewer.analysis import NothingToDo, Report, chest_report, quality_report
from reviewer.platform import Job, Platform, Refused, Unreachable

log = logging.getLogger(__name__)

# The quality check needs a sample of a large study, not all of it.
MOST_QUALITY_INSTANCES = 60
_ENDED_ELSEWHERE = frozenset({401, 409, 410})


async def review(platform: Platform, job: Job) -> None:
    """Claim, fetch, compute, report. A job that the platform has ended meanwhile is dropped."""
    try:
        token = await platform.token(job)
        await platform.post_result(job, token, document.in_progress(job.uid))
        await platform.post_result(job, token, await _outcome(platform, job, token))
    except Refused as refusal:
        level = logging.INFO if refusal.status in _ENDED_ELSEWHERE else logging.ERROR
        log.log(level, "job dropped: %s", refusal, extra={"job_uid": job.uid})
    except Unreachable as error:
        log.error("job dropped: %s", error, extra={"job_uid": job.uid})  # noqa: TRY400 - nothing of ours failed


async def _outcome(platform: Platform, job: Job, token: str) -> dict[str, Any]:
    try:
        manifest = await platform.manifest(job, token)
        report, images = await _reported(platform, manifest, token)
    except NothingToDo as nothing:
        return document.ended(job.uid, "skipped", str(nothing))
    except (Refused, Unreachable) as error:
        return document.ended(job.uid, "failed", str(error))
    except Exception as error:
        log.exception("the computation failed", extra={"job_uid": job.uid})
        return document.ended(job.uid, "failed", f"the computation failed ({type(error).__name__})")
    sizes = {str(image.SOPInstanceUID): (int(image.Rows), int(image.Columns)) for image in images if "Rows" in image}
    return document.completed(job.uid, report, sizes)


async def _reported(platform: Platform, manifest: dict[str, Any], token: str) -> tuple[Report, list[Dataset]]:
    """The largest CT series is tried as a chest; failing that, all images are checked for quality."""
    chest = max((one for one in manifest["series"] if one["modality"] == "CT"), key=_size, default=None)
    if chest is not None:
        images = await _images(platform, chest, token)
        report = await asyncio.to_thread(chest_report, images)
        if report is not None:
            return report, images
    images = await _sample(platform, manifest, token)
    return await asyncio.to_thread(quality_report, images), images


def _size(series: dict[str, Any]) -> int:
    return len(series["instances"])


async def _images(platform: Platform, series: dict[str, Any], token: str) -> list[Dataset]:
    """A whole series; one instance that cannot be had as native pixels costs itself only."""
    try:
        return await platform.images(series["url"], token)
    except Refused:
        return await _one_by_one(platform, series["instances"], token)


async def _sample(platform: Platform, manifest: dict[str, Any], token: str) -> list[Dataset]:
    images = [one for series in manifest["series"] for one in series["instances"] if one["rows"] and one["columns"]]
    step = max(1, -(-len(images) // MOST_QUALITY_INSTANCES))
    return await _one_by_one(platform, images[::step], token)


async def _one_by_one(platform: Platform, instances: list[dict[str, Any]], token: str) -> list[Dataset]:
    fetched: list[Dataset] = []
    for instance in instances:
        try:
            fetched += await platform.images(instance["url"], token)
        except Refused as refusal:
            log.info("left out an instance: %s", refusal)
    return fetched
