"""STOW, metadata, frames, search and rendering over HTTP, ours and Orthanc's in turn (A B A B), fsync on both sides.

One series of CT slices of 512 × 512 × 16 bit a turn, four connections. Beside them nginx serves the same frames as
plain files, and the disk takes the same files one by one. Prints medians, the ratio of ours to the other, the ratio to
reach and what a request costs the server in CPU time (all its processes). What is not installed stays empty.
"""

import argparse
import contextlib
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset

from benches.client import Ask, Check, Driven, Reply, drive
from benches.servers import Target, nginx, orthanc, settle, telemed
from tests.samples import ct_series, uid

CONNECTIONS = 4
BOUNDARY = "bench-boundary-4f1c"
JSON = "application/dicom+json"
OCTETS = 'multipart/related; type="application/octet-stream"'
STORED = OCTETS + "; transfer-syntax=*"


@dataclass(frozen=True)
class Slices:
    """One series as it is sent: encoded Part 10 files, and the pixel bytes of each."""

    key: str
    files: list[bytes]
    pixels: list[bytes]

    @property
    def series_path(self) -> str:
        return f"/studies/{uid(self.key, 'study')}/series/{uid(self.key, 'series')}"

    def instance_path(self, index: int) -> str:
        return f"{self.series_path}/instances/{uid(self.key, 'instance', index)}"


def slices(key: str, count: int) -> Slices:
    series = ct_series(key, count, 512)
    return Slices(key, [_encoded(data) for data in series], [data.PixelData for data in series])


