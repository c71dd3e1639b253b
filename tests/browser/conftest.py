"""A real server in its own process and a real Chromium with fake camera and microphone."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.cuttable import CuttableLink

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "artifacts"
FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESK = {"width": 1366, "height": 768}


@dataclass(frozen=True)
class Server:
    base_url: str
    demo: dict
    data: Path
    # What lies between the browsers and the rooms.
    link: CuttableLink

    def login(self, hospital: str | None, index: int = 0) -> dict:
        """The demonstration user number ``index`` of a hospital (None: the administrator)."""
        return [user for user in self.demo["users"] if user["hospital"] == hospital][index]

    def key(self, hospital: str) -> str:
        return next(row["api_key"] for row in self.demo["hospitals"] if row["code"] == hospital)


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(process: subprocess.Popen, log: list[str]) -> None:
    """Read what the server prints until it says that it listens; the test's own time limit ends a hang."""
    for line in process.stdout:
        log.append(line)
        if line.startswith("telemed listens"):
            return
    pytest.fail("the server ended before it listened:\n" + "".join(log))


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("server") / "var"
    port, signaling = free_port(), free_port()
    link = CuttableLink(signaling)
    command = [sys.executable, "server.py", "--demo", "--data", str(data), "--port", str(port)]
    settings = {
        "TELEMED_REVIEW_QUIET_SECONDS": "1",
        "TELEMED_SIGNALING_URL": f"ws://127.0.0.1:{link.port}",
        "PYTHONUNBUFFERED": "1",
    }
    ARTIFACTS.mkdir(exist_ok=True)
    with (ARTIFACTS / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--signaling-port", str(signaling)],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        wait_until_ready(process, [])
        demo = json.loads((data / "demo.json").read_text(encoding="utf-8"))
        yield Server(f"http://127.0.0.1:{port}", demo, data, link)
        link.close()
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium on this machine (as root on Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """Open a page in a context of its own, signed in as one of the demonstration users."""
    contexts: list[BrowserContext] = []

    def open_one(user: dict | None = None, path: str = "/", viewport: dict = DESK) -> Page:
        context = chromium.new_context(
            viewport=viewport, permissions=["camera", "microphone"], base_url=server.base_url, locale="zh-CN"
        )
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        if user is not None:
            sign_in(page, user)
        if user is None or path != "/":
            page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()


def sign_in(page: Page, user: dict) -> None:
    page.goto("/")
    page.get_by_test_id("login-username").fill(user["username"])
    page.get_by_test_id("login-password").fill(user["password"])
    page.get_by_test_id("login-submit").click()
    page.get_by_test_id("whoami").wait_for()


@pytest.fixture
def shot() -> Callable[[Page, str], Path]:
    """Keep a screenshot as a test artefact, to be looked at."""
    ARTIFACTS.mkdir(exist_ok=True)

    def take(page: Page, name: str) -> Path:
        path = ARTIFACTS / f"{name}.png"
        page.screenshot(path=path)
        return path

    return take
