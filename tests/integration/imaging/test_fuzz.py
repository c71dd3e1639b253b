"""Mutated files and bodies, a few; tests/longer sends many (checklist T08, T18; security 8, 9, 16)."""

import random

import pytest

from imaging.dicomweb.app import routes
from tests.archives import HeaderGuard, archive_at, client_of
from tests.fuzzing import MULTIPART, read_all, send_all
from tests.mutations import mutations, originals

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
async def client(sqlite_url, tmp_path):
    async with (
        archive_at(sqlite_url, tmp_path / "archive") as archive,
        client_of(routes(archive, HeaderGuard())) as client,
    ):
        yield client


def test_security_16_mutated_files_are_read_or_refused(tmp_path):
    seen = read_all(mutations(400, seed=1), tmp_path)
    assert seen["Examined"] > 50
    assert seen["Refusal"] > 50


async def test_security_16_mutated_files_never_cost_a_neighbour_or_the_reader(client):
    seen = await send_all(client, mutations(40, seed=2))
    assert {200, 202} & seen.keys()


async def test_security_16_mutated_bodies_are_answered(client):
    chance, body = random.Random(3), originals()[0]
    head = b"--a-boundary\r\nContent-Type: application/dicom\r\n\r\n"
    whole = (head + body + b"\r\n") * 2 + b"--a-boundary--\r\n"
    for _ in range(60):
        mutated = bytearray(whole)
        for _ in range(chance.choice((1, 3))):
            at = chance.choice((chance.randrange(120), chance.randrange(len(whole))))
            mutated[at : at + chance.randrange(3)] = bytes(chance.choices(b"\r\n-:; ab\0", k=chance.randrange(4)))
        reply = await client.post("/dicom-web/studies", data=bytes(mutated), headers=MULTIPART)
        text = await reply.text()
        assert (reply.status < 500, "Traceback" in text) == (True, False), mutated[:80]
