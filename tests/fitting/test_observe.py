"""What is observed is what the executor on Python numbers meets, value by value."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuroemu.engine.exact import run_exact
from neuroemu.engine.network import build
from neuroemu.engine.run import Run
from neuroemu.experiment import Experiment
from neuroemu.fitting import observe as module
from neuroemu.fitting.grid import recording_all
from neuroemu.fitting.observe import observe
from neuroemu.fitting.observed import Observation
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.arithmetic import Arithmetic
from neuroemu.testing import Case
from tests.fitting.drawn import fittable

few = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def unrounded(target: Target) -> Target:
    """Registers so fine that every constant of a drawn case is exact, and so wide that nothing clips."""
    data = target.model_dump(mode="json", exclude={"sources"}, exclude_none=True)
    data["membrane"]["arithmetic"] = "analog"
    data["refractory"] = {"format": "fxp-u16/0"}
    data["synapse"] = {"weight": {"format": "fxp-s40/28"}}
    data["plasticity"] |= {
        "weight": {"format": "fxp-s40/28"},
        "increment": {"format": "fxp-u40/0"},
        "accumulator": {},
        "counter": {"width": 10},
    }
    return Target.model_validate(data)


def shortened(name: str, duration_ms: float) -> Experiment:
    """A shipped experiment that ends before its question can be answered."""
    experiment = load_experiment(name)
    time = experiment.time.model_copy(update={"duration_ms": duration_ms})
    return experiment.model_copy(update={"time": time, "question": None})


def from_rest(experiment: Experiment) -> Experiment:
    """The same experiment with its membranes at rest at 0, so that a record has all their bits."""
    moved = {
        name: p.model_copy(
            update={"v_rest": 0.0}
            | {key: getattr(p, key) - p.v_rest for key in ("v_thresh", "v_reset", "v_init")}
        )
        for name, p in experiment.populations.items()
    }
    return experiment.model_copy(update={"populations": moved})


class Met:
    """Values that met each site, by the trace of `run_exact`."""

    def __init__(self, experiment: Experiment, a: Arithmetic) -> None:
        layout, self.wiring = build(experiment, a)
        self.values: dict[str, list[float]] = defaultdict(list)
        self.drives: dict[tuple[int, int, int], float] = defaultdict(float)
        self.sources = layout.n_sources

    def __call__(
        self, site: str, trial: int, index: int, step: int, wide: Any, stored: Any
    ) -> None:
        self.values[site].append(wide)
        if site == "drive":
            self.drives[trial, step, int(self.wiring.target[index])] += wide


def trace(
    experiment: Experiment, target: Target | None, seen: Observation, **more: Any
) -> tuple[Run, Met]:
    met = Met(experiment, seen.arithmetic)
    watched = recording_all(experiment, experiment.time.duration_ms)
    rung: Any = "ideal" if target is None else "parameters"
    return run_exact(watched, target, rung=rung, trace=met, **more), met


def assert_same(seen: Observation, experiment: Experiment, run: Run, met: Met) -> None:
    registers = seen.registers
    v = np.concatenate([run.membrane[n].value.ravel() for n in experiment.populations])
    everything = np.concatenate((v, met.values["input"]))
    membrane = registers["membrane.format"]
    assert (membrane.low, membrane.high) == (everything.min(), everything.max())
    np.testing.assert_array_equal(np.histogram(v, membrane.edges)[0], membrane.counts)
    drives = list(met.drives.values()) or [0.0]
    assert (registers["input"].low, registers["input"].high) == (min(drives), max(drives))
    assert registers["input"].counts.sum() == len(met.drives)


def assert_weights(seen: Observation, run: Run) -> None:
    """How long each plastic weight has which value, synapse by synapse."""
    if "plasticity.weight.format" not in seen.registers:
        return
    weight = seen.registers["plasticity.weight.format"]
    lasts, values = np.zeros(len(weight.counts)), []
    for name, record in run.weights.items():
        for changes in record.trials:
            for synapse in range(seen.synapses[name]):
                mine = changes.synapse == synapse
                edges = np.concatenate(([0], changes.step[mine], [run.n_steps]))
                held = np.concatenate(([record.initial], changes.value[mine]))
                lasts += np.histogram(held, weight.edges, weights=np.diff(edges))[0]
                values.append(held)
    np.testing.assert_array_equal(lasts, weight.counts)
    ends = np.concatenate(values)
    assert (weight.low, weight.high) == (ends.min(), ends.max())


@pytest.fixture(autouse=True)
def several_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VALUES_PER_CHUNK", 100)


@few
@given(st.booleans().flatmap(lambda unique: fittable(kernel="analog", unique=unique)))
def test_every_register_of_drawn_cases(case: Case) -> None:
    fine = unrounded(case.target)
    seen = observe(case.experiment, case.target, spikes=case.spikes)
    experiment = from_rest(case.experiment)
    run, met = trace(experiment, fine, seen, spikes=case.spikes)
    assert_same(seen, experiment, run, met)
    lsb = 2.0**-28
    assert_weights(seen, run)
    if "plasticity.accumulator.format" in seen.registers:
        totals = seen.registers["plasticity.accumulator.format"]
        sites = ("accumulate", "plus", "minus", "change")
        values = np.concatenate([met.values[s] for s in sites]) * lsb
        assert totals.counts.sum() == len(met.values["accumulate"])
        if values.size:
            assert (totals.low, totals.high) == (values.min(), values.max())
    if "plasticity.counter.width" in seen.registers:
        assert seen.registers["plasticity.counter.width"].high == max(
            met.values["count"], default=0
        )


@pytest.mark.parametrize("name", ["generic8", "generic4"])
def test_on_the_experiments_own_grid_it_is_the_float_reference(name: str) -> None:
    experiment = shortened("spike_based_homeostasis", 400.0)
    seen = observe(experiment, load_target(name), trials=2, seed=3)
    run, met = trace(experiment, None, seen, trials=2, seed=3)
    assert run.spikes["with_homeostasis"][0].size
    assert_same(seen, experiment, run, met)
    assert_weights(seen, run)


def test_refractory_counters_count_down() -> None:
    experiment = shortened("spike_based_homeostasis", 400.0)
    seen = observe(experiment, load_target("generic8"), trials=2, seed=3)
    run, _ = trace(experiment, None, seen, trials=2, seed=3)
    waiting = np.zeros(11)
    for trains in run.spikes.values():
        for steps in trains.steps:
            for step in steps:
                for i in range(min(10, run.n_steps - step)):
                    waiting[10 - i] += 1
    waiting[0] = run.n_steps * 4 - waiting.sum()
    np.testing.assert_array_equal(seen.registers["refractory.format"].counts, waiting)


def test_constants_are_those_of_the_experiment() -> None:
    seen = observe(shortened("homeostatic_population", 20.0), load_target("generic8"), trials=1)
    assert seen.registers["synapse.weight.format"].constants == {
        -0.125: seen.synapses["inhibition"],
        2.0: 4 * 16 * 2,
    }
    assert seen.registers["plasticity.increment.format"].constants == {0.05: 32}
    assert seen.registers["membrane.leak.format"].constants == {0.99: 32}
    assert seen.positive.max() == 4 * 2.0 + 2.0
    assert seen.negative[16:].max() == 0 < seen.negative[:16].max()


def test_presynaptic_spikes_of_a_period() -> None:
    experiment = load_experiment("spike_based_homeostasis", ["time.duration_ms=20000"])
    seen = observe(experiment, load_target("brainscales2"), trials=4, seed=1)
    assert seen.presynaptic["homeostatic"] == pytest.approx(50 * 0.1, rel=0.05)
