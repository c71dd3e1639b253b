"""The browser has words, in both languages, for whatever Python refuses."""

import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest

import foundation
import imaging
import signaling
import telemed
from foundation.errors import ServiceError
from signaling.codes import CloseCode, ErrorCode

STATIC = Path(__file__).parents[2] / "static"
LANGUAGES = ["zh", "en"]
# Refusals that only the browser itself knows.
OF_THE_BROWSER = {"network", "upload.unreadable"}


def words_of(language: str) -> dict[str, str]:
    """The message files of a language; keys are dotted."""
    files = [STATIC / "locales" / f"{language}.json", *(STATIC / "locales" / language).glob("*.json")]
    return {key: text for file in files for key, text in json.loads(file.read_text(encoding="utf-8")).items()}


def error_codes(language: str) -> set[str]:
    return {key.removeprefix("errors.") for key in words_of(language) if key.startswith("errors.")}


def python_codes() -> set[str]:
    for part in (foundation, imaging, signaling, telemed):
        for module in pkgutil.walk_packages(part.__path__, f"{part.__name__}."):
            if ".migrations." not in module.name:
                importlib.import_module(module.name)
    return {error.code for error in [ServiceError, *descendants(ServiceError)] if not_of_a_test(error)}


def not_of_a_test(error: type[ServiceError]) -> bool:
    return error.__module__.split(".")[0] != "tests"


def descendants(cls: type[ServiceError]):
    for child in cls.__subclasses__():
        yield child
        yield from descendants(child)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_python_has_words(language):
    codes = python_codes()
    assert len(codes) > 40
    assert codes - error_codes(language) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_words_are_left_of_a_code_that_is_gone(language):
    assert error_codes(language) - python_codes() == OF_THE_BROWSER


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_of_a_room_has_words(language):
    words = words_of(language)
    assert [code for code in ErrorCode if f"room.refused.{code}" not in words] == []


def test_every_close_code_that_ends_a_stay_has_a_sentence_of_its_own():
    protocol = (STATIC / "src" / "shared" / "protocol.ts").read_text(encoding="utf-8")
    named = dict(re.findall(r"(\d{4}): '(room\.closed\.\w+)'", protocol))
    for_good = [code for code in CloseCode if code.value >= 4000 and not code.come_back]
    assert for_good
    assert [code for code in for_good if str(code.value) not in named] == []
    assert {key for key in named.values() for language in LANGUAGES if key not in words_of(language)} == set()
