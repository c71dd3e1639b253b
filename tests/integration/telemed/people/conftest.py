import pytest

from tests.telemed_people import browser, open_telemed, sign_in


@pytest.fixture
async def telemed(database_url):
    """Two hospitals with a doctor each and an administrator, on each engine."""
    telemed = await open_telemed(database_url)
    await telemed.hospital("WZ01")
    await telemed.hospital("SH01", city="上海")
    await telemed.doctor("wang", "WZ01")
    await telemed.doctor("li", "SH01", "李医生")
    await telemed.administrator()
    yield telemed
    await telemed.database.close()


@pytest.fixture
async def client(telemed):
    client = await telemed.client()
    yield client
    await client.close()


@pytest.fixture
async def wang(client):
    await sign_in(client, "wang")
    return client


@pytest.fixture
async def admin(client):
    other = browser(client.server)
    await sign_in(other, "admin")
    yield other
    await other.session.close()
