"""Processes for work that is slow, or that must be allowed to crash: reading and decoding what strangers send."""

import asyncio
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Final, ParamSpec, TypeVar

from imaging.errors import TooMuchMemory, WorkerDied

P = ParamSpec("P")
R = TypeVar("R")

# Room for a mapped two-gigabyte object with its inflated copy; a bomb that asks for more gets MemoryError.
MEMORY_LIMIT_BYTES: Final = 8 << 30
# Processor time of one call. Ends a decoder that loops for ever; what is honest and this slow is sent as it is stored.
CPU_LIMIT_SECONDS: Final = 120.0
# Imported once, in the server that workers are forked from, instead of by the first call in each of them.
_PRELOADED: Final = [
    "imaging.dicom.reading",
    "imaging.dicom.rendering",
    "imaging.dicom.transcode",
    "imaging.dicom.htj2k",
]


def _prepare(idle: bool) -> None:
    # Ctrl-C ends the service, which then ends its workers; a core dump would hold patient data.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    if idle and hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    threading.Thread(target=_end_with_service, name="end-with-service", daemon=True).start()


def _end_with_service() -> None:
    # A service that is killed cannot end its workers, and one that waits for work never notices by itself.
    service = multiprocessing.parent_process()
    if service is not None:
        service.join()
        os._exit(1)


def _bounded(call: Callable[[], R], cpu_seconds: float) -> R:
    # The default action of SIGPROF ends the process wherever it is, in a decoder that never comes back to Python, too.
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _executor(processes: int, idle: bool) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return ProcessPoolExecutor(processes, context, _prepare, (idle,))


class _Pool:
    """One executor, made with its first call. Every method may block: it is called in a thread."""

    def __init__(self, processes: int, idle: bool) -> None:
        self._processes = processes
        self._idle = idle
        self._guard = threading.Lock()
        self._executor: ProcessPoolExecutor | None = None
        self._ended = False

    def submit(self, function: Callable[..., R], *args: object) -> Future[R]:
        """Raises BrokenProcessPool when the pool has ended."""
        with self._guard:
            if self._ended:
                raise BrokenProcessPool
            if self._executor is None:
                self._executor = _executor(self._processes, self._idle)
            return self._executor.submit(function, *args)

    def end(self) -> None:
        """Wait for the calls under way; the last reference goes here, because letting go of locks may block, too."""
        with self._guard:
            self._ended = True
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(cancel_futures=True)


class Workers:
    """A pool of ``processes`` workers. Functions and arguments are pickled, so they live at module level.

    cpu_seconds: a call that computes longer than this is killed with its process.
    idle: they get the processor only while nobody else wants it (SCHED_IDLE, on Linux).
    """

    def __init__(self, processes: int, cpu_seconds: float = CPU_LIMIT_SECONDS, *, idle: bool = False) -> None:
        self._processes = processes
        self._cpu_seconds = cpu_seconds
        self._idle = idle
        self._shared = _Pool(processes, idle)
        self._one_alone = asyncio.Lock()

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of ``function``, or its exception. Raises TooMuchMemory; WorkerDied, when it ends its process.

        A dying worker breaks the whole pool, so the calls that were under way beside it are each tried again alone:
        the one at fault breaks only itself.
        """
        call = partial(_bounded, partial(function, *args, **kwargs), self._cpu_seconds)
        pool = self._shared
        try:
            return await _run(pool, call)
        except BrokenProcessPool:
            if self._shared is pool:
                self._shared = _Pool(self._processes, self._idle)
            await asyncio.to_thread(pool.end)
            return await self._alone(call)

    async def _alone(self, call: Callable[[], R]) -> R:
        async with self._one_alone:
            pool = _Pool(1, self._idle)
            try:
                return await _run(pool, call)
            except BrokenProcessPool as error:
                raise WorkerDied() from error
            finally:
                await asyncio.to_thread(pool.end)

    async def close(self) -> None:
        """Wait for the calls under way, then end the processes."""
        await asyncio.to_thread(self._shared.end)


async def _run(pool: _Pool, call: Callable[[], R]) -> R:
    # Submitting may start a process and writes to a pipe: not in the event loop.
    try:
        return await asyncio.wrap_future(await asyncio.to_thread(pool.submit, call))
    except MemoryError as error:
        raise TooMuchMemory("Retrieve the instance as it is stored.") from error
