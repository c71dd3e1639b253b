import pytest

from imaging.dicom.syntaxes import DEFLATED_FRAMES, find


@pytest.mark.parametrize(
    ("uid", "flags"),
    [
        ("1.2.840.10008.1.2", "implicit"),
        ("1.2.840.10008.1.2.1", ""),
        ("1.2.840.10008.1.2.2", "big"),
        ("1.2.840.10008.1.2.1.99", "deflated"),
        ("1.2.840.10008.1.2.4.50", "encapsulated"),
        ("1.2.840.10008.1.2.4.53", "encapsulated retired"),
        ("1.2.840.10008.1.2.4.202", "encapsulated"),
        ("1.2.840.10008.1.2.4.102.1", "encapsulated video"),
        ("1.2.840.10008.1.2.4.95", "deflated referenced"),
        (DEFLATED_FRAMES, "encapsulated"),
    ],
)
def test_how_each_syntax_is_written(uid, flags):
    syntax = find(uid)
    told = {
        "implicit": syntax.encoding.implicit,
        "big": syntax.encoding.big_endian,
        "deflated": syntax.deflated,
        "encapsulated": syntax.encapsulated,
        "retired": syntax.retired,
        "video": syntax.video,
        "referenced": syntax.referenced,
    }
    assert " ".join(name for name, holds in told.items() if holds) == flags


@pytest.mark.parametrize(
    "uid", ["", "1.2.3", "1.2.840.113619.5.2", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.6.1"]
)
def test_what_is_no_syntax_for_files(uid):
    assert find(uid) is None
