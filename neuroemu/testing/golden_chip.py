"""The chip neuron of a target as the golden model takes it, and the register that its input goes to.

Formats, shifts and gains are read from the target by docs/spec/chip-neuron.md, not from the sites that the engine
runs on.
"""

from __future__ import annotations

from fractions import Fraction

from neuroemu.golden.chip import ChipNeuron, Decay
from neuroemu.golden.narrow import Narrowing
from neuroemu.hardware.config import NeuronTable, Target
from neuroemu.models import chip
from neuroemu.models.registers import NeuronRegisters
from neuroemu.numeric.format import Format


def site(shift: int, rounding: str, overflow: str, form: Format | None) -> Narrowing:
    """Return a site with the range of a format; None is unlimited."""
    return Narrowing(
        shift=shift,
        rounding=rounding,
        overflow=overflow,
        signed=form.signed if form else True,
        width=form.width if form else None,
    )


def membrane_site(target: Target, overflow: str) -> Narrowing:
    """Return a site without rounding that has the membrane's range."""
    membrane = target.membrane
    return Narrowing(
        shift=0,
        rounding="floor",
        overflow=overflow,
        signed=membrane.format.signed if membrane.format else True,
        width=membrane.format.width if membrane.format else None,
        symmetric=membrane.range == "symmetric",
    )


def chip_neuron(target: Target, table: NeuronTable, r: NeuronRegisters, scale: int) -> ChipNeuron:
    """Return the neuron of a population on a digital membrane.

    Parameters
    ----------
    target : Target
    table : NeuronTable
        Of the target.
    r : NeuronRegisters
        Of the population, on a chip.
    scale : int
        LSBs of a current in one of an input buffer.
    """
    if r.chip is None:
        raise ValueError("a target with a neuron of its own has registers for it")
    membrane, current, resistance = target.membrane, table.current, table.resistance
    leaks_by_shift = membrane.leak is not None and membrane.leak.kind == "shift"
    subtracts = table.reset == "subtract"
    joins_current = table.bias is not None and table.bias.joins == "current"
    free = site(0, "floor", "saturate", None)
    decays = "ceil" if current is None or current.decay == "shift" else current.rounding
    return ChipNeuron(
        input=table.input,
        channels=table.channels,
        tests=table.tests,
        evaluation=table.evaluation,
        current=_decay(r.chip.current, decays),
        leak=_decay(r.chip.leak, "ceil" if leaks_by_shift else membrane.rounding),
        scale=scale,
        resistance=r.chip.resistance if resistance is not None else None,
        bias=0 if joins_current else r.chip.bias,
        bias_in=r.chip.bias if joins_current else 0,
        threshold=r.threshold,
        reset=0 if subtracts else r.reset,
        step=r.reset if subtracts else None,
        floor=r.chip.floor,
        most_spikes=table.most_spikes,
        refractory_steps=r.refractory_steps,
        v_init=r.v_init,
        current_site=_current_site(table),
        force_site=_force_site(target, table),
        slope_site=membrane_site(target, "saturate") if table.slope == "saturate" else free,
        membrane_site=membrane_site(target, membrane.overflow),
        input_site=_input_site(target, table),
    )


def _decay(decay: chip.Decay, rounding: str) -> Decay:
    """Return it with a site as wide as needed: it never overflows."""
    shift = decay.unit.bit_length() - 1
    return Decay(
        factor=decay.unit + decay.leak,
        least=decay.least,
        site=site(shift, rounding, "saturate", None),
    )


def _current_site(table: NeuronTable) -> Narrowing:
    current = table.current
    if current is None:
        return site(0, "floor", "saturate", None)
    return site(0, "floor", current.overflow, current.format)


def _force_site(target: Target, table: NeuronTable) -> Narrowing:
    membrane, resistance = target.membrane, table.resistance
    if resistance is not None:
        shift = resistance.format.fraction
        return site(shift, resistance.rounding, membrane.overflow, membrane.format)
    if table.bias is not None and table.bias.joins == "current":
        return _current_site(table)
    return site(0, "floor", "saturate", None)


def _input_site(target: Target, table: NeuronTable) -> Narrowing:
    form = input_format(target)
    if table.input == "membrane":
        return membrane_site(target, table.input_overflow)
    if table.input == "buffer":
        return site(0, "floor", table.buffer.overflow, form)
    return _current_site(table)


def input_format(target: Target) -> Format | None:
    """Return the format of the register that input goes to; None is unlimited."""
    table = target.neuron
    if table is None or table.input == "membrane":
        return target.membrane.format
    if table.input == "buffer":
        return table.buffer.format
    return table.current.format if table.current is not None else None


def input_lsb(target: Target, membrane_lsb: Fraction, buffer_scale: int) -> Fraction:
    """Return the LSB of the register that input goes to, in biological units."""
    table = target.neuron
    if table is None or table.input == "membrane":
        return membrane_lsb
    lsb = table.current.format.lsb if table.current is not None else membrane_lsb
    counts_weights = table.input == "buffer" and table.buffer.counts == "weights"
    return lsb * buffer_scale if counts_weights else lsb


def chip_drive_site(target: Target, shift: int) -> Narrowing:
    """Return the site of a drive on its way to a chip neuron."""
    form = input_format(target)
    wide = form if form is None or form.signed else Format(True, form.width + 1, 0)
    return Narrowing(
        shift=shift,
        rounding=target.synapse.gain.drive_rounding,
        overflow="saturate",
        signed=True,
        width=wide.width if wide else None,
        symmetric=form is not None and not form.signed,
    )
