"""The panels of the figure of one comparison, one function each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neuroemu.comparison import Comparison
from neuroemu.experiment import Question
from neuroemu.metrics.intervals import Estimate
from neuroemu.report import curves
from neuroemu.report.style import (
    BAND_ALPHA,
    BETWEEN,
    CONTROL,
    GREY,
    MARGIN_ALPHA,
    OUTSIDE,
    PALE,
    REFERENCE,
    SETTLING,
    SMALL_PT,
    TARGET,
    YELLOW,
    Series,
)
from neuroemu.report.text import inches

BAND = (0.1, 0.9)
"""Quantiles over trials between which the spread is drawn."""

MOST_CODES = 256
"""A register of more values has no axis of its own: its steps would not be seen."""


def draw_weight(axes: Axes, c: Comparison, question: Question) -> None:
    """Draw the plastic weight: a trial, the median and the spread over trials."""
    records = {rung: c.runs[rung].weights[question.projection] for rung in ("ideal", "fixed")}
    synapses = curves.drawn_synapses(*records.values())
    for (rung, record), series in zip(records.items(), (REFERENCE, TARGET), strict=True):
        run = c.runs[rung]
        times, values = curves.staircase(run, record, 0, int(synapses[0]))
        line = series.line(0.7) | {"linestyle": "solid", "alpha": 0.75, "zorder": 2.0}
        axes.plot(times, values, drawstyle="steps-post", label=f"_{rung} trial", **line)
        if c.trials > 1:
            at, steps = curves.sample_grid(run)
            samples = curves.weight_samples(record, synapses, steps).reshape(-1, at.size)
            middle = np.median(samples, axis=0)
            axes.plot(at, middle, label=f"_{rung} median", **series.line(1.5))
            _band(axes, at, samples, series, rung)
    _weight_scale(axes, c, question)
    axes.set_ylabel("plastic weight\n(membrane unit)")


def draw_stimulus(axes: Axes, c: Comparison, _: Question) -> None:
    """Draw the rate of the varying stimulus, phases labelled."""
    edges, rates = curves.phase_rates_hz(c.experiment)
    held = np.append(rates, rates[-1])
    axes.plot(edges, held, drawstyle="steps-post", color=GREY, linewidth=1.3, label="_stimulus")
    axes.set_ylim(0.0, 1.75 * max(float(rates.max()), 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.set_ylabel("stimulus\n(Hz)")
    forms = ("phase {i}: {r:g} Hz", "{i}: {r:g} Hz", "{r:g} Hz", "{r:g}")
    labels = [[f.format(i=i + 1, r=r) for i, r in enumerate(rates)] for f in forms]
    middles = (edges[:-1] + edges[1:]) / 2
    for at, label in zip(middles, _longest(axes, np.diff(edges), labels), strict=False):
        _write_above(axes, at, label)


def draw_rates(axes: Axes, c: Comparison, question: Question) -> None:
    """Draw smoothed output rates, and each phase's mean with its interval."""
    _set_point(axes, c.decision.set_point_hz, c.decision.margin_hz)
    shown = (
        ("reference", "ideal", question.population, REFERENCE),
        ("target", "fixed", question.population, TARGET),
        ("control", "fixed", question.control, CONTROL),
    )
    counted = _counted(c, question)
    for place, (name, rung, population, series) in enumerate(shown):
        times, rates = curves.smoothed_rates(c.runs[rung], population, c.experiment.record)
        axes.plot(times, rates.mean(axis=0), label=f"_{name} mean", **series.line(1.5))
        if c.trials > 1:
            _band(axes, times, rates, series, name)
        at = [start + (0.34 + 0.16 * place) * (stop - start) for start, stop in counted]
        draw_estimates(
            axes, at, [getattr(p, name) for p in c.phases], series, name=f"{name} phases"
        )
    axes.set_ylim(bottom=0.0)
    size = c.experiment.populations[question.population].size
    axes.set_ylabel("output rate\n(Hz)" if size == 1 else "output rate\nper neuron (Hz)")


