import pytest

from tests.review_rows import hook_on


@pytest.fixture
async def hook(sqlite_url):
    """The review on SQLite, for rules in which the engine makes no difference."""
    async with hook_on(sqlite_url) as hook:
        yield hook
