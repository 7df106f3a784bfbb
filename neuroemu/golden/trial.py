"""One trial, line by line as docs/spec/lif.md and docs/spec/plasticity.md have it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from neuroemu.golden.narrow import Narrow, Narrowing, narrow_fraction, overflows, power_of_2
from neuroemu.golden.network import Event, Network, Neuron, Periodic, Projection

__all__ = [
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

Words = Callable[[str, int, int], int]
"""Random 32-bit word of (site, lane, step); see `run`."""


class SiteOverflowError(ArithmeticError):
    """A value left the range at a site whose overflow rule is ``error``.

    Attributes
    ----------
    site : str
    lane : int
        Neuron, synapse or plastic synapse, numbered through the trial; at the site ``count`` the
        unit of its population or source.
    step : int
    """

    def __init__(self, *, site: str, lane: int, step: int) -> None:
        super().__init__(f"overflow at site {site}, lane {lane}, step {step}")
        self.site = site
        self.lane = lane
        self.step = step


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a trial did.

    Attributes
    ----------
    spikes : dict of population to list of (step, neuron)
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


class _Trial:
    """All registers of a trial, and the lines of one step as methods."""

    def __init__(self, network: Network, narrow: Narrow, words: Words) -> None:
        populations = network.populations
        self.network = network
        self._narrow = narrow
        self._words = words
        self.step = 0
        self.v = {name: [neuron.v_init] * size for name, (size, neuron) in populations.items()}
        self.refractory = {name: [0] * size for name, (size, _) in populations.items()}
        self.waiting = {name: [0] * size for name, (size, _) in populations.items()}
        self.synapses = [projection.ordered for projection in network.projections]
        self.weights = [[w for _, _, w in synapses] for synapses in self.synapses]
        self.number_lanes()
        self.clear_counters()

    def narrow(self, site: str, lane: int, x: int, spec: Narrowing) -> int:
        """Narrow at a named site; a word is drawn where the rounding has bits to draw."""
        draws = spec.rounding == "stochastic" and spec.shift > 0
        word = self._words(site, lane, self.step) if draws else 0
        if spec.overflow == "error" and overflows(x, spec, word):
            raise SiteOverflowError(site=site, lane=lane, step=self.step)
        return self._narrow(x, spec, word)

    def number_lanes(self) -> None:
        """Give neurons, synapses and plastic synapses their numbers within the trial."""
        self.first_neuron, self.first_synapse, self.first_plastic = {}, [], []
        neurons = synapses = plastic = 0
        for name, (size, _) in self.network.populations.items():
            self.first_neuron[name] = neurons
            neurons += size
        for projection in self.network.projections:
            self.first_synapse.append(synapses)
            self.first_plastic.append(plastic)
            synapses += len(projection.synapses)
            plastic += len(projection.synapses) if projection.plasticity is not None else 0

    # The neuron

    def wait(self) -> None:
        for name in self.network.populations:
            self.waiting[name] = [max(steps - 1, 0) for steps in self.refractory[name]]

    def leak(self) -> None:
        for name, (size, neuron) in self.network.populations.items():
            v = self.v[name]
            for i in range(size):
                wide = neuron.leak * v[i] + neuron.unit * v[i]
                lane = self.first_neuron[name] + i
                leaked = self.narrow("leak", lane, wide, neuron.leak_site)
                if self.waiting[name][i] == 0:
                    v[i] = leaked

    def fire(self) -> dict[str, list[int]]:
        """Spiking neurons of each population, in order."""
        spiked = {}
        for name, (size, neuron) in self.network.populations.items():
            v, waiting = self.v[name], self.waiting[name]
            spike = [waiting[i] == 0 and v[i] > neuron.threshold for i in range(size)]
            self.refractory[name] = [
                neuron.refractory_steps if spike[i] else waiting[i] for i in range(size)
            ]
            spiked[name] = [i for i in range(size) if spike[i]]
        return spiked

    def reset(self, spiked: Mapping[str, list[int]]) -> None:
        for name, (_, neuron) in self.network.populations.items():
            for i in spiked[name]:
                self.v[name][i] = neuron.reset

    # The synapses

    def transmit(self, spiked: Mapping[str, list[int]]) -> None:
        """Input, and what each synapse does at a presynaptic spike."""
        for p, projection in enumerate(self.network.projections):
            for spiking in spiked[projection.pre]:
                for number, (pre, post, _) in enumerate(self.synapses[p]):
                    if pre != spiking:
                        continue
                    self.deliver(p, number, post)
                    if isinstance(projection.plasticity, Event):
                        self.update(p, number, projection.plasticity, projection.plasticity.dw_plus)
                if isinstance(projection.plasticity, Periodic):
                    self.count(self.pre_counters[p], spiking, projection.plasticity.counter_site)

    def deliver(self, p: int, number: int, post: int) -> None:
        projection = self.network.projections[p]
        neuron = self.network.populations[projection.post][1]
        v = self.v[projection.post]
        wide = self.weights[p][number] * projection.gain
        drive = self.narrow("drive", self.first_synapse[p] + number, wide, projection.drive_site)
        if self.refractory[projection.post][post] == 0:
            lane = self.first_neuron[projection.post] + post
            v[post] = self.narrow("input", lane, v[post] + drive, neuron.input_site)

    def depress(self, spiked: Mapping[str, list[int]]) -> None:
        """Do what each synapse does at a postsynaptic spike."""
        for p, projection in enumerate(self.network.projections):
            for spiking in spiked[projection.post]:
                if isinstance(projection.plasticity, Event):
                    change = -projection.plasticity.dw_minus
                    for number, (_, post, _) in enumerate(self.synapses[p]):
                        if post == spiking:
                            self.update(p, number, projection.plasticity, change)
                if isinstance(projection.plasticity, Periodic):
                    self.count(self.post_counters[p], spiking, projection.plasticity.counter_site)

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

    # The counters

    def count(self, counters: _Counters, unit: int, site: Narrowing) -> None:
        total = counters.count[unit] + 1
        counters.count[unit] = self.narrow("count", unit, total, site)
        counters.sticky[unit] = counters.sticky[unit] or counters.count[unit] != total

    def end_period(self) -> None:
        """Where a period ends with this step: the counts act, then start again."""
        for p, projection in enumerate(self.network.projections):
            rule = projection.plasticity
            if not isinstance(rule, Periodic) or (self.step + 1) % rule.period_steps != 0:
                continue
            for number, (pre, post, _) in enumerate(self.synapses[p]):
                lane = self.first_plastic[p] + number
                read_pre = self.pre_counters[p].read(pre, rule.counter_site)
                read_post = self.post_counters[p].read(post, rule.counter_site)
                wide = rule.event.dw_plus * read_pre
                plus = self.narrow("plus", lane, wide, rule.plus_site)
                wide = rule.event.dw_minus * read_post
                minus = self.narrow("minus", lane, wide, rule.minus_site)
                change = self.narrow("change", lane, plus - minus, rule.change_site)
                self.update(p, number, rule.event, change)
            self.pre_counters[p] = _Counters(self.network.size(projection.pre))
            self.post_counters[p] = _Counters(self.network.size(projection.post))

    def clear_counters(self) -> None:
        size, projections = self.network.size, self.network.projections
        self.pre_counters = [_Counters(size(projection.pre)) for projection in projections]
        self.post_counters = [_Counters(size(projection.post)) for projection in projections]

    def do_step(
        self, source_spikes: Mapping[str, list[int]], told: Mapping[str, list[int]]
    ) -> dict[str, list[int]]:
        """One step; returns the neurons that spiked, of their own or as they were told."""
        self.wait()
        self.leak()
        fired = {**self.fire(), **told}
        spiked = {**source_spikes, **fired}
        self.transmit(spiked)
        self.depress(spiked)
        self.reset(spiked)
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
            indices = ordered[name].setdefault(step, [])
            if index in indices:
                raise ValueError(f"{name} {index} spikes twice in step {step}")
            indices.append(index)
    return ordered


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
        In any order. Spikes after the last step have no effect.
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
        If a spike is of no source or population, of no unit, before step 0, or given twice.

    Source: docs/spec/lif.md and docs/spec/plasticity.md.
    """
    by_step = _by_step(spikes, network.sources, "source")
    sizes = {name: size for name, (size, _) in network.populations.items()}
    told_by_step = _by_step(told or {}, sizes, "population")
    trial = _Trial(network, narrow, words)
    trace = Trace(
        spikes={name: [] for name in network.populations},
        membrane={name: [] for name in network.populations},
        weights={p: [] for p in range(len(network.projections))},
    )
    for step in range(n_steps):
        trial.step = step
        before = [list(weights) for weights in trial.weights]
        for name, v in trial.v.items():
            trace.membrane[name].append(list(v))
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
