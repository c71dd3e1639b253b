"""Live rooms: how fast, how even, and whether one bad reader is noticed by the others.

The server has the first core, this client the last. A reference runs in the same run: websockets' bare broadcast().
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode

from benches.live_server import SECRET
from benches.servers import ROOT
from foundation.clock import utc_now
from signaling.tickets import Claims, Tickets

GRANTS = frozenset({"present", "mark", "chat", "point", "media", "note", "record", "host"})
WINDOW = 8
HZ = 30
PLACE = {"study": "S1", "sop_instance_uid": "1.2.840.1", "frame": 1}
VIEW = {
    **PLACE,
    "series_instance_uid": "1.2.840",
    "window_center": 40,
    "window_width": 400,
    "zoom": 1,
    "rotation": 0,
    "flip_h": False,
    "flip_v": False,
    "invert": False,
}


@dataclass
class Server:
    port: int
    pid: int

    def memory_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextlib.asynccontextmanager
async def serving(mode: str) -> AsyncIterator[Server]:
    with tempfile.TemporaryDirectory(prefix="telemed-live-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benches.live_server",
            mode,
            folder,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        yield Server(int(await process.stdout.readline()), process.pid)
        process.stdin.close()
        await process.wait()


class Tap(asyncio.Protocol):
    """Takes over a socket after its opening and hands on the payload of every text frame, with little work."""

    def __init__(self, seen: Callable[[bytes], None]) -> None:
        self.seen = seen
        self.count = 0
        self._rest = b""
        self.ended = False

    def data_received(self, data: bytes) -> None:
        data, at = self._rest + data, 0
        while len(data) - at >= 4:
            length, head = data[at + 1], 2
            if length == 126:
                length, head = int.from_bytes(data[at + 2 : at + 4]), 4
            elif length == 127:
                length, head = int.from_bytes(data[at + 2 : at + 10]), 10
            if len(data) - at < head + length:
                break
            self.count += 1
            self.seen(data[at + head : at + head + length])
            at += head + length
        self._rest = data[at:]

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = True


@dataclass
class Client:
    connection: ClientConnection
    tap: Tap

    def send(self, text: str) -> None:
        self.connection.transport.write(Frame(Opcode.TEXT, text.encode()).serialize(mask=True))

    def say(self, kind: str, body: object) -> None:
        self.send(said(kind, body))

    def close(self) -> None:
        self.connection.transport.abort()


def said(kind: str, body: object) -> str:
    return json.dumps({"v": 1, "k": kind, "b": body})


def ignore(_payload: bytes) -> None:
    """What is only counted."""


async def joined(server: Server, room: str | None, person: str, seen: Callable[[bytes], None] = ignore) -> Client:
    """room None: the bare server, which has no opening."""
    connection = await connect(
        f"ws://127.0.0.1:{server.port}/rooms/{room}", compression=None, ping_interval=None, max_size=None
    )
    if room is not None:
        claims = Claims(
            room=room,
            person=person,
            name=person,
            title="",
            hospital="",
            role="expert",
            grants=GRANTS,
            session_ends_at=utc_now() + timedelta(hours=12),
        )
        hello = {"ticket": Tickets(SECRET, utc_now).issue(claims)}
        await connection.send(json.dumps({"v": 1, "k": "hello", "b": hello}))
        await connection.recv()
    tap = Tap(seen)
    connection.transport.set_protocol(tap)
    return Client(connection, tap)


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)] if values else float("nan")


# Fan-out


async def fan_out(server: Server, room: str | None, clients: int, seconds: float, message: str) -> float:
    """Deliveries a second, with so many messages under way that the server never waits for the client."""
    everybody = [await joined(server, room, f"p{n}") for n in range(clients)]
    sender, witness = everybody[0], everybody[1]
    await asyncio.sleep(0.5)
    for client in everybody:
        client.tap.count = 0
    sent, wire = 0, Frame(Opcode.TEXT, message.encode())

    def top_up(_payload: bytes) -> None:
        nonlocal sent
        while sent - witness.tap.count < WINDOW:
            sender.connection.transport.write(wire.serialize(mask=True))
            sent += 1

    witness.tap.seen = top_up
    began = time.perf_counter()
    top_up(b"")
    await asyncio.sleep(seconds)
    delivered = sum(client.tap.count for client in everybody)
    took = time.perf_counter() - began
    for client in everybody:
        client.close()
    return delivered / took


async def fan_outs(clients: int, seconds: float, turns: int) -> None:
    messages = {
        "bare broadcast()": ("bare", None, "x" * 200),
        "pointer (ephemeral)": (
            "fast",
            "R1",
            json.dumps({"v": 1, "k": "pointer.move", "b": {**PLACE, "x": 1.5, "y": 2}}),
        ),
        "chat (durable, journalled)": ("fast", "R2", said("chat.send", {"text": "x" * 60})),
    }
    rates: dict[str, list[float]] = {name: [] for name in messages}
    for _ in range(turns):
        for name, (mode, room, message) in messages.items():
            async with serving(mode) as server:
                rates[name].append(await fan_out(server, room, clients, seconds, message))
    reference = median(rates["bare broadcast()"])
    for name, measured in rates.items():
        rate = median(measured)
        print(f"fan-out, {clients} clients, {name}: {rate:,.0f} deliveries/s, {rate / reference:.2f} x the bare one")


# Evenness


@dataclass
class Delays:
    """Milliseconds from sending a view to its arrival; the time travels in the view's pan."""

    values: list[float] = field(default_factory=list)

    def seen(self, payload: bytes) -> None:
        at = payload.find(b'"pan":[')
        if at > 0:
            sent = float(payload[at + 7 : payload.index(b",", at)])
            self.values.append((time.perf_counter() * 1000) % 1e6 - sent)


