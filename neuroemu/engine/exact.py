"""The same step texts over Python's own numbers: the judge of the containers and of the kernels.

Python ints have no width, so what the compiled kernels do in 32 or 64 bits (or in doubles) must
come out the same here; and every wide value is held against the range that the plan proved for it.
The loops are written apart from those of `neuroemu.engine.kernels`, line by line as
docs/spec/lif.md and docs/spec/plasticity.md have them: clear and slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from neuroemu.engine.bundles import TALLIED
from neuroemu.engine.collect import Written, assemble, raise_overflow
from neuroemu.engine.exact_network import ExactNetwork, flat_network
from neuroemu.engine.network import build
from neuroemu.engine.run import Run
from neuroemu.engine.setup import input_events, resolve_with_plan, sample_grid, simulate_inputs
from neuroemu.engine.watched import Place, Trace, Watched, plain, watch_plan
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.models import counter as counters
from neuroemu.models.counter import Counter, CounterSites
from neuroemu.models.homeostasis import (
    HomeostasisParams,
    HomeostasisSites,
    change_from_counts,
    update,
)
from neuroemu.models.lif import LifSites, LifState, advance, receive, reset
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import Arithmetic, Rung
from neuroemu.models.synapse import SynapseSites, drive
from neuroemu.numeric.bits import lfsr_clock, lfsr_seed, lfsr_word, philox, stream_key
from neuroemu.numeric.ops import overflowed

HOUSEKEEPING = 1024
"""Steps between flushes of subnormal membranes: docs/spec/lif.md."""

TINY = 1e-290


def run_exact(
    experiment: Experiment,
    target: Target | None = None,
    *,
    rung: Rung | None = None,
    trials: int | None = None,
    seed: int = 0,
    first_trial: int = 0,
    spikes: Mapping[str, Sequence[ArrayLike]] | None = None,
    n_steps: int | None = None,
    trace: Trace | None = None,
) -> Run:
    """Run an experiment over Python's own numbers; parameters not named here as for `simulate`.

    Parameters
    ----------
    n_steps : int, optional
        Stop after so many steps.
    trace : callable, optional
        Called with (site, trial, index, step, wide, stored) for every value that is narrowed.

    Returns
    -------
    Run
        Equal to that of `simulate` in every bit.

    Raises
    ------
    ConfigError
        If an argument is out of range, or the experiment does not fit the target.
    SpikeInputError
        If given spikes are unsorted or out of range.
    FixedPointOverflowError
        If a site with ``overflow = "error"`` overflowed.
    ContainerOverflowError
        If a value leaves the range that the plan proved for it.

    Examples
    --------
    >>> from neuroemu.hardware.load import load_experiment, load_target
    >>> experiment = load_experiment("spike_based_homeostasis")
    >>> run = run_exact(experiment, load_target("generic16"), seed=1, n_steps=3000)
    >>> run.spikes["with_homeostasis"][0]
    array([2324, 2416, 2540])
    """
    a, plan = resolve_with_plan(experiment, target, rung)
    trains = simulate_inputs(
        experiment, trials=trials, seed=seed, first_trial=first_trial, spikes=spikes
    )
    stop = _checked_steps(n_steps, a.clock.n_steps)
    place = Place()
    sites = _watched_sites(a, plan, place, trace)
    layout, _ = build(experiment, a)
    network = flat_network(experiment, a, layout)
    events, coincidences = input_events(layout, a, trains)
    done = []
    for i in range(len(trains)):
        place.trial = i
        mine: dict[int, list[int]] = {}
        for step, unit, trial in events.tolist():
            if trial == i:
                mine.setdefault(step, []).append(unit)
        one = _Trial(network, a, sites, place, seed, first_trial + i)
        one.run(mine, stop, *sample_grid(layout, a, experiment))
        done.append(one)
    written = _written(done, stop, coincidences, is_integer=a.rung == "fixed")
    run = assemble(experiment, target, a, layout, written, seed=seed, first_trial=first_trial)
    if target is not None and a.rung == "fixed":
        raise_overflow(run, target)
    return run


def _checked_steps(n_steps: int | None, most: int) -> int:
    if n_steps is None:
        return most
    if not 0 <= n_steps <= most:
        raise ConfigError.one(
            "n_steps",
            value=n_steps,
            rule=f"a run has 0 to {most} steps",
            remedy=f"use at most {most}",
        )
    return n_steps


def _watched_sites(
    a: Arithmetic, plan: Discretized | None, place: Place, trace: Trace | None
) -> dict[str, Watched]:
    """Return the sites over Python ints; those of a float rung, about which nothing is proved."""
    if plan is not None and a.rung == "fixed":
        return watch_plan(plan, place, trace)
    groups = (a.neuron_sites, a.synapse_sites, a.rule_sites, a.counter_sites)
    return {
        name: Watched(name=name, site=plain(site), place=place, trace=trace)
        for group in groups
        for name, site in group._asdict().items()
        if name != "wait"
    }


class _Trial:
    """One trial: its state, and the lines of a step as methods."""

    def __init__(
        self,
        network: ExactNetwork,
        a: Arithmetic,
        sites: Mapping[str, Watched],
        place: Place,
        seed: int,
        trial: int,
    ) -> None:
        self.network, self.a, self.place = network, a, place
        wait = plain(a.neuron_sites.wait)
        self.neuron_sites = LifSites(leak=sites["leak"], input=sites["input"], wait=wait)
        self.unwatched = LifSites(leak=sites["leak"].site, input=sites["input"].site, wait=wait)
        self.synapse_sites = SynapseSites(drive=sites["drive"])
        self.rule_sites = HomeostasisSites(*(sites[name] for name in HomeostasisSites._fields))
        self.counter_sites = CounterSites(count=sites["count"])
        self.neurons = [LifState(v, 0) for v in network.v_init]
        self.weights = [network.projections[p].weight for _, _, p in network.slots]
        self.clear_counters()
        self.keys = {site: stream_key(seed, trial, site) for site in ("leak", "drive", "store")}
        width = a.random.width
        self.lfsr = [lfsr_seed(seed, trial, slot, width) for slot in range(len(network.slots))]
        self.taps = sum(2 ** (t - 1) for t in a.random.taps)
        # what is written down
        self.spikes: list[tuple[int, int]] = []
        self.changes: list[tuple[int, int, Any]] = []
        self.samples: list[list[Any]] = []
        self.n_sampled = 0
        self.tally = [[0, 0, 0, 0] for _ in TALLIED]
        self.before: dict[int, Any] = {}  # recorded weights before this step, in order of change

    def run(
        self,
        inputs: Mapping[int, list[int]],
        stop: int,
        grid: tuple[int, int, int],
        members: Sequence[int],
    ) -> None:
        """Do the steps 0 to `stop`; `inputs` are the source units of each step, sorted."""
        start, last, every = grid
        self.n_sampled = len(members)
        for k in range(stop):
            self.place.step = k
            if k % HOUSEKEEPING == 0:
                self.housekeeping(k)
            if start <= k < last and (k - start) % every == 0:
                self.samples.append([self.neurons[n].v for n in members])
            self.step(k, inputs.get(k, []))

    def step(self, k: int, sources: list[int]) -> None:
        """One step: the six lines of docs/spec/lif.md, then the periodic update."""
        fired = self.wait_leak_fire(k)
        units = sources + [self.network.n_sources + neuron for neuron in fired]
        for p in range(len(self.network.projections)):
            for unit in units:
                self.deliver(k, p, unit)
        if self.a.update == "periodic":
            for unit in units:
                self.count(k, unit)
        if self.a.update == "event":
            for neuron in fired:
                self.depress(k, neuron)
        for neuron in fired:
            self.neurons[neuron] = reset(self.neurons[neuron], self.network.neurons[neuron])
        if self.a.update == "periodic" and (k + 1) % self.a.clock.period_steps == 0:
            self.end_period(k)
        for slot, old in self.before.items():
            if self.weights[slot] != old:
                self.changes.append((k, slot, self.weights[slot]))
        self.before = {}

    # Neurons

    def wait_leak_fire(self, k: int) -> list[int]:
        """Lines 1 to 3; returns the neurons that fired, in order."""
        fired = []
        for neuron, params in enumerate(self.network.neurons):
            self.place.index = neuron
            word = self.word("leak", k, neuron)
            after, spike = advance(self.neurons[neuron], params, self.neuron_sites, word)
            self.neurons[neuron] = after
            if spike:
                fired.append(neuron)
                self.spikes.append((k, neuron))
        return fired

    def housekeeping(self, k: int) -> None:
        """Flush subnormal membranes, and count those that the leak no longer moves."""
        for neuron, params in enumerate(self.network.neurons):
            state = self.neurons[neuron]
            if abs(state.v) < TINY:
                state = self.neurons[neuron] = LifState(0, state.refractory)
            after, _ = advance(state, params, self.unwatched, self.word("leak", k, neuron))
            stuck = state.refractory == 0 and state.v != 0 and after.v == state.v
            self.note("leak", k, lost=stuck)

    # Synapses

    def deliver(self, k: int, p: int, unit: int) -> None:
        """Line 4 for one presynaptic spike in one projection."""
        projection = self.network.projections[p]
        for synapse, neuron, slot in projection.rows.get(unit, []):
            w = projection.weight if slot is None else self.weights[slot]
            word = self.word("drive", k, synapse)
            self.place.index = synapse
            amount = drive(w, projection.gain, self.synapse_sites, word)
            before, params = self.neurons[neuron], self.network.neurons[neuron]
            self.place.index = neuron
            after, wide = receive(before, amount, params, self.neuron_sites)
            self.neurons[neuron] = after
            over = overflowed(w * projection.gain, self.synapse_sites.drive, word)
            self.note("drive", k, overflow=over, lost=amount == 0 and w != 0)
            over = before.refractory == 0 and overflowed(wide, self.neuron_sites.input, 0)
            self.note("input", k, overflow=over)
            if slot is not None and projection.rule is not None and self.a.update == "event":
                self.learn(k, slot, projection.rule, projection.rule.dw_plus)

    def depress(self, k: int, neuron: int) -> None:
        """Line 5 for one postsynaptic spike."""
        for slot, (_, post, p) in enumerate(self.network.slots):
            rule = self.network.projections[p].rule
            if post == neuron and rule is not None:
                self.learn(k, slot, rule, -rule.dw_minus)

    def learn(self, k: int, slot: int, rule: HomeostasisParams, change: Any) -> None:
        """Update one weight: docs/spec/plasticity.md."""
        self.place.index = slot
        word = self.word("store", k, slot)
        before = self.weights[slot]
        if slot in self.network.recorded:
            self.before.setdefault(slot, before)
        after, wide = update(before, change, rule, self.rule_sites, word)
        self.weights[slot] = after
        over = overflowed(wide.accumulate, self.rule_sites.accumulate, 0)
        self.note("accumulate", k, overflow=over)
        over = overflowed(wide.store, self.rule_sites.store, word)
        lost = after == before and wide.store != before * rule.unit
        self.note("store", k, overflow=over, lost=lost)

    # Counters

    def clear_counters(self) -> None:
        """Let every counter of a unit with a plastic synapse start again."""
        units = {pre for pre, _, _ in self.network.slots}
        units |= {self.network.n_sources + post for _, post, _ in self.network.slots}
        self.counts = {unit: Counter(0, False) for unit in units}

    def count(self, k: int, unit: int) -> None:
        """Count one spike."""
        if unit in self.counts:
            self.place.index = unit
            before = self.counts[unit]
            after = self.counts[unit] = counters.increment(before, self.counter_sites)
            self.note("count", k, overflow=after.sticky and not before.sticky)

    def end_period(self, k: int) -> None:
        """Read the counters, update every plastic synapse, start again."""
        full = self.a.counter_overflow
        for slot, (pre, post, p) in enumerate(self.network.slots):
            rule = self.network.projections[p].rule
            if rule is None:
                continue
            self.place.index = slot
            n_pre = counters.read(self.counts[pre], full)
            n_post = counters.read(self.counts[self.network.n_sources + post], full)
            change, wide = change_from_counts(n_pre, n_post, rule, self.rule_sites)
            for name in ("plus", "minus", "change"):
                site = getattr(self.rule_sites, name)
                self.note(name, k, overflow=overflowed(getattr(wide, name), site, 0))
            self.learn(k, slot, rule, change)
        self.clear_counters()

    # Random words, tallies

    def word(self, site: str, k: int, index: int) -> int:
        """Return the random word of a draw, 0 where the site draws none."""
        if site not in self.a.stochastic:
            return 0
        random = self.a.random
        if site == "store" and random.source == "lfsr":
            state = lfsr_clock(self.lfsr[index], random.width, self.taps, random.bits_per_draw)
            self.lfsr[index] = state
            return int(lfsr_word(state, random.output_bits))
        return int(philox(k, index, self.keys[site]))

    def note(self, site: str, k: int, *, overflow: Any = False, lost: Any = False) -> None:
        """Count what a site did, and keep the first step of each."""
        row = self.tally[TALLIED.index(site)]
        for happened, what in ((overflow, 0), (lost, 2)):
            if happened:
                row[what + 1] = row[what + 1] if row[what] else k
                row[what] += 1


def _written(
    done: Sequence[_Trial], n_steps: int, coincidences: int, *, is_integer: bool
) -> Written:
    """Return what all trials wrote down, as the arrays of the engine."""
    spikes = [(k, neuron, t) for t, one in enumerate(done) for k, neuron in one.spikes]
    changes = [(k, slot, t) for t, one in enumerate(done) for k, slot, _ in one.changes]
    values = [w for one in done for _, _, w in one.changes]
    samples = np.asarray([one.samples for one in done])
    shape = (len(done), len(done[0].samples), done[0].n_sampled)
    return Written(
        n_steps=n_steps,
        spikes=np.asarray(spikes, np.int64).reshape(-1, 3),
        changes=np.asarray(changes, np.int64).reshape(-1, 3),
        change_value=np.asarray(values, np.int64 if is_integer else np.float64),
        sample_v=np.moveaxis(samples.reshape(shape), 0, 2),
        tally=np.asarray([one.tally for one in done], np.int64),
        coincidences=coincidences,
    )
