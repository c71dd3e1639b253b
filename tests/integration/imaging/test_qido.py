"""Search over HTTP (checklist T19–T29, T55; security 14)."""

import csv
import io

import pytest
from yarl import URL

from imaging.dicomweb.app import routes
from tests.archives import SHANGHAI, HeaderGuard, archive_at, client_of
from tests.dicomweb import keep
from tests.samples import WANG_ENCODED, ct_series, ct_slice, multi_frame, named, uid

JSON = "application/dicom+json"


@pytest.fixture
def guard():
    return HeaderGuard()


@pytest.fixture
async def archive(database_url, tmp_path):
    async with archive_at(database_url, tmp_path / "archive") as archive:
        yield archive


@pytest.fixture
async def client(archive, guard):
    async with client_of(routes(archive, guard)) as client:
        yield client


def values(matches, tag):
    return [match[tag]["Value"][0] for match in matches]


async def test_t19_t28_searching_at_every_level_and_root(archive, client, guard):
    await keep(archive, *ct_series("1", 3, 16), multi_frame(2, 8))
    study, series = uid("1", "study"), uid("1", "series")
    found = {}
    for path in (
        "/studies",
        "/series",
        "/instances",
        f"/studies/{study}/series",
        f"/studies/{study}/instances",
        f"/studies/{study}/series/{series}/instances",
    ):
        reply = await client.get(f"/dicom-web{path}")
        assert (reply.status, reply.content_type) == (200, JSON)
        found[path.split("/")[-1], path.count("/")] = len(await reply.json(content_type=None))
    assert found == {
        ("studies", 1): 2,
        ("series", 1): 2,
        ("instances", 1): 4,
        ("series", 3): 1,
        ("instances", 3): 3,
        ("instances", 5): 3,
    }
    assert {deed for _, deed, _ in guard.records} == {"study.search"}
    reply = await client.get(
        "/dicom-web/studies", params={"PatientName": "王*", "ModalitiesInStudy": "CT", "PatientID": "P1"}
    )
    (match,) = await reply.json(content_type=None)
    assert match["00100010"]["Value"] == [{"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}]
    assert match["00201208"]["Value"] == [3]
    assert match["00081190"]["Value"] == [f"{client.make_url('/dicom-web')}/studies/{study}"]


async def test_t19_t20_t22_pages_warnings_and_refusals(archive, client):
    await keep(archive, *(ct_slice(key, size=16) for key in "abc"))
    first = await client.get("/dicom-web/studies", params={"limit": 2})
    assert first.headers["Warning"].endswith('"There are 1 additional results that can be requested"')
    second = await client.get("/dicom-web/studies", params={"limit": 2, "offset": 2})
    assert "Warning" not in second.headers
    pages = [*(await first.json(content_type=None)), *(await second.json(content_type=None))]
    assert sorted(values(pages, "0020000D")) == sorted(uid(key, "study") for key in "abc")
    for query in ("offset=3", "PatientID=nobody"):
        empty = await client.get(f"/dicom-web/studies?{query}")
        assert (empty.status, await empty.read()) == (204, b"")
    for query in ("limit=0", "limit=-1", "offset=x", "Nonsense=1", "StudyDate=-", "StudyDate=today", "SeriesNumber=1"):
        refused = await client.get(f"/dicom-web/studies?{query}")
        assert refused.status == 400, query
        assert refused.content_type == "application/problem+json"
    assert (await client.get("/dicom-web/studies", headers={"Accept": "text/html"})).status == 406


async def test_security_14_another_hospitals_studies_do_not_exist(archive, client, guard):
    await keep(archive, *ct_series("1", 2, 16))
    await keep(archive, *ct_series("2", 2, 16), access=SHANGHAI)
    async with client_of(routes(archive, guard), "visitor") as visitor:
        for path in ("/studies", "/series", "/instances", "/hospitals/WZ01/studies"):
            assert (await visitor.get(f"/dicom-web{path}")).status == 204
    reply = await client.get("/dicom-web/instances", params={"limit": 1})
    assert "There are 1 additional" in reply.headers["Warning"]
    assert (await client.get("/dicom-web/hospitals/SH01/studies")).status == 204
    narrowed = await (await client.get("/dicom-web/hospitals/WZ01/studies")).json(content_type=None)
    assert values(narrowed, "00081190") == [
        f"{client.make_url('/dicom-web')}/hospitals/WZ01/studies/{uid('1', 'study')}"
    ]
    assert (await client.get("/dicom-web/studies", headers={"Authorization": "Bearer nobody"})).status == 401


async def test_t55_other_methods_and_addresses(client):
    assert (await client.head("/dicom-web/studies")).status == 204
    wrong = await client.delete("/dicom-web/series")
    assert (wrong.status, wrong.content_type) == (405, "application/problem+json")
    assert "GET" in wrong.headers["Allow"]
    missing = await client.get("/dicom-web/patients")
    assert (missing.status, missing.content_type) == (404, "application/problem+json")


async def test_security_17_addresses_use_the_configured_host(archive, guard):
    await keep(archive, ct_slice("1", size=16))
    async with client_of(routes(archive, guard, "https://images.example.org")) as client:
        reply = await client.get("/dicom-web/studies", headers={"Host": "evil.example.com"})
        assert values(await reply.json(content_type=None), "00081190")[0].startswith(
            "https://images.example.org/dicom-web/"
        )


async def test_t20_the_count_is_exact_and_of_what_one_may_see(archive, client, guard):
    await keep(archive, *ct_series("1", 3, 16), *ct_series("2", 2, 16))
    await keep(archive, *ct_series("3", 2, 16), access=SHANGHAI)
    for path, count in (("studies", 2), ("series", 2), ("instances", 5), ("instances", 5)):
        reply = await client.get(f"/dicom-web/{path}/count", params={"limit": 1, "PatientName": "王*"})
        assert (reply.status, await reply.json()) == (200, {"count": count})
    assert (await (await client.get("/dicom-web/studies/count?PatientID=P1")).json()) == {"count": 1}
    assert (await client.get("/dicom-web/studies/count?Nonsense=1")).status == 400
    async with client_of(routes(archive, guard), "visitor") as visitor:
        assert (await (await visitor.get("/dicom-web/instances/count")).json()) == {"count": 0}


async def test_security_10_a_table_for_spreadsheets_holds_no_formula(archive, client):
    hostile = ct_slice("1", size=16)
    hostile.PatientName, hostile.PatientID, hostile.AccessionNumber = '=HYPERLINK("http://x")', "@SUM(1)", "-1+1"
    await keep(archive, hostile, ct_slice("2", size=16))
    reply = await client.get("/dicom-web/studies", headers={"Accept": "text/csv"})
    assert (reply.status, reply.content_type) == (200, "text/csv")
    rows = list(csv.DictReader(io.StringIO((await reply.read()).decode("utf-8-sig"))))
    by_id = {row["PatientID"]: row for row in rows}
    assert by_id["P2"]["PatientName"] == "Wang^XiaoDong=王^小东"
    assert by_id["P2"]["ModalitiesInStudy"] == "CT"
    # A name that begins with "=" has an empty first group.
    assert by_id["'@SUM(1)"]["PatientName"].startswith(("'", "HYPERLINK"))
    assert by_id["'@SUM(1)"]["AccessionNumber"] == "'-1+1"


async def test_t28_reserved_characters_and_han_in_the_query(archive, client):
    odd = ct_slice("1", size=16)
    odd.PatientName, odd.PatientID = "Müller^A=王^小东", "50%_+&=#1"
    await keep(archive, odd, ct_slice("2", size=16))
    for query, found in (
        ("PatientName=M%C3%BCller%5EA%3D%E7%8E%8B%5E%E5%B0%8F%E4%B8%9C", 1),
        ("PatientName=muller%5Ea", 1),
        ("PatientID=50%25_%2B%26%3D%231", 1),
        ("PatientID=50%25*", 1),
        ("PatientID=5_%25*", 0),
        ("PatientName=%E5%B0%8F%E4%B8%9C&fuzzymatching=true", 2),
        ("PatientName=wxd&fuzzymatching=true", 2),
        ("00100010=%FF%FE", 0),
    ):
        reply = await client.get(URL(f"/dicom-web/studies?{query}", encoded=True))
        assert reply.status == (200 if found else 204), query
        assert len(await reply.json(content_type=None) if found else []) == found, query
    long = await client.get(URL("/dicom-web/studies?PatientID=" + "x" * 20_000, encoded=True))
    assert 400 <= long.status < 500


async def test_t40_all_encodings_of_one_name_are_found_by_han_pinyin_and_initials(archive, client):
    await keep(archive, *(named(encoding, encoding) for encoding in WANG_ENCODED))
    for typed in ("王小东", "小东", "wang xiaodong", "wangxiaodong", "wxd", "Wáng"):
        reply = await client.get("/dicom-web/studies/count", params={"PatientName": typed, "fuzzymatching": "true"})
        assert (await reply.json()) == {"count": len(WANG_ENCODED)}, typed
