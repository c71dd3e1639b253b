"""Text out of stored bytes: the declared character set where it holds, a repair where the label is plainly wrong.

Chinese systems often write GBK or UTF-8 under the label of another set, or none. The rule, pure and per value:

1. Bytes that are ASCII without escapes are ASCII.
2. A code extension (ISO 2022 escapes in the value) speaks for itself (PS3.3 section C.12.1.1.2).
3. A label that can tell wrong bytes from right ones is believed when the bytes fit it. GB18030 is believed unless the
   bytes are UTF-8 Chinese and leave the everyday part of GB18030; UTF-8 unless the text keeps to no one alphabet and is
   Chinese in GB18030 (short GBK names fit UTF-8 by chance); other labels always.
4. Otherwise (Latin-1 or no label, or bytes that do not fit): strict UTF-8 that is all Chinese is UTF-8; else strict
   GB18030 that is all Chinese, and does not look like Latin-1 words, is GB18030; else the label stays and it is noted.

The stored bytes are never altered. Separators are looked for in decoded text only: a GBK character may end in 0x5C.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

Verdict = Literal["declared", "repaired", "doubtful"]


class Decoded(NamedTuple):
    """Text and how it was found: as declared, repaired against the label, or declared but doubtful."""

    text: str
    verdict: Verdict


# Defined terms of single-value sets without code extensions (PS3.3 Table C.12-2 and C.12-5), with what users write.
CODECS: Final = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO_IR 100": "iso8859-1",
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 127": "iso8859-6",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8",
    "ISO_IR 148": "iso8859-9",
    "ISO_IR 203": "iso8859-15",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 166": "tis-620",
    "ISO_IR 192": "utf-8",
    "GB18030": "gb18030",
    "GBK": "gb18030",
    "ISO_IR 58": "gb18030",
}
# Labels that a system writes without meaning them.
_UNMEANT: Final = frozenset({"ascii", "iso8859-1"})

# Escape sequence → (codec, it is a 7-bit multi-byte set) (PS3.3 Tables C.12-3 and C.12-4).
_ESCAPES: Final = {
    b"\x1b(B": ("", False),
    b"\x1b(J": ("", False),
    b"\x1b)I": ("shift_jis", False),
    b"\x1b$B": ("iso2022_jp", True),
    b"\x1b$@": ("iso2022_jp", True),
    b"\x1b$(D": ("iso2022_jp_2", True),
    b"\x1b$)C": ("euc_kr", False),
    b"\x1b$)A": ("gb18030", False),
    b"\x1b-A": ("iso8859-1", False),
    b"\x1b-B": ("iso8859-2", False),
    b"\x1b-C": ("iso8859-3", False),
    b"\x1b-D": ("iso8859-4", False),
    b"\x1b-L": ("iso8859-5", False),
    b"\x1b-G": ("iso8859-6", False),
    b"\x1b-F": ("iso8859-7", False),
    b"\x1b-H": ("iso8859-8", False),
    b"\x1b-M": ("iso8859-9", False),
    b"\x1b-T": ("tis-620", False),
    b"\x1b-b": ("iso8859-15", False),
}
_ESCAPE: Final = re.compile(rb"(" + rb"|".join(re.escape(escape) for escape in _ESCAPES) + rb")")
_RESETS: Final = re.compile(rb"(?<=[\\^=\r\n\t\f])")

# Han with its extensions, the punctuation and the full-width forms that Chinese text is written with.
HAN_RANGES: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CHINESE: Final = HAN_RANGES + "\u3000-\u303f\uff01-\uff5e\u2018-\u201d\u2026\u2014\u00b7"
_HAN: Final = re.compile(f"[{HAN_RANGES}]")
_ALL_CHINESE: Final = re.compile(f"[\\x00-\\x7f{_CHINESE}]*")
# Two bytes of UTF-8 make these alphabets; GBK that is UTF-8 by chance rarely keeps to one of them.
_ALPHABETS: Final = ("\xc0-\u017f", "\u0400-\u045f", "\u0370-\u03ff", "\u05d0-\u05ea", "\u0600-\u06ff")
_ONE_ALPHABET: Final = re.compile("|".join(f"[\\x00-\xbf{alphabet}\u0800-\U0010ffff]*" for alphabet in _ALPHABETS))
_LATIN_WORD: Final = re.compile(rb"[a-z][\xa0-\xff]{2}(?![\xa0-\xff])|(?<![\xa0-\xff])[\xa0-\xff]{2}[a-z]")
_C1_BYTE: Final = re.compile(rb"[\x80-\x9f]")


def terms_of(declared: str) -> tuple[str, ...]:
    """The value of Specific Character Set (0008,0005) as its terms, tolerant of case, spaces and underscores."""
    return tuple(_normal(term) for term in declared.split("\\")) if declared else ()


def _normal(term: str) -> str:
    words = term.strip(" \0").upper().replace("ISO-IR", "ISO_IR").replace("ISO IR", "ISO_IR")
    return words.replace("ISO 2022 IR_", "ISO 2022 IR ").replace("ISO_IR_", "ISO_IR ")


def is_known(terms: Sequence[str]) -> bool:
    """Whether every term is one that this module can decode."""
    return all(_base(term) in CODECS or term in {"ISO 2022 IR 87", "ISO 2022 IR 149"} for term in terms)


def decode(value: bytes, terms: Sequence[str] = ()) -> Decoded:
    """The text of one element's bytes; never raises. ``terms`` as :func:`terms_of` gives them."""
    if b"\x1b" in value and _ESCAPE.search(value):
        return _decode_extended(value, _codec(terms))
    if value.isascii():
        return Decoded(value.decode("ascii"), "declared")
    return _decode_plain(value, _codec(terms))


