"""Experiments: rules between their keys, and what follows from a sound one."""

# The tables have a line for each error, as long as the error is.
# ruff: noqa: E501

from pathlib import Path

import numpy as np
import pytest

from neuroemu.experiment import Poisson, rates_per_step
from neuroemu.hardware.load import load_experiment
from tests.hardware.files import EXPERIMENTS, edited, lines, refusal

NAME = "spike_based_homeostasis"
SHIPPED = EXPERIMENTS / f"{NAME}.toml"
HOMEOSTATIC = "projections.homeostatic"
NEURON = "populations.with_homeostasis"

BROKEN = [
    # override, what the line says after "--set:"
    ("time.duration_ms=39999.95", "time.duration_ms = 39999.95: times are multiples of time.dt_ms; dt_ms is 0.1; use 40000"),
    ("time.duration_ms=1e300", "time.duration_ms = 1e+300: a run has at most 2,147,483,647 steps; dt_ms is 0.1; shorten it"),
    ("stimuli.varying.interval_ms=10000.05", "stimuli.varying.interval_ms = 10000.05: times are multiples of time.dt_ms; dt_ms is 0.1; use 10000"),
    ("stimuli.steady.rates_hz=[10001]", "stimuli.steady.rates_hz[0] = 10001.0: a source gives at most one spike a step; dt_ms = 0.1 allows 10000 Hz; lower"),
    ("stimuli.varying.rates_hz=[1, 2, 3e4]", "stimuli.varying.rates_hz[2] = 30000.0: a source gives at most one spike a step"),
    ("stimuli.steady.rates_hz=[-1]", "stimuli.steady.rates_hz[0] = -1: must be a number at least 0; raise it"),
    (f"{NEURON}.v_reset=1", f"{NEURON}.v_reset = 1.0: the reset lies below the threshold; v_thresh is 1; lower v_reset"),
    (f"{NEURON}.v_rest=1", f"{NEURON}.v_thresh = 1.0: the threshold lies above rest; v_rest is 1; raise v_thresh"),
    (f"{NEURON}.tau_m_ms=0.05", f"{NEURON}.tau_m_ms = 0.05: an Euler step is no longer than the time constant; dt_ms is 0.1; lengthen"),
    (f"{NEURON}.tau_refrac_ms=-1", f"{NEURON}.tau_refrac_ms = -1: must be a number at least 0; raise it"),
    (f"{NEURON}.size=0", f"{NEURON}.size = 0: must be a number at least 1; raise it"),
    ("projections.drive.pre=vary", 'projections.drive.pre = "vary": no stimulus or population has this name; did you mean varying?'),
    ("projections.drive.pre=zzz", 'projections.drive.pre = "zzz": no stimulus or population has this name; use one of with_homeostasis, without_homeostasis, varying, steady'),
    ("projections.drive.post=steady", 'projections.drive.post = "steady": no population has this name; '),
    ("projections.drive.connector=fixed_probability", "projections.drive.probability: fixed_probability, and nothing else, takes a probability; connector is fixed_probability; add"),
    ("projections.drive.probability=0.5", "projections.drive.probability = 0.5: fixed_probability, and nothing else, takes a probability; connector is all_to_all; take it out"),
    (f"{HOMEOSTATIC}.plasticity.w_max=0", f"{HOMEOSTATIC}.plasticity.w_max = 0.0: w_max lies above w_min; w_min is 0; raise w_max"),
    (f"{HOMEOSTATIC}.plasticity.w_min=3", f"{HOMEOSTATIC}.plasticity.w_max = 2.0: w_max lies above w_min; w_min is 3; raise w_max"),
    (f"{HOMEOSTATIC}.weight=2.5", f"{HOMEOSTATIC}.weight = 2.5: the initial weight lies inside the limits of its rule; 0 to 2; change"),
    (f"{HOMEOSTATIC}.plasticity.dw_plus=-0.05", f"{HOMEOSTATIC}.plasticity.dw_plus = -0.05: must be a number at least 0"),
    ('record.weights=["drive"]', 'record.weights[0] = "drive": no plastic projection has this name; use one of homeostatic'),
    ("record.membrane.stop_ms=1.23", "record.membrane.stop_ms = 1.23: times are multiples of time.dt_ms"),
    ("record.membrane.every_ms=0.15", "record.membrane.every_ms = 0.15: times are multiples of time.dt_ms"),
    ("record.membrane.start_ms=2000", "record.membrane.stop_ms = 2000.0: the window ends after it starts; start_ms is 2000; raise"),
    ('record.membrane.populations=["with_homeostasis", "steady"]', 'record.membrane.populations[1] = "steady": no population has this name'),
    ("question.population=withhomeostasis", 'question.population = "withhomeostasis": no population has this name; did you mean with_homeostasis?'),
    ("question.control=with_homeostasis", 'question.control = "with_homeostasis": the control is another population than the one with homeostasis'),
    ("question.projection=drive", 'question.projection = "drive": no plastic projection has this name; use one of homeostatic'),
    ("question.stimulus=stedy", 'question.stimulus = "stedy": no stimulus has this name; did you mean steady?'),
    ("question.settle_ms=10000", "question.settle_ms = 10000.0: settling leaves part of each phase to judge; the shortest phase is 10000 ms; shorten"),
    (f"{HOMEOSTATIC}.plasticity.dw_minus=0", "question.set_point_hz: the set point does not follow from the rule: its presynaptic side has no single rate, or dw_minus is 0; add set_point_hz"),
    (f"{HOMEOSTATIC}.pre=varying", "question.set_point_hz: the set point does not follow from the rule"),
    ("question.margin=1.0", "question.margin = 1.0: must be a number less than 1; lower it"),
]  # fmt: skip


