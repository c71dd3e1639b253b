"""Every real file through dicomweb-client: stored, found at every level, fetched byte for byte, or clearly refused."""

import pytest

from imaging.dicom.reading import Examined, ReadingLimits, examine
from imaging.dicom.remarks import Remark
from tests.round_trips import tried

pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")]


async def test_every_shared_file_makes_the_round_trip(shared_dicom, sqlite_url, tmp_path):
    paths = sorted(path for path in shared_dicom.rglob("*") if path.is_file() and path.suffix not in {".md", ".tsv"})
    paths = [path for path in paths if "containers" not in path.parts]
    assert len(paths) > 300
    found = await tried(sqlite_url, tmp_path / "archive", paths)
    odd = {path.name: (found[str(path)], expected(path)) for path in paths if found[str(path)] != expected(path)}
    assert odd == {}


def expected(path):
    examined = examine(path, ReadingLimits())
    if not isinstance(examined, Examined):
        return "refused"
    return "stored" if Remark.UID_INVALID in examined.remarks else "same"
