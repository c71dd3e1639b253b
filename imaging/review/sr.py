"""A review as a DICOM structured report: Comprehensive 3D SR, TID 1500 with one TID 1410 group for each finding. Pure.

One shape for every vendor, and the one that viewers draw: a tracking identifier and UID in every group, one SCOORD on
one frame, algorithm items below every number. A finding about a whole image gets the image's outline. The same review
gives the same bytes, so that storing it again after a crash stores nothing new.
"""

from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Any, Final

import highdicom.sr as hd
import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import Comprehensive3DSRStorage

from imaging.review.findings import Finding
from imaging.review.reviewed import Reviewed, made_uid, series_instance_uid, sop_instance_uid

MANUFACTURER: Final = "telemed"
SERIES_NUMBER: Final = 99_000
_PRIVATE: Final = "99TELEMED"
_ARTIFICIAL_INTELLIGENCE: Final = Code("123110", "DCM", "Artificial Intelligence")
# What a measurement's words mean, where a public code says it; others keep their words under a scheme of ours.
_KNOWN: Final = {
    "diameter": Code("81827009", "SCT", "Diameter"),
    "直径": Code("81827009", "SCT", "Diameter"),
    "volume": Code("118565006", "SCT", "Volume"),
    "体积": Code("118565006", "SCT", "Volume"),
}
# CID 6047: a review that found nothing is not one that did not run.
_SUMMARIES: Final = {
    code: Code(code, "DCM", meaning)
    for code, meaning in (
        ("111241", "All algorithms succeeded; without findings"),
        ("111242", "All algorithms succeeded; with findings"),
        ("111243", "Not all algorithms succeeded; without findings"),
        ("111244", "Not all algorithms succeeded; with findings"),
        ("111245", "No algorithms succeeded; without findings"),
    )
}


def structured_report(reviewed: Reviewed, images: dict[str, Dataset]) -> Dataset:
    """The SR, with file meta information. images: headers of those that findings lie on, by UID; at least one."""
    evidence = list(images.values())
    report = hd.Comprehensive3DSR(
        evidence=evidence,
        content=_content(reviewed, images),
        series_instance_uid=series_instance_uid(reviewed.job_uid),
        series_number=SERIES_NUMBER,
        sop_instance_uid=sop_instance_uid(reviewed.job_uid, reviewed.version),
        instance_number=reviewed.version,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=bool(reviewed.verifier),
        is_verified=bool(reviewed.verifier),
        verifying_observer_name=reviewed.verifier or None,
        verifying_organization=reviewed.organization or None,
        previous_versions=[_previous(reviewed, evidence[0])] if reviewed.version > 1 else None,
    )
    _date(report, reviewed.at)
    report.SpecificCharacterSet = "ISO_IR 192"
    report.SeriesDescription = f"AI: {reviewed.model_name} {reviewed.model_version}"[:64]
    return report


def encoded(report: Dataset) -> bytes:
    buffer = BytesIO()
    report.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _content(reviewed: Reviewed, images: dict[str, Dataset]) -> Dataset:
    algorithm = hd.AlgorithmIdentification(
        name=reviewed.model_name[:64],
        version=reviewed.model_version,
        family=_ARTIFICIAL_INTELLIGENCE,
        manufacturer=reviewed.vendor[:64],
    )
    device = hd.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.DeviceObserverIdentifyingAttributes(
            uid=made_uid(reviewed.vendor, reviewed.model_name, reviewed.model_version),
            name=reviewed.model_name[:64],
            manufacturer_name=reviewed.vendor[:64],
            model_name=reviewed.model_name[:64],
        ),
    )
    context = hd.ObservationContext(observer_device_context=device)
    groups = [_group(one, images[one.sop_instance_uid], algorithm) for one in reviewed.findings]
    root = _with_groups(context, groups, list(images.values())) if groups else _without_groups(context)
    root.ContentSequence.append(_evaluations(_SUMMARIES.get(reviewed.summary_code, _SUMMARIES["111241"])))
    return root


def _with_groups(context: hd.ObservationContext, groups: list[Any], images: list[Dataset]) -> Dataset:
    report = hd.MeasurementReport(
        observation_context=context,
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=groups,
        referenced_images=images,
    )
    root: Dataset = report[0]
    return root


def _without_groups(context: hd.ObservationContext) -> Dataset:
    """The same root with nothing measured, which the library does not make."""
    root = hd.ContainerContentItem(name=codes.DCM.ImagingMeasurementReport, template_id="1500")
    procedure = hd.CodeContentItem(
        name=codes.DCM.ProcedureReported,
        value=codes.SCT.ImagingProcedure,
        relationship_type=hd.RelationshipTypeValues.HAS_CONCEPT_MOD,
    )
    language = hd.LanguageOfContentItemAndDescendants(hd.CodedConcept("en-US", "RFC5646", "English (United States)"))
    root.ContentSequence = hd.ContentSequence([*language, *context, procedure])
    return root