async def present(client: Client, seconds: float, offset: float) -> None:
    await asyncio.sleep(offset)
    end = due = time.perf_counter()
    end += seconds
    while due < end:
        client.say("view.set", {**VIEW, "pan": [(time.perf_counter() * 1000) % 1e6, 0]})
        due += 1 / HZ
        await asyncio.sleep(max(0, due - time.perf_counter()))


async def many_rooms(rooms: int, people: int, seconds: float) -> None:
    async with serving("rooms") as server:
        delays, presenters, everybody = Delays(), [], []
        for room in range(rooms):
            members = [await joined(server, f"R{room}", f"p{room}-{n}", delays.seen) for n in range(people)]
            members[0].say("control.request", {})
            presenters.append(members[0])
            everybody += members
        await asyncio.sleep(1)
        before = server.memory_mib()
        work = (present(client, seconds, place / len(presenters) / HZ) for place, client in enumerate(presenters))
        await asyncio.gather(*work)
        await asyncio.sleep(0.5)
        expected = rooms * (people - 1) * HZ * seconds
        print(
            f"{rooms} rooms of {people}, one presenter each at {HZ} Hz, {seconds:.0f} s: "
            f"p50 {median(delays.values):.1f} ms, p99 {p99(delays.values):.1f} ms, "
            f"{len(delays.values) / expected:.1%} of the views arrived, "
            f"memory {before:.0f} -> {server.memory_mib():.0f} MiB"
        )
        for client in everybody:
            client.close()


async def frozen_reader(seconds: float, turns: int) -> None:
    """Turns without and with the frozen reader alternate, because this machine is not the same from one to the next."""
    measured: dict[bool, list[float]] = {False: [], True: []}
    cut = 0
    for frozen in (False, True) * turns:
        async with serving("fast") as server:
            delays = Delays()
            members = [await joined(server, "R1", f"p{n}", delays.seen) for n in range(6)]
            stopped = await joined(server, "R1", "stopped")
            if frozen:
                buffers = stopped.connection.transport.get_extra_info("socket")
                buffers.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                stopped.connection.transport.pause_reading()
            members[0].say("control.request", {})
            await asyncio.sleep(0.5)
            talk = asyncio.create_task(talking(members[1]))
            await present(members[0], seconds, 0)
            talk.cancel()
            measured[frozen].append(p99(delays.values))
            if frozen:
                stopped.connection.transport.resume_reading()
                await asyncio.sleep(1)
                cut += stopped.tap.ended
            for client in [*members, stopped]:
                client.close()
    without, with_one = median(measured[False]), median(measured[True])
    print(
        f"one frozen reader among 7, {turns} x {seconds:.0f} s: others' p99 {without:.2f} -> {with_one:.2f} ms, "
        f"{with_one / without:.2f} x; the frozen one was cut {cut} times of {turns}"
    )


async def talking(client: Client) -> None:
    """Enough durable text to fill the buffers of somebody who does not read."""
    while True:
        client.say("chat.send", {"text": "x" * 1900})
        await asyncio.sleep(0.005)


async def measure(options: argparse.Namespace) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if "fan-out" in options.rows:
        await fan_outs(options.clients, options.fan_out_seconds, options.turns)
    if "rooms" in options.rows:
        await many_rooms(options.rooms, 6, options.seconds)
    if "frozen" in options.rows:
        await frozen_reader(min(options.seconds, 10), options.turns)


ROWS = ("fan-out", "rooms", "frozen")


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench live", description=__doc__)
    parser.add_argument("rows", nargs="*", default=ROWS, help=f"which of {', '.join(ROWS)}; all when left out")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--fan-out-seconds", type=float, default=4)
    parser.add_argument("--rooms", type=int, default=60)
    parser.add_argument(
        "--seconds", type=float, default=20, help="of the rows about evenness; 3600 for the steady hour"
    )
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
