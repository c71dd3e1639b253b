"""What an outsider gets of a data set: nothing that was not asked for by name, and no form that could carry a name."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import DataElement, Dataset, config
from pydicom.datadict import DicomDictionary
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage

from imaging.dicom.deidentify import Disguise, Profile, Pseudonyms, Region, deidentified, may_show_text
from imaging.dicom.harmless import WORDS

PSEUDONYMS = Pseudonyms.of(b"secret", "endpoint", "study")
BASIC = Disguise(PSEUDONYMS, Profile())
CANARY = "Kanarienvogel^Heinz"
TEXT_VRS = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
EVERY_TEXT = sorted(tag for tag, (vr, *_) in DicomDictionary.items() if vr in TEXT_VRS and tag >> 16 not in {0, 2})


def element(tag, vr, value):
    with config.disable_value_validation():
        return DataElement(tag, vr, value)


def with_canaries() -> Dataset:
    """A canary in every text attribute of the dictionary, in a private block and inside sequences."""
    data = Dataset()
    for tag in EVERY_TEXT:
        data.add(element(tag, DicomDictionary[tag][0], CANARY))
    data.private_block(0x0011, "SECRETS", create=True).add_new(1, "LO", CANARY)
    item = Dataset()
    for keyword in ("PatientName", "CodeMeaning", "CodeValue", "CodingSchemeDesignator"):
        item.add(element(keyword, "LO", CANARY))
    for keyword in ("SharedFunctionalGroupsSequence", "AnatomicRegionSequence", "RequestAttributesSequence"):
        setattr(data, keyword, [item])
    return data


def test_security_24_no_text_of_any_attribute_leaves():
    assert len(EVERY_TEXT) > 1500
    left = deidentified(with_canaries(), BASIC)
    assert "Kanarienvogel" not in str(left)
    assert left.PatientIdentityRemoved == "YES"
    assert [item.CodeValue for item in left.DeidentificationMethodCodeSequence] == ["113100", "113107"]


@given(st.text(max_size=20))
def test_a_coded_attribute_stays_only_as_known_words(text):
    data = Dataset()
    data.add(element("BodyPartExamined", "CS", text))
    left = deidentified(data, BASIC).get("BodyPartExamined", "")
    assert set([left] if isinstance(left, str) else left) <= WORDS


def test_the_image_can_still_be_understood():
    data = Dataset()
    data.SOPClassUID, data.Modality, data.ImageType = (
        CTImageStorage,
        "CT",
        ["ORIGINAL", "PRIMARY", "AXIAL", "ZHANG SAN"],
    )
    data.Rows, data.PixelSpacing, data.RescaleIntercept = 512, ["0.7", "0.7"], "-1024"
    left = deidentified(data, BASIC)
    assert (left.SOPClassUID, left.ImageType) == (CTImageStorage, ["ORIGINAL", "PRIMARY", "AXIAL"])
    assert (left.Rows, left.PixelSpacing, left.RescaleIntercept) == (512, [0.7, 0.7], -1024)


def test_a_code_of_a_public_dictionary_keeps_the_dictionarys_words():
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "39607008", "SCT", CANARY
    data = Dataset()
    data.AnatomicRegionSequence = [code]
    (left,) = deidentified(data, BASIC).AnatomicRegionSequence
    assert (left.CodeValue, left.CodeMeaning) == ("39607008", "Lung structure (body structure)")


def test_references_follow_their_instances_and_two_endpoints_cannot_compare():
    reference = Dataset()
    reference.ReferencedSOPInstanceUID = "1.2.3.4"
    data = Dataset()
    data.SOPInstanceUID, data.SourceImageSequence = "1.2.3.4", [reference]
    left = deidentified(data, BASIC)
    assert left.SOPInstanceUID == left.SourceImageSequence[0].ReferencedSOPInstanceUID != "1.2.3.4"
    assert left.SOPInstanceUID != Pseudonyms.of(b"secret", "another", "study").uid("1.2.3.4")


def test_a_uid_that_only_looks_like_the_standards_own_is_replaced():
    assert PSEUDONYMS.uid("1.2.840.10008.9999.330302199001011234").startswith("2.25.")


def test_days_between_dates_stay_and_the_days_themselves_do_not():
    data = Dataset()
    data.StudyDate, data.AcquisitionDate, data.AcquisitionDateTime = "20260227", "20260301", "20260301101500+0800"
    left = deidentified(data, BASIC)
    days = [date.fromisoformat(text) for text in (left.StudyDate, left.AcquisitionDate)]
    assert ((days[1] - days[0]).days, days[0] < date(2026, 2, 27)) == (2, True)
    assert left.AcquisitionDateTime == f"{days[1]:%Y%m%d}101500+0800"


@pytest.mark.parametrize(("characteristics", "expected"), [(False, ("", None)), (True, ("F", "061Y"))])
def test_sex_and_age_leave_only_by_the_profile(characteristics, expected):
    data = Dataset()
    data.PatientSex, data.PatientAge, data.PatientBirthDate = "F", "061Y", "19650101"
    left = deidentified(data, Disguise(PSEUDONYMS, Profile(characteristics=characteristics)))
    assert (left.PatientSex, left.get("PatientAge")) == expected
    assert left.PatientBirthDate == ""


def test_a_value_that_its_vr_does_not_allow_goes_and_the_rest_stays():
    data = Dataset()
    data[0x00180050] = RawDataElement(Tag(0x00180050), "DS", 6, b"1,25 !", 0, False, True)
    data.Rows = 512
    left = deidentified(data, BASIC)
    assert ("SliceThickness" in left, left.Rows) == (False, 512)


def picture(**attributes) -> Dataset:
    data = Dataset()
    data.Modality, data.Rows, data.Columns, data.SOPClassUID = "US", 480, 640, "1.2.840.10008.5.1.4.1.1.6.1"
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    return data


def test_pictures_that_may_show_a_name_stay_unless_a_region_says_where():
    assert may_show_text(picture(), Profile())
    assert may_show_text(picture(Modality="CT", SOPClassUID=SecondaryCaptureImageStorage), Profile())
    assert may_show_text(picture(Modality="CT", SOPClassUID=CTImageStorage, BurnedInAnnotation="YES"), Profile())
    assert not may_show_text(picture(Modality="CT", SOPClassUID=CTImageStorage), Profile())
    top = Profile(regions=[Region("US", 480, 640, [(0, 0, 640, 40)])])
    assert not may_show_text(picture(), top)
    assert may_show_text(picture(Rows=600), top)
