"""What captions say of a study: counts, trials, seed, level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from neuroemu.report.study.answers import LOOKS
from neuroemu.report.study.dimensions import Dimension
from neuroemu.study.results import Row, StudyResults


def counts(rows: Iterable[Row]) -> str:
    """Return how often each answer occurs: ``15 survives, 6 shifted``."""
    found = Counter(row.word for row in rows)
    return ", ".join(f"{found[w]} {look.label}" for w, look in LOOKS.items() if found[w])


def ran(results: StudyResults) -> str:
    """Return what ran: targets, trials, seed."""
    names = [t.name for t in results.space.targets]
    where = f"Targets {', '.join(names)}" if len(names) > 1 else f"Target {names[0]}"
    trials = sorted({r.trials for r in results.rows if r.answer is not None})
    if not trials:
        return f"{where}; nothing has run yet, seed {results.study.seed}."
    number = f"{trials[0]}" if len(trials) == 1 else f"{trials[0]} to {trials[-1]}"
    return (
        f"{where}; {number} trials at each point, the same input at all, seed {results.study.seed}."
    )


def level(rows: Iterable[Row]) -> str:
    """Return what intervals hold, in percent."""
    alphas = sorted({r.answer.decision.alpha for r in rows if r.answer is not None})
    return " and ".join(f"{100 * (1 - 2 * a):.4g} %" for a in alphas)


def over(dims: Sequence[Dimension]) -> str:
    """Return names of dimensions in a row: ``weight bits and rounding``."""
    labels = [d.label for d in dims]
    return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1]))) if labels else ""


def left_out(shown: int, number: int, what: str) -> str:
    """Return a sentence where not all is drawn, else nothing."""
    return f" {shown} of {number} {what} are drawn, evenly chosen." if shown < number else ""
