"""The panels of the figure of one comparison, one function each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neuroemu.comparison import Comparison
from neuroemu.engine.run import Run
from neuroemu.experiment import Question
from neuroemu.metrics.intervals import Estimate
from neuroemu.report import curves
from neuroemu.report.style import (
    BAND_ALPHA,
    BLUE,
    CONTROL,
    GREY,
    MARGIN_ALPHA,
    PALE,
    REFERENCE,
    SETTLING,
    SMALL_PT,
    TARGET,
    VERMILLION,
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
    records = [c.runs[rung].weights[question.projection] for rung in ("ideal", "fixed")]
    synapses = curves.drawn_synapses(*records)
    for rung, record, series in zip(("ideal", "fixed"), records, (REFERENCE, TARGET), strict=True):
        run = c.runs[rung]
        times, values = curves.staircase(run, record, 0, int(synapses[0]))
        line = series.line(0.6) | {"linestyle": "solid", "alpha": 0.75}
        axes.plot(times, values, drawstyle="steps-post", zorder=2, gid=f"{rung} trial", **line)
        if c.trials * synapses.size > 1:
            at, steps = curves.sample_grid(run)
            samples = curves.weight_samples(record, synapses, steps)
            _spread(axes, at, samples.reshape(-1, at.size), series, rung, "median")
    _weight_limits(axes, c, question)
    axes.set_ylabel("plastic weight\n(membrane unit)")


def draw_stimulus(axes: Axes, c: Comparison, question: Question) -> None:
    """Draw the rate of the varying stimulus, phases labelled."""
    edges, rates = curves.phase_rates_hz(c.experiment)
    axes.plot(
        edges,
        np.append(rates, rates[-1]),
        drawstyle="steps-post",
        color=GREY,
        lw=1.3,
        gid="stimulus",
    )
    axes.set_ylim(0.0, 1.75 * max(float(rates.max()), 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.set_ylabel("stimulus\n(Hz)")
    for label, middle in zip(_phase_labels(axes, edges, rates), _middles(edges), strict=False):
        axes.text(
            *(middle, 0.93, label),
            **{"transform": axes.get_xaxis_transform(), "ha": "center", "va": "top"},
            fontsize=SMALL_PT,
        )


def draw_rates(axes: Axes, c: Comparison, question: Question) -> None:
    """Draw smoothed output rates, and each phase's mean with its interval."""
    _set_point(axes, c.decision.set_point_hz, c.decision.margin_hz)
    shown = (
        ("control", "fixed", question.control, CONTROL),
        ("ideal", "ideal", question.population, REFERENCE),
        ("fixed", "fixed", question.population, TARGET),
    )
    for gid, rung, population, series in shown:
        times, rates = curves.smoothed_rates(c.runs[rung], population, c.experiment.record)
        _spread(axes, times, rates, series, gid, "mean")
    counted = _counted(c, question)
    for shift, name, series in (
        (-0.16, "reference", REFERENCE),
        (0.0, "target", TARGET),
        (0.16, "control", CONTROL),
    ):
        at = [a + (0.5 + shift) * (b - a) for a, b in counted]
        draw_estimates(axes, at, [getattr(p, name) for p in c.phases], series, gid=f"{name} phases")
    axes.set_ylim(bottom=0.0)
    size = c.experiment.populations[question.population].size
    axes.set_ylabel("output rate\n(Hz)" if size == 1 else "output rate\nper neuron (Hz)")


def draw_differences(axes: Axes, c: Comparison, question: Question) -> None:
    """Draw what the verdict rests on: target minus reference in each phase, against the margin."""
    _set_point(axes, 0.0, c.decision.margin_hz)
    reach = [c.decision.margin_hz]
    for i, ((start, stop), phase) in enumerate(zip(_counted(c, question), c.phases, strict=True)):
        d = phase.difference
        look = TARGET if phase.within_margin else _OUTSIDE
        middle = (start + stop) / 2
        draw_estimates(axes, [middle], [d], look, gid=f"difference {i}", size=5.0)
        text = f"{d.value:+.1f}".replace("-", "\N{MINUS SIGN}")
        axes.annotate(
            *(text, (middle, d.value)),
            **{"xytext": (7, 0), "textcoords": "offset points", "va": "center"},
            fontsize=SMALL_PT,
        )
        reach += [abs(v) for v in (d.value, d.low, d.high) if v is not None]
    lowest = min(
        [-c.decision.margin_hz, *(p.difference.low or p.difference.value for p in c.phases)]
    )
    highest = max(
        [c.decision.margin_hz, *(p.difference.high or p.difference.value for p in c.phases)]
    )
    room = 0.22 * (highest - lowest)
    axes.set_ylim(lowest - room, highest + room)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.set_ylabel("target −\nfloat (Hz)")


