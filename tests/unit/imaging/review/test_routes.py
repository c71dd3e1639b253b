"""The vendor's door beyond what tests/integration/imaging/test_review.py shows: a body is not read past its limit."""

import pytest

from imaging.review.errors import ResultTooLarge
from imaging.review.routes import _limited_body


class EndlessRequest:
    """A vendor that never stops sending."""

    def __init__(self):
        self.pieces = 0
        self.content = self

    async def iter_chunked(self, size):
        while self.pieces < 1000:
            self.pieces += 1
            yield b" " * size


async def test_reading_stops_at_the_limit():
    request = EndlessRequest()
    with pytest.raises(ResultTooLarge):
        await _limited_body(request)
    assert request.pieces == 17
