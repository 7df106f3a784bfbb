"""The neuron of the question and its control in one arithmetic: docs/spec/prediction.md."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroemu.experiment import Experiment
from neuroemu.models.arithmetic import Arithmetic
from neuroemu.models.cuba import CubaParams, CubaSites
from neuroemu.models.homeostasis import HomeostasisSites
from neuroemu.models.synapse import SynapseSites
from neuroemu.numeric.site import WORD_BITS, Fixed, Round
from neuroemu.prediction.arrivals import Afferents, Arrivals, OutOfScopeError, afferents, arrivals
from neuroemu.prediction.chip_neuron import ChipNeuron, chip_neuron
from neuroemu.prediction.course import Flow
from neuroemu.prediction.membrane_chain import MembraneChain, membrane_chain
from neuroemu.prediction.neuron import LifNeuron, Neuron
from neuroemu.prediction.period_chain import Balance, Reading
from neuroemu.prediction.weight_chain import Synapse, mean_drive
from neuroemu.prediction.weight_course import Learning, Still, Updates, learning

LIKELY = 1e-4
"""A step's input that comes with a smaller chance may leave its register."""


class Network:
    """What is analysed of an experiment.

    Parameters
    ----------
    experiment : Experiment
    a : Arithmetic
    plus, minus : float
        Mean change of a stored weight on a presynaptic and a postsynaptic spike.

    Raises
    ------
    OutOfScopeError
        If the analysis does not cover it.
    """

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
        self.drive = SynapseSites(drive=plain(a.synapse_sites.drive))
        if a.synapses[question.projection].rule is None:  # its weight stays
            static = {**self.inputs.static, question.projection: 1}
            self.inputs = Afferents(static=static)
        neuron = self._neuron(question.population)
        self.force = 1.0
        if isinstance(neuron, ChipNeuron) and neuron.lasting == 0.0:
            self.force = neuron.drive  # else the current has a chain of its own
        self.in_order = isinstance(neuron, ChipNeuron) and bool(neuron.params.at_events)
        self.drives = {
            n: mean_drive(a.synapses[n].weight, a.synapses[n].gain, self.drive) * self.force
            for n in {*self.inputs.static, *self.control_inputs.static}
        }
        self.learning = self._learning(question.projection, neuron, plus, minus)
        self.chain = self._chain(neuron, self.inputs)
        self.control = self._chain(self._neuron(question.control), self.control_inputs)

    def _neuron(self, population: str) -> Neuron:
        a = self.a
        params, is_stochastic = a.neurons[population], "leak" in a.stochastic
        is_integer = bool(np.issubdtype(a.membrane, np.integer))
        if isinstance(params, CubaParams):
            if not is_integer:
                raise OutOfScopeError("a chip's own step is followed in integers only")
            sites = CubaSites(*(plain(site) for site in a.neuron_sites))
            neuron = chip_neuron(params, sites, population, is_stochastic=is_stochastic)
            if params.refractory_steps and (params.at_events or neuron.lasting):
                raise OutOfScopeError(
                    "a refractory neuron that is judged at every input, or whose current lasts, is not followed"
                )
            return neuron
        if params.threshold < 0:
            raise OutOfScopeError(f"{population} spikes without input: its threshold is below rest")
        if params.reset > params.threshold:
            raise OutOfScopeError(f"{population} is reset above its threshold")
        return LifNeuron(
            params=params,
            leak=plain(a.neuron_sites.leak),
            input=plain(a.neuron_sites.input),
            is_integer=is_integer,
            is_stochastic=is_stochastic,
        )

    def _chain(self, neuron: Neuron, inputs: Afferents) -> MembraneChain:
        return membrane_chain(neuron, self._lowest(neuron, inputs))

    def _lowest(self, neuron: Neuron, inputs: Afferents) -> float:
        """Return a membrane below which inhibition hardly takes it."""
        lowest = min(neuron.start, neuron.rest)
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
            taken = min(taken, mean_drive(low, rule.gain, self.drive) * self.force)
        if taken < 0.0:
            mean /= max(1.0 - neuron.multiplier, 1e-3)
            lowest += 4.0 * taken + 2.0 * mean
        if isinstance(neuron, ChipNeuron):
            lowest = max(lowest, float(neuron.params.floor))
        return lowest

    def _learning(self, name: str, neuron: Neuron, plus: float, minus: float) -> Learning:
        synapse, a = self._synapse(name), self.a
        if synapse is None:
            return Still(in_order=self.in_order)
        if isinstance(neuron, ChipNeuron) and (
            neuron.params.keep or self.in_order or neuron.lasting
        ):
            raise OutOfScopeError(
                "a neuron that subtracts its threshold, is judged at every input or has a current that "
                "lasts is followed only where no weight learns"
            )
        stimulus = self.experiment.stimuli[self.experiment.projections[name].pre]
        updates = Updates(
            kind=a.update,
            plus=plus,
            minus=minus,
            period=a.clock.period_steps,
            reading=Reading(full=a.counter_overflow, site=plain(a.counter_sites.read)),
        )
        return learning(
            synapse, updates, self._chance(max(stimulus.rates_hz)) * a.clock.input_steps
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
            sites=HomeostasisSites(*(plain(site) for site in a.rule_sites)),
            is_integer=a.rung == "fixed",
            random_bits=draws if "store" in a.stochastic else 0,
            force=self.force,
        )

    def _chance(self, rate_hz: float) -> float:
        return min(rate_hz * self.experiment.time.dt_ms / 1000.0, 1.0)

    def _arrivals(self, inputs: Afferents, rates: tuple[float, ...]) -> Arrivals:
        chances = dict(zip(self.stimuli, map(self._chance, rates), strict=True))
        names = [*inputs.static, *([inputs.plastic] if inputs.plastic else [])]
        found = arrivals(
            inputs,
            self.drives,
            {n: chances[self.experiment.projections[n].pre] for n in names},
            self.a.clock.input_steps,
            merges=self.a.merges_input,
        )
        self._check_register(found)
        return found

    def _check_register(self, found: Arrivals) -> None:
        """Refuse input that often leaves the register where it waits."""
        site = self.a.neuron_sites.input
        if not isinstance(self.chain.neuron, ChipNeuron) or self.chain.neuron.params.to_membrane:
            return
        jumps, chances = found.static
        in_place = np.abs(jumps[chances > LIKELY]) / abs(self.force)
        if (in_place > float(site.hi) + 1.0).any():
            raise OutOfScopeError("the input of a step overflows its register")

    def control_flow(self, rates: tuple[float, ...]) -> Flow:
        """Return the control in time, which has one state."""
        still = Still(in_order=self.in_order)
        return still.flow(self.control, self._arrivals(self.control_inputs, rates))[0]

    def flow(self, rates: tuple[float, ...]) -> tuple[Flow, Balance | None]:
        """Return the chain in time while the stimuli have these rates, and where its updates balance."""
        return self.learning.flow(self.chain, self._arrivals(self.inputs, rates))


def plain(site: Any) -> Any:
    """Return a site over Python's own integers, which do not overflow."""
    return type(site)(*map(int, site)) if isinstance(site, (Fixed, Round)) else site
