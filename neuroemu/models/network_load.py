"""The weight step that a network's load leaves: SpiNNaker's ring-buffer shift, docs/spec/chip-neuron.md."""

from __future__ import annotations

import math
from fractions import Fraction

from neuroemu.experiment import Experiment
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.format import Format


def network_load(experiment: Experiment) -> Fraction:
    """Return the largest sum of weights that can meet one neuron in one step.

    For each projection: largest weight, times synapses of one neuron, times spikes of a source in a step (one at
    least).

    Source
    ------
    SpiNNakerManchester/sPyNNaker, population_vertex.py, ``get_max_weight`` where all delays are the same.
    """
    sums: dict[tuple[str, bool], Fraction] = {}
    step_s = experiment.time.dt_ms / 1000.0
    for projection in experiment.projections.values():
        rule = projection.plasticity
        extremes = (projection.weight, *((rule.w_min, rule.w_max) if rule is not None else ()))
        largest = max(abs(decimal(w)) for w in extremes)
        stimulus = experiment.stimuli.get(projection.pre)
        sources = stimulus or experiment.populations[projection.pre]
        fan_in = 1 if projection.connector == "one_to_one" else sources.size
        rate = max(stimulus.rates_hz, default=0.0) if stimulus is not None else 0.0
        key = (projection.post, projection.weight < 0)
        spikes = max(Fraction(1), decimal(rate * step_s))
        sums[key] = sums.get(key, Fraction(0)) + largest * fan_in * spikes
    return max(sums.values(), default=Fraction(0))


def load_lsb(load: Fraction, form: Format) -> Fraction:
    """Return the value of a weight LSB: all codes together reach twice the smallest power of two above the load.

    Examples
    --------
    >>> load_lsb(Fraction(4), Format(False, 16, 0))  # 2**(3 - 15)
    Fraction(1, 4096)
    """
    bits = math.ceil(math.log2(load)) if load > 1 else 0
    bits += 2**bits <= load
    return Fraction(2 ** (bits + 1), form.hi + 1)
