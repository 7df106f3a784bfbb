"""An experiment on a target as the golden model takes it, and what it did beside a run.

The registers are those of `discretize`. Formats, shifts and gains are read from the target by
docs/spec, not from the sites that the engine runs on.
"""

from fractions import Fraction
from typing import Any
from zlib import crc32

import numpy as np

from neuroemu.engine.network import connect
from neuroemu.engine.run import Run
from neuroemu.experiment import Experiment
from neuroemu.golden.narrow import Narrowing
from neuroemu.golden.network import Event, Network, Neuron, Periodic, Projection
from neuroemu.golden.randomness import FibonacciLfsr, counter_words, register_words
from neuroemu.golden.trial import Trace, Words
from neuroemu.hardware.config import Target
from neuroemu.models.registers import Discretized, SynapseRegisters
from neuroemu.numeric.bits import lfsr_seed, stream_key
from neuroemu.numeric.format import Format


def _site(shift: int, rounding: str, overflow: str, form: Format | None) -> Narrowing:
    return Narrowing(
        shift=shift,
        rounding=rounding,
        overflow=overflow,
        signed=form.signed if form else True,
        width=form.width if form else None,
    )


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
        projections=tuple(_projection(d, name, target) for name in experiment.projections),
    )


def _neuron(d: Discretized, name: str) -> Neuron:
    r, membrane = d.neurons[name], d.target.membrane
    if d.is_analog or membrane.format is None or membrane.leak is None:
        free = _site(0, "floor", "saturate", None)
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
        leak_site=_site(
            membrane.leak.format.fraction, membrane.rounding, membrane.overflow, membrane.format
        ),
        input_site=_site(0, "floor", membrane.overflow, membrane.format),
        v_init=r.v_init,
    )


def _gain(target: Target, synapse: SynapseRegisters) -> tuple[int, int]:
    """Gain and shift: docs/spec/lif.md, below the table of sites."""
    membrane, form = target.membrane.format, target.synapse.gain.format
    if membrane is None or target.membrane.arithmetic == "analog":
        return 0, 0
    ratio = synapse.lsb / membrane.lsb
    if form is not None:
        raw = min(round(abs(ratio) * 2**form.fraction), form.hi)
        return (raw if ratio > 0 else -raw), form.fraction
    sign = 1 if ratio > 0 else -1
    if ratio.denominator == 1:
        return int(ratio), 0
    return sign, abs(ratio).denominator.bit_length() - 1


def _projection(d: Discretized, name: str, target: Target) -> Projection:
    projection, synapse = d.experiment.projections[name], d.synapses[name]
    gain, shift = _gain(target, synapse)
    membrane = target.membrane
    return Projection(
        pre=projection.pre,
        post=projection.post,
        synapses=tuple((i, j, synapse.weight) for i, j in _pairs(d.experiment, name)),
        gain=gain,
        drive_site=_site(
            shift,
            target.synapse.gain.drive_rounding,
            membrane.overflow,
            None if d.is_analog else membrane.format,
        ),
        plasticity=_plasticity(d, synapse) if projection.plasticity is not None else None,
    )


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


def _plasticity(d: Discretized, r: SynapseRegisters) -> Event | Periodic | None:
    p = d.target.plasticity
    accumulator = _site(0, "floor", p.accumulator.overflow, p.accumulator.format)
    event = Event(
        dw_plus=r.dw_plus,
        dw_minus=r.dw_minus,
        unit=r.unit,
        w_min=r.w_min,
        w_max=r.w_max,
        accumulate_site=accumulator,
        store_site=_site(
            p.increment.format.fraction, p.weight.rounding, p.weight.overflow, p.weight.format
        ),
    )
    if p.update == "event":
        return event
    if p.update == "none":
        return None
    return Periodic(
        event=event,
        period_steps=d.clock.period_steps,
        plus_site=accumulator,
        minus_site=accumulator,
        change_site=accumulator,
        counter_site=_site(0, "floor", p.counter.overflow, Format(False, p.counter.width, 0)),
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
    experiment = d.experiment
    for name, spikes in run.spikes.items():
        pairs = zip(spikes.steps[trial].tolist(), spikes.neurons[trial].tolist(), strict=True)
        odd = _odd(list(pairs), trace.spikes[name])
        if odd is not None:
            return f"spikes of {name}: (step, neuron) = {odd} in one of them only"
    names = list(experiment.projections)
    for name, record in run.weights.items():
        changes = record[trial]
        columns = (changes.step.tolist(), changes.synapse.tolist(), changes.raw.tolist())
        odd = _odd(sorted(zip(*columns, strict=True)), trace.weights[names.index(name)])
        if odd is not None:
            return f"weights of {name}: (step, synapse, raw) = {odd} in one of them only"
        if not np.array_equal(changes.value, changes.raw * float(d.synapses[name].lsb)):
            return f"weights of {name}: a value is not its raw integer times the LSB"
    for name, membrane in run.membrane.items() if d.membrane_lsb is not None else ():
        rest, lsb = experiment.populations[name].v_rest, float(d.membrane_lsb or 0)
        for step, values in zip(membrane.step.tolist(), membrane.value[:, :, trial], strict=True):
            raw = [Fraction(v - rest) / Fraction(lsb) for v in values.tolist()]
            if raw != trace.membrane[name][step]:
                return (
                    f"membrane of {name} in step {step}: {raw} against {trace.membrane[name][step]}"
                )
    return None


def _odd(mine: list[Any], theirs: list[Any]) -> Any:
    """Return the first entry that only one of two sorted lists has, None if they are equal."""
    if mine == theirs:
        return None
    return min({*mine} ^ {*theirs}, default=mine[0] if mine else theirs[0])
