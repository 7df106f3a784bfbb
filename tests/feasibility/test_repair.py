"""The repair clears what it says, and nothing smaller does."""

from __future__ import annotations

import tomllib
from itertools import product

import pytest

from neuroemu.errors import ConfigError
from neuroemu.feasibility.check import check
from neuroemu.feasibility.grow import FORMATS, bits, value_at, with_value
from neuroemu.feasibility.repair import Repair, repair
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.hardware.rules import target_violations
from neuroemu.models.discretize import discretize
from neuroemu.numeric.format import Format

REFERENCE = load_experiment("spike_based_homeostasis")
UNASKED = REFERENCE.model_copy(update={"question": None})
"""Without a question nothing is predicted, and no finding is known to do no harm."""

BROKEN = [
    ("generic4", (), {"plasticity.weight.format": "fxp-u5/0"}),
    (
        "generic16",
        ("plasticity.weight.format=fxp-u16/3",),  # 0.05 is 0.4 steps, which rounds to 0
        {"plasticity.weight.format": "fxp-u17/4"},
    ),
    (
        "brainscales2",
        ("plasticity.counter.width=3",),
        {"plasticity.counter.width": "4"},
    ),
    (
        "generic16",
        ("refractory.format=fxp-u2/0",),
        {"refractory.format": "fxp-u4/0"},
    ),
    (
        "generic16",
        ("synapse.weight.format=fxp-u3/2",),
        {"synapse.weight.format": "fxp-u4/2"},
    ),
    (
        "generic16",
        ("membrane.format=fxp-s14/12", "membrane.overflow=wrap"),
        {"membrane.format": "fxp-s16/12"},
    ),
]


def fixed(name: str, *overrides: str) -> Repair:
    return repair(UNASKED, load_target(name, overrides))


@pytest.mark.parametrize(("name", "overrides", "changes"), BROKEN)
def test_the_change_clears_the_findings(
    name: str, overrides: tuple[str, ...], changes: dict[str, str]
) -> None:
    found = fixed(name, *overrides)
    assert found.before.findings
    assert found.changes == changes
    assert (found.unsolved, found.after.findings) == ((), ())
    changed = load_target(name, [*overrides, *found.as_overrides()])
    assert check(UNASKED, changed).findings == ()
    assert bits(changed) - bits(load_target(name, overrides)) == found.added_bits


@pytest.mark.parametrize(("name", "overrides", "changes"), BROKEN)
def test_the_toml_says_the_same_as_the_arguments(
    name: str, overrides: tuple[str, ...], changes: dict[str, str]
) -> None:
    found = fixed(name, *overrides)
    data = tomllib.loads(found.as_toml())
    for key, value in changes.items():
        table = data
        for part in key.split("."):
            table = table[part]
        assert str(table) == value


def cheaper(start: Target, keys: list[str], most: int) -> list[Target]:
    """Every target with fewer added bits than `most` over `keys`, each register grown both ways."""
    found = []
    ways = [(f, w) for f in range(most) for w in range(most - f)]
    for choice in product(ways, repeat=len(keys)):
        if sum(f + w for f, w in choice) >= most:
            continue
        changed = start
        for key, (fraction, whole) in zip(keys, choice, strict=True):
            form: Format = value_at(changed, key)
            wider = Format(form.signed, form.width + fraction + whole, form.fraction + fraction)
            changed = with_value(changed, key, wider)
        found.append(changed)
    return found


