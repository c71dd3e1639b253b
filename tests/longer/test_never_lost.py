"""Kills, full disks, endless and enormous uploads, against a server process of its own."""

import contextlib
import hashlib
import http.client
import json
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from foundation.clock import utc_now
from foundation.database import open_database
from imaging.store.blobs import FolderBlobs
from imaging.store.sweeping import Sweeper
from tests.samples import ct_slice, to_bytes, uid

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(3000)
KILLS = 200
BOUNDARY = "never-lost"
HEADERS = {
    "Authorization": "Bearer wenzhou",
    "Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}',
}
HEAD, TAIL = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode(), b"\r\n"
END = f"--{BOUNDARY}--\r\n".encode()


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, folder, held_bytes=64 << 20):
        self.port = free_port()
        started = time.monotonic()
        arguments = [str(folder), str(self.port), str(held_bytes)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.longer.small_server", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdout.readline() == b"ready\n"
        self.start_seconds = time.monotonic() - started

    def end(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait(30)
        self.process.stdout.close()

    def post(self, body, length=None):
        """(status, DICOM JSON answer). body: bytes, or an iterator of pieces with their whole length."""
        headers = HEADERS if length is None else {**HEADERS, "Content-Length": str(length)}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)) as connection:
            connection.request("POST", "/dicom-web/studies", body, headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.end()


def stored(answer):
    return [item["00081155"]["Value"][0] for item in answer.get("00081199", {}).get("Value", [])]


def failures(answer):
    return [item["00081197"]["Value"][0] for item in answer.get("00081198", {}).get("Value", [])]


class Template:
    """Slices that differ in their SOP Instance UID and in nothing else."""

    def __init__(self, size):
        self.data = ct_slice("never lost", count=1, size=size)
        self.body = to_bytes(self.data)
        self.given = str(self.data.SOPInstanceUID).encode()

    def slice(self, number):
        fresh = uid("never lost", "slice", number).encode()
        fresh = (fresh + b"1" * 64)[: len(self.given)]
        return fresh.decode(), self.body.replace(self.given, fresh)


def multipart(bodies):
    return b"".join(HEAD + body + TAIL for body in bodies) + END


class Sender(threading.Thread):
    """Uploads slices of various counts until the connection breaks; keeps what was acknowledged, UID → digest."""

    def __init__(self, server, template, number):
        super().__init__()
        self.server, self.template, self.number = server, template, number
        self.acknowledged = {}

    def run(self):
        generator = random.Random(self.number)
        count = 0
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            while True:
                some = [self.template.slice((self.number, count + i)) for i in range(generator.randint(1, 6))]
                count += len(some)
                status, answer = self.server.post(multipart([body for _, body in some]))
                assert (status, len(stored(answer))) == (200, len(some))
                self.acknowledged |= {name: hashlib.sha256(body).hexdigest() for name, body in some}


def visible(folder):
    """SOP Instance UID → digest of the bytes that its row names; both by plain means."""
    with contextlib.closing(sqlite3.connect(folder / "archive.db")) as database:
        rows = database.execute("SELECT sop_instance_uid, blob_key, sha256, size_bytes FROM instances").fetchall()
        headers = database.execute("SELECT count(*) FROM instance_headers").fetchone()[0]
        counted = database.execute("SELECT coalesce(sum(instance_count), 0) FROM studies").fetchone()[0]
    assert len(rows) == headers == counted
    found = {}
    for name, key, digest, size in rows:
        content = (folder / "blobs" / key[:5] / key[5:7] / key).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (size, digest), "no half instance"
        found[name] = digest
    return found


def test_t59_two_hundred_kills_during_uploads_lose_nothing_that_was_acknowledged(tmp_path, record_property):
    generator, template = random.Random(59), Template(64)
    acknowledged, starts = {}, []
    for kill in range(KILLS):
        # Sometimes everything goes over files and a worker process instead of memory.
        server = Server(tmp_path, held_bytes=0 if kill % 5 == 4 else 64 << 20)
        starts.append(server.start_seconds)
        senders = [Sender(server, template, kill * 10 + number) for number in range(4)]
        for sender in senders:
            sender.start()
        time.sleep(generator.uniform(0.02, 0.6))
        server.end()
        for sender in senders:
            sender.join(60)
            acknowledged |= sender.acknowledged
        if kill % 20 == 19:
            assert acknowledged.items() <= visible(tmp_path).items()
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {len(visible(tmp_path))} stored,", end=" ")
    print(f"starts {statistics.median(starts):.2f} s, the longest {max(starts):.2f} s")
    assert len(acknowledged) > KILLS
    assert max(starts) < 10 + 3 * statistics.median(starts)


async def swept(folder):
    database = open_database(f"sqlite+aiosqlite:///{folder}/archive.db")
    blobs = await FolderBlobs.open(folder)
    try:
        return await Sweeper(database, blobs, utc_now).sweep(timedelta(seconds=-1))
    finally:
        await blobs.close()
        await database.close()


async def test_t59_what_a_killed_process_leaves_is_swept_and_nothing_else(tmp_path):
    template, acknowledged = Template(256), {}
    for kill in range(10):
        server = Server(tmp_path)
        senders = [Sender(server, template, 5000 + kill * 10 + number) for number in range(4)]
        for sender in senders:
            sender.start()
        time.sleep(0.3)  # noqa: ASYNC251
        server.end()
        for sender in senders:
            sender.join(60)
            acknowledged |= sender.acknowledged
    files = lambda: sum(path.is_file() for path in (tmp_path / "blobs").rglob("*"))  # noqa: E731
    before = files()
    removed = await swept(tmp_path)
    there = visible(tmp_path)
    assert acknowledged.items() <= there.items()
    assert (files(), before - removed) == (len(there), len(there))
    spooled = [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]
    assert spooled == []


def latencies(server, template, key, count):
    taken = []
    for number in range(count):
        started = time.monotonic()
        assert server.post(multipart([template.slice((key, number))[1]]))[0] == 200
        taken.append(time.monotonic() - started)
    return taken


def p95(taken):
    return statistics.quantiles(taken, n=20)[-1]


def test_security_23_two_hundred_stalled_uploads_do_not_slow_a_healthy_one(server):
    template = Template(256)
    latencies(server, template, "warm", 50)
    alone = latencies(server, template, "alone", 100)
    whole = multipart([template.slice("stalled")[1]])
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    request = f"POST /dicom-web/studies HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(whole)}\r\n\r\n".encode()
    stalled = []
    for _ in range(200):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(request + whole[:50_000])
        stalled.append(connection)
    beside = latencies(server, template, "beside", 100)
    for connection in stalled:
        connection.close()
    print(f"p95 {p95(alone) * 1000:.1f} ms alone, {p95(beside) * 1000:.1f} ms beside 200 stalled uploads")
    assert p95(beside) < 1.5 * p95(alone) + 0.01


def test_t15_ten_thousand_instances_in_one_request(server):
    template = Template(16)
    bodies = [template.slice(("ten thousand", number))[1] for number in range(10_000)]
    status, answer = server.post(multipart(bodies))
    assert (status, len(set(stored(answer)))) == (200, 10_000)
    status, answer = server.post(multipart([*bodies, bodies[0]]))
    assert (status, answer["code"], answer["stored_count"]) == (413, "store.too_many_parts", 10_000)
