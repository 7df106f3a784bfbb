"""The console, and the marks of a verdict: light enough for commands that run nothing."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

WIDTH = 100

MARKS = {
    "survives": ("✓", "green"),
    "shifted": ("~", "yellow"),
    "dead": ("✗", "red"),
    "inconclusive": ("?", "cyan"),
}


def console(*, stderr: bool = False) -> Console:
    """Return a console that is never wider than `WIDTH`."""
    found = Console(stderr=stderr, highlight=False)
    width = min(found.width, WIDTH) if found.is_terminal else WIDTH
    return Console(
        stderr=stderr, highlight=False, markup=False, width=width
    )  # names may have brackets


def verdict_text(verdict: str) -> Text:
    """Return the verdict as a mark and a word."""
    mark, colour = MARKS[verdict]
    return Text(f"{mark} {verdict}", style=f"bold {colour}")
