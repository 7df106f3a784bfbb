"""One trial: the network of docs/spec/lif.md, and docs/spec/plasticity.md line by line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from neuroemu.golden.chip import ChipNeuron, Decay
from neuroemu.golden.chip_step import ChipPopulation
from neuroemu.golden.lif import LifPopulation
from neuroemu.golden.narrow import Narrow, Narrowing, narrow_fraction, power_of_2
from neuroemu.golden.network import Network, Neuron, Projection
from neuroemu.golden.plasticity import Deferred, Event, Periodic
from neuroemu.golden.sites import SiteOverflowError, Sites, Words

__all__ = [
    "ChipNeuron",
    "Decay",
    "Deferred",
    "Event",
    "Network",
    "Neuron",
    "Periodic",
    "Projection",
    "SiteOverflowError",
    "Trace",
    "Words",
    "run",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a trial did.

    Attributes
    ----------
    spikes : dict of population to list of (step, neuron)
        As often as the neuron sent one in that step.
    membrane : dict of population to list
        One list of raw v per step, as it was before the step.
    weights : dict of projection index to list of (step, synapse, raw)
        One entry per step and synapse at whose end the weight differs from the end of the step
        before (before the first step: from the initial weight).
    """

    spikes: dict[str, list[tuple[int, int]]]
    membrane: dict[str, list[list[int]]]
    weights: dict[int, list[tuple[int, int, int]]]


class _Counters:
    """Spike counters of one side of a plastic projection, each with its sticky flag."""

    def __init__(self, size: int) -> None:
        self.count = [0] * size
        self.sticky = [False] * size

    def read(self, unit: int, site: Narrowing) -> int:
        if self.sticky[unit] and site.width is not None:
            return power_of_2(site.width) - 1
        return self.count[unit]


def _population(
    size: int, neuron: Neuron | ChipNeuron, first_lane: int, sites: Sites
) -> LifPopulation | ChipPopulation:
    if isinstance(neuron, ChipNeuron):
        return ChipPopulation(size, neuron, first_lane, sites)
    return LifPopulation(size, neuron, first_lane, sites)


