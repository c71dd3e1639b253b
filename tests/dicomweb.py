"""Helpers for tests that ask an archive over DICOMweb."""

import re

from pydicom import Dataset

from imaging.archive import Archive
from imaging.guard import Access
from imaging.store.ingest import Held, Outcome
from tests.archives import WENZHOU
from tests.samples import to_bytes


async def keep(archive: Archive, *instances: Dataset | bytes, access: Access = WENZHOU) -> list[Outcome]:
    """Store the instances at once, as an upload would."""
    bodies = [instance if isinstance(instance, bytes) else to_bytes(instance) for instance in instances]
    return await archive.ingest.store_all(access, [Held(body) for body in bodies])


def address(data: Dataset) -> str:
    """The path of an instance at the plain root."""
    return f"{series_address(data)}/instances/{data.SOPInstanceUID}"


def series_address(data: Dataset) -> str:
    return f"/dicom-web/studies/{data.StudyInstanceUID}/series/{data.SeriesInstanceUID}"


def split(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """The parts of a multipart/related body: (headers, content). Strict about delimiters (RFC 2046 section 5.1.1)."""
    boundary = re.search(r"boundary=([^;]+)", content_type)[1].strip('"').encode()
    assert body.startswith(b"--" + boundary + b"\r\n")
    assert body.endswith(b"\r\n--" + boundary + b"--\r\n")
    inner = body[len(boundary) + 4 : -len(boundary) - 8]
    found = []
    for part in inner.split(b"\r\n--" + boundary + b"\r\n"):
        head, content = part.split(b"\r\n\r\n", 1)
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        found.append((headers, content))
    return found
