"""The program itself: its configuration, its start and its end."""

import asyncio
import json
import socket
import sys

import aiohttp
import pytest

from reviewer.config import Config, ConfigInvalid, load

GIVEN = {"secret": "whsec_" + "A" * 32, "key": "aikey_x", "base_url": "http://127.0.0.1:8080/", "port": 9000}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "reviewer.json"

    def write(members):
        path.write_text(members if isinstance(members, str) else json.dumps(members))
        return path

    return write


def test_the_command_line_port_wins(written):
    assert load(written(GIVEN), None) == Config(GIVEN["secret"], "aikey_x", "http://127.0.0.1:8080", 9000)
    assert load(written(GIVEN), 9001).port == 9001


@pytest.mark.parametrize("members", ["{", "[]", "7", {}, {**GIVEN, "port": "x"}])
def test_a_useless_file_is_named(written, members):
    with pytest.raises(ConfigInvalid, match=r"reviewer\.json"):
        load(written(members), None)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigInvalid, match=r"nowhere\.json"):
        load(tmp_path / "nowhere.json", 1)


async def test_it_listens_refuses_what_is_unsigned_and_ends_when_told(written):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "reviewer", "--config", str(written(GIVEN)), "--port", str(port),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert b"listening" in await process.stderr.readline()
    async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.1:{port}/", data=b"{}") as answer:
        assert answer.status == 401
    process.terminate()
    await process.stderr.read()
    assert await process.wait() == 0


async def test_a_useless_file_ends_the_program_with_a_sentence(written):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "reviewer", "--config", str(written("{")), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"reviewer.json" in said
    assert b"Traceback" not in said
