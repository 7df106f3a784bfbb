"""A pytest plugin that runs inside the copy: which package is tried, which test runs, which one failed.

It writes to the file that the environment variable ``MUTATION_RECORD`` names, so that a test that kills its process
is known as well.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import neuroemu

CPU_SECONDS = 300.0
"""A test that computes longer is one that the fault has hung: the slowest takes 20. Time that a busy machine makes it
wait does not count."""

# the first counterexample does: a smaller one is nobody's concern here
hypothesis.settings.register_profile(
    "mutation", phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate], database=None
)
hypothesis.settings.load_profile("mutation")

_record: dict[str, Any] = {"package": neuroemu.__file__, "running": "", "failed": "", "why": ""}


def _write(**changes: Any) -> None:
    _record.update(changes)
    Path(os.environ["MUTATION_RECORD"]).write_text(json.dumps(_record), encoding="utf-8")


def pytest_sessionstart() -> None:
    """Say which package it is before anything is imported from it."""
    _write()


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a module of tests that could not even be imported."""
    if report.failed and not _record["failed"]:
        _write(failed=report.nodeid, why="import")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let the system end the process if a test hangs, also inside compiled code."""
    _write(running=item.nodeid)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    result = yield
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the first test that fails."""
    if report.failed and not _record["failed"]:
        crash = getattr(report.longrepr, "reprcrash", None)
        why = crash.message.splitlines()[0] if crash and crash.message else str(report.outcome)
        _write(failed=report.nodeid, why=why[:200])
