"""Worker processes on this machine. A cluster's have the same face: `neuroemu.study.cluster`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Any, Protocol

from neuroemu.engine.warm import missing
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.study.server import start_server

TRIES = 3
"""Times that workers may fail to begin."""

Kernel = tuple[str, Target, str]
"""One to compile: its name, a target that runs it, and the host that needs it."""


class Workers(Protocol):
    """Where jobs run.

    A job whose own worker died raises one of `deaths`. If all workers are gone, every job in flight raises
    `BrokenExecutor`, and which of them is to blame is open.
    """

    deaths: tuple[type[Exception], ...]

    @property
    def slots(self) -> int:
        """Jobs that run at the same time."""

    def missing(self, experiment: Experiment, targets: Sequence[Target]) -> list[Kernel]:
        """Return the kernels to compile before `targets` run."""

    def submit(self, function: Callable[..., Any], *arguments: Any, host: str = "") -> Future[Any]:
        """Begin a job, on any host or on the one that is named."""

    def restart(self) -> None:
        """Begin anew after all workers are gone; jobs in flight are lost."""

    def stop(self) -> None:
        """Leave at once, whatever the workers are at."""


class LocalWorkers:
    """Processes of this machine, one for each core unless `number` says otherwise."""

    deaths: tuple[type[Exception], ...] = (MemoryError,)

    def __init__(self, number: int | None = None) -> None:
        self.slots = number or cores()
        self._executor = self._new()
        # processes begin now, while the caller still prepares
        threading.Thread(target=self.submit, args=(os.getpid,), daemon=True).start()

    def missing(self, experiment: Experiment, targets: Sequence[Target]) -> list[Kernel]:
        """Return the kernels that this machine has not kept yet."""
        return [(name, target, "") for name, target in missing(experiment, targets).items()]

    def submit(self, function: Callable[..., Any], *arguments: Any, host: str = "") -> Future[Any]:  # noqa: ARG002 - one host
        """Begin a job."""
        try:
            return self._executor.submit(function, *arguments)
        except BrokenExecutor as error:  # a worker has died since the last job
            return failed(error)

    def restart(self) -> None:
        """Begin anew after a worker has died.

        Raises
        ------
        ConfigError
            If workers die before any job.
        """
        for _ in range(TRIES):
            self.stop()
            self._executor = self._new()
            if self.submit(os.getpid).exception() is None:
                return
        raise ConfigError.one(
            "workers",
            value=self.slots,
            rule="worker processes have to begin",
            detail=f"they died {TRIES} times before their first job",
            remedy="use fewer workers if memory is short; a script of your own starts a study "
            'below `if __name__ == "__main__":`',
        )

    def stop(self) -> None:
        """End all workers."""
        processes = list((getattr(self._executor, "_processes", None) or {}).values())
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()

    def _new(self) -> Executor:
        return ProcessPoolExecutor(self.slots, mp_context=start_server(), initializer=_begin)


def failed(error: BaseException) -> Future[Any]:
    """Return a job that has failed already."""
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def cores() -> int:
    """Return the cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system can tell
        return os.cpu_count() or 1


def _begin() -> None:
    """Leave Ctrl-C to the parent, and end when it ends, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: Any) -> None:
    wait([sentinel])
    os._exit(1)
