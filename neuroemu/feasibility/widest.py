"""The widest value at each site, the product that makes it, and the container that holds it."""

from __future__ import annotations

from dataclasses import dataclass

from neuroemu.feasibility.traffic import learns
from neuroemu.models.containers import OF_NEURON
from neuroemu.models.registers import Discretized

CONTAINER_BITS = {"int32": 32, "int64": 64, "double": 54}
"""Two's complement bits that each holds exactly."""

NEURON = ("decay", "current", "force", "leak", "slope", "membrane", "drive", "input")
"""Sites on the way of an input to a spike, in the order of docs/spec/chip-neuron.md."""

UPDATES = {
    "event": ("accumulate", "store"),
    "periodic": ("count", "plus", "minus", "change", "accumulate", "store"),
    "sign": ("count", "read", "minus", "change", "accumulate", "store"),
    "deferred": ("count", "accumulate", "store"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Widest:
    """The widest value that one site meets.

    Parameters
    ----------
    site : str
        Its name in docs/spec.
    product : str
        What makes it, with the raw numbers.
    low, high : int
        Range of all terms, their sum and the rounding's addend.
    bits : int
        Of two's complement.
    container : str
        ``int32``, ``int64`` or ``double``.
    free_bits : int
        That the container has left.
    """

    site: str
    product: str
    low: int
    high: int
    bits: int
    container: str
    free_bits: int


def widest(d: Discretized) -> tuple[Widest, ...]:
    """Return the widest value of every site that the experiment uses."""
    names = [name for name in NEURON if name in d.widest and not _is_unused(d, name)]
    table = d.target.plasticity
    if any(learns(d, name) for name in d.experiment.projections):
        is_sign = table.by_sign
        names += UPDATES.get("sign" if is_sign else table.update, ())
    return tuple(_widest(d, name) for name in names)


def _is_unused(d: Discretized, site: str) -> bool:
    """Whether nothing but 0 passes a site of the chip's own step."""
    table = d.target.neuron
    if table is None:
        return False
    has_current = table.current is not None
    unused = {
        "decay": not has_current,
        "current": not has_current and table.input == "membrane",
        "force": table.input == "membrane",
    }
    return unused.get(site, False)


def bits_of(low: int, high: int) -> int:
    """Return the bits of two's complement that hold `low` to `high`.

    Examples
    --------
    >>> bits_of(-128, 127), bits_of(0, 128), bits_of(0, 0)
    (8, 9, 1)
    """
    return max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + 1


def _widest(d: Discretized, site: str) -> Widest:
    low, high = d.widest[site]
    bits = bits_of(low, high)
    container = d.container
    if container != "double" and site not in OF_NEURON:
        container = "int64"
    return Widest(
        site=site,
        product=_product(d, site),
        low=low,
        high=high,
        bits=bits,
        container=container,
        free_bits=CONTAINER_BITS[container] - bits,
    )


def power(value: int) -> str:
    """Return a raw number, large powers of two as such.

    Examples
    --------
    >>> power(-2147483648), power(253)
    ('-2^31', '253')
    """
    size = abs(value)
    if size < 2**12 or size.bit_count() != 1:
        return str(value)
    return f"{'-' if value < 0 else ''}2^{size.bit_length() - 1}"


def _product(d: Discretized, site: str) -> str:
    """Return the product or sum that reaches furthest, in raw numbers."""
    if site in NEURON:
        return _of_neuron(d, site)
    table = d.target.plasticity
    unit = 2 ** d.sites["store"].shift
    plus = max((s.dw_plus for s in d.synapses.values()), default=0)
    minus = max((s.dw_minus for s in d.synapses.values()), default=0)
    full = 2**table.counter.width - 1
    weight = table.weight.format
    limits = [abs(w) for s in d.synapses.values() for w in (s.w_min, s.w_max)] or [0]
    is_sign = table.by_sign
    return {
        "accumulate": f"weight {weight.hi} x {unit} + change",
        "store": f"limit {max(limits)} x {unit} + rounding",
        "plus": f"dw_plus {plus} x count {full}",
        "minus": f"dw_minus {minus} x count {full}",
        "change": "target - minus" if is_sign else "plus - minus",
        "count": f"count {full} + 1",
        "read": f"count {full}",
    }[site]


def _of_neuron(d: Discretized, site: str) -> str:
    table, form = d.target.neuron, d.target.membrane.format
    low, high = (form.lo, form.hi) if form else (0, 0)
    if site == "leak":
        factors = [n.unit for n in d.neurons.values()]
        factors += [int((n.multiplier - 1) * n.unit) for n in d.neurons.values()]
        f, v = max(((f, v) for f in factors for v in (low, high)), key=lambda p: abs(p[0] * p[1]))
        if table is not None and table.resistance is not None:
            return f"(membrane - force) x {power(f)}"
        return f"membrane {power(v)} x {power(f)}"
    if site == "drive":
        return _drive(d)
    if site == "input":
        into = "membrane" if table is None else table.input
        ends = zip(_ends(d, "input"), _ends(d, "drive"), strict=True)
        x, y = max(ends, key=lambda p: abs(p[0] + p[1]))
        return f"{into} {power(x)} + drive {power(y)}"
    return {
        "decay": "current x multiplier",
        "current": "current + input",
        "force": "current x resistance" if table and table.resistance else "current + bias",
        "slope": "leak + current + bias" if table and table.input != "membrane" else "leak + bias",
        "membrane": "membrane + change",
    }[site]


def _ends(d: Discretized, site: str) -> tuple[int, int]:
    return d.sites[site].lo, d.sites[site].hi


def _drive(d: Discretized) -> str:
    tables = (d.target.plasticity.weight.format, d.target.synapse.weight.format)
    codes = [c for t in tables for c in (t.lo, t.hi)]
    gains = [s.gain for s in d.synapses.values()] or [0]
    g, c = max(((g, c) for g in gains for c in codes), key=lambda p: abs(p[0] * p[1]))
    return f"weight {c} x gain {power(g)}"
