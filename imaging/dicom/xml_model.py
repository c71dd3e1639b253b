"""The Native DICOM Model in XML (PS3.19 section A.1), to and from the DICOM JSON model. Pure.

What strangers send is read without DTD, entities or inclusion, and bounded in depth and number of elements.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

from imaging.dicom import values
from imaging.dicom.json_model import JsonDataset
from imaging.dicom.remarks import RefusedAs, Unreadable
from imaging.dicom.values import PN_GROUPS

NAMESPACE: Final = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
_HEAD: Final = f'<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">'
_NAME_PARTS: Final = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
# Characters that no XML 1.0 document may hold.
_FORBIDDEN: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_INTEGERS: Final = frozenset({"US", "SS", "UL", "SL", "UV", "SV"})
_READ: Final[dict[str, Callable[[str], Any]]] = {
    "IS": values.integer,
    "DS": values.decimal,
    "FL": float,
    "FD": float,
    **dict.fromkeys(_INTEGERS, int),
}
# One nested item takes three levels: item, attribute, item.
_LEVELS_PER_ITEM: Final = 2


def to_xml(model: JsonDataset) -> bytes:
    """One data set as a document in UTF-8."""
    out = [_HEAD]
    _write_dataset(out, model)
    out.append("</NativeDicomModel>")
    return "".join(out).encode()


def from_xml(document: bytes, *, max_depth: int, max_elements: int) -> JsonDataset:
    """Raises Unreadable: METADATA_MALFORMED, TOO_DEEP, TOO_MANY_ELEMENTS."""
    root = _Reader(max_depth * _LEVELS_PER_ITEM + 4, max_elements).read(document)
    try:
        return _dataset(root, "NativeDicomModel")
    except (KeyError, ValueError, OverflowError) as error:
        raise Unreadable(RefusedAs.METADATA_MALFORMED) from error


# --- writing ----------------------------------------------------------------------------------------------------


def _write_dataset(out: list[str], model: JsonDataset) -> None:
    for tag, member in model.items():
        keyword = keyword_for_tag(int(tag, 16))
        named = f' keyword="{keyword}"' if keyword else ""
        out.append(f'<DicomAttribute tag="{tag}" vr="{member["vr"]}"{named}{_creator(tag, model)}>')
        _write_value(out, member)
        out.append("</DicomAttribute>")


def _creator(tag: str, model: JsonDataset) -> str:
    """Who reserved the block of a private element (PS3.5 section 7.8.1)."""
    if int(tag[3], 16) % 2 == 0 or tag[4:6] == "00":
        return ""
    found: Any = (model.get(f"{tag[:4]}00{tag[4:6]}", {}).get("Value") or [None])[0]
    return f" privateCreator={quoteattr(_clean(found))}" if isinstance(found, str) else ""


def _write_value(out: list[str], member: dict[str, Any]) -> None:
    if "BulkDataURI" in member:
        out.append(f"<BulkData uri={quoteattr(member['BulkDataURI'])}/>")
    elif "InlineBinary" in member:
        out.append(f"<InlineBinary>{member['InlineBinary']}</InlineBinary>")
    for number, value in enumerate(member.get("Value", ()), 1):
        if member["vr"] == "SQ":
            out.append(f'<Item number="{number}">')
            _write_dataset(out, value)
            out.append("</Item>")
        elif isinstance(value, dict):
            out.append(f'<PersonName number="{number}">')
            for group in PN_GROUPS:
                _write_name(out, group, value.get(group))
            out.append("</PersonName>")
        elif value is not None:
            out.append(f'<Value number="{number}">{escape(_clean(str(value)))}</Value>')


def _write_name(out: list[str], group: str, text: str | None) -> None:
    if text is None:
        return
    parts = zip(_NAME_PARTS, text.split("^", len(_NAME_PARTS) - 1), strict=False)
    inner = "".join(f"<{name}>{escape(_clean(part))}</{name}>" for name, part in parts if part)
    out.append(f"<{group}>{inner}</{group}>")


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


# --- reading ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    name: str
    attributes: dict[str, str]
    children: "list[_Node]" = field(default_factory=list)
    text: str = ""


class _Reader:
    """A tree of nodes, in which nothing but elements and text can be."""

    def __init__(self, max_depth: int, max_elements: int) -> None:
        self._max_depth = max_depth
        # Of an attribute, its element, its values and the parts of names.
        self._left = max_elements * 4
        self._open = [_Node("", {})]

    def read(self, document: bytes) -> _Node:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.ProcessingInstructionHandler = self._refuse
        try:
            parser.Parse(document, True)
        except (expat.ExpatError, ValueError) as error:
            raise Unreadable(RefusedAs.METADATA_MALFORMED) from error
        return self._open[0].children[0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._left -= 1
        if self._left < 0:
            raise Unreadable(RefusedAs.TOO_MANY_ELEMENTS)
        if len(self._open) > self._max_depth:
            raise Unreadable(RefusedAs.TOO_DEEP)
        node = _Node(name.rpartition(" ")[2], attributes)
        self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].text += text

    def _refuse(self, *_: object) -> None:
        raise Unreadable(RefusedAs.METADATA_MALFORMED)


def _dataset(node: _Node, name: str) -> JsonDataset:
    _expect(node, name)
    built: JsonDataset = {}
    for child in node.children:
        _expect(child, "DicomAttribute")
        built[child.attributes["tag"].upper()] = _member(child)
    return built


def _expect(node: _Node, name: str) -> None:
    if node.name != name:
        raise ValueError(f"{name} is expected here")


def _member(node: _Node) -> dict[str, Any]:
    vr = node.attributes["vr"]
    if not node.children:
        return {"vr": vr}
    first = node.children[0]
    if first.name == "BulkData":
        return {"vr": vr, "BulkDataURI": first.attributes["uri"]}
    if first.name == "InlineBinary":
        return {"vr": vr, "InlineBinary": first.text}
    numbered = {int(child.attributes["number"]): _value(child, vr) for child in node.children}
    if not 0 < min(numbered) <= max(numbered) <= len(numbered) * 2 + 64:
        raise ValueError("values are numbered from 1")
    # A value that is not there is blank among the others.
    return {"vr": vr, "Value": [numbered.get(number) for number in range(1, max(numbered) + 1)]}


def _value(node: _Node, vr: str) -> Any:
    if vr == "SQ":
        return _dataset(node, "Item")
    if vr == "PN":
        _expect(node, "PersonName")
        return {group.name: _name(group) for group in node.children if group.name in PN_GROUPS}
    _expect(node, "Value")
    return _READ[vr](node.text) if vr in _READ and node.text.strip() else node.text


def _name(group: _Node) -> str:
    parts = {part.name: part.text for part in group.children}
    return "^".join(parts.get(name, "") for name in _NAME_PARTS).rstrip("^")
