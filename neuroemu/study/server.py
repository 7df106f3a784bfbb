"""The process that workers are forked off. Light, so that a command can start it before it imports anything else."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.context import BaseContext

PRELOAD = "neuroemu.study.preload"
"""Imported once, before the workers are forked off."""


def start_server() -> BaseContext:
    """Start the process that forks workers, if it does not run yet, and return what makes them.

    It takes more than a second until it can fork, and nobody waits meanwhile. Ctrl-C is blocked in it: it is for the
    parent alone.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOAD])
    resource_tracker.ensure_running()  # it would unblock what is blocked here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context
