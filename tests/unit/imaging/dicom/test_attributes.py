from imaging.dicom.attributes import SERIES_TAGS, STUDY_TAGS, Attributes, text
from imaging.store.tables import Series, Study


def test_every_attribute_has_its_column():
    assert STUDY_TAGS.keys() <= set(Study.__table__.c.keys())
    assert SERIES_TAGS.keys() <= set(Series.__table__.c.keys())


def test_names_are_joined_with_their_empty_groups():
    dataset = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "A", "Phonetic": "C"}]}}
    assert text(dataset, "00100010") == "A==C"


def test_numbers_that_a_column_cannot_hold_are_absent():
    dataset = {"00200013": {"vr": "IS", "Value": [2**40]}, "00280008": {"vr": "IS", "Value": ["1A"]}}
    found = Attributes.of(dataset)
    assert (found.instance_number, found.number_of_frames) == (None, 1)


def test_what_is_absent_is_empty():
    assert Attributes.of({}).study["patient_name"] == ""
