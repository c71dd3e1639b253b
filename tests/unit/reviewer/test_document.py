from reviewer import document
from reviewer.analysis import FOUND, Report, Spot

SIZES = {"1.2": (64, 48)}


def located(circle):
    spot = Spot("dense-candidate", "Dense candidate in the lung", "1.2", 3, circle, (("diameter", 6.0, "mm"),), "d")
    return document.completed("2.25.1", Report(FOUND, "text", [spot]), SIZES)["findings"][0]["location"][0]


def test_a_circle_is_its_centre_and_a_point_on_it():
    assert located((10.0, 20.0, 4.0)) == {
        "kind": "scoord", "sop": "1.2", "frame": 3, "type": "CIRCLE", "data": [10.0, 20.0, 14.0, 20.0],
    }  # fmt: skip


def test_the_point_on_the_circle_stays_in_the_image():
    assert located((46.0, 20.0, 4.0))["data"] == [46.0, 20.0, 42.0, 20.0]
    assert located((24.0, 20.0, 90.0))["data"] == [24.0, 20.0, 0.0, 20.0]


def test_without_a_circle_it_speaks_of_the_image():
    assert located(None) == {"kind": "image", "sop": "1.2", "frame": 3}


def test_documents_of_a_job_count_upwards_under_their_own_ids():
    first, last = document.in_progress("2.25.1"), document.ended("2.25.1", "failed", "no memory")
    assert (first["sequence"], last["sequence"]) == (1, 2)
    assert first["eventId"] != last["eventId"]
    assert (last["status"], last["reason"]) == ("failed", "no memory")
