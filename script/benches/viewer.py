"""The first image in a real browser: ours against stock OHIF on Orthanc, in turn, in one run.

Cold: a new browser, nothing cached. What counts is when the viewport's canvas is no longer black, asked of both pages
in the same way from within; of ours also when the exact image is on it. Then the same on a link of 30 Mbit/s with a
radiograph: the loopback device of a network namespace, shaped by the kernel (tbf), server and browser inside; no delay
is added. Headless Chromium with software WebGL, all on one machine. The namespace needs root.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from benches.servers import Target, orthanc, telemed
from tests import ohif
from tests.browser.conftest import DESK, FLAGS
from tests.samples import ct_series, patient_study, set_pixels, to_bytes, uid

Figures = dict[str, list[float]]

RENDERED = '[data-testid="viewport"][data-rendered="true"]'
MBPS = 30
# Tells when a viewport first shows something: a quarter of it, made small, has more than one grey. Ours shows a picture
# drawn by the server until its canvas is ready; the exact image is asked for apart.
PROBE = """
  window.firstPicture = null;
  const small = new OffscreenCanvas(32, 32).getContext('2d', { willReadFrequently: true });
  const looking = setInterval(() => {
    for (const picture of document.querySelectorAll('canvas.cornerstone-canvas, .preview-picture')) {
      if (!(picture.width > 1) || picture.complete === false) continue;
      small.clearRect(0, 0, 32, 32);
      small.drawImage(picture, 0, 0, 32, 32);
      const grey = small.getImageData(8, 8, 16, 16).data.filter((_, index) => index % 4 === 0);
      if (Math.max(...grey) - Math.min(...grey) < 24) continue;
      window.firstPicture = performance.now();
      clearInterval(looking);
    }
  }, 20);
