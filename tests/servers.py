"""``server.py`` in a process of its own, as an operator starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.platforms import free_port

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class ServerProcess:
    """A server that listens. log: what it wrote to standard error. started_s: from its start until it listened."""

    base_url: str
    data: Path
    log: Path
    started_s: float
    process: subprocess.Popen[str]

    @property
    def demo(self) -> dict[str, Any]:
        return json.loads((self.data / "demo.json").read_text(encoding="utf-8"))

    def kill(self) -> None:
        """As the kernel does when memory runs out: nothing is closed, nothing is finished."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def command(data: Path, port: int, signaling_port: int, *options: str) -> list[str]:
    ports = ["--port", str(port), "--signaling-port", str(signaling_port)]
    return [sys.executable, "server.py", "--data", str(data), *ports, *options]


@contextmanager
def serving(data: Path, *options: str, **settings: str) -> Iterator[ServerProcess]:
    """A server on ``data`` that listens, and is asked to end afterwards. settings: of the environment."""
    port, log = free_port(), data.with_suffix(".log")
    began = time.monotonic()
    with log.open("a", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command(data, port, free_port(), *options),
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        try:
            assert any(line.startswith("telemed listens") for line in process.stdout), log.read_text(encoding="utf-8")
            yield ServerProcess(f"http://127.0.0.1:{port}", data, log, time.monotonic() - began, process)
        finally:
            process.terminate()