class _Trial:
    """All registers of a trial, and what a step does to its synapses."""

    def __init__(self, network: Network, sites: Sites) -> None:
        self.network = network
        self.sites = sites
        self.narrow = sites.narrow
        self.synapses = [projection.ordered for projection in network.projections]
        self.weights = [[w for _, _, w in synapses] for synapses in self.synapses]
        self.waiting_spikes = [[0] * len(synapses) for synapses in self.synapses]
        self.number_lanes()
        self.clear_counters()

    def number_lanes(self) -> None:
        """Give neurons, synapses and plastic synapses their numbers within the trial."""
        self.populations: dict[str, LifPopulation | ChipPopulation] = {}
        self.first_synapse, self.first_plastic = [], []
        neurons = synapses = plastic = 0
        for name, (size, neuron) in self.network.populations.items():
            self.populations[name] = _population(size, neuron, neurons, self.sites)
            neurons += size
        for projection in self.network.projections:
            self.first_synapse.append(synapses)
            self.first_plastic.append(plastic)
            synapses += len(projection.synapses)
            plastic += len(projection.synapses) if projection.plasticity is not None else 0

    # The synapses

    def transmit(self, spiked: Mapping[str, list[int]]) -> None:
        """Input, and what each synapse does at a presynaptic spike."""
        for p, projection in enumerate(self.network.projections):
            rule = projection.plasticity
            for spiking in spiked[projection.pre]:
                for number, (pre, post, _) in enumerate(self.synapses[p]):
                    if pre != spiking:
                        continue
                    if isinstance(rule, Deferred):
                        self.catch_up(p, number, rule.event)
                    self.deliver(p, number, post)
                    if isinstance(rule, Event):
                        self.update(p, number, rule, rule.dw_plus)
                if isinstance(rule, Periodic):
                    self.count(self.pre_counters[p], spiking, rule.counter_site)

    def deliver(self, p: int, number: int, post: int) -> None:
        projection = self.network.projections[p]
        wide = self.weights[p][number] * projection.gain
        drive = self.narrow("drive", self.first_synapse[p] + number, wide, projection.drive_site)
        self.populations[projection.post].receive(post, drive)

    def depress(self, spiked: Mapping[str, list[int]]) -> None:
        """Do what each synapse does at a postsynaptic spike."""
        for p, projection in enumerate(self.network.projections):
            rule = projection.plasticity
            for spiking in spiked[projection.post]:
                for number, (_, post, _) in enumerate(self.synapses[p]):
                    if post != spiking:
                        continue
                    if isinstance(rule, Event):
                        self.update(p, number, rule, -rule.dw_minus)
                    if isinstance(rule, Deferred):
                        self.wait(p, number, rule)
                if isinstance(rule, Periodic):
                    self.count(self.post_counters[p], spiking, rule.counter_site)

    def update(self, p: int, number: int, event: Event, change: int) -> None:
        wide = self.weights[p][number] * event.unit + change
        lane = self.first_plastic[p] + number
        total = self.narrow("accumulate", lane, wide, event.accumulate_site)
        if total > event.w_max * event.unit:
            limited = event.w_max * event.unit
        elif total < event.w_min * event.unit:
            limited = event.w_min * event.unit
        else:
            limited = total
        self.weights[p][number] = self.narrow("store", lane, limited, event.store_site)

    # Deferred updates

    def wait(self, p: int, number: int, rule: Deferred) -> None:
        """Let a postsynaptic spike wait at a synapse."""
        lane, waiting = self.first_plastic[p] + number, self.waiting_spikes[p]
        waiting[number] = self.narrow("count", lane, waiting[number] + 1, rule.counter_site)

    def catch_up(self, p: int, number: int, event: Event) -> None:
        """Do at a presynaptic spike what has waited, before the weight is delivered."""
        lane = self.first_plastic[p] + number
        n = self.waiting_spikes[p][number]
        self.waiting_spikes[p][number] = 0
        wide = self.weights[p][number] * event.unit - event.dw_minus * n
        down = self.narrow("accumulate", lane, wide, event.accumulate_site)
        down = max(down, event.w_min * event.unit)
        up = self.narrow("accumulate", lane, down + event.dw_plus, event.accumulate_site)
        up = max(min(up, event.w_max * event.unit), event.w_min * event.unit)
        self.weights[p][number] = self.narrow("store", lane, up, event.store_site)

    # The counters

    def count(self, counters: _Counters, unit: int, site: Narrowing) -> None:
        total = counters.count[unit] + 1
        counters.count[unit] = self.narrow("count", unit, total, site)
        counters.sticky[unit] = counters.sticky[unit] or counters.count[unit] != total

    def end_period(self) -> None:
        """Where a period ends with this step: the counts act, then start again."""
        for p, projection in enumerate(self.network.projections):
            rule = projection.plasticity
            if not isinstance(rule, Periodic) or (self.sites.step + 1) % rule.period_steps != 0:
                continue
            for number, (pre, post, _) in enumerate(self.synapses[p]):
                lane = self.first_plastic[p] + number
                read_pre = self.read(self.pre_counters[p], pre, lane, rule)
                read_post = self.read(self.post_counters[p], post, lane, rule)
                if rule.target is None:
                    change = self.weighed(lane, rule, read_pre, read_post)
                else:
                    change = self.sign(lane, rule, rule.target, read_post)
                self.update(p, number, rule.event, change)
            self.pre_counters[p] = _Counters(self.network.size(projection.pre))
            self.post_counters[p] = _Counters(self.network.size(projection.post))

    def read(self, counters: _Counters, unit: int, lane: int, rule: Periodic) -> int:
        """Return what a program takes the count for."""
        count = counters.read(unit, rule.counter_site)
        if rule.read_site is None:
            return count
        return self.narrow("read", lane, count, rule.read_site)

    def weighed(self, lane: int, rule: Periodic, read_pre: int, read_post: int) -> int:
        """Return the change by the increments."""
        plus = self.narrow("plus", lane, rule.event.dw_plus * read_pre, rule.plus_site)
        minus = self.narrow("minus", lane, rule.event.dw_minus * read_post, rule.minus_site)
        return self.narrow("change", lane, plus - minus, rule.change_site)

    def sign(self, lane: int, rule: Periodic, target: int, read_post: int) -> int:
        """Return the change by the rule of signs."""
        counted = self.narrow("minus", lane, read_post, rule.minus_site)
        return self.narrow("change", lane, target - counted, rule.change_site)

    def clear_counters(self) -> None:
        size, projections = self.network.size, self.network.projections
        self.pre_counters = [_Counters(size(projection.pre)) for projection in projections]
        self.post_counters = [_Counters(size(projection.post)) for projection in projections]

    def do_step(
        self, source_spikes: Mapping[str, list[int]], told: Mapping[str, list[int]]
    ) -> dict[str, list[int]]:
        """One step; returns the neurons that spiked, of their own or as they were told."""
        fired = {name: population.advance() for name, population in self.populations.items()}
        fired |= told
        spiked = {**source_spikes, **fired}
        self.transmit(spiked)
        self.depress(spiked)
        for name, population in self.populations.items():
            population.reset(fired[name])
        self.end_period()
        return fired


