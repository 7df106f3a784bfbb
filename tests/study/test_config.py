"""Study files: what is read, and every way in which one can be wrong."""

from pathlib import Path
from typing import Any

import pytest

from neuroemu.errors import ConfigError
from neuroemu.study.config import load_study_file, shipped_studies
from neuroemu.study.points import space
from tests.study.small import BITS, ROUNDING, small_space, write_study


@pytest.mark.parametrize("name", shipped_studies())
def test_every_shipped_study_makes_its_points(name: str) -> None:
    made = space(*load_study_file(name))
    assert made.study.name == name
    indices = list(made.indices())
    assert len(indices) > 30
    few = [made.point(i) for i in indices[:: len(indices) // 15]]
    assert sum(p.target is None for p in few) < len(few) / 5


def _violations(folder: Path, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        small_space(folder, **changes)
    return [f"{v.key}: {v.rule}" for v in caught.value.violations]


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (BITS | {"values": [1]}, "axes[0]: an axis has one of values, from and to, or bits"),
        (
            {"name": "a", "keys": ["time.tick_us"]},
            "axes[0]: an axis has one of values, from and to, or bits",
        ),
        (
            {"name": "a", "keys": ["time.tick_us"], "from": 1.0},
            "axes[0].to: from and to go together",
        ),
        (
            {"name": "a", "keys": ["time.tick_us"], "from": 2.0, "to": 1.0},
            "axes[0].from: from is below to",
        ),
        (
            {"name": "a", "keys": ["time.tick_us"], "from": 0.0, "to": 1.0, "scale": "log"},
            "axes[0].from: equal ratios start above 0",
        ),
        (BITS | {"bits": [7, 4]}, "axes[0].bits: the least width comes first"),
        (ROUNDING | {"find": "minimum"}, "axes[0].find: a width is searched for"),
        (ROUNDING | {"values": ["floor", "floor"]}, "axes[0].values: every value once"),
        (BITS | {"name": "answer"}, "axes[0].name: this name is taken"),
        (
            ROUNDING | {"along": {"time.tick_us": [1.0]}},
            'axes[0].along."time.tick_us": a key along an axis has one value for each of the axis\'s values',
        ),
    ],
)
def test_a_wrong_axis_is_named(tmp_path: Path, axis: dict[str, Any], expected: str) -> None:
    assert _violations(tmp_path, axes=[axis]) == [expected]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"metric": "colour", "at_most": 1.0}, "question.metric: no such metric"),
        ({"at_most": 1.0}, "question.at_most: the verdict has no bound of its own"),
        ({"metric": "rate"}, "question: a metric needs a bound"),
        (
            {"metric": "rate", "at_least": 2.0, "at_most": 1.0},
            "question.at_least: at_least is below at_most",
        ),
    ],
)
def test_a_wrong_question_is_named(tmp_path: Path, question: dict[str, Any], expected: str) -> None:
    assert _violations(tmp_path, question=question) == [expected]


def test_all_violations_of_a_file_come_at_once(tmp_path: Path) -> None:
    found = _violations(
        tmp_path,
        axes=[BITS | {"bits": [7, 4]}, ROUNDING | {"name": "bits"}],
        trials={"first": 8, "most": 4},
        question={"metric": "colour"},
    )
    assert len(found) == 4


def test_keys_that_no_target_has_are_refused_before_anything_runs(tmp_path: Path) -> None:
    axis = BITS | {"keys": ["plasticity.wieght.format", "experiment.time.dt"]}
    with pytest.raises(ConfigError) as caught:
        small_space(tmp_path, axes=[axis])
    assert [(v.key, v.remedy) for v in caught.value.violations] == [
        ("plasticity.wieght.format", "did you mean plasticity.weight.format?"),
        ("experiment.time.dt", "did you mean time.dt_ms?"),
    ]


def test_bits_of_what_has_no_format_are_refused(tmp_path: Path) -> None:
    axis = BITS | {"keys": ["plasticity.weight.rounding"]}
    assert _violations(tmp_path, axes=[axis]) == [
        "plasticity.weight.rounding: bits vary a format that the target has"
    ]


def test_wrong_targets_and_experiment_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        small_space(tmp_path, targets=["generic9", "nowhere.toml"], experiment="none")
    assert len(caught.value.violations) == 3


def test_a_key_is_set_in_one_place(tmp_path: Path) -> None:
    again = BITS | {"name": "again"}
    assert _violations(tmp_path, axes=[BITS, again]) == [
        "axes: one axis alone sets a key, and once"
    ]


def test_targets_of_one_name_cannot_be_told_apart(tmp_path: Path) -> None:
    assert _violations(tmp_path, targets=["generic8", "generic8"]) == [
        "targets: every target has a name of its own"
    ]


def test_a_value_that_is_no_number_is_refused(tmp_path: Path) -> None:
    axis = {"name": "a", "keys": ["time.acceleration"], "values": [1.0, float("inf")]}
    assert _violations(tmp_path, axes=[axis]) == ["axes[0].values: numbers are finite"]


@pytest.mark.parametrize("name", ["..", ".hidden", "--plan"])
def test_a_study_s_name_is_that_of_a_folder(tmp_path: Path, name: str) -> None:
    (found,) = _violations(tmp_path, name=name)
    assert found.startswith("name: must be")


def test_more_than_four_widths_need_the_search_table(tmp_path: Path) -> None:
    keys = ("membrane.leak", "membrane", "refractory", "synapse.weight", "plasticity.increment")
    axes = [
        BITS | {"name": f"a{i}", "keys": [f"{key}.format"], "find": "minimum"}
        for i, key in enumerate(keys)
    ]
    assert _violations(tmp_path, axes=axes) == [
        "axes: more than 4 widths are too many for the exhaustive frontier"
    ]


def test_relative_paths_begin_at_the_study_file(tmp_path: Path) -> None:
    from neuroemu.fitting.write import target_toml
    from neuroemu.hardware.load import load_target

    (tmp_path / "mine.toml").write_text(target_toml(load_target("generic8")), encoding="utf-8")
    made = small_space(tmp_path, targets=["mine.toml"])
    assert made.targets[0].name == "generic8"


def test_overrides_reach_the_study_file(tmp_path: Path) -> None:
    study, _ = load_study_file(write_study(tmp_path), ["trials.most=32"])
    assert study.trials.most == 32
