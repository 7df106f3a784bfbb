"""What /proc says of processes."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path


def children(parent: int) -> list[int]:
    """Return the living children of a process."""
    found: list[int] = []
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, path.read_text().split())
    return [process for process in found if is_alive(process)]


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def descendants(parent: int) -> list[int]:
    mine = children(parent)
    return mine + [p for child in mine for p in descendants(child)]


def command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def are_gone(parent: int, within_s: float = 10.0) -> bool:
    """Wait until a process has no children."""
    end = time.monotonic() + within_s
    while children(parent):
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
