"""What the terminal shows of a certificate and of a replay."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from neuroemu.verification.certificate import Certificate, Result
    from neuroemu.verification.replay import Replay, Row

TITLES = {
    "emulator": "The emulator: laws that must never fail",
    "arithmetic": "This arithmetic: laws that a chip may break",
}
MOST_ROWS = 24
"""Rows of a replay that are shown without --steps."""


def certificate(c: Certificate, files: dict[str, Path]) -> RenderableType:
    """Return the tables of a certificate, what is broken as sentences, and where the cases are.

    Parameters
    ----------
    c : Certificate
    files : dict of str to Path
        The counterexample of each broken law.
    """
    from neuroemu import __version__

    head = Text.assemble(
        (f"{c.target.name}: ", "bold"),
        f"{c.target.title}\nconstants of {c.experiment.name}, {c.examples} cases for the sampled laws, seed {c.seed}, "
        f"neuroemu {__version__}, {c.seconds:.1f} s",
    )
    parts: list[RenderableType] = [head]
    parts += [_laws(c, kind) for kind in TITLES]
    parts += _sentences("neuroemu is wrong", c.faults, "red")
    parts += _sentences("Findings", c.findings, "yellow")
    if c.untried:
        parts.append(Text(f"Not tried: {', '.join(c.untried)}\n", "yellow"))
    parts.append(_summary(c))
    if files:
        folder = next(iter(files.values())).parent
        parts.append(Text(f"Step by step: neuroemu replay {folder}/<law>.json", no_wrap=True))
    return Group(*parts)


def _laws(c: Certificate, kind: str) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=TITLES[kind], title_justify="left")
    for name in ("law", "", "tried"):
        table.add_column(name)
    for r in c.results:
        if r.law.kind == kind and r.outcome.status != "does not apply":
            table.add_row(r.law.name, _status(r), _tried(r))
    rest: dict[str, list[str]] = {}
    for r in c.results:
        if r.law.kind == kind and r.outcome.status == "does not apply":
            rest.setdefault(r.outcome.text, []).append(r.law.name)
    lines = [Text(f"Not applied, {why}: {', '.join(names)}", "dim") for why, names in rest.items()]
    return Group(table, *lines, Text(""))


def _status(r: Result) -> Text:
    if not r.is_broken:
        return Text("✓ holds", "green")
    if r.law.kind == "emulator":
        return Text("✗ BROKEN", "bold red")
    return (
        Text("· small finding", "dim yellow")
        if r.outcome.is_small
        else Text("! finding", "bold yellow")
    )


def _tried(r: Result) -> str:
    o = r.outcome
    if o.how == "proof":
        return f"proof: all {o.cases:,} cases" if o.cases else "proof: closed form"
    words = {
        "sampled": f"{o.cases:,} sampled cases",
        "statistical": f"{o.cases:,} words",
        "trials": f"{o.cases} trials of the experiment",
    }
    return f"{words[o.how]}; {o.text}" if o.text and not r.is_broken else words[o.how]


def _sentences(title: str, results: Sequence[Result], colour: str) -> list[RenderableType]:
    if not results:
        return []
    lines: list[RenderableType] = [Text(title, f"bold {colour}")]
    for r in results:
        small = " (small)" if r.outcome.is_small else ""
        head = (f"{r.law.name}{small}", "bold")
        lines.append(Text.assemble(head, f"  broken: {r.law.sentence}\n{r.outcome.text}"))
    lines.append(Text(""))
    return lines


def _summary(c: Certificate) -> Text:
    kept = [r for r in c.results if r.outcome.status == "holds"]
    proofs = sum(r.outcome.how == "proof" for r in kept)
    n = len(c.findings)
    text = f"{len(kept)} laws hold, {proofs} of them by proof; {n or 'no'} finding{'s' if n != 1 else ''}"
    if c.faults:
        return Text(f"{text}; the emulator is wrong, please report it", "bold red")
    which = "that was tried is broken" if c.untried else "is broken"
    return Text(f"{text}; no law of the emulator {which}")


def replay(r: Replay, steps: tuple[int, int] | None) -> RenderableType:
    """Return the steps of a replay as a table, and whether the law is still broken.

    Parameters
    ----------
    r : Replay
    steps : (int, int), optional
        First step and the one after the last; the first rows and the last ones if left out.
    """
    from neuroemu import __version__

    c = r.counterexample
    head = Text.assemble(
        (c.law.name, "bold"),
        f"  {c.law.sentence}\n{c.case.target.name}, {r.n_steps} steps, {c.case.trials} "
        f"trial{'s' if c.case.trials > 1 else ''}, seed {c.case.seed}; found by neuroemu {c.version}:\n{c.text}",
    )
    verdict = (
        Text(f"neuroemu {__version__}: the law holds in this case", "green")
        if r.verdict is None
        else Text(f"neuroemu {__version__}: still broken. {r.verdict}", "yellow")
    )
    return Group(head, *_steps(r, steps), verdict)


def _steps(r: Replay, steps: tuple[int, int] | None) -> list[RenderableType]:
    rows = r.rows
    if steps is not None:
        rows = [row for row in rows if steps[0] <= row.step < steps[1]]
    left_out = 0
    if steps is None and len(rows) > MOST_ROWS:
        left_out = len(rows) - MOST_ROWS
        rows = rows[: MOST_ROWS - 6] + rows[-6:]
    if not rows:
        return [
            Text(
                "No site met a value other than 0." if steps is None else "Nothing in these steps."
            )
        ]
    several = r.counterexample.case.trials > 1
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    columns = ("step", "trial") if several else ("step",)
    for name in (*columns, "site", "where", "input", "exact LSB", "stored", "lost", "value", ""):
        is_text = name in ("site", "where", "")
        table.add_column(name, justify="left" if is_text else "right", overflow="fold")
    for i, row in enumerate(rows):
        if left_out and i == MOST_ROWS - 6:
            table.add_row("...", end_section=True)
        table.add_row(*_cells(row, several=several))
    parts: list[RenderableType] = [table]
    if left_out:
        parts.append(Text(f"{left_out} values left out; --steps A:B shows the steps A to B - 1"))
    return parts


def _cells(row: Row, *, several: bool) -> list[str]:
    trial = [str(row.trial)] if several else []
    lost = "" if row.lost == 0 else _decimal(row.lost, sign="+")
    return [
        str(row.step), *trial, row.site, row.place, str(row.wide), _decimal(row.exact),
        str(row.stored), lost, f"{row.value:.6g}", row.mark,
    ]  # fmt: skip


def _decimal(value: Fraction, sign: str = "") -> str:
    """Return a fraction exactly where six digits do, else rounded to them."""
    text = f"{float(value):{sign}.6g}"
    return text if value.denominator > 1 or abs(value) >= 10**6 else f"{int(value):{sign}d}"
