"""Files as damage, bad writers and attackers make them: seeded mutations of good ones, the same from run to run."""

import random
from collections.abc import Iterator
from pathlib import Path

import pydicom.data
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from tests.picture_phantoms import colours, floats, layouts
from tests.samples import ct_slice, encapsulated, enhanced_ct, multi_frame, named, patient_study, rle, to_bytes

PYDICOM = Path(pydicom.data.__file__).parent / "test_files"
REAL = ("CT_small.dcm", "test-SR.dcm", "JPEG2000.dcm", "liver_1frame.dcm", "SC_rgb_rle_2frame.dcm", "rtplan.dcm")
# Lengths, counts and tags that readers trip over.
NUMBERS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xfe\xff\xff\xff", b"\0\0\0\x80", b"\1\0\0\0", b"\xfe\xff\0\xe0")


def originals() -> list[bytes]:
    """Small files of every kind that the archive reads: encodings, pixels, sequences, texts."""
    built = [ct_slice(size=16), multi_frame(3, 8), enhanced_ct(2, 16), rle(multi_frame(2, 8, "rle"))]
    built += [
        named("gbk_labelled_utf8"),
        named("iso2022_ir58"),
        patient_study("report", "1.2.840.10008.5.1.4.1.1.88.33"),
    ]
    built += [phantom.data for family in (layouts(), floats(), colours()) for phantom in list(family.values())[:4]]
    built.append(encapsulated(ct_slice("jpeg", size=8), [b"\xff\xd8\xff\xc0" + bytes(60)], "1.2.840.10008.1.2.4.50"))
    for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        data = ct_slice(syntax, size=8)
        data.file_meta.TransferSyntaxUID = syntax
        built.append(data)
    return [*map(to_bytes, built), *((PYDICOM / name).read_bytes() for name in REAL)]


def mutations(count: int, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    sources = originals()
    for _ in range(count):
        body = bytearray(chance.choice(sources))
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            chance.choice(WAYS)(body, chance)
        yield bytes(body)


def _place(body: bytearray, chance: random.Random) -> int:
    # Headers stand in front, and that is where a byte makes a difference.
    return chance.randrange(128, max(min(len(body), chance.choice((400, 2000, len(body)))), 129))


def _flip(body: bytearray, chance: random.Random) -> None:
    at = _place(body, chance)
    body[at : at + 1] = bytes([chance.randrange(256)])


def _number(body: bytearray, chance: random.Random) -> None:
    at = _place(body, chance)
    body[at : at + 4] = chance.choice(NUMBERS)


def _cut(body: bytearray, chance: random.Random) -> None:
    del body[_place(body, chance) :]


def _remove(body: bytearray, chance: random.Random) -> None:
    at = _place(body, chance)
    del body[at : at + chance.randrange(1, 30)]


def _repeat(body: bytearray, chance: random.Random) -> None:
    at, source = _place(body, chance), _place(body, chance)
    body[at:at] = body[source : source + chance.randrange(1, 200)]


WAYS = (_flip, _flip, _flip, _flip, _number, _number, _cut, _remove, _repeat)
