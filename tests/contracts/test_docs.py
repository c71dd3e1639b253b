"""What the documents promise is what the code has."""

import re
from dataclasses import fields
from pathlib import Path

from telemed.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented_and_nothing_else():
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", text))
    assert documented == {PREFIX + row.name.upper() for row in fields(Settings)}


def pages() -> list[Path]:
    return [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))


def test_links_between_documents_lead_somewhere():
    inner = [(page, target) for page in pages() for target in links(page) if "://" not in target]
    assert inner
    assert [(str(page), target) for page, target in inner if not (page.parent / target).exists()] == []


def test_scripts_the_documents_name_exist():
    named = set()
    for page in pages():
        named |= set(re.findall(r"`(script/[a-z_]+)", page.read_text(encoding="utf-8")))
    assert {name for name in named if not (ROOT / name).exists()} == set()
    assert {"script/server", "script/test"} <= named


def test_every_decision_has_a_number_of_its_own_and_bears_it():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert {page.name: page.read_text(encoding="utf-8")[2:6] for page in pages} == {
        page.name: page.name[:4] for page in pages
    }


def test_decisions_that_the_code_names_exist():
    folders = [ROOT / part for part in ("foundation", "imaging", "signaling", "telemed")]
    texts = [path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py")]
    named = {name for text in texts for name in re.findall(r"decisions/([\w-]+\.md)", text)}
    assert named
    assert {name for name in named if not (ROOT / "docs" / "decisions" / name).exists()} == set()
