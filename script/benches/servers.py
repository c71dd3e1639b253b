"""The servers a bench drives: ours, Orthanc beside it, nginx; those two where their Debian packages are."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Target:
    """pid: of the process whose tree is the server."""

    name: str
    dicomweb_url: str
    headers: dict[str, str]
    pid: int

    def cpu_seconds(self) -> float:
        """What the server's processes have used since they started, those that ended and were waited for included."""
        return sum(_ticks(pid) for pid in _tree(self.pid)) / os.sysconf("SC_CLK_TCK")


def settle(target: Target, seconds: float = 60) -> None:
    """Wait until the server has done what it does in the background after a store."""
    end, used = time.monotonic() + seconds, -1.0
    while time.monotonic() < end and (now := target.cpu_seconds()) > used + 0.02:
        used = now
        time.sleep(0.5)


def _tree(pid: int) -> list[int]:
    children = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")).split()
    return [pid, *(found for child in children for found in _tree(int(child)))]


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0
    return sum(int(field) for field in fields[11:15])


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, headers: dict[str, str], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=2).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


@contextlib.contextmanager
def telemed(folder: Path) -> Iterator[Target]:
    port, data = free_port(), folder / "telemed"
    arguments = ["--demo", "--data", str(data), "--port", str(port), "--signaling-port", str(free_port())]
    with (folder / "telemed.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "server.py", *arguments],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env={**os.environ, "TELEMED_REVIEW_QUIET_SECONDS": "3600"},
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz", {})
            hospital = json.loads((data / "demo.json").read_text())["hospitals"][0]
            headers = {"Authorization": f"Bearer {hospital['api_key']}"}
            yield Target("telemed", f"http://127.0.0.1:{port}/dicom-web", headers, process.pid)
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def orthanc(folder: Path) -> Iterator[Target | None]:
    """Debian's Orthanc with DICOMweb, SQLite and fsync on; None where it is not installed."""
    if shutil.which("Orthanc") is None:
        yield None
        return
    port, data = free_port(), folder / "orthanc"
    data.mkdir()
    configuration = {
        "StorageDirectory": str(data),
        "IndexDirectory": str(data),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "HttpThreadsCount": 16,
        "KeepAlive": True,
        "SyncStorageArea": True,
        "Plugins": ["/usr/share/orthanc/plugins"],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "StudiesMetadata": "Full", "SeriesMetadata": "Full"},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with (folder / "orthanc.log").open("w") as log:
        process = subprocess.Popen(["Orthanc", str(folder / "orthanc.json")], stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/system", {})
            yield Target("orthanc", f"http://127.0.0.1:{port}/dicom-web", {}, process.pid)
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[Target | None]:
    """Debian's nginx, one worker, serving the files below ``folder/files``; None where it is not installed."""
    binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if binary is None:
        yield None
        return
    port, home = free_port(), folder / "nginx"
    home.mkdir()
    (folder / "files").mkdir(exist_ok=True)
    temporary = " ".join(
        f"{kind}_temp_path {home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (home / "nginx.conf").write_text(
        f"""
        worker_processes 1; daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;
        events {{ worker_connections 64; }}
        http {{
          access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; {temporary}
          open_file_cache max=2000; open_file_cache_valid 1h;
          server {{ listen 127.0.0.1:{port}; root {folder}/files; location = /empty {{ return 204; }} }}
        }}
        """
    )
    process = subprocess.Popen([binary, "-p", str(home), "-c", str(home / "nginx.conf")])
    try:
        wait_for(f"http://127.0.0.1:{port}/empty", {})
        yield Target("nginx", f"http://127.0.0.1:{port}", {}, process.pid)
    finally:
        process.terminate()
        process.wait(20)
