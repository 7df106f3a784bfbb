"""The sites of a target, the widest value that each can meet, and the container that holds it."""

from __future__ import annotations

from neuroemu.errors import ConfigError, Violation
from neuroemu.hardware.config import Target
from neuroemu.models.chip_sites import Interval, chip_sites, widest_of_chip
from neuroemu.models.registers import NeuronRegisters, SynapseRegisters
from neuroemu.numeric.site import Overflow, Rounding, Site

LIMITS = {"int32": 2**31 - 1, "int64": 2**63 - 1, "double": 2**53 - 1}


def build_sites(
    target: Target,
    synapses: dict[str, SynapseRegisters],
    neurons: dict[str, NeuronRegisters],
    drive_shift: int,
) -> dict[str, Site]:
    """Return every site by name, as docs/spec lists them."""
    sites = _plasticity_sites(target, synapses)
    form, leak = target.membrane.format, target.membrane.leak
    if target.membrane.arithmetic == "analog" or form is None or leak is None:
        return sites
    if target.neuron is not None:
        return sites | chip_sites(target, target.neuron, form, leak, drive_shift)
    sites["leak"] = Site(
        name="leak",
        shift=leak.format.fraction,
        rounding=target.membrane.rounding,
        overflow=target.membrane.overflow,
        lo=form.lo,
        hi=form.hi,
        lsb=float(form.lsb),
        never_overflows=all(0 <= n.multiplier <= 1 for n in neurons.values()),
    )
    for name, shift, rounding in (
        ("drive", drive_shift, target.synapse.gain.drive_rounding),
        ("input", 0, "floor"),
    ):
        sites[name] = Site(
            name=name,
            shift=shift,
            rounding=rounding,
            overflow=target.membrane.overflow,
            lo=form.lo,
            hi=form.hi,
            lsb=float(form.lsb),
        )
    return sites


