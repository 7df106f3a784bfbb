"""From an experiment to a run: assemble, step through time in chunks, collect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroemu.engine import bundles as b
from neuroemu.engine.kernels import run_steps_compiled
from neuroemu.engine.network import Layout, build
from neuroemu.engine.run import (
    MembraneRecord,
    Run,
    SpikeTrains,
    WeightChanges,
    WeightRecord,
)
from neuroemu.engine.stimuli import Train, bin_train, coincident, draw, given
from neuroemu.errors import ConfigError, FixedPointOverflowError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.models.counter import Counter
from neuroemu.models.discretize import discretize
from neuroemu.models.homeostasis import HomeostasisParams
from neuroemu.models.lif import LifParams, LifState
from neuroemu.models.rungs import RUNGS, Arithmetic, Rung, ideal, on_target
from neuroemu.numeric.bits import lfsr_seed, stream_key

Progress = Callable[[float], None]
"""Called after each chunk with the part of the run that is done, 0 to 1."""

BUFFER = 1 << 17
"""Entries of a spike or weight-change buffer between two visits of the caller."""


def simulate(
    experiment: Experiment,
    target: Target | None = None,
    *,
    rung: Rung | None = None,
    trials: int = 1,
    seed: int = 0,
    first_trial: int = 0,
    spikes: Mapping[str, Sequence[ArrayLike]] | None = None,
    exact_sites: Iterable[str] = (),
    chunk_ms: float | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run an experiment in one arithmetic.

    Parameters
    ----------
    experiment : Experiment
        Network, stimuli, what to record.
    target : Target, optional
        The chip; None for the float reference.
    rung : {"ideal", "parameters", "range", "fixed"}, optional
        Default: ``fixed`` on a target, ``ideal`` without one.
    trials : int
        How many; trial `i` sees the same input on every rung and target.
    seed : int
        Of input spikes and of stochastic rounding.
    first_trial : int
        Index of the first trial: trials 8 to 15 run alone equal those of a run of 16.
    spikes : mapping, optional
        Given input instead of the drawn one: for each stimulus one array of step indices (on the experiment's
        grid) per trial; (spikes, 2) with the source's index for stimuli of more than one source.
    exact_sites : iterable of str
        Sites made exact in a ``fixed`` run, to find the one that is to blame.
    chunk_ms : float, optional
        Biological time between calls of `progress`; results do not depend on it.
    progress : callable, optional
        Called with the part that is done.

    Returns
    -------
    Run

    Raises
    ------
    ConfigError
        If an argument is out of range, or the experiment does not fit the target.
    SpikeInputError
        If given spikes are unsorted or out of range.
    FixedPointOverflowError
        If a site with ``overflow = "error"`` overflowed.
    """
    arithmetic = resolve(experiment, target, rung, frozenset(exact_sites))
    trains = simulate_inputs(
        experiment, trials=trials, seed=seed, first_trial=first_trial, spikes=spikes
    )
    return run_trains(
        experiment,
        target,
        arithmetic,
        trains,
        seed=seed,
        first_trial=first_trial,
        chunk_ms=chunk_ms,
        progress=progress,
    )


def simulate_inputs(
    experiment: Experiment,
    *,
    trials: int,
    seed: int,
    first_trial: int = 0,
    spikes: Mapping[str, Sequence[ArrayLike]] | None = None,
) -> list[dict[str, Train]]:
    """Return the input spikes of every trial, drawn or given; parameters as for `simulate`."""
    _check_numbers(trials, seed, first_trial)
    if spikes is not None:
        return given(experiment, spikes, trials)
    return [draw(experiment, seed, first_trial + i) for i in range(trials)]


