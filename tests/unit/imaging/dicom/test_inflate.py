import tracemalloc
import zlib

import pytest

from imaging.dicom.inflate import inflate
from imaging.dicom.remarks import RefusedAs, Unreadable


def deflated(data):
    compressor = zlib.compressobj(9, wbits=-15)
    return compressor.compress(data) + compressor.flush()


def refused(data, **limits):
    with pytest.raises(Unreadable) as caught:
        inflate(data, 4, **{"always_bytes": 1 << 20, "limit_bytes": 1 << 30, **limits})
    return caught.value.why


def test_the_head_stays_and_the_rest_is_inflated():
    content = bytes(range(256)) * 5000
    whole = inflate(b"meta" + deflated(content), 4, always_bytes=2 << 20, limit_bytes=1 << 30)
    assert whole == b"meta" + content


def test_a_bomb_is_refused_without_being_held():
    bomb = b"meta" + deflated(bytes(200 << 20))
    tracemalloc.start()
    why = refused(bomb)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert why is RefusedAs.INFLATES_TOO_FAR
    assert peak_bytes < 64 << 20


def test_a_uniform_image_may_inflate_far_while_it_stays_small():
    content = bytes(900_000)
    assert len(inflate(b"meta" + deflated(content), 4, always_bytes=1 << 20, limit_bytes=1 << 30)) == 900_004


def test_the_last_word_has_the_limit():
    assert refused(b"meta" + deflated(bytes(5000)), limit_bytes=4000) is RefusedAs.INFLATES_TOO_FAR


def test_broken_streams():
    assert refused(b"meta" + b"\xff\xff\xff\xff") is RefusedAs.MALFORMED
    assert refused(b"meta" + deflated(bytes(5000))[:-3]) is RefusedAs.TRUNCATED
