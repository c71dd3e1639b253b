"""Phantoms that the tests make up: a chest CT with lungs and nodules, names in every encoding, frames of every kind.

Nothing here stems from a patient. Values repeat from run to run, so that a picture may be compared with another run's.
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    RLELossless,
    generate_uid,
)

AIR_HU, LUNG_HU, TISSUE_HU, BONE_HU, NODULE_HU = -1000, -850, 40, 700, 60

# One patient's name in the encodings that hospitals send: (Specific Character Set, the bytes of PatientName).
WANG = "Wang^XiaoDong=王^小东"
WANG_ENCODED: dict[str, tuple[str | None, bytes]] = {
    "utf8": ("ISO_IR 192", WANG.encode()),
    "gb18030": ("GB18030", WANG.encode("gb18030")),
    "gbk": ("GBK", WANG.encode("gbk")),
    "gbk_labelled_latin1": ("ISO_IR 100", WANG.encode("gbk")),
    "gbk_labelled_utf8": ("ISO_IR 192", WANG.encode("gbk")),
    "gbk_unlabelled": (None, WANG.encode("gbk")),
    "utf8_unlabelled": (None, WANG.encode()),
    "utf8_labelled_latin1": ("ISO_IR 100", WANG.encode()),
    "utf8_labelled_gb18030": ("GB18030", WANG.encode()),
    "iso2022_ir58": ("\\ISO 2022 IR 58", b"Wang^XiaoDong=\x1b$)A\xcd\xf5^\x1b$)A\xd0\xa1\xb6\xab"),
}


def uid(*parts: object) -> str:
    """The same valid UID for the same parts."""
    return generate_uid(prefix="1.2.826.0.1.3680043.10.1234.", entropy_srcs=[str(part) for part in parts])


def chest_volume(slices: int = 8, size: int = 128) -> NDArray[np.int16]:
    """A chest in Hounsfield units, (slices, rows, columns): body, two lungs, spine, and three nodules in the lungs."""
    z, y, x = np.meshgrid(np.linspace(-1, 1, slices), np.linspace(-1, 1, size), np.linspace(-1, 1, size), indexing="ij")
    volume = np.full((slices, size, size), AIR_HU, np.int16)
    volume[(x / 0.9) ** 2 + (y / 0.65) ** 2 < 1] = TISSUE_HU
    for side in (-0.42, 0.42):
        volume[((x - side) / 0.33) ** 2 + (y / 0.48) ** 2 + (z / 1.6) ** 2 < 1] = LUNG_HU
    volume[(x / 0.1) ** 2 + ((y - 0.5) / 0.1) ** 2 < 1] = BONE_HU
    for centre, radius in (((0.0, -0.1, 0.45), 0.09), ((0.2, 0.15, -0.4), 0.07), ((-0.3, -0.2, -0.5), 0.05)):
        distance = (z - centre[0]) ** 2 / 4 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        volume[distance < radius**2] = NODULE_HU
    return volume


def patient_study(key: object = "1", sop_class: str = CTImageStorage) -> Dataset:
    """A data set with every identifying attribute filled in and no pixels yet; the same UIDs for the same key."""
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = sop_class
    data.SOPInstanceUID = uid(key, "instance", 0)
    data.StudyInstanceUID = uid(key, "study")
    data.SeriesInstanceUID = uid(key, "series")
    data.StudyDate, data.StudyTime, data.AccessionNumber = "20261123", "093015", f"A{key}"[:16]
    data.StudyID, data.StudyDescription = "1", "胸部CT平扫"
    data.SeriesNumber, data.SeriesDescription, data.Modality = 2, "Lung 1.0", "CT"
    data.BodyPartExamined, data.InstitutionName, data.Manufacturer = "CHEST", "温州示范医院", "Phantom"
    data.PatientName, data.PatientID = WANG, f"P{key}"[:64]
    data.PatientBirthDate, data.PatientSex, data.PatientAge = "19700102", "M", "056Y"
    data.ReferringPhysicianName = "李^四"
    data.InstanceNumber = 1
    _finish(data, ExplicitVRLittleEndian)
    return data


def ct_slice(key: object = "1", index: int = 0, count: int = 8, size: int = 128) -> Dataset:
    """Slice ``index`` of the chest phantom: int16, RescaleIntercept -1024, 3 mm apart, lung window."""
    return ct_series(key, count, size)[index]


def ct_series(key: object = "1", count: int = 8, size: int = 128) -> list[Dataset]:
    """The chest phantom as CT images of one series, InstanceNumber from 1, from head to foot."""
    return [_ct_image(key, index, plane, 360 / size) for index, plane in enumerate(chest_volume(count, size))]


def _ct_image(key: object, index: int, plane: NDArray[np.int16], spacing_mm: float) -> Dataset:
    data = patient_study(key)
    data.SOPInstanceUID = UID(uid(key, "instance", index))
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.InstanceNumber = index + 1
    data.FrameOfReferenceUID = uid(key, "frame of reference")
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.ImagePositionPatient = [-180.0, -180.0, -3.0 * index]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness, data.KVP = [spacing_mm, spacing_mm], 3, 120
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = -1024, 1, "HU"
    data.WindowCenter, data.WindowWidth = -600, 1500
    set_pixels(data, (plane + 1024).astype(np.uint16))
    return data


def set_pixels(data: Dataset, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Native unsigned grey pixels, (rows, columns) or (frames, rows, columns), with their description."""
    bits = pixels.dtype.itemsize * 8
    if pixels.ndim == 3:
        data.NumberOfFrames = pixels.shape[0]
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.add_new("PixelData", "OW" if bits > 8 else "OB", pixels.tobytes() + b"\0" * (pixels.nbytes % 2))


