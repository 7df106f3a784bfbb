"""Runs functions in processes of their own that start in no time: forked off a process that has all loaded."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import forkserver, get_context
from pathlib import Path
from typing import Any

from tests.study.processes import children, command

HOT = "tests.study.hot"


class Forked:
    """One child at a time; what it writes to standard error is in `log`."""

    def __init__(self, log: Path) -> None:
        self.log = log
        with log.with_suffix(".server").open("w") as errors:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.study.forked"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def start(self, function: Callable[..., object], *arguments: Any) -> int:
        """Begin, and return the child's process id."""
        return int(self._ask((function, arguments, str(self.log))))

    def wait(self) -> int:
        """Return the child's exit code, or minus the signal it died of."""
        return int(self._ask(None))

    def run(self, function: Callable[..., object], *arguments: Any) -> int:
        """Begin, and return how it ended."""
        self.start(function, *arguments)
        return self.wait()

    def workers_server(self) -> int:
        """Return the process whose children are the workers."""
        return next(p for p in children(self._server.pid) if "forkserver" in command(p))

    def stop(self) -> None:
        self._server.communicate()

    def _ask(self, order: Any) -> Any:
        assert self._server.stdin is not None and self._server.stdout is not None
        pickle.dump(order, self._server.stdin)
        self._server.stdin.flush()
        return pickle.load(self._server.stdout)  # noqa: S301 - our own child


def main() -> None:
    """Serve a `Forked`."""
    __import__(HOT)
    forkserver.set_forkserver_preload([HOT])
    _see_to_workers_server()
    replies = os.fdopen(os.dup(1), "wb")
    child = 0
    while True:
        try:
            order = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own parent
        except EOFError:
            return
        if order is None:
            pickle.dump(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), replies)
        else:
            _see_to_workers_server()
            child = os.fork()
            if child == 0:
                _serve(*order)
            pickle.dump(child, replies)
        replies.flush()


def _see_to_workers_server() -> None:
    """Wait until it has gone through all requests; start it anew if a half request has ended it."""
    while True:
        with suppress(OSError):
            probe = get_context("forkserver").Process(target=int)
            probe.start()
            probe.join()
            if probe.exitcode == 0:
                return


def _serve(function: Callable[..., object], arguments: tuple[Any, ...], log: str) -> None:
    # the server of workers is there and hot; only the process that started it may look after it
    forkserver._forkserver.ensure_running = forkserver.ensure_running = lambda: None
    code = 1
    try:
        os.close(0)
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(target, 1)
        os.dup2(target, 2)
        function(*arguments)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
