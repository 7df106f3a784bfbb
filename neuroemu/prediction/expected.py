"""The rates that an experiment has on average in one arithmetic: docs/spec/prediction.md."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from neuroemu.experiment import Experiment, Poisson
from neuroemu.models.arithmetic import Arithmetic
from neuroemu.prediction.arrivals import OutOfScopeError
from neuroemu.prediction.course import Stretch, follow
from neuroemu.prediction.network import Network
from neuroemu.prediction.period_chain import Balance

MOST_MIXTURES = 16
"""Different combinations of input rates that are analysed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Mean rates in each phase.

    Parameters
    ----------
    rates_hz, control_hz : tuple of float
    balances : tuple of Balance
        Where periodic updates balance, in each phase; empty if event-driven.
    is_rough : bool
        Whether an increment of periodic updates is a large part of the weight's range.
    """

    rates_hz: tuple[float, ...]
    control_hz: tuple[float, ...]
    balances: tuple[Balance, ...] = ()
    is_rough: bool = False


def expected(experiment: Experiment, a: Arithmetic, *, plus: float, minus: float) -> Expected:
    """Return the mean rates that follow from `a`.

    Parameters
    ----------
    experiment : Experiment
        It asks a question.
    a : Arithmetic
        Any rung.
    plus, minus : float
        Mean change of a stored weight on a presynaptic and a postsynaptic spike.

    Raises
    ------
    OutOfScopeError
        If the analysis does not cover it.
    """
    network = Network(experiment, a, plus, minus)
    stretches = _stretches(experiment, a, network.stimuli)
    mixtures = dict.fromkeys(s.rates for s in stretches)
    flows = {rates: network.flow(rates) for rates in mixtures}
    to_hz = 1000.0 / float(a.clock.step_ms)
    phases = len(experiment.phase_edges_ms()) - 1
    spikes = follow(
        stretches, {r: f for r, (f, _) in flows.items()}, network.learning.start, phases
    )
    control = {rates: network.control_flow(rates) for rates in mixtures}
    control_spikes = follow(stretches, control, np.ones(1), phases)
    found = [flows[s.rates][1] for s in stretches if s.phase >= 0]
    return Expected(
        rates_hz=tuple((spikes * to_hz).tolist()),
        control_hz=tuple((control_spikes * to_hz).tolist()),
        balances=tuple(_in_hz(b, to_hz) for b in found if b is not None),
        is_rough=network.learning.is_rough,
    )


def _in_hz(found: Balance, to_hz: float) -> Balance:
    return found if found.rate is None else replace(found, rate=found.rate * to_hz)


def _stretches(experiment: Experiment, a: Arithmetic, names: tuple[str, ...]) -> list[Stretch]:
    """Return the experiment in pieces of constant rates, each wholly counted or wholly left out."""
    edges = experiment.phase_edges_ms()
    settle = experiment.question.settle_ms if experiment.question else 0.0
    step_ms = float(a.clock.step_ms)

    def at(ms: float) -> int:
        return math.ceil(ms / step_ms - 1e-9)

    phases = [(at(start + settle), at(stop)) for start, stop in pairwise(edges)]
    cuts = {0, a.clock.n_steps, *(at(edge) for edge in edges), *(start for start, _ in phases)}
    for name in names:
        interval = experiment.stimuli[name].interval_ms
        if interval is not None:
            last = min(len(experiment.stimuli[name].rates_hz), at(edges[-1]) + 1)
            cuts |= {at(i * interval) for i in range(1, last)}
    ordered = sorted(c for c in cuts if c <= a.clock.n_steps)
    stretches = []
    for start, stop in pairwise(ordered):
        inside = [p for p, (low, high) in enumerate(phases) if low <= start and stop <= high]
        rates = tuple(_rate_at(experiment.stimuli[name], start * step_ms) for name in names)
        stretches.append(
            Stretch(steps=stop - start, rates=rates, phase=inside[0] if inside else -1)
        )
    if len({s.rates for s in stretches}) > MOST_MIXTURES:
        raise OutOfScopeError(f"the stimuli take more than {MOST_MIXTURES} combinations of rates")
    return stretches


def _rate_at(stimulus: Poisson, ms: float) -> float:
    if stimulus.interval_ms is None:
        return stimulus.rates_hz[0]
    index = int((ms + 1e-9) // stimulus.interval_ms)
    return stimulus.rates_hz[min(index, len(stimulus.rates_hz) - 1)]
