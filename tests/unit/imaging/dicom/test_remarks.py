import pytest

from imaging.dicom.remarks import Refusal, RefusedAs, Remark, warning_reason


@pytest.mark.parametrize("why", RefusedAs)
def test_t06_every_refusal_has_a_failure_reason_and_a_sentence(why):
    refusal = Refusal(why)
    assert refusal.detail.endswith(".")
    assert refusal.detail.isascii()
    # Warning reasons must never appear as failure reasons (PS3.18 Table I.2-2).
    assert refusal.failure_reason >> 12 != 0xB


@pytest.mark.parametrize(
    ("remarks", "reason"),
    [
        ([], None),
        ([Remark.CHARSET_REPAIRED], None),
        ([Remark.CHARSET_REPAIRED, Remark.PATIENT_ID_MISSING], 0xB007),
        ([Remark.ELEMENTS_DISCARDED, Remark.PATIENT_ID_MISSING], 0xB006),
        ([Remark.ELEMENTS_DISCARDED, Remark.VALUES_CORRECTED], 0xB000),
    ],
)
def test_t07_the_gravest_warning_is_told_and_notes_are_none(remarks, reason):
    assert warning_reason(remarks) == reason
