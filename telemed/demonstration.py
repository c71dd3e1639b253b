"""What ``--demo`` runs: an empty platform is filled once, and the reference reviewer works beside it as a vendor would.

The reviewer is a process of its own (``python -m reviewer``): it knows its key, our address and nothing else.
"""

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from imaging.review.endpoints import NewEndpoint
from telemed.demo import REVIEWER_SECRETS, Demo, Parts, Places, seed_demo
from telemed.platform import Platform
from telemed.settings import Settings

ROOT: Final = Path(__file__).parents[1]
STOP_SECONDS: Final = 5


@asynccontextmanager
async def running(platform: Platform, settings: Settings) -> AsyncIterator[Demo | None]:
    """The demonstration while the block runs; gives what was made, None when the platform was not empty."""
    parts = Parts(
        platform.people, platform.keys, platform.archive.ingest, platform.archive.blobs.spool, platform.review.service
    )
    places = Places(settings.data, settings.base_url, f"ws://{settings.host}:{settings.signaling_port}")
    made = await seed_demo(parts, places, _reference_reviewer(free_port()))
    process = await _start_reviewer(settings.data / REVIEWER_SECRETS)
    try:
        yield made
    finally:
        await _stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _reference_reviewer(port: int) -> NewEndpoint:
    return NewEndpoint(
        name="reference",
        vendor="telemed",
        model_name="reference-reviewer",
        model_version="1",
        url=f"http://127.0.0.1:{port}/",
        rules={},
        finding_codes=[],
    )


async def _start_reviewer(config: Path) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "reviewer", "--config", str(config), cwd=ROOT)


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    async with asyncio.timeout(STOP_SECONDS):
        await process.wait()
