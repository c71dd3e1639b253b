"""People's names: how they are shown and what searches compare. Pure; receiving and searching share it."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from imaging.dicom import pinyin

_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_SEPARATORS: Final = re.compile(r"[\s^,.\-_'’·・]+")
_HAN_OR_KANA: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


# Control characters, and those that change the direction of what follows.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def name_key(name: str) -> str:
    """``name`` folded for comparing: width, case, accents and separators do not count; groups stay apart by a space.

    ``Wang^XiaoDong=王^小东`` and ``wang xiaodong=王小东`` have the same key. Of a search text, the key of a part
    of a name is a part of the name's key.
    """
    return " ".join(filter(None, (_fold(group) for group in name.split("="))))


def _fold(group: str) -> str:
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", group))
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", bare).casefold())


def display_name(name: str) -> str:
    """The form that people read: the ideographic group without marks (王小东), else the first one with words apart.

    ``name``: the groups of a DICOM person name with ``=`` between them (PS3.5 section 6.2.1). What would turn or hide
    the text around it is left out.
    """
    groups = [group.strip(" ^") for group in _UNSEEN.sub("", name).split("=")]
    ideographic = groups[1] if len(groups) > 1 else ""
    chosen = ideographic or next(filter(None, groups), "")
    glue = "" if _HAN_OR_KANA.search(chosen) else " "
    return glue.join(part.strip() for part in chosen.split("^") if part.strip())


# A name has few words; one made to fill the index has not.
WORDS_KEPT: Final = 24
_TONE: Final = re.compile("(?<=[a-z])[1-5]")


def words(name: str) -> set[str]:
    """What a person may type the beginning of to find ``name``: its parts and groups; of a Chinese name also the given
    name, both in pinyin, and its initials.

    ``Wang^XiaoDong=王^小东``: wang, xiaodong, wangxiaodong, 王, 小东, 王小东, wxd.
    """
    groups = name.split("=")
    found = dict.fromkeys(whole for group in groups if (whole := group_word(group)))
    found |= dict.fromkeys(word for group in groups for word in _words_of(group) if word)
    return set(list(found)[:WORDS_KEPT])


def group_word(group: str) -> str:
    """The whole of one group of a name as one word: wangxiaodong."""
    return "".join(_parts(group))


def typed_words(text: str) -> list[str]:
    """The words of a search text, folded as :func:`words` are: ``Zhāng wei3`` is zhang, wei."""
    return [_TONE.sub("", word) for word in _parts(text.replace("=", " "))]


def _parts(group: str) -> list[str]:
    return [folded for part in _SEPARATORS.split(group) if (folded := _latin(_fold(part)))]


def _words_of(group: str) -> Iterator[str]:
    parts = _parts(group)
    whole = "".join(parts)
    yield from parts
    if pinyin.is_han(whole):
        surname = len(parts[0]) if len(parts) > 1 else pinyin.surname_length(whole)
        read = pinyin.syllables(whole, surname)
        yield from (whole[surname:], "".join(read), "".join(read[surname:]), "".join(one[:1] for one in read))


def _latin(folded: str) -> str:
    # ü is typed v by some and u by others.
    return folded.replace("lv", "lu").replace("nv", "nu")
