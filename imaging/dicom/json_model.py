"""The DICOM JSON model (PS3.18 Annex F) of a scanned data set, built straight from its bytes.

Text is repaired Unicode whatever the file says, so the label of every data set and item becomes ISO_IR 192. Group
lengths, file meta and padding are left out; large values become ``BulkDataURI`` ``bulkdata/<path>`` with their place
recorded.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from imaging.dicom import charset, values
from imaging.dicom.elements import PIXEL_DATA, PIXEL_TAGS, Buffer, Element, Encoding
from imaging.dicom.layout import BULK_PREFIX, BulkSpan
from imaging.dicom.remarks import Remark

JsonDataset = dict[str, dict[str, Any]]

# Binary up to this size is sent inside the metadata.
INLINE_LIMIT_BYTES: Final = 1024
# Text and numbers are worth reading in place up to this size.
TEXT_LIMIT_BYTES: Final = 64 * 1024
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_SPECIFIC_CHARACTER_SET: Final = 0x00080005
_PIXEL_REPRESENTATION: Final = 0x00280103
_PADDING: Final = 0xFFFCFFFC
_SMALLEST_TAG: Final = 0x00080000
_VERDICTS: Final = {"repaired": Remark.CHARSET_REPAIRED, "doubtful": Remark.CHARSET_DOUBTFUL}


# The form of dates and times before DICOM 3 is longer, and programs stumble over it (PS3.5 Table 6.2-1, characters).
_LONGEST: Final = {"DA": 8, "TM": 16}


@dataclass(slots=True)
class Model:
    """The JSON model, where its bulk values lie, and what was noticed on the way."""

    dataset: JsonDataset
    bulk: dict[str, BulkSpan] = field(default_factory=dict)
    remarks: set[Remark] = field(default_factory=set)


def build(data: Buffer, elements: list[Element], encoding: Encoding) -> Model:
    """The model of ``elements`` in ``data``; never raises for odd values, which are kept as text or binary."""
    builder = _Builder(data, encoding)
    dataset = builder.dataset(elements, (), "", signed=False)
    return Model(dataset, builder.bulk, builder.remarks)


class _Builder:
    def __init__(self, data: Buffer, encoding: Encoding) -> None:
        self.data = data
        self.big_endian = encoding.big_endian
        self.bulk: dict[str, BulkSpan] = {}
        self.remarks: set[Remark] = set()

    def dataset(self, elements: list[Element], terms: tuple[str, ...], path: str, *, signed: bool) -> JsonDataset:
        """``terms``, ``signed``: character set and Pixel Representation of the enclosing data set, until it has own."""
        built: JsonDataset = {}
        for element in elements:
            tag = element.tag
            if tag & 0xFFFF == 0 or tag < _SMALLEST_TAG or tag == _PADDING:
                continue
            if tag == _SPECIFIC_CHARACTER_SET:
                terms = self._terms(element)
            elif tag == _PIXEL_REPRESENTATION:
                signed = self._raw(element)[:2].strip(b"\0") != b""
            key = f"{tag:08X}"
            if key not in built:
                built[key] = self._member(element, terms, path + key, signed)
        return built if _ascends(elements) else dict(sorted(built.items()))

    def _raw(self, element: Element) -> bytes:
        return self.data[element.offset : element.offset + element.length]

    def _terms(self, element: Element) -> tuple[str, ...]:
        terms = charset.terms_of(self._raw(element).decode("ascii", "replace"))
        if not charset.is_known(terms):
            self.remarks.add(Remark.CHARSET_UNKNOWN)
        return terms

    def _member(self, element: Element, terms: tuple[str, ...], path: str, signed: bool) -> dict[str, Any]:
        if element.items is not None:
            return self._sequence(element.items, terms, path, signed)
        vr = _settle(element, signed)
        if element.length == 0:
            return {"vr": vr}
        if element.tag == _SPECIFIC_CHARACTER_SET:
            return {"vr": "CS", "Value": ["ISO_IR 192"]}
        if self._is_bulk(element, vr, path):
            self.bulk[path] = (element.offset, min(element.length, len(self.data) - element.offset), vr)
            return {"vr": vr, "BulkDataURI": BULK_PREFIX + path}
        member, remarks = _value(self._raw(element), vr, terms if vr in values.IN_CHARSET else (), self.big_endian)
        self.remarks |= remarks
        return member

    def _is_bulk(self, element: Element, vr: str, path: str) -> bool:
        if element.fragments is not None or (element.tag in PIXEL_TAGS and "/" not in path):
            return True
        return element.length > (INLINE_LIMIT_BYTES if vr in _BINARY else TEXT_LIMIT_BYTES) and vr not in _NO_BULK

    def _sequence(self, items: list[list[Element]], terms: tuple[str, ...], path: str, signed: bool) -> dict[str, Any]:
        built = [self.dataset(item, terms, f"{path}/{index}/", signed=signed) for index, item in enumerate(items)]
        return {"vr": "SQ", "Value": built} if built else {"vr": "SQ"}


Member = tuple[dict[str, Any], frozenset[Remark]]
_NOTHING: Final[frozenset[Remark]] = frozenset()


def _value(raw: bytes, vr: str, terms: tuple[str, ...], big_endian: bool) -> Member:
    """The slices of a series share nearly all their values, so short ones are remembered. Nobody changes a member."""
    return _remembered(raw, vr, terms, big_endian) if len(raw) <= 64 else _converted(raw, vr, terms, big_endian)


def _converted(raw: bytes, vr: str, terms: tuple[str, ...], big_endian: bool) -> Member:
    if vr in values.IN_CHARSET or vr in values.SPLIT or vr in values.WHOLE:
        return _text(raw, vr, terms)
    return _binary(raw, vr, big_endian)


_remembered = lru_cache(maxsize=8192)(_converted)


def _text(raw: bytes, vr: str, terms: tuple[str, ...]) -> Member:
    text, remarks = _decoded(raw, terms)
    found = values.texts(text, vr)
    if vr in _LONGEST and any(len(value or "") > _LONGEST[vr] for value in found):
        remarks |= {Remark.ELEMENT_LENGTH_INVALID}
    if vr in {"IS", "DS"} and not all(map(values.is_number, found)):
        remarks |= {Remark.VALUE_INVALID}
    return ({"vr": vr, "Value": found} if found else {"vr": vr}), remarks


def _decoded(raw: bytes, terms: tuple[str, ...]) -> tuple[str, frozenset[Remark]]:
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii"), _NOTHING
    text, verdict = charset.decode(raw, terms)
    return text, frozenset({_VERDICTS[verdict]}) if verdict in _VERDICTS else _NOTHING


def _binary(raw: bytes, vr: str, big_endian: bool) -> Member:
    if vr in _BINARY:
        return {"vr": vr, "InlineBinary": b64encode(values.little_endian(raw, vr, big_endian)).decode()}, _NOTHING
    found = values.attribute_tags(raw, big_endian) if vr == "AT" else values.numbers(raw, vr, big_endian)
    if found is None:
        # The bytes are not what the VR says; as UN nothing of them is lost.
        return {"vr": "UN", "InlineBinary": b64encode(raw).decode()}, frozenset({Remark.ELEMENT_LENGTH_INVALID})
    return {"vr": vr, "Value": found}, _NOTHING


# The model has no BulkDataURI for these (PS3.18 Table F.2.1.1.2-1).
_NO_BULK: Final = frozenset({"AE", "AS", "AT", "CS", "DA", "DT", "LO", "PN", "SH", "TM", "UI", "SQ"})


def _settle(element: Element, signed: bool) -> str:
    """The one VR where the dictionary gives a choice (PS3.5 Annex A.1)."""
    vr = element.vr
    if " or " not in vr:
        return vr
    if vr == "US or SS":
        return "SS" if signed else "US"
    if element.tag == PIXEL_DATA and element.fragments is not None:
        return "OB"
    return "OW"


def _ascends(elements: list[Element]) -> bool:
    return all(one.tag < two.tag for one, two in pairwise(elements))
