"""The structured report of a review, read back by another reader of the library and by hand."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import highdicom as hd
import pytest
from pydicom import dcmread
from pydicom.sr.codedict import codes

from imaging.review.findings import Assessment, Finding
from imaging.review.reviewed import Reviewed
from imaging.review.sr import encoded, structured_report
from tests.samples import ct_slice

IMAGE = ct_slice("report", size=64)
IMAGES = {str(IMAGE.SOPInstanceUID): IMAGE}
SPOT = Finding(
    finding_id="01FINDING", job_uid="2.25.1", study_id="s", model_name="spotter", model_version="1.0",
    series_instance_uid=IMAGE.SeriesInstanceUID, sop_instance_uid=IMAGE.SOPInstanceUID, frame=1, label="致密结节候选",
    label_code="99TELEMED:dense-candidate", probability=0.9, kind="circle", points=[[10, 10], [14, 10]],
    measurements=[{"name": "直径", "value": 6.5, "unit": "mm"}, {"name": "噪声", "value": 3.2, "unit": "%"}],
    description="", assessment=None,
)  # fmt: skip
REVIEWED = Reviewed("2.25.1", "某公司", "spotter", "1.0", "111242", [SPOT], datetime(2026, 11, 27, 8, tzinfo=UTC))
ACCEPTED = replace(SPOT, assessment=Assessment("accepted", "", "李^四", REVIEWED.at, "SH01"))


def report(reviewed=REVIEWED):
    return dcmread(io.BytesIO(encoded(structured_report(reviewed, IMAGES))))


def groups(document):
    return hd.sr.Comprehensive3DSR.from_dataset(document).content.get_planar_roi_measurement_groups()


def test_another_reader_finds_the_finding_where_it_lies():
    (group,) = groups(report())
    region = group.roi
    assert (group.tracking_identifier, group.finding_type.meaning) == ("01FINDING", "致密结节候选")
    assert (region.graphic_type.value, region.value.tolist()) == ("CIRCLE", [[10, 10], [14, 10]])
    (diameter,) = group.get_measurements(name=codes.SCT.Diameter)
    assert (diameter.value, diameter.unit.value) == (6.5, "mm")
    (certainty,) = group.get_measurements(name=codes.DCM.CertaintyOfFinding)
    assert certainty.value == 90


def test_it_lies_in_the_study_of_the_image_as_a_preliminary_word_of_a_device():
    document = report()
    assert document.StudyInstanceUID == IMAGE.StudyInstanceUID
    assert document.PatientID == IMAGE.PatientID
    assert (document.VerificationFlag, document.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")


@pytest.mark.parametrize("kind", ["point", "polyline", "ellipse", "image"])
def test_every_kind_of_place_is_drawn(kind):
    points = {"point": [[3, 4]], "polyline": [[1, 1], [5, 5]], "ellipse": [[1, 5], [9, 5], [5, 3], [5, 7]]}
    (group,) = groups(report(replace(REVIEWED, findings=[replace(SPOT, kind=kind, points=points.get(kind, []))])))
    if kind == "image":
        assert group.roi.value.tolist() == [[0, 0], [64, 0], [64, 64], [0, 64], [0, 0]]
    else:
        assert group.roi.graphic_type.value == kind.upper()


def outcome(document):
    (evaluations,) = [
        item for item in document.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue == "C0034375"
    ]
    return evaluations.ContentSequence[0].ConceptCodeSequence[0].CodeValue


def test_having_found_nothing_is_said_in_so_many_words():
    document = report(replace(REVIEWED, findings=[], summary_code="111241"))
    assert outcome(document) == "111241"
    assert outcome(report()) == "111242"


def test_after_a_doctors_word_a_verified_version_names_the_one_before():
    first = report()
    second = report(replace(REVIEWED, findings=[ACCEPTED], version=2, verifier="李^四", organization="SH01"))
    (before,) = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert before.ReferencedSOPInstanceUID == first.SOPInstanceUID != second.SOPInstanceUID
    assert (second.VerificationFlag, second.VerifyingObserverSequence[0].VerifyingObserverName) == ("VERIFIED", "李^四")
    (group,) = groups(second)
    assert "accepted" in [one.value.value for one in group.get_qualitative_evaluations()]


def test_the_same_review_is_the_same_object_to_the_byte():
    assert encoded(structured_report(REVIEWED, IMAGES)) == encoded(structured_report(REVIEWED, IMAGES))
