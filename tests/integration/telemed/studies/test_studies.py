import pytest
from sqlalchemy import select

from foundation.ids import new_id
from imaging.store.tables import Instance, Series
from tests.telemed_people import sign_in

STUDIES = "/api/v1/studies"


async def listed(client, **params):
    reply = await client.get(STUDIES, params=params)
    assert reply.status == 200, await reply.text()
    return await reply.json()


async def test_a_doctor_finds_the_own_hospitals_studies(client, telemed):
    await sign_in(client, "wang")
    found = await listed(client)
    (row,) = found["items"]
    assert (found["total"], row["study_id"], row["owner_name"]) == (1, telemed.own, "温州示范医院")
    assert (row["patient_name"], row["study_date"], row["modalities"]) == ("王小东", "2026-11-23", ["CT"])
    assert (row["review_state"], row["open_findings"]) == (None, 0)


async def test_what_a_consultation_shares_is_found_too(client, telemed):
    telemed.shared.studies[telemed.li.id] = frozenset({telemed.own})
    await sign_in(client, "li")
    assert [row["study_id"] for row in (await listed(client))["items"]] == [telemed.own, telemed.foreign]
    assert (await listed(client, limit=1, offset=1))["items"][0]["study_id"] == telemed.foreign


async def test_the_search_finds_by_name_and_does_not_count_what_is_hidden(client):
    await sign_in(client, "wang")
    assert (await listed(client, q="XiaoDong"))["total"] == 1
    assert await listed(client, q="Li") == {"items": [], "total": 0}


async def test_a_study_is_shown_with_its_series_and_the_view_is_audited(client, telemed):
    await sign_in(client, "wang")
    study = await (await client.get(f"{STUDIES}/{telemed.own}")).json()
    assert study["dicomweb_root"] == "/dicom-web/hospitals/WZ01"
    (series,) = study["series"]
    assert (series["modality"], series["series_number"], series["body_part_examined"]) == ("CT", 2, "CHEST")
    (record,) = await telemed.audit.listing(action="user:study:view")
    assert (record.study_id, record.actor_id, record.address) == (telemed.own, telemed.wang.id, "127.0.0.1")


async def test_t40_a_study_tells_what_was_repaired_in_it(client, telemed):
    async with telemed.database.write() as session:
        series = (await session.scalars(select(Series).where(Series.study_key == telemed.own))).one()
        for number, remarks in enumerate(([], ["charset_repaired"], ["charset_repaired", "trailing_bytes"])):
            session.add(instance_of(series, number, remarks, telemed.clock.now))
    await sign_in(client, "wang")
    study = await (await client.get(f"{STUDIES}/{telemed.own}")).json()
    assert study["remarks"] == ["charset_repaired", "trailing_bytes"]


def instance_of(series, number, remarks, now):
    return Instance(
        id=new_id(),
        study_key=series.study_key,
        series_key=series.id,
        sop_instance_uid=f"1.2.840.1.1.{number}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        number_of_frames=1,
        remarks=remarks,
        received_at=now,
        blob_key=new_id(),
        size_bytes=1,
        sha256="0" * 64,
    )


async def test_a_study_of_another_hospital_does_not_exist(client, telemed):
    await sign_in(client, "wang")
    foreign = await (await client.get(f"{STUDIES}/{telemed.foreign}")).json()
    nothing = await (await client.get(f"{STUDIES}/01KB0000000000000000000000")).json()
    assert {**foreign, "instance": ""} == {**nothing, "instance": ""}
    assert (foreign["status"], foreign["code"]) == (404, "study.unknown")
    assert await telemed.audit.listing(action="user:study:view") == []


async def test_an_administrator_has_no_worklist(client):
    await sign_in(client, "admin")
    assert (await client.get(STUDIES)).status == 403


@pytest.mark.parametrize("params", [{"limit": "201"}, {"offset": "-1"}, {"q": "x" * 257}])
async def test_a_page_that_cannot_be_is_refused(client, params):
    await sign_in(client, "wang")
    assert (await client.get(STUDIES, params=params)).status == 400
