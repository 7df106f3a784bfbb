"""The registers of a target that may grow, and the ways in which they do: docs/spec/feasibility.md, "--fix"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from neuroemu.experiment import Experiment
from neuroemu.feasibility.findings import WIDEN_MEMBRANE, Finding
from neuroemu.hardware.config import Target
from neuroemu.models.discretize_synapse import weight_lsb
from neuroemu.models.network_load import network_load
from neuroemu.numeric.constants import decimal, round_fraction
from neuroemu.numeric.format import MAX_WIDTH, Format, FormatError

Grow = Callable[[Target, int], Target | None]
Sort = Callable[[Finding], bool]

FORMATS = (
    "membrane.format",
    "membrane.leak.format",
    "neuron.threshold.format",
    "neuron.bias.format",
    "neuron.current.format",
    "neuron.current.decay_format",
    "neuron.buffer.format",
    "neuron.resistance.format",
    "refractory.format",
    "synapse.weight.format",
    "synapse.gain.format",
    "plasticity.weight.format",
    "plasticity.increment.format",
    "plasticity.accumulator.format",
)


OWN_CONSTANTS = (
    "neuron.threshold.format",
    "neuron.bias.format",
    "neuron.current.decay_format",
    "neuron.resistance.format",
)
"""Registers of one constant, which grow by fraction bits."""

SUMS = ("neuron.buffer.format", "neuron.current.format")
"""Registers of a sum of inputs, which grow by integer bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Registers that are searched together.

    Parameters
    ----------
    name : str
        For people.
    registers : tuple of str
        Prefixes of the keys that findings name.
    grow : tuple of Grow
        One or two independent ways to add bits.
    hold : tuple of (predicate, Grow)
        Ways to add bits as long as a finding of this sort is left by a choice of the others, in this order.
    roundings : tuple of str
        Keys of the roundings that might do instead.
    """

    name: str
    registers: tuple[str, ...]
    grow: tuple[Grow, ...]
    hold: tuple[tuple[Sort, Grow], ...]
    roundings: tuple[str, ...]


def groups(experiment: Experiment) -> tuple[Group, ...]:
    """Return the groups in the order in which they are searched."""

    def weight(target: Target, by: int) -> Target | None:
        return _finer_weight(experiment, target, by)

    def increment(target: Target, by: int) -> Target | None:
        return _finer_increment(experiment, target, by)

    return (
        Group(
            name="learning",
            registers=("plasticity.",),
            grow=(weight, increment),
            hold=(
                (lambda f: f.kind == "accumulator", _widen("plasticity.accumulator.format")),
                (lambda f: f.kind == "counter", _wider_counter),
                (lambda f: f.kind == "saturated", _widen("plasticity.weight.format")),
            ),
            roundings=("plasticity.weight.rounding", "plasticity.increment.rounding"),
        ),
        Group(
            name="static weights",
            registers=("synapse.weight.",),
            grow=(_finer_static, _widen("synapse.weight.format")),
            hold=(),
            roundings=("synapse.weight.rounding",),
        ),
        Group(
            name="membrane",
            registers=("membrane.", "neuron.", "synapse.gain."),
            grow=(_finer_membrane, _finer_leak),
            hold=(
                (lambda f: f.register == "synapse.gain.format", _refine("synapse.gain.format")),
                *((_finer(key), _refine(key)) for key in OWN_CONSTANTS),
                *((_wider(key), _widen(key)) for key in SUMS),
                (lambda f: f.remedy == WIDEN_MEMBRANE, _widen("membrane.format")),
            ),
            roundings=("membrane.rounding", "synapse.gain.drive_rounding"),
        ),
        Group(
            name="refractory",
            registers=("refractory.",),
            grow=(_widen("refractory.format"),),
            hold=(),
            roundings=(),
        ),
    )


# Ways to add bits


def value_at(target: Any, key: str) -> Any:
    """Return the value of a dotted key; None where a table on the way is left out."""
    for name in key.split("."):
        target = None if target is None else getattr(target, name)
    return target


def with_value(table: Any, key: str, value: Any) -> Any:
    """Return a copy of a table with one dotted key changed."""
    head, _, rest = key.partition(".")
    inner = with_value(getattr(table, head), rest, value) if rest else value
    return table.model_copy(update={head: inner})


def _with_format(target: Target, key: str, fraction: int, whole: int) -> Target | None:
    form: Format | None = value_at(target, key)
    if form is None or form.width + fraction + whole > MAX_WIDTH:
        return None
    try:
        wider = replace(
            form, width=form.width + fraction + whole, fraction=form.fraction + fraction
        )
    except FormatError:
        return None
    changed: Target = with_value(target, key, wider)
    return changed


def _refine(key: str) -> Grow:
    return lambda target, by: _with_format(target, key, by, 0)


def _widen(key: str) -> Grow:
    return lambda target, by: _with_format(target, key, 0, by)


def _finer(key: str) -> Sort:
    return lambda f: f.register == key and "fraction" in f.remedy


def _wider(key: str) -> Sort:
    return lambda f: f.register == key and "in front" in f.remedy


def counts_in_membrane_lsb(target: Target) -> list[str]:
    """Return the registers whose LSB is the membrane's, and so follows it."""
    table, leak = target.neuron, target.membrane.leak
    found = ["membrane.format"]
    if leak is not None and leak.kind in ("subtract", "constant"):
        found.append("membrane.leak.format")
    if table is None:
        return found
    has_own_scale = table.resistance is not None
    if table.current is not None and not has_own_scale:
        found.append("neuron.current.format")
    if table.buffer.format is not None and table.buffer.counts == "current" and not has_own_scale:
        found.append("neuron.buffer.format")
    return found


