from datetime import UTC, datetime

import pytest

from imaging.store.rows import StudyRow as HeldStudy
from telemed.studies.model import iso_date, iso_time, row_of


def held(**values):
    defaults = {
        "id": "01KB0000000000000000000000",
        "owner": "WZ01",
        "study_instance_uid": "1.2.3",
        "patient_id": "P1",
        "issuer_of_patient_id": "WZ01",
        "patient_name": "Wang^XiaoDong=王^小东",
        "patient_birth_date": "19620315",
        "patient_sex": "M",
        "patient_age": "064Y",
        "study_date": "20261123",
        "study_time": "140503.25",
        "accession_number": "A1",
        "study_description": "胸部CT平扫",
        "modalities": ["CT"],
        "series_count": 1,
        "instance_count": 40,
        "size_bytes": 20_000_000,
        "updated_at": datetime(2026, 11, 23, 6, tzinfo=UTC),
        "timezone_offset": "",
        "study_id": "1",
        "referring_physician_name": "",
        "institution_name": "",
        "revision": 40,
        "created_at": datetime(2026, 11, 22, 10, 20, tzinfo=UTC),
    }
    return HeldStudy(**defaults | values)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("20261123", "2026-11-23"), ("2026.11.23", "2026-11-23"), ("", ""), ("2026", "2026"), ("unknown", "unknown")],
)
def test_dates_are_shown_in_iso_form_or_as_stored(value, shown):
    assert iso_date(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [("140503.25", "14:05:03"), ("1405", "14:05:00"), ("14:05:03", "14:05:03"), ("", ""), ("14", "14")],
)
def test_times_are_shown_in_iso_form_or_as_stored(value, shown):
    assert iso_time(value) == shown


def test_a_row_shows_the_name_as_people_read_it_and_where_the_images_are():
    row = row_of(held(), "示范医院", {held().id: ("done", 3)})
    assert (row.patient_name, row.patient_name_raw) == ("王小东", "Wang^XiaoDong=王^小东")
    assert (row.study_date, row.patient_birth_date) == ("2026-11-23", "1962-03-15")
    assert (row.dicomweb_root, row.owner_name) == ("/dicom-web/hospitals/WZ01", "示范医院")
    assert (row.review_state, row.open_findings) == ("done", 3)


def test_a_study_without_a_review_says_so():
    row = row_of(held(), "示范医院", {})
    assert (row.review_state, row.open_findings) == (None, 0)
