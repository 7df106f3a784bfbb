"""The whole path from a target to a verdict: what drift balance predicts, and numbers recomputed naively.

Statistical bounds: a realised set point may differ from the predicted one by 1.5 Hz, for weights that meet their
limits and for the phase whose control fires near the set point, plus six standard errors (less than one false
alarm in a million seeds). The seed is fixed, so a failure is a change of results, not chance.
"""

import json
import math
from functools import cache

import numpy as np
import pytest

from neuroemu.comparison import Comparison, compare
from neuroemu.engine.run import Run
from neuroemu.engine.simulate import simulate
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.metrics.verdict import Reason, Verdict

SEED = 7
FLOOR = ("plasticity.weight.rounding=floor", "plasticity.increment.format=fxp-u16/8")
STOCHASTIC = ("plasticity.increment.format=fxp-u12/8", "plasticity.weight.rounding=stochastic")
CASES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "4-bit nearest": ("generic4", (), 16),
    "4-bit stochastic": ("generic4", STOCHASTIC, 24),
    "6-bit floor": ("generic4", ("plasticity.weight.format=fxp-u6/0", *FLOOR), 24),
    "8-bit floor": ("generic4", ("plasticity.weight.format=fxp-u8/0", *FLOOR), 24),
    "8-bit nearest": ("generic4", ("plasticity.weight.format=fxp-u8/0",), 16),
    "leak to nearest": ("generic8", ("membrane.rounding=around",), 16),
    "no learning": ("generic4", ("plasticity.update=none",), 16),
    "coarse tick": ("generic16", ("time.tick_us=1000.0",), 4),
    "periodic": ("brainscales2", (), 4),
    "short period": ("brainscales2", ("plasticity.update_period_us=10.0",), 16),
}
RECOMPUTED = ("4-bit nearest", "4-bit stochastic", "leak to nearest", "coarse tick", "periodic")


def reference() -> Experiment:
    return load_experiment("spike_based_homeostasis")


@cache
def comparison(case: str) -> Comparison:
    target, overrides, trials = CASES[case]
    return compare(reference(), load_target(target, overrides), trials=trials, seed=SEED)


# verdicts


def test_4_bits_to_nearest_are_dead_and_the_sentence_says_why() -> None:
    c = comparison("4-bit nearest")
    assert c.verdict is Verdict.DEAD
    assert c.sentence == (
        "4-bit weights with rounding to nearest: an increment of 0.05 is 0.375 LSB and rounds to 0, "
        "so the weight never moves. Use stochastic rounding or at least 5 bits."
    )
    np.testing.assert_array_equal(c.rates["fixed"], c.control["fixed"])
    assert all(changes.step.size == 0 for changes in c.runs["fixed"].weights["homeostatic"])


def test_the_advice_of_the_sentence_holds() -> None:
    five = load_target("generic4", ["plasticity.weight.format=fxp-u5/0"])
    assert compare(reference(), five, trials=16, seed=SEED).decision.regulates is True
    assert comparison("4-bit stochastic").decision.regulates is True


def test_4_bits_stochastic_regulate_near_the_set_point() -> None:
    c = comparison("4-bit stochastic")
    assert c.verdict in (Verdict.SURVIVES, Verdict.SHIFTED)
    realised = c.decision.realised_set_point
    assert realised is not None
    assert abs(realised.value - 50.0) < 5.0  # its noise costs some rate, never the regulation


@pytest.mark.parametrize(("case", "rate"), [("6-bit floor", 25.0), ("8-bit floor", 300 / 7)])
def test_floor_moves_the_set_point_and_the_store_is_to_blame(case: str, rate: float) -> None:
    c = comparison(case)
    assert (c.verdict, c.decision.reason) == (Verdict.SHIFTED, Reason.ANOTHER_RATE)
    assert c.decision.regulates is True
    assert c.prediction.set_point_hz == pytest.approx(rate, rel=1e-9)
    realised = c.decision.realised_set_point
    assert realised is not None
    quantile = 1.714  # t, 23 degrees of freedom, 95 %
    error = (realised.high - realised.low) / 2 / quantile
    assert error < 0.5
    assert abs(realised.value - rate) < 1.5 + 6 * error
    assert c.blame is not None
    assert (c.blame.rung, c.blame.site) == ("fixed", "store")
    assert c.blame.recovered["store"] > 3.0
    assert f"balances at {rate:.1f} Hz instead of 50 Hz" in c.sentence


