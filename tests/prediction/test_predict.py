"""Predicted rates and verdicts against the recorded ones of docs/targets.md, and what is out of scope."""

from __future__ import annotations

from typing import Any

import pytest

from neuroemu.experiment import Experiment
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.metrics.outcome import Verdict
from neuroemu.models.discretize import discretize
from neuroemu.prediction.predict import Prediction, predict

FLOAT = (49.4, 51.9, 45.4, 50.5)
CONTROL = (24.0, 47.8, 0.0, 33.8)
SUBLSB = "plasticity.increment.format=fxp-u8/4"
PERIOD = "plasticity.update_period_us={}".format
WEIGHT = "plasticity.weight.format={}".format
ROUNDING = "plasticity.weight.rounding={}".format

RECORDED: list[tuple[str, list[str], str, tuple[float, ...]]] = [
    ("brainscales1", [], "dead", CONTROL),
    ("brainscales2", [], "survives", (46.9, 50.1, 46.2, 47.9)),
    ("generic16", [], "survives", FLOAT),
    ("generic8", [], "survives", (49.6, 51.2, 45.9, 50.2)),
    ("loihi1", [], "survives", (49.4, 51.9, 45.2, 50.4)),
    ("spinnaker1", [], "survives", FLOAT),
    ("brainscales1", [SUBLSB], "dead", CONTROL),
    ("brainscales1", [SUBLSB, ROUNDING("stochastic")], "survives", (48.7, 55.3, 40.8, 49.4)),
    ("brainscales1", [SUBLSB, WEIGHT("fxp-u5/0")], "survives", (49.5, 52.3, 45.2, 50.4)),
    ("brainscales2", [PERIOD(10)], "shifted", (36.1, 48.0, 45.6, 37.4)),
    ("brainscales2", [PERIOD(20)], "shifted", (40.5, 48.4, 45.9, 41.0)),
    ("brainscales2", [PERIOD(50)], "survives", (45.2, 49.3, 46.1, 46.0)),
    ("brainscales2", [PERIOD(1000)], "inconclusive", (48.2, 64.1, 45.3, 74.7)),
    ("brainscales2", [PERIOD(10_000)], "dead", (24.0, 47.8, 0.0, 77.7)),
    ("brainscales2", [ROUNDING("around")], "survives", (49.4, 51.6, 46.4, 50.5)),
    ("brainscales2", [ROUNDING("stochastic"), PERIOD(10)], "survives", (49.6, 52.1, 46.2, 50.5)),
    ("generic8", ["membrane.rounding=floor"], "dead", (35.8, 47.6, 23.9, 40.8)),
    ("generic8", ["membrane.rounding=around"], "dead", (35.8, 47.6, 23.9, 40.8)),
    ("generic8", ["membrane.rounding=stochastic"], "survives", (49.4, 51.6, 45.5, 50.5)),
    ("loihi1", [ROUNDING("floor")], "shifted", (42.4, 48.9, 41.7, 43.4)),
    ("loihi1", [ROUNDING("floor"), WEIGHT("fxp-u10/9")], "survives", (47.5, 50.8, 44.9, 48.6)),
    ("spinnaker1", [WEIGHT("fxp-u16/9")], "survives", (47.5, 50.8, 44.9, 48.6)),
    ("spinnaker1", [WEIGHT("fxp-u16/5")], "shifted", (26.1, 47.8, 24.5, 34.0)),
    ("spinnaker1", [WEIGHT("fxp-u16/4")], "dead", CONTROL),
    (
        "spinnaker1",
        [WEIGHT("fxp-u16/4"), ROUNDING("stochastic")],
        "survives",
        (49.0, 53.1, 43.0, 50.1),
    ),
]
"""Target, changes, verdict and rates: 32 trials, seed 1."""

NOISE_HZ = 1.5
"""Three times the largest standard error of the recorded means, but for the periods that overshoot."""

ON_THE_EDGE = {("brainscales1", ROUNDING("stochastic")), ("brainscales2", PERIOD(50))}
"""What docs/targets.md, or a second seed, says to be near the margin; and what it calls inconclusive."""


def predicted(target: str, changes: list[str], experiment: Experiment | None = None) -> Prediction:
    asked = experiment or load_experiment("spike_based_homeostasis")
    return predict(discretize(asked, load_target(target, changes)))


@pytest.mark.parametrize(("target", "changes", "verdict", "rates"), RECORDED)
def test_rates_and_verdict_are_those_of_the_recorded_runs(
    target: str, changes: list[str], verdict: str, rates: tuple[float, ...]
) -> None:
    found = predicted(target, changes)
    assert found.applies
    for (low, high), rate in zip(found.intervals_hz, rates, strict=True):
        assert low - NOISE_HZ <= rate <= high + NOISE_HZ
    if verdict == "inconclusive" or any((target, c) in ON_THE_EDGE for c in changes):
        assert found.verdict is None
        assert "near the edge" in found.sentence
    else:
        assert str(found.verdict) == verdict
        assert found.verdict is found.leaning


def test_float_and_control_are_those_of_the_recorded_runs() -> None:
    found = predicted("generic16", [])
    for intervals, rates in (
        (found.float_intervals_hz, FLOAT),
        (found.control_intervals_hz, CONTROL),
    ):
        for (low, high), rate in zip(intervals, rates, strict=True):
            assert low - NOISE_HZ <= rate <= high + NOISE_HZ


