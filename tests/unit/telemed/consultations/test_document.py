from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from telemed.access import Role
from telemed.consultations.document import (
    Document,
    OpinionIncomplete,
    OpinionText,
    Party,
    Subject,
    canonical,
    check_complete,
    masked,
    parse,
    party,
    sha256,
)
from telemed.consultations.model import Urgency
from telemed.people.model import Hospital, User

AT = datetime(2026, 11, 23, 8, 5, 0, 123456, tzinfo=UTC)
DOCUMENT = Document(
    consultation_id="01JDC5V0QK3M8Z7W2X4Y6N9P1R",
    urgency=Urgency.URGENT,
    subject=Subject(patient_name="王小东", modalities=["CT"]),
    requested_by=Party("u1", "陈静", "主治医师", "WZ01", "温州市第一医院"),
    requested_specialty="呼吸内科",
    requested_title="副主任医师",
    reason="结节性质待定",
    purpose="明确诊断",
    summary="咳嗽两周",
    created_at=AT,
    scheduled_at=AT,
    opinion=OpinionText("右肺上叶结节。", "考虑早期肺腺癌。", "胸外科评估。"),
    version=3,
    signed_by=Party("u2", "李明华", "主任医师", "SH01", "上海示范医院"),
    signed_at=AT,
)


def test_the_canonical_text_gives_the_same_document_back():
    assert parse(canonical(DOCUMENT)) == DOCUMENT


def test_the_canonical_text_does_not_depend_on_the_order_of_fields():
    content = canonical(DOCUMENT)
    assert content.startswith('{"consultation_id":')
    assert content.index('"advice"') < content.index('"conclusion"') < content.index('"findings"')


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_change_of_a_text_changes_the_hash(added):
    changed = replace(DOCUMENT, opinion=OpinionText(DOCUMENT.opinion.findings + added, "", ""))
    assert sha256(canonical(changed)) != sha256(canonical(DOCUMENT))


def test_the_hash_is_that_of_the_utf8_bytes():
    assert sha256("会诊") == "4e64ced6be51e0b1e8283f980bf4a91c28724eae7c6a9535ac8d853ee82835b6"


@pytest.mark.parametrize("conclusion", ["", " \n　"])
def test_an_opinion_without_a_conclusion_cannot_be_signed(conclusion):
    with pytest.raises(OpinionIncomplete):
        check_complete(OpinionText("所见", conclusion, "建议"))


@pytest.mark.parametrize(("known", "shown"), [("", ""), ("7", "*"), ("123", "**3"), ("WZ-00482913", "*******2913")])
def test_a_masked_patient_id_never_shows_more_than_half(known, shown):
    assert masked(known) == shown


def test_a_party_keeps_name_title_and_institution():
    user = User("u2", "li", "李明华", Role.DOCTOR, "主任医师", "呼吸内科", Hospital("SH01", "上海示范医院", "上海"))
    assert party(user) == DOCUMENT.signed_by
