"""Workers on other machines: a Dask cluster that runs, or one in Slurm jobs of its own.

This process alone writes results, so nothing has to be shared but the network. Needs the extra ``distributed``.
"""

from __future__ import annotations

import logging
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from neuroemu.engine.warm import wanted
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.study.digest import arithmetic_version
from neuroemu.study.workers import Kernel, failed

CONNECT_S = 10.0
"""How long a scheduler, and its first worker, may take to answer."""
FRESH_S = 1.0
"""How long the number of workers is believed."""
CLOSE_S = 0.5
"""How long leaving may take."""

SLURM = {"cores": 8, "memory": "16 GiB"}
"""Of one job, where Dask's own configuration says nothing."""


class DaskWorkers:
    """Workers of a Dask cluster, which outlive the study.

    A worker that dies is no matter: the scheduler gives its jobs to others, until it has seen a job on
    several dying workers. Jobs that run when the study is left run to their end.

    Parameters
    ----------
    address : str
        Of the scheduler, ``tcp://host:port``.
    patience_s : float or None
        How long the first worker may take to join; None for as long as it takes.
    close : callable, optional
        Called by `stop`.

    Raises
    ------
    ConfigError
        If Dask is not installed, the scheduler cannot be reached, has no workers, or these have another neuroemu.
    """

    def __init__(
        self,
        address: str,
        *,
        patience_s: float | None = CONNECT_S,
        close: Callable[[], Any] | None = None,
    ) -> None:
        distributed = _extra("distributed")
        self.deaths: tuple[type[Exception], ...] = (distributed.KilledWorker, MemoryError)
        self._address, self._patience_s, self._close = address, patience_s, close
        self._connect()

    @property
    def slots(self) -> int:
        """Jobs that run at the same time: threads of all workers that are there now."""
        if time.monotonic() - self._asked > FRESH_S:
            with suppress(Exception):  # the scheduler is lost: the next job says so
                self._ask()
        return max(1, sum(self._threads.values()))

    def missing(self, experiment: Experiment, targets: Sequence[Target]) -> list[Kernel]:
        """Return all kernels for each host: which of them it has kept, it knows itself."""
        kernels = wanted(experiment, targets)
        hosts = sorted({_host(worker) for worker in self._threads})
        return [(name, target, host) for host in hosts for name, target in kernels.items()]

    def submit(self, function: Callable[..., Any], *arguments: Any, host: str = "") -> Future[Any]:
        """Begin a job."""
        own = [worker for worker in self._threads if host and _host(worker) == host]
        place = {"workers": own, "allow_other_workers": True} if own else {}
        future: Future[Any] = Future()
        try:
            theirs = self._executor.submit(function, *arguments, **place)
        except Exception as error:  # what a lost scheduler raises here is Dask's own affair
            return failed(BrokenExecutor(str(error)))
        theirs.add_done_callback(partial(_hand_on, future))
        return future

    def restart(self) -> None:
        """Connect anew after the scheduler has been lost.

        Raises
        ------
        ConfigError
            If it is not there.
        """
        self._disconnect()
        self._connect()

    def stop(self) -> None:
        """Leave; what has not begun is cancelled."""
        self._disconnect()
        if self._close is not None:
            self._close()

    def _connect(self) -> None:
        distributed = _extra("distributed")
        _knock(self._address)
        self._client = distributed.Client(
            self._address, timeout=CONNECT_S, set_as_default=False, name="neuroemu"
        )
        try:
            self._client.wait_for_workers(1, timeout=self._patience_s)
            self._ask()
            self._check_versions()
        except TimeoutError:
            self._disconnect()
            raise ConfigError.one(
                "scheduler",
                value=self._address,
                rule="the scheduler needs workers",
                remedy=f"start some: dask worker {self._address} --nthreads 1",
            ) from None
        except BaseException:
            self._disconnect()
            raise
        self._executor = self._client.get_executor()

    def _ask(self) -> None:
        """Ask who is there."""
        self._threads: dict[str, int] = dict(self._client.nthreads())
        self._asked = time.monotonic()

    def _check_versions(self) -> None:
        """Refuse workers whose results would be others; one that joins later is found out by its first batch."""
        mine = arithmetic_version()
        found = self._client.run(arithmetic_version, on_error="return")
        wrong = sorted(worker for worker, version in found.items() if version != mine)
        if wrong:
            version = found[wrong[0]]
            raise ConfigError.one(
                "scheduler",
                value=self._address,
                rule=f"workers run the arithmetic of this neuroemu, version {mine}",
                detail=f"{', '.join(wrong)}: {version if isinstance(version, str) else repr(version)}",
                remedy="install the same neuroemu there",
            )

    def _disconnect(self) -> None:
        with _silenced("distributed.client", "tornado.application"), suppress(TimeoutError):
            self._client.close(timeout=CLOSE_S)