def multi_frame(frames: int = 5, size: int = 32, key: object = "multi") -> Dataset:
    """Frame ``i`` holds the one value ``100 * i`` in 16 bits."""
    data = patient_study(key, MultiFrameGrayscaleWordSecondaryCaptureImageStorage)
    set_pixels(data, np.repeat(np.arange(frames, dtype=np.uint16) * 100, size * size).reshape(frames, size, size))
    return data


def enhanced_ct(frames: int = 4, size: int = 64, key: object = "enhanced") -> Dataset:
    """The chest phantom in one multi-frame object; positions live in the functional groups."""
    data = patient_study(key, EnhancedCTImageStorage)
    set_pixels(data, (chest_volume(frames, size) + 1024).astype(np.uint16))
    data.PerFrameFunctionalGroupsSequence = [_frame_group(-3.0 * index) for index in range(frames)]
    return data


def _frame_group(z_mm: float) -> Dataset:
    position, group = Dataset(), Dataset()
    position.ImagePositionPatient = [-180.0, -180.0, z_mm]
    group.PlanePositionSequence = [position]
    return group


def rle(data: Dataset) -> Dataset:
    """``data`` with its pixels encoded as RLE, one fragment a frame and a basic offset table."""
    data.compress(RLELossless, generate_instance_uid=False)
    return data


def encapsulated(
    data: Dataset, frames: Sequence[bytes], transfer_syntax: str, *, fragments: int = 1, offsets: bool = True
) -> Dataset:
    """``data`` with these encoded frames as its pixel data, each cut into ``fragments`` pieces."""
    set_pixels(data, np.zeros((len(frames), data.get("Rows", 8), data.get("Columns", 8)), np.uint8))
    data.PixelData = encapsulate(list(frames), fragments_per_frame=fragments, has_bot=offsets)
    data["PixelData"].is_undefined_length = True
    _finish(data, transfer_syntax)
    return data


def named(encoding: str, key: object = "named") -> Dataset:
    """A small CT slice whose PatientName is written as :data:`WANG_ENCODED` says."""
    charset, name = WANG_ENCODED[encoding]
    data = ct_slice(key, count=1, size=16)
    for keyword in ("StudyDescription", "InstitutionName", "ReferringPhysicianName"):
        delattr(data, keyword)
    if charset is None:
        del data.SpecificCharacterSet
    else:
        set_raw(data, "SpecificCharacterSet", "CS", charset.encode())
    set_raw(data, "PatientName", "PN", name)
    return data


def set_raw(data: Dataset, keyword: str | int, vr: str, value: bytes) -> None:
    """Put exactly these bytes (padded to even length) as the value, valid or not."""
    value += b" " * (len(value) % 2)
    tag = Tag(keyword)
    data[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    # Claims to have been read like this, else pydicom decodes and encodes the text once more when it writes.
    data.set_original_encoding(False, True, data._character_set)


def _finish(data: Dataset, transfer_syntax: str) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationClassUID = UID(transfer_syntax), UID(uid("implementation"))
    data.file_meta = meta


def to_bytes(data: Dataset) -> bytes:
    """The data set as a Part 10 file in the transfer syntax of its file meta information."""
    buffer = BytesIO()
    dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


def with_uid(data: Dataset, value: bytes) -> bytes:
    """The file with ``value`` as its SOP Instance UID, whatever it is; a valid one stays in the file meta."""
    given = str(data.SOPInstanceUID).encode()
    body = to_bytes(data)
    start = body.rindex(given)
    end = start + len(given) + len(given) % 2
    value += b"\0" * (len(value) % 2)
    return body[: start - 2] + len(value).to_bytes(2, "little") + value + body[end:]
