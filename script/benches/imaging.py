"""STOW, metadata, frames, search and rendering over HTTP, ours and Orthanc's in turn (A B A B), and the raw disk.

One series of CT slices of 512 × 512 × 16 bit; four connections; fsync on both sides. Prints a table of medians and the
ratio of ours to the other. Without Orthanc installed the other columns stay empty.
"""

import argparse
import asyncio
import io
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import aiohttp

from benches.servers import Target, orthanc, telemed
from tests.samples import ct_series, uid

CONNECTIONS = 4
BOUNDARY = "bench-boundary-4f1c"


def slices(key: str, count: int) -> list[bytes]:
    """Encoded Part 10 files of one series."""
    encoded = []
    for data in ct_series(key, count, 512):
        buffer = io.BytesIO()
        data.save_as(buffer, enforce_file_format=True)
        encoded.append(buffer.getvalue())
    return encoded


def multipart(parts: Sequence[bytes]) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


async def spread(jobs: Sequence[Callable[[], Awaitable[None]]]) -> float:
    """Run the jobs over the connections; seconds taken."""
    queue = list(reversed(jobs))

    async def drain() -> None:
        while queue:
            await queue.pop()()

    started = time.perf_counter()
    await asyncio.gather(*(drain() for _ in range(CONNECTIONS)))
    return time.perf_counter() - started


class Load:
    """The load on one server."""

    def __init__(self, target: Target, session: aiohttp.ClientSession) -> None:
        self.target, self.session = target, session

    async def get(self, path: str, accept: str) -> bytes:
        headers = {**self.target.headers, "Accept": accept}
        async with self.session.get(self.target.dicomweb_url + path, headers=headers) as reply:
            body = await reply.read()
            if reply.status != 200:
                raise RuntimeError(
                    f"{self.target.name} {path.rsplit('/', maxsplit=1)[-1]}: {reply.status} {body[:200]!r}"
                )
            return body

    async def store(self, parts: Sequence[bytes]) -> None:
        kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        headers = {**self.target.headers, "Content-Type": kind, "Accept": "application/dicom+json"}
        url = self.target.dicomweb_url + "/studies"
        async with self.session.post(url, data=multipart(parts), headers=headers) as reply:
            body = await reply.read()
            if reply.status != 200:
                raise RuntimeError(f"{self.target.name} STOW: {reply.status} {body[:300]!r}")

    async def store_rate(self, files: Sequence[bytes], batch: int) -> float:
        batches = [files[start : start + batch] for start in range(0, len(files), batch)]
        return len(files) / await spread([lambda part=part: self.store(part) for part in batches])

    async def rate(self, path: Callable[[int], str], accept: str, count: int) -> float:
        async def one(index: int) -> None:
            await self.get(path(index), accept)

        return count / await spread([lambda index=index: one(index) for index in range(count)])


def raw_rate(folder: Path, files: Sequence[bytes]) -> float:
    """Files written and fsynced per second, one thread: what the disk allows."""
    started = time.perf_counter()
    for number, content in enumerate(files):
        with (folder / f"raw-{number}").open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    return len(files) / (time.perf_counter() - started)


async def measure(load: Load, turn: int, count: int) -> dict[str, float]:
    key = f"{load.target.name}-{turn}"
    one, ten = slices(key + "-one", count), slices(key + "-ten", count)
    study, series = uid(key + "-one", "study"), uid(key + "-one", "series")
    base = f"/studies/{study}/series/{series}"
    frame = lambda index: f"{base}/instances/{uid(key + '-one', 'instance', index % count)}"  # noqa: E731
    figures = {"STOW/s, one per request": await load.store_rate(one, 1)}
    figures["STOW/s, ten per request"] = await load.store_rate(ten, 10)
    started = time.perf_counter()
    await load.get(base + "/metadata", "application/dicom+json")
    figures["series metadata, first call, ms"] = (time.perf_counter() - started) * 1000
    started = time.perf_counter()
    for _ in range(5):
        await load.get(base + "/metadata", "application/dicom+json")
    figures["series metadata, ms"] = (time.perf_counter() - started) * 200
    octets = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
    figures["frames/s"] = await load.rate(lambda i: frame(i) + "/frames/1", octets, count)
    search = f"/studies?PatientID=P{key}-one"
    figures["QIDO by Patient ID/s"] = await load.rate(lambda _: search, "application/dicom+json", count)
    figures["rendered JPEG/s"] = await load.rate(lambda i: frame(i) + "/rendered", "image/jpeg", count)
    return figures


async def run(folder: Path, count: int, turns: int) -> None:
    with telemed(folder) as ours, orthanc(folder) as other:
        targets = [target for target in (ours, other) if target is not None]
        results: dict[str, list[dict[str, float]]] = {target.name: [] for target in targets}
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
            for turn in range(turns):
                for target in targets:
                    results[target.name].append(await measure(Load(target, session), turn, count))
    show(results)
    print(f"raw write + fsync/s, one thread: {raw_rate(folder, slices('raw', count)):.0f}")


def show(results: dict[str, list[dict[str, float]]]) -> None:
    print(f"{'':34}" + "".join(f"{name:>12}" for name in results) + ("       ratio" if len(results) > 1 else ""))
    for row in next(iter(results.values()))[0]:
        medians = [statistics.median(turn[row] for turn in turns) for turns in results.values()]
        better = medians[::-1] if row.endswith("ms") else medians
        ratio = f"{better[0] / better[1]:11.2f}x" if len(medians) > 1 else ""
        print(f"{row:34}" + "".join(f"{value:12.1f}" for value in medians) + ratio)


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench imaging", description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--turns", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), arguments.slices, arguments.turns))


if __name__ == "__main__":
    main()
