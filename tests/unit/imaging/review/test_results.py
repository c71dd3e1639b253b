import copy
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.review import errors
from imaging.review.errors import ResultMalformed, ResultRefused, ResultTooLarge
from imaging.review.manifest import Manifest, ManifestInstance, ManifestSeries
from imaging.review.results import LIMIT_BYTES, Model, Terms, check, read

MANIFEST = Manifest(
    (
        ManifestSeries("1.2.1", "CT", "CHEST", (ManifestInstance("1.2.1.1", "ct", 3, 64, 48),)),
        ManifestSeries("1.2.2", "SR", "", (ManifestInstance("1.2.2.1", "sr", 1, None, None),)),
    )
)
TERMS = Terms(MANIFEST, Model("spotter", "1.0"), frozenset({"99TEST:spot"}), frozenset({"OLD"}))
GOOD = {
    "eventId": "e1",
    "sequence": 1,
    "status": "completed",
    "model": {"name": "spotter", "version": "1.0"},
    "summary": {"code": "111242", "text": "one spot"},
    "findings": [
        {
            "id": "F1",
            "code": {"system": "99TEST", "code": "spot", "display": "Spot"},
            "probability": 0.5,
            "location": [{"kind": "scoord", "sop": "1.2.1.1", "frame": 2, "type": "CIRCLE", "data": [10, 10, 14, 10]}],
            "measurements": [{"name": "diameter", "value": 6.5, "unit": "mm"}],
            "description": "round",
        }
    ],
}


def changed(pointer, value):
    """A copy of the good document with another value at a JSON pointer; ``...`` removes it."""
    document = copy.deepcopy(GOOD)
    *path, last = [int(part) if part.isdigit() else part for part in pointer.split("/")[1:]]
    place = document
    for part in path:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return msgspec.json.encode(document)


def test_a_good_document_is_placed_on_its_image():
    (placed,) = check(read(msgspec.json.encode(GOOD)), TERMS)
    assert (placed.series_instance_uid, placed.finding.id, placed.instance.frames) == ("1.2.1", "F1", 3)


@pytest.mark.parametrize(
    ("pointer", "value", "fault"),
    [
        ("/findings/0/location/0/sop", "9.9", ("/findings/0/location/0/sop", "foreign_instance")),
        ("/findings/0/location/0/frame", 4, ("/findings/0/location/0/frame", "frame_out_of_range")),
        ("/findings/0/location/0/data", [49, 10, 14, 10], ("/findings/0/location/0/data", "outside_image")),
        ("/findings/0/location/0/data", [10, 10, 14, 64.01], ("/findings/0/location/0/data", "outside_image")),
        ("/findings/0/location/0/data", [-0.1, 10, 14, 10], ("/findings/0/location/0/data", "outside_image")),
        ("/findings/0/location/0/data", [10, 10, 14], ("/findings/0/location/0/data", "wrong_count")),
        ("/findings/0/location/0/type", "ELLIPSE", ("/findings/0/location/0/data", "wrong_count")),
        ("/findings/0/code/code", "cancer", ("/findings/0/code", "code_not_allowed")),
        ("/findings/0/id", "OLD", ("/findings/0/id", "duplicate_id")),
        ("/model/version", "2.0", ("/model/version", "wrong_version")),
        ("/model/name", "other", ("/model/name", "wrong_model")),
        ("/summary", ..., ("/summary", "summary_missing")),
        ("/status", "failed", ("/reason", "reason_missing")),
    ],
)
def test_a_contradiction_is_named_at_its_place(pointer, value, fault):
    with pytest.raises(ResultRefused) as caught:
        check(read(changed(pointer, value)), TERMS)
    assert [(one["pointer"], one["code"]) for one in caught.value.facts["errors"]] == [fault]


def test_an_object_without_pixels_can_have_no_marks():
    place = [{"kind": "scoord", "sop": "1.2.2.1", "type": "POINT", "data": [0, 0]}]
    with pytest.raises(ResultRefused) as caught:
        check(read(changed("/findings/0/location", place)), TERMS)
    assert caught.value.facts["errors"][0]["code"] == "no_pixels"


def test_a_finding_may_speak_of_a_whole_image():
    (placed,) = check(read(changed("/findings/0/location", [{"kind": "image", "sop": "1.2.1.1", "frame": 3}])), TERMS)
    assert placed.instance.sop_instance_uid == "1.2.1.1"


def test_points_on_the_outer_edge_are_inside():
    assert check(read(changed("/findings/0/location/0/data", [0, 0, 48, 64])), TERMS)


def test_the_same_id_twice_in_a_document_is_named_both_times():
    with pytest.raises(ResultRefused) as caught:
        check(read(changed("/findings", GOOD["findings"] * 2)), TERMS)
    assert [one["pointer"] for one in caught.value.facts["errors"]] == ["/findings/0/id", "/findings/1/id"]


@pytest.mark.parametrize(
    ("pointer", "value", "place"),
    [
        ("/findings/0/probability", 1.5, "/findings/0/probability"),
        ("/findings/0/location", [], "/findings/0/location"),
        ("/findings/0/location/0/kind", "hologram", "/findings/0/location/0/kind"),
        ("/findings/0/location/0/type", "BLOB", "/findings/0/location/0/type"),
        ("/findings/0/location/0/frame", 0, "/findings/0/location/0/frame"),
        ("/sequence", 0, "/sequence"),
        ("/status", "done", "/status"),
        ("/eventId", ..., ""),
        ("/model", 7, "/model"),
    ],
)
def test_a_document_of_the_wrong_form_is_told_where(pointer, value, place):
    with pytest.raises(ResultMalformed) as caught:
        read(changed(pointer, value))
    assert [one["pointer"] for one in caught.value.facts["errors"]] == [place]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"[" * 5000, b'{"sequence": 1e999}'])
def test_what_is_no_document_is_refused(body):
    with pytest.raises(ResultMalformed):
        read(body)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_it_stumble(body):
    with pytest.raises(ResultMalformed):
        read(body)


def test_over_the_limit_is_refused_unread():
    with pytest.raises(ResultTooLarge):
        read(b" " * (LIMIT_BYTES + 1))


def test_the_vendors_guide_shows_a_document_that_fits():
    guide = (Path(__file__).parents[4] / "docs" / "ai-hook.md").read_text(encoding="utf-8")
    example = next(block for block in re.findall(r"```json\n(.*?)```", guide, re.DOTALL) if '"eventId"' in block)
    assert read(example.encode()).findings[0].location[0].type == "CIRCLE"


def test_the_vendors_guide_names_the_codes_a_vendor_can_meet():
    guide = (Path(__file__).parents[4] / "docs" / "ai-hook.md").read_text(encoding="utf-8")
    doors_of_doctors_and_administrators = {
        errors.EndpointUnknown, errors.FindingUnknown, errors.RulesInvalid, errors.RejectionWithoutReason,
        errors.ProfileInvalid,
    }  # fmt: skip
    ours = {one for one in vars(errors).values() if isinstance(one, type) and one.__module__ == errors.__name__}
    assert {one.code for one in ours - doors_of_doctors_and_administrators} == set(
        re.findall(r"`(review\.\w+)`", guide)
    )