def _base(term: str) -> str:
    return term.replace("ISO 2022 IR", "ISO_IR")


def _codec(terms: Sequence[str]) -> str:
    return CODECS.get(_base(terms[0]), "ascii") if terms else "ascii"


def _decode_plain(value: bytes, codec: str) -> Decoded:
    believed = None if codec in _UNMEANT else _strictly(value, codec)
    if believed is not None and not _is_chance(value, believed, codec):
        return Decoded(believed, "declared")
    for candidate in (_utf8_chinese(value), _gb_chinese(value)):
        if candidate is not None:
            return Decoded(candidate, "repaired")
    return Decoded(_loosely(value, codec), _verdict_on_rest(value, codec))


def _verdict_on_rest(value: bytes, codec: str) -> Verdict:
    # Latin-1 letters under Latin-1 are what the label says; only C1 control bytes prove it wrong.
    return "declared" if codec == "iso8859-1" and not _C1_BYTE.search(value) else "doubtful"


def _strictly(value: bytes, codec: str) -> str | None:
    try:
        return value.decode(codec)
    except UnicodeDecodeError:
        return None


def _loosely(value: bytes, codec: str) -> str:
    # Without a usable label Latin-1 shows something for every byte, as other viewers do.
    return value.decode("iso8859-1" if codec == "ascii" else codec, "replace")


def _is_all_chinese(text: str | None) -> bool:
    return text is not None and _ALL_CHINESE.fullmatch(text) is not None and _HAN.search(text) is not None


def _utf8_chinese(value: bytes) -> str | None:
    text = _strictly(value, "utf-8")
    return text if _is_all_chinese(text) else None


def _gb_chinese(value: bytes) -> str | None:
    text = _strictly(value, "gb18030")
    return text if text is not None and _is_all_chinese(text) and not _looks_latin(value, text) else None


def _looks_latin(value: bytes, text: str) -> bool:
    """Accented letters in Western words stand alone or beside small letters; Chinese stands in pairs of high bytes."""
    if _C1_BYTE.search(value):
        return False
    everyday = sum(_strictly(encoded, "gb2312") is not None for encoded in _wide_characters(text))
    rare = len(_wide_characters(text)) - everyday
    return everyday <= rare or _LATIN_WORD.search(value) is not None


def _wide_characters(text: str) -> list[bytes]:
    return [character.encode("gb18030") for character in text if character > "\x7f"]


def _is_chance(value: bytes, text: str, codec: str) -> bool:
    """Whether the bytes fit the declared codec, but only as Chinese text in the other one would."""
    if codec == "gb18030":
        return _utf8_chinese(value) is not None and _strictly(value, "gb2312") is None
    return codec == "utf-8" and not _is_written_text(text) and _gb_chinese(value) is not None


def _is_written_text(text: str) -> bool:
    """Whether somebody may have written this: assigned characters, and of the small alphabets only one."""
    return _ONE_ALPHABET.fullmatch(text) is not None and not any(
        unicodedata.category(character) in {"Cn", "Co"} for character in text
    )


def _decode_extended(value: bytes, initial: str) -> Decoded:
    """Segments between escapes, each in the set last designated; a delimiter brings the initial set back."""
    codec, wide, text, doubtful = initial, b"", "", False
    for piece in _ESCAPE.split(value):
        if piece in _ESCAPES:
            designated, seven_bit = _ESCAPES[piece]
            wide = piece if seven_bit else b""
            codec = designated or codec
            continue
        for segment in [piece] if wide else _RESETS.split(piece):
            decoded = _segment(segment, codec, wide)
            doubtful = doubtful or decoded is None
            text += segment.decode("iso8859-1") if decoded is None else decoded
            if segment[-1:] in {b"\\", b"^", b"="} and initial != "ascii":
                codec = initial
    return Decoded(text, "doubtful" if doubtful else "declared")


def _segment(segment: bytes, codec: str, wide: bytes) -> str | None:
    return _strictly(wide + segment, codec) if wide else _strictly(segment, codec)
