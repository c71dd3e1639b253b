"""The words a study is found by the beginning of, and how such a search becomes SQL that an index serves.

A word carries its kind as its first letter: ``n`` a name in any reading, ``i`` Patient ID or accession number, ``d``
the study description. Pure apart from SQLAlchemy expressions.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam

from imaging.dicom import names
from imaging.dicom.pinyin import is_han
from imaging.store import tables

_WORD: Final = tables.StudyWord.core()
LENGTH: Final = 80
NAME, NUMBER, DESCRIPTION = "n", "i", "d"
# A description is a few words; one made to fill the index is not.
DESCRIPTION_WORDS: Final = 12
TYPED_WORDS: Final = 6
_BREAKS: Final = re.compile(r"[^\w]+|_")
# Han is written without spaces: a run of it is found from each of its characters.
_RUNS: Final = re.compile("([\u3400-\u4dbf\u4e00-\u9fff]+)")


@dataclass(frozen=True, slots=True)
class Lookup:
    """every: for each word typed its beginnings, one of which must be there; or else the beginnings ``joined``."""

    every: tuple[tuple[str, ...], ...]
    joined: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[tuple[int, ...], int]:
        return tuple(map(len, self.every)), len(self.joined)


def rows_of(study: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows of ``study_words`` for a row of ``studies``."""
    found = {NAME + word for word in names.words(study["patient_name"])}
    found |= {NUMBER + word for tag in ("patient_id", "accession_number") if (word := _folded(study[tag]))}
    found |= {DESCRIPTION + word for word in _described(study["study_description"])}
    return [
        {"study_key": study["id"], "word": word, "owner": study["owner"]}
        for word in sorted({word[:LENGTH] for word in found})
    ]


def of_name(text: str) -> Lookup | None:
    """Fuzzy: each word typed begins a word of the name, or all of them together do."""
    typed = names.typed_words(text)[:TYPED_WORDS]
    joined = (NAME + "".join(typed),) if len(typed) > 1 else ()
    return _lookup(tuple((NAME + word,) for word in typed), joined)


def of_group(text: str) -> Lookup | None:
    """A name that has a group beginning with ``text``."""
    typed = names.group_word(text)
    return _lookup(((NAME + typed,),) if typed else ())


def of_number(text: str) -> Lookup | None:
    """A Patient ID or accession number that begins with ``text``."""
    return _lookup(((NUMBER + _folded(text),),) if _folded(text) else ())


def of_text(text: str) -> Lookup | None:
    """The worklist's search box: each word typed begins a word of the name, the number or the description."""
    typed = text.split()[:TYPED_WORDS]
    joined = of_name(text)
    return _lookup(tuple(_beginnings(word) for word in typed), joined.joined if joined else ())


def _lookup(every: tuple[tuple[str, ...], ...], joined: tuple[str, ...] = ()) -> Lookup | None:
    fitted = tuple(tuple(one[:LENGTH] for one in beginnings) for beginnings in every)
    return Lookup(fitted, tuple(one[:LENGTH] for one in joined)) if every else None


def _beginnings(word: str) -> tuple[str, ...]:
    name = "".join(names.typed_words(word))
    described = _BREAKS.sub("", _folded(word))
    kinds = ((NAME, name), (NUMBER, _folded(word)), (DESCRIPTION, described))
    return tuple(kind + text for kind, text in kinds if text)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _described(text: str) -> Iterable[str]:
    found: dict[str, None] = {}
    for part in _RUNS.split(_folded(text)):
        pieces = [part[start:] for start in range(len(part))] if is_han(part) else _BREAKS.split(part)
        found |= dict.fromkeys(piece for piece in pieces if piece)
    return list(found)[:DESCRIPTION_WORDS]


def beginning(one: int, at: str) -> ColumnElement[bool]:
    """A word that begins with text number ``one`` of those that :func:`values` makes parameters of."""
    return and_(_WORD.word >= bindparam(f"{at}_{one}_low"), _WORD.word < bindparam(f"{at}_{one}_high"))


def values(beginnings: Iterable[str], at: str) -> dict[str, str]:
    found = {}
    for one, text in enumerate(beginnings):
        found[f"{at}_{one}_low"] = text
        # No text of Unicode has this character, and it sorts after all others.
        found[f"{at}_{one}_high"] = text + "\U0010ffff"
    return found
