"""The servers a bench drives: ours, and Orthanc beside it where its Debian packages are installed."""

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
    name: str
    dicomweb_url: str
    headers: dict[str, str]


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
            yield Target("telemed", f"http://127.0.0.1:{port}/dicom-web", headers)
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
            yield Target("orthanc", f"http://127.0.0.1:{port}/dicom-web", {})
        finally:
            process.terminate()
            process.wait(20)
