"""Group commit: calls that wait at the same time are worked on together, so that one fsync serves many."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batcher(Generic[T, R]):
    """Calls ``work`` with everything that has arrived since its last call, at most ``limit`` items at once.

    ``work`` answers one result for each item, in order. When it raises for several items each is tried alone, so that
    one bad item costs only its own caller.
    """

    def __init__(self, work: Callable[[list[T]], Awaitable[list[R]]], limit: int = 200) -> None:
        self._work = work
        self._limit = limit
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._run())
        return await future

    async def close(self) -> None:
        """Wait until everything that was asked for is done."""
        if self._worker is not None:
            await self._worker

    async def _run(self) -> None:
        while self._waiting:
            count = min(len(self._waiting), self._limit)
            await self._settle([self._waiting.popleft() for _ in range(count)])

    async def _settle(self, batch: list[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._work([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1:
                for single in batch:
                    await self._settle([single])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        except BaseException:
            # The loop is ending: nobody may wait for ever.
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), result in zip(batch, results, strict=True):
            # A caller that was cancelled no longer waits; what it asked for is done all the same.
            if not future.done():
                future.set_result(result)
