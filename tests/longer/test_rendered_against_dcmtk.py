"""Rendered pictures against dcmtk's, an independent decoder: every image that can be had, at the same window.

Two grey levels may differ by one, because dcmtk cuts where we round. Compressed forms that this dcmtk cannot decode
(JPEG 2000, deflated frames, compressed single bits, objects that break a rule) are decoded by us, and dcmtk shows the
result: then the decoder is not compared, only everything after it.
"""

import io
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.pixels import apply_modality_lut

from foundation.errors import ServiceError
from imaging.dicom.layout import Layout
from imaging.dicom.pixels import Function, Window
from imaging.dicom.reading import Examined, ReadingLimits, examine
from imaging.dicom.rendering import RenderOptions, render
from imaging.dicom.transcode import to_explicit_little_endian
from tests.picture_phantoms import all_phantoms
from tests.samples import to_bytes, uid

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(shutil.which("dcmj2pnm") is None, reason="dcmtk is missing: run script/packages"),
]

PYDICOM = Path(pydicom.data.__file__).parent / "test_files"
# What differs, and why.
DEVIATIONS = {
    "rtdose_expb.dcm": "32-bit words in big endian: dcmtk swaps 16-bit halves, its writer meant whole words",
    "rtdose_expb_1frame.dcm": "as rtdose_expb.dcm",
    "frames with their own rescaling.dcm": "dcmtk 3.6 does not look into functional groups",
    "full chroma.dcm": "two levels: dcmtk adds three table values that were each cut to an integer",
    "full chroma by plane.dcm": "as full chroma",
    "halved chroma.dcm": "as full chroma",
}
# What we refuse to render, and why.
REFUSED = {
    "ct-chest-jpeg-53-retired.dcm": "pixels.no_decoder",
    "ct-chest-jpeg-55-retired.dcm": "pixels.no_decoder",
    "j2k-embedded-sequence-delimiter.dcm": "pixels.damaged",
    "JPEG2000-embedded-sequence-delimiter.dcm": "pixels.damaged",
    "mr-truncated-pixels.dcm": "pixels.damaged",
    "MR_truncated.dcm": "pixels.damaged",
}
# What dcmtk cannot show even uncompressed.
BEYOND_DCMTK = {
    "parametric-map-float.dcm": "float pixel data",
    "single floats.dcm": "float pixel data",
    "double floats.dcm": "float pixel data",
    "a segmented palette.dcm": "dcmtk 3.6 knows no segmented palettes",
}


class Kept:
    """A file as the archive would hold it; UIDs that an upload needs are made up where they are missing."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        found = examine(path, ReadingLimits())
        if not isinstance(found, Examined):
            self.path = folder / "completed.dcm"
            self._complete(path)
            found = examine(self.path, ReadingLimits())
        self.found = found if isinstance(found, Examined) else None
        self.layout = Layout.from_json(found.layout) if self.found else Layout(0)

    def _complete(self, path: Path) -> None:
        self.path.write_bytes(b"no DICOM file")
        try:
            data = dcmread(path)
            for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
                if not data.get(keyword):
                    setattr(data, keyword, uid(path.name, keyword))
            data.save_as(self.path)
        except Exception:
            self.path.write_bytes(b"no DICOM file")

    def picture(self, frame: int, window: Window | None) -> np.ndarray:
        options = RenderOptions(frame=frame, media_type="image/png", window=window)
        syntax = self.found.transfer_syntax_uid
        body = render(self.path, syntax, self.layout, self.found.metadata_json, options)
        return np.asarray(Image.open(io.BytesIO(body))).astype(int)

    def native(self, folder: Path) -> Path:
        target = folder / "native.dcm"
        to_explicit_little_endian(self.path, target, self.found.transfer_syntax_uid, self.layout)
        return target


def dcmtk_picture(path: Path, frame: int, options: list[str], folder: Path) -> np.ndarray | None:
    """None: dcmtk cannot show it. JPEG-LS goes through dcmtk's own decoder first."""
    target = folder / "picture.ppm"
    target.unlink(missing_ok=True)
    decoded = folder / "decoded.dcm"
    if subprocess.run(["dcmdjpls", "-q", path, decoded], capture_output=True, check=False).returncode == 0:
        path = decoded
    command = ["dcmj2pnm", "-q", "-O", "+F", str(frame + 1), *options, "+op", path, target]
    subprocess.run(command, capture_output=True, check=False, timeout=60)
    return np.asarray(Image.open(target)).astype(int) if target.exists() else None


