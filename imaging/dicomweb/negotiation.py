"""Which representation a caller gets: one place that reads Accept (PS3.18 section 8.7) and chooses among offers.

Pure: strings in, an :class:`Offer` or a refusal out. What clients really send is accepted on purpose: unquoted
``type=application/dicom``, a quoted star, a parameter twice (OHIF), names from older editions of the standard.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from foundation.errors import Invalid, NotAcceptable

EXPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
DICOM: Final = "application/dicom"
DICOM_JSON: Final = "application/dicom+json"
DICOM_XML: Final = "application/dicom+xml"
ZIP: Final = "application/zip"
METADATA_TYPES: Final = frozenset({DICOM_JSON, DICOM_XML})
OCTETS: Final = "application/octet-stream"

_RANGE = re.compile(r'\s*([^\s/;,"=]+/[^\s/;,"=]+|\*)')
_PARAMETER = re.compile(r'\s*;\s*(?:([^\s=;,"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*))?')
_SEPARATOR = re.compile(r"\s*(,|$)")
_ESCAPED = re.compile(r"\\(.)")
# A "+" that a form encoder turned into a blank: accept=application/dicom+json (T49).
_LOST_PLUS = re.compile(r"(?<=[A-Za-z0-9]) (?=(?:json|xml|jpeg|rle|jp2)\b)")

# Names of earlier editions and of browsers' loaders, and the present name.
_ALIASES: Final = {
    "image/dicom+jpeg": "image/jpeg",
    "image/dicom+jpeg-ls": "image/jls",
    "image/x-jls": "image/jls",
    "image/dicom+jp2": "image/jp2",
    "image/dicom+rle": "image/dicom-rle",
    "image/x-dicom+rle": "image/dicom-rle",
    "image/jhc": "image/jphc",
}
_RENDERED: Final = frozenset({"image/jpeg", "image/png", "image/gif", "video/mp4", "application/pdf"})


class NothingAcceptable(NotAcceptable):
    code = "media_type.not_acceptable"


class BadAccept(Invalid):
    code = "accept.malformed"


@dataclass(frozen=True, slots=True)
class Offer:
    """One representation that can be produced.

    media_type: of the body, or of each part. transfer_syntax: empty where the notion does not apply.
    multipart: wrapped in multipart/related. stored: the bytes as they lie in the archive.
    """

    media_type: str
    transfer_syntax: str = ""
    multipart: bool = False
    stored: bool = False

    @property
    def part_type(self) -> str:
        """The Content-Type of the body or part (PS3.18 section 8.7.3.5.2)."""
        return f"{self.media_type}; transfer-syntax={self.transfer_syntax}" if self.transfer_syntax else self.media_type


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One entry of an Accept header.

    media_type: lower case, of the part for multipart/related; ``*/*`` and ``image/*`` are generic.
    multipart: True wrapped, False bare, None either. transfer_syntaxes: in the order given, ``*`` among them.
    """

    media_type: str
    multipart: bool | None
    transfer_syntaxes: tuple[str, ...] = ()
    quality: float = 1.0

    @property
    def is_generic(self) -> bool:
        return self.media_type.endswith("/*")

    @property
    def specificity(self) -> int:
        """RFC 9110 section 12.5.1: the most specific range that matches decides."""
        named = 0 if self.media_type == "*/*" else 2 if self.is_generic else 4
        return named + (self.multipart is True) + (4 if self.transfer_syntaxes else 0)


ANYTHING: Final = MediaRange("*/*", None)


# Clients say the same few things over and over.
@lru_cache(500)
def parse_accept(text: str) -> tuple[MediaRange, ...]:
    """The entries of an Accept header or ``accept=`` parameter, in order. Raises :class:`BadAccept`."""
    return tuple(_media_range(name.lower(), parameters) for name, parameters in _entries(_LOST_PLUS.sub("+", text)))


def choose(accept: str | None, offers: Sequence[Offer]) -> Offer:
    """The offer the caller likes best; the earlier offer and the earlier entry win ties.

    A missing or empty Accept takes the first offer. Raises :class:`NothingAcceptable` (406), :class:`BadAccept` (400).
    """
    ranges = parse_accept(accept) if accept and accept.strip() else (ANYTHING,)
    if any(offer.media_type == DICOM for offer in offers):
        _refuse_mixture(ranges)
    candidates = [(rank, place) for place, offer in enumerate(offers) if (rank := _rank(ranges, offer)) is not None]
    if not candidates:
        raise NothingAcceptable(f"Accept one of: {', '.join(sorted({_described(offer) for offer in offers}))}.")
    return offers[min(candidates)[1]]


def zip_wanted(accept: str | None) -> str | None:
    """What to ask for of each file in a ZIP, where that is what the caller likes best; None: it is not.

    Without a transfer syntax the files are as stored. Raises :class:`BadAccept`.
    """
    ranges = parse_accept(accept) if accept else ()
    best = max(ranges, key=lambda entry: entry.quality, default=ANYTHING)
    if best.media_type != ZIP or best.quality == 0:
        return None
    return ", ".join(f"{DICOM}; transfer-syntax={syntax}" for syntax in best.transfer_syntaxes or ("*",))


