"""An archive with its store service alone, in a process that can be killed: ``python -m tests.longer.small_server``.

Arguments: folder, port, bytes held in memory. Prints "ready" when it listens.
"""

import asyncio
import sys
from pathlib import Path

from aiohttp import web

from foundation.problem import problems
from imaging.archive import Limits
from imaging.dicomweb import stow
from tests.archives import HeaderGuard, archive_at


async def serve(folder: Path, port: int, held_bytes: int) -> None:
    limits = Limits(worker_processes=1, held_bytes=held_bytes)
    async with archive_at(f"sqlite+aiosqlite:///{folder}/archive.db", folder, limits) as archive:
        app = web.Application(middlewares=[problems])
        app.add_routes(stow.routes(archive, HeaderGuard()))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
