"""Two hospitals with a study each in the real index, one of them reviewed by an AI, over HTTP."""

from datetime import timedelta

import pytest

from foundation.ids import new_id
from imaging.review.endpoints import NewEndpoint
from imaging.review.outside import Outside
from imaging.review.service import ReviewService
from imaging.review.tables import ReviewDecision, ReviewFinding, ReviewJob
from imaging.store.catalog import Catalog
from imaging.store.tables import Base as ImagingBase
from imaging.store.tables import Series, Study
from telemed.findings.routes import routes as finding_routes
from telemed.findings.service import Findings
from telemed.studies.routes import routes as study_routes
from telemed.studies.service import StudyDesk
from tests.archives import words_of
from tests.telemed_people import open_telemed

ENDPOINT = NewEndpoint("demo", "示范厂商", "lung", "1", "http://127.0.0.1:9/hook", {"modality": ["CT"]}, ["X:1"])


class Changes:
    def __init__(self):
        self.seen = []

    async def __call__(self, topic, study_id, about):
        self.seen.append((topic, study_id, about))


@pytest.fixture
async def telemed(database_url):
    telemed = await open_telemed(database_url)
    async with telemed.database.engine.begin() as connection:
        await connection.run_sync(ImagingBase.metadata.create_all)
    await telemed.hospital("WZ01", "温州示范医院")
    await telemed.hospital("SH01", "上海示范医院", "上海")
    telemed.wang = await telemed.doctor("wang", "WZ01")
    telemed.li = await telemed.doctor("li", "SH01", "李医生")
    await telemed.administrator()
    telemed.own = await add_study(telemed, "WZ01", "Wang^XiaoDong=王^小东", "20261123")
    telemed.foreign = await add_study(telemed, "SH01", "Li^Si", "20261122")
    telemed.changes = Changes()
    telemed.review = ReviewService(
        telemed.database, telemed.clock, Outside("http://127.0.0.1", b"stand-ins"), telemed.changes
    )
    yield telemed
    await telemed.database.close()


@pytest.fixture
async def client(telemed):
    desk = StudyDesk(Catalog(telemed.database), telemed.review, telemed.people, telemed.guard)
    findings = Findings(telemed.review, desk, telemed.guard, telemed.audit)
    client = await telemed.client([*study_routes(desk), *finding_routes(findings)])
    yield client
    await client.close()


async def add_study(telemed, owner, name, date):
    now, key = telemed.clock.now, new_id()
    common = {"created_at": now, "updated_at": now, "instance_count": 40}
    async with telemed.database.write() as session:
        study = Study(
            id=key,
            owner=owner,
            study_instance_uid="1.2.840.1",
            patient_id="P1",
            patient_name=name,
            patient_name_key=name.casefold(),
            study_date=date,
            study_time="140503",
            series_count=1,
            **common,
        )
        session.add(study)
        await session.flush()
        session.add_all(words_of(study))
        session.add(
            Series(
                id=new_id(),
                study_key=key,
                series_instance_uid="1.2.840.1.1",
                modality="CT",
                series_number=2,
                body_part_examined="CHEST",
                **common,
            )
        )
    return key


@pytest.fixture
async def finding_id(telemed):
    """A finding of a completed review of the own study."""
    endpoint = (await telemed.review.register_endpoint(ENDPOINT)).endpoint
    now, study = telemed.clock.now, telemed.own
    decision, job, finding = new_id(), new_id(), new_id()
    async with telemed.database.write() as session:
        session.add(
            ReviewDecision(
                id=decision,
                study_key=study,
                generation=1,
                basis="quiet",
                manifest_hash="",
                manifest=b"",
                study_revision=1,
                last_arrival_at=now,
                not_matched={},
                decided_at=now,
            )
        )
        await session.flush()
        session.add(
            ReviewJob(
                id=job,
                job_uid="2.25.1",
                decision_key=decision,
                endpoint_key=endpoint.endpoint_id,
                study_key=study,
                generation=1,
                state="completed",
                summary="1 candidate",
                deadline_at=now + timedelta(hours=1),
                created_at=now,
                updated_at=now,
            )
        )
        await session.flush()
        session.add(
            ReviewFinding(
                id=finding,
                job_key=job,
                study_key=study,
                vendor_finding_id="f1",
                rank=0,
                series_instance_uid="1.2.840.1.1",
                sop_instance_uid="1.2.840.1.1.7",
                frame=1,
                label="Nodule",
                label_code="X:1",
                probability=0.9,
                kind="circle",
                points=[[100.5, 200.5], [110.5, 200.5]],
                measurements=[{"name": "diameter", "value": 14.1, "unit": "mm"}],
                description="",
                created_at=now,
            )
        )
    return finding