def test_where_a_short_period_balances_is_predicted_as_it_is_measured() -> None:
    """Half a step per update would put it at 18 Hz: most periods see no spike, and lose nothing."""
    c = comparison("short period")
    assert c.verdict is Verdict.SHIFTED
    for phase, rate in zip(c.phases, c.prediction.rates_hz, strict=True):
        assert rate is not None and abs(phase.target.value - rate) < 2.5
    assert f"balances near {c.prediction.set_point_hz:.1f} Hz instead of 50 Hz" in c.sentence
    assert c.prediction.set_point_hz == pytest.approx(37.2, abs=1)


def test_8_bits_to_nearest_survive() -> None:
    c = comparison("8-bit nearest")
    assert (c.verdict, c.decision.reason) == (Verdict.SURVIVES, Reason.WITHIN_MARGIN)
    assert c.decision.regulates is True
    assert c.blame is None
    assert c.prediction.set_point_hz == 50.0


def test_a_membrane_that_does_not_leak_is_blamed_on_the_leak() -> None:
    c = comparison("leak to nearest")
    assert c.verdict is Verdict.DEAD
    assert c.blame is not None
    assert (c.blame.rung, c.blame.site) == ("fixed", "leak")
    assert c.blame.recovered["leak"] > max(
        abs(hz) for site, hz in c.blame.recovered.items() if site != "leak"
    )
    assert "the rounding of the membrane's leak" in c.sentence
    # every site is a suspect that drops bits or left its range
    did = c.runs["fixed"].sites
    counted = {name for name, counts in did.items() if counts["overflowed"]}
    suspects = {n for n, s in c.discretized.sites.items() if s.shift > 0 or n in counted}
    assert c.blame.recovered.keys() == suspects >= {"leak", "drive"}
    assert c.discretized.sites["drive"].shift == 1


def test_without_learning_the_neuron_is_its_control() -> None:
    c = comparison("no learning")
    assert (c.verdict, c.decision.reason) == (Verdict.DEAD, Reason.SAME_AS_CONTROL)
    np.testing.assert_array_equal(c.rates["fixed"], c.control["fixed"])
    assert "No rule like this runs on the chip" in c.sentence
    assert "The neuron alone fires" in c.sentence
    assert c.prediction.set_point_hz is None


def test_one_trial_decides_nothing() -> None:
    c = compare(reference(), load_target("generic4"), trials=1, seed=SEED)
    assert (c.verdict, c.decision.reason) == (Verdict.INCONCLUSIVE, Reason.TOO_FEW_TRIALS)
    assert "One trial has no interval" in c.sentence
    json.dumps(c.as_json(), allow_nan=False)


def test_an_experiment_without_a_question_is_refused() -> None:
    silent = reference().model_copy(update={"question": None})
    with pytest.raises(ConfigError, match="a verdict needs a question") as caught:
        compare(silent, load_target("generic4"), trials=2)
    (violation,) = caught.value.violations
    assert (violation.source, violation.key) == ("spike_based_homeostasis", "question")
    assert "[question]" in violation.remedy


# the same input everywhere


@pytest.mark.parametrize("case", ["4-bit stochastic", "coarse tick"])
def test_the_reference_is_that_of_simulate(case: str) -> None:
    c = comparison(case)
    alone = simulate(reference(), trials=c.trials, seed=SEED)
    edges = reference().phase_edges_ms()
    np.testing.assert_array_equal(
        c.rates["ideal"], alone.rates("with_homeostasis", edges, 2000.0), strict=True
    )
    target = simulate(reference(), c.target, trials=c.trials, seed=SEED)
    np.testing.assert_array_equal(
        c.rates["fixed"], target.rates("with_homeostasis", edges, 2000.0), strict=True
    )


def test_the_same_seed_gives_the_same_verdict_and_another_another() -> None:
    target = load_target("generic4", STOCHASTIC)
    first, again, other = (
        compare(reference(), target, trials=3, seed=seed).as_json() for seed in (3, 3, 4)
    )
    assert json.dumps(first) == json.dumps(again) != json.dumps(other)


