"""Does an arriving instance speak of the same patient as the study it belongs to? Pure.

Only what both sides say can contradict: an absent value does not. Names are compared folded, group by group, so that
``WANG XIAODONG`` and ``Wang^XiaoDong=王^小东`` are one name.
"""

from collections.abc import Mapping
from typing import Final

from imaging.dicom.names import name_key
from imaging.dicom.remarks import Remark

COMPARED: Final = ("issuer_of_patient_id", "patient_id", "patient_name", "patient_birth_date", "patient_sex")
# A text whose encoding had to be guessed in vain says nothing about whose it is.
_UNREADABLE: Final = frozenset({Remark.CHARSET_DOUBTFUL, Remark.CHARSET_UNKNOWN})

Difference = list[str]


def contradictions(
    stored: Mapping[str, str], arrived: Mapping[str, str], remarks: frozenset[Remark] = frozenset()
) -> list[Difference]:
    """[attribute, as stored, as arrived] for each of COMPARED that contradicts. remarks: about the arriving one."""
    found = []
    for name in COMPARED:
        ours, theirs = stored.get(name, ""), arrived.get(name, "")
        if ours and theirs and not _same(name, ours, theirs, remarks):
            found.append([name, ours, theirs])
    return found


def _same(name: str, ours: str, theirs: str, remarks: frozenset[Remark]) -> bool:
    if name != "patient_name":
        return ours.strip() == theirs.strip()
    if remarks & _UNREADABLE:
        return True
    left, right = set(name_key(ours).split()), set(name_key(theirs).split())
    return not left or not right or bool(left & right)