"""
WHOLE_FRAME = """async ([url, accept]) => {
  const began = performance.now();
  const reply = await fetch(url, { headers: { Accept: accept }, cache: 'no-store' });
  const bytes = (await reply.arrayBuffer()).byteLength;
  return [performance.now() - began, bytes];
}"""


@dataclass(frozen=True)
class Peer:
    """A viewer in front of an archive. page: the address that opens a study. start: gives a page that may ask."""

    name: str
    page: Callable[[str], str]
    start: Callable[[Browser], Page]


def radiograph() -> bytes:
    """A chest of 3000 x 3000 pixels of 16 bits with the noise of a detector; it compresses to about half."""
    y, x = np.mgrid[-1:1:3000j, -1:1:3000j]
    body = 9_000 + 30_000 * np.exp(-((x / 0.75) ** 4) - (y / 0.95) ** 6)
    lungs = sum(np.exp(-(((x - side) / 0.28) ** 2) - ((y + 0.05) / 0.55) ** 2) for side in (-0.38, 0.38))
    ribs = 900 * np.cos(22 * y + 3 * x**2)
    noise = np.random.default_rng(1).normal(0, 60, (3000, 3000))
    data = patient_study("radiograph", "1.2.840.10008.5.1.4.1.1.1.1")
    data.Modality, data.PixelSpacing = "DX", [0.14, 0.14]
    set_pixels(data, (body - 20_000 * lungs + ribs + noise).clip(0, 65535).astype(np.uint16))
    return to_bytes(data)


async def store(target: Target, instances: list[bytes]) -> None:
    async with aiohttp.ClientSession(headers=target.headers) as session:
        for body in instances:
            kind = 'multipart/related; type="application/dicom"; boundary=x'
            parts = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + body + b"\r\n--x--\r\n"
            headers = {"Content-Type": kind, "Accept": "application/dicom+json"}
            async with session.post(target.dicomweb_url + "/studies", data=parts, headers=headers) as reply:
                if reply.status != 200:
                    raise RuntimeError(f"{target.name} STOW: {reply.status}")


def ours(folder: Path) -> Peer:
    demo = json.loads((folder / "telemed" / "demo.json").read_text())
    base, user = demo["base_url"], demo["users"][0]
    keys: dict[str, str] = {}

    def start(browser: Browser) -> Page:
        page = signed_in(browser, base, user)
        rows = page.request.get("/api/v1/studies").json()["items"]
        keys.update({row["study_instance_uid"]: row["study_id"] for row in rows})
        return page

    return Peer("telemed", lambda study: f"/studies/{keys[study]}", start)


def theirs(base: str) -> Peer:
    def start(browser: Browser) -> Page:
        return browser.new_context(viewport=DESK, base_url=base).new_page()

    return Peer("OHIF + Orthanc", lambda study: f"/viewer?StudyInstanceUIDs={study}", start)


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


def first_picture_ms(page: Page, address: str) -> float:
    page.add_init_script(PROBE)
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => window.firstPicture !== null", timeout=120_000, polling=50)
    return float(page.evaluate("window.firstPicture"))


def cold(playwright: Playwright, peer: Peer, study: str) -> dict[str, float]:
    """In a browser of its own, because code that one has compiled is kept beyond its contexts."""
    browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium", args=FLAGS)
    try:
        page = peer.start(browser)
        figures = {"first picture": first_picture_ms(page, peer.page(study))}
        if peer.name == "telemed":
            page.locator(RENDERED).wait_for(timeout=120_000)
            figures["exact image"] = float(page.evaluate("performance.now()"))
        return figures
    finally:
        browser.close()


def turns(playwright: Playwright, peers: list[Peer], study: str, rounds: int) -> dict[str, Figures]:
    results: dict[str, Figures] = {peer.name: {} for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            for name, value in cold(playwright, peer, study).items():
                results[peer.name].setdefault(name, []).append(value)
    return results


def radiograph_in_an_open_viewer(playwright: Playwright, peer: Peer, rounds: int) -> Figures:
    """Another series of the study that is open is clicked on; then its frame is fetched as such, in two forms."""
    study, series = uid("radiograph", "study"), uid("radiograph", "series")
    figures: Figures = {}
    for _ in range(rounds):
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium", args=FLAGS
        )
        page = peer.start(browser)
        page.goto(peer.page(study))
        page.locator(RENDERED).wait_for(timeout=120_000)
        page.wait_for_load_state("networkidle")
        began = page.evaluate(
            f"""() => {{ const began = performance.now();
            document.querySelector('[data-testid="series-{series}"]').click(); return began; }}"""
        )
        shown = f'[data-testid="viewport"][data-series="{series}"]'
        times = page.evaluate(
            """async (shown) => {
              const when = async (selector) => { while (!document.querySelector(selector))
                await new Promise(requestAnimationFrame); return performance.now(); };
              const first = await when(`${shown}[data-drawn="true"]`);
              return [first, await when(`${shown}[data-rendered="true"]`)];
            }""",
            shown,
        )
        figures.setdefault("radiograph, first usable picture", []).append(times[0] - began)
        figures.setdefault("radiograph, exact image", []).append(times[1] - began)
        instance = uid("radiograph", "instance", 0)
        path = f"/dicom-web/studies/{study}/series/{series}/instances/{instance}/frames/1"
        for name, accept in (
            ("its HTJ2K frame, transfer alone", "image/jphc; transfer-syntax=1.2.840.10008.1.2.4.202"),
            ("its stored frame, transfer alone", "application/octet-stream; transfer-syntax=*"),
        ):
            ms, size = page.evaluate(WHOLE_FRAME, [path, accept])
            figures.setdefault(f"{name} ({size / 1e6:.1f} MB)", []).append(ms)
        browser.close()
    return figures


@contextlib.contextmanager
def servers(folder: Path, instances: list[bytes]) -> Iterator[tuple[Peer, list[Peer]]]:
    """Ours and the others with ``instances`` stored, and what is made in the background made."""
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(telemed(folder))
        asyncio.run(store(target, instances))
        _wait_for_copies(folder, len(instances))
        peers = [mine := ours(folder)]
        other = stack.enter_context(orthanc(folder))
        if other is not None:
            asyncio.run(store(other, instances))
            peers.append(theirs(stack.enter_context(ohif.served(other.dicomweb_url.removesuffix("/dicom-web"), {}))))
        yield mine, peers


def _wait_for_copies(folder: Path, least: int) -> None:
    copies, end = folder / "telemed" / "blobs" / "derivatives" / "blobs", time.monotonic() + 90
    while sum(path.is_file() for path in copies.rglob("*")) < least and time.monotonic() < end:
        time.sleep(0.1)


def on_loopback(peers: list[Peer], rounds: int, slices: int) -> None:
    with sync_playwright() as playwright:
        print(f"on loopback: a study of {slices} CT slices of 512 x 512 x 16 bit, cold")
        show(turns(playwright, peers, uid("bench", "study"), rounds))


def on_a_thin_link(rounds: int, only: str | None) -> None:
    """Inside the namespace: everything again, server and browser, and the radiograph."""
    slices = [to_bytes(data) for data in ct_series("radiograph", 3, 256)]
    for number, data in enumerate(ct_series("radiograph", 3, 256)):
        data.SeriesInstanceUID, data.SeriesNumber = uid("radiograph", "scout"), 1
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid("radiograph", "scout", number)
        slices[number] = to_bytes(data)
    instances = [*slices, radiograph()]
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder), instances) as (mine, peers):
        subprocess.run(f"tc qdisc add dev lo root tbf rate {MBPS}mbit burst 32kb latency 400ms".split(), check=True)
        with sync_playwright() as playwright:
            if only != "radiograph":
                print(f"on {MBPS} Mbit/s: the study cold, its three small slices first")
                show(turns(playwright, peers, uid("radiograph", "study"), rounds))
            if only == "link":
                return
            print(f"on {MBPS} Mbit/s: the radiograph of 3000 x 3000 x 16 bit, our viewer open")
            figures = radiograph_in_an_open_viewer(playwright, mine, rounds)
            show({"telemed": figures})
            usable, transfer, stored = (
                statistics.median(next(values for name, values in figures.items() if name.startswith(start)))
                for start in ("radiograph, first", "its HTJ2K", "its stored")
            )
            print(f"first usable picture / transfer of the HTJ2K frame: {usable / transfer:.3f}")
            print(f"first usable picture / transfer of the stored frame: {usable / stored:.3f}")


def in_a_namespace(rounds: int, only: str | None) -> None:
    name = f"telemed-bench-{os.getpid()}"
    inside = f"ip netns exec {name}".split()
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        # Packets of an ordinary link: loopback's own are larger than the bucket.
        subprocess.run([*inside, *["ip", "link", "set", "lo", "mtu", "1500", "up"]], check=True)
        again = [sys.executable, "-m", "benches.viewer", "--inside", "--rounds", str(rounds)]
        again += ["--only", only] if only else []
        subprocess.run([*inside, *again], check=True)
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def show(results: dict[str, Figures]) -> None:
    for peer, figures in results.items():
        for name, values in figures.items():
            spread = f"({min(values):.0f} to {max(values):.0f})"
            print(f"  {peer:16}{name:48} median {statistics.median(values):7.0f} ms  {spread}")
    if len(results) == 2:
        mine, theirs = results.values()
        for name, values in mine.items():
            ratio = statistics.median(values) / statistics.median(theirs["first picture"])
            print(f"  our {name} / their first picture: {ratio:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench viewer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slices", type=int, default=60)
    parser.add_argument("--only", choices=["loopback", "link", "radiograph"], help="one part alone; the last need root")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        on_a_thin_link(arguments.rounds, arguments.only)
        return
    if arguments.only in {"link", "radiograph"}:
        in_a_namespace(arguments.rounds, arguments.only)
        return
    instances = [to_bytes(data) for data in ct_series("bench", arguments.slices, 512)]
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder), instances) as (_, peers):
        on_loopback(peers, arguments.rounds, arguments.slices)
    if arguments.only is None:
        in_a_namespace(arguments.rounds, None)


if __name__ == "__main__":
    main()
