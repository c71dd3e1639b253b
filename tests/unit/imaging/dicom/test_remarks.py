import pytest

from imaging.dicom.remarks import Refusal, RefusedAs, Remark, warns


@pytest.mark.parametrize("why", RefusedAs)
def test_every_refusal_has_a_failure_reason_and_a_sentence(why):
    refusal = Refusal(why)
    assert refusal.detail.endswith(".")
    assert refusal.detail.isascii()
    # Warning reasons must never appear as failure reasons (PS3.18 Table I.2-2).
    assert refusal.failure_reason >> 12 != 0xB


def test_notes_are_no_warnings():
    assert not warns(frozenset({Remark.CHARSET_REPAIRED}))
    assert warns(frozenset({Remark.CHARSET_REPAIRED, Remark.PATIENT_ID_MISSING}))
