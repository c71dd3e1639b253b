"""How the outside sees a study: at which addresses, under which UIDs, and what of it may leave at all. Pure.

Every endpoint sees every study under UIDs of its own. Nothing is kept to turn them back: the instances of a job are
known, so their stand-ins are made again and looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from imaging.dicom.deidentify import Disguise, Profile, Pseudonyms, is_written_on
from imaging.review.errors import ProfileInvalid
from imaging.review.manifest import Manifest, ManifestInstance, ManifestSeries


@dataclass(frozen=True, slots=True)
class Outside:
    """base_url: of our HTTP service as vendors reach it, without a slash at the end. secret: keys every stand-in."""

    base_url: str
    secret: bytes

    def job(self, job_uid: str, part: str) -> str:
        return f"{self.base_url}/ai/jobs/{job_uid}/{part}"

    def view(self, endpoint_id: str, profile: dict[str, Any], study_key: str, manifest: Manifest) -> "View":
        disguise = Disguise(Pseudonyms.of(self.secret, endpoint_id, study_key), parse_profile(profile))
        return View(disguise, manifest)


def parse_profile(stored: dict[str, Any]) -> Profile:
    """The profile behind stored or submitted data. Raises ``ProfileInvalid``."""
    try:
        return msgspec.convert(stored, Profile)
    except msgspec.ValidationError as error:
        raise ProfileInvalid(f"The de-identification profile does not fit: {error}") from error


@dataclass(frozen=True, slots=True)
class View:
    """One endpoint's view of the instances ``manifest`` covers, whose UIDs are the real ones."""

    disguise: Disguise
    manifest: Manifest

    def study_uid(self, real: str) -> str:
        return self.disguise.pseudonyms.uid(real)

    @property
    def outer(self) -> Manifest:
        """What may leave, under the endpoint's own UIDs."""
        uid = self.disguise.pseudonyms.uid
        return Manifest(
            tuple(
                msgspec.structs.replace(
                    series,
                    series_instance_uid=uid(series.series_instance_uid),
                    instances=tuple(
                        msgspec.structs.replace(one, sop_instance_uid=uid(one.sop_instance_uid)) for one in instances
                    ),
                )
                for series, instances in self._leaving()
            )
        )

    def real_uids(self) -> dict[str, str]:
        """Stand-in → real UID of every series and instance that may leave."""
        uid = self.disguise.pseudonyms.uid
        return {
            uid(real): real
            for series, instances in self._leaving()
            for real in (series.series_instance_uid, *(one.sop_instance_uid for one in instances))
        }

    def _leaving(self) -> Iterator[tuple[ManifestSeries, list[ManifestInstance]]]:
        for series in self.manifest.series:
            instances = [one for one in series.instances if self._may_leave(series, one)]
            if instances:
                yield series, instances

    def _may_leave(self, series: ManifestSeries, instance: ManifestInstance) -> bool:
        if instance.rows is None or instance.columns is None:
            return False
        covered = any(
            (region.modality, region.rows, region.columns) == (series.modality, instance.rows, instance.columns)
            for region in self.disguise.profile.regions
        )
        return covered or not is_written_on(series.modality, instance.sop_class_uid)
