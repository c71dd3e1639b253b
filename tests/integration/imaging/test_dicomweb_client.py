"""Store, search and retrieve with dicomweb-client (issue: the round trip); every shared file is in tests/longer."""

from pathlib import Path

import pydicom.data
import pytest

from tests.round_trips import tried

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]

PYDICOM = Path(pydicom.data.__file__).parent / "test_files"
# One of each kind: CT, MR, NM, enhanced, 1 bit, colour, palette, dose, plan, report, waveform, contours, compressed.
SAMPLES = [
    "CT_small.dcm",
    "MR_small_bigendian.dcm",
    "JPGExtended.dcm",
    "liver_1frame.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
    "rtdose.dcm",
    "rtplan.dcm",
    "test-SR.dcm",
    "waveform_ecg.dcm",
    "image_dfl.dcm",
    "MR_small_RLE.dcm",
    "examples_jpeg2k.dcm",
]


async def test_files_of_every_kind_make_the_round_trip(sqlite_url, tmp_path):
    found = await tried(sqlite_url, tmp_path / "archive", [PYDICOM / name for name in SAMPLES])
    assert found == {str(PYDICOM / name): "same" for name in SAMPLES}
