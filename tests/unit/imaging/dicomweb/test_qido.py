"""The query string read and the answer written (checklist T19–T29)."""

from datetime import UTC, datetime

import pytest

from imaging.dicomweb.qido import MAX_RESULTS, BadQuery, answer, parse_query, warning_headers
from imaging.store.rows import Hit, InstanceRow, SeriesRow, StudyRow
from imaging.store.search import Condition, Level

NOW = datetime(2026, 11, 23, tzinfo=UTC)
STUDY = StudyRow(
    "S", "WZ01", "1.2.3", "P1", "", "Wang^XiaoDong=王^小东", "19700102", "M", "056Y", "20261123", "093015", "+0800",
    "A1", "1", "胸部", "李^四", "医院", 1, 2, 100, 1, NOW, NOW, ["CT", "SR"],
)  # fmt: skip
SERIES = SeriesRow("E", "S", "1.2.3.4", "CT", 2, "Lung", "", "", "CHEST", "", "", 2, 1, NOW, NOW)
IMAGE = InstanceRow(
    "I", "E", "S", "1.2.3.4", "1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1", 1, 512, 512, 16, 1, "B",
    9, "0", [], NOW,
)  # fmt: skip
REPORT = InstanceRow(
    "I", "E", "S", "1.2.3.4", "1.2.3.4.6", "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.1.2.1", 1, None, None, None,
    1, "B", 9, "0", [], NOW,
)  # fmt: skip
URL = "https://host/dicom-web/studies/1.2.3"


def study_query(text):
    return parse_query([tuple(pair.split("=", 1)) for pair in text.split("&") if pair], Level.STUDY)


@pytest.mark.parametrize("name", ["PatientID", "00100020"])
def test_t23_attributes_go_by_keyword_or_tag(name):
    assert study_query(f"{name}=P1").conditions == (Condition("00100020", "P1"),)


def test_t23_tags_may_be_written_in_either_case():
    assert parse_query([("0020000d", "1.2")], Level.STUDY).conditions == (Condition("0020000D", "1.2"),)


@pytest.mark.parametrize("text", ["Nonsense=1", "99999998=1", "PatientWeight=70", "Modality=CT", "SeriesInstanceUID=1"])
def test_t23_what_cannot_be_matched_is_refused_by_name(text):
    with pytest.raises(BadQuery) as refusal:
        study_query(text)
    assert text.split("=")[0] in refusal.value.detail


def test_a_hostile_parameter_name_is_not_echoed():
    with pytest.raises(BadQuery) as refusal:
        study_query("<img src=x onerror=y>=1")
    assert "<" not in refusal.value.detail


@pytest.mark.parametrize("text", ["limit=0", "limit=-1", "limit=ten", "limit=", "offset=-1", "offset=x", "limit=1e3"])
def test_t22_counts_must_be_counts(text):
    with pytest.raises(BadQuery):
        study_query(text)


def test_t20_the_servers_cap_bounds_the_limit():
    assert (study_query("limit=999999").limit, study_query("").limit) == (MAX_RESULTS, MAX_RESULTS)


def test_t27b_the_literal_ohif_query_ignores_fields_of_lower_levels():
    query = study_query(
        "limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060,00080090,00100030"
        "&PatientName=*x*&00100020=*y*&StudyDate=20260101-20261231"
    )
    assert (query.limit, query.offset, query.warnings) == (101, 0, ())
    assert [condition.tag for condition in query.conditions] == ["00100010", "00100020", "00080020"]
    found = answer(Hit(STUDY, None, None), query, URL)
    assert "00081030" in found
    assert "00080060" not in found


def test_t27_each_kind_of_matching_is_done_or_warned_of():
    query = study_query("fuzzymatching=true&emptyvaluematching=true&multiplevaluematching=true")
    assert (query.fuzzy, query.empty_values, query.multiple_values, query.warnings) == (True, True, True, ())
    query = study_query("fuzzymatching=true&ReferringPhysicianName=Li")
    (header,) = warning_headers(query, 0, "https://host/dicom-web")
    assert header.startswith('299 https://host/dicom-web: "Fuzzy matching is of PatientName alone')


def test_t20_the_warning_carries_the_exact_number():
    (header,) = warning_headers(study_query(""), 17, "https://host/dicom-web")
    assert header == '299 https://host/dicom-web: "There are 17 additional results that can be requested"'


@pytest.mark.parametrize("text", ["PatientName=", "PatientName=*", "PatientName= "])
def test_an_empty_value_or_a_star_matches_everything(text):
    assert study_query(text).conditions == ()


def test_t25_a_study_answers_all_it_must_and_nothing_of_a_series():
    found = answer(Hit(STUDY, None, None), study_query(""), URL)
    assert list(found) == sorted(found)
    assert set(found) == {
        "00080020", "00080030", "00080050", "00080056", "00080061", "00080090", "00080201", "00081190", "00100010",
        "00100020", "00100021", "00100030", "00100040", "0020000D", "00200010", "00201206", "00201208",
    }  # fmt: skip
    assert found["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}]}
    assert found["00080061"] == {"vr": "CS", "Value": ["CT", "SR"]}
    assert found["00201208"] == {"vr": "IS", "Value": [2]}
    assert found["00100021"] == {"vr": "LO"}
    assert found["00081190"]["Value"] == [URL]


@pytest.mark.parametrize(
    "text",
    [
        "includefield=all",
        "includefield=StudyDescription,InstitutionName",
        "includefield=00081030&includefield=00080080",
    ],
)
def test_t24_further_attributes_are_answered_when_asked_for(text):
    found = answer(Hit(STUDY, None, None), study_query(text), URL)
    assert found["00081030"]["Value"] == ["胸部"]
    assert found["00080080"]["Value"] == ["医院"]


def test_t24_an_unknown_field_is_refused():
    with pytest.raises(BadQuery):
        study_query("includefield=Nonsense")


def test_a_series_under_a_named_study_leaves_out_what_the_caller_knows():
    named = answer(Hit(STUDY, SERIES, None), parse_query([], Level.SERIES, "1.2.3"), URL)
    assert ("00100010" in named, named["0020000D"]["Value"], named["00080060"]["Value"]) == (False, ["1.2.3"], ["CT"])
    assert named["00081190"]["Value"] == [f"{URL}/series/1.2.3.4"]
    unnamed = answer(Hit(STUDY, SERIES, None), parse_query([], Level.SERIES), URL)
    assert unnamed["00100010"]["Value"]


def test_t25_an_instance_answers_its_matrix_only_if_it_is_an_image():
    query = parse_query([], Level.INSTANCE, "1.2.3", "1.2.3.4")
    image, report = (answer(Hit(STUDY, SERIES, row), query, URL) for row in (IMAGE, REPORT))
    assert (image["00280010"]["Value"], image["00280008"]["Value"]) == ([512], [1])
    assert (report["00280010"], "00280008" in report) == ({"vr": "US"}, False)
    assert image["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
    assert "00080060" not in image
