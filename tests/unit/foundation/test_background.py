import asyncio

from foundation.background import Ticker


class Steps:
    def __init__(self, *pauses):
        self.pauses = list(pauses)
        self.count = 0
        self.taken = asyncio.Event()

    async def __call__(self):
        self.count += 1
        self.taken.set()
        pause = self.pauses.pop(0) if self.pauses else 3600
        if pause is None:
            raise RuntimeError("the database is away")
        return pause

    async def reach(self, count):
        async with asyncio.timeout(10):
            while self.count < count:
                self.taken.clear()
                await self.taken.wait()


async def test_it_steps_at_once_and_then_when_the_step_asked_for_it():
    steps = Steps(0, 0)
    ticker = Ticker("t", steps, 3600)
    ticker.start()
    await steps.reach(3)
    await ticker.close()
    assert steps.count == 3


async def test_waking_cuts_the_pause_short():
    steps = Steps()
    ticker = Ticker("t", steps, 3600)
    ticker.start()
    await steps.reach(1)
    ticker.wake()
    await steps.reach(2)
    await ticker.close()
    assert steps.count == 2


async def test_a_step_that_fails_is_taken_again(caplog):
    steps = Steps(None)
    ticker = Ticker("t", steps, 0.001)
    ticker.start()
    await steps.reach(2)
    await ticker.close()
    assert "background step failed" in caplog.text


async def test_closing_what_was_never_started_is_nothing():
    ticker = Ticker("t", Steps(), 1)
    await ticker.close()
    assert ticker._task is None
