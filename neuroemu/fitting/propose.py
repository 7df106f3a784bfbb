"""From an observation to a target with other formats: docs/spec/fitting.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from neuroemu.fitting import counting, learning, neuron, weight
from neuroemu.fitting.observed import LABELS
from neuroemu.fitting.register import Register, Request
from neuroemu.fitting.rules import percent
from neuroemu.hardware.config import Target

SUFFIX = "-fit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A target with fitted formats.

    Parameters
    ----------
    target : Target
        Named like the old one, with ``-fit``.
    registers : tuple of Register
        In the order of `LABELS`; those whose format was fitted.
    shortfalls : tuple of str
        Rules that no format can obey, in the user's words.
    """

    target: Target
    registers: tuple[Register, ...]
    shortfalls: tuple[str, ...]


def propose(request: Request) -> Proposal:
    """Return the narrowest formats that obey the rules.

    Raises
    ------
    ConfigError
        If a register would be wider or finer than any can be.
    """
    whole = learning.takes_whole_steps(request)
    static, plastic = weight.static_weight(request), weight.plastic_weight(request, whole)
    registers = [f.register for f in (static, plastic) if f is not None]
    shortfalls = [s for f in (static, plastic) if f is not None for s in f.shortfalls]
    registers.append(neuron.refractory(request))
    if plastic is not None:
        increment, missed = learning.increments(request, plastic.lsb, whole)
        registers.append(increment)
        shortfalls += missed
        if request.target.plasticity.update == "periodic":
            registers.append(counting.counter(request))
    if request.target.membrane.arithmetic == "fixed":
        membrane = neuron.membrane(request)
        registers += [membrane, neuron.leak_multiplier(request)]
        steps = (static.lsb if static else {}) | (plastic.lsb if plastic else {})
        gain = neuron.gain(request, steps, membrane.format.lsb)
        registers += [gain] if gain is not None else []
    target = _with_formats(request, registers)
    if plastic is not None and request.target.plasticity.accumulator.format is not None:
        step = max(plastic.lsb.values())
        registers.append(counting.accumulator(request, target, step))
        target = _with_formats(request, registers)
    order = list(LABELS)
    return Proposal(
        target=target,
        registers=tuple(sorted(registers, key=lambda r: order.index(r.key))),
        shortfalls=tuple(shortfalls),
    )


def _with_formats(request: Request, registers: Sequence[Register]) -> Target:
    """Return the request's target with other formats, and with the sources of both."""
    old = request.target
    changed: Any = old
    for register in registers:
        is_counter = register.key == "plasticity.counter.width"
        value = register.format.width if is_counter else register.format
        changed = _put(changed, register.key.split("."), value)
    if old.membrane.arithmetic == "fixed" and "synapse.gain.format" not in _keys(registers):
        changed = _put(changed, ["synapse", "gain", "format"], None)
    experiment = request.experiment.name
    update = {
        "name": old.name + SUFFIX,
        "title": f"{old.title}; formats fitted",
        "summary": f"{old.name} with formats fitted to the experiment {experiment} by neuroemu fit: margin "
        f"{percent(request.margin)}, precision {percent(request.precision)}, {request.observation.trials} trials, "
        f"seed {request.observation.seed}.\nEverything that is no format is {old.name}'s. The reason for each format "
        "is among the sources.\n",
        "exactness": "generic",
        "sources": _sources(request, registers),
    }
    target: Target = changed.model_copy(update=update)
    return target


def _keys(registers: Sequence[Register]) -> set[str]:
    return {r.key for r in registers}


def _put(table: Any, path: list[str], value: Any) -> Any:
    """Return a frozen table with one key changed; a table that is not there is made."""
    name, *rest = path
    if not rest:
        return table.model_copy(update={name: value})
    return table.model_copy(update={name: _put(getattr(table, name), rest, value)})


def _sources(request: Request, registers: Sequence[Register]) -> dict[str, str]:
    """Return the old sources without those of replaced numbers, then the new ones."""
    keys = _keys(registers)
    kept = {key: text for key, text in request.target.sources.items() if key not in keys}
    head = f"assumed: fitted to {request.experiment.name}, margin {percent(request.margin)}, precision "
    head += f"{percent(request.precision)}, seed {request.observation.seed}"
    fitted = {r.key: f"{head}; range: {r.range_reason}; step: {r.step_reason}" for r in registers}
    return kept | fitted


def memory_bits(request: Request, formats: dict[str, int]) -> int:
    """Return the bits that the experiment's network holds, for register widths by key."""
    observation, experiment = request.observation, request.experiment
    of_neurons = formats.get("membrane.format", 0) + formats.get("refractory.format", 0)
    total = observation.neurons * of_neurons
    total += observation.counters * formats.get("plasticity.counter.width", 0)
    for name, count in observation.synapses.items():
        is_plastic = experiment.projections[name].plasticity is not None
        key = "plasticity.weight.format" if is_plastic else "synapse.weight.format"
        total += count * formats.get(key, 0)
    return total
