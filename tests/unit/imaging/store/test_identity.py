import pytest

from imaging.dicom.remarks import Remark
from imaging.store.identity import contradictions

STORED = {
    "patient_id": "P1",
    "patient_name": "Wang^XiaoDong=王^小东",
    "patient_birth_date": "19700102",
    "patient_sex": "M",
}


@pytest.mark.parametrize(
    "arrived",
    [
        STORED,
        {},
        {"patient_id": "P1", "patient_name": "", "patient_sex": ""},
        {"patient_name": "WANG XIAODONG"},
        {"patient_name": "王小东"},
    ],
)
def test_what_is_absent_or_only_written_otherwise_contradicts_nothing(arrived):
    assert contradictions(STORED, arrived) == []


def test_each_attribute_that_contradicts_is_named_with_both_values():
    arrived = {"patient_id": "P2", "patient_name": "Li^Si=李^四", "patient_birth_date": "19700103", "patient_sex": "F"}
    assert contradictions(STORED, arrived) == [
        ["patient_id", "P1", "P2"],
        ["patient_name", "Wang^XiaoDong=王^小东", "Li^Si=李^四"],
        ["patient_birth_date", "19700102", "19700103"],
        ["patient_sex", "M", "F"],
    ]


def test_a_name_nobody_could_read_contradicts_no_name():
    assert contradictions(STORED, {"patient_name": "Íõ^Ð¡"}, frozenset({Remark.CHARSET_DOUBTFUL})) == []
