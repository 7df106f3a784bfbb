"""The proved range of every wide value, against the values themselves on small formats."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.containers import LIMITS, choose_container
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.numeric.ops import requantize
from neuroemu.numeric.site import ROUNDINGS, Site
from tests.engine.small import SILENT, homeostasis, network, neuron, synapses

BRUTE = settings(max_examples=40, deadline=None)
SIGN = {True: "s", False: "u"}


def addends(site: Site) -> list[int]:
    """Every number that the rounding may add before the shift, from the roundings' definition."""
    ones = 2**site.shift - 1
    if site.shift == 0:
        return [0]
    return {
        "floor": [0],
        "ceil": [ones],
        "fix": [0, ones],
        "trunc": [0, ones],
        "around": [2 ** (site.shift - 1) - 1, 2 ** (site.shift - 1)],
        "half_up": [2 ** (site.shift - 1)],
        "stochastic": [0, ones],
    }[site.rounding]


def check(d: Discretized, name: str, terms: list[int], attained: bool = True) -> None:
    """Every term, and its sum with any addend that it can meet, is inside; the bounds are met."""
    low, high = d.widest[name]
    site = d.sites[name]
    only_negative = max(addends(site)) if site.rounding in ("fix", "trunc") else None
    met = list(terms)
    for x in terms:
        met += [x + a for a in addends(site) if a != only_negative or a == 0 or x < 0]
    assert low <= min(met) and max(met) <= high
    if attained:
        widest_addend = max(addends(site))
        assert min(met) - low <= widest_addend
        # the bits that a shift drops must fit as well, however small the product
        assert high - max(met) <= widest_addend or high == 2**site.shift - 1


def edges(low: int, high: int) -> list[int]:
    return sorted({low, high, *(x for x in (-1, 0, 1) if low <= x <= high)})


def one_neuron(tau: float, rule_high: float, dw: float, down: float = 0.5) -> Experiment:
    """`down` is the decrement in parts of the increment."""
    rule = homeostasis(plus=dw, minus=dw * down, high=rule_high)
    return network(
        {"a": neuron(tau=tau)},
        {"s": SILENT, "t": SILENT},
        {
            "fixed": synapses("s", "a", -0.5),
            "learns": synapses("t", "a", 0.0, plasticity=rule),
        },
    )


@BRUTE
@given(
    width=st.integers(5, 10),
    fraction=st.integers(0, 3),
    leak_fraction=st.integers(1, 10),
    tau=st.sampled_from([0.1, 0.15, 0.3, 1.0, 7.7, 1000.0]),
    weight_fraction=st.integers(2, 5),
    roundings=st.tuples(*[st.sampled_from(ROUNDINGS)] * 2),
    overflow=st.sampled_from(["saturate", "wrap", "error"]),
)
def test_the_membranes_values_are_inside_and_meet_the_bounds(
    width: int,
    fraction: int,
    leak_fraction: int,
    tau: float,
    weight_fraction: int,
    roundings: tuple[str, str],
    overflow: str,
) -> None:
    target = load_target(
        "generic8",
        [
            f"membrane.format=fxp-s{width}/{fraction}",
            f"membrane.rounding={roundings[0]}",
            f"membrane.overflow={overflow}",
            f"membrane.leak.format=fxp-u{leak_fraction + 1}/{leak_fraction}",
            f"synapse.weight.format=fxp-u7/{weight_fraction}",
            f"plasticity.weight.format=fxp-u7/{weight_fraction}",
            f"synapse.gain.drive_rounding={roundings[1]}",
        ],
    )
    d = discretize(one_neuron(tau, 1.0, 0.25), target)
    registers, membrane = d.neurons["a"], range(d.sites["leak"].lo, d.sites["leak"].hi + 1)
    leak = int((registers.multiplier - 1) * registers.unit)
    parts = [t for v in membrane for t in (leak * v, registers.unit * v)]
    sums = [leak * v + registers.unit * v for v in membrane]
    check(d, "leak", parts + sums)
    check(d, "drive", [s.gain * w for s in d.synapses.values() for w in range(128)])
    check(d, "input", [v + i for v in membrane[:: len(membrane) - 1] for i in membrane])
    # the leak's own claim: it never leaves the membrane's range
    site = d.sites["leak"].as_fixed()
    assert d.sites["leak"].never_overflows
    for v, wide in zip(membrane, sums, strict=True):
        assert min(v, 0) <= requantize(wide, site, 2**32 - 1) <= max(v, 0)


