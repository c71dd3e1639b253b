"""The import arrows of docs/architecture.md, read from the code itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("foundation", "imaging", "signaling", "telemed", "reviewer")

# part → the parts it may import. server.py may import all.
ALLOWED = {
    "foundation": set(),
    "imaging": {"foundation"},
    "signaling": {"foundation"},
    "telemed": {"foundation", "imaging", "signaling"},
    # The reference reviewer has only what a vendor would have.
    "reviewer": set(),
}
MODEL_MAY_NOT = {"aiohttp", "sqlalchemy", "pydicom"}
MAY_READ_ENVIRONMENT = {"server.py", "telemed/settings.py"}


def modules(part: str) -> list[Path]:
    return sorted((ROOT / part).rglob("*.py"))


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) if node.module}
    return {name.split(".")[0] for name in plain | named}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_imports_only_what_the_design_allows(part):
    assert modules(part), f"{part} has no modules"
    wrong = {
        str(path.relative_to(ROOT)): sorted(imported(path) & set(PARTS) - ALLOWED[part] - {part})
        for path in modules(part)
        if imported(path) & set(PARTS) - ALLOWED[part] - {part}
    }
    assert wrong == {}


def test_rules_are_pure():
    models = [path for part in PARTS for path in modules(part) if path.name == "model.py"]
    assert models
    assert {path: imported(path) & MODEL_MAY_NOT for path in models if imported(path) & MODEL_MAY_NOT} == {}


def test_the_room_awaits_nothing():
    tree = ast.parse((ROOT / "signaling" / "room.py").read_text(encoding="utf-8"))
    waiting = [node for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFunctionDef)]
    assert waiting == []


def test_only_the_settings_read_the_environment():
    readers = set()
    for path in [ROOT / "server.py", *(path for part in PARTS for path in modules(part))]:
        text = path.read_text(encoding="utf-8")
        if "os.environ" in text or "os.getenv" in text or "environ[" in text:
            readers.add(path.relative_to(ROOT).as_posix())
    assert readers <= MAY_READ_ENVIRONMENT


def test_modules_stay_small():
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for part in PARTS
        for path in modules(part)
        if "migrations" not in path.parts and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_no_public_module_lacks_a_docstring():
    silent = [
        path.relative_to(ROOT).as_posix()
        for part in PARTS
        for path in modules(part)
        if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []
