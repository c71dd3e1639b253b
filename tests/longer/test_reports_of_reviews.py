"""The reports of AI reviews before validators that are not ours: dicom3tools' dciodvfy and dcmtk's dsrdump."""

import subprocess
from dataclasses import replace

import pytest

from imaging.review.sr import encoded, structured_report
from tests.unit.imaging.review.test_sr import ACCEPTED, IMAGES, REVIEWED, SPOT

KINDS = {
    "circle": SPOT,
    "point": replace(SPOT, kind="point", points=[[3, 4]], probability=None),
    "polyline": replace(SPOT, kind="polyline", points=[[1, 1], [5, 5], [7, 2]]),
    "ellipse": replace(SPOT, kind="ellipse", points=[[1, 5], [9, 5], [5, 3], [5, 7]]),
    "whole image": replace(SPOT, kind="image", points=[], measurements=[]),
}
REPORTS = {
    **{kind: replace(REVIEWED, findings=[finding]) for kind, finding in KINDS.items()},
    "nothing found": replace(REVIEWED, findings=[], summary_code="111241"),
    "assessed": replace(REVIEWED, findings=[ACCEPTED], version=2, verifier="李^四", organization="SH01"),
}


@pytest.fixture(params=REPORTS)
def path(request, tmp_path):
    written = tmp_path / "report.dcm"
    written.write_bytes(encoded(structured_report(REPORTS[request.param], IMAGES)))
    return written


def test_dciodvfy_finds_no_error(path):
    said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
    assert "Comprehensive3DSR" in said
    assert [line for line in said.splitlines() if line.startswith("Error")] == []


def test_dsrdump_reads_it_whole(path):
    read = subprocess.run(["dsrdump", "+Pc", path], capture_output=True, text=True, check=False)
    assert (read.returncode, "Imaging Measurement Report" in read.stdout) == (0, True)