def _encoded(data: Dataset) -> bytes:
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def multipart(parts: Sequence[bytes]) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def stores(sent: Slices, batch: int) -> list[Ask]:
    """Requests that store everything, ``batch`` files in each; all must be stored."""
    headers = {"Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}', "Accept": JSON}
    batches = [sent.files[start : start + batch] for start in range(0, len(sent.files), batch)]

    def all_stored(number: int) -> Check:
        # One ReferencedSOPInstanceUID for each, and no FailureReason.
        return lambda reply: (
            reply.status == 200 and reply.body.count(b"00081155") == number and b"00081197" not in reply.body
        )

    return [Ask("/studies", all_stored(len(parts)), "POST", headers, multipart(parts)) for parts in batches]


def metadata(sent: Slices, **headers: str) -> Ask:
    def is_whole(reply: Reply) -> bool:
        if b"content-encoding: gzip" in reply.head.lower():
            return reply.status == 200 and len(reply) > 1000
        return reply.status == 200 and reply.body.count(b'"7FE00010"') == len(sent.files)

    return Ask(sent.series_path + "/metadata", is_whole, headers={"Accept": JSON, **headers})


def frames(sent: Slices, accept: str = STORED) -> list[Ask]:
    def is_frame(pixels: bytes) -> Check:
        return lambda reply: reply.status == 200 and reply.holds(pixels)

    return [
        Ask(sent.instance_path(index) + "/frames/1", is_frame(pixels), headers={"Accept": accept}, sampled=True)
        for index, pixels in enumerate(sent.pixels)
    ]


def plain_files(sent: Slices) -> list[Ask]:
    return [
        Ask(f"/{index}", lambda reply, pixels=pixels: reply.status == 200 and reply.holds(pixels), sampled=True)
        for index, pixels in enumerate(sent.pixels)
    ]


def searches(sent: Slices) -> list[Ask]:
    expected = uid(sent.key, "study").encode()
    return [
        Ask(
            f"/studies?PatientID=P{sent.key}",
            lambda reply: reply.status == 200 and expected in reply.body,
            headers={"Accept": JSON},
        )
    ]


def pictures(sent: Slices) -> list[Ask]:
    """Each slice under its own window, and no window twice in a run: nothing can come from a cache of pictures."""

    def is_jpeg(reply: Reply) -> bool:
        body = reply.body
        return reply.status == 200 and body[:2] == b"\xff\xd8" and body[-2:] == b"\xff\xd9" and len(body) > 2000

    return [
        Ask(
            sent.instance_path(index % len(sent.files)) + f"/rendered?window={40 + index % 997},{400 + index},linear",
            is_jpeg,
            headers={"Accept": "image/jpeg"},
        )
        for index in range(20_000)
    ]


@dataclass(frozen=True)
class Figure:
    """value: what the row's name says. cpu_ms: of the server, per request (of a store: per instance)."""

    value: float
    cpu_ms: float


Measured = Callable[[Target, Slices, float], Figure]


@dataclass(frozen=True)
class Row:
    """goal: the ratio to Orthanc to reach. stores: measures with slices of its own, not yet stored."""

    name: str
    measure: Measured
    goal: float | None = None
    stores: bool = False
    lower_is_better: bool = False


def _cpu(target: Target, work: Callable[[], Driven], of: Callable[[Driven], float], count: int = 0) -> Figure:
    before = target.cpu_seconds()
    driven = work()
    return Figure(of(driven), (target.cpu_seconds() - before) * 1000 / (count or len(driven.times)))


def _stored(batch: int) -> Measured:
    def measure(target: Target, sent: Slices, _seconds: float) -> Figure:
        asks, count = stores(sent, batch), len(sent.files)
        work = lambda: drive(target.dicomweb_url, target.headers, asks, CONNECTIONS)  # noqa: E731
        return _cpu(target, work, lambda driven: count / driven.seconds, count)

    return measure


def _repeated(asks: Callable[[Slices], list[Ask]], connections: int = CONNECTIONS, *, times: bool = False) -> Measured:
    def measure(target: Target, sent: Slices, seconds: float) -> Figure:
        work = lambda: drive(target.dicomweb_url, target.headers, asks(sent), connections, seconds)  # noqa: E731
        return _cpu(target, work, lambda driven: driven.median_ms if times else driven.rate)

    return measure


def _once(asks: Callable[[Slices], list[Ask]]) -> Measured:
    def measure(target: Target, sent: Slices, _seconds: float) -> Figure:
        return _cpu(target, lambda: drive(target.dicomweb_url, target.headers, asks(sent), 1), lambda d: d.median_ms)

    return measure


ROWS = (
    Row("STOW/s, one per request", _stored(1), 2, stores=True),
    Row("STOW/s, ten per request", _stored(10), 2, stores=True),
    Row("metadata, first call, ms", _once(lambda sent: [metadata(sent)]), lower_is_better=True),
    Row("metadata, plain, ms", _repeated(lambda sent: [metadata(sent)], 1, times=True), 30, lower_is_better=True),
    Row(
        "metadata, gzip asked, ms",
        _repeated(lambda sent: [metadata(sent, **{"Accept-Encoding": "gzip"})], 1, times=True),
        30,
        lower_is_better=True,
    ),
    Row("frames/s, as stored", _repeated(frames), 40),
    Row("frames/s, no syntax named", _repeated(lambda sent: frames(sent, OCTETS))),
    Row("QIDO by Patient ID/s", _repeated(searches), 2),
    Row("rendered JPEG/s", _repeated(pictures), 1.5),
)


@dataclass
class Run:
    """What was measured: row name → server name → one figure a turn."""

    rows: Sequence[Row]
    seconds: float
    count: int
    figures: dict[str, dict[str, list[Figure]]]

    def add(self, row: str, server: str, figure: Figure) -> None:
        self.figures.setdefault(row, {}).setdefault(server, []).append(figure)

    def turn(self, target: Target, turn: int) -> None:
        key = f"{target.name}-{turn}"
        read = slices(key, self.count)
        drive(target.dicomweb_url, target.headers, stores(read, 10), CONNECTIONS)
        settle(target)
        for number, row in enumerate(self.rows):
            sent = slices(f"{key}-{number}", self.count) if row.stores else read
            self.add(row.name, target.name, row.measure(target, sent, self.seconds))

    def median(
        self, row: str, server: str, of: Callable[[Figure], float] = lambda figure: figure.value
    ) -> float | None:
        figures = self.figures.get(row, {}).get(server)
        return statistics.median(map(of, figures)) if figures else None


def raw_rate(folder: Path, files: Sequence[bytes]) -> float:
    """Files written and fsynced per second, one thread: what the disk allows."""
    started = time.perf_counter()
    for number, content in enumerate(files):
        with (folder / f"raw-{number}").open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    return len(files) / (time.perf_counter() - started)


FILES, FRAMES, RAW = "plain files/s", "frames/s, as stored", "write + fsync/s, one thread"
STOW_TEN = "STOW/s, ten per request"


def run(folder: Path, measured: Run, turns: int) -> None:
    sample = slices("raw", measured.count)
    (folder / "files").mkdir()
    for index, pixels in enumerate(sample.pixels):
        (folder / "files" / str(index)).write_bytes(pixels)
    with contextlib.ExitStack() as beside:
        ours, other = beside.enter_context(telemed(folder)), beside.enter_context(orthanc(folder))
        plain = beside.enter_context(nginx(folder))
        for turn in range(turns):
            for target in filter(None, (ours, other)):
                measured.turn(target, turn)
            if plain and FRAMES in measured.figures:
                measured.add(FILES, "nginx", _repeated(plain_files)(plain, sample, measured.seconds))
            if STOW_TEN in measured.figures:
                measured.add(RAW, "disk", Figure(raw_rate(folder, sample.files), 0))


def show(measured: Run) -> None:
    print(f"{'':27}{'telemed':>9}{'Orthanc':>9}{'ratio':>8}{'to reach':>9}   CPU ms per request: ours, Orthanc's")
    for row in measured.rows:
        ours, other = (measured.median(row.name, server) for server in ("telemed", "orthanc"))
        cpu = [measured.median(row.name, server, lambda figure: figure.cpu_ms) for server in ("telemed", "orthanc")]
        ratio = None if not ours or not other else other / ours if row.lower_is_better else ours / other
        print(
            f"{row.name:27}{_number(ours, 9)}{_number(other, 9)}{_number(ratio, 8, 2)}{_number(row.goal, 9)}"
            f"   {_number(cpu[0], 8, 2)}{_number(cpu[1], 9, 2)}"
        )
    _beside(measured, FRAMES, FILES, "nginx")
    _beside(measured, STOW_TEN, RAW, "disk")


def _beside(measured: Run, row: str, other_row: str, server: str) -> None:
    ours, other = measured.median(row, "telemed"), measured.median(other_row, server)
    if ours and other:
        print(f"{row}: {ours / other:.2f} of {server}'s {other:.0f} {other_row} (to reach 0.50)")


def _number(value: float | None, width: int, digits: int = 1) -> str:
    return f"{value:{width}.{digits}f}" if value is not None else " " * width


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench imaging", description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2, help="for each row that is asked over and over")
    parser.add_argument("--only", default="", help="rows whose name holds one of these words, with commas between them")
    arguments = parser.parse_args()
    words = arguments.only.lower().split(",")
    rows = [row for row in ROWS if any(word in row.name.lower() for word in words)]
    measured = Run(rows, arguments.seconds, arguments.slices, {})
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), measured, arguments.turns)
    show(measured)


if __name__ == "__main__":
    main()
