"""Loihi 1 in nengo-loihi's emulator: judge of the target `loihi1`. What it says stands in loihi.py.

The emulator is driven with registers that are integers already; of nengo-loihi's discretisation only that of the
weights takes part. About 0.1 ms a step.
"""

import importlib
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tests.oracles.loihi import LoihiNeuron, LoihiTrace, Words, checked_input

V_MAX = 2**23 - 1
"""The widest membrane that the chip's vmax register allows, LSB."""


FOLDER = Path(sys.prefix) / "oracles"
"""Where `make test` installs nengo-loihi: requirements.txt says why not beside the rest."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence nengo's age (numpy.core), its NaN as int32, and what overflows: the traces show it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _import(*names: str) -> list[Any]:
    """Import modules of nengo_loihi from its folder, and take the folder off the path again."""
    sys.path.append(str(FOLDER))
    try:
        with _quiet():
            return [importlib.import_module(f"nengo_loihi.{name}") for name in names]
    except ModuleNotFoundError as error:
        raise ImportError(f"{error}; `make {FOLDER.parent.name}/.oracles` installs it") from error
    finally:
        sys.path.remove(str(FOLDER))


block, builder, inputs, discretize, emulator = _import(
    "block", "builder", "inputs", "builder.discretize", "emulator"
)


def run_nengo_loihi(
    spikes: ArrayLike,
    *,
    weights: ArrayLike,
    neuron: LoihiNeuron | Sequence[LoihiNeuron],
    exponent: int = 0,
    v_min: int = -V_MAX,
    v_max: int = V_MAX,
) -> LoihiTrace:
    """Run neurons from rest under given input.

    Parameters
    ----------
    spikes : (steps, channels) bool, input; a spike of step k is in u of step k + 1.
    weights : (channels, neurons) int mantissas of mixed sign, -254..254.
    neuron : the registers of all neurons, or of each.
    exponent : -8..7, the weight is mantissa * 2^(6 + exponent).
    v_min, v_max : limits of v, LSB; the chip has -(2^n - 1) with n 0..23, and 2^(9 + 2 n) - 1 with n 0..7.

    Raises
    ------
    ValueError
        Input that does not fit.
    """
    trains, mantissas = checked_input(spikes, weights, exponent)
    n = mantissas.shape[1]
    neurons = [neuron] * n if isinstance(neuron, LoihiNeuron) else list(neuron)
    if len(neurons) != n:
        raise ValueError(f"{len(neurons)} neurons, weights of {n}")
    with _quiet():
        synapse = _synapse(trains.shape[1], exponent)
        values = mantissas.astype(np.float32)
        synapse.weights = [
            discretize.discretize_weights(synapse.synapse_cfg, row[None]) for row in values
        ]
        synapse.indices = [np.arange(n, dtype=np.int32)[None]] * len(values)
        steps = _steps(_model(trains, synapse, _block(neurons, v_min, v_max)), len(trains))
        states = [
            (chip.compartment.current.copy(), chip.compartment.voltage.copy(), spiked.copy())
            for chip in steps
            for spiked in [chip.compartment.spiked]
        ]
    u, v, spiked = (np.array(column) for column in zip(*states, strict=True))
    return LoihiTrace(u.astype(np.int64), v.astype(np.int64), spiked)


def trace_nengo_loihi(
    spikes: ArrayLike, *, impulse: float, tau: int, repetitions: int, seed: int, epoch: int = 2
) -> Words:
    """Return many runs of a presynaptic trace, (steps, repetitions) int64 in 0..127.

    The trace changes in every epoch-th step, with the spikes that arrived since: one at most counts.

    Parameters
    ----------
    spikes : (steps,) bool, the presynaptic spikes; they arrive one step late.
    impulse : 0..127, a multiple of 1/128. tau : steps. epoch : nengo-loihi's own is 2.
    """
    column = np.reshape(spikes, (-1, 1))
    trains, _ = checked_input(
        np.repeat(column, repetitions, axis=1), np.zeros((repetitions, 1), int), 0
    )
    with _quiet():
        synapse = _synapse(repetitions, 0)
        synapse.weights = [np.zeros((1, 1), dtype=np.int32)] * repetitions
        synapse.indices = synapse.weights
        synapse.learning = True
        synapse.tracing_mag, synapse.tracing_tau = impulse, tau
        synapse.train_epoch, synapse.learn_epoch = epoch, 2**62
        steps = _steps(_model(trains, synapse, _block([LoihiNeuron()], 0, 0)), len(trains), seed)
        return np.array([chip.synapses.traces[synapse].copy() for chip in steps], dtype=np.int64)


def _synapse(channels: int, exponent: int) -> Any:
    synapse = block.Synapse(channels)
    # 8 bits of weight, of both signs.
    synapse.format(weight_exp=exponent, weight_bits=7, fanout_type=1)
    return synapse


def _block(neurons: Sequence[LoihiNeuron], v_min: int, v_max: int) -> Any:
    chip_block = block.LoihiBlock(len(neurons))
    compartment = chip_block.compartment
    registers = {
        "decay_u": [neuron.decay_u for neuron in neurons],
        "decay_v": [neuron.decay_v for neuron in neurons],
        "vth": [neuron.threshold * 64 for neuron in neurons],
        "bias": [neuron.bias for neuron in neurons],
        "refract_delay": [neuron.refractory for neuron in neurons],
    }
    for name, values in registers.items():
        setattr(compartment, name, np.array(values, dtype=np.int32))
    compartment.scale_u = compartment.scale_v = False
    compartment.vmin, compartment.vmax = v_min, v_max
    return chip_block


def _model(trains: NDArray[np.bool_], synapse: Any, chip_block: Any) -> Any:
    """Return a model of one block that receives the spikes; the emulator's first step is 1."""
    source = inputs.SpikeInput(trains.shape[1])
    for step in np.flatnonzero(trains.any(axis=1)).tolist():
        source.add_spikes(step + 1, np.flatnonzero(trains[step]))
    axon = block.Axon(trains.shape[1])
    axon.target = synapse
    source.add_axon(axon)
    chip_block.add_synapse(synapse)
    model = builder.Model()
    model.add_input(source)
    model.add_block(chip_block)
    return model


def _steps(model: Any, n_steps: int, seed: int = 0) -> Iterator[Any]:
    with emulator.EmulatorInterface(model, seed=seed) as chip:
        for _ in range(n_steps):
            chip.step()
            yield chip
