"""``server.py`` as a process: how fast it listens, what it says when it cannot, and what a kill leaves behind."""

import asyncio
import os
import socket
import subprocess
from io import BytesIO
from itertools import count
from pathlib import Path

import aiohttp
import pytest
from pydicom import dcmread

from telemed.people.model import Hospital
from telemed.platform import open_platform
from telemed.settings import Settings
from tests.dicomweb import address, split
from tests.platforms import free_port, until
from tests.samples import ct_slice, rle, to_bytes
from tests.servers import ROOT, command, serving

pytestmark = pytest.mark.timeout(120)

STARTS_WITHIN_S = 3.0
# The machine that runs the tests may be busy with others.
PATIENCE = 4
AS_STORED = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
DICOM = {"Content-Type": "application/dicom"}


@pytest.fixture
async def prepared(tmp_path):
    """A data folder on which the platform ran before: (the folder, a hospital's key)."""
    data = tmp_path / "var"
    async with open_platform(Settings(data=data, port=0, signaling_port=0, workers=1)) as platform:
        await platform.people.add_hospital(None, Hospital("WZ01", "示范医院", "温州"))
        _, key = await platform.keys.create(None, "WZ01", "PACS")
    return data, key


def caller(server, key):
    return aiohttp.ClientSession(server.base_url, headers={"Authorization": f"Bearer {key}"})


def test_it_listens_soon_on_a_prepared_folder(prepared):
    with serving(prepared[0]) as server:
        print(f"listened after {server.started_s:.2f} s")
        assert server.started_s < STARTS_WITHIN_S * PATIENCE


async def test_asked_to_end_it_ends_without_complaint(prepared):
    with serving(prepared[0]) as server:
        async with caller(server, prepared[1]) as pacs, pacs.get("/healthz") as reply:
            assert reply.status == 200
        server.process.terminate()
        assert await asyncio.to_thread(server.process.wait, 20) == 0
    assert server.log.read_text(encoding="utf-8") == ""


def listened_on(pids):
    """(address, port) of every TCP socket on which one of these processes listens (proc(5))."""
    ours = {link for pid in pids for link in open_files(pid)}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and f"socket:[{columns[9]}]" in ours:
                address, port = columns[1].split(":")
                found.add((address, int(port, 16)))
    return found


def open_files(pid):
    return {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}


def family(pid):
    """A process and what it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(one for child in children for one in family(int(child)))]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux' table of sockets")
async def test_security_13_only_the_published_ports_listen_and_only_on_loopback(prepared):
    with serving(prepared[0]) as server:
        async with caller(server, prepared[1]) as pacs:
            # Workers are started by the first upload.
            body = to_bytes(ct_slice("ports", size=16))
            async with pacs.post("/dicom-web/studies", data=body, headers=DICOM) as reply:
                assert reply.status == 200
        listening = await asyncio.to_thread(lambda: listened_on(family(server.process.pid)))
        given = server.process.args
        ports = {int(given[given.index(flag) + 1]) for flag in ("--port", "--signaling-port")}
        assert listening == {("0100007F", port) for port in ports}


def refused_start(data, port, signaling_port, **settings):
    """Exit code and standard error of a start that fails."""
    made = subprocess.run(
        command(data, port, signaling_port),
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in made.stderr
    return made.returncode, made.stderr


@pytest.mark.parametrize("taken", ["port", "signaling_port"])
def test_a_port_in_use_is_said_and_nothing_starts(tmp_path, taken):
    with socket.create_server(("127.0.0.1", 0)) as other:
        busy = other.getsockname()[1]
        ports = {"port": free_port(), "signaling_port": free_port(), taken: busy}
        code, words = refused_start(tmp_path, **ports)
    assert code == 1
    assert words.startswith("cannot start: ")
    assert str(busy) in words


def test_a_misspelt_setting_is_named_and_nothing_starts(tmp_path):
    code, words = refused_start(tmp_path, free_port(), free_port(), TELEMED_PROT="8080")
    assert code == 2
    assert "TELEMED_PROT" in words


class Sender:
    """Uploads one instance after the other on several connections, and knows what was acknowledged."""

    def __init__(self, server, key, numbers):
        self._server = server
        self._key = key
        self._numbers = numbers
        self.sent, self.acknowledged = {}, {}

    async def run_until_killed(self, after):
        """Kill the server once ``after`` instances are acknowledged, while others are under way."""
        async with caller(self._server, self._key) as pacs:
            senders = [asyncio.create_task(self._send_all(pacs)) for _ in range(6)]
            await until(lambda: self._reached(after), 30)
            self._server.kill()
            await asyncio.gather(*senders)

    async def _reached(self, number):
        return len(self.acknowledged) >= number

    async def _send_all(self, pacs):
        for number in self._numbers:
            data = ct_slice("durable", number % 8, size=64)
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
            body = to_bytes(data)
            self.sent[data.SOPInstanceUID] = body
            try:
                async with pacs.post("/dicom-web/studies", data=body, headers=DICOM) as reply:
                    assert reply.status == 200
                    self.acknowledged[data.SOPInstanceUID] = body
            except aiohttp.ClientError:
                return


async def held(pacs):
    """Every instance the server knows, with its bytes as they come back: {SOP Instance UID: bytes}."""
    study = address(ct_slice("durable", size=16)).partition("/series/")[0]
    async with pacs.get(study, headers=AS_STORED) as reply:
        assert reply.status == 200
        parts = split(reply.headers["Content-Type"], await reply.read())
    return {dcmread(BytesIO(content), stop_before_pixels=True).SOPInstanceUID: content for _, content in parts}


def alive(process_id):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process_id}/status").read_text()
    except FileNotFoundError:
        return False


def descendants(process_id):
    tasks = Path(f"/proc/{process_id}/task").glob("*/children")
    own = [int(child) for children in tasks for child in children.read_text().split()]
    return own + [one for child in own for one in descendants(child)]


async def test_a_kill_loses_nothing_acknowledged_and_leaves_nothing_half(prepared):
    data, key = prepared
    sent, acknowledged, numbers = {}, {}, count(1)
    for killed_after in (1, 12, 25):
        with serving(data) as server:
            sender = Sender(server, key, numbers)
            await sender.run_until_killed(killed_after)
        sent |= sender.sent
        acknowledged |= sender.acknowledged
    with serving(data) as server:
        async with caller(server, key) as pacs:
            kept = await held(pacs)
            async with pacs.get("/readyz") as reply:
                assert reply.status == 200
    assert len(acknowledged) >= 38
    assert len(kept) >= len(acknowledged)
    assert {name for name in acknowledged if name not in kept} == set()
    assert {name for name, content in kept.items() if content != sent[name]} == set()
    assert [path for path in (data / "blobs" / "spool").rglob("*") if path.is_file()] == []


async def test_a_kill_ends_the_workers_too(prepared):
    data, key = prepared
    with serving(data) as server:
        async with caller(server, key) as pacs:
            image = rle(ct_slice("workers", size=16))
            async with pacs.post("/dicom-web/studies", data=to_bytes(image), headers=DICOM) as reply:
                assert reply.status == 200
            # Compressed pixels are decoded where the decoder can be killed.
            async with pacs.get(f"/dicom-web/studies/{image.StudyInstanceUID}/rendered") as reply:
                assert reply.status == 200
        family = descendants(server.process.pid)
        assert len(family) >= 3
        server.kill()

    async def gone():
        return not any(map(alive, family))

    await until(gone)
