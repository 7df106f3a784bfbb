"""The widest value at each site, the product that makes it, and the container that holds it."""

from __future__ import annotations

from dataclasses import dataclass

from neuroemu.feasibility.traffic import learns
from neuroemu.models.registers import Discretized

CONTAINER_BITS = {"int32": 32, "int64": 64, "double": 54}
"""Two's complement bits that each holds exactly."""

IN_MEMBRANE = ("leak", "input")
"""Sites that run in the membrane's container; all others run in int64 or in doubles."""

ALWAYS = ("leak", "drive", "input")
EVENT = ("accumulate", "store")
PERIODIC = ("count", "plus", "minus", "change", "accumulate", "store")


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
    names = [name for name in ALWAYS if name in d.widest]
    if any(learns(d, name) for name in d.experiment.projections):
        names += PERIODIC if d.clock.period_steps else EVENT
    return tuple(_widest(d, name) for name in names)


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
    if container != "double" and site not in IN_MEMBRANE:
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
    table = d.target.plasticity
    unit = 2 ** d.sites["store"].shift
    plus = max((s.dw_plus for s in d.synapses.values()), default=0)
    minus = max((s.dw_minus for s in d.synapses.values()), default=0)
    full = 2**table.counter.width - 1
    weight = table.weight.format
    limits = [abs(w) for s in d.synapses.values() for w in (s.w_min, s.w_max)] or [0]
    text = {
        "accumulate": f"weight {weight.hi} x {unit} + change",
        "store": f"limit {max(limits)} x {unit} + rounding",
        "plus": f"dw_plus {plus} x count {full}",
        "minus": f"dw_minus {minus} x count {full}",
        "change": "plus - minus",
        "count": f"count {full} + 1",
    }
    return text[site] if site in text else _membrane_product(d, site)


def _membrane_product(d: Discretized, site: str) -> str:
    form = d.target.membrane.format
    low, high = (form.lo, form.hi) if form else (0, 0)
    if site == "input":
        return f"membrane {power(low)} + drive {power(low)}"
    if site == "leak":
        factors = [n.unit for n in d.neurons.values()]
        factors += [int((n.multiplier - 1) * n.unit) for n in d.neurons.values()]
        f, v = max(((f, v) for f in factors for v in (low, high)), key=lambda p: abs(p[0] * p[1]))
        return f"membrane {power(v)} x {power(f)}"
    tables = (d.target.plasticity.weight.format, d.target.synapse.weight.format)
    codes = [c for t in tables for c in (t.lo, t.hi)]
    gains = [s.gain for s in d.synapses.values()] or [0]
    g, c = max(((g, c) for g in gains for c in codes), key=lambda p: abs(p[0] * p[1]))
    return f"weight {c} x gain {power(g)}"
