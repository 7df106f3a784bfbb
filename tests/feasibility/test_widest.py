"""The widest value of each site, and the product that makes it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from neuroemu.engine.exact import run_exact
from neuroemu.feasibility.widest import bits_of, widest
from neuroemu.hardware.load import load_experiment, load_target, shipped_targets
from neuroemu.models.containers import LIMITS
from neuroemu.models.discretize import discretize

REFERENCE = load_experiment("spike_based_homeostasis")
POPULATION = load_experiment("homeostatic_population")


@pytest.mark.parametrize("n", range(1, 63))
def test_bits_at_the_edges(n: int) -> None:
    assert bits_of(-(2**n), 2**n - 1) == n + 1
    assert bits_of(0, 2**n) == n + 2
    assert bits_of(-(2**n) - 1, 0) == n + 2


@pytest.mark.parametrize("name", shipped_targets())
@pytest.mark.parametrize("experiment", [REFERENCE, POPULATION], ids=lambda e: e.name)
def test_the_product_is_the_widest_value(name: str, experiment: Any) -> None:
    """What the text says, worked out, reaches the proved range but for the rounding and what is added."""
    long = ["plasticity.update_period_us=24.0"] if name == "brainscales1" else []
    for w in widest(discretize(experiment, load_target(name, long))):
        assert w.free_bits >= 0
        assert bits_of(w.low, w.high) == w.bits
        assert abs(w.high) <= LIMITS[w.container] + 1
        if re.search(r"[0-9]", w.product) and not re.search(
            r"change|rounding|minus|force", w.product
        ):
            text = w.product.replace(" x ", " * ").replace("^", "**")
            text = re.sub(r"[a-z_]+ ", "", text)
            value = eval(text)  # noqa: S307
            assert w.low <= value <= w.high
            assert max(abs(w.low), abs(w.high)) - abs(value) <= max(1, abs(value) / 2)


@pytest.mark.parametrize("name", ["generic8", "brainscales2"])
def test_no_value_of_a_run_is_wider(name: str) -> None:
    met: dict[str, list[int]] = {}

    def trace(site: str, _trial: int, _index: int, _step: int, wide: Any, _stored: Any) -> None:
        met.setdefault(site, []).append(wide)

    chip = load_target(name)
    run_exact(REFERENCE, chip, seed=2, n_steps=4000, trace=trace)
    for w in widest(discretize(REFERENCE, chip)):
        assert met[w.site]
        assert w.low <= min(met[w.site]) and max(met[w.site]) <= w.high


def test_sites_that_are_not_used_are_left_out() -> None:
    event = widest(discretize(REFERENCE, load_target("generic8")))
    assert [w.site for w in event] == ["leak", "drive", "input", "accumulate", "store"]
    still = widest(discretize(REFERENCE, load_target("generic8", ["plasticity.update=none"])))
    assert [w.site for w in still] == ["leak", "drive", "input"]
    assert [w.container for w in still] == ["int32", "int64", "int32"]
