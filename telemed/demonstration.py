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
from telemed.demo import DOCUMENT, REVIEWER_SECRETS, Demo, Parts, Places, readdress, seed_demo
from telemed.platform import Platform
from telemed.settings import Settings

ROOT: Final = Path(__file__).parents[1]
STOP_SECONDS: Final = 5


async def prepare(platform: Platform, settings: Settings) -> str:
    """Fill an empty platform before anybody is served; gives what to tell the person who started it."""
    places = Places(settings.data, settings.base_url, f"ws://{settings.host}:{settings.signaling_port}")
    archive = platform.archive
    parts = Parts(platform.people, platform.keys, archive.ingest, archive.blobs.spool, platform.review.service)
    made = await seed_demo(parts, places, _reference_reviewer(_free_port()))
    if made is None:
        await asyncio.to_thread(readdress, places)
        return f"The demonstration's logins are in {settings.data / DOCUMENT}"
    return _logins(made, settings.data / DOCUMENT)


def _logins(made: Demo, path: Path) -> str:
    hospitals = {hospital.code: hospital.name for hospital in made.hospitals}
    rows = [
        f"  {user.username:12} {user.password:18} {user.role:14} {hospitals.get(user.hospital or '', '')}"
        for user in made.users
    ]
    return "\n".join(
        ["Demonstration logins (user, password, role, hospital):", *rows, f"Also in {path}, with API keys."]
    )


@asynccontextmanager
async def reviewing(settings: Settings) -> AsyncIterator[None]:
    """The reference reviewer runs while the block runs, where the platform has one registered."""
    config = settings.data / REVIEWER_SECRETS
    if not await asyncio.to_thread(config.exists):
        yield
        return
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "reviewer", "--config", str(config), cwd=ROOT)
    try:
        yield
    finally:
        await _stop(process)


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _reference_reviewer(port: int) -> NewEndpoint:
    """Its registration, as any vendor's; the values are those of its own data sheet (docs/ai-hook.md)."""
    return NewEndpoint(
        name="reference",
        vendor="telemed",
        model_name="reference-reviewer",
        model_version="1.0",
        url=f"http://127.0.0.1:{port}/",
        rules={"all": []},
        finding_codes=["99TELEMED:dense-candidate", "99TELEMED:image-quality"],
    )
