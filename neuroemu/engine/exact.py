"""The same step texts over Python's own numbers: the judge of the containers and of the kernels.

Python ints have no width, so what the compiled kernels do in 32 or 64 bits (or in doubles) must
come out the same here; and every wide value is held against the range that the plan proved for it.
The loops are written apart from those of `neuroemu.engine.kernels`, line by line as
docs/spec/lif.md and docs/spec/plasticity.md have them: clear and slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from neuroemu.engine.collect import Written, assemble, note_clipped, raise_overflow
from neuroemu.engine.exact_network import flat_network
from neuroemu.engine.exact_trial import ExactTrial
from neuroemu.engine.inputs import input_events
from neuroemu.engine.network import build
from neuroemu.engine.run import Run
from neuroemu.engine.setup import resolve_with_plan, sample_grid, simulate_inputs
from neuroemu.engine.watched import Place, Trace, Watched, plain, watch_plan
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.models.arithmetic import Arithmetic, Rung
from neuroemu.models.neurons import clipped
from neuroemu.models.registers import Discretized
from neuroemu.numeric.site import Noisy


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
        one = ExactTrial(network, a, sites, place, seed, first_trial + i)
        one.run(mine, stop, *sample_grid(layout, a, experiment))
        done.append(one)
    written = _written(done, stop, coincidences, is_integer=a.rung == "fixed")
    run = assemble(experiment, target, a, layout, written, seed=seed, first_trial=first_trial)
    raise_overflow(run, a)
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
        sites = watch_plan(plan, place, trace)
        if isinstance(a.neuron_sites.leak, Noisy):
            sites["leak"] = replace(sites["leak"], site=a.neuron_sites.leak)
        return sites
    groups = (a.neuron_sites, a.synapse_sites, a.rule_sites, a.counter_sites)
    return {
        name: Watched(name=name, site=plain(site), place=place, trace=trace)
        for group in groups
        for name, site in group._asdict().items()
        if name not in ("wait", "fire")
    }


def _written(
    done: Sequence[ExactTrial], n_steps: int, coincidences: int, *, is_integer: bool
) -> Written:
    """Return what all trials wrote down, as the arrays of the engine."""
    spikes = [(k, neuron, t) for t, one in enumerate(done) for k, neuron in one.spikes]
    changes = [(k, slot, t) for t, one in enumerate(done) for k, slot, _ in one.changes]
    values = [w for one in done for _, _, w in one.changes]
    samples = np.asarray([one.samples for one in done])
    shape = (len(done), len(done[0].samples), done[0].n_sampled)
    tally = np.asarray([one.tally for one in done], np.int64)
    over = [sum(clipped(neuron) for neuron in one.neurons) for one in done]
    note_clipped(tally, np.asarray(over, np.int64), n_steps)
    return Written(
        n_steps=n_steps,
        spikes=np.asarray(spikes, np.int64).reshape(-1, 3),
        changes=np.asarray(changes, np.int64).reshape(-1, 3),
        change_value=np.asarray(values, np.int64 if is_integer else np.float64),
        sample_v=np.moveaxis(samples.reshape(shape), 0, 2),
        tally=tally,
        coincidences=coincidences,
    )
