"""What the terminal shows: tables of at most 100 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.report.console import WIDTH as WIDTH
from neuroemu.report.console import console as console
from neuroemu.report.console import verdict_text as verdict_text

if TYPE_CHECKING:
    from neuroemu.comparison import Comparison


def side_by_side(comparisons: Sequence[Comparison]) -> RenderableType:
    """Return one table over all targets, and each verdict's reason below it."""
    first = comparisons[0]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("rate, Hz")
    table.add_column("verdict")
    for label in phase_labels(first.experiment):
        table.add_column(label, justify="right")
    table.add_column("predicted", justify="right")
    reference = [p.reference.value for p in first.phases]
    table.add_row(
        "float reference", "", *(f"{r:.1f}" for r in reference), _hz(first.decision.set_point_hz)
    )
    control = first.control["ideal"].mean(axis=0)
    table.add_row("without homeostasis", "", *(f"{r:.1f}" for r in control), "", end_section=True)
    for c in comparisons:
        cells = []
        for phase in c.phases:
            cell = Text(f"{phase.target.value:.1f}")
            if not phase.within_margin:
                cell.stylize("bold red")
            cells.append(cell)
        table.add_row(
            c.target.name, verdict_text(c.verdict), *cells, _hz(c.prediction.set_point_hz)
        )
    reasons = [Text.assemble((c.target.name, "bold"), "  ", c.sentence) for c in comparisons]
    return Group(Text(_title(first)), table, *reasons)


def phase_labels(experiment: Experiment) -> list[str]:
    """Return the stimulus rate of each phase."""
    question = experiment.question
    if question is None:
        return []
    rates = experiment.stimuli[question.stimulus].rates_hz
    phases = len(experiment.phase_edges_ms()) - 1
    return [f"at {rates[min(i, len(rates) - 1)]:g}" for i in range(phases)]


def details(c: Comparison) -> RenderableType:
    """Return the tables of a single target: constants, rungs, sites, and what diverged first."""
    parts: list[RenderableType] = [_constants(c), _rungs(c)]
    sites = _sites(c)
    if sites is not None:
        parts.append(sites)
    parts.append(Text("\n".join(_facts(c))))
    return Group(*parts)


def _title(c: Comparison) -> str:
    seconds = c.experiment.time.duration_ms / 1000
    return (
        f"{c.experiment.title}: {seconds:g} s biological, {c.trials} "
        f"trial{'s' if c.trials > 1 else ''}, seed {c.seed}; rates by stimulus rate"
    )


