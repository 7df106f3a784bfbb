"""The targets whose circuits are public against those circuits' equations: every bit of every tick."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_target
from tests.oracles.chip_registers import membrane, one_neuron, run_counts, sent
from tests.oracles.rtl_neurons import Odin, Queue, Ranc, ReckOn, TinyOdin

STEPS = 300
FASTEST = 15
"""Thresholds that a leak may take in a tick: an experiment's time constant is no shorter than its own step."""
SEEDS = st.integers(0, 2**32 - 1)
BUSY = st.sampled_from([0.05, 0.5, 3.0])


def tau_for(leak: int, threshold: int, target: Target) -> float:
    """Return the time constant whose slope at the threshold is `leak` in a tick."""
    return threshold * target.time.tick_us / 1000 / leak


def assert_same(
    known: Queue,
    target: Target,
    *,
    lsb: float,
    weights: list[int],
    busy: float,
    seed: int,
    threshold: int,
    tau_ms: float,
) -> None:
    counts = np.random.default_rng(seed).poisson(busy, (STEPS, len(weights)))
    counts = np.minimum(counts, 1 if target.neuron and target.neuron.merges_input else 15)
    known.run(counts.tolist(), weights)
    experiment = one_neuron(
        target,
        steps=STEPS,
        weights=[w * lsb for w in weights],
        tau_m_ms=tau_ms,
        v_thresh=threshold * lsb,
        v_reset=-lsb,
    )
    run = run_counts(experiment, target, counts)
    assert membrane(run, lsb, 0.0).tolist() == known.before
    assert sent(run, STEPS).tolist() == known.sent


def one_to_three(weight: st.SearchStrategy[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(weight.filter(bool), min_size=1, max_size=3)


def signed(bits: int) -> st.SearchStrategy[list[int]]:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return one_to_three(st.one_of(st.integers(low, high), st.sampled_from([low, -1, 1, high])))


LINEAR: dict[str, tuple[type[Queue], int, int, float, st.SearchStrategy[list[int]]]] = {
    # circuit, highest threshold and leak, LSB, weights
    "odin": (Odin, 254, 127, 2.0**-2, one_to_three(st.integers(-7, 7))),
    "tinyodin": (TinyOdin, 2046, 127, 2.0**-2, signed(4)),
    "truenorth": (Ranc, 254, 255, 2.0**-5, signed(9)),
}


@pytest.mark.parametrize("name", LINEAR)
@settings(max_examples=30)
@given(data=st.data(), busy=BUSY, seed=SEEDS)
def test_a_linear_leak(name: str, data: st.DataObject, busy: float, seed: int) -> None:
    circuit, most, most_leak, lsb, weights = LINEAR[name]
    threshold = data.draw(st.one_of(st.integers(1, most), st.integers(1, 15)))
    leak = data.draw(st.integers(1, min(most_leak, FASTEST * threshold)))
    target = load_target(name)
    assert_same(
        circuit(threshold=threshold, leak=leak),  # type: ignore[call-arg]
        target,
        lsb=lsb,
        weights=data.draw(weights),
        busy=busy,
        seed=seed,
        threshold=threshold,
        tau_ms=tau_for(leak, threshold, target),
    )


@pytest.mark.parametrize("resets_to_zero", [True, False])
@settings(max_examples=30)
@given(
    weights=signed(8),
    shift=st.integers(0, 8),
    threshold=st.one_of(st.integers(1, 32766), st.integers(1, 500)),
    alpha=st.one_of(st.integers(1, 2**15 - 1), st.sampled_from([1, 0x7000, 2**15 - 1])),
    busy=BUSY,
    seed=SEEDS,
)
def test_reckon(
    resets_to_zero: bool,
    weights: list[int],
    shift: int,
    threshold: int,
    alpha: int,
    busy: float,
    seed: int,
) -> None:
    reset = "zero" if resets_to_zero else "subtract"
    changes = [f"neuron.reset={reset}", f"synapse.weight.format=fxp-s8/{10 - shift}"]
    target = load_target("reckon", changes)
    known = ReckOn(threshold=threshold, alpha=alpha, resets_to_zero=resets_to_zero)
    tau = -target.time.tick_us / 1000 / np.log(alpha / 2**15)
    assert_same(
        known,
        target,
        lsb=2.0**-10,
        weights=[w * 2**shift for w in weights],
        busy=busy,
        seed=seed,
        threshold=threshold,
        tau_ms=float(tau),
    )