def asked(data: Dataset, frame: int) -> tuple[Window | None, list[str]]:
    """The window for both: the object's first one, else its table of interest, else all of its values."""
    if data.get("SamplesPerPixel", 1) > 1 or data.get("PhotometricInterpretation") == "PALETTE COLOR":
        return None, []
    window = own_window(data, frame)
    if window is None and "VOILUTSequence" in data:
        return None, ["+Wl", "1"]
    window = window or whole_range(data, frame)
    function = "+Wfs" if window.function is Function.SIGMOID else "+Wfl"
    return window, ["+Ww", str(window.centre), str(window.width), function]


def own_window(data: Dataset, frame: int) -> Window | None:
    for holder in holders(data, frame):
        try:
            centre, width = (np.atleast_1d(holder[name].value)[0] for name in ("WindowCenter", "WindowWidth"))
        except (KeyError, IndexError):
            continue
        function = Function.SIGMOID if holder.get("VOILUTFunction") == "SIGMOID" else Function.LINEAR
        return Window(float(centre), max(float(width), 1.0), function)
    return None


def holders(data: Dataset, frame: int) -> list[Dataset]:
    groups = [*data.get("PerFrameFunctionalGroupsSequence", [])[frame : frame + 1]]
    groups += data.get("SharedFunctionalGroupsSequence", [])[:1]
    return [*(item for group in groups for item in group.get("FrameVOILUTSequence", [])[:1]), data]


def whole_range(data: Dataset, frame: int) -> Window:
    try:
        values = data.pixel_array
        values = values[frame] if data.get("NumberOfFrames", 1) not in {None, 1} else values
        values = apply_modality_lut(values, data)
        low, high = float(values.min()), float(values.max())
    except Exception:
        return Window(128, 256)
    return Window((low + high) / 2, max(high - low, 1))


def compare(path: Path, folder: Path) -> dict[str, str]:
    """{} when the pictures agree or there is none; else the file's name and what is different."""
    kept = Kept(path, folder)
    if kept.layout.pixels is None:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = dcmread(kept.path, force=True)
    for frame in sorted({0, kept.layout.pixels.number_of_frames - 1}):
        window, options = asked(data, frame)
        try:
            ours = kept.picture(frame, window)
        except ServiceError as refusal:
            return {path.name: refusal.code}
        theirs = dcmtk_picture(kept.path, frame, options, folder)
        if theirs is None:
            theirs = dcmtk_picture(kept.native(folder), frame, options, folder)
        if theirs is None:
            return {path.name: "beyond dcmtk"}
        theirs = theirs[..., 0] if theirs.ndim > ours.ndim else theirs
        if ours.shape != theirs.shape:
            return {path.name: f"shape {ours.shape} and {theirs.shape}"}
        if np.abs(ours - theirs).max() > 1:
            return {path.name: "different"}
    return {}


def known(names: set[str]) -> dict[str, str]:
    listed = {
        **REFUSED,
        **dict.fromkeys(DEVIATIONS, "different"),
        **dict.fromkeys(BEYOND_DCMTK, "beyond dcmtk"),
    }
    return {name: word for name, word in listed.items() if name in names}


def assert_agreement(paths: list[Path], folder: Path) -> None:
    found = {}
    for path in paths:
        found |= compare(path, folder)
    assert found == known({path.name for path in paths})


@pytest.mark.parametrize("folder", ["single", "compressed", "broken", "charset", "series"])
def test_t50_real_files_look_as_dcmtk_shows_them(shared_dicom, tmp_path, folder):
    paths = sorted(path for path in (shared_dicom / folder).rglob("*.dcm"))
    assert len(paths) > 10
    assert_agreement(paths, tmp_path)


def test_t50_pydicoms_files_look_as_dcmtk_shows_them(tmp_path):
    paths = sorted(path for path in PYDICOM.rglob("*") if path.is_file() and "dicomdir" not in str(path))
    assert len(paths) > 50
    assert_agreement(paths, tmp_path)


def test_t50_phantoms_look_as_dcmtk_shows_them(tmp_path):
    paths = []
    for name, phantom in all_phantoms().items():
        paths.append(tmp_path / f"{name}.dcm")
        paths[-1].write_bytes(to_bytes(phantom.data))
    assert_agreement(paths, tmp_path)
