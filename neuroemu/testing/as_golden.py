"""An experiment on a target as the golden model takes it, and what it did beside a run.

The registers are those of `discretize`. Formats, shifts and gains are read from the target by
docs/spec, not from the sites that the engine runs on.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any
from zlib import crc32

import numpy as np

from neuroemu.engine.network import connect
from neuroemu.engine.run import Run
from neuroemu.experiment import Experiment
from neuroemu.golden.chip import ChipNeuron
from neuroemu.golden.narrow import Narrowing
from neuroemu.golden.network import Network, Neuron, Projection
from neuroemu.golden.plasticity import Deferred, Event, Periodic
from neuroemu.golden.randomness import FibonacciLfsr, counter_words, register_words
from neuroemu.golden.trial import Trace, Words
from neuroemu.models.registers import Discretized, SynapseRegisters
from neuroemu.numeric.bits import lfsr_seed, stream_key
from neuroemu.testing.golden_chip import chip_drive_site, chip_neuron, input_lsb, site

NEAR = Fraction(1, 1024)
"""Of an LSB: what a membrane in biological units may be off its raw integer by the doubles that it is told in."""


def golden_network(d: Discretized) -> Network:
    """Return the network of `d` in the golden model's registers.

    On an analog membrane its neurons have to be told when they spike: they stay at rest, and no input moves them.
    """
    experiment, target = d.experiment, d.target
    return Network(
        populations={
            name: (population.size, _neuron(d, name))
            for name, population in experiment.populations.items()
        },
        sources={name: stimulus.size for name, stimulus in experiment.stimuli.items()},
        projections=tuple(_projection(d, name) for name in experiment.projections),
        merges_input=target.neuron is not None and target.neuron.merges_input,
    )


def _neuron(d: Discretized, name: str) -> Neuron | ChipNeuron:
    r, membrane = d.neurons[name], d.target.membrane
    if d.target.neuron is not None and not d.is_analog:
        return chip_neuron(d.target, d.target.neuron, r, d.buffer_scale)
    if d.is_analog or membrane.format is None or membrane.leak is None:
        free = site(0, "floor", "saturate", None)
        return Neuron(
            leak=0,
            unit=1,
            threshold=0,
            reset=0,
            refractory_steps=0,
            leak_site=free,
            input_site=free,
            v_init=0,
        )
    return Neuron(
        leak=int(r.multiplier * r.unit) - r.unit,
        unit=r.unit,
        threshold=r.threshold,
        reset=r.reset,
        refractory_steps=r.refractory_steps,
        leak_site=site(
            membrane.leak.format.fraction, membrane.rounding, membrane.overflow, membrane.format
        ),
        input_site=site(0, "floor", membrane.overflow, membrane.format),
        v_init=r.v_init,
    )


def _gain(d: Discretized, synapse: SynapseRegisters) -> tuple[int, int]:
    """Gain and shift: docs/spec/lif.md, below the table of sites."""
    form = d.target.synapse.gain.format
    if d.membrane_lsb is None:
        return 0, 0
    ratio = synapse.lsb / input_lsb(d.target, d.membrane_lsb, d.buffer_scale)
    if form is not None:
        raw = min(round(abs(ratio) * 2**form.fraction), form.hi)
        return (raw if ratio > 0 else -raw), form.fraction
    sign = 1 if ratio > 0 else -1
    if ratio.denominator == 1:
        return int(ratio), 0
    return sign, abs(ratio).denominator.bit_length() - 1


def _projection(d: Discretized, name: str) -> Projection:
    projection, synapse = d.experiment.projections[name], d.synapses[name]
    gain, shift = _gain(d, synapse)
    return Projection(
        pre=projection.pre,
        post=projection.post,
        synapses=tuple((i, j, synapse.weight) for i, j in _pairs(d.experiment, name)),
        gain=gain,
        drive_site=_drive_site(d, shift),
        plasticity=_plasticity(d, synapse) if projection.plasticity is not None else None,
    )


def _drive_site(d: Discretized, shift: int) -> Narrowing:
    membrane = d.target.membrane
    if d.target.neuron is not None and not d.is_analog:
        return chip_drive_site(d.target, shift)
    form = None if d.is_analog else membrane.format
    return site(shift, d.target.synapse.gain.drive_rounding, membrane.overflow, form)


def _pairs(experiment: Experiment, name: str) -> list[tuple[int, int]]:
    projection = experiment.projections[name]
    sizes = {n: p.size for n, p in experiment.populations.items()}
    sizes |= {n: s.size for n, s in experiment.stimuli.items()}
    n_pre, n_post = sizes[projection.pre], sizes[projection.post]
    if projection.connector == "all_to_all":
        return [(i, j) for i in range(n_pre) for j in range(n_post)]
    if projection.connector == "one_to_one":
        return [(i, i) for i in range(n_pre)]
    seed = [experiment.connection_seed, crc32(name.encode())]
    pre, post = connect(projection, n_pre, n_post, seed)  # type: ignore[arg-type]
    return list(zip(pre.tolist(), post.tolist(), strict=True))


def _plasticity(d: Discretized, r: SynapseRegisters) -> Event | Periodic | Deferred | None:
    p = d.target.plasticity
    if p.update == "none":
        return None
    event = Event(
        dw_plus=r.dw_plus,
        dw_minus=r.dw_minus,
        unit=r.unit,
        w_min=r.w_min,
        w_max=r.w_max,
        accumulate_site=site(0, "floor", p.accumulator.overflow, p.accumulator.format),
        store_site=site(
            p.increment.format.fraction, p.weight.rounding, p.weight.overflow, p.weight.format
        ),
    )
    match p.update:
        case "event":
            return event
        case "periodic":
            return _periodic(d, event, r.target_count if p.form == "sign" else None)
        case "deferred":
            return Deferred(event=event, counter_site=_counter(p.counter.width, "saturate"))
        case _:
            return None


def _counter(width: int, overflow: str) -> Narrowing:
    return Narrowing(shift=0, rounding="floor", overflow=overflow, signed=False, width=width)


def _periodic(d: Discretized, event: Event, target: int | None) -> Periodic:
    p = d.target.plasticity
    products = site(
        0, "floor", p.accumulator.products or p.accumulator.overflow, p.accumulator.format
    )
    counter = _counter(p.counter.width, p.counter.overflow)
    sign = replace(counter, overflow="saturate", signed=True, width=2, symmetric=True)
    return Periodic(
        event=event,
        period_steps=d.clock.period_steps,
        plus_site=products,
        minus_site=products,
        change_site=products if target is None else sign,
        counter_site=counter,
        read_site=replace(counter, overflow="wrap", signed=True) if p.counter.signed else None,
        target=target,
    )


def golden_words(d: Discretized, seed: int, trial: int) -> Words:
    """Counter-based words, or shift registers for weights: docs/spec/rounding.md."""
    random = d.target.plasticity.random
    by_counter = counter_words({s: stream_key(seed, trial, s) for s in ("leak", "drive", "store")})
    if random.source == "counter":
        return by_counter
    n_plastic = sum(
        len(_pairs(d.experiment, name))
        for name, projection in d.experiment.projections.items()
        if projection.plasticity is not None
    )
    by_register = register_words(
        {
            ("store", lane): FibonacciLfsr(
                width=random.width,
                taps=random.taps,
                state=lfsr_seed(seed, trial, lane, random.width),
                bits_per_draw=random.bits_per_draw,
                output_bits=random.output_bits,
            )
            for lane in range(n_plastic)
        }
    )

    def words(site: str, lane: int, step: int) -> int:
        return (by_register if site == "store" else by_counter)(site, lane, step)

    return words


def trace_difference(run: Run, trial: int, trace: Trace, d: Discretized) -> str | None:
    """Return the first thing in which one trial of `run` is not what the golden model did.

    Parameters
    ----------
    run : Run
        Rung ``fixed``.
    trial : int
        Index within the run.
    trace : Trace
        Of the golden model.
    d : Discretized
        Plan of both.
    """
    for name, spikes in run.spikes.items():
        pairs = zip(spikes.steps[trial].tolist(), spikes.neurons[trial].tolist(), strict=True)
        odd = _odd(pairs, trace.spikes[name])
        if odd is not None:
            return f"spikes of {name}: (step, neuron) = {odd} more often in one of them"
    names = list(d.experiment.projections)
    for name, record in run.weights.items():
        changes = record[trial]
        columns = (changes.step.tolist(), changes.synapse.tolist(), changes.raw.tolist())
        odd = _odd(zip(*columns, strict=True), trace.weights[names.index(name)])
        if odd is not None:
            return f"weights of {name}: (step, synapse, raw) = {odd} in one of them only"
        if not np.array_equal(changes.value, changes.raw * float(d.synapses[name].lsb)):
            return f"weights of {name}: a value is not its raw integer times the LSB"
    for name, membrane in run.membrane.items() if d.membrane_lsb is not None else ():
        zero, lsb = Fraction(d.neurons[name].zero), Fraction(d.membrane_lsb or 1)
        for step, values in zip(membrane.step.tolist(), membrane.value[:, :, trial], strict=True):
            raw = [(Fraction(v) - zero) / lsb for v in values.tolist()]
            theirs = trace.membrane[name][step]
            if any(abs(x - y) > NEAR for x, y in zip(raw, theirs, strict=True)):
                return f"membrane of {name} in step {step}: {[*map(float, raw)]} against {theirs}"
    return None


def _odd(mine: Iterable[Any], theirs: Iterable[Any]) -> Any:
    """Return the first entry that one of two lists has more often, None if they have the same."""
    a, b = Counter(mine), Counter(theirs)
    return min((a - b) + (b - a), default=None)
