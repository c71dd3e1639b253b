"""The catalogue on both engines: what is found, in which order, and never more than the caller may see."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from foundation.database import open_database
from foundation.errors import NotFound
from foundation.ids import new_id
from imaging.dicom.layout import Layout
from imaging.dicom.names import name_key
from imaging.guard import Access
from imaging.store import finding
from imaging.store.catalog import AmbiguousStudy, Catalog, NoSuchStudy
from imaging.store.search import BadValue, Condition, Level, Query
from imaging.store.tables import Base, Instance, InstanceHeader, Series, Study, StudyWord
from tests.archives import words_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WENZHOU = Access("wz", store_as="WZ01", owners=frozenset({"WZ01"}))
BOTH = Access("both", store_as=None, owners=frozenset({"WZ01", "SH01"}))
NOBODY = Access("nobody")


def study_of(owner="WZ01", uid="1.2.3", series=("CT",), instances=2, **attributes):
    """A study with its series and instances as rows."""
    name = attributes.pop("patient_name", "Wang^XiaoDong=王^小东")
    study = Study(
        id=new_id(),
        owner=owner,
        study_instance_uid=uid,
        patient_name=name,
        patient_name_key=name_key(name),
        series_count=len(series),
        instance_count=attributes.pop("instance_count", instances * len(series)),
        created_at=NOW,
        updated_at=NOW,
        **{"study_date": "20261123", "study_time": "093015", "patient_id": "P1", **attributes},
    )
    study.accession_number, study.study_description = study.accession_number or "", study.study_description or ""
    rows = [study, *words_of(study)]
    for place, modality in enumerate(series):
        one = Series(
            id=new_id(),
            study_key=study.id,
            series_instance_uid=f"{uid}.{place}",
            modality=modality,
            series_number=None if place else 7,
            instance_count=instances,
            created_at=NOW,
            updated_at=NOW,
        )
        rows.append(one)
        for number in range(instances, 0, -1):
            key = new_id()
            rows.append(
                Instance(
                    id=key,
                    series_key=one.id,
                    study_key=study.id,
                    sop_instance_uid=f"{uid}.{place}.{number}",
                    sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
                    transfer_syntax_uid="1.2.840.10008.1.2.1",
                    instance_number=number,
                    rows=16,
                    columns=16,
                    bits_allocated=16,
                    blob_key=new_id(),
                    size_bytes=100,
                    sha256=f"{number:064d}",
                    received_at=NOW,
                )
            )
            rows.append(InstanceHeader(instance_key=key, metadata_json=key.encode(), layout=Layout(132).to_json()))
    return rows


@pytest.fixture
async def database(database_url):
    database = open_database(database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
def catalog(database):
    return Catalog(database)


@pytest.fixture
def add(database):
    async def add_rows(*groups):
        async with database.write() as session:
            for kind in (Study, StudyWord, Series, Instance, InstanceHeader):
                session.add_all(row for rows in groups for row in rows if isinstance(row, kind))
                await session.flush()

    return add_rows


def query(level=Level.STUDY, /, **conditions):
    tags = {
        "name": "00100010",
        "patient_id": "00100020",
        "date": "00080020",
        "time": "00080030",
        "modalities": "00080061",
        "uid": "0020000D",
        "description": "00081030",
        "modality": "00080060",
        "count": "00201208",
        "sop": "00080018",
    }
    return Query(level, tuple(Condition(tags[name], text) for name, text in conditions.items()))


async def uids(catalog, asked, access=WENZHOU):
    return [hit.study.study_instance_uid for hit in (await catalog.search(access, asked)).hits]


async def test_newest_study_comes_first_and_equal_dates_by_uid(catalog, add):
    await add(study_of(uid="1.2", study_date="20260101"), study_of(uid="1.9"), study_of(uid="1.3"))
    assert await uids(catalog, query()) == ["1.9", "1.3", "1.2"]


# One database for all, because making one takes longer than asking it.
NAMES = {
    "王*": True,
    "王小东": True,
    "小东": False,
    "*小东": True,
    "wang*": True,
    "WANG^XIAODONG": True,
    "Wang^XiaoDong=王^小东": True,
    "*xiao*": True,
    "wang": False,
    "w?ngxiaodong": True,
    "Li*": False,
    "%": False,
    "%*": False,
}


async def test_t26_names_match_any_whole_group_whatever_case_or_separator(catalog, add):
    await add(study_of())
    assert {text: bool(await uids(catalog, query(name=text))) for text in NAMES} == NAMES


MATCHES = {
    ("patient_id", "P1"): True,
    ("patient_id", "P"): False,
    ("patient_id", "P*"): True,
    ("patient_id", "p?"): True,
    ("patient_id", "%"): False,
    ("date", "20261123"): True,
    ("date", "20261101-20261130"): True,
    ("date", "20261124-"): False,
    ("date", "-20261123"): True,
    ("time", "09"): True,
    ("time", "0930"): True,
    ("time", "093015"): True,
    ("time", "093015.000-10"): True,
    ("time", "0931-"): False,
    ("time", "-0929"): False,
    ("modalities", "MR,CT"): True,
    ("modalities", r"MR\CT"): True,
    ("modalities", "MR"): False,
    ("uid", r"9.9\1.2.3"): True,
    ("uid", "9.9, 1.2.3"): True,
    ("uid", "1.2.*"): False,
    ("count", "4"): True,
    ("count", "5"): False,
    ("description", "胸部*"): True,
}


async def test_t26_matches_lists_ranges_and_wildcards(catalog, add):
    await add(study_of(series=("CT", "SR"), study_description="胸部CT"))
    assert {(name, text): bool(await uids(catalog, query(**{name: text}))) for name, text in MATCHES} == MATCHES


BAD_VALUES = [("date", "-"), ("date", "2026-11-23"), ("time", "9"), ("time", "-"), ("count", "x"), ("count", "9" * 11)]


async def test_t26_refuses_values_that_the_attribute_cannot_have(catalog):
    for name, text in BAD_VALUES:
        with pytest.raises(BadValue):
            await catalog.search(WENZHOU, query(**{name: text}))


async def test_a_study_without_date_is_in_no_range_but_in_the_list(catalog, add):
    await add(study_of(study_date="", study_time=""))
    assert await uids(catalog, query(date="-20300101")) == []
    assert await uids(catalog, query()) == ["1.2.3"]


async def test_t20_pages_are_cut_and_say_exactly_how_many_remain(catalog, add):
    await add(*(study_of(uid=f"1.{number}") for number in range(1, 6)))
    seen = []
    for offset, remaining in ((0, 3), (2, 1), (4, 0), (6, 0)):
        page = await catalog.search(WENZHOU, replace(query(), limit=2, offset=offset))
        seen += [hit.study.study_instance_uid for hit in page.hits]
        assert page.remaining == remaining
    assert seen == ["1.5", "1.4", "1.3", "1.2", "1.1"]


async def test_what_one_may_not_see_is_in_no_list_and_no_count(catalog, add):
    foreign = study_of("SH01", "1.5")
    await add(study_of("WZ01", "1.4"), foreign)
    page = await catalog.search(WENZHOU, replace(query(), limit=1))
    assert ([hit.study.owner for hit in page.hits], page.remaining) == (["WZ01"], 0)
    assert await catalog.studies(NOBODY, "", 10, 0) == ([], 0)
    assert await catalog.study(WENZHOU, foreign[0].id) is None
    with pytest.raises(NotFound):
        await catalog.find_study(WENZHOU, "1.5")


async def test_an_invited_caller_sees_the_one_study_and_only_there(catalog, add):
    mine, other = study_of("WZ01", "1.4"), study_of("WZ01", "1.5")
    await add(mine, other)
    invited = Access("expert", owners=frozenset({"SH01"}), study_ids=frozenset({mine[0].id}))
    assert await uids(catalog, query(), invited) == ["1.4"]
    assert await uids(catalog, query(), replace(invited, only_owner="SH01")) == []
    assert await uids(catalog, query(), replace(invited, only_owner="WZ01")) == ["1.4"]


async def test_one_uid_at_two_hospitals_is_ones_own_or_ambiguous(catalog, add):
    await add(study_of("WZ01"), study_of("SH01"))
    with pytest.raises(AmbiguousStudy) as refusal:
        await catalog.find_study(BOTH, "1.2.3")
    assert refusal.value.facts == {"owners": ["SH01", "WZ01"]}
    assert (await catalog.find_study(replace(BOTH, store_as="SH01"), "1.2.3")).owner == "SH01"
    assert (await catalog.find_study(replace(BOTH, only_owner="WZ01"), "1.2.3")).owner == "WZ01"


async def test_series_and_instances_carry_their_parents_in_reading_order(catalog, add):
    await add(study_of(series=("CT", "SR")))
    page = await catalog.search(WENZHOU, query(Level.INSTANCE))
    assert [hit.instance.sop_instance_uid for hit in page.hits] == ["1.2.3.0.1", "1.2.3.0.2", "1.2.3.1.1", "1.2.3.1.2"]
    assert {hit.series.modality for hit in page.hits} == {"CT", "SR"}
    assert page.hits[0].study.modalities == ["CT", "SR"]
    within = replace(query(Level.SERIES), within_study="1.2.3", within_series="1.2.3.1")
    assert [hit.series.series_number for hit in (await catalog.search(WENZHOU, within)).hits] == [None]


async def test_t40_the_worklist_looks_in_names_numbers_and_descriptions(catalog, add):
    await add(study_of(uid="1.4", patient_name="Li^Si=李^四"), study_of(uid="1.5", patient_name="100%^A"))
    for text, found in (
        ("李四", ["1.4"]),
        ("LI", ["1.4"]),
        ("1.5", ["1.5"]),
        ("100%", ["1.5"]),
        ("_", []),
        ("", ["1.5", "1.4"]),
    ):
        rows, total = await catalog.studies(WENZHOU, text, 10, 0)
        assert ([row.study_instance_uid for row in rows], total) == (found, len(found)), text


async def test_below_a_study_everything_is_found_and_nothing_elsewhere(catalog, add):
    rows = study_of(series=("CT", "SR"), instances=1)
    await add(rows, study_of(uid="1.7"))
    study = rows[0].id
    assert [one.modality for one in await catalog.series_of(study)] == ["CT", "SR"]
    instances = await catalog.instances_of(study)
    assert [one.series_instance_uid for one in instances] == ["1.2.3.0", "1.2.3.1"]
    located, found = await catalog.locate(WENZHOU, "1.2.3", "1.2.3.1", "1.2.3.1.1")
    assert (located, found) == (study, instances[1])
    assert await catalog.layout(found.id) == await catalog.layout(found.id) == Layout(132)
    headers = [pair async for some in catalog.headers([one.id for one in instances]) for pair in some]
    assert headers == [(one.id, one.id.encode()) for one in instances]
    assert await catalog.locate(WENZHOU, "1.2.3", "1.2.3.0", "1.2.3.1.1") == (study, None)


async def test_an_instance_is_located_in_the_study_that_its_uid_means_to_the_caller(catalog, add):
    ours, theirs = study_of("WZ01", series=(), instance_count=1), study_of("SH01")
    await add(ours, theirs)
    path = "1.2.3", "1.2.3.0", "1.2.3.0.1"
    with pytest.raises(AmbiguousStudy):
        await catalog.locate(BOTH, *path)
    # The own study decides even where only the other hospital's has such an instance.
    assert await catalog.locate(replace(BOTH, store_as="WZ01"), *path) == (ours[0].id, None)
    for may_see in (replace(BOTH, only_owner="SH01"), Access("expert", study_ids=frozenset({theirs[0].id}))):
        study_id, found = await catalog.locate(may_see, *path)
        assert (study_id, found.sop_instance_uid) == (theirs[0].id, path[2])
    for may_not in (NOBODY, Access("x", owners=frozenset({"BJ01"})), replace(WENZHOU, only_owner="SH01")):
        with pytest.raises(NoSuchStudy):
            await catalog.locate(may_not, *path)


FUZZY = {
    "王": True,
    "小东": True,
    "wang xiao dong": True,
    "xiaodong wang": True,
    "wangxiaod": True,
    "wxd": True,
    "Wáng": True,
    "东": False,
    "dong": False,
    "wang li": False,
    "ang": False,
}


async def test_t27_t40_fuzzy_names_match_by_the_beginning_of_every_reading(catalog, add):
    mine = study_of(uid="1.9", patient_name="王小东")
    await add(study_of(), mine, study_of(uid="1.4", patient_name="Li^Si=李^四"))
    expert = Access("expert", owners=frozenset({"SH01"}), study_ids=frozenset({mine[0].id}))
    for text, matches in FUZZY.items():
        asked = replace(query(name=text), fuzzy=True)
        assert await uids(catalog, asked) == (["1.9", "1.2.3"] if matches else []), text
        assert await uids(catalog, asked, expert) == (["1.9"] if matches else []), text


async def test_t27_a_common_word_is_walked_by_date_and_a_rare_one_sorted(catalog, add, monkeypatch):
    await add(*(study_of(uid=f"1.{number}", study_date=f"2026010{number}") for number in range(1, 6)))
    asked = replace(query(name="wang xiao"), fuzzy=True, limit=2)
    sorted_ones = await catalog.search(WENZHOU, asked)
    monkeypatch.setattr(finding, "FEW", 2)
    finding._few.cache_clear()
    walked = await catalog.search(WENZHOU, asked)
    assert [hit.study.study_date for hit in walked.hits] == ["20260105", "20260104"]
    assert walked == sorted_ones
    assert walked.remaining == 3


async def test_t20_beyond_what_is_counted_the_page_says_that_there_are_more(catalog, add, monkeypatch):
    monkeypatch.setattr(finding, "COUNTED", 2)
    await add(*(study_of(uid=f"1.{number}") for number in range(1, 7)))
    page = await catalog.search(WENZHOU, replace(query(), limit=2))
    assert (page.remaining, page.more) == (2, True)
    page = await catalog.search(WENZHOU, replace(query(), limit=2, offset=2))
    assert (page.remaining, page.more) == (2, False)
    assert await catalog.count(WENZHOU, query()) == 6


async def test_what_no_index_serves_is_compared_over_a_bounded_number_of_studies(catalog, add, monkeypatch):
    monkeypatch.setattr(finding, "COMPARED", 2)
    await add(*(study_of(uid=f"1.{number}", study_date=f"2026010{number}") for number in range(1, 5)))
    for search in (catalog.search, catalog.count):
        with pytest.raises(finding.TooBroad):
            await search(WENZHOU, query(name="*dong"))
    assert await uids(catalog, query(name="*dong", date="20260103-")) == ["1.4", "1.3"]
    assert await uids(catalog, query(name="wang*", date="20260104")) == ["1.4"]


async def test_what_several_hospitals_hold_is_listed_in_one_order_at_every_level(catalog, add):
    shared = study_of("BJ01", "1.7", study_date="20260102")
    await add(
        study_of("WZ01", "1.4", study_date="20260101"),
        study_of("SH01", "1.5", study_date="20260103"),
        shared,
        study_of("BJ01", "1.8"),
    )
    access = replace(BOTH, study_ids=frozenset({shared[0].id}))
    assert await uids(catalog, query(), access) == ["1.5", "1.7", "1.4"]
    for level in (Level.SERIES, Level.INSTANCE):
        found = [await uids(catalog, replace(query(level), limit=1, offset=at), access) for at in range(3)]
        assert found == ([["1.5"], ["1.7"], ["1.4"]] if level is Level.SERIES else [["1.5"], ["1.5"], ["1.7"]])
    page = await catalog.search(access, replace(query(), limit=1))
    assert page.remaining == 2


EMPTY = [
    (replace(query(description='""'), empty_values=True), True),
    (query(description='""'), False),
    (replace(query(patient_id="P9\\P1"), multiple_values=True), True),
    (query(patient_id="P9\\P1"), False),
]


async def test_t27_empty_and_multiple_values_match_when_asked_for(catalog, add):
    await add(study_of())
    for asked, matches in EMPTY:
        assert bool(await uids(catalog, asked)) is matches, asked