def draw_differences(axes: Axes, c: Comparison, question: Question) -> None:
    """Draw what the verdict rests on: target minus reference in each phase, against the margin."""
    margin = c.decision.margin_hz
    _set_point(axes, 0.0, margin)
    counted = _counted(c, question)
    found = [p.difference for p in c.phases]
    middles = [(start + stop) / 2 for start, stop in counted]
    for i, (at, phase) in enumerate(zip(middles, c.phases, strict=True)):
        look = TARGET if phase.within_margin or c.trials < 2 else OUTSIDE
        draw_estimates(
            axes, [at], [phase.difference], look, name=f"difference {i}", size=3.2, caps=4.0
        )
    bounds = [b for e in found for b in (e.value, e.low, e.high) if b is not None]
    lowest, highest = min(-margin, *bounds), max(margin, *bounds)
    span = highest - lowest
    axes.set_ylim(lowest - 0.12 * span, highest + 0.4 * span)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_ylabel("target minus\nfloat (Hz)")
    labels = [[difference_text(e) for e in found], [_signed(e.value) for e in found]]
    lengths = np.asarray([stop - start for start, stop in counted])
    written = _longest(axes, lengths, labels)
    for at, phase, label in zip(middles, c.phases, written, strict=False):
        outside = not phase.within_margin and c.trials > 1
        _write_above(axes, at, label, color=OUTSIDE.colour if outside else "black")


def draw_estimates(
    axes: Axes,
    at: Sequence[float],
    estimates: Sequence[Estimate],
    series: Series,
    *,
    name: str,
    size: float = 4.5,
    caps: float = 2.2,
) -> None:
    """Draw means as points and their intervals, where there are any, as bars."""
    values = np.asarray([e.value for e in estimates])
    low = np.asarray([e.value if e.low is None else e.low for e in estimates])
    high = np.asarray([e.value if e.high is None else e.high for e in estimates])
    # Bars of given length must not be negative, which the mean of an interval may be by a rounding.
    lengths = np.maximum((values - low, high - values), 0.0)
    bars = None if all(e.low is None for e in estimates) else lengths
    drawn = axes.errorbar(at, values, bars, capsize=caps, **series.points(size))
    drawn.lines[0].set_label(f"_{name}")
    drawn.lines[0].set_clip_on(False)  # a rate of 0 Hz lies on the axis


def draw_phases(axes: Axes, c: Comparison, question: Question, *, settling: bool) -> None:
    """Draw the edges between phases and, where rates are counted, the time that is left out."""
    edges, _ = curves.phase_rates_hz(c.experiment)
    for edge in edges[1:-1]:
        axes.axvline(edge, color=PALE, linewidth=0.7, zorder=0.5)
    if settling and question.settle_ms:
        for start, (stop, _) in zip(edges[:-1], _counted(c, question), strict=True):
            axes.axvspan(start, stop, facecolor=SETTLING, edgecolor="none", zorder=0)


def hardware_axis(axes: Axes, c: Comparison) -> None:
    """Show the chip's own time above the axes, where it is not the biological one."""
    acceleration = c.discretized.clock.acceleration
    if acceleration == 1.0:
        return
    longest = c.experiment.time.duration_ms / 1000.0 / acceleration
    units = (("s", 1.0), ("ms", 1e3), ("µs", 1e6))
    unit, factor = next((u for u in units if longest * u[1] >= 1.0), units[-1])
    ratio = factor / acceleration
    above = axes.secondary_xaxis("top", functions=_scale(ratio))
    speed = f"{acceleration:,.0f}" if acceleration >= 10 else f"{acceleration:g}"
    above.set_xlabel(f"hardware time ({unit}), {speed} times as fast")
    axes.spines["top"].set_visible(True)


