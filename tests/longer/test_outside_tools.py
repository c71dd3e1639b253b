"""The outside tools that the longer checks compare us with are there."""

import shutil

import pytest

TOOLS = ("Orthanc", "nginx", "dcmj2pnm", "dciodvfy", "chromium")


@pytest.mark.parametrize("tool", TOOLS)
def test_is_installed(tool):
    assert shutil.which(tool) is not None, f"{tool} is missing: run script/packages as root on Debian"
