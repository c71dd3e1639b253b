"""What browsers get compressed is what was built."""

import gzip

import pytest

from telemed.pages import DIST


@pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="the browser app is not built here")
def test_every_compressed_twin_holds_the_very_file_beside_it():
    twins = sorted((DIST / "assets").glob("*.gz"))
    assert twins
    assert [
        twin.name for twin in twins if gzip.decompress(twin.read_bytes()) != twin.with_suffix("").read_bytes()
    ] == []