@BRUTE
@given(
    signed=st.booleans(),
    width=st.integers(3, 6),
    increment_fraction=st.integers(0, 4),
    dw=st.sampled_from([0.0, 0.125, 0.3, 0.5]),
    rounding=st.sampled_from(ROUNDINGS),
)
def test_an_event_driven_update_is_inside_and_meets_the_bounds(
    signed: bool, width: int, increment_fraction: int, dw: float, rounding: str
) -> None:
    assume(increment_fraction > 0 or rounding != "stochastic")  # refused: nothing to round
    weight = f"fxp-{SIGN[signed]}{width}/{width - 1 - signed}"
    target = load_target(
        "generic8",
        [
            f"plasticity.weight.format={weight}",
            f"plasticity.weight.rounding={rounding}",
            f"plasticity.increment.format=fxp-u12/{increment_fraction}",
        ],
    )
    d = discretize(one_neuron(1.0, 1.0, dw), target)
    rule, form = d.synapses["learns"], d.target.plasticity.weight.format
    codes, changes = range(form.lo, form.hi + 1), (rule.dw_plus, -rule.dw_minus)
    sums = [w * rule.unit + c for w in codes for c in changes]
    check(d, "accumulate", sums + [w * rule.unit for w in codes] + list(changes))
    unit = rule.unit
    limited = [min(max(x, rule.w_min * unit), rule.w_max * unit) for x in sums]
    check(d, "store", limited)
    assert d.sites["accumulate"].lo <= min(sums) and max(sums) <= d.sites["accumulate"].hi


@BRUTE
@given(
    counter=st.integers(1, 4),
    accumulator=st.one_of(st.none(), st.integers(4, 9)),
    increment_fraction=st.integers(0, 3),
    overflow=st.sampled_from(["saturate", "wrap", "error"]),
    dw=st.sampled_from([0.0, 0.125, 0.3, 0.5]),
    down=st.sampled_from([0.5, 8.0]),
)
def test_a_periodic_update_is_inside_and_meets_the_bounds(
    counter: int,
    accumulator: int | None,
    increment_fraction: int,
    overflow: str,
    dw: float,
    down: float,
) -> None:
    overrides = [
        "plasticity.update=periodic",
        "plasticity.update_period_us=1000.0",
        "plasticity.weight.format=fxp-u4/3",
        f"plasticity.counter.width={counter}",
        f"plasticity.increment.format=fxp-u12/{increment_fraction}",
    ]
    if accumulator is not None:
        form = f"fxp-s{max(accumulator, increment_fraction + 2)}/{increment_fraction}"
        overrides += [f"plasticity.accumulator.format={form}"]
        overrides += [f"plasticity.accumulator.overflow={overflow}"]
    d = discretize(one_neuron(1.0, 1.0, dw, down), load_target("generic8", overrides))
    rule, counts = d.synapses["learns"], range(2**counter)
    sites = {name: site.as_fixed() for name, site in d.sites.items()}
    exact = accumulator is None or overflow != "wrap"  # a wrapped range need not be met
    plus, minus = [rule.dw_plus * n for n in counts], [rule.dw_minus * n for n in counts]
    check(d, "plus", plus)
    check(d, "minus", minus)
    added = {requantize(x, sites["plus"], 0) for x in plus}
    taken = {requantize(x, sites["minus"], 0) for x in minus}
    differences = [a - t for a, t in product(added, taken)]
    check(d, "change", differences, attained=exact)
    changes = {requantize(x, sites["change"], 0) for x in differences}
    codes = range(16)
    check(d, "accumulate", [w * rule.unit + c for w in codes for c in changes], attained=exact)
    assert d.widest["count"] == (0, 2**counter)
    if accumulator is None:
        assert added == set(plus) and taken == set(minus) and changes == set(differences)