def _finer_membrane(target: Target, by: int) -> Target | None:
    """Add fraction bits to the membrane, and to what counts in its LSB."""
    current: Target | None = target
    for key in counts_in_membrane_lsb(target):
        current = None if current is None else _with_format(current, key, by, 0)
    return current


def _finer_leak(target: Target, by: int) -> Target | None:
    """Add fraction bits to a multiplier; another leak has nothing that bits make finer."""
    leak = target.membrane.leak
    is_multiplier = leak is not None and leak.kind == "multiply"
    return _with_format(target, "membrane.leak.format", by, 0) if is_multiplier else None


def _wider_counter(target: Target, by: int) -> Target | None:
    width = target.plasticity.counter.width + by
    changed: Target = with_value(target, "plasticity.counter.width", width)
    return changed if width <= 32 else None


def _finer_static(target: Target, by: int) -> Target | None:
    table = target.synapse.weight
    by_format = table.lsb == "format"
    return _with_format(
        target, "synapse.weight.format", by if by_format else 0, 0 if by_format else by
    )


def _finer_weight(experiment: Experiment, target: Target, by: int) -> Target | None:
    """Add bits to the plastic weight: resolution where its LSB follows from the format, range where it does not."""
    is_finer = target.plasticity.weight.lsb == "format"
    key = "plasticity.weight.format"
    grown = _with_format(target, key, by if is_finer else 0, 0 if is_finer else by)
    return None if grown is None else _hold_increments(experiment, grown, by)


def _finer_increment(experiment: Experiment, target: Target, by: int) -> Target | None:
    grown = _with_format(target, "plasticity.increment.format", by, 0)
    if grown is None:
        return None
    if grown.plasticity.accumulator.format is not None:
        grown = _with_format(grown, "plasticity.accumulator.format", by, 0)
    return None if grown is None else _hold_increments(experiment, grown, 0)


def _hold_increments(experiment: Experiment, target: Target, finer: int) -> Target | None:
    """Widen the increments' register to hold them, and the accumulator by what the weight has grown."""
    table = target.plasticity
    form = table.increment.format
    most = 0
    for projection in experiment.projections.values():
        rule = projection.plasticity
        if rule is not None:
            largest = max(abs(decimal(rule.w_min)), abs(decimal(rule.w_max)))
            lsb = weight_lsb(table.weight, largest, network_load(experiment))
            for dw in (rule.dw_plus, rule.dw_minus):
                raw = round_fraction(decimal(dw) / lsb / form.lsb, table.increment.rounding)
                most = max(most, raw)
    missing = max(0, most.bit_length() + form.signed - form.width)
    wider = _with_format(target, "plasticity.increment.format", 0, missing) if missing else target
    if wider is None or table.accumulator.format is None or not finer:
        return wider
    return _with_format(wider, "plasticity.accumulator.format", 0, finer)


def bits(target: Target) -> int:
    """Return the bits of all registers of a target."""
    forms = (value_at(target, key) for key in FORMATS)
    widths: list[int] = [f.width for f in forms if f is not None]
    return sum(widths) + target.plasticity.counter.width
