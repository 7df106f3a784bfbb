"""The Brian2 harness: equal to a recorded trace, and to the step written out, in every bit."""

import logging
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.oracles.brian2_reference import Parameters, b2, run

TRACE = Path(__file__).parents[1] / "traces" / "brian2" / "exact_seed01.npz"
N_TRACE_STEPS = 40_000
NO_SPIKES = np.array([], dtype=np.int64)
# Nothing at its default, lopsided updates, a weight that reaches both of its limits.
OTHER = Parameters(
    dt_s=2e-4,
    n_steps=1_500,
    tau_s=7e-3,
    v_threshold=0.9,
    v_reset=-0.3,
    refractory_s=1.4e-3,
    w_static=1.3,
    w_initial=0.4,
    dw_plus=0.07,
    dw_minus=0.11,
    w_min=0.3,
    w_max=0.55,
)


def written_out(p, steady, varying, *, refractory_steps, with_plastic):
    """Return (v, w, fired) of one neuron, in Brian2's order, in Python floats."""
    steady, varying = set(steady.tolist()), set(varying.tolist())
    v, w, last, trace = 0.0, p.w_initial, -(10**9), []
    for k in range(p.n_steps):
        free = k - last >= refractory_steps
        if free:
            v = (-p.dt_s / p.tau_s) * v + v
        fires = free and v > p.v_threshold
        if fires:
            last = k
        if k in varying and free and not fires:
            v += p.w_static
        if with_plastic and k in steady:
            if free and not fires:
                v += w
            w = min(max(p.dw_plus + w, p.w_min), p.w_max)
        if fires:
            w = min(max(-p.dw_minus + w, p.w_min), p.w_max)
            v = p.v_reset
        trace.append((v, w, fires))
    v, w, fired = (np.array(column) for column in zip(*trace, strict=True))
    return v, w, np.flatnonzero(fired)


def test_equals_the_beginning_of_the_recorded_trace_in_every_bit():
    with np.load(TRACE) as recorded:
        trace = dict(recorded)
    steady, varying = (
        trace[name][trace[name] < N_TRACE_STEPS]
        for name in ("pre_plastic_steps", "pre_static_steps")
    )
    result = run(Parameters(n_steps=N_TRACE_STEPS), steady, varying)
    for name in ("out_with", "out_without", "w_change_step"):
        known = trace[name][trace[name] < N_TRACE_STEPS]
        assert known.size > 100
        np.testing.assert_array_equal(getattr(result, name), known, strict=True)
    weight = trace["w_change_value"][: result.w_change_step.size]
    np.testing.assert_array_equal(result.w_change_value, weight, strict=True)
    assert result.w_final == weight[-1]
    membrane = trace["v_with_end_2s"]
    np.testing.assert_array_equal(result.v_with[: membrane.size], membrane, strict=True)
    assert result.v_with.shape == (N_TRACE_STEPS,)


@pytest.mark.parametrize(
    ("refractory_s", "refractory_steps"),
    [(1.4e-3, 7), (0.0, 0), (2e-4, 1), (5e-4, 2)],
    ids=["whole", "zero", "one step", "floored"],
)
def test_equals_the_step_written_out_with_no_parameter_at_its_default(
    refractory_s, refractory_steps
):
    p = replace(OTHER, refractory_s=refractory_s)
    rng = np.random.default_rng(3)
    steady, varying = (np.flatnonzero(rng.random(p.n_steps) < rate) for rate in (0.2, 0.06))
    assert np.intersect1d(steady, varying).size > 3
    result = run(p, steady, varying)
    steps = refractory_steps
    v, w, fired = written_out(p, steady, varying, refractory_steps=steps, with_plastic=True)
    control = written_out(p, steady, varying, refractory_steps=steps, with_plastic=False)
    np.testing.assert_array_equal(result.v_with, v, strict=True)
    np.testing.assert_array_equal(result.out_with, fired, strict=True)
    np.testing.assert_array_equal(result.out_without, control[2], strict=True)
    changed = np.flatnonzero(np.diff(w, prepend=p.w_initial))
    np.testing.assert_array_equal(result.w_change_step, changed, strict=True)
    np.testing.assert_array_equal(result.w_change_value, w[changed], strict=True)
    assert {p.w_min, p.w_max} <= set(result.w_change_value.tolist())
    assert result.w_final == w[-1]


def test_static_input_is_added_before_plastic_input():
    p = Parameters(n_steps=3, v_threshold=100.0, w_static=0.7, w_initial=1.1)
    result = run(p, np.array([1]), np.array([0, 1]))
    leaked = (-p.dt_s / p.tau_s) * p.w_static + p.w_static
    static_first = (leaked + p.w_static) + p.w_initial
    assert static_first != (leaked + p.w_initial) + p.w_static, "the sums must tell the order"
    assert result.v_with[1] == static_first


def test_input_in_the_firing_step_is_dropped_but_the_weight_changes():
    p = Parameters(n_steps=4, refractory_s=0.0, w_initial=1.0)
    result = run(p, np.array([1]), np.array([0, 1]))
    np.testing.assert_array_equal(result.out_with, [1])
    assert result.v_with[1] == p.v_reset
    # Up by the input, then down by the spike: the weight moved and came back to its start.
    assert result.w_final == -p.dw_minus + (p.dw_plus + p.w_initial)


def test_without_spikes_nothing_happens():
    result = run(Parameters(n_steps=20), NO_SPIKES, NO_SPIKES)
    for name in ("out_with", "out_without", "w_change_step"):
        values = getattr(result, name)
        assert values.dtype == np.int64
        assert values.size == 0
    assert result.w_final == 0.0
    np.testing.assert_array_equal(result.v_with, np.zeros(20))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([3, 3], "rise strictly"),
        ([4, 3], "rise strictly"),
        ([-1], r"0\.\.9"),
        ([10], r"0\.\.9"),
        ([1.0], "integer"),
        ([[1]], "one-dimensional"),
    ],
)
@pytest.mark.parametrize("source", ["steady_steps", "varying_steps"])
def test_refuses_spikes_that_one_source_cannot_emit(source, steps, message):
    spikes = {"steady_steps": NO_SPIKES, "varying_steps": NO_SPIKES, source: np.array(steps)}
    with pytest.raises(ValueError, match=f"{source}: .*{message}"):
        run(Parameters(n_steps=10), **spikes)


def process_state():
    preferences = {name: b2.prefs[name] for name in b2.prefs}
    files = set(Path(tempfile.gettempdir()).glob("brian_*"))
    device = b2.get_device(), float(b2.defaultclock.dt_)
    hooks = sys.excepthook, warnings.showwarning, list(warnings.filters)
    return preferences, files, device, hooks


def test_a_run_leaves_nothing_behind_and_repeats(capfd):
    before = process_state()
    spikes = np.array([2, 5, 9])
    first, second = (run(Parameters(n_steps=30), spikes, spikes) for _ in range(2))
    np.testing.assert_array_equal(first.v_with, second.v_with)
    np.testing.assert_array_equal(first.w_change_value, second.w_change_value)
    assert process_state() == before
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("brian2").handlers, "Brian2 keeps its console handler"
