"""Mutated files by the thousand (checklist T08, T18; security 8, 9, 16)."""

import pytest

from imaging.dicomweb.app import routes
from tests.archives import HeaderGuard, archive_at, client_of
from tests.fuzzing import read_all, send_all
from tests.mutations import mutations

pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("seed", range(10, 15))
def test_security_16_thousands_of_mutated_files_are_read_or_refused(tmp_path, seed):
    seen = read_all(mutations(4000, seed), tmp_path)
    print(dict(seen))
    assert seen["Examined"] > 500
    assert seen["Refusal"] > 500


async def test_security_16_a_thousand_uploads_never_cost_a_neighbour_or_the_reader(sqlite_url, tmp_path):
    async with (
        archive_at(sqlite_url, tmp_path / "archive") as archive,
        client_of(routes(archive, HeaderGuard())) as client,
    ):
        print(dict(await send_all(client, mutations(1000, seed=20))))
