import json
import stat

import pytest

from imaging.archive import Limits, open_archive
from imaging.review.endpoints import NewEndpoint
from imaging.review.outside import Outside
from imaging.review.service import ReviewService
from imaging.store.tables import Base as ImagingBase
from telemed import demo, demo_ct
from telemed.demo import Parts, Places, seed_demo
from tests.telemed_people import open_telemed, sign_in

REVIEWER = NewEndpoint("reference", "示范", "reference", "1", "http://127.0.0.1:9/hook", {"modality": ["CT"]}, ["X:1"])


async def nothing(*_):
    """Nobody listens for changes here."""


@pytest.fixture
async def telemed(sqlite_url):
    telemed = await open_telemed(sqlite_url)
    async with telemed.database.engine.begin() as connection:
        await connection.run_sync(ImagingBase.metadata.create_all)
    yield telemed
    await telemed.database.close()


@pytest.fixture
async def archive(telemed, tmp_path):
    async with open_archive(telemed.database, tmp_path / "blobs", Limits(worker_processes=1)) as archive:
        yield archive


@pytest.fixture
def parts(telemed, archive, monkeypatch):
    monkeypatch.setattr(demo_ct, "SLICES", 3)
    review = ReviewService(telemed.database, telemed.clock, Outside("http://127.0.0.1", b"stand-ins"), nothing)
    return Parts(telemed.people, telemed.keys, archive.ingest, archive.blobs.spool, review, telemed.clock)


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "data", "http://127.0.0.1:8080", "ws://127.0.0.1:8081")


async def test_an_empty_platform_gets_people_a_study_and_a_document_that_opens_it(telemed, parts, places, archive):
    await seed_demo(parts, places, REVIEWER)
    written = json.loads((places.folder / "demo.json").read_text(encoding="utf-8"))
    assert (written["base_url"], written["dicomweb_url"]) == (
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8080/dicom-web",
    )
    assert [row["code"] for row in written["hospitals"]] == ["WZ01", "WZ02", "SH01", "HZ01"]
    assert sorted((user["hospital"] or "", user["role"]) for user in written["users"]) == [
        ("", "administrator"),
        *[(code, "doctor") for code in ("HZ01", "HZ01", "SH01", "SH01", "WZ01", "WZ01", "WZ02", "WZ02")],
    ]
    client = await telemed.client()
    for user in written["users"]:
        await sign_in(client, user["username"], user["password"])
    await client.close()
    caller = await telemed.keys.find(written["hospitals"][0]["api_key"])
    (study,), total = await archive.catalog.studies(demo.study_access(caller), "王小东", 10, 0)
    assert (total, study.owner, study.instance_count, study.modalities) == (1, "WZ01", 3, ["CT"])


async def test_only_the_owner_reads_the_files_with_secrets(parts, places):
    await seed_demo(parts, places, REVIEWER)
    files = [places.folder / demo.DOCUMENT, places.folder / demo.REVIEWER_SECRETS]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    assert json.loads(files[1].read_bytes())["secret"].startswith("whsec_")


async def test_a_platform_with_people_is_left_alone(telemed, parts, places):
    await telemed.hospital("WZ09")
    assert await seed_demo(parts, places, REVIEWER) is None
    assert not (places.folder / "demo.json").exists()
    assert await telemed.people.users() == []


async def test_every_user_has_a_password_of_its_own(parts, places):
    demo_users = (await seed_demo(parts, places, REVIEWER)).users
    passwords = {user.password for user in demo_users}
    assert len(passwords) == len(demo_users) == 9
    assert min(map(len, passwords)) >= 10
