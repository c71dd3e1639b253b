"""The servers that ``script/bench live`` drives, each in a process of its own on the first core.

Usage: python -m benches.live_server bare|rooms|fast FOLDER. Prints its port, serves until its input ends. "rooms" is
ours as it is configured, "fast" the same without the limits on what one person may send; both journal to SQLite in
FOLDER and admit everybody with a genuine ticket. "bare" is websockets' broadcast() and nothing else.
"""

import asyncio
import os
import sys
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from foundation.clock import utc_now
from foundation.database import open_database
from signaling.limits import Limits, Timers
from signaling.server import SignalingServer
from signaling.tickets import Tickets
from telemed import schema
from telemed.room_journal import RoomJournal, RoomLeases, SpentTickets

SECRET = b"only for benches, never anywhere"
NO_LIMIT = 1e9
FAST = Limits(
    participants=1000,
    commands_per_second=NO_LIMIT,
    command_burst=NO_LIMIT,
    stream_per_second=NO_LIMIT,
    stream_burst=NO_LIMIT,
)


class Everybody:
    async def admitted(self, claims: object) -> bool:
        return True


async def bare(stack: AsyncExitStack) -> int:
    present: set[ServerConnection] = set()

    async def relay(connection: ServerConnection) -> None:
        present.add(connection)
        with suppress(ConnectionClosed):
            async for message in connection:
                broadcast(present, message)
        present.discard(connection)

    server = await stack.enter_async_context(serve(relay, "127.0.0.1", 0, compression=None, ping_interval=None))
    return int(next(iter(server.sockets)).getsockname()[1])


async def rooms(stack: AsyncExitStack, folder: Path, limits: Limits) -> int:
    database = open_database(f"sqlite+aiosqlite:///{folder / 'live.db'}")
    stack.push_async_callback(database.close)
    await schema.upgrade(database)
    server = SignalingServer(
        "127.0.0.1",
        0,
        tickets=Tickets(SECRET, utc_now),
        journal=RoomJournal(database),
        leases=RoomLeases(database, timedelta(milliseconds=Timers().lease_ms)),
        spent=SpentTickets(database),
        admission=Everybody(),
        limits=limits,
    )
    return (await stack.enter_async_context(server)).port


async def main(mode: str, folder: Path) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    async with AsyncExitStack() as stack:
        limits = FAST if mode == "fast" else Limits()
        port = await (bare(stack) if mode == "bare" else rooms(stack, folder, limits))
        print(port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