def test_trials_do_not_depend_on_how_many_run() -> None:
    whole, part = (
        compare(reference(), comparison("4-bit stochastic").target, trials=n, seed=SEED)
        for n in (5, 3)
    )
    for rung in ("ideal", "parameters", "range", "fixed"):
        np.testing.assert_array_equal(whole.rates[rung][:3], part.rates[rung])
        np.testing.assert_array_equal(whole.control[rung][:3], part.control[rung])


def test_given_spikes_take_the_place_of_drawn_ones() -> None:
    steps = [np.arange(100, 400_000, 200), np.arange(150, 400_000, 250)]
    given = {"varying": steps, "steady": steps}
    c = compare(reference(), load_target("generic4"), trials=2, spikes=given)
    alone = simulate(reference(), spikes=given)
    edges = reference().phase_edges_ms()
    np.testing.assert_array_equal(
        c.rates["ideal"], alone.rates("with_homeostasis", edges, 2000.0), strict=True
    )


# numbers recomputed


@pytest.mark.parametrize("case", ["4-bit stochastic", "leak to nearest", "periodic"])
def test_the_steps_of_the_ladder_sum_to_the_whole(case: str) -> None:
    c = comparison(case)
    split = c.attribution
    assert [s.rung for s in split.steps] == ["parameters", "range", "fixed"]
    assert [s.previous for s in split.steps] == ["ideal", "parameters", "range"]
    for phase, result in enumerate(c.phases):
        total = sum(s.phases[phase].value for s in split.steps)
        assert total == pytest.approx(split.whole.phases[phase].value, abs=1e-9)
        assert total == pytest.approx(result.difference.value, abs=1e-9)
        assert total == pytest.approx(result.target.value - result.reference.value, abs=1e-9)


def naive_divergence(c: Comparison) -> tuple[int, int, str] | None:
    """Step through both runs, neuron by neuron and synapse by synapse, to the first difference."""
    question = c.experiment.question
    assert question is not None
    population, projection = question.population, question.projection
    ideal, fixed = c.runs["ideal"], c.runs["fixed"]
    ratio = c.discretized.clock.input_steps
    half = float(c.discretized.synapses[projection].lsb) / 2
    first: tuple[int, int, str] | None = None
    for trial in range(c.trials):
        spikes = [
            spikes_by_step(ideal, population, trial, ratio),
            spikes_by_step(fixed, population, trial, 1),
        ]
        weights = [
            changes_by_step(ideal, projection, trial, ratio),
            changes_by_step(fixed, projection, trial, 1),
        ]
        now: list[dict[int, float]] = [{}, {}]
        initial = [run.weights[projection].initial for run in (ideal, fixed)]
        for step in sorted(set().union(*spikes, *weights)):
            if first is not None and step > first[0]:
                break
            for held, changes in zip(now, weights, strict=True):
                held.update(changes.get(step, {}))
            synapses = now[0].keys() | now[1].keys()
            apart = any(
                abs(now[0].get(s, initial[0]) - now[1].get(s, initial[1])) > half for s in synapses
            )
            odd = spikes[0].get(step, set()) != spikes[1].get(step, set())
            if apart or odd:
                found = (step, trial, "membrane" if odd else "weight")
                first = found if first is None else min(first, found, key=lambda f: f[:2])
                break
    return first


