"""The float reference against Brian2: recorded traces and live runs, equal in every bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.engine.run import Run
from neuroemu.engine.simulate import simulate
from neuroemu.experiment import (
    Experiment,
    Homeostasis,
    MembraneRecord,
    Poisson,
    Population,
    Projection,
    Record,
    TimeTable,
)
from neuroemu.hardware.load import load_experiment
from tests.oracles.brian2_reference import Parameters, b2
from tests.oracles.brian2_reference import run as run_brian2

TRACES = Path(__file__).parents[1] / "traces" / "brian2"
WITH, WITHOUT, WEIGHT = "with_homeostasis", "without_homeostasis", "homeostatic"

FLUSHED = 1e-290
"""Membranes below this the float reference sets to 0 now and then: docs/spec/lif.md."""


def flushed(v: np.ndarray) -> np.ndarray:
    return np.where(np.abs(v) < FLUSHED, 0.0, v)


@pytest.fixture(scope="module", params=["exact_seed01", "exact_seed02"])
def recorded(request: pytest.FixtureRequest) -> tuple[dict[str, np.ndarray], Run]:
    """A recorded trace, and the shipped experiment under its input, one step longer."""
    with np.load(TRACES / f"{request.param}.npz") as file:
        trace = dict(file)
    shipped = load_experiment("spike_based_homeostasis")
    dt_ms, record = shipped.time.dt_ms, shipped.record.membrane
    assert record is not None
    longer = (shipped.n_steps + 1) * dt_ms
    experiment = shipped.model_copy(
        update={
            "time": TimeTable(dt_ms=dt_ms, duration_ms=longer),
            "record": shipped.record.model_copy(
                update={"membrane": record.model_copy(update={"stop_ms": longer})}
            ),
        }
    )
    run = simulate(
        experiment,
        spikes={"steady": [trace["pre_plastic_steps"]], "varying": [trace["pre_static_steps"]]},
    )
    return trace, run


def test_recorded_output_spikes(recorded: tuple[dict[str, np.ndarray], Run]) -> None:
    trace, run = recorded
    for population, name in ((WITH, "out_with"), (WITHOUT, "out_without")):
        steps = run.spikes[population][0]
        assert steps.size > 1000
        np.testing.assert_array_equal(steps[steps < trace["n_steps"]], trace[name], strict=True)


def test_recorded_weights(recorded: tuple[dict[str, np.ndarray], Run]) -> None:
    trace, run = recorded
    changes = run.weights[WEIGHT][0]
    inside = changes.step < trace["n_steps"]
    np.testing.assert_array_equal(changes.step[inside], trace["w_change_step"], strict=True)
    np.testing.assert_array_equal(changes.value[inside], trace["w_change_value"], strict=True)
    assert changes.value[inside][-1] == trace["w_final"]
    until = np.searchsorted(changes.step, np.arange(trace["w_end_2s"].size), side="right")
    values = np.concatenate(([run.weights[WEIGHT].initial], changes.value))[until]
    np.testing.assert_array_equal(values, trace["w_end_2s"], strict=True)


def test_recorded_membranes(recorded: tuple[dict[str, np.ndarray], Run]) -> None:
    trace, run = recorded
    for population, name in ((WITH, "v_with"), (WITHOUT, "v_without")):
        record = run.membrane[population]
        v = record.value[:, 0, 0]
        np.testing.assert_array_equal(record.step, np.arange(trace["n_steps"] + 1))
        start, end = trace[f"{name}_start_2s"], trace[f"{name}_end_2s"]
        np.testing.assert_array_equal(v[: start.size], start, strict=True)
        # What a step leaves is what the next one finds.
        np.testing.assert_array_equal(v[1 : end.size + 1], end, strict=True)
        assert v[-1] == trace[f"{name}_final"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Parameters in ms, and how often the sources fire; the defaults are the example's."""

    n_steps: int = 3000
    dt_ms: float = 0.1
    tau_ms: float = 10.0
    refractory_ms: float = 1.0
    v_thresh: float = 1.0
    v_reset: float = -1.0
    w_static: float = 2.0
    w_initial: float = 0.0
    dw_plus: float = 0.05
    dw_minus: float = 0.05
    w_min: float = 0.0
    w_max: float = 2.0
    steady: float = 0.05
    varying: float = 0.05
    seed: int = 0

    def inputs(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        drawn = rng.random((2, self.n_steps)) < [[self.steady], [self.varying]]
        return np.flatnonzero(drawn[0]), np.flatnonzero(drawn[1])

    def for_brian2(self) -> Parameters:
        # As a Brian2 script has it: `tau = 9*ms`, one rounding more than 0.009 seconds.
        return Parameters(
            dt_s=float(self.dt_ms * b2.ms),
            n_steps=self.n_steps,
            tau_s=float(self.tau_ms * b2.ms),
            v_threshold=self.v_thresh,
            v_reset=self.v_reset,
            refractory_s=float(self.refractory_ms * b2.ms),
            w_static=self.w_static,
            w_initial=self.w_initial,
            dw_plus=self.dw_plus,
            dw_minus=self.dw_minus,
            w_min=self.w_min,
            w_max=self.w_max,
        )

    def for_neuroemu(self) -> Experiment:
        """The same, one step longer: the start of that step is the end of the last."""
        duration_ms = (self.n_steps + 1) * self.dt_ms
        neuron = Population(
            tau_m_ms=self.tau_ms,
            v_thresh=self.v_thresh,
            v_reset=self.v_reset,
            tau_refrac_ms=self.refractory_ms,
        )
        rule = Homeostasis(
            dw_plus=self.dw_plus, dw_minus=self.dw_minus, w_min=self.w_min, w_max=self.w_max
        )
        source = Poisson(rates_hz=(0.0,))
        return Experiment(
            name="case",
            title="case",
            time=TimeTable(dt_ms=self.dt_ms, duration_ms=duration_ms),
            populations={WITH: neuron, WITHOUT: neuron},
            stimuli={"varying": source, "steady": source},
            projections={
                "drive": Projection(pre="varying", post=WITH, weight=self.w_static),
                "control": Projection(pre="varying", post=WITHOUT, weight=self.w_static),
                WEIGHT: Projection(pre="steady", post=WITH, weight=self.w_initial, plasticity=rule),
            },
            record=Record(
                weights=(WEIGHT,),
                membrane=MembraneRecord(populations=(WITH,), stop_ms=duration_ms),
            ),
        )


def assert_equals_brian2(case: Case) -> Run:
    steady, varying = case.inputs()
    theirs = run_brian2(case.for_brian2(), steady, varying)
    ours = simulate(case.for_neuroemu(), spikes={"steady": [steady], "varying": [varying]})
    for population, known in ((WITH, theirs.out_with), (WITHOUT, theirs.out_without)):
        steps = ours.spikes[population][0]
        np.testing.assert_array_equal(steps[steps < case.n_steps], known, strict=True)
    changes = ours.weights[WEIGHT][0]
    inside = changes.step < case.n_steps
    np.testing.assert_array_equal(changes.step[inside], theirs.w_change_step, strict=True)
    np.testing.assert_array_equal(changes.value[inside], theirs.w_change_value, strict=True)
    v = ours.membrane[WITH].value[1:, 0, 0]
    np.testing.assert_array_equal(flushed(v), flushed(theirs.v_with), strict=True)
    return ours


CASES = {
    "example, other seed": Case(seed=11, n_steps=20_000, steady=0.005, varying=0.005),
    "example, busy": Case(seed=12),
    "tau that ms rounds": Case(seed=13, tau_ms=9.0),
    "slow neuron": Case(seed=14, tau_ms=143.7, w_static=0.3, w_max=0.4, n_steps=8000),
    "tau of a few steps": Case(seed=15, tau_ms=0.25),
    "no refractory": Case(seed=16, refractory_ms=0.0),
    "refractory of one step": Case(seed=17, refractory_ms=0.1),
    "refractory below a step": Case(seed=18, refractory_ms=0.07),
    "refractory floored": Case(seed=19, refractory_ms=0.78),
    "refractory a hair below whole": Case(seed=20, refractory_ms=0.29999),
    "refractory a tenth more often": Case(seed=21, refractory_ms=0.3),
    "set point doubled": Case(seed=22, dw_plus=0.1, dw_minus=0.05),
    "set point a third": Case(seed=23, dw_plus=0.03, dw_minus=0.09, n_steps=8000),
    "between tight limits": Case(seed=24, w_min=0.33, w_max=0.61, w_initial=0.5, dw_minus=0.07),
    "negative lower limit": Case(seed=25, w_min=-0.7, w_max=0.9, w_initial=-0.2, dw_minus=0.2),
    "dt 0.05": Case(seed=26, dt_ms=0.05, tau_ms=7.3, refractory_ms=1.03),
    "dt 0.2": Case(seed=27, dt_ms=0.2, tau_ms=18.0, refractory_ms=1.4),
    "dt 0.5": Case(seed=28, dt_ms=0.5, tau_ms=3.1, refractory_ms=0.5, steady=0.2, varying=0.2),
    "dt 1": Case(seed=29, dt_ms=1.0, tau_ms=20.0, refractory_ms=2.0, steady=0.1, varying=0.1),
    "dt that ms rounds": Case(seed=30, dt_ms=0.07, tau_ms=13.0, refractory_ms=0.21),
    "threshold and reset": Case(seed=31, v_thresh=0.43, v_reset=0.17, w_static=0.31),
    "reset far below": Case(seed=32, v_thresh=1.7, v_reset=-3.9, w_static=1.9),
    "inhibition": Case(seed=33, w_static=-0.4, w_initial=1.1, steady=0.2),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_equals_live_brian2(case: Case) -> None:
    run = assert_equals_brian2(case)
    assert run.spikes[WITH][0].size > 20
    assert run.weights[WEIGHT][0].step.size > 20


def sixteenths(low: int, high: int) -> st.SearchStrategy[float]:
    """Numbers of which half are exact in binary and sums of the others round."""
    return st.one_of(
        st.integers(16 * low, 16 * high).map(lambda n: n / 16),
        st.integers(100 * low, 100 * high).map(lambda n: n / 100),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    dt_ms = draw(st.sampled_from([0.05, 0.1, 0.2, 0.5, 1.0]))
    v_thresh = draw(sixteenths(0, 2)) + 0.05
    w_min, width = draw(sixteenths(-1, 1)), draw(sixteenths(0, 2)) + 0.1
    w_max = w_min + width
    return Case(
        n_steps=300,
        dt_ms=dt_ms,
        tau_ms=max(dt_ms, draw(st.floats(0.05, 50.0))),
        refractory_ms=draw(st.one_of(st.integers(0, 9).map(lambda n: n * dt_ms), sixteenths(0, 3))),
        v_thresh=v_thresh,
        v_reset=v_thresh - 0.01 - draw(sixteenths(0, 3)),
        w_static=draw(sixteenths(-1, 3)),
        w_initial=min(max(w_min, w_min + draw(st.floats(0, 1)) * width), w_max),
        dw_plus=draw(sixteenths(0, 1)),
        dw_minus=draw(sixteenths(0, 1)),
        w_min=w_min,
        w_max=w_max,
        steady=draw(st.floats(0.02, 0.6)),
        varying=draw(st.floats(0.02, 0.6)),
        seed=draw(st.integers(0, 2**32)),
    )


@given(case=cases())
@settings(max_examples=20, deadline=None)
def test_equals_live_brian2_for_drawn_parameters(case: Case) -> None:
    assert_equals_brian2(case)


def test_a_membrane_of_subnormal_size_is_flushed_and_changes_nothing() -> None:
    # Halving 3000 times goes below the smallest double's normal range.
    late = Case(n_steps=3000, dt_ms=0.1, tau_ms=0.2, w_static=1.9, seed=5)
    steady, varying = np.array([2, 2995]), np.array([0, 2990, 2991, 2992])
    theirs = run_brian2(late.for_brian2(), steady, varying)
    ours = simulate(late.for_neuroemu(), spikes={"steady": [steady], "varying": [varying]})
    v = ours.membrane[WITH].value[1:, 0, 0]
    assert 0 < theirs.v_with[1060] < FLUSHED
    assert v[1060] == 0.0
    np.testing.assert_array_equal(v[2990:], theirs.v_with[2990:])
    np.testing.assert_array_equal(ours.spikes[WITH][0], theirs.out_with)
    assert theirs.out_with.size == 1
