"""Matches of a search as a table for spreadsheets (RFC 4180). Pure."""

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

from pydicom.datadict import keyword_for_tag

# What a spreadsheet would run as a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_of(found: list[dict[str, Any]]) -> bytes:
    """``found``: DICOM JSON models. One column for each attribute, headed by its keyword; UTF-8 with the mark that
    Excel needs to read Chinese. Text that would be a formula is quoted by an apostrophe.
    """
    tags = sorted({tag for model in found for tag in model})
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(keyword_for_tag(int(tag, 16)) or tag for tag in tags)
    for model in found:
        writer.writerow(_cell(model.get(tag, {}).get("Value", ())) for tag in tags)
    return text.getvalue().encode("utf-8-sig")


def _cell(values: Iterable[Any]) -> str:
    text = "\\".join("=".join(value.values()) if isinstance(value, dict) else str(value) for value in values)
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text
