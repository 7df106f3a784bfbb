"""Runs: rates, counts, and what is saved comes back equal."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from neuroemu.engine.run import Run, SpikeTrains, load_run
from neuroemu.engine.simulate import simulate
from neuroemu.errors import OutputError
from neuroemu.experiment import Poisson
from tests.engine.small import (
    SILENT,
    assert_equal,
    homeostasis,
    network,
    neuron,
    synapses,
    target,
)


def experiment(steps=2000):
    """Two populations, two plastic projections, one of them silent."""
    busy = Poisson(size=3, rates_hz=(300.0, 50.0), interval_ms=100.0)
    return network(
        {"first": neuron(2), "second": neuron(), "idle": neuron()},
        {"busy": busy, "quiet": SILENT},
        {
            "learn": synapses("busy", "first", 1.0, plasticity=homeostasis(0.1, 0.15)),
            "pass_on": synapses("first", "second", 2.0),
            "unused": synapses("quiet", "idle", 0.5, plasticity=homeostasis()),
        },
        steps=steps,
        membrane=("second", "first"),
    )


RUNS = {
    "reference": lambda: simulate(experiment(), trials=3, seed=2**64 - 1, first_trial=4),
    "fixed": lambda: simulate(experiment(), target(), trials=2, seed=5),
    "coarse": lambda: simulate(experiment(), target("time.tick_us=500"), trials=2),
    "range": lambda: simulate(experiment(), target(), rung="range"),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())
def test_a_saved_run_comes_back_equal(run, tmp_path):
    before = run()
    assert before.weights["learn"].step[0].size > 10
    assert before.spikes["second"][0].size > 10
    assert before.weights["unused"].step[0].size == 0
    path = before.save(tmp_path / "run.npz")
    assert path == tmp_path / "run.npz"
    after = load_run(path)
    assert {f.name for f in fields(Run)} >= {"spikes", "weights", "membrane", "sites"}
    assert_equal(before, after)
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_the_runs_fill_every_field():
    # What a saved run must bring back is not at its default.
    run = RUNS["coarse"]()
    assert run.input_coincidences > 0
    assert run.target == "generic16"
    assert run.sites["store"].keys() == {"overflowed", "overflow_step", "lost", "lost_step"}
    assert run.weights["learn"].lsb == 2**-14
    assert RUNS["reference"]().first_trial == 4
    assert RUNS["reference"]().weights["learn"].lsb == 0.0


def test_a_run_without_weights_and_membranes_comes_back_equal(tmp_path):
    before = simulate(network({"n": neuron()}, steps=5))
    assert (before.weights, before.membrane) == ({}, {})
    assert_equal(before, load_run(before.save(tmp_path / "run.npz")))


def test_populations_may_have_the_names_of_our_columns(tmp_path):
    names = ("step", "value", "neuron", "offsets", "meta")
    population = neuron(init=0.5)
    before = simulate(network(dict.fromkeys(names, population), steps=5, membrane=names))
    assert_equal(before, load_run(before.save(tmp_path / "run.npz")))


def test_saving_twice_replaces_the_file(tmp_path):
    path = tmp_path / "run.npz"
    simulate(experiment(100)).save(path)
    second = simulate(experiment(200), seed=1)
    assert_equal(second, load_run(second.save(str(path))))


def test_equality_of_runs_is_of_every_field():
    run = simulate(experiment(200), trials=2)
    others = {
        "seed": 1,
        "target": "x",
        "step_ms": 0.2,
        "input_coincidences": 1,
        "spikes": run.spikes | {"idle": run.spikes["second"]},
        "weights": {},
        "membrane": {},
        "sites": {},
    }
    for name, value in others.items():
        with pytest.raises(AssertionError):
            assert_equal(run, replace(run, **{name: value}))


@pytest.mark.parametrize("place", ["missing/run.npz", "file/run.npz"])
def test_a_place_that_cannot_be_written_is_said(place, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match=r"the run cannot be written; .*; choose another place"):
        simulate(experiment(10)).save(tmp_path / place)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def damaged(folder: Path) -> dict[str, Path]:
    whole = simulate(experiment(50)).save(folder / "whole.npz")
    names = ("none", "text", "empty", "short", "foreign", "array", "other_meta")
    paths = {name: folder / f"{name}.npz" for name in names}
    paths["text"].write_text("spikes")
    paths["empty"].touch()
    paths["short"].write_bytes(whole.read_bytes()[:-100])
    np.savez(paths["foreign"], spikes=np.arange(3))
    with paths["array"].open("wb") as file:
        np.save(file, np.arange(3))
    np.savez(paths["other_meta"], meta=np.array('{"rung": "ideal"}'))
    return paths


@pytest.mark.parametrize(
    "kind", ["none", "text", "empty", "short", "foreign", "array", "other_meta"]
)
def test_what_is_no_saved_run_is_refused(kind, tmp_path):
    with pytest.raises(OutputError, match=rf"{kind}\.npz: this is no saved run; "):
        load_run(damaged(tmp_path)[kind])


# Counts and rates


def run_of(*trials, size=1, step_ms=0.1):
    steps = tuple(np.asarray(t, np.int64) for t in trials)
    trains = SpikeTrains(steps, tuple(np.zeros_like(s) for s in steps), size)
    return Run(
        rung="ideal",
        target="",
        seed=0,
        first_trial=0,
        step_ms=step_ms,
        n_steps=1000,
        spikes={"n": trains},
        weights={},
        membrane={},
    )


def test_counts_between_edges():
    trains = run_of([0, 9, 10, 10, 29], [], [30]).spikes["n"]
    counts = trains.counts([0, 10, 20, 30])
    np.testing.assert_array_equal(counts, [[2, 2, 1], [0, 0, 0], [0, 0, 0]])


def test_rates_are_spikes_over_time_and_neurons():
    run = run_of(range(0, 1000, 10), range(500, 1000), size=4)
    rates = run.rates("n", [0.0, 50.0, 100.0])
    assert rates.shape == (2, 2)
    # 50 spikes of 4 neurons in 50 ms are 250 Hz.
    np.testing.assert_allclose(rates, [[250.0, 250.0], [0.0, 2500.0]])


def test_rates_leave_out_the_settling_time():
    run = run_of([*range(10), 500, 599, 600])
    np.testing.assert_allclose(run.rates("n", [0.0, 50.0, 100.0], settle_ms=10.0), [[0.0, 25.0]])


def test_rates_on_edges_that_are_no_binary_fractions():
    # 0.3 / 0.1 is less than 3 in doubles.
    run = run_of([2, 3, 4])
    np.testing.assert_allclose(run.rates("n", [0.0, 0.3, 0.6]), [[1 / 0.3e-3, 2 / 0.3e-3]])


def test_trials_of_a_run():
    assert run_of([1], [2], []).trials == 3
    assert len(run_of([1], [2], []).spikes["n"]) == 3