@contextmanager
def _silenced(*names: str) -> Iterator[None]:
    """Leave out what loggers say meanwhile: of jobs that are given up on purpose."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _hand_on(future: Future[Any], theirs: Future[Any]) -> None:
    """Give the outcome of Dask's future to one of ours.

    Dask's own then ends in Dask's thread. Where the main thread ends it, a Ctrl-C just then is lost in its ``__del__``.
    """
    error = BrokenExecutor("the scheduler is lost") if theirs.cancelled() else theirs.exception()
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(theirs.result())


def _knock(address: str) -> None:
    """See that something listens at an address: a `Client` that finds nothing there takes half a minute to go."""
    try:
        parts = urlsplit(address)
        where = (parts.hostname or "", parts.port or 0)
        socket.create_connection(where, timeout=CONNECT_S).close()
    except (OSError, ValueError) as error:
        raise ConfigError.one(
            "scheduler",
            value=address,
            rule="a Dask scheduler has to answer there",
            detail=getattr(error, "strerror", None) or str(error),
            remedy="check the address, tcp://HOST:PORT, and whether it still runs; what is finished is kept",
        ) from None


def slurm_workers(jobs: int) -> DaskWorkers:
    """Start a Dask cluster in `jobs` Slurm jobs, which end with the study.

    Partition, account and all else come from Dask's own configuration, `jobqueue.slurm`.

    Raises
    ------
    ConfigError
        If Slurm or dask-jobqueue is not there.
    """
    jobqueue = _extra("dask_jobqueue")
    if shutil.which("sbatch") is None:
        raise ConfigError.one(
            "--slurm",
            value=jobs,
            rule="jobs are handed in with Slurm's sbatch",
            detail="it is not on this machine's path",
            remedy="start the study on a login node, or run its parts with --shard",
        )
    cluster = jobqueue.SLURMCluster(**_slurm_settings())
    cluster.adapt(minimum_jobs=jobs, maximum_jobs=jobs)  # a job that ends is handed in again
    try:
        return DaskWorkers(cluster.scheduler_address, patience_s=None, close=cluster.close)
    except BaseException:
        cluster.close()
        raise


def slurm_script() -> str:
    """Return the script of one such job. In place of the scheduler's address, which is that of a run, it has a name.

    Raises
    ------
    ConfigError
        If dask-jobqueue is not there.
    """
    job = _extra("dask_jobqueue").slurm.SLURMJob(
        scheduler="tcp://SCHEDULER", name="neuroemu", **_slurm_settings()
    )
    return str(job.job_script())


def _slurm_settings() -> dict[str, Any]:
    import dask

    def configured(key: str) -> Any:
        return dask.config.get(f"jobqueue.slurm.{key}")

    settings = {key: configured(key) or value for key, value in SLURM.items()}
    processes = configured("processes") or settings["cores"]  # a process for each core
    return settings | {"processes": processes, "job_name": "neuroemu"}


def _extra(module: str) -> Any:
    """Import a module of the extra ``distributed``."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError.one(
            "--slurm" if module == "dask_jobqueue" else "--scheduler",
            rule=f"this needs {module.replace('_', '-')}",
            detail=str(error),
            remedy="install it: pip install 'neuroemu[distributed]'",
        ) from None


def _host(worker: str) -> str:
    return urlsplit(worker).hostname or worker
