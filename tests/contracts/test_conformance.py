"""The conformance statement says what the code does, row by row."""

import re
from pathlib import Path

from imaging.archive import Limits
from imaging.dicom import charset, codecs
from imaging.dicom.encoding import ENCODERS
from imaging.dicom.remarks import Refusal, RefusedAs, Remark, warning_reason
from imaging.dicom.transcode import REWRITTEN
from imaging.dicomweb import qido, rendered
from imaging.store import finding
from imaging.store.search import ATTRIBUTES
from tests.contracts.conftest import doors
from tests.contracts.test_checklist import exists

ROOT = "/dicom-web"
PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"


def section(heading: str) -> list[str]:
    """The lines below a heading, up to the next one."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if re.fullmatch(rf"#+ {re.escape(heading)}", line)) + 1
    end = next((at for at in range(start, len(lines)) if lines[at].startswith("#")), len(lines))
    return lines[start:end]


def table(heading: str) -> list[list[str]]:
    """The cells of its table without the head; marks of code are taken off."""
    rows = [line for line in section(heading) if line.startswith("|")][2:]
    assert rows, heading
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def test_the_services_are_the_routes(platform):
    routed = {
        f"{door.method} {door.pattern.removeprefix(ROOT) or '/'}"
        for door in doors(platform.app)
        if door.pattern.startswith(ROOT) and not door.pattern.startswith((f"{ROOT}/hospitals", f"{ROOT}/{{rest"))
    }
    assert {f"{row[0]} {row[1]}" for row in table("Services")} == routed


def test_every_route_stands_below_each_hospital_too(platform):
    patterns = {(door.method, door.pattern) for door in doors(platform.app)}
    for method, resource, *_ in table("Services"):
        assert (method, f"{ROOT}/hospitals/{{owner}}{resource}") in patterns


def test_t06_the_failure_reasons_are_those_of_the_code():
    written = {row[0]: (int(row[1], 16), row[2]) for row in table("Failure reasons")}
    assert written == {str(why): (Refusal(why).failure_reason, Refusal(why).detail) for why in RefusedAs}


def test_t06_t07_every_reason_is_provoked_by_a_test():
    named = [row[-1] for heading in ("Failure reasons", "Warning reasons") for row in table(heading)]
    assert [name for name in named if not exists(*name.split("::"))] == []


def test_t07_the_warning_reasons_are_those_of_the_code():
    assert [int(row[0], 16) for row in table("Warning reasons")] == sorted(
        {reason for remark in Remark if (reason := warning_reason([remark])) is not None}
    )


def test_the_search_keys_are_those_of_the_index():
    assert {tuple(row[:4]) for row in table("Search keys")} == {
        (attribute.keyword, attribute.tag, attribute.vr, attribute.level.name.lower()) for attribute in ATTRIBUTES
    }


def test_the_limits_are_those_of_the_code():
    limits = Limits()
    assert [int(row[1]) for row in table("Limits")] == [
        limits.max_part_bytes,
        limits.max_request_parts,
        limits.reading.max_depth,
        limits.reading.max_elements,
        limits.reading.max_inflated_bytes,
        codecs.MAX_FRAME_BYTES,
        qido.MAX_RESULTS,
        finding.COUNTED,
        finding.COMPARED,
        rendered.MAX_VIEWPORT_PIXELS,
        int(limits.worker_cpu_seconds),
    ]


def test_the_character_sets_are_those_that_are_read():
    assert {row[0].replace("none", ""): row[1] for row in table("Character sets")} == charset.CODECS


def test_t48_the_transfer_syntaxes_are_those_of_the_code():
    written = {row[0]: row[1:4] for row in table("Transfer syntaxes")}
    known = {*codecs.NATIVE, *codecs.CODECS}
    assert written == {
        syntax: [
            codecs.media_type(syntax),
            "yes" if codecs.is_decodable(syntax) else "no",
            "yes" if syntax in {*REWRITTEN, *ENCODERS} else "no",
        ]
        for syntax in known
    }