_OUTSIDE = Series(colour=VERMILLION, dashes="solid", marker="D", face="white")


def draw_estimates(
    axes: Axes,
    at: Sequence[float],
    estimates: Sequence[Estimate],
    series: Series,
    *,
    gid: str,
    size: float = 4.5,
) -> None:
    """Draw means as points and their intervals, where there are any, as bars."""
    values = np.asarray([e.value for e in estimates])
    low = np.asarray([e.value if e.low is None else e.low for e in estimates])
    high = np.asarray([e.value if e.high is None else e.high for e in estimates])
    drawn = axes.errorbar(at, values, (values - low, high - values), **series.points(size))
    drawn.lines[0].set_gid(gid)


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
    unit, factor = next(
        ((u, f) for u, f in (("s", 1.0), ("ms", 1e3)) if longest * f >= 1.0), ("µs", 1e6)
    )
    ratio = factor / acceleration
    above = axes.secondary_xaxis("top", functions=(lambda t: t * ratio, lambda t: t / ratio))
    above.set_xlabel(f"hardware time ({unit}), {acceleration:g} × faster")
    axes.spines["top"].set_visible(True)


def _weight_limits(axes: Axes, c: Comparison, question: Question) -> None:
    rule = c.experiment.projections[question.projection].plasticity
    if rule is None:
        return
    record = c.runs["fixed"].weights[question.projection]
    span = rule.w_max - rule.w_min
    axes.set_ylim(rule.w_min - 0.04 * span, rule.w_max + 0.16 * span)
    axes.axhline(rule.w_max, color=GREY, lw=0.8, ls=(0, (6, 2, 1, 2)), zorder=1, gid="w_max")
    axes.annotate(
        "$w_\\mathrm{max}$",
        *((1.0, rule.w_max),),
        **{"xycoords": axes.get_yaxis_transform(), "xytext": (-2, 1.5)},
        **{"textcoords": "offset points", "ha": "right", "va": "bottom", "color": GREY},
        fontsize=SMALL_PT,
    )
    lsb = record.lsb
    if lsb > 0 and span / lsb <= MOST_CODES:
        codes = axes.secondary_yaxis("right", functions=(lambda w: w / lsb, lambda k: k * lsb))
        codes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        codes.set_ylabel("weight register\n(LSB)")
        axes.spines["right"].set_visible(True)


def _set_point(axes: Axes, value: float, margin: float) -> None:
    axes.axhspan(
        *(value - margin, value + margin),
        **{"facecolor": YELLOW, "edgecolor": "none", "alpha": MARGIN_ALPHA, "zorder": 0.6},
        gid="margin",
    )
    axes.axhline(value, color=GREY, lw=0.8, ls=(0, (6, 2, 1, 2)), zorder=1, gid="set point")


def _spread(
    axes: Axes, times: Any, values: NDArray[np.float64], series: Series, name: str, middle: str
) -> None:
    """Draw the middle of many curves, and the band that holds most of them."""
    centre = np.median(values, axis=0) if middle == "median" else values.mean(axis=0)
    axes.plot(times, centre, zorder=4, gid=f"{name} {middle}", **series.line(1.5))
    if len(values) > 1:
        low, high = np.quantile(values, BAND, axis=0)
        axes.fill_between(
            *(times, low, high),
            **{"facecolor": series.colour, "edgecolor": "none", "alpha": BAND_ALPHA, "zorder": 1.5},
            gid=f"{name} band",
        )


def _counted(c: Comparison, question: Question) -> list[tuple[float, float]]:
    """Start and stop of what is counted of each phase, s."""
    edges = np.asarray(c.experiment.phase_edges_ms()) / 1000.0
    starts = edges[:-1] + question.settle_ms / 1000.0
    return list(zip(starts.tolist(), edges[1:].tolist(), strict=True))


def _middles(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return (edges[:-1] + edges[1:]) / 2


def _phase_labels(axes: Axes, edges: NDArray[np.float64], rates: NDArray[np.float64]) -> list[str]:
    """Return the longest labels that fit above their phases."""
    figure = axes.get_figure(root=True)
    width = axes.get_position().width * (figure.get_size_inches()[0] if figure else 0.0)
    room = np.diff(edges) / (edges[-1] - edges[0]) * width - 0.08
    for form in ("phase {i}: {r:g} Hz", "{i}: {r:g} Hz", "{r:g} Hz", "{r:g}"):
        labels = [form.format(i=i + 1, r=r) for i, r in enumerate(rates)]
        if all(inches(text, SMALL_PT) <= free for text, free in zip(labels, room, strict=True)):
            return labels
    return []
