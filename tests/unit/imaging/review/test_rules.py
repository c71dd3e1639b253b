import pytest

from imaging.review.errors import RulesInvalid
from imaging.review.rules import StudyFacts, parse, why_not

CHEST = StudyFacts(frozenset({"CT"}), frozenset({"CHEST"}), 42)


@pytest.mark.parametrize(
    "rules",
    [
        {"modality": ["MR", "ct"]},
        {"body_part": ["chest"]},
        {"instances": {"min": 42, "max": 42}},
        {"all": []},
        {"all": [{"modality": ["CT"]}, {"any": [{"body_part": ["HEAD"]}, {"instances": {"min": 10}}]}]},
    ],
)
def test_a_matching_study_has_nothing_against_it(rules):
    assert why_not(parse(rules), CHEST) == []


@pytest.mark.parametrize(
    ("rules", "reasons"),
    [
        ({"modality": ["MR"]}, ["modality is CT, wanted MR"]),
        ({"body_part": ["HEAD"]}, ["body part is CHEST, wanted HEAD"]),
        ({"instances": {"min": 50}}, ["42 instances, wanted at least 50"]),
        ({"instances": {"max": 9}}, ["42 instances, wanted at most 9"]),
        (
            {"all": [{"modality": ["MR"]}, {"instances": {"min": 50}}]},
            ["modality is CT, wanted MR", "42 instances, wanted at least 50"],
        ),
        (
            {"any": [{"modality": ["MR"]}, {"body_part": ["HEAD"]}]},
            ["modality is CT, wanted MR or body part is CHEST, wanted HEAD"],
        ),
        ({"any": []}, ["none"]),
    ],
)
def test_why_a_study_is_left_out_is_said_for_each_clause(rules, reasons):
    assert why_not(parse(rules), CHEST) == reasons


def test_a_study_that_names_no_body_part_says_so():
    assert why_not(parse({"body_part": ["HEAD"]}), StudyFacts(frozenset(), frozenset(), 1)) == [
        "body part is not given, wanted HEAD"
    ]


def deep(levels):
    return {"modality": ["CT"]} if levels == 0 else {"all": [deep(levels - 1)]}


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"modality": ["CT"], "body_part": ["CHEST"]},
        {"modality": []},
        {"modality": "CT"},
        {"python": "True"},
        {"instances": {"min": "1"}},
        {"all": [{"modality": [7]}]},
        deep(20),
    ],
)
def test_rules_that_cannot_be_read_are_refused(rules):
    with pytest.raises(RulesInvalid):
        parse(rules)