def run_trains(
    experiment: Experiment,
    target: Target | None,
    arithmetic: Arithmetic,
    trains: Sequence[Mapping[str, Train]],
    *,
    seed: int,
    first_trial: int = 0,
    chunk_ms: float | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run one arithmetic on input spikes at hand, so that several rungs can share them."""
    if chunk_ms is not None and not chunk_ms > 0:
        raise ConfigError.one(
            "chunk_ms", value=chunk_ms, rule="a chunk has a length", remedy="use 1000"
        )
    session = Session(experiment, arithmetic, trains, seed, first_trial)
    n_steps = session.n_steps
    chunk = n_steps if chunk_ms is None else int(chunk_ms / float(arithmetic.clock.step_ms))
    for stop in range(max(chunk, 1), n_steps + max(chunk, 1), max(chunk, 1)):
        session.run_until(min(stop, n_steps))
        if progress is not None:
            progress(min(stop, n_steps) / n_steps)
    run = session.result(target)
    if target is not None and arithmetic.rung == "fixed":
        _raise_overflow(run, target)
    return run


def resolve(
    experiment: Experiment,
    target: Target | None,
    rung: Rung | None = None,
    exact_sites: frozenset[str] = frozenset(),
) -> Arithmetic:
    """Return the arithmetic that `simulate` would run.

    Raises
    ------
    ConfigError
        If the rung is unknown, needs a target, or the experiment does not fit the target.
    """
    rung = rung or ("ideal" if target is None else "fixed")
    if rung not in RUNGS:
        raise ConfigError.one(
            "rung", value=rung, rule="no such rung", remedy=f"use one of {', '.join(RUNGS)}"
        )
    if rung == "ideal":
        return ideal(experiment)
    if target is None:
        raise ConfigError.one(
            "rung", value=rung, rule="this rung needs a target", remedy="give a target"
        )
    discretized = discretize(experiment, target)
    unknown = exact_sites - set(discretized.sites)
    if unknown:
        raise ConfigError.one(
            "exact_sites",
            value=", ".join(sorted(unknown)),
            rule="the target has no such site",
            remedy=f"use some of {', '.join(sorted(discretized.sites))}",
        )
    return on_target(discretized, rung, exact_sites)


def _check_numbers(trials: int, seed: int, first_trial: int) -> None:
    for name, value, low in (("trials", trials, 1), ("seed", seed, 0), ("first_trial", first_trial, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
            raise ConfigError.one(
                name,
                value=value,
                rule=f"{name} is a whole number from {low}",
                remedy=f"use {max(low, 1)}",
            )
    if seed >= 2**64:
        raise ConfigError.one("seed", value=seed, rule="at most 64 bits", remedy="use a smaller one")


def _raise_overflow(run: Run, target: Target) -> None:
    rules = {"leak": target.membrane, "drive": target.membrane, "input": target.membrane}
    rules |= {"store": target.plasticity.weight, "count": target.plasticity.counter}  # type: ignore[dict-item]
    for name, did in run.sites.items():
        table: Any = rules.get(name, target.plasticity.accumulator)
        if table.overflow == "error" and did["overflowed"]:
            raise FixedPointOverflowError(
                f"{target.name}: site {name} left its range {did['overflowed']} times, first in step "
                f'{did["overflow_step"]}; its overflow is "error"; widen its format or let it saturate'
            )


class Session:
    """A run in progress: state, buffers, and what has been collected so far."""

    def __init__(
        self,
        experiment: Experiment,
        arithmetic: Arithmetic,
        trains: Sequence[Mapping[str, Train]],
        seed: int,
        first_trial: int,
    ) -> None:
        self.experiment, self.arithmetic = experiment, arithmetic
        self.seed, self.first_trial, self.trials = seed, first_trial, len(trains)
        self.layout, self.wiring = build(experiment, arithmetic)
        self.n_steps = arithmetic.clock.n_steps
        self.step = 0
        trial_ids = range(first_trial, first_trial + self.trials)
        self.neurons = _neurons(self.layout, arithmetic)
        self.rule = _rule(self.layout, self.wiring, arithmetic, experiment)
        self.draws, self.words = _randomness(arithmetic, experiment, seed, trial_ids)
        self.events, self.coincidences = _events(self.layout, arithmetic, trains)
        self.state = _state(self.layout, self.wiring, arithmetic, self.draws, seed, trial_ids)
        most_at_once = int(np.bincount(self.events[:, 0], minlength=1).max())
        self.recorder = _recorder(self.layout, arithmetic, experiment, self.trials, most_at_once)
        self.spikes: list[NDArray[np.int32]] = []
        self.changes: list[tuple[NDArray[Any], ...]] = []

    def run_until(self, stop: int) -> None:
        """Run to step `stop`, emptying the buffers as often as needed."""
        while self.step < stop:
            self.step = run_steps_compiled(
                self.step,
                stop,
                self.trials,
                self.arithmetic.clock.period_steps if self.rule.mode == b.PERIODIC else 0,
                self.layout.n_sources,
                self.neurons,
                self.wiring,
                self.rule,
                self.draws,
                self.words,
                self.state,
                self.events,
                self.recorder,
            )
            self._collect()

    def _collect(self) -> None:
        r = self.recorder
        _, n_spikes, n_changes = r.cursor
        self.spikes.append(r.spikes[:n_spikes].copy())
        self.changes.append((r.changes[:n_changes].copy(), r.change_value[:n_changes].copy()))
        r.cursor[1:] = 0

    def result(self, target: Target | None) -> Run:
        """Return what has been collected."""
        a = self.arithmetic
        return Run(
            rung=a.rung,
            target="" if target is None or a.rung == "ideal" else target.name,
            seed=self.seed,
            first_trial=self.first_trial,
            step_ms=float(a.clock.step_ms),
            n_steps=self.step,
            spikes=self._spike_trains(),
            weights=self._weights(),
            membrane=self._membrane(),
            sites=_site_counts(self.recorder.tally),
            input_coincidences=self.coincidences,
        )

    def _spike_trains(self) -> dict[str, SpikeTrains]:
        step, neuron, trial = np.concatenate(self.spikes).T
        trains = {}
        for name, members in self.layout.neurons.items():
            inside = (neuron >= members.start) & (neuron < members.stop)
            parts = [inside & (trial == t) for t in range(self.trials)]
            trains[name] = SpikeTrains(
                tuple(step[p].astype(np.int64) for p in parts),
                tuple(neuron[p].astype(np.int64) - members.start for p in parts),
                len(members),
            )
        return trains

    def _weights(self) -> dict[str, WeightRecord]:
        step, slot, trial = np.concatenate([c[0] for c in self.changes]).T
        value = np.concatenate([c[1] for c in self.changes])
        records = {}
        is_integer = self.arithmetic.rung == "fixed"
        for name in self.experiment.record.weights:
            slots, numbers = self.layout.slots[name], self.arithmetic.synapses[name]
            inside = (slot >= slots.start) & (slot < slots.stop)
            trials = []
            for t in range(self.trials):
                part = inside & (trial == t)
                raw = value[part].astype(np.int64) if is_integer else value[part].astype(float)
                trials.append(
                    WeightChanges(
                        step[part].astype(np.int64),
                        slot[part].astype(np.int64) - slots.start,
                        raw,
                        raw * numbers.lsb,
                    )
                )
            lsb = numbers.lsb if is_integer else 0.0
            records[name] = WeightRecord(tuple(trials), float(numbers.weight) * numbers.lsb, lsb)
        return records

    def _membrane(self) -> dict[str, MembraneRecord]:
        record = self.experiment.record.membrane
        if record is None:
            return {}
        r, start = self.recorder, 0
        first, stop, every = r.sample_grid
        taken = max(0, -(-(min(stop, self.step) - first) // every))
        steps = first + every * np.arange(taken, dtype=np.int64)
        records = {}
        for name in record.populations:
            size = len(self.layout.neurons[name])
            values = r.sample_v[:taken, start : start + size] * self.arithmetic.membrane_lsb
            rest = self.experiment.populations[name].v_rest
            records[name] = MembraneRecord(steps, values + rest if rest else values)
            start += size
        return records


def _site_counts(tally: NDArray[np.int64]) -> dict[str, dict[str, int | None]]:
    counts: dict[str, dict[str, int | None]] = {}
    for i, name in enumerate(b.TALLIED):
        entry: dict[str, int | None] = {}
        for what, (number, first) in {"overflow": (0, 1), "lost": (2, 3)}.items():
            happened = tally[:, i, number] > 0
            key = "overflowed" if what == "overflow" else "lost"
            entry[key] = int(tally[:, i, number].sum())
            entry[f"{what}_step"] = int(tally[happened, i, first].min()) if happened.any() else None
        counts[name] = entry
    return counts


def _neurons(layout: Layout, a: Arithmetic) -> b.Neurons:
    """Group neighbouring populations that share all constants, so that one loop runs over both."""
    groups: list[tuple[LifParams, int, int]] = []
    for name, members in layout.neurons.items():
        params = a.neurons[name]
        if groups and groups[-1][0] == params:
            groups[-1] = (params, groups[-1][1], members.stop)
        else:
            groups.append((params, members.start, members.stop))
    columns = [np.asarray([g[0][i] for g in groups], a.membrane) for i in range(4)]
    steps = np.asarray([g[0].refractory_steps for g in groups], np.int32)
    return b.Neurons(
        bounds=np.asarray([g[1:] for g in groups], np.int64),
        group=np.repeat(np.arange(len(groups)), [g[2] - g[1] for g in groups]).astype(np.int32),
        params=LifParams(*columns, refractory_steps=steps),
        sites=a.neuron_sites,
    )


def _rule(layout: Layout, wiring: b.Wiring, a: Arithmetic, experiment: Experiment) -> b.Rule:
    modes = {"none": b.NO_UPDATE, "event": b.EVENT_DRIVEN, "periodic": b.PERIODIC}
    nothing = HomeostasisParams(0, 0, 1, 0, 0)
    rules = [a.synapses[name].rule or nothing for name in experiment.projections]
    counted = np.zeros(layout.n_units, np.bool_)
    counted[wiring.slots[:, 0]] = True
    counted[layout.n_sources + wiring.slots[:, 1]] = True
    columns = (np.asarray([r[i] for r in rules], a.weight) for i in range(5))
    return b.Rule(
        mode=modes[a.update],
        period=max(a.clock.period_steps, 1),
        counted=counted,
        on_overflow=a.counter_overflow,
        params=HomeostasisParams(*columns),
        sites=a.rule_sites,
        counter_sites=a.counter_sites,
    )


def _randomness(
    a: Arithmetic, experiment: Experiment, seed: int, trials: range
) -> tuple[b.Draws, b.LeakConstant | b.LeakRandom]:
    def keys(site: str) -> NDArray[np.int64]:
        return np.asarray([stream_key(seed, t, site) for t in trials], np.int64)

    random = a.random
    store = b.NO_BITS
    if "store" in a.stochastic:
        store = b.LFSR if random.source == "lfsr" else b.COUNTER
    draws = b.Draws(
        store=store,
        drive=b.COUNTER if "drive" in a.stochastic else b.NO_BITS,
        store_keys=keys("store"),
        drive_keys=keys("drive"),
        width=random.width,
        taps=sum(1 << (t - 1) for t in random.taps),
        clocks=random.bits_per_draw,
        output_bits=random.output_bits,
    )
    words = b.LeakRandom(keys("leak")) if "leak" in a.stochastic else b.LeakConstant()
    return draws, words


def _events(
    layout: Layout, a: Arithmetic, trains: Sequence[Mapping[str, Train]]
) -> tuple[NDArray[np.int32], int]:
    pieces, coincidences = [np.empty((0, 3), np.int64)], 0
    for trial, by_name in enumerate(trains):
        for name, train in by_name.items():
            binned = bin_train(train, a.clock.input_steps)
            coincidences += coincident(binned)
            unit = binned[:, 1] + layout.units[name].start
            pieces.append(np.stack((binned[:, 0], unit, np.full_like(unit, trial)), axis=1))
    step, unit, trial = np.concatenate(pieces).T
    order = np.lexsort((trial, unit, step))
    events = np.stack((step, unit, trial), axis=1)[order].astype(np.int32)
    return np.ascontiguousarray(events), coincidences


def _state(
    layout: Layout, wiring: b.Wiring, a: Arithmetic, draws: b.Draws, seed: int, trials: range
) -> b.State:
    n_trials, lanes = len(trials), layout.n_neurons * len(trials)
    v = np.zeros(lanes, a.membrane)
    for name, members in layout.neurons.items():
        v[members.start * n_trials : members.stop * n_trials] = a.v_init[name]
    weight = np.zeros((n_trials, layout.n_slots), a.weight)
    for name, slots in layout.slots.items():
        weight[:, slots.start : slots.stop] = a.synapses[name].weight
    fired = np.zeros(-(-lanes // 8) * 8, np.bool_)
    return b.State(
        neurons=LifState(v, np.zeros(lanes, np.int32)),
        weight=weight,
        lfsr=_lfsr_states(layout.n_slots, draws, seed, trials),
        counters=Counter(
            np.zeros((n_trials, layout.n_units), np.int64),
            np.zeros((n_trials, layout.n_units), np.bool_),
        ),
        fired=fired,
        fired_words=fired.view(np.uint64),
    )


def _lfsr_states(n_slots: int, draws: b.Draws, seed: int, trials: range) -> NDArray[np.int64]:
    if draws.store != b.LFSR:
        return np.zeros((len(trials), 0), np.int64)
    return np.asarray(
        [[lfsr_seed(seed, t, slot, draws.width) for slot in range(n_slots)] for t in trials],
        np.int64,
    ).reshape(len(trials), n_slots)


def _recorder(
    layout: Layout, a: Arithmetic, experiment: Experiment, trials: int, most_at_once: int
) -> b.Recorder:
    recorded = np.zeros(layout.n_slots, np.bool_)
    for name in experiment.record.weights:
        recorded[layout.slots[name].start : layout.slots[name].stop] = True
    n_touched = int(recorded.sum()) * trials
    changes = BUFFER + n_touched if n_touched else 0
    grid, members = _sample_grid(layout, a, experiment)
    samples = max(0, -(-(grid[1] - grid[0]) // grid[2]))

    return b.Recorder(
        cursor=np.zeros(3, np.int64),
        spikes=np.zeros((BUFFER + layout.n_neurons * trials, 3), np.int32),
        now=np.zeros((layout.n_neurons * trials + most_at_once, 3), np.int32),
        is_recorded=recorded if n_touched else np.zeros(0, np.bool_),
        changes=np.zeros((changes, 3), np.int32),
        change_value=np.zeros(changes, a.weight),
        touched=np.zeros((n_touched, 2), np.int32),
        touched_old=np.zeros(n_touched, a.weight),
        touched_at=np.full((trials, layout.n_slots if n_touched else 0), -1, np.int32),
        sample_neuron=np.asarray(members, np.int32),
        sample_grid=np.asarray(grid, np.int64),
        sample_v=np.zeros((samples, len(members), trials), a.membrane),
        tally=np.zeros((trials, len(b.TALLIED), 4), np.int64),
    )


def _sample_grid(
    layout: Layout, a: Arithmetic, experiment: Experiment
) -> tuple[tuple[int, int, int], list[int]]:
    record = experiment.record.membrane
    if record is None:
        return (0, 0, 1), []
    step = float(a.clock.step_ms)
    start = round(record.start_ms / step)
    stop = min(round(record.stop_ms / step), a.clock.n_steps)
    every = 1 if record.every_ms is None else max(1, round(record.every_ms / step))
    members = [n for name in record.populations for n in layout.neurons[name]]
    return (start, stop, every), members