def _group(
    finding: Finding, image: Dataset, algorithm: hd.AlgorithmIdentification
) -> hd.PlanarROIMeasurementsAndQualitativeEvaluations:
    scheme, _, value = finding.label_code.partition(":")
    return hd.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.TrackingIdentifier(
            uid=made_uid(finding.finding_id, "tracking"), identifier=finding.finding_id
        ),
        referenced_region=_region(finding, image),
        finding_type=hd.CodedConcept(value, scheme, finding.label[:64]),
        algorithm_id=algorithm,
        measurements=[*_numbers(finding, algorithm)] or None,
        qualitative_evaluations=[*_assessment(finding)] or None,
    )


def _region(finding: Finding, image: Dataset) -> hd.ImageRegion:
    kind, points = _outline(finding, image)
    several = int(image.get("NumberOfFrames") or 1) > 1
    return hd.ImageRegion(
        graphic_type=hd.GraphicTypeValues(kind),
        graphic_data=points,
        source_image=hd.SourceImageForRegion(
            image.SOPClassUID, image.SOPInstanceUID, [finding.frame] if several else None
        ),
    )


def _outline(finding: Finding, image: Dataset) -> tuple[str, np.ndarray[Any, Any]]:
    """Graphic type and points, x and y in pixels from the outer corner of the first one (PS3.3 C.18.6.1.1)."""
    if finding.kind != "image":
        return finding.kind.upper(), np.array(finding.points, float)
    width, height = int(image.Columns), int(image.Rows)
    return "POLYLINE", np.array([[0, 0], [width, 0], [width, height], [0, height], [0, 0]], float)


def _numbers(finding: Finding, algorithm: hd.AlgorithmIdentification) -> list[hd.Measurement]:
    numbers = [(_name(one["name"]), one["value"], _unit(one["unit"])) for one in finding.measurements]
    if finding.probability is not None:
        numbers.append((codes.DCM.CertaintyOfFinding, finding.probability * 100, codes.UCUM.Percent))
    return [hd.Measurement(name, value, unit, algorithm_id=algorithm) for name, value, unit in numbers]


def _name(words: str) -> Code:
    return _KNOWN.get(words.lower()) or _own(words)


def _unit(ucum: str) -> Code:
    return Code(ucum, "UCUM", ucum) if ucum.isascii() and len(ucum) <= 16 else codes.UCUM.NoUnits


def _own(words: str) -> Code:
    return Code(f"w-{sha256(words.encode()).hexdigest()[:12]}", _PRIVATE, words[:64])


def _assessment(finding: Finding) -> list[hd.QualitativeEvaluation]:
    if finding.assessment is None:
        return []
    word = Code(finding.assessment.decision, _PRIVATE, finding.assessment.decision.capitalize())
    return [hd.QualitativeEvaluation(Code("assessment", _PRIVATE, "Assessment by a doctor"), word)]


def _evaluations(summary: Code) -> Dataset:
    """TID 1500: what came out of the review as a whole."""
    evaluations = hd.ContainerContentItem(
        name=Code("C0034375", "UMLS", "Qualitative Evaluations"), relationship_type=hd.RelationshipTypeValues.CONTAINS
    )
    evaluations.ContentSequence = hd.ContentSequence(
        [
            hd.CodeContentItem(
                name=Code("111017", "DCM", "CAD Processing and Findings Summary"),
                value=summary,
                relationship_type=hd.RelationshipTypeValues.CONTAINS,
            )
        ]
    )
    return evaluations


def _previous(reviewed: Reviewed, image: Dataset) -> Dataset:
    """Enough of the version before to be named as the predecessor (PS3.3 C.17.2)."""
    before = Dataset()
    before.SOPClassUID = Comprehensive3DSRStorage
    before.SOPInstanceUID = sop_instance_uid(reviewed.job_uid, reviewed.version - 1)
    before.SeriesInstanceUID = series_instance_uid(reviewed.job_uid)
    before.StudyInstanceUID = image.StudyInstanceUID
    return before


def _date(report: Dataset, at: datetime) -> None:
    day, time = f"{at:%Y%m%d}", f"{at:%H%M%S}"
    for prefix in ("Content", "InstanceCreation", "Series"):
        setattr(report, f"{prefix}Date", day)
        setattr(report, f"{prefix}Time", time)
    report.TimezoneOffsetFromUTC = "+0000"
    for equipment in report.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = f"{day}{time}"
    for observer in report.get("VerifyingObserverSequence", []):
        observer.VerificationDateTime = f"{day}{time}"
