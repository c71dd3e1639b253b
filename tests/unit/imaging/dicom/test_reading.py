import json
import random
import zlib
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmwrite

from imaging.dicom.layout import Layout
from imaging.dicom.reading import Examined, ReadingLimits, examine, is_usable_uid
from imaging.dicom.remarks import Refusal, RefusedAs, Remark
from tests.samples import ct_slice, enhanced_ct, multi_frame, named, rle, set_raw, to_bytes, with_uid

LIMITS = ReadingLimits()


@pytest.fixture
def examined(tmp_path):
    def run(body, limits=LIMITS):
        path = tmp_path / "file"
        path.write_bytes(body)
        return examine(path, limits)

    return run


def deflate(body, start):
    compressor = zlib.compressobj(9, wbits=-15)
    return body[:start] + compressor.compress(body[start:]) + compressor.flush()


def without(*keywords):
    return lambda data: [delattr(data, keyword) for keyword in keywords]


def with_meta(**changed):
    return lambda data: [setattr(data.file_meta, keyword, value) for keyword, value in changed.items()]


def test_a_sound_instance(examined):
    data = ct_slice(count=1, size=16)
    found = examined(to_bytes(data))
    assert isinstance(found, Examined)
    assert (found.sop_instance_uid, found.remarks) == (data.SOPInstanceUID, [])
    assert (found.attributes.rows, found.attributes.instance_number) == (16, 1)
    assert found.attributes.study["patient_name"] == "Wang^XiaoDong=王^小东"
    assert found.attributes.series["modality"] == "CT"
    metadata = json.loads(zlib.decompress(found.metadata_json))
    assert metadata["7FE00010"]["BulkDataURI"] == "bulkdata/7FE00010"
    assert Layout.from_json(found.layout).pixels.number_of_frames == 1


def test_a_repaired_name_is_in_index_and_metadata(examined):
    found = examined(to_bytes(named("gbk_unlabelled")))
    assert found.attributes.study["patient_name"] == "Wang^XiaoDong=王^小东"
    assert found.remarks == [Remark.CHARSET_REPAIRED]


def test_a_deflated_file_is_described_as_if_inflated(examined):
    body = to_bytes(enhanced_ct(2, 16))
    plain = examined(body)
    start = plain.layout["dataset_offset"]
    # The UID of the deflated syntax has three characters more, one of them the padding.
    meta = body[:start].replace(b"UI\x14\x001.2.840.10008.1.2.1\0", b"UI\x16\x001.2.840.10008.1.2.1.99")
    found = examined(deflate(meta + body[start:], len(meta)))
    assert found.layout["deflated"]
    assert found.metadata_json == plain.metadata_json
    assert found.layout["pixels"]["offset"] == plain.layout["pixels"]["offset"] + 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (without("SeriesInstanceUID"), RefusedAs.UID_MISSING),
        (without("SOPClassUID"), RefusedAs.UID_MISSING),
        (without("SeriesInstanceUID", "StudyInstanceUID"), RefusedAs.NOT_PATIENT_OBJECT),
        (with_meta(TransferSyntaxUID="1.2.840.113619.5.2"), RefusedAs.SYNTAX_UNKNOWN),
        (with_meta(MediaStorageSOPClassUID="1.2.840.10008.1.3.10"), RefusedAs.DIRECTORY),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(examined, change, why):
    data = ct_slice(count=1, size=16)
    change(data)
    buffer = BytesIO()
    dcmwrite(buffer, data, implicit_vr=False, little_endian=True, enforce_file_format=False)
    refusal = examined(buffer.getvalue())
    assert isinstance(refusal, Refusal)
    assert refusal.why is why
    assert refusal.detail
    assert 0x0100 <= refusal.failure_reason <= 0xFFFF
    assert refusal.failure_reason >> 12 != 0xB


@pytest.mark.parametrize(
    ("uid", "usable"),
    [
        ("1.2.840.1", True),
        ("1.02.3", True),
        ("05fa52f0e599f17b8186ff18fcdf2b5570a52206a75c4d03afebf5c475dc8758", True),
        ("1" * 65, False),
        ("", False),
        ("..", False),
        ("1.2/3", False),
        ("1.2%2e", False),
        ("1.2 3", False),
        ("1.2\n", False),
    ],
)
def test_usable_uids(uid, usable):
    assert is_usable_uid(uid) is usable


def test_a_uid_of_letters_is_kept_with_a_remark(examined):
    assert Remark.UID_INVALID in examined(with_uid(ct_slice(count=1, size=16), b"abc123")).remarks


def test_the_data_set_wins_over_the_file_meta(examined):
    found = examined(with_uid(ct_slice(count=1, size=16), b"1.2.3.4"))
    assert found.sop_instance_uid == "1.2.3.4"
    assert found.remarks == [Remark.FILE_META_DIFFERS]


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "remark"),
    [
        ("PatientBirthDate", "DA", b"00000000", Remark.BIRTH_DATE_INVALID),
        ("PatientID", "LO", b"", Remark.PATIENT_ID_MISSING),
        ("Modality", "CS", b"", Remark.MODALITY_MISSING),
        ("StudyTime", "TM", b"09:11:02.00000000", Remark.ELEMENT_LENGTH_INVALID),
    ],
)
def test_oddities_are_remarked(examined, keyword, vr, value, remark):
    data = ct_slice(count=1, size=16)
    set_raw(data, keyword, vr, value)
    assert remark in examined(to_bytes(data)).remarks


def test_an_empty_file_is_not_dicom(examined):
    assert examined(b"").why is RefusedAs.NOT_DICOM


def test_limits_of_one_file(examined):
    body = to_bytes(ct_slice(count=1, size=16))
    assert examined(body, ReadingLimits(max_elements=5)).why is RefusedAs.TOO_MANY_ELEMENTS


SEEDS = [to_bytes(ct_slice(count=1, size=16)), to_bytes(rle(multi_frame(2, 16))), to_bytes(enhanced_ct(2, 8))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(body=st.sampled_from(SEEDS), seed=st.integers(0, 2**32), changes=st.integers(1, 12))
def test_damaged_files_are_examined_or_refused_but_never_raise(examined, body, seed, changes):
    chance = random.Random(seed)
    damaged = bytearray(body[: chance.choice([len(body), chance.randrange(1, len(body))])])
    for _ in range(changes):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    assert isinstance(examined(bytes(damaged)), Examined | Refusal)
