"""What every register of a target would have to hold: docs/spec/fitting.md, "What is observed"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.inputs import input_events
from neuroemu.engine.network import Layout
from neuroemu.engine.simulate import Session, simulate_inputs
from neuroemu.engine.stimuli import Train
from neuroemu.experiment import Experiment
from neuroemu.fitting.chunk import Arrivals, Weights, arrivals, sums_in_order
from neuroemu.fitting.grid import float_on_grid, recording_all
from neuroemu.fitting.histogram import Histogram
from neuroemu.fitting.observed import LABELS, Observation, from_constants, from_histogram
from neuroemu.hardware.config import Target
from neuroemu.models.arithmetic import Arithmetic
from neuroemu.models.homeostasis import HomeostasisParams

Ints = NDArray[np.int64]

VALUES_PER_CHUNK = 4_000_000
"""Membranes kept at a time: 32 MB."""

BINS_PER_RANGE = 256
"""Bins from reset to threshold, or of a weight's range, to begin with."""


def observe(
    experiment: Experiment,
    target: Target,
    *,
    trials: int = 16,
    seed: int = 0,
    spikes: Mapping[str, Sequence[Any]] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Observation:
    """Run `experiment` in float on the grid of `target`, and look at every register.

    Parameters
    ----------
    experiment : Experiment
    target : Target
        Its formats are not used.
    trials, seed : int
        Input, as for `simulate`.
    spikes : mapping, optional
        Given input, as for `simulate`.
    progress : callable, optional
        Called with the part that is done.

    Raises
    ------
    ConfigError
        If an argument is out of range, or the times of both do not fit together.
    """
    a = float_on_grid(experiment, target)
    trains = simulate_inputs(
        experiment, trials=None if spikes is not None else trials, seed=seed, spikes=spikes
    )
    seen = _Watcher(experiment, target, a, trains, seed)
    for part in seen.run():
        if progress is not None:
            progress(part)
    return seen.result(seed)


class _Watcher:
    """A run in progress, and the histograms that it fills."""

    def __init__(
        self,
        experiment: Experiment,
        target: Target,
        a: Arithmetic,
        trains: Sequence[Mapping[str, Train]],
        seed: int,
    ) -> None:
        self.experiment, self.target, self.a = experiment, target, a
        self.trials = len(trains)
        lanes = self.trials * sum(p.size for p in experiment.populations.values())
        period = max(a.clock.period_steps, 1)
        chunk = max(VALUES_PER_CHUNK // lanes // period, 1) * period
        self.chunk = min(chunk, a.clock.n_steps)
        window_ms = self.chunk * float(a.clock.step_ms)
        self.session = Session(recording_all(experiment, window_ms), a, trains, seed, 0)
        self.layout: Layout = self.session.layout
        self.wiring = self.session.wiring
        self.inputs = input_events(self.layout, a, trains)[0].astype(np.int64)
        self.rules: Any = self.session.rule.params
        self.refractory = np.concatenate(
            [
                np.full(p.size, a.neurons[n].refractory_steps)
                for n, p in experiment.populations.items()
            ]
        )
        self.leak = np.concatenate(
            [np.full(p.size, a.neurons[n].leak) for n, p in experiment.populations.items()]
        )
        self.last_spike = np.full((self.layout.n_neurons, self.trials), -(2**40))
        self.presynaptic = dict.fromkeys(self.layout.slots, 0.0)
        self.periods = 0
        self.seen = self._histograms()

    def _histograms(self) -> dict[str, Histogram]:
        neurons = self.a.neurons.values()
        swing = max(n.threshold - min(n.reset, 0.0) for n in neurons)
        seen = {
            "membrane.format": Histogram(swing / BINS_PER_RANGE),
            "input": Histogram(swing / BINS_PER_RANGE),
            "refractory.format": Histogram(1.0),
        }
        rules = [p.plasticity for p in self.experiment.projections.values() if p.plasticity]
        if rules:
            span = max(r.w_max - r.w_min for r in rules)
            seen["plasticity.weight.format"] = Histogram(span / BINS_PER_RANGE)
            if self.target.plasticity.accumulator.format is not None and self.a.update != "none":
                seen["plasticity.accumulator.format"] = Histogram(span / BINS_PER_RANGE)
            if self.a.update == "periodic":
                seen["plasticity.counter.width"] = Histogram(1.0)
        return seen

    def run(self) -> Iterator[float]:
        """Run to the end, and yield the part that is done."""
        n = self.a.clock.n_steps
        while self.session.step < n:
            start = self.session.step
            stop = min(start + self.chunk, n)
            before = self.session.state.weight.astype(np.float64)
            collected = len(self.session.spikes)
            self.session.recorder.sample_grid[:2] = start, stop
            self.session.run_until(stop)
            spikes = np.concatenate(self.session.spikes[collected:]).astype(np.int64)
            changes = [c[0] for c in self.session.changes[collected:]]
            values = np.concatenate([c[1] for c in self.session.changes[collected:]])
            moved = np.concatenate(changes).astype(np.int64)
            for rows in (spikes, moved):
                rows[:, 0] -= start
            # a stretch that has been looked at is not kept
            self.session.spikes[collected:], self.session.changes[collected:] = [], []
            weights = Weights(before, moved, values, stop - start)
            self._look(start, stop, spikes, weights)
            yield stop / n

    def _look(self, start: int, stop: int, spikes: Ints, weights: Weights) -> None:
        membrane = self.session.recorder.sample_v[: stop - start]
        self.seen["membrane.format"].add(membrane)
        self._refractory_counters(start, stop, spikes)
        first, last = np.searchsorted(self.inputs[:, 0], (start, stop))
        events = self.inputs[first:last] - np.array([start, 0, 0])
        fired = spikes + np.array([0, self.layout.n_sources, 0])
        events = np.concatenate((events, fired))
        events = events[np.lexsort((events[:, 1], events[:, 0]))]
        is_event = self.a.update == "event"
        found = arrivals(events, self.wiring, weights, self.rules, event_driven=is_event)
        self._membranes(found, membrane, spikes)
        if "plasticity.weight.format" in self.seen:
            self.seen["plasticity.weight.format"].add(*weights.lasting())
        if self.a.update == "periodic":
            self._periods(start, stop, events, weights)
        elif "plasticity.accumulator.format" in self.seen:
            self._event_totals(found, spikes, weights)
        self._remember(spikes, stop - start)

    def _refractory_counters(self, start: int, stop: int, spikes: Ints) -> None:
        """Add what the counters are after each step: from the steps of a spike down to 0."""
        steps, ends = self.refractory[spikes[:, 1]], self.a.clock.n_steps - start
        waiting = 0
        for i in range(int(self.refractory.max(initial=0))):
            here = (i < steps) & (spikes[:, 0] + i < ends)
            self.seen["refractory.format"].add((steps - i)[here])
            waiting += int(here.sum())
        idle = (stop - start) * self.refractory.size * self.trials - waiting
        self.seen["refractory.format"].add([0.0], [idle])

    def _membranes(self, found: Arrivals, membrane: Any, spikes: Ints) -> None:
        """Note the input of each step, and every value that meets the site ``input``."""
        whole, ends = sums_in_order(found, np.zeros(found.step.size))
        self.seen["input"].add(whole[ends])
        lane = found.neuron * self.trials + found.trial
        span = membrane.shape[0] + 1
        keys = np.sort((spikes[:, 1] * self.trials + spikes[:, 2]) * span + spikes[:, 0])
        at = np.searchsorted(keys, lane * span + found.step, side="right") - 1
        last = self.last_spike[found.neuron, found.trial]
        if keys.size:
            near = keys[np.maximum(at, 0)]
            last = np.where((at >= 0) & (near // span == lane), near % span, last)
        live = found.step - last >= self.refractory[found.neuron]
        v = membrane[found.step, found.neuron, found.trial]
        wide, _ = sums_in_order(found, self.leak[found.neuron] * v + v)
        self.seen["membrane.format"].note(wide[live])

    def _remember(self, spikes: Ints, length: int) -> None:
        """Keep each neuron's last spike, counted from the start of the next stretch."""
        np.maximum.at(self.last_spike, (spikes[:, 1], spikes[:, 2]), spikes[:, 0])
        self.last_spike -= length

    def _event_totals(self, found: Arrivals, spikes: Ints, weights: Weights) -> None:
        """Add what meets the site ``accumulate`` at each event-driven update."""
        seen, rules = self.seen["plasticity.accumulator.format"], self.rules
        plastic = found.slot >= 0
        p = found.projection[plastic]
        seen.add(found.weight[plastic] + rules.dw_plus[p])
        slots = self.wiring.slots
        raised = (found.trial * len(slots) + found.slot)[plastic] * weights.span
        raised, often = np.unique(raised + found.step[plastic], return_counts=True)
        for neuron in np.unique(spikes[:, 1]):
            mine = spikes[spikes[:, 1] == neuron]
            for slot in np.flatnonzero(slots[:, 1] == neuron):
                q = slots[slot, 2]
                w = weights.at_start_of(mine[:, 0], np.full(len(mine), slot), mine[:, 2])
                key = (mine[:, 2] * len(slots) + slot) * weights.span + mine[:, 0]
                at = np.minimum(np.searchsorted(raised, key), max(raised.size - 1, 0))
                if raised.size:
                    times = np.where(raised[at] == key, often[at], 0)
                    up = np.minimum(w + times * rules.dw_plus[q], rules.w_max[q])
                    w = np.where(times > 0, up, w)
                seen.add(w - rules.dw_minus[q])

    def _periods(self, start: int, stop: int, events: Ints, weights: Weights) -> None:
        """Add the counters at the end of each period, and what their reading adds up to."""
        period = self.a.clock.period_steps
        parts = -(-(stop - start) // period)
        shape = (parts, self.layout.n_units, self.trials)
        at = np.ravel_multi_index((events[:, 0] // period, events[:, 1], events[:, 2]), shape)
        counts = np.bincount(at, minlength=int(np.prod(shape))).reshape(shape)
        self.seen["plasticity.counter.width"].add(counts[:, self.session.rule.counted])
        whole = (stop - start) // period
        ends = (np.arange(whole) + 1) * period - 1
        self.periods += whole
        rules: HomeostasisParams = self.rules
        for name, mine in self.layout.slots.items():
            units, neurons, index = self.wiring.slots[mine.start : mine.stop].T
            pre = counts[:whole, units]
            post = counts[:whole, self.layout.n_sources + neurons]
            self.presynaptic[name] += float(pre.sum() / (len(mine) * self.trials or 1))
            seen = self.seen.get("plasticity.accumulator.format")
            if seen is None or pre.size == 0:
                continue
            where = np.broadcast_arrays(
                ends[:, None, None],
                np.asarray(mine)[None, :, None],
                np.arange(self.trials)[None, None, :],
            )
            w = weights.at_start_of(*(x.ravel() for x in where)).reshape(pre.shape)
            p = int(index[0])
            plus, minus = rules.dw_plus[p] * pre, rules.dw_minus[p] * post
            seen.add(w + (plus - minus))
            for value in (plus, minus, plus - minus):
                seen.note(value)

    def result(self, seed: int) -> Observation:
        """Return what has been seen, with the constants."""
        positive, negative = self._largest_inputs()
        registers = {key: from_histogram(key, seen) for key, seen in self.seen.items()}
        registers |= {
            key: from_constants(key, found) for key, found in self._constant_registers().items()
        }
        return Observation(
            registers={key: registers[key] for key in LABELS if key in registers},
            arithmetic=self.a,
            trials=self.trials,
            seed=seed,
            presynaptic={n: s / self.periods for n, s in self.presynaptic.items() if self.periods},
            neurons=self.layout.n_neurons,
            counters=int(self.session.rule.counted.sum()) if self.a.update == "periodic" else 0,
            synapses=self._synapses(),
            positive=positive,
            negative=negative,
        )

    def _synapses(self) -> dict[str, int]:
        starts = [*self.wiring.projections[:, 3], len(self.wiring.target)]
        return dict(zip(self.experiment.projections, np.diff(starts).tolist(), strict=True))

    def _constant_registers(self) -> dict[str, list[tuple[float, int]]]:
        synapses = self._synapses()
        found: dict[str, list[tuple[float, int]]] = {
            "membrane.leak.format": [
                (1.0 + self.a.neurons[n].leak, p.size)
                for n, p in self.experiment.populations.items()
            ]
        }
        for name, projection in self.experiment.projections.items():
            rule = projection.plasticity
            if rule is None:
                weight = (projection.weight, synapses[name])
                found.setdefault("synapse.weight.format", []).append(weight)
            elif self.a.update != "none":
                pair = [(rule.dw_plus, synapses[name]), (rule.dw_minus, synapses[name])]
                found.setdefault("plasticity.increment.format", []).extend(pair)
        return found

    def _largest_inputs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the largest sum of positive and of negative weights that reach a neuron in one step."""
        positive, negative = np.zeros((2, self.layout.n_neurons))
        starts = [*self.wiring.projections[:, 3], len(self.wiring.target)]
        for i, projection in enumerate(self.experiment.projections.values()):
            rule = projection.plasticity
            ends = (rule.w_min, rule.w_max) if rule else (projection.weight,)
            at_once = self.a.clock.input_steps if projection.pre in self.experiment.stimuli else 1
            reached = np.bincount(
                self.wiring.target[starts[i] : starts[i + 1]], minlength=self.layout.n_neurons
            )
            positive += reached * at_once * max(*ends, 0.0)
            negative += reached * at_once * max(*(-w for w in ends), 0.0)
        return positive, negative
