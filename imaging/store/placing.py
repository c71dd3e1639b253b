"""What becomes of an arriving instance: stored, stored already, set aside or refused. Decisions and rows, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, cast

from sqlalchemy import String

from foundation.ids import new_id
from imaging.dicom.attributes import Attributes
from imaging.dicom.reading import Examined
from imaging.store.holdings import Ledger
from imaging.store.identity import COMPARED, Difference, contradictions
from imaging.store.lifecycle import Kind, State, Why
from imaging.store.tables import Base, Study

PlacedAs = Literal["stored", "already_stored", "conflict", "other_patient", "other_study", "deleted", "over_quota"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An examined instance for one owner; its bytes are durable under ``blob_key``."""

    owner: str
    examined: Examined
    blob_key: str

    @property
    def attributes(self) -> Attributes:
        return self.examined.attributes

    @property
    def study(self) -> tuple[str, str]:
        return self.owner, self.attributes.study_instance_uid

    @property
    def path(self) -> tuple[str, str, str, str]:
        """Owner and the three UIDs: what names an instance."""
        return *self.study, self.attributes.series_instance_uid, self.attributes.sop_instance_uid


@dataclass(frozen=True, slots=True)
class Placed:
    """study_id: our key. uses_blob: a row now names the arrival's blob; otherwise nobody needs it."""

    kind: PlacedAs
    study_id: str
    uses_blob: bool


@dataclass(frozen=True, slots=True)
class LockedStudy:
    """A study whose row is ours until the commit. patient: its attributes of identity.COMPARED."""

    key: str
    is_empty: bool
    patient: Mapping[str, str]


PLACED_AS: Final[dict[Why, PlacedAs]] = {
    Why.OTHER_BYTES: "conflict",
    Why.OTHER_PATIENT: "other_patient",
    Why.OTHER_STUDY: "other_study",
    Why.DELETED: "deleted",
}


@dataclass(slots=True)
class Plan:
    """Decides each arrival in turn and gathers the rows.

    known: as :func:`records.existing`, grown by what is stored here. apart: as :func:`records.kept_apart`, likewise.
    """

    ledger: Ledger
    studies: dict[tuple[str, str], LockedStudy]
    known: dict[tuple[str, ...], str]
    apart: dict[tuple[str, ...], PlacedAs]
    placed: list[Placed] = field(default_factory=list)
    # With the key of the study each goes to.
    stored: list[tuple[Arrival, str]] = field(default_factory=list)
    set_aside: list[dict[str, Any]] = field(default_factory=list)
    studies_of: dict[tuple[str, str], set[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.studies_of = {}
        for owner, study, _, instance in self.known:
            self.studies_of.setdefault((owner, instance), set()).add(study)

    def place(self, arrival: Arrival) -> None:
        """One decision; the first reason that fits."""
        study = self.studies[arrival.study]
        if (answer := self._settled(arrival)) is not None:
            self._answer(answer, study)
        elif (contradicts := self._contradicts(arrival, study)) is not None:
            self._keep_apart(arrival, study, *contradicts)
        else:
            self.store(arrival, study)

    def _settled(self, arrival: Arrival) -> PlacedAs | None:
        """What to answer when its bytes are not to be kept, or not again."""
        if self.known.get(arrival.path) == arrival.examined.sha256:
            return "already_stored"
        if (known := self.apart.get((*arrival.path, arrival.examined.sha256))) is not None:
            return known
        return None if self.ledger.has_room(arrival.owner, arrival.examined.size_bytes) else "over_quota"

    def _contradicts(self, arrival: Arrival, study: LockedStudy) -> tuple[Why, list[Difference]] | None:
        if arrival.path in self.known:
            return Why.OTHER_BYTES, []
        if differences := _contradictions(study, arrival):
            return Why.OTHER_PATIENT, differences
        uid = arrival.attributes.study_instance_uid
        if others := self._studies_holding(arrival) - {uid}:
            return Why.OTHER_STUDY, [["study_instance_uid", other, uid] for other in sorted(others)]
        return None

    def store(self, arrival: Arrival, study: LockedStudy, kind: Kind = Kind.STORED) -> None:
        """Without asking further: what a person decided."""
        self.known[arrival.path] = arrival.examined.sha256
        self._studies_holding(arrival).add(arrival.attributes.study_instance_uid)
        self.stored.append((arrival, study.key))
        if kind is Kind.STORED:
            self.ledger.arrived(arrival.owner, arrival.examined.size_bytes)
        self.ledger.note(kind, _path_row(arrival, study.key))
        self._answer("stored", study, uses_blob=True)

    def _keep_apart(self, arrival: Arrival, study: LockedStudy, why: Why, differences: list[Difference]) -> None:
        row = {**_apart_row(arrival, study.key, self.ledger.now), "why": why, "differences": differences}
        self.set_aside.append(row)
        self.apart[*arrival.path, arrival.examined.sha256] = PLACED_AS[why]
        self.ledger.arrived(arrival.owner, arrival.examined.size_bytes)
        self.ledger.note(Kind.CONFLICT if why is Why.OTHER_BYTES else Kind.QUARANTINED, row)
        self._answer(PLACED_AS[why], study, uses_blob=True)

    def _studies_holding(self, arrival: Arrival) -> set[str]:
        return self.studies_of.setdefault((arrival.owner, arrival.attributes.sop_instance_uid), set())

    def _answer(self, kind: PlacedAs, study: LockedStudy, *, uses_blob: bool = False) -> None:
        self.placed.append(Placed(kind, study.key, uses_blob=uses_blob))


def _contradictions(study: LockedStudy, arrival: Arrival) -> list[Difference]:
    arrived = fitted(Study, {name: arrival.attributes.study[name] for name in COMPARED})
    return contradictions(study.patient, arrived, frozenset(arrival.examined.remarks))


def _path_row(arrival: Arrival, study_key: str) -> dict[str, Any]:
    names = "owner", "study_instance_uid", "series_instance_uid", "sop_instance_uid"
    return {**dict(zip(names, arrival.path, strict=True)), "study_key": study_key, "sha256": arrival.examined.sha256}


def _apart_row(arrival: Arrival, study_key: str, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        **_path_row(arrival, study_key),
        "sop_class_uid": arrival.attributes.sop_class_uid,
        "state": State.OPEN,
        "reason": "",
        "act": "",
        "received_at": now,
        "erase_at": None,
        "erased_at": None,
        **bytes_of(arrival),
    }


def bytes_of(arrival: Arrival) -> dict[str, Any]:
    """Columns that say where its bytes are and which."""
    examined = arrival.examined
    return {"blob_key": arrival.blob_key, "size_bytes": examined.size_bytes, "sha256": examined.sha256}


def fitted(entity: type[Base], texts: dict[str, str]) -> dict[str, str]:
    """``texts`` cut to their columns: the full text stays in the metadata, and PostgreSQL refuses longer ones."""
    columns = entity.__table__.c
    return {name: text[: cast(String, columns[name].type).length] for name, text in texts.items()}
