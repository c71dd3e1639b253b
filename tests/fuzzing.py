"""What every mutated file must leave behind: an answer or a clear refusal, and a reader that lives."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from aiohttp.test_utils import TestClient

from foundation.errors import ServiceError
from imaging.dicom.frames import uncompressed_frame
from imaging.dicom.layout import Layout
from imaging.dicom.reading import Examined, ReadingLimits, examine
from imaging.dicom.rendering import RenderOptions, render
from imaging.dicom.transcode import to_explicit_little_endian
from tests.dicomweb import address
from tests.samples import ct_slice, to_bytes

BOUNDARY = "a-boundary"
MULTIPART = {"Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'}
LIMITS = ReadingLimits(max_inflated_bytes=64 << 20)
TELLTALE = ("Traceback", ".py", "/home/", "sqlite", "SELECT ")


def read_all(bodies: Iterable[bytes], folder: Path) -> Counter[str]:
    """Examine, rewrite, cut and render each in this process. Anything but a refusal of ours is raised."""
    seen: Counter[str] = Counter()
    path = folder / "mutated"
    for body in bodies:
        path.write_bytes(body)
        found = examine(path, LIMITS)
        seen[type(found).__name__] += 1
        if isinstance(found, Examined):
            seen[_used(path, found, folder)] += 1
    return seen


def _used(path: Path, found: Examined, folder: Path) -> str:
    layout = Layout.from_json(found.layout)
    json.loads(json.dumps(found.layout))
    outcomes = []
    for use in (
        lambda: render(path, found.transfer_syntax_uid, layout, found.metadata_json, RenderOptions()),
        lambda: uncompressed_frame(path, found.transfer_syntax_uid, layout, 0),
        lambda: to_explicit_little_endian(path, folder / "rewritten", found.transfer_syntax_uid, layout),
    ):
        try:
            use()
            outcomes.append("done")
        except ServiceError as refusal:
            outcomes.append(refusal.code)
    return outcomes[0]


async def send_all(client: TestClient, bodies: Iterable[bytes]) -> Counter[int]:
    """Store each with a good neighbour, and fetch what was stored in every way; the statuses seen."""
    seen: Counter[int] = Counter()
    for number, body in enumerate(bodies):
        neighbour = ct_slice(f"neighbour {number}", count=1, size=8)
        reply = await client.post("/dicom-web/studies", data=_joined(body, to_bytes(neighbour)), headers=MULTIPART)
        answer = await _clean(reply, seen)
        urls = [item["00081190"]["Value"][0] for item in answer.get("00081199", {}).get("Value", [])]
        if BOUNDARY.encode() not in body:
            assert any(str(neighbour.SOPInstanceUID) in url for url in urls), "the neighbour was lost"
        for url in urls[:1]:
            for resource in ("/metadata", "/rendered", "/frames/1", "/thumbnail", ""):
                await _clean(await client.get(f"/dicom-web{url.rpartition('/dicom-web')[2]}{resource}"), seen)
    good = ct_slice("after all", count=1, size=8)
    await client.post("/dicom-web/studies", data=to_bytes(good), headers={"Content-Type": "application/dicom"})
    assert (await client.get(f"{address(good)}/rendered")).status == 200
    return seen


async def _clean(reply, seen: Counter[int]) -> dict:
    body = await reply.read()
    seen[reply.status] += 1
    assert reply.status < 500, body[:400]
    if "json" not in reply.content_type:
        return {}
    text = body.decode()
    decoded = json.loads(text)
    if reply.status >= 400:
        assert not [word for word in TELLTALE if word in text], text[:400]
    return decoded if isinstance(decoded, dict) else {}


def _joined(*bodies: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + body + b"\r\n" for body in bodies) + f"--{BOUNDARY}--\r\n".encode()
