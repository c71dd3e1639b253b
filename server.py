"""Reads the settings, opens the platform, listens, and closes in reverse."""

import asyncio
import contextlib
import ctypes
import resource
import signal
import sys
from collections.abc import AsyncIterator

import uvloop
from aiohttp import web

from telemed import demonstration, logs
from telemed.platform import Platform, open_platform
from telemed.settings import BadSetting, Settings, load

# Streams end by themselves when the shutdown begins; whatever is left is cut.
SHUTDOWN_SECONDS = 5.0


@contextlib.asynccontextmanager
async def listening(platform: Platform, settings: Settings) -> AsyncIterator[None]:
    runner = web.AppRunner(platform.app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        yield
    finally:
        await runner.cleanup()


async def stop_requested() -> None:
    """Returns when the process is asked to end."""
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()


def say(words: str) -> None:
    """To the person at the terminal."""
    print(words, flush=True)  # noqa: T201


async def greet(platform: Platform, settings: Settings, note: str) -> None:
    if note:
        say(note)
    token = await platform.people.ensure_setup_token()
    if token is not None:
        say(f"First start: set up the administrator at {settings.base_url}/setup#{token}  (works once)")
    say(f"telemed listens on {settings.base_url}  (rooms on port {platform.rooms.port}, data in {settings.data})")


async def run(settings: Settings) -> None:
    async with open_platform(settings) as platform:
        note = ""
        if settings.demo:
            say("preparing the demonstration …")
            note = await demonstration.prepare(platform, settings)
        async with listening(platform, settings), contextlib.AsyncExitStack() as beside:
            if settings.demo:
                await beside.enter_async_context(demonstration.reviewing(settings))
            await greet(platform, settings, note)
            await stop_requested()


def prepare_process() -> None:
    """What frames by the thousand need of the process (figures: docs/performance.md)."""
    # Half a megabyte is asked for and given back with every frame. glibc would map and unmap it each time, and each
    # time the kernel would clear its pages: -3 is M_MMAP_THRESHOLD, -1 M_TRIM_THRESHOLD (malloc.h). Elsewhere no such
    # function exists, or the numbers mean nothing.
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-3, 4 << 20)
        libc.mallopt(-1, 64 << 20)
    # Files that are read are held open.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> int:
    try:
        settings = load(sys.argv[1:])
    except BadSetting as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    logs.configure(settings.log_level)
    prepare_process()
    try:
        uvloop.run(run(settings))
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
