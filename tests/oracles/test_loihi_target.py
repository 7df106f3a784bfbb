"""The target `loihi1` against nengo-loihi's emulator: membrane and spikes, every bit, overflows included."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.hardware.load import load_target
from tests.oracles.chip_registers import membrane, one_neuron, run_counts, sent
from tests.oracles.loihi import LoihiNeuron
from tests.oracles.loihi_nengo import run_nengo_loihi

STEPS = 400
LSB = 2.0**-18
TICK_MS = 0.1
DECAYS = st.one_of(st.integers(1, 4095), st.sampled_from([1, 2, 41, 2048, 4094, 4095]))


@st.composite
def compartments(draw: st.DrawFn) -> LoihiNeuron:
    decay_v = draw(DECAYS)
    bias = draw(
        st.one_of(st.integers(-8000, 8000), st.integers(-(4000 << 7), 4000 << 7), st.just(0))
    )
    rest = bias * 4096 // decay_v
    lowest = max(rest // 64 + 2, 1)
    if lowest > 131_000:  # an experiment's threshold lies above its rest
        bias, lowest = -bias, 1
    return LoihiNeuron(
        decay_u=draw(DECAYS),
        decay_v=decay_v,
        threshold=draw(
            st.integers(lowest, min(lowest + draw(st.sampled_from([10, 10**5])), 131_000))
        ),
        refractory=draw(st.integers(1, 63)),
        bias=bias,
    )


@given(
    neurons=st.lists(compartments(), min_size=8, max_size=8),
    mantissas=st.lists(st.integers(-127, 127).map(lambda m: 2 * m), min_size=3, max_size=3),
    exponent=st.sampled_from([0, 3, 5, 7]),
    busy=st.sampled_from([0.05, 0.5]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=15)
def test_membrane_and_spikes_are_those_of_the_emulator(
    neurons: list[LoihiNeuron], mantissas: list[int], exponent: int, busy: float, seed: int
) -> None:
    spikes = np.random.default_rng(seed).random((STEPS, len(mantissas))) < busy
    weights = np.repeat(np.array(mantissas)[:, None], len(neurons), axis=1)
    known = run_nengo_loihi(spikes, weights=weights, neuron=neurons, exponent=exponent)
    for i, neuron in enumerate(neurons):
        changes = [
            "neuron.bias.format=fxp-s21/18",
            f"neuron.current.tau_ms={TICK_MS * 4096 / (neuron.decay_u + 1)}",
            f"synapse.weight.format=fxp-s9/{12 - exponent}",
        ]
        target = load_target("loihi1", changes)
        zero = -neuron.bias * LSB * 4096 / neuron.decay_v
        experiment = one_neuron(
            target,
            steps=STEPS,
            weights=[m * LSB * 2.0 ** (6 + exponent) for m in mantissas],
            tau_m_ms=TICK_MS * 4096 / neuron.decay_v,
            tau_refrac_ms=TICK_MS * neuron.refractory,
            v_thresh=neuron.threshold * 64 * LSB + zero,
            v_reset=zero,
            v_init=zero,
        )
        run = run_counts(experiment, target, spikes.astype(np.int64))
        assert sent(run, STEPS).tolist() == known.spikes[:, i].tolist()
        assert membrane(run, LSB, zero)[1:].tolist() == known.v[:-1, i].tolist()
