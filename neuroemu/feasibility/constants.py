"""What became of each constant, and what a weight delivers: docs/spec/feasibility.md, "Constants"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.feasibility.delivery import LARGEST_WORD, mean_delivered
from neuroemu.feasibility.findings import Finding, percent, severity
from neuroemu.feasibility.input import place_of_sums
from neuroemu.feasibility.search import last
from neuroemu.feasibility.step import takes_at_once
from neuroemu.feasibility.traffic import codes, learns
from neuroemu.models.constants import COARSE, Constant
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.ops import rounded

ELSEWHERE = (
    *("leak_multiplier", "leak_shift", "leak_amount", "current_multiplier", "current_shift"),
    *("tau_refrac_ms", "dw_plus", "dw_minus"),
)
"""Constants whose effect, and not whose value, is judged: by `leak` and `learning`."""

REGISTERS = {
    "dw_plus": "plasticity.increment.format",
    "dw_minus": "plasticity.increment.format",
    "target_count": "plasticity.counter.width",
    "gain": "synapse.gain.format",
    "tau_refrac_ms": "refractory.format",
    "leak_multiplier": "membrane.leak.format",
    "leak_shift": "membrane.leak.format",
    "leak_amount": "membrane.leak.format",
    "current_multiplier": "neuron.current.decay_format",
    "current_shift": "neuron.current.decay_format",
    "bias": "neuron.bias.format",
    "resistance": "neuron.resistance.format",
}
"""Keys of the formats that hold constants of these names; weights and voltages have theirs below."""

INITIAL = ("v_init",)

SILENT_NOTE = 0.01
"""Part of the threshold from which codes that deliver nothing are worth a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Constants of several populations or projections with the same numbers."""

    owners: tuple[str, ...]
    name: str
    constant: Constant


def rows(constants: Sequence[Constant]) -> tuple[Row, ...]:
    """Return the constants, those that agree in everything but their owner together."""
    groups: dict[tuple[object, ...], list[str]] = {}
    first: dict[tuple[object, ...], tuple[str, Constant]] = {}
    for constant in constants:
        _, owner, name = constant.key.split(".", 2)
        same = (name, constant.asked, constant.realised, constant.register, constant.raw)
        groups.setdefault(same, []).append(owner)
        first.setdefault(same, (name.removeprefix("plasticity."), constant))
    return tuple(
        Row(owners=tuple(owners), name=first[same][0], constant=first[same][1])
        for same, owners in groups.items()
    )


def constant_findings(d: Discretized) -> Iterator[Finding]:
    """Yield what a constant lost, and which weights deliver something else or nothing."""
    for row in rows(d.constants):
        yield from _of_constant(d, row)
    for name in d.experiment.projections:
        if not d.is_analog:
            yield from _silent_codes(d, name) if learns(d, name) else _coarse_drive(d, name)


def _of_constant(d: Discretized, row: Row) -> Iterator[Finding]:
    constant, flags = row.constant, row.constant.flags
    if row.name in ELSEWHERE and "saturated" not in flags:
        return
    table = d.target.neuron
    if row.name == "v_reset" and table is not None and table.reset != "value":
        return  # `leak` says where it lands
    for kind in ("zeroed", "saturated", "coarse", "clipped_limit"):
        if kind in flags:
            break
    else:
        return
    is_initial = row.name in INITIAL or (row.name == "weight" and learns(d, row.owners[0]))
    off = severity(constant.relative_error, COARSE)
    yield Finding(
        kind=kind,
        key=constant.key,
        sentence=_sentence(row, kind),
        remedy=_remedy(row, kind, d),
        severity="note" if is_initial else off,
        register=_register_key(row, d),
    )


def _sentence(row: Row, kind: str) -> str:
    c = row.constant
    others = f" (and {', '.join(row.owners[1:])})" if len(row.owners) > 1 else ""
    asked = f"{row.name} of {row.owners[0]}{others}: asked {c.asked:g}"
    match kind:
        case "zeroed":
            return f"{asked}, and {c.register} holds 0"
        case "saturated":
            return (
                f"{asked} does not fit {c.register}, which holds {c.realised:g} "
                f"({percent(c.relative_error)})"
            )
        case _:
            return f"{asked}, realised {c.realised:g} ({percent(c.relative_error)})"


def _remedy(row: Row, kind: str, d: Discretized) -> str:
    key = _register_key(row, d)
    if kind == "saturated":
        return f"widen {key}" + ("" if key.endswith(".width") else " in front of the point")
    if row.name == "target_count":
        return "lengthen plasticity.update_period_us: whole spikes are counted"
    return f"add fraction bits to {key}"


def _register_key(row: Row, d: Discretized) -> str:
    table = d.target.neuron
    if row.name == "v_thresh" and table is not None and table.threshold is not None:
        return "neuron.threshold.format"
    if row.name.startswith("v_"):
        return "membrane.format"
    if row.name in REGISTERS:
        return REGISTERS[row.name]
    is_plastic = d.experiment.projections[row.owners[0]].plasticity is not None
    return f"{'plasticity' if is_plastic else 'synapse'}.weight.format"


def _coarse_drive(d: Discretized, name: str) -> Iterator[Finding]:
    asked = decimal(d.experiment.projections[name].weight)
    synapse, site = d.synapses[name], d.sites["drive"]
    realised = synapse.weight * synapse.lsb
    is_clipped = (
        not site.lo * 2**site.shift <= synapse.weight * synapse.gain <= site.hi * 2**site.shift
    )
    if asked == 0 or abs(realised / asked - 1) > COARSE or is_clipped:
        return  # the constant itself says so, or `ranges`
    gets = mean_delivered(d, name, synapse.weight)
    error = float(gets / asked) - 1
    if abs(error) > COARSE:
        yield Finding(
            kind="coarse_drive",
            key=f"projections.{name}.weight",
            sentence=f"a spike through {name} delivers {float(gets):g} instead of {float(asked):g} "
            f"({percent(error)})",
            remedy=_finer_drive(d),
            register="membrane.format",
        )


def silent_code(d: Discretized, name: str) -> int:
    """Return the largest magnitude of a weight code that moves no membrane, 0 if each does."""
    low, high = codes(d, name)
    site, gain = d.sites["drive"].as_fixed(), d.synapses[name].gain

    def is_silent(code: int) -> bool:
        return not any(rounded(code * gain, site, word) for word in (0, LARGEST_WORD))

    above, below = last(is_silent, high), last(lambda m: is_silent(-m), -low)
    return max(above if above >= low else 0, below if -below <= high else 0)


def _silent_codes(d: Discretized, name: str) -> Iterator[Finding]:
    code = silent_code(d, name)
    if code == 0:
        return
    worth = float(code * d.synapses[name].lsb)
    post = d.experiment.projections[name].post
    share = worth / float(threshold_from_rest(d, post))
    if share <= SILENT_NOTE:
        return
    which = "code 1 delivers" if code == 1 else f"codes 1 to {code} deliver"
    yield Finding(
        kind="silent_codes",
        key="synapse.gain.drive_rounding",
        sentence=f"weight {which} nothing through {name}: weights up to {worth:g}, "
        f"{100 * share:.2g} % of the threshold",
        remedy=_finer_drive(d),
        severity=severity(share),
        register="membrane.format",
    )


def threshold_from_rest(d: Discretized, population: str) -> Fraction:
    """Return the distance from rest to the threshold, as asked."""
    p = d.experiment.populations[population]
    return decimal(p.v_thresh) - decimal(p.v_rest)


def _finer_drive(d: Discretized) -> str:
    gain = d.target.synapse.gain
    if not takes_at_once(d):
        return f"add fraction bits to {place_of_sums(d)}"
    if gain.format is not None:
        return "add fraction bits to synapse.gain.format or to membrane.format"
    other = (
        " or set synapse.gain.drive_rounding = half_up" if gain.drive_rounding == "floor" else ""
    )
    return f"add fraction bits to membrane.format{other}"
