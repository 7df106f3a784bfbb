"""A proposal as TOML is the proposal, and says where its numbers are from."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from neuroemu.fitting import fit
from neuroemu.fitting.write import digest, proposal_toml, target_toml
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.testing import targets
from tests.fitting.test_fit import FITTED

SHORT = ["time.duration_ms=15000"]


@pytest.mark.parametrize("name", FITTED)
def test_a_proposal_comes_back_equal(name: str, tmp_path: Path) -> None:
    found = fit(load_experiment("spike_based_homeostasis", SHORT), load_target(name), trials=2)
    path = tmp_path / "proposal.toml"
    path.write_text(proposal_toml(found), encoding="utf-8")
    assert load_target(path) == found.target
    comment = path.read_text().partition("\nname =")[0]
    assert f"Formats of {name} fitted to spike_based_homeostasis" in comment
    assert f"seed 1) the verdict was: {found.verdict}" in comment


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(targets())
def test_any_target_comes_back_equal(target: Target) -> None:
    assert Target.model_validate(tomllib.loads(target_toml(target))) == target


def test_only_what_was_set_is_written() -> None:
    target = load_target("generic8")
    data = tomllib.loads(target_toml(target))
    assert "random" not in data["plasticity"] and "capacity" not in data
    assert data["membrane"]["format"] == "fxp-s8/5"


def test_a_comment_stands_above() -> None:
    text = target_toml(load_target("generic8"), "one\ntwo")
    assert text.startswith('# one\n# two\nname = "generic8"')


def test_the_digest_tells_fits_apart() -> None:
    experiment, target = load_experiment("spike_based_homeostasis", SHORT), load_target("generic8")
    usual = fit(experiment, target, trials=2)
    others = [
        fit(experiment, target, trials=3),
        fit(experiment, target, trials=2, seed=1),
        fit(experiment, target, trials=2, margin=0.3),
        fit(experiment, target, trials=2, precision=0.03),
    ]
    digests = {digest(found) for found in (usual, *others)}
    assert len(digests) == 5
    assert digest(fit(experiment, target, trials=2)) == digest(usual)