def code_ticks(lowest: int, highest: int) -> NDArray[np.int64]:
    """Return register codes to write beside an axis: even steps, with both ends where possible.

    >>> code_ticks(0, 15)
    array([ 0,  3,  6,  9, 12, 15])
    >>> code_ticks(0, 63)
    array([ 0, 21, 42, 63])
    """
    span = highest - lowest
    even = [span // n for n in (4, 5, 3, 6) if span and span % n == 0]
    step = even[0] if even else max(1, -(-span // 5))
    return np.arange(lowest, highest + 1, step)


def difference_text(estimate: Estimate) -> str:
    """Return a difference with half the width of its interval, in Hz."""
    if estimate.high is None:
        return _signed(estimate.value)
    half = estimate.high - estimate.value
    digits = 1 if half >= 0.05 else 2
    return f"{_signed(estimate.value, digits)} ± {half:.{digits}f}"


def _weight_scale(axes: Axes, c: Comparison, question: Question) -> None:
    """Set limits, draw w_max, and show register codes where there are few."""
    rule = c.experiment.projections[question.projection].plasticity
    if rule is None:
        return
    span = rule.w_max - rule.w_min
    axes.set_ylim(rule.w_min - 0.05 * span, rule.w_max + 0.17 * span)
    axes.axhline(rule.w_max, color=GREY, linewidth=0.8, linestyle=BETWEEN, zorder=1, label="_w_max")
    axes.annotate(
        r"$w_\mathrm{max}$",
        (1.0, rule.w_max),
        xycoords=axes.get_yaxis_transform(),
        xytext=(-2, 1.5),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=GREY,
        fontsize=SMALL_PT,
        parse_math=True,
    )
    lsb = c.runs["fixed"].weights[question.projection].lsb
    if lsb > 0 and span / lsb <= MOST_CODES:
        codes = axes.secondary_yaxis("right", functions=_scale(1.0 / lsb))
        last = min(int(rule.w_max / lsb + 1e-9), c.target.plasticity.weight.format.hi)
        codes.set_yticks(code_ticks(round(rule.w_min / lsb), last))
        codes.set_ylabel("weight register\n(LSB)")
        axes.spines["right"].set_visible(True)


def _scale(factor: float) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return a change of unit and its inverse."""
    return (lambda value: value * factor, lambda value: value / factor)


def _set_point(axes: Axes, value: float, margin: float) -> None:
    axes.axhspan(
        value - margin,
        value + margin,
        facecolor=YELLOW,
        edgecolor="none",
        alpha=MARGIN_ALPHA,
        zorder=0.6,
        label="_margin",
    )
    axes.axhline(value, color=GREY, linewidth=0.8, linestyle=BETWEEN, zorder=1, label="_set point")


def _band(
    axes: Axes,
    times: NDArray[np.float64],
    values: NDArray[np.float64],
    series: Series,
    name: str,
) -> None:
    """Draw the band that holds most of many curves."""
    low, high = np.quantile(values, BAND, axis=0)
    axes.fill_between(
        times,
        low,
        high,
        facecolor=series.colour,
        edgecolor="none",
        alpha=BAND_ALPHA,
        zorder=1.5,
        label=f"_{name} band",
    )


def _counted(c: Comparison, question: Question) -> list[tuple[float, float]]:
    """Start and stop of what is counted of each phase, s."""
    edges = np.asarray(c.experiment.phase_edges_ms()) / 1000.0
    starts = edges[:-1] + question.settle_ms / 1000.0
    return list(zip(starts.tolist(), edges[1:].tolist(), strict=True))


def _longest(
    axes: Axes, lengths: NDArray[np.float64], candidates: Sequence[Sequence[str]]
) -> Sequence[str]:
    """Return the first labels that fit into stretches of time of these lengths, or none."""
    figure = axes.get_figure(root=True)
    start, stop = axes.get_xlim()
    width = axes.get_position().width * (figure.get_size_inches()[0] if figure else 0.0)
    room = lengths / (stop - start) * width - 0.08
    for labels in candidates:
        if all(inches(text, SMALL_PT) <= free for text, free in zip(labels, room, strict=True)):
            return labels
    return ()


def _write_above(axes: Axes, at: float, text: str, color: str = "black") -> None:
    """Write a label inside the axes, at their top."""
    axes.text(
        at,
        0.94,
        text,
        transform=axes.get_xaxis_transform(),
        ha="center",
        va="top",
        fontsize=SMALL_PT,
        color=color,
    )


def _signed(value: float, digits: int = 1) -> str:
    text = f"{value:+.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}") if float(text) else text[1:]
