"""A background task that does one step whenever it is woken, and now and then by itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

log = logging.getLogger(__name__)


class Ticker:
    """Runs ``step`` again after the seconds it returned, after ``poll_seconds`` at the latest, or when woken.

    A step that raises is logged and tried again: the database may be away for a while, the work is still in it.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[float]], poll_seconds: float) -> None:
        self._name = name
        self._step = step
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._woken.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def close(self) -> None:
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            pause = await self._one_step()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(pause, self._poll_seconds))):
                    await self._woken.wait()

    async def _one_step(self) -> float:
        try:
            return await self._step()
        except Exception:
            log.exception("background step failed", extra={"task": self._name})
            return self._poll_seconds
