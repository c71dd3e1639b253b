"""``python -m reviewer --config FILE [--port N]``: serve on 127.0.0.1 until told to stop."""

import argparse
import asyncio
import logging
import signal
import sys
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web

from reviewer.config import Config, ConfigInvalid, load
from reviewer.platform import TIMEOUT, Platform
from reviewer.webhook import Inbox, application
from reviewer.worker import review


async def serve(config: Config) -> None:
    """Until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        inbox = Inbox(config.secret, partial(review, Platform(session, config.base_url, config.key)))
        runner = web.AppRunner(application(inbox), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", config.port).start()
        logging.getLogger("reviewer").info("listening on 127.0.0.1:%s", config.port)
        await stop.wait()
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="reviewer", description="Reference AI reviewer. Not a medical device.")
    parser.add_argument("--config", type=Path, required=True, help="JSON: secret, key, base_url, port")
    parser.add_argument("--port", type=int, help="listen here instead of the port in the file")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        config = load(arguments.config, arguments.port)
    except ConfigInvalid as error:
        sys.exit(str(error))
    asyncio.run(serve(config))


if __name__ == "__main__":
    main()
