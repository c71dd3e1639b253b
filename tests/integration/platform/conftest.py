"""The platform, opened once for each test."""

import pytest

from tests.platforms import open_house


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path) as house:
        yield house
