"""The result document and what it must fulfil before a doctor sees any of it. Pure.

Two kinds of refusal: a document without the required form (``ResultMalformed``), and one that has the form but
contradicts the job (``ResultRefused``). Both name every faulty place with a JSON pointer (RFC 6901) in ``errors``.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from imaging.review.errors import ResultMalformed, ResultRefused, ResultTooLarge
from imaging.review.manifest import Manifest, ManifestInstance
from imaging.review.model import JobEvent

LIMIT_BYTES: Final = 1 << 20
_MAX_FAULTS: Final = 50

Word = Annotated[str, Meta(min_length=1, max_length=64)]
Line = Annotated[str, Meta(min_length=1, max_length=256)]
Prose = Annotated[str, Meta(max_length=4000)]
Shape = Literal["POINT", "POLYLINE", "CIRCLE", "ELLIPSE"]

# How many numbers each graphic type takes: PS3.3 C.18.6.1.2 (two per point); None: two points or more.
_NUMBERS: Final[dict[Shape, int | None]] = {"POINT": 2, "CIRCLE": 4, "ELLIPSE": 8, "POLYLINE": None}


class Model(msgspec.Struct, frozen=True):
    name: Line
    version: Word


class Summary(msgspec.Struct, frozen=True):
    """code: CID 6047 "CAD Overall Processing/Evaluation", e.g. 111241 ran and found nothing, 111242 with findings."""

    code: Word
    text: Prose = ""


class Code(msgspec.Struct, frozen=True):
    system: Word
    code: Word
    display: Line


class Coordinates(msgspec.Struct, frozen=True, tag_field="kind", tag="scoord"):
    """data: x, y, x, y, … in pixels of the frame, 0/0 the outer corner of its first pixel (PS3.3 C.18.6.1.1)."""

    sop: Word
    type: Shape
    data: Annotated[list[float], Meta(max_length=2000)]
    frame: Annotated[int, Meta(ge=1)] = 1


class WholeImage(msgspec.Struct, frozen=True, tag_field="kind", tag="image"):
    sop: Word
    frame: Annotated[int, Meta(ge=1)] = 1


class Measurement(msgspec.Struct, frozen=True):
    """unit: UCUM."""

    name: Word
    value: float
    unit: Word


class FindingDocument(msgspec.Struct, frozen=True):
    id: Word
    code: Code
    location: Annotated[list[Coordinates | WholeImage], Meta(min_length=1, max_length=1)]
    probability: Annotated[float, Meta(ge=0, le=1)] | None = None
    measurements: Annotated[list[Measurement], Meta(max_length=50)] = []
    description: Prose = ""


class ResultDocument(msgspec.Struct, frozen=True, rename="camel"):
    event_id: Annotated[str, Meta(min_length=1, max_length=128)]
    sequence: Annotated[int, Meta(ge=1, le=1_000_000)]
    status: Literal["in-progress", "completed", "failed", "skipped"]
    model: Model
    summary: Summary | None = None
    reason: Prose = ""
    findings: Annotated[list[FindingDocument], Meta(max_length=500)] = []

    @property
    def event(self) -> JobEvent:
        return _EVENTS[self.status]


_EVENTS: Final = {
    "in-progress": JobEvent.PROGRESSED,
    "completed": JobEvent.COMPLETED,
    "failed": JobEvent.FAILED,
    "skipped": JobEvent.SKIPPED,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What the job holds a document to. known_ids: findings of its earlier documents."""

    manifest: Manifest
    model: Model
    finding_codes: frozenset[str]
    known_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding with the series and image it lies on."""

    finding: FindingDocument
    series_instance_uid: str
    instance: ManifestInstance


class Fault(msgspec.Struct, frozen=True):
    pointer: str
    code: str
    detail: str


def body_hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def read(body: bytes) -> ResultDocument:
    """Raises ``ResultTooLarge`` or ``ResultMalformed``."""
    if len(body) > LIMIT_BYTES:
        raise ResultTooLarge(f"Send at most {LIMIT_BYTES} bytes.", limit_bytes=LIMIT_BYTES)
    try:
        return msgspec.json.decode(body, type=ResultDocument)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        fault = Fault(_pointer(where.rstrip("`")), "form", what)
        raise ResultMalformed(f"The document does not fit: {what}.", errors=_plain([fault])) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResultMalformed("The body is not JSON in UTF-8.") from error


def _pointer(path: str) -> str:
    """``.findings[0].code`` → ``/findings/0/code``."""
    return "".join(f"/{name or index}" for name, index in re.findall(r"\.([A-Za-z_]\w*)|\[(\d+|\.\.\.)\]", path))


def check(document: ResultDocument, terms: Terms) -> list[Placed]:
    """The findings, each on its image. Raises ``ResultRefused`` naming every contradiction."""
    places = _places(terms.manifest)
    faults = list(_document_faults(document, terms))
    placed = []
    for index, finding in enumerate(document.findings):
        faults += _finding_faults(f"/findings/{index}", finding, terms, places)
        if found := places.get(finding.location[0].sop):
            placed.append(Placed(finding, *found))
    if faults:
        raise ResultRefused(
            f"{faults[0].detail} ({len(faults)} in all; see errors).", errors=_plain(faults[:_MAX_FAULTS])
        )
    return placed


def _plain(faults: list[Fault]) -> list[dict[str, object]]:
    return [msgspec.structs.asdict(fault) for fault in faults]


def _places(manifest: Manifest) -> dict[str, tuple[str, ManifestInstance]]:
    return {
        one.sop_instance_uid: (series.series_instance_uid, one)
        for series in manifest.series
        for one in series.instances
    }


def _document_faults(document: ResultDocument, terms: Terms) -> Iterator[Fault]:
    if document.model.name != terms.model.name:
        yield Fault("/model/name", "wrong_model", f"The registered model is {terms.model.name}.")
    if document.model.version != terms.model.version:
        yield Fault("/model/version", "wrong_version", f"The registered version is {terms.model.version}.")
    if document.status == "completed" and document.summary is None:
        yield Fault("/summary", "summary_missing", "A completed review says what came out of it.")
    if document.status in {"failed", "skipped"} and not document.reason:
        yield Fault("/reason", "reason_missing", "A review that failed or was skipped gives the reason.")
    counts = Counter(finding.id for finding in document.findings)
    for index, finding in enumerate(document.findings):
        if counts[finding.id] > 1 or finding.id in terms.known_ids:
            yield Fault(f"/findings/{index}/id", "duplicate_id", "Each finding of a job has its own id, sent once.")


def _finding_faults(
    at: str, finding: FindingDocument, terms: Terms, places: dict[str, tuple[str, ManifestInstance]]
) -> Iterator[Fault]:
    if f"{finding.code.system}:{finding.code.code}" not in terms.finding_codes:
        yield Fault(f"{at}/code", "code_not_allowed", "This finding code is not among those registered.")
    location = finding.location[0]
    found = places.get(location.sop)
    if found is None:
        yield Fault(f"{at}/location/0/sop", "foreign_instance", "The instance is not in the job's manifest.")
        return
    instance = found[1]
    if location.frame > instance.frames:
        yield Fault(f"{at}/location/0/frame", "frame_out_of_range", f"The instance has {instance.frames} frames.")
    if isinstance(location, Coordinates):
        yield from _shape_faults(f"{at}/location/0/data", location, instance)


def _shape_faults(at: str, location: Coordinates, instance: ManifestInstance) -> Iterator[Fault]:
    if not _right_count(location):
        yield Fault(at, "wrong_count", f"A {location.type} does not take {len(location.data)} numbers.")
    elif instance.rows is None or instance.columns is None:
        yield Fault(at, "no_pixels", "The instance has no pixels to point at.")
    elif not _inside(location.data, instance.columns, instance.rows):
        yield Fault(at, "outside_image", f"Points lie within 0..{instance.columns} and 0..{instance.rows}.")


def _right_count(location: Coordinates) -> bool:
    numbers, wanted = len(location.data), _NUMBERS[location.type]
    return numbers == wanted if wanted is not None else numbers >= 4 and numbers % 2 == 0


def _inside(data: list[float], columns: int, rows: int) -> bool:
    return all(0 <= x <= columns for x in data[::2]) and all(0 <= y <= rows for y in data[1::2])