def named_syntaxes(accept: str | None) -> frozenset[str]:
    """Every transfer syntax that the caller names. Raises :class:`BadAccept`."""
    ranges = parse_accept(accept) if accept else ()
    return frozenset(syntax for entry in ranges for syntax in entry.transfer_syntaxes)


def accepts_gzip(header: str | None) -> bool:
    """Whether Accept-Encoding asks for gzip by name or star (T56: only when asked)."""
    for coding in (header or "").lower().split(","):
        name, _, quality = coding.partition(";")
        if name.strip() in {"gzip", "*"}:
            return _quality(quality.strip().removeprefix("q=") or "1") > 0
    return False


def _entries(text: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    at = 0
    while at < len(text):
        found = _RANGE.match(text, at)
        if found is None:
            raise BadAccept("The Accept header is malformed: each entry is type/subtype with parameters.")
        at, parameters = found.end(), []
        while (parameter := _PARAMETER.match(text, at)) is not None:
            at = parameter.end()
            if parameter[1]:
                parameters.append((parameter[1].lower(), _unquoted(parameter[2])))
        separator = _SEPARATOR.match(text, at)
        if separator is None:
            raise BadAccept("The Accept header is malformed: check its quotes and semicolons.")
        at = separator.end()
        yield found[1], parameters


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value


def _media_range(name: str, parameters: list[tuple[str, str]]) -> MediaRange:
    quality = next((_quality(value) for key, value in parameters if key == "q"), 1.0)
    syntaxes = tuple(value.strip() for key, value in parameters if key == "transfer-syntax" and value.strip())
    if name in {"*", "*/*"}:
        return MediaRange("*/*", None, syntaxes, quality)
    if name in {"multipart/*", "multipart/related"}:
        inner = next((value.strip().lower() for key, value in parameters if key == "type"), "*/*")
        inner, _, within = inner.partition(";")
        syntaxes = syntaxes or tuple(re.findall(r"transfer-syntax=([0-9.*]+)", within))
        return MediaRange(_ALIASES.get(inner.strip(), inner.strip()), True, syntaxes, quality)
    return MediaRange(_ALIASES.get(name, name), False, syntaxes, quality)


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        raise BadAccept("The Accept header is malformed: q is a number between 0 and 1.") from None
    if not 0 <= quality <= 1:
        raise BadAccept("The Accept header is malformed: q is a number between 0 and 1.")
    return quality


def _refuse_mixture(ranges: Sequence[MediaRange]) -> None:
    # PS3.18 section 8.7.4: one request asks for DICOM or for rendered media types, not for both.
    dicom = any(entry.media_type == DICOM for entry in ranges)
    if dicom and any(entry.multipart is False and entry.media_type in _RENDERED for entry in ranges):
        raise BadAccept("Ask for DICOM or for rendered media types, not for both in one request.")


def _rank(ranges: Sequence[MediaRange], offer: Offer) -> tuple[float, int, int] | None:
    """(-quality, place of the entry, place of the syntax within it) of the entry that decides about ``offer``."""
    matches = [
        (entry.specificity, entry.quality, -place, -preference)
        for place, entry in enumerate(ranges)
        if (preference := _preference(entry, offer)) is not None
    ]
    if not matches:
        return None
    _, quality, place, preference = max(matches)
    return (-quality, -place, -preference) if quality > 0 else None


def _preference(entry: MediaRange, offer: Offer) -> int | None:
    """How early ``entry`` names the syntax of ``offer``; None: it does not match."""
    if entry.multipart is not None and entry.multipart != offer.multipart:
        return None
    if not _names(entry, offer.media_type):
        return _preference_in_spite_of_type(entry, offer)
    if not offer.transfer_syntax:
        return 0
    if not entry.transfer_syntaxes:
        return _preference_by_default(entry, offer)
    if offer.transfer_syntax in entry.transfer_syntaxes:
        return entry.transfer_syntaxes.index(offer.transfer_syntax)
    return entry.transfer_syntaxes.index("*") if "*" in entry.transfer_syntaxes and offer.stored else None


def _names(entry: MediaRange, media_type: str) -> bool:
    if entry.is_generic:
        return entry.media_type == "*/*" or media_type.startswith(entry.media_type[:-1])
    return entry.media_type == media_type


def _preference_in_spite_of_type(entry: MediaRange, offer: Offer) -> int | None:
    # OHIF names the syntax it would like, its media type, and then "*": it means "or whatever you have" (T41b).
    wanted = len(entry.transfer_syntaxes) > 1 and "*" in entry.transfer_syntaxes
    return len(entry.transfer_syntaxes) if wanted and offer.stored else None


def _preference_by_default(entry: MediaRange, offer: Offer) -> int | None:
    # Without the parameter DICOM and octets mean Explicit VR Little Endian (table 8.7.3-2, 8.7.3-5). The image types
    # also have one default each, but a client that names "image/jpeg" alone takes any JPEG: answer what is stored.
    if entry.media_type in {DICOM, OCTETS}:
        return 0 if offer.transfer_syntax == EXPLICIT_LITTLE_ENDIAN else None
    return 0


def _described(offer: Offer) -> str:
    return f'multipart/related; type="{offer.media_type}"' if offer.multipart else offer.media_type
