"""The whole: the proposal survives on other input, and mistakes are refused before any work."""

import json

import pytest

from neuroemu.errors import ConfigError
from neuroemu.fitting import fit
from neuroemu.fitting.supported import check_supported
from neuroemu.hardware.load import load_experiment, load_target, shipped_targets


def is_supported(name: str) -> bool:
    try:
        check_supported(load_target(name))
    except ConfigError:
        return False
    return True


FITTED = [name for name in shipped_targets() if is_supported(name)]


def test_targets_that_step_as_the_experiment_does_are_fitted() -> None:
    assert {"generic16", "generic8", "generic4", "brainscales2"} <= set(FITTED)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("loihi1", {"neuron", "plasticity.increment.mantissa_bits"}),
        ("spinnaker1", {"neuron", "plasticity.update"}),
        ("brainscales2-sign", {"plasticity.form", "plasticity.counter.signed"}),
        ("brainscales1", {"plasticity.update"}),
        ("xylo", {"neuron"}),
    ],
)
def test_others_are_refused_with_all_that_stands_in_the_way(name: str, keys: set[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        fit(load_experiment("spike_based_homeostasis"), load_target(name), trials=1)
    assert {v.key for v in caught.value.violations} == keys
    assert all(v.remedy for v in caught.value.violations)


@pytest.mark.parametrize("name", FITTED)
def test_the_proposal_survives_on_input_it_was_not_fitted_to(name: str) -> None:
    found = fit(load_experiment("spike_based_homeostasis"), load_target(name), trials=8)
    can_learn = load_target(name).plasticity.update != "none"
    assert found.verdict == ("survives" if can_learn else "dead")
    assert not any(found.overflowed.values())
    assert found.comparison is not None and found.comparison.seed == 1 != found.observation.seed
    assert found.proposal.shortfalls == () and found.off == ()


def test_a_population_survives_too() -> None:
    found = fit(load_experiment("homeostatic_population"), load_target("generic16"), trials=4)
    assert found.verdict == "survives" and not any(found.overflowed.values())
    proposed, own = found.memory
    bits = {r.label: r.format.width for r in found.registers}
    assert (
        proposed
        == 32 * (bits["membrane"] + bits["refractory counter"])
        + 16 * bits["plastic weight"]
        + (128 + found.observation.synapses["inhibition"]) * bits["static weight"]
    )
    assert found.bits == (sum(bits.values()), 6 * 16)
    assert own > proposed


def test_the_same_arguments_give_the_same_proposal() -> None:
    experiment = load_experiment("spike_based_homeostasis", ["time.duration_ms=15000"])
    one, two = (fit(experiment, load_target("generic8"), trials=2, seed=3) for _ in range(2))
    assert json.dumps(one.as_json()) == json.dumps(two.as_json())


def test_a_coarser_precision_takes_fewer_bits_and_a_larger_margin_no_fewer() -> None:
    experiment = load_experiment("spike_based_homeostasis", ["time.duration_ms=15000"])
    target = load_target("brainscales2")
    usual = fit(experiment, target, trials=2)
    assert fit(experiment, target, trials=2, precision=0.1).bits[0] < usual.bits[0]
    assert fit(experiment, target, trials=2, margin=2.0).bits[0] > usual.bits[0]


def test_progress_goes_from_the_float_run_to_the_proposal() -> None:
    calls: list[tuple[float, str]] = []
    experiment = load_experiment("spike_based_homeostasis", ["time.duration_ms=15000"])
    fit(
        experiment,
        load_target("generic8"),
        trials=2,
        progress=lambda part, what: calls.append((part, what)),
    )
    parts = [part for part, _ in calls]
    assert parts == sorted(parts) and parts[-1] == 1.0
    assert calls[0][1].startswith("the float run") and calls[-1][1].startswith("the proposal")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"margin": -0.1}, "margin = -0.1: "),
        ({"margin": float("nan")}, "margin = nan: "),
        ({"precision": 0.0}, "precision = 0: "),
        ({"precision": 0.7}, "precision = 0.7: "),
        ({"trials": 0}, "trials = 0: "),
        ({"seed": -1}, "seed = -1: "),
    ],
)
def test_mistakes_are_refused(arguments: dict[str, float], text: str) -> None:
    experiment = load_experiment("spike_based_homeostasis")
    with pytest.raises(ConfigError, match=text):
        fit(experiment, load_target("generic8"), **arguments)  # type: ignore[arg-type]


def test_both_parts_are_refused_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        fit(
            load_experiment("spike_based_homeostasis"),
            load_target("generic8"),
            margin=-1.0,
            precision=9.0,
        )
    assert len(caught.value.violations) == 2


def test_a_precision_that_no_register_has_is_refused_with_a_remedy() -> None:
    experiment = load_experiment("spike_based_homeostasis", ["time.duration_ms=15000"])
    with pytest.raises(ConfigError, match="raise the precision"):
        fit(experiment, load_target("generic8"), trials=1, precision=1e-18)


def test_a_step_longer_than_the_time_constant_is_refused() -> None:
    experiment = load_experiment(
        "spike_based_homeostasis", ["populations.with_homeostasis.tau_m_ms=0.5"]
    )
    target = load_target("generic8", ["time.tick_us=1000.0"])
    with pytest.raises(ConfigError, match=r"with_homeostasis.tau_m_ms = 0.5: an Euler step"):
        fit(experiment, target, trials=1)
