"""SynSense's Xylo in the vendor's own simulator, xylosim: judge of the target `xylo`.

The step, read in the simulator's source and pinned by test_xylosim.py. `sat` clips to -32768..32767, `wrap` keeps
the low 16 bits, `decay(x, dash) = x >> dash`, but sign(x) where that is 0:

1. input spikes, channel by channel, at most 15 of each channel; then the hidden neurons' spikes of the step before, at
   most 31 of each: one at a time, `I = sat(I + w)` with `w = wrap(weight << shift)`, weight s8
2. `I = I - decay(I, dash_syn)`
3. version 2: `d = sat(wrap(-decay(V, dash_mem)) + I)`, then `d = sat(d + bias)`, then `V = sat(V + d)`;
   version 1, without bias: `V = V - decay(V, dash_mem)`, then `V = sat(V + I)`
4. while `V >= threshold` and fewer than `max_spikes` were emitted: one more spike, `V = wrap(V - threshold)`

`max_spikes` is not a parameter of the chip: 31 for hidden neurons, 1 for readout neurons. With dash_syn 0 the current
is gone before it reaches the membrane. A threshold of 0 or less makes `max_spikes` spikes whenever it is reached, and
a negative one can wrap the membrane. Version 1 is what the vendor's toolchain runs for its first chips, version 2 for
Xylo IMU and Xylo Audio 3.

Source
------
xylosim 0.1.3 on PyPI, src/v1/cpp and src/v2/cpp: XyloIAFNeuron.cpp (evolve, decay), XyloIAFNeuron.h (safe_add and the
limits), XyloLayer.cpp (evolve, deliver_spikes). rockpool, devices/xylo: which version belongs to which chip.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from xylosim import v1, v2

Words = NDArray[np.int64]

MAX_INPUT_SPIKES = 15
"""Spikes of one input channel that reach the neurons in one step; more are dropped."""

HIDDEN_SPIKES, READOUT_SPIKES = 31, 1
"""The most spikes that a hidden, and a readout neuron emits in one step."""


class XyloTrace(NamedTuple):
    """What the neurons did, each (steps, neurons) int64, at the end of each step.

    i_syn, v_mem : LSB. spikes : spikes emitted in the step.
    """

    i_syn: Words
    v_mem: Words
    spikes: Words


def run_xylo(
    input_counts: ArrayLike,
    *,
    weights: ArrayLike,
    dash_syn: ArrayLike,
    dash_mem: ArrayLike,
    threshold: ArrayLike,
    bias: ArrayLike = 0,
    shift: int = 0,
    recurrent: ArrayLike | None = None,
    recurrent_shift: int = 0,
    max_spikes: int = HIDDEN_SPIKES,
    version: Literal[1, 2] = 2,
) -> XyloTrace:
    """Run neurons from rest under given input.

    Parameters
    ----------
    input_counts : (steps, channels) ints in 0..255, spikes of each channel in each step.
    weights : (channels, neurons) ints in -128..127.
    dash_syn, dash_mem : one int in 0..15, or one a neuron.
    threshold, bias : one int in -32768..32767, or one a neuron; version 1 has no bias.
    shift, recurrent_shift : left shift of all input, and of all recurrent weights, 0..15.
    recurrent : (neurons, neurons) ints in -128..127, from row to column, one step late.
    max_spikes : 31 runs hidden neurons; 1 runs readout neurons, which have no recurrent weights.
        A readout neuron takes at most 31 spikes of one channel in a step, a hidden one 15.

    Raises
    ------
    ValueError
        Shapes that do not fit, a shift or dash out of range, or what the chip does not have.
    TypeError
        A number that its register does not hold (raised by xylosim's bindings).
    """
    counts, fan_in = np.asarray(input_counts), np.asarray(weights)
    n = fan_in.shape[1]
    rows = np.zeros((n, n), dtype=int) if recurrent is None else np.asarray(recurrent)
    if counts.ndim != 2 or counts.shape[1] != fan_in.shape[0] or rows.shape != (n, n):
        raise ValueError("need counts (steps, channels), weights (channels, neurons)")
    dashes = {"dash_syn": _each(dash_syn, n), "dash_mem": _each(dash_mem, n)}
    small = [shift, recurrent_shift, *dashes["dash_syn"], *dashes["dash_mem"]]
    if not all(0 <= value <= 15 for value in small):
        raise ValueError("shifts and dashes lie in 0..15")
    neurons = {**dashes, "threshold": _each(threshold, n), "bias": _each(bias, n)}
    if version == 1 and any(neurons["bias"]):
        raise ValueError("version 1 has no bias")
    if max_spikes == HIDDEN_SPIKES:
        return _run_hidden(counts, fan_in, rows, neurons, (shift, recurrent_shift), version)
    if max_spikes == READOUT_SPIKES and recurrent is None:
        return _run_readout(counts, fan_in, neurons, shift, version)
    raise ValueError("max_spikes is 31 (hidden neurons), or 1 (readout, not recurrent)")


def _each(value: ArrayLike, n: int) -> list[int]:
    """Return one value a neuron, as Python ints: the bindings check those for their range."""
    return np.broadcast_to(np.asarray(value), (n,)).tolist()  # type: ignore[no-any-return]


def _run_hidden(
    counts: Words,
    weights: Words,
    recurrent: Words,
    neurons: dict[str, list[int]],
    shifts: tuple[int, int],
    version: int,
) -> XyloTrace:
    n = weights.shape[1]
    synapses = {
        "synapses_in": _synapses(weights, version),
        "synapses_rec": _synapses(recurrent, version),
        "synapses_out": [[] for _ in range(n)],
    }
    layer = _layer(synapses, (neurons, _nobody()), (*shifts, 0), version)
    layer.evolve(counts.tolist())
    return _trace(layer.rec_i_syn, layer.rec_v_mem, layer.rec_recurrent_spikes, n)


def _run_readout(
    counts: Words, weights: Words, neurons: dict[str, list[int]], shift: int, version: int
) -> XyloTrace:
    """Run readout neurons behind one relay a channel, which takes a step.

    In that step the readout neurons have no bias and the highest threshold, so that they rest.
    """
    channels, n = weights.shape
    late = np.vstack([counts, np.zeros((1, channels), dtype=int)])
    relays = {"dash_syn": 15, "dash_mem": 15, "threshold": 1, "bias": 0}
    hidden = {key: [value] * channels for key, value in relays.items()}
    synapses = {
        "synapses_in": _synapses(_relay_weights(channels), version),
        "synapses_rec": [[] for _ in range(channels)],
        "synapses_out": _synapses(weights, version),
    }
    resting = neurons | {"threshold": [32767] * n, "bias": [0] * n}
    layer = _layer(synapses, (hidden, resting), (0, 0, shift), version)
    relayed = _relay_counts(late).tolist()
    layer.evolve(relayed[:1])
    passed_on = layer.rec_recurrent_spikes
    for k, neuron in enumerate(layer.iaf_neurons_out):
        neuron.v_th = neurons["threshold"][k]
        if version == 2:
            neuron.bias = neurons["bias"][k]
    spikes = layer.evolve(relayed[1:])
    passed_on += layer.rec_recurrent_spikes
    if not np.array_equal(np.reshape(passed_on, late.shape), np.minimum(late, HIDDEN_SPIKES)):
        raise AssertionError("the relays did not pass the counts on")
    return _trace(layer.rec_i_syn_out, layer.rec_v_mem_out, spikes, n)


# A relay's current loses 1 in each step, so a target of n needs n + 1 before the decay. What has to
# be added to the rest of the step before lies in -31..32: three channels of +1, three of -1.
_RELAY_CHANNELS = 3


def _relay_weights(channels: int) -> Words:
    up_and_down = np.repeat([1, -1], _RELAY_CHANNELS)
    return np.kron(np.eye(channels, dtype=np.int64), up_and_down[:, None])


def _relay_counts(counts: Words) -> Words:
    """Return the input under which each relay's current, after its decay, equals its count."""
    wanted = np.minimum(counts, HIDDEN_SPIKES)
    before = np.vstack([np.zeros_like(wanted[:1]), wanted[:-1]])
    change = wanted + (wanted > 0) - before
    spread = [
        (rest - k * MAX_INPUT_SPIKES).clip(0, MAX_INPUT_SPIKES)
        for rest in (change, -change)
        for k in range(_RELAY_CHANNELS)
    ]
    return np.stack(spread, axis=2).reshape(len(counts), -1)


def _nobody() -> dict[str, list[int]]:
    return {"dash_syn": [], "dash_mem": [], "threshold": [], "bias": []}


def _synapses(weights: Words, version: int) -> list[list[Any]]:
    """Return the synapses of each source; the first synaptic current is the only one in use."""
    make = {1: v1.XyloSynapse, 2: v2.XyloSynapse}[version]
    return [[make(target, 0, w) for target, w in enumerate(row)] for row in weights.tolist()]


def _layer(
    synapses: dict[str, list[list[Any]]],
    neurons: tuple[dict[str, list[int]], dict[str, list[int]]],
    shifts: tuple[int, int, int],
    version: int,
) -> Any:
    hidden, readout = neurons
    biases = {"has_bias": True, "bias": hidden["bias"], "bias_out": readout["bias"]}
    make = {1: v1.XyloLayer, 2: v2.XyloLayer}[version]
    return make(
        **synapses,
        **(biases if version == 2 else {}),
        aliases=[[] for _ in hidden["threshold"]],
        threshold=hidden["threshold"],
        threshold_out=readout["threshold"],
        weight_shift_inp=shifts[0],
        weight_shift_rec=shifts[1],
        weight_shift_out=shifts[2],
        dash_mem=hidden["dash_mem"],
        dash_mem_out=readout["dash_mem"],
        dash_syns=[[dash] for dash in hidden["dash_syn"]],
        dash_syns_out=[[dash] for dash in readout["dash_syn"]],
        name="",
    )


def _trace(i_syn: Any, v_mem: Any, spikes: Any, n: int) -> XyloTrace:
    """Return the recordings: currents and membranes lie by neuron, spikes by step."""
    words = [np.array(values, dtype=np.int64).reshape(n, -1).T for values in (i_syn, v_mem)]
    return XyloTrace(*words, np.array(spikes, dtype=np.int64).reshape(-1, n))