def spikes_by_step(run: Run, population: str, trial: int, ratio: int) -> dict[int, set[int]]:
    trains, found = run.spikes[population], {}
    for step, neuron in zip(trains.steps[trial], trains.neurons[trial], strict=True):
        found.setdefault(int(step) // ratio, set()).add(int(neuron))
    return found


def changes_by_step(
    run: Run, projection: str, trial: int, ratio: int
) -> dict[int, dict[int, float]]:
    changes, found = run.weights[projection][trial], {}
    for step, synapse, value in zip(changes.step, changes.synapse, changes.value, strict=True):
        found.setdefault(int(step) // ratio, {})[int(synapse)] = float(value)
    return found


@pytest.mark.parametrize("case", RECOMPUTED)
def test_the_first_divergence_is_the_first(case: str) -> None:
    assert_first(comparison(case))


def assert_first(c: Comparison) -> None:
    first = naive_divergence(c)
    assert first is not None and c.divergence is not None
    assert (c.divergence.step, c.divergence.trial, c.divergence.register) == first
    step_ms = float(c.discretized.clock.step_ms)
    assert c.divergence.time_ms == pytest.approx(first[0] * step_ms, rel=1e-12)


@pytest.mark.parametrize(
    ("target", "overrides", "seed"),
    [
        ("brainscales2", [], 1),
        ("loihi1", [], 1),
        # a synapse changes only on the reference, and one of another value changed before it
        ("generic4", ["plasticity.weight.format=fxp-u8/0"], 1),
        # weights are so coarse that a spike comes first, of one neuron among others
        ("generic4", ["plasticity.weight.lsb=1.0"], 2),
    ],
)
def test_the_first_divergence_of_many_synapses_is_the_first(
    target: str, overrides: list[str], seed: int
) -> None:
    many = load_experiment("homeostatic_population", ["time.duration_ms=5000.0"])
    assert_first(compare(many, load_target(target, overrides), trials=2, seed=seed))


def test_a_target_that_equals_the_reference_never_diverges() -> None:
    """Increments of 1/16 in weights of 1/16, beside an analog membrane."""
    rule = "projections.homeostatic.plasticity"
    exact = load_experiment(
        "spike_based_homeostasis", [f"{rule}.dw_plus=0.0625", f"{rule}.dw_minus=0.0625"]
    )
    formats = ["plasticity.weight.format=fxp-u6/4", "plasticity.weight.lsb=format"]
    formats += ["synapse.weight.format=fxp-u6/4", "synapse.weight.lsb=format"]
    c = compare(exact, load_target("generic4", formats), trials=2, seed=SEED)
    assert c.divergence is None and naive_divergence(c) is None
    assert c.weight_error == {"mean": 0.0, "rms": 0.0, "max_abs": 0.0}
    assert c.verdict is Verdict.SURVIVES
    assert all(p.difference.value == 0.0 for p in c.phases)


@pytest.mark.parametrize("case", RECOMPUTED)
def test_the_weight_error_is_that_of_the_traces(case: str) -> None:
    c = comparison(case)
    lsb = float(c.discretized.synapses["homeostatic"].lsb)
    times_ms = [100.0 * k for k in range(1, 401)]
    errors = []
    for trial in range(c.trials):
        for reference_w, target_w in zip(
            weight_before(c.runs["ideal"], trial, times_ms),
            weight_before(c.runs["fixed"], trial, times_ms),
            strict=True,
        ):
            errors.append((target_w - reference_w) / lsb)
    assert c.weight_error is not None
    n = len(errors)
    assert n == 400 * c.trials
    assert c.weight_error["mean"] == pytest.approx(math.fsum(errors) / n, rel=1e-9, abs=1e-12)
    rms = math.sqrt(math.fsum(e * e for e in errors) / n)
    assert c.weight_error["rms"] == pytest.approx(rms, rel=1e-9)
    assert c.weight_error["max_abs"] == pytest.approx(max(map(abs, errors)), rel=1e-12)


def weight_before(run: Run, trial: int, times_ms: list[float]) -> list[float]:
    """The weight at the end of the last step before each of some times, which are sorted."""
    record = run.weights["homeostatic"]
    changes = list(zip(record[trial].step.tolist(), record[trial].value.tolist(), strict=True))
    found, value, i = [], record.initial, 0
    for t in times_ms:
        last = round(t / run.step_ms) - 1
        while i < len(changes) and changes[i][0] <= last:
            value, i = changes[i][1], i + 1
        found.append(value)
    return found


def test_the_verdict_as_json_is_plain_data() -> None:
    for case in CASES:
        text = json.dumps(comparison(case).as_json(), allow_nan=False)
        assert json.loads(text)["verdict"] == str(comparison(case).verdict)


def test_progress_ends_at_one_and_never_goes_back() -> None:
    seen: list[tuple[float, str]] = []
    compare(
        reference(),
        load_target("generic4"),
        trials=2,
        progress=lambda part, what: seen.append((part, what)),
    )
    parts = [part for part, _ in seen]
    assert parts == sorted(parts)
    assert seen[-1] == (1.0, "done")
    order = list(dict.fromkeys(what for _, what in seen))
    assert order[:4] == ["ideal", "parameters", "range", "fixed"]