def _hz(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _constants(c: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="Constants", title_justify="left")
    for name in ("constant", "asked", "realised", "error", "register", "raw", "flags"):
        table.add_column(
            name, justify="right" if name in ("asked", "realised", "error", "raw") else "left"
        )
    for k in c.discretized.constants:
        error = "exact" if k.relative_error == 0 else f"{100 * k.relative_error:+.3g} %"
        table.add_row(
            k.key.removeprefix("populations.").removeprefix("projections."),
            f"{k.asked:.6g}",
            f"{k.realised:.6g}",
            error,
            k.register.removeprefix("fxp-") or "analog",
            "" if k.raw is None else str(k.raw),
            Text(" ".join(k.flags), style="yellow"),
        )
    return table


def _rungs(c: Comparison) -> Table:
    title = "Attribution: what each step of the ladder changes, Hz"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    table.add_column("rung")
    for label in phase_labels(c.experiment):
        table.add_column(label, justify="right")
    for step in (*c.attribution.steps, c.attribution.whole):
        name = "whole" if step is c.attribution.whole else f"{step.previous} -> {step.rung}"
        table.add_row(name, *(f"{p.value:+.2f}" for p in step.phases))
    return table


def _sites(c: Comparison) -> Table | None:
    rows = []
    for name, did in c.runs["fixed"].sites.items():
        if did["overflowed"] or did["lost"]:
            cells = [name]
            for what in ("overflow", "lost"):
                number = did["overflowed" if what == "overflow" else "lost"]
                cells += [
                    f"{number:,}" if number else "",
                    str(did[f"{what}_step"] or "") if number else "",
                ]
            rows.append(cells)
    if not rows:
        return None
    title = "Sites that lost something, over all trials"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    table.add_column("site")
    for column in ("overflowed", "first step", "rounded away", "first step"):
        table.add_column(column, justify="right")
    for cells in rows:
        table.add_row(*cells)
    return table


def _facts(c: Comparison) -> list[str]:
    d = c.discretized
    step = float(d.clock.step_ms)
    lines = [
        f"Time       a step is {step:g} ms biological, {d.clock.hardware_us(step):g} us hardware; "
        f"the whole run {d.clock.hardware_us(step * d.clock.n_steps) / 1000:g} ms hardware"
    ]
    if d.clock.period_steps:
        period = step * d.clock.period_steps
        lines.append(
            f"           weights are updated every {period:g} ms biological, "
            f"{d.clock.hardware_us(period):g} us hardware"
        )
    if c.runs["fixed"].input_coincidences:
        lines.append(
            f"           {c.runs['fixed'].input_coincidences} input spikes share a tick with another of "
            "their source"
        )
    if c.weight_error:
        error = c.weight_error
        lines.append(
            f"Weight     against float: mean {error['mean']:+.2f} LSB, rms {error['rms']:.2f}, "
            f"largest {error['max_abs']:.2f}"
        )
    for rung, label in (("ideal", "float"), ("fixed", "target")):
        if rung in c.settling_ms:
            times = ", ".join(
                "never" if t is None else f"{t / 1000:.2f}" for t in c.settling_ms[rung]
            )
            lines.append(f"Settling   {label}: {times} s in the phases (median over trials)")
    if c.divergence:
        lines.append(
            f"Diverges   first in step {c.divergence.step} ({c.divergence.time_ms:g} ms) of trial "
            f"{c.divergence.trial}: {c.divergence.register}, by {c.divergence.site}"
        )
    if c.blame:
        lines.append(f"Blame      {c.blame.site or 'no single site'} (rung {c.blame.rung})")
    return lines


def target_list(targets: Sequence[Target]) -> Table:
    """Return a table of targets, one line each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("target", "membrane", "weights", "learning", "speed", "exactness"):
        table.add_column(column, no_wrap=True)
    for t in targets:
        rounding = t.plasticity.weight.rounding
        table.add_row(
            Text(t.name, style="bold"),
            "analog" if t.membrane.arithmetic == "analog" else _short(t.membrane.format),
            f"{_short(t.plasticity.weight.format)} {rounding}",
            t.plasticity.update,
            f"{t.time.acceleration:g} x",
            t.exactness,
        )
    return table


def target_detail(target: Target) -> RenderableType:
    """Return every number of a target with its source."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("key")
    table.add_column("value")
    table.add_column("source", overflow="fold")
    skipped = {"name", "title", "summary", "sources", "exactness"}
    data = target.model_dump(mode="json", exclude_none=True, exclude=skipped)
    for key, value in leaves(data):
        source = source_of(target, key)
        table.add_row(
            key, str(value), Text(source, style="dim" if source.startswith("assumed") else "")
        )
    head = Text.assemble(
        (target.title, "bold"), f"  ({target.exactness})\n", " ".join(target.summary.split())
    )
    return Group(head, table)


def source_of(target: Target, key: str) -> str:
    """Return where a number of a target is from: its own source, or that of a table above it."""
    parts = key.split(".")
    for end in range(len(parts), 0, -1):
        source = target.sources.get(".".join(parts[:end]))
        if source is not None:
            return source
    return "default"


def leaves(data: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return the entries of nested tables by dotted key."""
    found: list[tuple[str, Any]] = []
    for key, value in data.items():
        if isinstance(value, dict):
            found += leaves(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, value))
    return found


def _short(form: Any) -> str:
    return str(form).removeprefix("fxp-")