def test_sentences_name_the_cause() -> None:
    assert "rounds to 0, so the weight never moves" in predicted("brainscales1", []).sentence
    assert "balances at 25.0 Hz" in predicted("spinnaker1", [WEIGHT("fxp-u16/5")]).sentence
    leaky = predicted("generic8", ["membrane.rounding=floor"]).sentence
    assert "the rounding of the membrane's leak" in leaky
    assert "Update more often" in predicted("brainscales2", [PERIOD(1000)]).sentence


def test_speed_is_relative_to_what_the_rule_asks_for() -> None:
    assert predicted("generic8", []).speed == pytest.approx(3 / 3.2)
    assert predicted("brainscales1", []).speed == 0.0


def test_the_loop_loses_stability_as_the_period_grows() -> None:
    gains = [predicted("brainscales2", [PERIOD(p)]).loop_gain for p in (50, 100, 1000, 10_000)]
    assert gains == sorted(gains)
    assert predicted("brainscales2", []).is_stable
    assert not predicted("brainscales2", [PERIOD(10_000)]).is_stable
    assert predicted("generic8", []).loop_gain is None


def test_the_set_point_of_a_floor_in_short_periods_is_not_that_of_drift_balance() -> None:
    found = predicted("brainscales2", [PERIOD(10)])
    low, high = found.set_point_interval_hz or (0.0, 0.0)
    assert low < 36.1 < high  # where the phase at 25 Hz is held; drift balance says 18 Hz
    assert low < (found.set_point_hz or 0.0) < high


def test_no_increment_leaves_the_control() -> None:
    experiment = changed(plasticity={"rule": "homeostasis", "dw_plus": 0.0, "dw_minus": 0.0})
    for target in ("generic16", "brainscales2"):
        found = predicted(target, [], experiment)
        assert found.rates_hz == pytest.approx(found.control_rates_hz, rel=1e-5)


def test_a_target_without_learning_keeps_its_weight() -> None:
    found = predicted("generic16", ["plasticity.update=none"])
    assert found.rates_hz == pytest.approx(found.control_rates_hz, rel=1e-5)
    assert found.verdict is Verdict.DEAD
    assert "no on-chip learning" in found.sentence


def changed(**homeostatic: Any) -> Experiment:
    """The reference experiment with another plastic projection."""
    experiment = load_experiment("spike_based_homeostasis")
    data = experiment.model_dump()
    plastic = data["projections"]["homeostatic"]
    for name, value in homeostatic.items():
        old = plastic[name]
        plastic[name] = {**old, **value} if isinstance(old, dict) else value
    return Experiment.model_validate(data)


def test_recurrent_input_is_out_of_scope() -> None:
    found = predicted("generic16", [], load_experiment("homeostatic_population"))
    assert not found.applies
    assert found.verdict is None
    assert "their spikes are not independent" in found.caveats[0]
    assert found.set_point_hz == pytest.approx(40.0)  # drift balance needs no rates


def test_several_plastic_synapses_are_out_of_scope() -> None:
    data = load_experiment("spike_based_homeostasis").model_dump()
    data["stimuli"]["steady"]["size"] = 3
    found = predicted("generic16", [], Experiment.model_validate(data))
    assert not found.applies
    assert "3 plastic synapses" in found.caveats[0]


def test_one_source_for_each_neuron_is_in_scope() -> None:
    data = load_experiment("spike_based_homeostasis").model_dump()
    data["stimuli"]["steady"]["size"] = 4
    for population in data["populations"].values():
        population["size"] = 4
    data["projections"]["homeostatic"]["connector"] = "one_to_one"
    found = predicted("generic16", [], Experiment.model_validate(data))
    assert found.rates_hz == pytest.approx(predicted("generic16", []).rates_hz)


def test_an_experiment_without_a_question_is_out_of_scope() -> None:
    experiment = load_experiment("spike_based_homeostasis").model_copy(update={"question": None})
    found = predicted("generic16", [], experiment)
    assert (found.applies, found.rates_hz) == (False, ())
    assert "no question" in found.sentence


def test_a_threshold_below_rest_is_out_of_scope() -> None:
    data = load_experiment("spike_based_homeostasis").model_dump()
    data["populations"]["with_homeostasis"]["v_thresh"] = -0.5
    found = predicted("generic16", [], Experiment.model_validate(data))
    assert "spikes without input" in found.caveats[0]


def test_periods_that_lose_every_single_spike_are_out_of_scope() -> None:
    changes = [PERIOD(10), WEIGHT("fxp-u4/0"), ROUNDING("around")]
    found = predicted("brainscales2", changes)
    assert not found.applies
    assert "rare coincidences" in found.caveats[0]


def test_an_accumulator_that_wraps_is_out_of_scope() -> None:
    changes = ["plasticity.accumulator.format=fxp-s16/0", "plasticity.accumulator.overflow=wrap"]
    found = predicted("generic16", changes)
    assert not found.applies
    assert "accumulator" in found.caveats[0]


def test_a_prediction_is_plain_data() -> None:
    import json

    data = json.loads(json.dumps(predicted("brainscales2", []).as_json()))
    assert data["verdict"] == "survives"
    assert len(data["rates_hz"]) == len(data["intervals_hz"]) == 4
