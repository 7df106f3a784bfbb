"""The check as a whole: shipped targets, experiments of every shape, plain data."""

from __future__ import annotations

import json

import pytest

from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment, Poisson
from neuroemu.feasibility.check import check, verdict_finding
from neuroemu.feasibility.findings import Finding, plain
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import (
    load_experiment,
    load_target,
    shipped_targets,
)
from neuroemu.metrics.outcome import Verdict
from neuroemu.prediction.predict import Prediction
from tests.engine.small import homeostasis, network, neuron, synapses, target

REFERENCE = load_experiment("spike_based_homeostasis")


@pytest.mark.parametrize("name", shipped_targets())
def test_targets_are_found_to_lack_what_they_lack(name: str) -> None:
    """A target that cannot learn is said to, once; the others are fine but for the one of four bits."""
    chip = load_target(name)
    found = check(REFERENCE, chip)
    kinds = [f.kind for f in found.findings]
    assert kinds.count("no_learning") == (chip.plasticity.update == "none")
    if chip.plasticity.update != "none":
        assert kinds == (["dead_update"] if name == "generic4" else [])
    assert all(f.sentence and f.remedy for f in found.all_findings)


def with_time_for_rows(name: str) -> Target:
    """A shipped target whose pair controller has time to read sixteen rows of 1.5 us."""
    chip = load_target(name)
    long = ["plasticity.update_period_us=24.0"] if chip.plasticity.update == "pairs" else []
    return load_target(name, long)


UNASKED = REFERENCE.model_copy(update={"question": None})
"""Without a question nothing is predicted, which takes longest."""


@pytest.mark.parametrize("name", shipped_targets())
@pytest.mark.parametrize(
    "experiment", [UNASKED, load_experiment("homeostatic_population")], ids=lambda e: e.name
)
def test_everything_is_plain_data(name: str, experiment: Experiment) -> None:
    found = check(experiment, with_time_for_rows(name))
    data = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert (data["target"], data["experiment"]) == (name, experiment.name)
    assert {"prediction", "findings", "constants", "learning", "leak", "ranges"} <= data.keys()
    assert {"periodic", "deferred", "signs", "pairs", "network_lsb"} <= data.keys()
    assert {"widest", "timing", "places", "notes"} <= data.keys()
    assert len(data["constants"]) == len(found.discretized.constants)


def test_an_experiment_without_a_question_and_with_many_projections() -> None:
    experiment = network(
        {"a": neuron(3, refractory=0.3), "b": neuron(2, tau=2.0, reset=-1.0)},
        {
            "s": Poisson(size=3, rates_hz=(30.0, 60.0), interval_ms=5.0),
            "t": Poisson(rates_hz=(9.0,)),
        },
        {
            "one": synapses(
                "s", "a", 0.5, connector="one_to_one", plasticity=homeostasis(0.1, 0.2)
            ),
            "two": synapses("t", "b", 0.5, plasticity=homeostasis(0.001, 0.001, low=-1.0)),
            "three": synapses("a", "b", -0.25, connector="fixed_probability", probability=0.5),
            "four": synapses("b", "b", 0.125, plasticity=homeostasis()),
        },
    )
    found = check(experiment, target("plasticity.weight.format=fxp-s17/14"))
    assert found.prediction is None
    assert found.as_json()["prediction"] is None
    assert [rule.projections for rule in found.learning] == [("one",), ("two",), ("four",)]
    json.dumps(found.as_json(), allow_nan=False)


@pytest.mark.parametrize("update", ["event", "none"])
def test_an_experiment_without_input(update: str) -> None:
    lonely = network({"n": neuron()})
    found = check(lonely, target(f"plasticity.update={update}"))
    assert found.findings == ()
    assert found.timing.events_per_us == 0.0


def test_a_target_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="the increment fits its register"):
        check(REFERENCE, load_target("generic4", ["plasticity.weight.format=fxp-u12/0"]))


def test_what_the_prediction_knows_to_be_harmless_is_a_note() -> None:
    """The 8-bit membrane decays five times too fast; predicted and run, the rule makes up for it."""
    harmless = check(REFERENCE, load_target("generic8"))
    assert "time_constant" in [f.kind for f in harmless.notes]
    assert "time_constant" in [f.kind for f in check(UNASKED, load_target("generic8")).findings]


def test_a_note_and_a_problem_differ_by_their_limit_alone() -> None:
    moved = check(UNASKED, load_target("brainscales2"))
    assert [(f.kind, f.is_problem) for f in moved.all_findings] == [("lopsided", False)]
    far = check(UNASKED, load_target("brainscales2", ["plasticity.update_period_us=20.0"]))
    assert "lopsided" in [f.kind for f in far.findings]


def test_a_predicted_failure_that_nothing_else_explains_is_a_finding() -> None:
    d = check(UNASKED, load_target("generic16")).discretized
    dead = Prediction(verdict=Verdict.DEAD, sentence="The loop swings.", applies=True)
    (found,) = verdict_finding(d, dead, [])
    assert (found.kind, found.is_problem) == ("verdict", True)
    assert found.sentence == "predicted dead: The loop swings"
    other = Finding(kind="unstable", key="time.tick_us", sentence="", remedy="")
    assert list(verdict_finding(d, dead, [other])) == []
    alive = Prediction(verdict=Verdict.SURVIVES, sentence="", applies=True)
    assert list(verdict_finding(d, alive, [])) == []


def test_plain_data_of_anything() -> None:
    assert plain(("a", 1, None, True, float("nan"))) == ["a", 1, None, True, None]
