"""Chinese names in Latin letters: the reading of each character, surnames read as surnames. Pure.

Readings are those of pypinyin's character table, without tones; ü is written u, as search texts are folded too.
"""

import re
import unicodedata
from typing import Final

from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

from imaging.dicom.charset import HAN_RANGES

# Names are read character by character: the phrases would take 40 MB for nothing.
PHRASES_DICT.clear()

_HAN: Final = re.compile(f"[{HAN_RANGES}]+")
_MARKS: Final = re.compile("[\u0300-\u036f]")
# Surnames whose reading is not the character's usual one.
_SURNAMES: Final = {
    **{"单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "朴": "piao", "查": "zha", "区": "ou", "任": "ren"},
    **{"盖": "ge", "缪": "miao", "翟": "zhai", "覃": "qin", "员": "yun", "乐": "yue", "种": "chong", "召": "shao"},
    **{"折": "she", "秘": "bi", "洗": "xian", "黑": "he", "繁": "po", "重": "chong", "牟": "mu", "能": "nai"},
    **{"單": "shan", "區": "ou", "樂": "yue", "蓋": "ge", "繆": "miao", "員": "yun", "万": "wan"},
}
# Surnames of two characters, with their syllables.
_DOUBLE: Final = {
    **{"欧阳": "ou yang", "司马": "si ma", "诸葛": "zhu ge", "上官": "shang guan", "东方": "dong fang"},
    **{"皇甫": "huang fu", "尉迟": "yu chi", "公孙": "gong sun", "慕容": "mu rong", "令狐": "ling hu"},
    **{"长孙": "zhang sun", "宇文": "yu wen", "司徒": "si tu", "夏侯": "xia hou", "万俟": "mo qi"},
    **{"澹台": "tan tai", "端木": "duan mu", "呼延": "hu yan", "南宫": "nan gong", "独孤": "du gu"},
    **{"歐陽": "ou yang", "司馬": "si ma", "諸葛": "zhu ge", "尉遲": "yu chi", "長孫": "zhang sun"},
}


def is_han(text: str) -> bool:
    return _HAN.fullmatch(text) is not None


def surname_length(name: str) -> int:
    """How many characters of ``name``, written without marks, are the surname."""
    return 2 if name[:2] in _DOUBLE and len(name) > 2 else 1


def syllables(name: str, surname: int) -> list[str]:
    """``name``: Han only; its first ``surname`` characters are read as a surname."""
    family = name[:surname]
    if family in _DOUBLE:
        read = _DOUBLE[family].split()
    else:
        read = [_SURNAMES.get(family) or _reading(family)] if surname == 1 else [_reading(one) for one in family]
    return [*read, *(_reading(one) for one in name[surname:])]


def _reading(character: str) -> str:
    first = PINYIN_DICT.get(ord(character), "").partition(",")[0]
    return _MARKS.sub("", unicodedata.normalize("NFKD", first))
