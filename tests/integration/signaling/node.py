"""One signalling process on a database, for tests that kill it. Usage: python node.py DATABASE_URL

Prints its port and then serves until it is killed. Everybody with a genuine ticket is admitted.
"""

import asyncio
import sys
from datetime import timedelta

from foundation.clock import utc_now
from foundation.database import open_database
from signaling.limits import Limits, Timers
from signaling.server import SignalingServer
from signaling.tickets import Tickets
from telemed.room_journal import RoomJournal, RoomLeases, SpentTickets
from tests.unit.signaling.fakes import SECRET, MemoryAdmission

LEASE_MS = 1500


async def main(url):
    database = open_database(url)
    timers = Timers(lease_ms=LEASE_MS, renew_ms=300, tick_ms=100)
    server = SignalingServer(
        "127.0.0.1",
        0,
        tickets=Tickets(SECRET, utc_now),
        journal=RoomJournal(database),
        leases=RoomLeases(database, timedelta(milliseconds=LEASE_MS)),
        spent=SpentTickets(database),
        admission=MemoryAdmission(),
        limits=Limits(command_burst=1e9, commands_per_second=1e9),
        timers=timers,
    )
    async with server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
