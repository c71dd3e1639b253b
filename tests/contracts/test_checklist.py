"""The imaging checklist names tests that exist, for every number."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "checklist.md"
NUMBERS = [*(f"T{number:02}" for number in range(1, 61)), *(f"Security {number}" for number in range(1, 26))]
HEADING = re.compile(r"### (T[0-9]{2}|Security [0-9]+) \S.*")
NAMED = re.compile(r"- `([^`:]+)::(test_\w+)`")
REASON = re.compile(r"- (left out: .{10,}|not yet)")


def rows():
    """Number → its lines, blank ones left out."""
    found = {}
    lines = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := HEADING.fullmatch(line):
            assert heading[1] not in found, heading[1]
            lines = found[heading[1]] = []
        elif line.startswith("#"):
            lines = []
        elif line:
            lines.append(line)
    return found


@cache
def names_in(path):
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def exists(path, name):
    return (TESTS / path).is_file() and name in names_in(path)


def test_every_number_stands_there_in_order():
    assert list(rows()) == NUMBERS


def test_every_number_has_a_test_or_a_reason():
    found = rows()
    assert [number for number, lines in found.items() if not lines] == []
    stray = [
        line for lines in found.values() for line in lines if not (NAMED.fullmatch(line) or REASON.fullmatch(line))
    ]
    assert stray == []


def test_every_named_test_exists():
    named = [match.groups() for found in rows().values() for line in found if (match := NAMED.fullmatch(line))]
    assert len(named) > 100
    assert [f"{path}::{name}" for path, name in named if not exists(path, name)] == []
