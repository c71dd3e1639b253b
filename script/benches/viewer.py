"""The first image in a real browser: from asking for the study page to its pixels on the canvas.

Cold: a new browser context, nothing cached. Again: the same context asks once more. Headless Chromium with software
WebGL, server and browser on the same machine; prints median, least and most of several rounds.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benches.servers import telemed
from tests.browser.conftest import DESK, FLAGS

RENDERED = '[data-testid="viewport"][data-rendered="true"]'


def signed_in(browser: Browser, base_url: str, user: dict[str, str]) -> Page:
    page = browser.new_context(viewport=DESK, base_url=base_url, locale="zh-CN").new_page()
    reply = page.request.post(
        "/api/v1/session",
        data={"username": user["username"], "password": user["password"]},
        headers={"Origin": base_url},
    )
    if not reply.ok:
        raise RuntimeError(f"sign-in: {reply.status}")
    return page


def first_image_ms(page: Page, study_id: str) -> float:
    started = time.perf_counter()
    page.goto(f"/studies/{study_id}", wait_until="commit")
    page.locator(RENDERED).wait_for(timeout=60_000)
    return (time.perf_counter() - started) * 1000


def measure(browser: Browser, base_url: str, user: dict[str, str], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"cold": [], "again": []}
    for _ in range(rounds):
        page = signed_in(browser, base_url, user)
        study_id = page.request.get("/api/v1/studies").json()["items"][0]["study_id"]
        for measured in times.values():
            measured.append(first_image_ms(page, study_id))
        page.context.close()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench viewer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    path = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    with tempfile.TemporaryDirectory() as folder, telemed(Path(folder)), sync_playwright() as playwright:
        demo = json.loads((Path(folder) / "telemed" / "demo.json").read_text())
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        times = measure(browser, demo["base_url"], demo["users"][0], rounds)
        browser.close()
    for kind, values in times.items():
        least, most = min(values), max(values)
        print(f"first image, {kind:6} median {statistics.median(values):6.0f} ms  ({least:.0f} to {most:.0f})")


if __name__ == "__main__":
    main()