# the choice


def generic8(*overrides: str) -> Discretized:
    return discretize(
        load_experiment("spike_based_homeostasis"), load_target("generic8", overrides)
    )


def membrane_edge(width: int, leak_fraction: int, rounding: str) -> Discretized:
    return generic8(
        f"membrane.format=fxp-s{width}/{width - 3}",
        f"membrane.leak.format=fxp-u{leak_fraction}/{leak_fraction}",
        f"membrane.rounding={rounding}",
        "synapse.gain.format=fxp-u24/8",
    )


@pytest.mark.parametrize(
    ("width", "leak_fraction", "container"),
    # the lowest product is -2^(width - 1 + leak_fraction)
    [(16, 16, "int32"), (17, 15, "int32"), (16, 17, "int64"), (17, 16, "int64")],
)
def test_int32_is_left_one_bit_beyond_its_edge(
    width: int, leak_fraction: int, container: str
) -> None:
    d = membrane_edge(width, leak_fraction, "floor")
    assert d.widest["leak"][0] == -(2 ** (width - 1 + leak_fraction))
    assert d.container == container


def test_the_addend_of_the_rounding_counts() -> None:
    """(2^15 - 1) * 2^16 leaves room for 2^16 - 1, and for no more."""
    d = membrane_edge(16, 16, "ceil")
    assert d.widest["leak"] == (-(2**31), 2**31 - 1)
    assert d.container == "int32"


@pytest.mark.parametrize(
    ("interval", "container"),
    [
        ((-(2**31), 2**31 - 1), "int32"),
        ((-(2**31) - 1, 0), "int64"),
        ((0, 2**31), "int64"),
        ((-(2**63), 2**63 - 1), "int64"),
    ],
)
@pytest.mark.parametrize("site", ["leak", "input"])
def test_the_container_at_its_edges(
    interval: tuple[int, int], container: str, site: str, target: Target
) -> None:
    widest = {"leak": (0, 0), "input": (0, 0), "store": (0, 2**40), site: interval}
    assert choose_container(target, widest) == container


@pytest.mark.parametrize("interval", [(-(2**63) - 1, 0), (0, 2**63)])
@pytest.mark.parametrize("site", ["leak", "drive", "store"])
def test_a_value_that_fits_no_container_is_refused(
    interval: tuple[int, int], site: str, target: Target
) -> None:
    with pytest.raises(ConfigError, match=r"fits 63 bits; .* takes 64"):
        choose_container(target, {"leak": (0, 0), "input": (0, 0), site: interval})


@pytest.mark.parametrize(
    ("interval", "fits"), [((0, 2**53 - 1), True), ((-(2**53), 0), True), ((0, 2**53), False)]
)
def test_beside_an_analog_membrane_doubles_hold_53_bits(
    interval: tuple[int, int], fits: bool, target: Target
) -> None:
    if fits:
        assert choose_container(target, {"store": interval}) == "double"
        return
    with pytest.raises(ConfigError, match="fits 53 bits"):
        choose_container(target, {"store": interval})


@pytest.fixture
def target() -> Target:
    return load_target("generic8")


def test_a_product_of_32_by_32_bits_just_fits() -> None:
    changes = ["membrane.format=fxp-s32/15", "membrane.leak.format=fxp-u32/32"]
    d = discretize(load_experiment("spike_based_homeostasis"), load_target("generic16", changes))
    assert d.container == "int64"
    assert d.widest["leak"] == (-(2**63), (2**31 - 1) * 2**32 + 2**31)
    assert d.neurons["with_homeostasis"].multiplier == Fraction(round(0.99 * 2**32), 2**32)
    assert LIMITS["int64"] == 2**63 - 1
