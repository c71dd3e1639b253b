import asyncio
import os
import signal
import time

import pytest

from foundation.errors import Unavailable
from imaging.errors import TooMuchMemory, WorkerDied
from imaging.workers import Workers
from tests.hostile import loop, swell


@pytest.fixture
async def workers():
    workers = Workers(2)
    yield workers
    await workers.close()


def add(one, two):
    return one + two


def fail(message):
    raise ValueError(message)


def slowly(value, seconds):
    time.sleep(seconds)
    return value


def die():
    os.kill(os.getpid(), signal.SIGKILL)


async def test_a_call_runs_in_another_process(workers):
    assert await workers.run(os.getpid) != os.getpid()
    assert await workers.run(add, 1, 2) == 3


async def test_its_exception_comes_back(workers):
    with pytest.raises(ValueError, match="odd"):
        await workers.run(fail, "odd")


async def test_a_worker_that_dies_costs_only_its_own_call(workers):
    beside = [workers.run(slowly, number, 0.1) for number in range(4)]
    *values, death = await asyncio.gather(*beside, workers.run(die), return_exceptions=True)
    assert values == [0, 1, 2, 3]
    assert isinstance(death, Unavailable)
    assert await workers.run(add, 2, 2) == 4


async def test_security_08_a_call_that_loops_for_ever_is_killed_and_costs_nothing_else():
    workers = Workers(2, cpu_seconds=0.3)
    beside = [workers.run(slowly, number, 0.1) for number in range(2)]
    *values, death = await asyncio.gather(*beside, workers.run(loop), return_exceptions=True)
    assert (values, type(death)) == ([0, 1], WorkerDied)
    assert await workers.run(add, 2, 2) == 4
    await workers.close()


async def test_security_08_a_call_that_asks_for_all_memory_is_refused_and_its_worker_lives(workers):
    with pytest.raises(TooMuchMemory):
        await workers.run(swell)
    assert await workers.run(add, 2, 2) == 4


async def test_calls_run_side_by_side(workers):
    await asyncio.gather(workers.run(add, 1, 1), workers.run(add, 1, 1))
    pids = await asyncio.gather(*(workers.run(_pid_after, 0.2) for _ in range(2)))
    assert len(set(pids)) == 2


def _pid_after(seconds):
    time.sleep(seconds)
    return os.getpid()
