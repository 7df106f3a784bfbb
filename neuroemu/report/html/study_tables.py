"""The tables of a study's report."""

from __future__ import annotations

from collections import Counter
from math import ceil

from neuroemu.report.html.parts import Badge, Cell, Mark, Table
from neuroemu.report.html.quantities import NONE, signed
from neuroemu.report.html.run_tables import stimulus_titles
from neuroemu.report.study_tables import shown
from neuroemu.study.find import Counterexample, Frontier, Judged
from neuroemu.study.results import MISSING, REFUSED, Row, StudyResults

LOOKS = {
    "survives": "survives",
    "within": "survives",
    "shifted": "shifted",
    "dead": "dead",
    "beyond": "dead",
    "inconclusive": "inconclusive",
    "undecided": "inconclusive",
    REFUSED: "inconclusive",
    MISSING: "inconclusive",
}
"""How each answer looks, in the order in which they are listed."""

MOST_ROWS = 500
"""Points that a page lists."""


def answer(word: str) -> Cell:
    """Return an answer as a badge; what has none is a word."""
    return word if word in (REFUSED, MISSING) else Badge(look=LOOKS[word], word=word)


def place(row: Row, results: StudyResults) -> str:
    """Return a point by its values."""
    return ", ".join(f"{name} {shown(row.values[name])}" for name in results.columns)


def point_table(results: StudyResults) -> Table:
    """Return one row for each point, evenly chosen where there are too many."""
    every = ceil(len(results.rows) / MOST_ROWS) or 1
    rows = results.rows[::every]
    metric = results.study.question.metric
    measured = () if metric == "verdict" else (metric,)
    stimuli = stimulus_titles(results.space.experiment)
    columns = (
        *(*results.columns, "answer", *measured, *stimuli),
        *("largest difference", "trials", "predicted"),
    )
    first_number = len(results.columns) + 1
    note = "Rates on the target by stimulus, and their largest difference from float, in Hz."
    if every > 1:
        note += (
            f" {len(rows):,} of {len(results.rows):,} points, evenly chosen; all of them: "
            "neuroemu study export."
        )
    refused = list(dict.fromkeys(r.reason for r in rows if r.reason))
    return Table(
        caption="Every point, and its answer" if every == 1 else "Points, and their answers",
        columns=columns,
        rows=[_cells(row, results, len(stimuli)) for row in rows],
        numbers=frozenset(range(first_number, len(columns) - 1)),
        note=" ".join([note, *(f"Refused: {reason}." for reason in refused)]),
    )


def _cells(row: Row, results: StudyResults, phases: int) -> list[Cell]:
    cells: list[Cell] = [shown(row.values[name]) for name in results.columns]
    cells.append(answer(row.word))
    found = row.answer
    if results.study.question.metric != "verdict":
        metric = found.metric if found else None
        cells.append(NONE if metric is None else f"{metric.value:.3g}")
    if found is None:
        cells += [NONE] * (phases + 2)
    else:
        cells += [f"{p.target.value:.1f}" for p in found.decision.phases[:phases]]
        cells += [f"{found.worst_difference_hz:.2f}", str(row.trials)]
    differs = row.answer is not None and row.predicted not in ("", row.word)
    is_verdict = results.study.question.metric == "verdict"
    if differs and is_verdict:
        cells.append(Mark(look="open", sign="≠", word=row.predicted))
    else:
        cells.append(row.predicted or "not known")
    return cells


def prediction_table(results: StudyResults) -> Table | None:
    """Return how often each verdict was predicted where it was measured; None if that was not asked."""
    known = [r for r in results.rows if r.answer is not None and r.predicted]
    if results.study.question.metric != "verdict" or not known:
        return None
    pairs = Counter((r.word, r.predicted) for r in known)
    words = [w for w in LOOKS if any(w in pair for pair in pairs)]
    right, decided = results.agreement
    return Table(
        caption="Points by the verdict measured, and by the one predicted without running",
        columns=("measured", *(f"predicted {w}" for w in words)),
        rows=[(w, *(str(pairs[w, p]) for p in words)) for w in words],
        numbers=frozenset(range(1, len(words) + 1)),
        note=f"{right:,} of {decided:,} decided points as predicted.",
    )


def frontier_table(found: Frontier) -> Table:
    """Return the smallest widths that pass, what contradicts monotony, and where the width below parts."""
    kinds = (("smallest that passes", found.minima), ("contradicts monotony", found.exceptions))
    others = ", ".join(f"{name} {shown(value)}" for name, value in found.others.items())
    notes = [f"{found.judged:,} points judged."]
    if not found.minima:
        notes.append("None passes.")
    if not found.is_confirmed:
        notes.append("Monotony is assumed, not confirmed.")
    notes += [_counterexample(c) for c in found.counterexamples]
    return Table(
        caption=f"Fewest bits{f', {others}' if others else ''}",
        columns=(*found.axes, "total bits", "answer", "largest difference, Hz", "what it is"),
        rows=[_judged(one, found, kind) for kind, judged in kinds for one in judged],
        numbers=frozenset({*range(len(found.axes) + 1), len(found.axes) + 2}),
        note=" ".join(notes),
    )


def _judged(one: Judged, found: Frontier, kind: str) -> list[Cell]:
    difference = one.worst_difference_hz
    return [
        *(str(one.widths[axis]) for axis in found.axes),
        str(one.total),
        answer(one.word),
        NONE if difference is None else signed(difference, 2).removeprefix("+"),
        kind,
    ]


def _counterexample(c: Counterexample) -> str:
    widths = ", ".join(f"{axis} {width}" for axis, width in c.widths.items())
    return f"Just below, with {widths} bits: {c.sentence}."
