"""The instances a decision covers, frozen: what a job may be shown, and what its findings may point at."""

import zlib
from dataclasses import dataclass

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from imaging.review.completeness import manifest_hash
from imaging.review.reviewed import series_instance_uid
from imaging.review.rules import StudyFacts
from imaging.review.tables import ReviewJob
from imaging.store.tables import Instance, Series


class ManifestInstance(msgspec.Struct, frozen=True):
    """rows, columns: None where the object has no pixels."""

    sop_instance_uid: str
    sop_class_uid: str
    frames: int
    rows: int | None
    columns: int | None


class ManifestSeries(msgspec.Struct, frozen=True):
    series_instance_uid: str
    modality: str
    body_part: str
    instances: tuple[ManifestInstance, ...]


class Manifest(msgspec.Struct, frozen=True):
    series: tuple[ManifestSeries, ...]

    @property
    def hash(self) -> str:
        return manifest_hash(one.sop_instance_uid for series in self.series for one in series.instances)

    @property
    def facts(self) -> StudyFacts:
        return StudyFacts(
            modalities=frozenset(one.modality.upper() for one in self.series if one.modality),
            body_parts=frozenset(one.body_part.upper() for one in self.series if one.body_part),
            instance_count=sum(len(one.instances) for one in self.series),
        )

    def frozen(self) -> bytes:
        return zlib.compress(msgspec.json.encode(self))


@dataclass(frozen=True, slots=True)
class VendorManifest:
    """What the vendor is given: the manifest with addresses."""

    study_instance_uid: str
    dicomweb_url: str
    manifest_hash: str
    series: list[dict[str, object]]


def thawed(stored: bytes) -> Manifest:
    return msgspec.json.decode(zlib.decompress(stored), type=Manifest)


async def manifest_of(session: AsyncSession, study_id: str) -> Manifest:
    """All instances stored for the study now, in a stable order; the reports that reviews left in it do not count."""
    jobs = await session.scalars(select(ReviewJob.job_uid).where(ReviewJob.study_key == study_id))
    reports = [series_instance_uid(job_uid) for job_uid in jobs]
    query = (
        select(Series.series_instance_uid, Series.modality, Series.body_part_examined, Instance)
        .join(Instance, Instance.series_key == Series.id)
        .where(Instance.study_key == study_id, Series.series_instance_uid.not_in(reports))
        .order_by(Series.series_number, Series.series_instance_uid, Instance.instance_number, Instance.sop_instance_uid)
    )
    series: dict[tuple[str, str, str], list[ManifestInstance]] = {}
    for uid, modality, body_part, row in await session.execute(query):
        series.setdefault((uid, modality, body_part), []).append(_instance(row))
    return Manifest(tuple(ManifestSeries(*head, tuple(instances)) for head, instances in series.items()))


def _instance(row: Instance) -> ManifestInstance:
    return ManifestInstance(row.sop_instance_uid, row.sop_class_uid, row.number_of_frames, row.rows, row.columns)


def with_addresses(manifest: Manifest, study_instance_uid: str, dicomweb_url: str) -> VendorManifest:
    root = f"{dicomweb_url}/studies/{study_instance_uid}"
    return VendorManifest(
        study_instance_uid, dicomweb_url, manifest.hash, [_series_document(root, one) for one in manifest.series]
    )


def _series_document(root: str, series: ManifestSeries) -> dict[str, object]:
    address = f"{root}/series/{series.series_instance_uid}"
    return {
        "series_instance_uid": series.series_instance_uid,
        "modality": series.modality,
        "url": address,
        "instances": [
            {**msgspec.structs.asdict(one), "url": f"{address}/instances/{one.sop_instance_uid}"}
            for one in series.instances
        ],
    }
