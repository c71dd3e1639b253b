import pytest

from imaging.dicom.remarks import Refusal, RefusedAs, Remark
from imaging.dicomweb import http, stow_answer
from imaging.store.ingest import Outcome, refused

ROOT = "https://archive/dicom-web"
STORED = Outcome("stored", "stored", "1.2.1", "1.2.2", "1.2.3", "1.2.4", "KEY")
AGAIN = Outcome("already_stored", "already_stored", "1.2.1", "1.2.2", "1.2.3", "1.2.4", "KEY")
ODD = Outcome("stored", "stored", "1.2.1", "1.2.5", "1.2.3", "1.2.4", "KEY", None, 0xB007, "", [Remark.PIXELS_SHORT])
ELSEWHERE = Outcome("stored", "stored", "1.2.1", "1.2.6", "1.9", "1.2.4", "KEY2")
FAILED = refused(Refusal(RefusedAs.TRUNCATED, "1.2.1", "1.2.7"))


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([STORED], 200),
        ([STORED, AGAIN], 200),
        ([STORED, ODD], 202),
        ([ODD], 202),
        ([STORED, FAILED], 202),
        ([FAILED], 409),
        ([FAILED, FAILED], 409),
    ],
)
def test_status(outcomes, status):
    assert stow_answer.status(outcomes) == status


def test_the_items_of_one_study():
    answer = stow_answer.body([STORED, ODD, FAILED], ROOT)
    assert answer == {
        "00081190": {"vr": "UR", "Value": [f"{ROOT}/studies/1.2.3"]},
        "00081198": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": ["1.2.1"]},
                    "00081155": {"vr": "UI", "Value": ["1.2.7"]},
                    "00081197": {"vr": "US", "Value": [0xC004]},
                }
            ],
        },
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": ["1.2.1"]},
                    "00081155": {"vr": "UI", "Value": ["1.2.2"]},
                    "00081190": {"vr": "UR", "Value": [f"{ROOT}/studies/1.2.3/series/1.2.4/instances/1.2.2"]},
                },
                {
                    "00081150": {"vr": "UI", "Value": ["1.2.1"]},
                    "00081155": {"vr": "UI", "Value": ["1.2.5"]},
                    "00081190": {"vr": "UR", "Value": [f"{ROOT}/studies/1.2.3/series/1.2.4/instances/1.2.5"]},
                    "00081196": {"vr": "US", "Value": [0xB007]},
                },
            ],
        },
    }


def test_sequences_are_absent_when_empty_and_keys_ascend():
    assert list(stow_answer.body([STORED], ROOT)) == ["00081190", "00081199"]
    assert list(stow_answer.body([FAILED], ROOT)) == ["00081190", "00081198"]
    item = stow_answer.body([ODD], ROOT)["00081199"]["Value"][0]
    assert list(item) == sorted(item)


def test_several_studies_have_no_one_address():
    assert stow_answer.body([STORED, ELSEWHERE], ROOT)["00081190"] == {"vr": "UR"}
    assert stow_answer.body([FAILED], ROOT)["00081190"] == {"vr": "UR"}


@pytest.mark.parametrize(
    ("outcomes", "header"),
    [
        ([STORED], None),
        ([AGAIN], '299 archive "already_stored"'),
        ([ODD], '299 archive "pixel_data_short"'),
        ([FAILED, FAILED, AGAIN], '299 archive "truncated", 299 archive "already_stored"'),
    ],
)
def test_the_warning_tells_words_once(outcomes, header):
    assert stow_answer.warning(outcomes) == header


def test_security_22_the_warning_is_short_and_ascii_whatever_happened():
    outcomes = [refused(Refusal(why)) for why in RefusedAs]
    outcomes.append(Outcome("stored", "stored", remarks=list(Remark)))
    header = stow_answer.warning(outcomes)
    assert header.isascii()
    assert 900 < len(header) <= http.WARNING_LIMIT_BYTES