@pytest.mark.parametrize(
    ("name", "overrides", "keys"),
    [
        ("brainscales2", ["plasticity.update=event"], ["weight", "increment", "accumulator"]),
        ("generic16", ["plasticity.weight.format=fxp-u16/3"], ["weight", "increment"]),
        ("generic4", ["plasticity.increment.format=fxp-u4/2"], ["weight", "increment"]),
    ],
)
def test_nothing_smaller_does(name: str, overrides: list[str], keys: list[str]) -> None:
    """All ways to add fewer bits, each checked; about plasticity alone, where the findings are."""
    start = load_target(name, overrides)
    found = repair(UNASKED, start)
    assert found.after.findings == () and found.added_bits > 0
    for changed in cheaper(start, [f"plasticity.{k}.format" for k in keys], found.added_bits):
        if target_violations(changed, "changed"):
            continue
        try:
            discretize(UNASKED, changed)
        except ConfigError:
            continue
        about_learning = [
            f for f in check(UNASKED, changed).findings if f.register.startswith("plasticity")
        ]
        assert about_learning, [str(value_at(changed, key)) for key in FORMATS]


def test_a_clean_target_needs_nothing() -> None:
    found = fixed("generic16")
    assert (found.changes, found.added_bits, found.roundings) == ({}, 0, {})
    assert found.as_toml() == ""


def test_roundings_that_do_it_alone_are_named_and_true() -> None:
    overrides = ["plasticity.update=event"]
    found = fixed("brainscales2", *overrides)
    assert found.roundings == {"plasticity.weight.rounding": ("around", "half_up", "stochastic")}
    for rounding in found.roundings["plasticity.weight.rounding"]:
        changed = load_target(
            "brainscales2", [*overrides, f"plasticity.weight.rounding={rounding}"]
        )
        assert check(UNASKED, changed).findings == ()


def test_what_no_format_clears_is_left_with_its_remedy() -> None:
    found = fixed("brainscales2", "plasticity.update_period_us=1000.0", "capacity.fan_in=1")
    assert found.changes == {}
    assert [f.kind for f in found.after.findings] == ["unstable", "fan_in"]
    assert all(f.remedy for f in found.after.findings)


def test_groups_are_cleared_one_after_the_other() -> None:
    broken = ["plasticity.weight.format=fxp-u4/3", "membrane.rounding=floor"]
    found = repair(REFERENCE, load_target("generic8", broken))
    assert set(found.changes) == {
        *("plasticity.weight.format", "membrane.format", "membrane.leak.format"),
    }
    assert found.after.findings == ()
    assert found.after.prediction is not None
    assert found.after.prediction.verdict == "survives"


def test_the_repair_is_plain_data() -> None:
    data = fixed("generic4").as_json()
    assert data["changes"] == {"plasticity.weight.format": "fxp-u5/0"}
    assert (data["added_bits"], data["left"]) == (1, [])


def test_a_weight_whose_step_the_network_decides_gets_finer_by_its_width() -> None:
    """The load is 4, so all codes stand for 16: 8 bits hold steps of 1/16, in which 0.05 is 0.75 and never rises.

    At 9 bits it is 1.625, of which a presynaptic spike loses 0.4; at 10 bits 3.25, of which it loses 0.26: 8 %, inside
    the margin.
    """
    found = fixed("spinnaker1", "plasticity.weight.format=fxp-u8/4")
    assert "dead_update" in [f.kind for f in found.before.findings]
    assert found.changes == {"plasticity.weight.format": "fxp-u10/4"}
    assert not [f for f in found.after.findings if f.register.startswith("plasticity")]


def test_what_counts_in_membrane_steps_grows_with_the_membrane() -> None:
    """At 1 ms a leak of 10 ms takes 0.1 of the threshold: 0.4 steps of a quarter, 0.8 of an eighth."""
    coarse = [f"{key}=fxp-{form}/2" for key, form in (
        ("membrane.format", "s9"), ("membrane.leak.format", "u7"), ("synapse.weight.format", "s9"),
    )]  # fmt: skip
    found = fixed("truenorth", *coarse)
    assert "no_leak" in [f.kind for f in found.before.findings]
    assert found.changes == {"membrane.format": "fxp-s10/3", "membrane.leak.format": "fxp-u8/3"}
    assert "no_leak" not in [f.kind for f in found.after.findings]
