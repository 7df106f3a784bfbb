"""The rates that an experiment has on average in one arithmetic: docs/spec/prediction.md."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from neuroemu.experiment import Experiment, Poisson
from neuroemu.models.homeostasis import HomeostasisSites
from neuroemu.models.rungs import Arithmetic
from neuroemu.models.synapse import SynapseSites
from neuroemu.numeric.site import WORD_BITS, Fixed, Round
from neuroemu.prediction.arrivals import (
    Afferents,
    Arrivals,
    OutOfScopeError,
    afferents,
    arrivals,
)
from neuroemu.prediction.course import Flow, Stretch, follow
from neuroemu.prediction.held import static_rate
from neuroemu.prediction.membrane_chain import MembraneChain, Neuron, membrane_chain
from neuroemu.prediction.period_chain import Balance
from neuroemu.prediction.weight_chain import Synapse, held_level, mean_drive
from neuroemu.prediction.weight_course import Learning, Sweep, learning

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
    network = _Network(experiment, a, plus, minus)
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


class _Network:
    """The neuron of the question and its control, in one arithmetic."""

    def __init__(self, experiment: Experiment, a: Arithmetic, plus: float, minus: float) -> None:
        question = experiment.question
        if question is None:
            raise OutOfScopeError("the experiment asks no question")
        self.experiment, self.a = experiment, a
        self.inputs = afferents(experiment, question.population)
        if self.inputs.plastic != question.projection:
            raise OutOfScopeError(f"{question.projection} does not end at {question.population}")
        self.control_inputs = afferents(experiment, question.control)
        if self.control_inputs.plastic is not None:
            raise OutOfScopeError(f"{question.control} learns as well")
        names = (*self.inputs.static, question.projection, *self.control_inputs.static)
        self.stimuli = tuple(dict.fromkeys(experiment.projections[n].pre for n in names))
        self.drive = SynapseSites(drive=_plain(a.synapse_sites.drive))
        self.learning = self._learning(question.projection, plus, minus)
        self.drives = {
            n: mean_drive(a.synapses[n].weight, a.synapses[n].gain, self.drive)
            for n in {*self.inputs.static, *self.control_inputs.static}
        }
        self.chain = self._chain(question.population, self.inputs)
        same = a.neurons[question.population] == a.neurons[question.control]
        is_shared = same and self.inputs.static == self.control_inputs.static
        self.control = (
            self.chain if is_shared else self._chain(question.control, self.control_inputs)
        )

    def _synapse(self, name: str) -> Synapse | None:
        numbers, a = self.a.synapses[name], self.a
        if numbers.rule is None:
            return None
        draws = min(a.random.output_bits, WORD_BITS) if a.random.source == "lfsr" else WORD_BITS
        return Synapse(
            weight=numbers.weight,
            gain=numbers.gain,
            rule=numbers.rule,
            drive=self.drive,
            sites=HomeostasisSites(*(_plain(site) for site in a.rule_sites)),
            is_integer=a.rung == "fixed",
            random_bits=draws if "store" in a.stochastic else 0,
        )

    def _learning(self, name: str, plus: float, minus: float) -> Learning:
        synapse, a = self._synapse(name), self.a
        if synapse is None:
            numbers = a.synapses[name]
            return Sweep(
                held_level(
                    float(numbers.weight), mean_drive(numbers.weight, numbers.gain, self.drive)
                )
            )
        stimulus = self.experiment.stimuli[self.experiment.projections[name].pre]
        return learning(
            synapse,
            plus=plus,
            minus=minus,
            period=a.clock.period_steps if a.update == "periodic" else 0,
            full=a.counter_overflow,
            most_pre=self._chance(max(stimulus.rates_hz)) * a.clock.input_steps,
        )

    def _chain(self, population: str, inputs: Afferents) -> MembraneChain:
        a = self.a
        neuron = Neuron(
            params=a.neurons[population],
            leak=_plain(a.neuron_sites.leak),
            input=_plain(a.neuron_sites.input),
            is_integer=bool(np.issubdtype(a.membrane, np.integer)),
            is_stochastic="leak" in a.stochastic,
        )
        if neuron.params.threshold < 0:
            raise OutOfScopeError(f"{population} spikes without input: its threshold is below rest")
        if neuron.params.reset > neuron.params.threshold:
            raise OutOfScopeError(f"{population} is reset above its threshold")
        return membrane_chain(neuron, self._lowest(neuron, inputs))

    def _lowest(self, neuron: Neuron, inputs: Afferents) -> float:
        """Return a membrane below which inhibition hardly takes it."""
        reset = min(float(neuron.params.reset), 0.0)
        taken = mean = 0.0
        for name, degree in inputs.static.items():
            stimulus = self.experiment.stimuli[self.experiment.projections[name].pre]
            drive = min(self.drives[name], 0.0)
            taken = min(taken, drive)
            mean += drive * degree * self.a.clock.input_steps * self._chance(max(stimulus.rates_hz))
        if inputs.plastic is not None:
            rule = self.a.synapses[inputs.plastic]
            low = rule.weight
            if rule.rule is not None:
                low = type(low)(rule.rule.w_min / rule.rule.unit)
            taken = min(taken, mean_drive(low, rule.gain, self.drive))
        if taken == 0.0:
            return reset
        mean /= max(1.0 - neuron.multiplier, 1e-3)
        return reset + 4.0 * taken + 2.0 * mean

    def _chance(self, rate_hz: float) -> float:
        return min(rate_hz * self.experiment.time.dt_ms / 1000.0, 1.0)

    def _arrivals(self, inputs: Afferents, rates: tuple[float, ...]) -> Arrivals:
        chances = dict(zip(self.stimuli, map(self._chance, rates), strict=True))
        names = [*inputs.static, *([inputs.plastic] if inputs.plastic else [])]
        return arrivals(
            inputs,
            self.drives,
            {n: chances[self.experiment.projections[n].pre] for n in names},
            self.a.clock.input_steps,
        )

    def control_flow(self, rates: tuple[float, ...]) -> Flow:
        """Return the control in time, which has one state."""
        rate = static_rate(self.control, self._arrivals(self.control_inputs, rates))
        return Flow(np.eye(1), 1.0, np.array([rate]), is_aligned=False)

    def flow(self, rates: tuple[float, ...]) -> tuple[Flow, Balance | None]:
        """Return the chain in time while the stimuli have these rates, and where its updates balance."""
        return self.learning.flow(self.chain, self._arrivals(self.inputs, rates))


def _plain(site: Any) -> Any:
    """Return a site over Python's own integers, which do not overflow."""
    return type(site)(*map(int, site)) if isinstance(site, (Fixed, Round)) else site


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
