"""Small studies to draw, each run once: a map, half of it, a metric on two targets, a search."""

from pathlib import Path
from typing import Any

import pytest

from neuroemu.study.results import StudyResults
from neuroemu.study.run import run_study
from tests.study.small import SHORT, small_space

ROUNDING = {
    "name": "rounding",
    "label": "rounding of the stored weight",
    "keys": ["plasticity.weight.rounding"],
    "values": ["floor", "around", "stochastic"],
}
BITS = {
    "name": "bits",
    "label": "weight bits",
    "keys": ["plasticity.weight.format"],
    "bits": [3, 10],
}
TRIALS = {"first": 4, "most": 8}
# Increments of 8 LSB or more do not fit, so that 10 bits are refused; a wide margin, as the runs are short.
NARROW = SHORT | {"plasticity.increment.format": "fxp-u11/8", "experiment.question.margin": 0.4}
MAP: dict[str, Any] = {
    "title": "Which rounding, and how many bits",
    "set": NARROW,
    "axes": [ROUNDING, BITS],
    "trials": TRIALS,
    "predict": True,
    "weights": True,
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn")


@pytest.fixture(scope="session")
def halfway(folder: Path) -> StudyResults:
    """Every second point of the map; the others are missing."""
    return run_study(small_space(folder, **MAP), folder / "map", shard=(1, 2))


@pytest.fixture(scope="session")
def mapped(folder: Path, halfway: StudyResults) -> StudyResults:
    """The whole map: dead, surviving and refused points."""
    assert halfway.path.parent == folder / "map"
    return run_study(small_space(folder, **MAP), folder / "map")


@pytest.fixture(scope="session")
def metric(folder: Path) -> StudyResults:
    """Points within and beyond a bound, and undecided ones."""
    margin = {"name": "margin", "keys": ["experiment.question.margin"], "values": [0.1, 0.4]}
    changes = {
        "targets": ["generic8", "generic16"],
        "axes": [margin, BITS | {"bits": [6, 8]}],
        "question": {"metric": "difference", "at_least": -2.3, "at_most": 2.3},
        "trials": TRIALS,
        "predict": True,
    }
    return run_study(small_space(folder, **changes), folder / "metric")


@pytest.fixture(scope="session")
def searched(folder: Path) -> StudyResults:
    """Two widths, for each of two roundings."""
    membrane = {"name": "membrane", "keys": ["membrane.format"], "bits": [6, 9], "find": "minimum"}
    bits = BITS | {"bits": [4, 9], "find": "minimum"}
    axes = [ROUNDING | {"values": ["floor", "around"]}, membrane, bits]
    space = small_space(folder, axes=axes, set=NARROW, trials=TRIALS)
    return run_study(space, folder / "search")
