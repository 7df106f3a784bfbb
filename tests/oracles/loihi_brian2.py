"""Loihi 1 in brian2_loihi: judge of the target `loihi1`. What it says stands in loihi.py.

Runs Brian2's numpy code generation: about 0.3 s to build a network, then 0.4 ms a step, whatever the number of
neurons. So put many neurons, each with its own weights, into one run.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tests.oracles.brian2_reference import b2, numpy_code_generation, process_state_kept
from tests.oracles.loihi import SIGNS, LoihiNeuron, LoihiTrace, Words, checked_input


def _import_brian2_loihi() -> ModuleType:
    with process_state_kept():
        return importlib.import_module("brian2_loihi")


loihi: Any = _import_brian2_loihi()


@contextmanager
def _kept() -> Iterator[None]:
    """Leave Brian2's clock and preferences and numpy's random state as they were."""
    dt, state = b2.defaultclock.dt, np.random.get_state()
    with process_state_kept(), numpy_code_generation():
        try:
            yield
        finally:
            b2.defaultclock.dt = dt
            np.random.set_state(state)


def run_brian2_loihi(
    spikes: ArrayLike,
    *,
    weights: ArrayLike,
    neuron: LoihiNeuron,
    exponent: int = 0,
    sign: str = "mixed",
    delay: int = 0,
) -> LoihiTrace:
    """Run neurons with the same registers from rest under given input.

    Parameters
    ----------
    spikes : (steps, channels) bool, input; a spike of step k is in u of step k + delay.
    weights : (channels, neurons) int mantissas: -256..254 mixed, 0..255, or -256..0.
    neuron : its bias must be 0, brian2_loihi has none.
    exponent : -8..7, the weight is mantissa * 2^(6 + exponent).
    sign : mixed, excitatory or inhibitory.
    delay : 0..62 steps; 1 makes the input as late as nengo-loihi's.

    Raises
    ------
    ValueError
        Input that does not fit, or a bias.
    """
    trains, mantissas = checked_input(spikes, weights, exponent)
    if neuron.bias:
        raise ValueError("brian2_loihi has no bias")
    n = mantissas.shape[1]
    with _kept():
        group = loihi.LoihiNeuronGroup(
            n,
            refractory=neuron.refractory,
            threshold_v_mant=neuron.threshold,
            decay_v=neuron.decay_v,
            decay_I=neuron.decay_u + 1,
        )
        source = _source(trains)
        synapses = loihi.LoihiSynapses(
            source, group, delay=delay, w_exp=exponent, sign_mode=SIGNS[sign]
        )
        synapses.connect()
        synapses.w = mantissas.ravel()
        current, membrane = (loihi.LoihiStateMonitor(group, name) for name in ("I", "v"))
        fired = loihi.LoihiSpikeMonitor(group)
        loihi.LoihiNetwork(group, source, synapses, current, membrane, fired).run(len(trains))
        steps, neurons = np.rint(np.asarray(fired.t_) * 1000).astype(int), np.array(fired.i)
        u, v = (_integers(values).T for values in (current.I, membrane.v))
    spiked = np.zeros(u.shape, dtype=bool)
    spiked[steps, neurons] = True
    return LoihiTrace(u, v, spiked)


def trace_brian2_loihi(
    spikes: ArrayLike, *, impulse: int, tau: int, repetitions: int, seed: int
) -> Words:
    """Return many runs of a presynaptic trace, (steps, repetitions) int64 in 0..127.

    Each is read after its step's impulse and before its step's decay.

    Parameters
    ----------
    spikes : (steps,) bool, the presynaptic spikes.
    impulse : 1..127. tau : 1 or more steps.
    """
    trains, _ = checked_input(np.reshape(spikes, (-1, 1)), [[0]], 0)
    with _kept():
        b2.seed(seed)
        group = loihi.LoihiNeuronGroup(repetitions)
        source = _source(trains)
        synapses = loihi.LoihiSynapses(source, group, imp_x1=impulse, tau_x1=tau)
        synapses.connect()
        synapses.w = 0
        trace = loihi.LoihiStateMonitor(synapses, "x1")
        loihi.LoihiNetwork(group, source, synapses, trace).run(len(trains))
        return _integers(trace.x1).T


def _source(trains: NDArray[np.bool_]) -> Any:
    steps, channels = np.nonzero(trains)
    return loihi.LoihiSpikeGeneratorGroup(trains.shape[1], channels, steps)


def _integers(values: Any) -> Words:
    """Return Brian2's floats as ints; they are whole, or the harness is wrong."""
    whole = np.rint(np.asarray(values))
    if not np.array_equal(whole, values):
        raise AssertionError("brian2_loihi left the integers")
    return whole.astype(np.int64)
