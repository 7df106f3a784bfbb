"""NEST's `stdp_facetshw_synapse_hom` under given spikes: a live judge of the pair controller.

Two parrot neurons repeat the given spikes on either side of one plastic synapse. NEST works at presynaptic spikes
only: it first does a readout that has come due, with the charges of the pairs before, then takes the postsynaptic
spikes since the last presynaptic one, then the presynaptic spike. `in_nest_order` tells the same to a text.

The resolution is a power of two, so that NEST's times are exact doubles, and so are their differences. A step is
counted where the spike meets the synapse: a postsynaptic spike does so one step (the delay) after NEST stamps it.

Source
------
T. Pfeil et al. (2012), Front. Neurosci. 6:90; NEST 3.10, models/stdp_facetshw_synapse_hom.h.
"""

import importlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

DT_MS = 0.125
MODEL = "stdp_facetshw_synapse_hom"
FIRST_STEP = 2
"""First step in which a spike can meet the synapse: generator and parrot take one each."""


class NestTrace(NamedTuple):
    """The synapse after a presynaptic spike."""

    weight: int
    causal: float
    acausal: float


def import_nest() -> Any:
    """Import NEST without its deprecations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("nest")


nest: Any = import_nest()


def _restart() -> None:
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = DT_MS


def nest_defaults() -> dict[str, Any]:
    """Return the parameters of the model as NEST ships it."""
    _restart()
    return dict(nest.GetDefaults(MODEL))


def _source(times_ms: Sequence[float]) -> Any:
    generator = nest.Create("spike_generator", params={"spike_times": list(times_ms)})
    parrot = nest.Create("parrot_neuron")
    nest.Connect(generator, parrot, syn_spec={"delay": DT_MS})
    return parrot


def run_nest(
    parameters: dict[str, Any],
    weight: int,
    pre_steps: Sequence[int],
    post_steps: Sequence[int],
) -> list[NestTrace]:
    """Return the synapse after each presynaptic spike.

    Parameters
    ----------
    parameters : dict
        Of the model, by NEST's names; `Wmax` is 15, so that a weight is its code.
    weight : int
        Initial code, 0 to 15.
    pre_steps, post_steps : sequence of int
        Sorted, without repetition, FIRST_STEP or later.
    """
    _restart()
    nest.SetDefaults(MODEL, {"Wmax": 15.0, **parameters})
    pre = _source([(k - 1) * DT_MS for k in pre_steps])
    post = _source([(k - 2) * DT_MS for k in post_steps if k > FIRST_STEP])
    synapse = {"synapse_model": MODEL, "weight": float(weight), "delay": DT_MS, "receptor_type": 1}
    nest.Connect(pre, post, syn_spec=synapse)
    connection = nest.GetConnections(pre, post)
    traces = []
    for k in pre_steps:
        nest.Simulate((k + 1) * DT_MS - nest.biological_time)
        now = connection.get(["weight", "a_causal", "a_acausal"])
        traces.append(NestTrace(round(now["weight"]), now["a_causal"], now["a_acausal"]))
    return traces


def in_nest_order(
    state: Any,
    pre_steps: Sequence[int],
    post_steps: Sequence[int],
    *,
    readout_steps: int,
    at_readout: Callable[[Any], Any],
    at_post: Callable[[Any, int], Any],
    at_pre: Callable[[Any, int], Any],
) -> list[Any]:
    """Return a text's state after each presynaptic spike, its functions called as NEST calls its own."""
    states, waiting, due = [], list(post_steps), 0
    for k in pre_steps:
        if k > due:
            state = at_readout(state)
            due += -(-(k - due) // readout_steps) * readout_steps
        while waiting and waiting[0] <= k:
            state = at_post(state, waiting.pop(0))
        state = at_pre(state, k)
        states.append(state)
    return states
