"""From an experiment to a run: assemble, step through time in chunks, collect."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroemu.engine import bundles as b
from neuroemu.engine.collect import Written, assemble, note_clipped, raise_overflow
from neuroemu.engine.inputs import Inputs
from neuroemu.engine.kernels import run_steps_compiled
from neuroemu.engine.network import Layout, build
from neuroemu.engine.pairs import pair_arrays, pair_bundle, pair_sites, row_offsets
from neuroemu.engine.run import Run
from neuroemu.engine.setup import resolve, sample_grid, simulate_inputs
from neuroemu.engine.stimuli import Train
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.models.arithmetic import Arithmetic, Rung
from neuroemu.models.counter import Counter
from neuroemu.models.cuba import CubaParams
from neuroemu.models.homeostasis import HomeostasisParams
from neuroemu.models.lif import LifParams
from neuroemu.models.neurons import state_of
from neuroemu.numeric.bits import lfsr_seed, stream_key

__all__ = ["Progress", "Session", "resolve", "run_trains", "simulate", "simulate_inputs"]

Progress = Callable[[float], None]
"""Called after each chunk with the part of the run that is done, 0 to 1."""

COUNTS = dict.fromkeys(
    ("refractory_steps", "most_spikes", "refractory", "pending", "clipped"), np.int32
)
"""Constants and state that are counts, whatever holds the membrane."""

BUFFER = 2**17
"""Entries of a spike or weight-change buffer between two visits of the caller."""


def simulate(
    experiment: Experiment,
    target: Target | None = None,
    *,
    rung: Rung | None = None,
    trials: int | None = None,
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
    trials : int, optional
        How many; trial `i` sees the same input on every rung and target. Default: as many as
        `spikes` has, or 1.
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
    """Run one arithmetic on input spikes at hand.

    Parameters
    ----------
    experiment, target, seed, first_trial, chunk_ms, progress
        As for `simulate`; `seed` and `first_trial` are those of stochastic rounding.
    arithmetic : Arithmetic
        Of this experiment on this target.
    trains : Inputs or sequence of mapping
        One mapping per trial. Runs that are handed the same `Inputs`, whatever their targets and rungs, share the
        work that goes into it.
    """
    if chunk_ms is not None and not 0 < chunk_ms < math.inf:
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
    raise_overflow(run, arithmetic)
    return run


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
        self.neurons = _neurons(self.layout, arithmetic, self.trials)
        self.rule = _rule(self.layout, self.wiring, arithmetic, experiment)
        self.draws, self.words = _randomness(arithmetic, seed, trial_ids)
        inputs = trains if isinstance(trains, Inputs) else Inputs(trains)
        self.deliveries = inputs.deliveries(self.layout, self.wiring, arithmetic)
        self.state = _state(self.layout, arithmetic, self.draws, seed, trial_ids)
        most_sent = self.layout.n_neurons * self.trials * most_spikes(arithmetic)
        most_at_once = self.deliveries.most_at_once + most_sent * self.wiring.recurrent.size
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
                self.arithmetic.clock.row_steps,
                self.layout.n_sources,
                self.neurons,
                self.wiring,
                self.rule,
                self.draws,
                self.words,
                self.state,
                self.deliveries.rows,
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
        clipped = getattr(self.state.neurons, "clipped", np.zeros(self.trials, np.int64))
        note_clipped(self.recorder.tally, clipped.reshape(-1, self.trials).sum(axis=0), self.step)
        written = Written(
            n_steps=self.step,
            spikes=np.concatenate(self.spikes),
            changes=np.concatenate([c[0] for c in self.changes]),
            change_value=np.concatenate([c[1] for c in self.changes]),
            sample_v=self.recorder.sample_v,
            tally=self.recorder.tally,
            coincidences=self.deliveries.coincidences,
        )
        return assemble(
            self.experiment,
            target,
            self.arithmetic,
            self.layout,
            written,
            seed=self.seed,
            first_trial=self.first_trial,
        )


def _neurons(layout: Layout, a: Arithmetic, trials: int) -> b.Neurons:
    """Group neighbours that share all constants, so that one loop runs over them."""
    groups: list[tuple[LifParams | CubaParams, int, int]] = []
    for name, members in layout.neurons.items():
        for neuron, params in zip(members, a.params_of(name, len(members)), strict=True):
            if groups and groups[-1][0] == params:
                groups[-1] = (params, groups[-1][1], neuron + 1)
            else:
                groups.append((params, neuron, neuron + 1))
    kind = type(groups[0][0])
    columns = [
        np.asarray([getattr(g[0], name) for g in groups], COUNTS.get(name, a.membrane))
        for name in kind._fields
    ]
    return b.Neurons(
        bounds=np.asarray([g[1:] for g in groups], np.int64),
        group=np.repeat(np.arange(len(groups)), [g[2] - g[1] for g in groups]).astype(np.int32),
        lanes=np.stack(np.divmod(np.arange(layout.n_neurons * trials), trials), axis=1).astype(
            np.int32
        ),
        params=kind(*columns),
        sites=a.neuron_sites,
        most_spikes=most_spikes(a),
    )


def most_spikes(a: Arithmetic) -> int:
    """Return how many spikes a neuron can send in one step."""
    return max(int(getattr(params, "most_spikes", 1)) for params in a.neurons.values())


def _rule(layout: Layout, wiring: b.Wiring, a: Arithmetic, experiment: Experiment) -> b.Rule:
    modes = {"none": b.NO_UPDATE, "event": b.EVENT_DRIVEN, "periodic": b.PERIODIC}
    modes |= {"deferred": b.DEFERRED, "pairs": b.PAIRS}
    nothing = HomeostasisParams(0, 0, 1, 0, 0, 0)
    rules = [a.synapses[name].rule or nothing for name in experiment.projections]
    counted = np.zeros(layout.n_units, np.bool_)
    counted[wiring.slots[:, 0]] = True
    counted[layout.n_sources + wiring.slots[:, 1]] = True
    columns = (np.asarray([r[i] for r in rules], a.weight) for i in range(len(nothing)))
    return b.Rule(
        mode=modes[a.update],
        rests=_rests(a, rules),
        period=max(a.clock.period_steps, 1),
        counted=counted,
        on_overflow=a.counter_overflow,
        params=HomeostasisParams(*columns),
        sites=a.rule_sites,
        counter_sites=a.counter_sites,
        turn=max(a.clock.period_steps, 1),
        row_offset=row_offsets(layout, wiring.slots, a),
        pairs=pair_bundle(a, experiment),
        pair_sites=pair_sites(),
    )


def _rests(a: Arithmetic, rules: list[HomeostasisParams]) -> bool:
    """Return whether a period in which nothing is counted changes nothing: a sum has to hold every weight."""
    draws = "store" in a.stochastic and a.random.source == "lfsr"
    total = a.rule_sites.accumulate
    holds = all(total.lo <= r.w_min and r.w_max <= total.hi for r in rules)
    targets = any(r.target_count != 0 for r in rules)
    return a.update != "pairs" and holds and not targets and not draws


def _randomness(
    a: Arithmetic, seed: int, trials: range
) -> tuple[b.Draws, b.LeakConstant | b.LeakRandom]:
    def keys(site: str) -> NDArray[np.int64]:
        drawn = trials if site in a.stochastic else []
        return np.asarray([stream_key(seed, t, site) for t in drawn], np.int64)

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
        taps=sum(2 ** (t - 1) for t in random.taps),
        clocks=random.bits_per_draw,
        output_bits=random.output_bits,
    )
    words = b.LeakRandom(keys("leak")) if "leak" in a.stochastic else b.LeakConstant()
    return draws, words


def _state(layout: Layout, a: Arithmetic, draws: b.Draws, seed: int, trials: range) -> b.State:
    n_trials, lanes = len(trials), layout.n_neurons * len(trials)
    v = np.zeros(lanes, a.membrane)
    for name, members in layout.neurons.items():
        v[members.start * n_trials : members.stop * n_trials] = a.v_init[name]
    weight = np.zeros((n_trials, layout.n_slots), a.weight)
    for name, slots in layout.slots.items():
        weight[:, slots.start : slots.stop] = a.synapses[name].weight
    fired = np.zeros(-(-lanes // 8) * 8, np.uint8)
    return b.State(
        neurons=_neuron_states(a, v),
        weight=weight,
        lfsr=_lfsr_states(layout.n_slots, draws, seed, trials),
        counters=Counter(
            np.zeros((n_trials, layout.n_units), np.int64),
            np.zeros((n_trials, layout.n_units), np.bool_),
        ),
        since=np.zeros((n_trials, layout.n_slots if a.update == "deferred" else 0), np.int64),
        pairs=pair_arrays(a, n_trials, layout.n_slots),
        counting=np.zeros(1, np.bool_),
        fired=fired,
        fired_words=fired.view(np.uint64),
    )


def _neuron_states(a: Arithmetic, v: NDArray[Any]) -> Any:
    kind = state_of(a.neuron_sites)
    rest = {
        name: np.zeros(v.size, COUNTS.get(name, a.membrane)) for name in kind._fields if name != "v"
    }
    return kind(v=v, **rest)


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
    grid, members = sample_grid(layout, a, experiment)
    samples = max(0, -(-(grid[1] - grid[0]) // grid[2]))

    return b.Recorder(
        cursor=np.zeros(3, np.int64),
        spikes=np.zeros((BUFFER + layout.n_neurons * trials * most_spikes(a), 3), np.int32),
        now=np.zeros((most_at_once, 5), np.int32),
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
