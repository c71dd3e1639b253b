from hypothesis import given
from hypothesis import strategies as st

from telemed.access import (
    ConsultationFacts,
    HospitalSystem,
    Person,
    Role,
    Side,
    may_act,
    may_enter_room,
    may_see_consultation,
    may_send,
    shares_study,
    sides,
    study_access,
)

HOSPITALS = ["WZ01", "WZ02", "SH01"]
USERS = ["u1", "u2", "u3"]
STUDIES = ["s1", "s2", "s3"]

people = st.builds(
    Person,
    user_id=st.sampled_from(USERS),
    role=st.sampled_from(Role),
    hospital=st.sampled_from([*HOSPITALS, None]),
)
callers = st.one_of(
    st.none(),
    people,
    st.builds(HospitalSystem, key_id=st.sampled_from(USERS), hospital=st.sampled_from(HOSPITALS)),
)
shared = st.frozensets(st.sampled_from(STUDIES))
consultations = st.builds(
    ConsultationFacts,
    requesting_hospital=st.sampled_from(HOSPITALS),
    invited_hospital=st.sampled_from(HOSPITALS),
    expert=st.sampled_from([*USERS, None]),
    open=st.booleans(),
)


def doctor(hospital="WZ01", user_id="u1"):
    return Person(user_id, Role.DOCTOR, hospital)


@given(callers, st.sampled_from(HOSPITALS), st.sampled_from(STUDIES))
def test_without_facts_only_the_own_holdings_are_visible(who, owner, study_id):
    visible = study_access(who).admits(owner, study_id)
    match who:
        case Person(role=Role.DOCTOR, hospital=hospital) | HospitalSystem(hospital=hospital):
            assert visible == (owner == hospital)
        case _:
            assert not visible


@given(callers, shared, shared, st.sampled_from(HOSPITALS), st.sampled_from(STUDIES))
def test_more_shared_studies_never_hide_one(who, fewer, more, owner, study_id):
    if study_access(who, fewer).admits(owner, study_id):
        assert study_access(who, fewer | more).admits(owner, study_id)


@given(
    st.builds(
        Person, user_id=st.just("u1"), role=st.just(Role.ADMINISTRATOR), hospital=people.map(lambda p: p.hospital)
    ),
    shared,
)
def test_an_administrator_sees_no_images_whatever_is_shared(administrator, studies):
    access = study_access(administrator, studies)
    assert (access.owners, access.study_ids, access.store_as) == (frozenset(), frozenset(), None)


@given(callers, shared)
def test_nobody_stores_for_another_hospital(who, studies):
    assert study_access(who, studies).store_as in {None, getattr(who, "hospital", None)}


@given(shared)
def test_a_key_gains_nothing_from_consultations(studies):
    assert study_access(HospitalSystem("k", "WZ01"), studies).study_ids == frozenset()


@given(people, consultations)
def test_who_stands_on_no_side_may_do_nothing(person, facts):
    if not sides(person, facts):
        doors = [may_see_consultation(person, facts), may_enter_room(person, facts), shares_study(person, facts)]
        assert not any(doors)
        assert not any(may_act(person, facts, side) for side in Side)


@given(people, consultations)
def test_a_closed_consultation_opens_neither_room_nor_study(person, facts):
    if not facts.open:
        assert not may_enter_room(person, facts)
        assert not shares_study(person, facts)


@given(people, consultations)
def test_the_study_is_shared_with_the_expert_of_the_invited_hospital_alone(person, facts):
    if shares_study(person, facts):
        assert (person.user_id, person.hospital, person.role) == (facts.expert, facts.invited_hospital, Role.DOCTOR)


@given(people, st.sampled_from(HOSPITALS))
def test_only_a_doctor_of_the_holding_hospital_may_send_a_study(person, owner):
    assert bool(may_send(person, owner)) == (person.role is Role.DOCTOR and person.hospital == owner)


def test_the_expert_enters_the_open_room_and_colleagues_do_not():
    facts = ConsultationFacts("WZ01", "SH01", expert="u2", open=True)
    assert may_enter_room(doctor("SH01", "u2"), facts)
    assert may_enter_room(doctor("SH01", "u3"), facts).reason == "not_a_participant"
    assert may_enter_room(doctor("WZ01", "u1"), facts)


def test_an_expert_who_moved_to_another_hospital_is_the_expert_no_longer():
    facts = ConsultationFacts("WZ01", "SH01", expert="u2", open=True)
    assert not shares_study(doctor("WZ02", "u2"), facts)


def test_a_refusal_names_its_reason():
    facts = ConsultationFacts("WZ01", "SH01", expert="u2")
    assert may_enter_room(doctor("WZ01"), facts).reason == "not_open"
    assert may_act(doctor("WZ01"), facts, Side.EXPERT).reason == "not_expert"
