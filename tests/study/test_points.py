"""Points: all combinations, with what each axis sets, and refusals as part of the map."""

from pathlib import Path

from neuroemu.study.config import Axis
from neuroemu.study.points import axis_values
from tests.study.small import BITS, ROUNDING, small_space


def test_the_last_axis_is_fastest_and_targets_come_first(tmp_path: Path) -> None:
    made = small_space(tmp_path, targets=["generic8", "generic16"])
    found = [tuple(p.values.values()) for p in made.points()]
    assert made.shape == (2, 2, 4)
    assert found[:5] == [
        ("generic8", "floor", 4),
        ("generic8", "floor", 5),
        ("generic8", "floor", 6),
        ("generic8", "floor", 7),
        ("generic8", "stochastic", 4),
    ]
    assert len(set(found)) == 16


def test_bits_hold_the_range_or_the_fraction_of_the_target_s_own_format(tmp_path: Path) -> None:
    for hold, expected in (("range", "fxp-u9/7"), ("fraction", "fxp-u9/6")):
        made = small_space(tmp_path, axes=[BITS | {"hold": hold, "bits": [8, 9]}])
        target = made.point((0, 1)).target
        assert target is not None
        assert str(target.plasticity.weight.format) == expected


def test_what_an_axis_sets_is_assumed_and_the_rest_keeps_its_source(tmp_path: Path) -> None:
    target = small_space(tmp_path).point((0, 1, 0)).target
    assert target is not None
    assert target.plasticity.weight.rounding == "stochastic"
    assert target.sources["plasticity.weight.rounding"].startswith("assumed")
    assert target.sources["membrane"] == "assumed: generic"


def test_keys_of_the_experiment_change_the_experiment(tmp_path: Path) -> None:
    key = "experiment.projections.homeostatic.plasticity.dw_plus"
    axis = {"name": "dw", "keys": [key], "values": [0.01, 0.02]}
    made = small_space(tmp_path, axes=[axis])
    point = made.point((0, 1))
    assert point.experiment is not None
    rule = point.experiment.projections["homeostatic"].plasticity
    assert rule is not None
    assert (rule.dw_plus, rule.dw_minus) == (0.02, 0.05)


def test_keys_along_an_axis_move_with_it(tmp_path: Path) -> None:
    axis = {
        "name": "acceleration",
        "keys": ["time.acceleration"],
        "values": [1, 10],
        "along": {"time.tick_us": [100.0, 10.0]},
    }
    target = small_space(tmp_path, axes=[axis]).point((0, 1)).target
    assert target is not None
    assert (target.time.acceleration, target.time.tick_us) == (10.0, 10.0)


def test_a_configuration_that_cannot_be_is_a_refused_point(tmp_path: Path) -> None:
    narrow = BITS | {"keys": ["membrane.format"], "bits": [1, 4]}
    made = small_space(tmp_path, axes=[narrow])
    points = list(made.points())
    assert points[0].target is None
    assert "signed format needs at least 2 bits" in points[0].refusal
    assert points[3].refusal == ""


def test_equal_ratios_and_steps_have_four_digits() -> None:
    span = {"name": "a", "keys": ["time.tick_us"], "from": 1, "to": 2, "points": 4}
    linear, log = (Axis.model_validate(span | {"scale": s}) for s in ("linear", "log"))
    assert axis_values(linear) == (1, 1.333, 1.667, 2)
    assert axis_values(log) == (1, 1.26, 1.587, 2)


def test_values_of_several_axes_are_set_together(tmp_path: Path) -> None:
    made = small_space(tmp_path, axes=[ROUNDING, BITS])
    target = made.point((0, 0, 3)).target
    assert target is not None
    assert (str(target.plasticity.weight.format), target.plasticity.weight.rounding) == (
        "fxp-u7/5",
        "floor",
    )
