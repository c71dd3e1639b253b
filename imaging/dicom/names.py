"""People's names: how they are shown and what searches compare. Pure; receiving and searching share it."""

import re
import unicodedata
from typing import Final

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
