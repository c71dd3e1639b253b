"""Promises about the whole source: what is never called, what no caller may choose (checklist, security 3 and 12)."""

import ast
from importlib.metadata import version
from pathlib import Path

from pydicom.data import get_testdata_file

from imaging.dicom.reading import ReadingLimits, examine
from imaging.dicom.remarks import Refusal, RefusedAs
from tests.contracts.conftest import doors

ROOT = Path(__file__).parents[2]
PARTS = ("foundation", "imaging", "signaling", "telemed")
# Where a process is started, and why: the demonstration's reviewer, from our own words alone.
STARTS_A_PROCESS = {"telemed/demonstration.py"}
RUNS = {"eval", "exec", "system", "popen", "Popen", "create_subprocess_exec", "create_subprocess_shell"}
# Words that a caller would choose a place or a program by.
PLACES = ("file", "filename", "folder", "directory", "command", "script", "output")


def trees():
    for part in PARTS:
        for path in (ROOT / part).rglob("*.py"):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def called(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_security_03_the_reader_of_file_sets_is_fixed_and_never_used():
    assert tuple(map(int, version("pydicom").split("."))) >= (3, 0, 2)
    found = {path for path, tree in trees() if any("fileset" in name.lower() for name in imported(tree))}
    assert found == set()


def test_security_03_an_index_that_points_outside_is_refused_unread(tmp_path):
    original = Path(get_testdata_file("DICOMDIR")).read_bytes()
    crafted = tmp_path / "DICOMDIR"
    # A Referenced File ID of three components, as long as the one it replaces.
    crafted.write_bytes(original.replace(b"77654033\\CR1\\6154 ", b"..\\..\\etc\\passwd  "))
    assert crafted.read_bytes() != original
    refusal = examine(crafted, ReadingLimits())
    assert isinstance(refusal, Refusal)
    assert refusal.why is RefusedAs.DIRECTORY


def test_security_12_nothing_of_a_request_is_run():
    unsafe_modules = {"pickle", "shelve", "marshal", "subprocess"}
    found = set()
    for path, tree in trees():
        starts = {name for name in called(tree) if name in RUNS}
        starts |= {name.split(".")[0] for name in imported(tree)} & unsafe_modules
        found |= {path} if starts else set()
    assert found == STARTS_A_PROCESS


async def test_security_12_no_route_lets_a_caller_choose_where_bytes_go(platform):
    paths = [door.path for door in doors(platform.app)]
    assert len(paths) > 30
    assert [path for path in paths if any(word in path.strip("/").split("/") for word in PLACES)] == []