def _by_step(
    spikes: Mapping[str, Iterable[tuple[int, int]]], sizes: Mapping[str, int], what: str
) -> dict[str, dict[int, list[int]]]:
    """Spikes as name -> step -> indices in order; `sizes` says which names there are."""
    unknown = spikes.keys() - sizes.keys()
    if unknown:
        raise ValueError(f"spikes of what is no {what}: {sorted(unknown)}")
    ordered: dict[str, dict[int, list[int]]] = {name: {} for name in sizes}
    for name, events in spikes.items():
        for step, index in sorted(events):
            if step < 0 or not 0 <= index < sizes[name]:
                raise ValueError(f"{name} has no spike (step {step}, index {index})")
            ordered[name].setdefault(step, []).append(index)
    return ordered


def _told_by_step(
    network: Network, told: Mapping[str, Iterable[tuple[int, int]]]
) -> dict[str, dict[int, list[int]]]:
    neurons = {name: neuron for name, (_, neuron) in network.populations.items()}
    trains = {name: list(events) for name, events in told.items()}
    for name, events in trains.items():
        if isinstance(neurons.get(name), ChipNeuron):
            raise ValueError(f"a chip neuron is not told when to spike: {name}")
        if len(set(events)) < len(events):
            raise ValueError(f"{name} is told to spike twice in a step")
    return _by_step(trains, {name: network.size(name) for name in neurons}, "population")


def run(
    network: Network,
    spikes: Mapping[str, Iterable[tuple[int, int]]],
    n_steps: int,
    narrow: Narrow = narrow_fraction,
    words: Words = lambda *_: 0,
    told: Mapping[str, Iterable[tuple[int, int]]] | None = None,
) -> Trace:
    """Run one trial.

    Parameters
    ----------
    network : Network
        Raw registers, sites and connections.
    spikes : mapping of source name to (step, index)
        In any order. Spikes after the last step have no effect. What spikes several times in a step delivers as
        often, unless the network merges its input.
    n_steps : int
        Steps, counted from 0.
    narrow : Narrow
        The judge of a single narrowing: `narrow_fraction` or `narrow_fxpmath`.
    words : callable of (site, lane, step)
        Random 32-bit word. It is asked once per draw and in the order of the draws, only at sites
        with stochastic rounding and a shift above 0. Lanes are numbered through a trial, in the
        order of populations and projections: at the site ``leak`` over all neurons, at ``drive``
        over all synapses, at ``store`` over all plastic synapses. A synapse that is updated twice
        in a step asks twice with the same arguments.
    told : mapping of population name to (step, neuron), optional
        Populations whose neurons spike as they are told, whatever their membrane: it may be an analog one, of which
        no digital model knows. They still wait and leak, and are reset after a spike.

    Returns
    -------
    Trace
        Spikes, membranes, changes of the weights.

    Raises
    ------
    SiteOverflowError
        Where a value leaves its range at a site with the overflow rule ``error``.
    ValueError
        If a spike is of no source or population, of no unit, or before step 0, or told twice or to a chip neuron.

    Source: docs/spec/lif.md, docs/spec/chip-neuron.md and docs/spec/plasticity.md.
    """
    by_step = _by_step(spikes, network.sources, "source")
    told_by_step = _told_by_step(network, told or {})
    if network.merges_input:
        by_step = {
            name: {step: sorted(set(indices)) for step, indices in steps.items()}
            for name, steps in by_step.items()
        }
    sites = Sites(narrow, words)
    trial = _Trial(network, sites)
    trace = Trace(
        spikes={name: [] for name in network.populations},
        membrane={name: [] for name in network.populations},
        weights={p: [] for p in range(len(network.projections))},
    )
    for step in range(n_steps):
        sites.step = step
        before = [list(weights) for weights in trial.weights]
        for name, population in trial.populations.items():
            trace.membrane[name].append(population.membrane)
        fired = trial.do_step(
            {name: steps.get(step, []) for name, steps in by_step.items()},
            {name: told_by_step[name].get(step, []) for name in told or ()},
        )
        for name, neurons in fired.items():
            trace.spikes[name] += [(step, neuron) for neuron in neurons]
        for p, weights in enumerate(trial.weights):
            trace.weights[p] += [
                (step, number, w) for number, w in enumerate(weights) if w != before[p][number]
            ]
    return trace