@pytest.mark.parametrize(("override", "expected"), BROKEN)
def test_keys_that_do_not_fit_together(override: str, expected: str) -> None:
    (line,) = lines(refusal(NAME, override))
    assert line.partition(":")[2].removeprefix(str(SHIPPED)).startswith(expected)


def test_several_rates_need_their_duration(tmp_path: Path) -> None:
    path = edited(SHIPPED, tmp_path, ("interval_ms = 10000.0", ""))
    assert lines(refusal(path)) == [
        f"{path}:stimuli.varying.interval_ms: several rates need their duration; "
        "add interval_ms to [stimuli.varying]"
    ]


def test_stimulus_and_population_need_two_names(tmp_path: Path) -> None:
    path = edited(SHIPPED, tmp_path, ("[populations.without_homeostasis]", "[populations.steady]"))
    assert ":stimuli.steady: a stimulus and a population share a name; " in str(refusal(path))


def test_one_to_one_needs_equal_sizes() -> None:
    error = refusal(NAME, f"{NEURON}.size=3", "projections.drive.connector=one_to_one")
    assert lines(error) == [
        '--set:projections.drive.connector = "one_to_one": one_to_one needs equal sizes; '
        "varying has 1, with_homeostasis has 3; use all_to_all, or change a size"
    ]


def test_every_unnamed_part_of_the_question_is_said() -> None:
    error = refusal(NAME, "question.population=a", "question.control=b", "question.stimulus=c")
    assert [v.key for v in error.violations] == [
        "question.population",
        "question.control",
        "question.stimulus",
    ]


def test_without_a_question_there_is_one_phase_and_no_set_point(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    path = edited(SHIPPED, tmp_path, (text[text.index("[question]") :], ""))
    experiment = load_experiment(path)
    assert experiment.phase_edges_ms() == (0.0, 40000.0)
    assert experiment.set_point_hz() is None


def test_phases_set_point_and_steps_of_the_shipped_experiment() -> None:
    experiment = load_experiment(NAME)
    assert experiment.n_steps == 400_000
    assert experiment.phase_edges_ms() == (0.0, 10000.0, 20000.0, 30000.0, 40000.0)
    assert experiment.set_point_hz() == 50.0


def test_the_set_point_follows_the_ratio_of_the_increments_unless_given() -> None:
    third = load_experiment(NAME, [f"{HOMEOSTATIC}.plasticity.dw_minus=0.15"])
    assert third.set_point_hz() == pytest.approx(50 / 3)
    assert load_experiment(NAME, ["question.set_point_hz=20"]).set_point_hz() == 20.0


def test_a_stimulus_of_one_rate_makes_one_phase() -> None:
    experiment = load_experiment(NAME, ["question.stimulus=steady"])
    assert experiment.phase_edges_ms() == (0.0, 40000.0)


def test_a_phase_that_the_end_cuts_is_kept() -> None:
    experiment = load_experiment(NAME, ["time.duration_ms=15000"])
    assert experiment.phase_edges_ms() == (0.0, 10000.0, 15000.0)


def test_rates_hold_for_their_interval_and_the_last_for_ever() -> None:
    stimulus = Poisson(rates_hz=(10.0, 20.0), interval_ms=0.2)
    np.testing.assert_array_equal(rates_per_step(stimulus, 6, 0.1), [10, 10, 20, 20, 20, 20])
    np.testing.assert_array_equal(rates_per_step(Poisson(rates_hz=(5.0,)), 2, 0.1), [5, 5])


def test_rates_past_the_end_play_no_part() -> None:
    stimulus = Poisson(rates_hz=(10.0, 20.0, 30.0), interval_ms=0.2)
    np.testing.assert_array_equal(rates_per_step(stimulus, 3, 0.1), [10, 10, 20])
