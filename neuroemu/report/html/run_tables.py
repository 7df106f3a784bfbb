"""The tables of a run's report."""

from __future__ import annotations

from neuroemu.experiment import Experiment
from neuroemu.feasibility.constants import rows
from neuroemu.metrics.verdict import Decision, PhaseResult
from neuroemu.models.constants import COARSE
from neuroemu.report.html.parts import Cell, Mark, Table
from neuroemu.report.html.quantities import NONE, percent, plain, signed, tight, with_interval
from neuroemu.report.html.saved import SavedRun

FLAGS = {
    "zeroed": "the register holds 0",
    "saturated": "it does not fit its register",
    "coarse": f"more than {100 * COARSE:g} % off",
    "clipped_limit": "a limit off the weight's grid",
}
RUNGS = {
    "parameters": "constants and time grid as the chip has them",
    "range": "limits of the registers",
    "fixed": "rounding in every step",
}


def stimulus_rates(experiment: Experiment) -> list[float]:
    """Return the stimulus rate of each phase, Hz; none without a question."""
    if experiment.question is None:
        return []
    rates = experiment.stimuli[experiment.question.stimulus].rates_hz
    phases = len(experiment.phase_edges_ms()) - 1
    return [rates[min(i, len(rates) - 1)] for i in range(phases)]


def stimulus_titles(experiment: Experiment) -> list[str]:
    """Return a title for each phase."""
    return [f"{rate:g}\N{NO-BREAK SPACE}Hz" for rate in stimulus_rates(experiment)]


def level(decision: Decision) -> str:
    """Return how sure the intervals are."""
    return f"{100 * (1 - 2 * decision.alpha):g} %"


def phase_table(run: SavedRun, *, of: str = "", note: str = "") -> Table:
    """Return the rates of each phase, and what is shown of each difference."""
    decision = run.decision
    margin = f"±{decision.margin_hz:g}\N{NO-BREAK SPACE}Hz"
    stimuli = stimulus_titles(run.experiment)
    body = [
        (
            f"{i + 1}: {stimuli[i]}",
            f"{p.target.value:.1f}",
            f"{p.reference.value:.1f}",
            f"{p.control.value:.1f}",
            with_interval(p.difference, 1),
            within(p, decision.margin_hz),
        )
        for i, p in enumerate(decision.phases)
    ]
    return Table(
        caption=f"Mean rate in each phase{of}, in float and of the control without homeostasis, Hz",
        columns=(
            *("phase: stimulus", "target", "float", "control", "target − float"),
            f"within {margin}",
        ),
        rows=body,
        numbers=frozenset(range(1, 5)),
        note=note,
    )


def within(phase: PhaseResult, margin_hz: float) -> Mark:
    """Return whether a phase is within the margin: shown, shown not to be, or neither."""
    if phase.within_margin:
        return Mark(look="good", sign="✓", word="within")
    d = phase.difference
    if d.above(margin_hz) or (d.high is not None and d.high < -margin_hz):
        return Mark(look="bad", sign="✗", word="outside")
    return Mark(look="open", sign="?", word="not shown")


def phase_note(run: SavedRun) -> str:
    """Return how the phases are counted and judged."""
    decision, question = run.decision, run.experiment.question
    parts = []
    if decision.trials > 1:
        parts.append(
            f"Target minus float is paired by input spikes, with its {level(decision)} interval over "
            f"{decision.trials} trials. Within: all of the interval lies within ±{decision.margin_hz:g} Hz. Outside: "
            "none of it. Not shown: a part."
        )
    if question is not None and question.settle_ms:
        parts.append(
            f"The first {question.settle_ms / 1000:g} s of each phase are settling, not counted."
        )
    closed = [str(i + 1) for i, p in enumerate(decision.phases) if not p.open]
    if closed:
        where = f"phase{'s' if len(closed) > 1 else ''} {', '.join(closed)}"
        parts.append(
            f"In {where} the control alone fires at the set point or above: the rule has nothing to add."
        )
    return tight(" ".join(parts))


def constants_table(run: SavedRun) -> Table:
    """Return every constant as asked and as the chip has it."""
    body: list[tuple[Cell, ...]] = []
    for row in rows(run.constants):
        k = row.constant
        unit = f" {k.unit}" if k.unit else ""
        flags: Cell = ""
        if k.flags:
            flags = Mark(look="open", sign="!", word=" ".join(k.flags))
        body.append(
            (
                row.name,
                ", ".join(row.owners),
                f"{plain(k.asked)}{unit}",
                f"{plain(k.realised)}{unit}",
                percent(k.relative_error),
                k.register or "analog",
                NONE if k.raw is None else str(k.raw),
                flags,
            )
        )
    seen = [f for f in FLAGS if any(f in k.flags for k in run.constants)]
    return Table(
        caption="Constants of the experiment, as asked and as the chip has them",
        columns=("constant", "of", "asked", "realised", "error", "register", "raw", "flags"),
        rows=body,
        numbers=frozenset({2, 3, 4, 6}),
        note="; ".join(f"{f}: {FLAGS[f]}" for f in seen),
    )


def attribution_table(run: SavedRun) -> Table:
    """Return the difference of rates from rung to rung."""
    split = run.attribution
    steps = [(f"{s.previous} → {s.rung}", RUNGS.get(s.rung, ""), s) for s in split.steps]
    whole = ("whole", "target − float", split.whole)
    return Table(
        caption="Difference of rates by stimulus, step by step from the float reference to the target, Hz",
        columns=(
            *("step", "what it adds"),
            *stimulus_titles(run.experiment),
        ),
        rows=[
            (name, what, *(signed(p.value, 2) for p in s.phases))
            for name, what, s in (*steps, whole)
        ],
        numbers=frozenset(range(2, 2 + len(split.whole.phases))),
    )


def sites_table(run: SavedRun) -> Table | None:
    """Return what the sites lost, None if none did."""
    step_ms = run.time["step_ms_biological"]
    body = []
    for name, did in run.sites.items():
        if did["overflowed"] or did["lost"]:
            cells = [
                _count(did[number], did[first], step_ms)
                for number, first in (("overflowed", "overflow_step"), ("lost", "lost_step"))
            ]
            body.append((name, run.site_words[name], *(c for pair in cells for c in pair)))
    if not body:
        return None
    return Table(
        caption="Sites that lost something on the target, over all trials",
        columns=("site", "what it is", "overflowed", "first at", "rounded away", "first at"),
        rows=body,
        numbers=frozenset(range(2, 6)),
    )


def _count(number: int | None, first: int | None, step_ms: float) -> tuple[str, str]:
    if not number:
        return "0", NONE
    if first is None:
        return f"{number:,}", NONE
    return f"{number:,}", f"step {first:,} ({first * step_ms / 1000:.6g} s)"
