import asyncio

import pytest

from imaging.store.batching import Batcher


class Work:
    """Doubles what it gets; waits for ``gate`` first; refuses negative numbers."""

    def __init__(self):
        self.batches = []
        self.gate = asyncio.Event()

    async def __call__(self, items):
        await self.gate.wait()
        self.batches.append(list(items))
        if any(item < 0 for item in items):
            raise ValueError("negative")
        return [2 * item for item in items]


@pytest.fixture
def work():
    return Work()


async def start(batcher, items):
    calls = [asyncio.ensure_future(batcher(item)) for item in items]
    for _ in range(3):
        await asyncio.sleep(0)
    return calls


async def test_calls_that_wait_together_are_worked_on_together(work):
    batcher = Batcher(work)
    first = await start(batcher, [1])
    rest = await start(batcher, [2, 3, 4])
    work.gate.set()
    assert await asyncio.gather(*first, *rest) == [2, 4, 6, 8]
    assert work.batches == [[1], [2, 3, 4]]


async def test_a_batch_is_bounded(work):
    batcher = Batcher(work, limit=2)
    calls = await start(batcher, range(5))
    work.gate.set()
    await asyncio.gather(*calls)
    assert max(map(len, work.batches)) == 2


async def test_one_bad_item_costs_only_its_own_caller(work):
    batcher = Batcher(work)
    calls = await start(batcher, [1, -1, 3])
    work.gate.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert (results[0], results[2]) == (2, 6)
    assert isinstance(results[1], ValueError)


async def test_a_caller_that_leaves_does_not_disturb_the_others(work):
    batcher = Batcher(work)
    leaving, staying = await start(batcher, [1, 2])
    leaving.cancel()
    work.gate.set()
    assert await staying == 4
    assert work.batches == [[1, 2]]


async def test_close_waits_for_what_is_under_way(work):
    batcher = Batcher(work)
    (call,) = await start(batcher, [1])
    work.gate.set()
    await batcher.close()
    assert call.done()
