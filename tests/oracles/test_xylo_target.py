"""The target `xylo` against the vendor's simulator: membrane and spikes, every bit of every step."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neuroemu.hardware.load import load_target
from tests.oracles.chip_registers import membrane, one_neuron, run_counts, sent
from tests.oracles.xylo import MAX_INPUT_SPIKES, run_xylo

STEPS = 300
LOWEST = -32768
"""Of a 16-bit membrane."""
LSB = 2.0**-10
EDGES = st.sampled_from([LOWEST, -32767, -4096, -1, 0, 1, 4096, 32766, 32767])
WEIGHTS = st.one_of(st.integers(-128, 127), st.sampled_from([-128, -1, 1, 127]))


@given(
    weights=st.lists(WEIGHTS.filter(bool), min_size=1, max_size=3),
    shift=st.integers(0, 8),
    dashes=st.tuples(st.integers(1, 15), st.integers(0, 15)),
    threshold=st.one_of(st.integers(1, 2000), st.sampled_from([1, 2, 32766])),
    bias=st.one_of(st.integers(-300, 300), EDGES),
    seed=st.integers(0, 2**32 - 1),
    busy=st.sampled_from([0.02, 0.3, 3.0]),
)
@settings(max_examples=60)
def test_membrane_and_spikes_are_the_vendors(
    weights: list[int],
    shift: int,
    dashes: tuple[int, int],
    threshold: int,
    bias: int,
    seed: int,
    busy: float,
) -> None:
    dash_syn, dash_mem = dashes
    if bias * 2**dash_mem >= threshold:  # an experiment's threshold lies above its rest
        bias = -bias
    drawn = np.random.default_rng(seed).poisson(busy, (STEPS, len(weights)))
    counts = np.minimum(drawn, MAX_INPUT_SPIKES)
    # the simulator takes a step's input in the step, the target in the next one
    nothing = np.zeros((1, len(weights)), np.int64)
    known = run_xylo(
        np.vstack([nothing, counts]),
        weights=np.array(weights)[:, None],
        dash_syn=dash_syn,
        dash_mem=dash_mem,
        threshold=threshold,
        bias=bias,
        shift=shift,
    )
    assume(dash_mem > 0 or known.v_mem.min() > LOWEST)  # the corner of the test below
    changes = [
        f"neuron.current.tau_ms={2.0**dash_syn}",
        f"synapse.weight.format=fxp-s8/{10 - shift}",
    ]
    target = load_target("xylo", changes)
    zero = -bias * LSB * 2.0**dash_mem  # a bias holds the rest so far above the register's 0
    experiment = one_neuron(
        target,
        steps=STEPS + 2,
        weights=[w * LSB * 2.0**shift for w in weights],
        tau_m_ms=2.0**dash_mem,
        v_thresh=threshold * LSB + zero,
        v_reset=zero,
        v_init=zero,
    )
    run = run_counts(experiment, target, np.vstack([counts, nothing, nothing]))
    assert membrane(run, LSB, zero)[1:].tolist() == known.v_mem[:, 0].tolist()
    assert sent(run, STEPS + 2)[:-1].tolist() == known.spikes[:, 0].tolist()


def test_without_a_leak_shift_the_vendor_s_membrane_stays_at_its_lowest_code() -> None:
    """The simulator negates what decays in 16 bits: all of -32768 is -32768 again. The target lets it decay."""
    counts = np.array([[0], [1], [0], [0], [0]])
    known = run_xylo(
        counts, weights=[[-128]], dash_syn=15, dash_mem=0, threshold=1, bias=-1, shift=8
    )
    assert known.v_mem[1:, 0].tolist() == [LOWEST] * 4
    assert known.i_syn[-1, 0] > LOWEST