def _plasticity_sites(target: Target, synapses: dict[str, SynapseRegisters]) -> dict[str, Site]:
    plasticity = target.plasticity
    weight, fraction = plasticity.weight.format, plasticity.increment.format.fraction
    counts = 2**plasticity.counter.width - 1
    accumulator, overflow = plasticity.accumulator.format, plasticity.accumulator.overflow
    if accumulator is not None:
        lo, hi = accumulator.lo, accumulator.hi
    else:  # wide enough for every value, so that nothing overflows
        plus, minus = _largest_changes(target, synapses)
        if plasticity.counter.signed:  # either count may have either sign
            plus = minus = plus + minus
        lo = weight.lo * 2**fraction - minus
        hi = max(weight.hi * 2**fraction + plus, minus)
        overflow = "saturate"

    def site(
        name: str, shift: int, rounding: Rounding, overflow: Overflow, lo: int, hi: int, lsb: float
    ) -> Site:
        return Site(
            name=name, shift=shift, rounding=rounding, overflow=overflow, lo=lo, hi=hi, lsb=lsb
        )

    products = plasticity.accumulator.products or overflow
    wide = [site("accumulate", 0, "floor", overflow, lo, hi, 2.0**-fraction)]
    wide += [
        site(name, 0, "floor", products, lo, hi, 2.0**-fraction)
        for name in ("plus", "minus", "change")
    ]
    if plasticity.by_sign:
        wide[3] = site("change", 0, "floor", "saturate", -1, 1, 1.0)
    store = site(
        "store",
        fraction,
        plasticity.weight.rounding,
        plasticity.weight.overflow,
        weight.lo,
        weight.hi,
        1.0,
    )
    is_deferred = plasticity.update == "deferred"
    stops = "saturate" if is_deferred else plasticity.counter.overflow
    count = site("count", 0, "floor", stops, 0, counts, 1.0)
    sign = plasticity.counter.signed and not is_deferred
    low, high = (-(counts + 1) // 2, counts // 2) if sign else (0, counts)
    read = site("read", 0, "floor", "wrap", low, high, 1.0)
    if plasticity.update == "pairs":
        return {}
    return {s.name: s for s in (*wide, store, count, read)}


def _largest_changes(target: Target, synapses: dict[str, SynapseRegisters]) -> tuple[int, int]:
    """Return the most that one update can add and take, before any narrowing."""
    plasticity = target.plasticity
    most = 2**plasticity.counter.width - 1
    n_pre = most if plasticity.update == "periodic" else 1
    n_post = most if plasticity.update in ("periodic", "deferred") else 1
    plus = max((s.dw_plus for s in synapses.values()), default=0)
    minus = max((s.dw_minus for s in synapses.values()), default=0)
    return plus * n_pre, minus * n_post


def _stored(wide: Interval, site: Site) -> Interval:
    """Return the range of what `site`, which drops no bits, stores of values in `wide`."""
    if site.lo <= wide[0] and wide[1] <= site.hi:
        return wide
    if site.overflow == "wrap":
        return site.lo, site.hi
    low, high = (min(max(end, site.lo), site.hi) for end in wide)
    return low, high


def _widest_of_learning(
    target: Target, synapses: dict[str, SynapseRegisters], sites: dict[str, Site]
) -> dict[str, Interval]:
    """Follow an update of docs/spec/plasticity.md, a range for every value."""
    table, weight = target.plasticity, target.plasticity.weight.format
    largest_plus, largest_minus = _largest_changes(target, synapses)
    plus, minus = (0, largest_plus), (0, largest_minus)
    if table.counter.signed:  # one half of the codes is negative
        plus, minus = (-largest_plus, largest_plus), (-largest_minus, largest_minus)
    added, taken = _stored(plus, sites["plus"]), _stored(minus, sites["minus"])
    targets = [s.target_count for s in synapses.values()] or [0]
    change = (min(targets) + added[0] - taken[1], max(targets) + added[1] - taken[0])
    step = _stored(change, sites["change"])
    if table.update != "periodic":
        step = (-largest_minus, largest_plus)
    unit = 2 ** sites["store"].shift
    limits = [w * s.unit for s in synapses.values() for w in (s.w_min, s.w_max)] or [0]
    summed = (weight.lo * unit + step[0], weight.hi * unit + step[1])
    if table.update == "deferred":  # narrowed once before the increment is added
        down = _stored((weight.lo * unit - largest_minus, weight.hi * unit), sites["accumulate"])
        summed = (summed[0], max(down[1], max(limits)) + largest_plus)
    return {
        "plus": plus,
        "minus": minus,
        "change": change,
        "accumulate": summed,
        # the limits of the rule stand before it
        "store": (min(limits), max(limits) + sites["store"].widest_addend),
        "count": (0, 2**table.counter.width),
        "read": (0, 2**table.counter.width - 1),
    }


def widest_values(
    target: Target,
    neurons: dict[str, NeuronRegisters],
    synapses: dict[str, SynapseRegisters],
    sites: dict[str, Site],
    buffer_scale: int = 1,
) -> dict[str, Interval]:
    """Return the range of the wide value at each site: of its terms, their sum and the rounding."""
    weight = target.plasticity.weight.format
    is_digital = target.plasticity.update != "pairs"
    widest = _widest_of_learning(target, synapses, sites) if is_digital else {}
    if "leak" in sites:
        membrane = (sites["leak"].lo, sites["leak"].hi)
        codes = [weight.lo, weight.hi, target.synapse.weight.format.lo]
        codes.append(target.synapse.weight.format.hi)
        leaks = [int((n.multiplier - 1) * n.unit) for n in neurons.values()]
        gains = [s.gain for s in synapses.values()] or [0]
        terms = [f * v for v in membrane for f in (*leaks, *(n.unit for n in neurons.values()))]
        drives = [g * w for g in gains for w in codes]
        widest["leak"] = (min(terms), max(terms) + sites["leak"].widest_addend)
        # a shift beyond the container's width is undefined, however small the product
        dropped = 2 ** sites["drive"].shift - 1
        high = max(max(drives) + sites["drive"].widest_addend, dropped)
        widest["drive"] = (min(drives), high)
        if target.neuron is not None:
            chips = [n.chip for n in neurons.values() if n.chip is not None]
            subtracts = target.neuron.reset == "subtract"
            steps = [n.reset if subtracts else 0 for n in neurons.values()]
            return widest | widest_of_chip(target.neuron, chips, steps, sites, buffer_scale)
        widest["input"] = (2 * membrane[0], 2 * membrane[1])
    return widest


OF_NEURON = ("leak", "input", "decay", "current", "force", "slope", "membrane")
"""Sites whose wide values the container of the membrane holds."""

_PRODUCTS = {
    "leak": ("membrane.format", "membrane times leak multiplier", "membrane.leak.format"),
    "drive": ("synapse.gain.format", "weight times gain", "synapse.gain.format"),
    "input": ("membrane.format", "membrane plus input", "membrane.format"),
    "decay": ("neuron.current.format", "current times its multiplier", "its decay_format"),
    "current": ("neuron.current.format", "current plus input", "neuron.current.format"),
    "force": ("neuron.resistance.format", "current times resistance", "neuron.resistance.format"),
    "slope": ("membrane.format", "the change of a step", "membrane.format"),
    "membrane": ("membrane.format", "membrane plus its change", "membrane.format"),
    "accumulate": ("plasticity.increment.format", "weight plus change", "the increment's fraction"),
    "store": ("plasticity.increment.format", "weight plus change", "the increment's fraction"),
}


def choose_container(target: Target, widest: dict[str, Interval]) -> str:
    """Return the narrowest container that is proved to hold every value of the membrane.

    Raises
    ------
    ConfigError
        If a value fits none.
    """
    analog = "leak" not in widest
    container = "double" if analog else "int64"
    violations = []
    for site, interval in widest.items():
        if not _holds(container, interval):
            key, product, shorten = _PRODUCTS.get(
                site, ("plasticity.increment.format", f"the value at {site}", "the increment")
            )
            bits = max(abs(interval[0]), interval[1]).bit_length()
            violations.append(
                Violation(
                    source=target.name,
                    key=key,
                    rule=f"every product fits {LIMITS[container].bit_length()} bits",
                    detail=f"{product} takes {bits}",
                    remedy=f"shorten {shorten}",
                )
            )
    if violations:
        raise ConfigError(violations)
    if not analog and all(_holds("int32", widest[name]) for name in OF_NEURON if name in widest):
        return "int32"
    return container


def _holds(container: str, interval: Interval) -> bool:
    return -LIMITS[container] - 1 <= interval[0] and interval[1] <= LIMITS[container]
