"""The strategies draw what they say: all of it valid, at the edges, and busy."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from neuroemu.engine.warm import combination
from neuroemu.hardware.load import load_experiment, load_target, shipped_targets
from neuroemu.hardware.rules import experiment_violations, target_violations
from neuroemu.models.rungs import on_target
from neuroemu.numeric.format import Format
from neuroemu.testing import (
    Case,
    assert_bit_exact,
    cases,
    formats,
    neighbours,
    register_values,
    sites,
    spike_trains,
    targets,
    wide_values,
)
from neuroemu.testing.judges import kernel_run
from neuroemu.testing.targets import KERNELS

few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@given(formats(min_width=3, max_width=9, signed=True, fractions=(-2, 4)))
def test_formats(form: Format) -> None:
    assert 3 <= form.width <= 9 and form.signed and -2 <= form.fraction <= 4
    assert Format.parse(str(form)) == form


@given(formats(), st.data())
def test_register_values_fit_their_register(form: Format, data: st.DataObject) -> None:
    assert form.lo <= data.draw(register_values(form)) <= form.hi


@given(sites(), st.data())
def test_wide_values_stay_in_their_range(site, data: st.DataObject) -> None:
    assert -(10**6) <= data.draw(wide_values(site, low=-(10**6), high=10**6)) <= 10**6


def test_register_values_meet_every_edge() -> None:
    form, seen = Format.parse("fxp-s24/0"), Counter[int]()

    @seed(1)
    @settings(max_examples=2000, database=None, suppress_health_check=list(HealthCheck))
    @given(register_values(form))
    def draw(raw: int) -> None:
        seen[raw] += 1

    draw()
    assert all(seen[raw] for raw in (form.lo, form.lo + 1, -1, 0, 1, form.hi - 1, form.hi))


@pytest.mark.parametrize("name", shipped_targets())
def test_cases_fit_any_shipped_target_and_are_busy(name: str) -> None:
    chip, spikes, changes = load_target(name), 0, 0

    @seed(1)
    @few
    @given(cases(chip))
    def draw(case: Case) -> None:
        nonlocal spikes, changes
        assert case.target.plasticity.weight == chip.plasticity.weight
        assert case.target.membrane == chip.membrane
        assert experiment_violations(case.experiment, "drawn") == []
        run = kernel_run(case)
        spikes += sum(s.steps[0].size for s in run.spikes.values())
        changes += sum(w[0].step.size for w in run.weights.values())

    draw()
    assert spikes > 100 and (changes > 100 or chip.plasticity.update == "none")


@few
@given(st.data())
def test_neighbours_are_valid_targets(data: st.DataObject) -> None:
    chip = load_target(data.draw(st.sampled_from(shipped_targets())))
    near = data.draw(neighbours(chip))
    assert target_violations(near, "drawn") == []


def test_neighbours_differ_in_many_ways() -> None:
    chip, changed = load_target("brainscales2"), Counter[str]()

    @seed(1)
    @settings(max_examples=300, database=None, deadline=None)
    @given(neighbours(chip))
    def draw(near) -> None:
        before, after = (t.model_dump(mode="json")["plasticity"] for t in (chip, near))
        changed.update(key for key in before if before[key] != after[key])

    draw()
    assert {"update", "weight", "increment", "accumulator", "counter", "random"} <= set(changed)


@few
@given(targets(kernel="int64"), st.data())
def test_a_kernel_that_is_asked_for_is_drawn(chip, data: st.DataObject) -> None:
    case = data.draw(cases(chip))
    assert combination(on_target(case.plan, "fixed")).startswith("int64-int64")


@pytest.mark.parametrize("kernel", [k for k in KERNELS if "chip" in k])
def test_every_choice_of_a_chip_is_drawn(kernel: str) -> None:
    seen: dict[str, set[str]] = {}

    @seed(1)
    @settings(max_examples=250, database=None, deadline=None)
    @given(targets(kernel=kernel))
    def draw(chip) -> None:
        tables = chip.model_dump(mode="json", include={"neuron", "membrane", "refractory"})
        for table, values in tables.items():
            for key, value in values.items():
                seen.setdefault(f"{table}.{key}", set()).add(str(value))

    draw()
    places = {"membrane", "current", "buffer"}
    assert seen["neuron.input"] == places
    assert seen["neuron.evaluation"] == {"step", "event"}
    assert seen["neuron.channels"] == {"one", "two"}
    assert seen["neuron.rest"] == {"zero", "bias"}
    assert seen["membrane.range"] == {"full", "symmetric"}
    assert seen["refractory.counts"] == {"spike_step", "steps_after"}
    resets = {"subtract"} if kernel.startswith("int64") else {"value", "zero", "subtract"}
    assert seen["neuron.reset"] == resets
    for key in ("current", "resistance", "threshold", "bias", "floor"):
        assert "None" in seen[f"neuron.{key}"] and len(seen[f"neuron.{key}"]) > 2
    kinds = {text.split("'")[3] for text in seen["membrane.leak"]}
    assert kinds == {"multiply", "shift", "subtract", "constant"}


@pytest.mark.parametrize("kernel", ["int32, chip", "int64, chip"])
def test_the_draws_of_a_chip_share_one_kernel(kernel: str) -> None:
    found = set[str]()

    @seed(2)
    @settings(
        max_examples=60, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(cases(kernel=kernel))
    def draw(case: Case) -> None:
        found.add(combination(on_target(case.plan, "fixed")))

    draw()
    assert len(found) == 1


@few
@given(cases(load_target("brainscales2"), unique=True))
def test_a_case_survives_its_json(case: Case) -> None:
    again = Case.from_json(case.as_json(), "memory")
    assert (again.target, again.experiment) == (case.target, case.experiment)
    assert (again.seed, again.first_trial, again.trials) == (
        case.seed,
        case.first_trial,
        case.trials,
    )
    for name, trains in case.spikes.items():
        assert all(map(np.array_equal, trains, again.spikes[name]))


@few
@given(st.integers(1, 60), st.integers(1, 3), st.data())
def test_spike_trains_are_sorted_and_single(n_steps: int, size: int, data: st.DataObject) -> None:
    train = data.draw(spike_trains(n_steps=n_steps, size=size))
    assert train.shape[1] == 2 and np.all(np.diff(train @ [size, 1]) > 0)
    assert np.all(train >= 0) and np.all(train < [n_steps, size])


def test_a_case_of_the_shipped_experiment() -> None:
    short = load_experiment(
        "spike_based_homeostasis", ["time.duration_ms=20", "question.settle_ms=0"]
    )

    @settings(max_examples=5, database=None, deadline=None)
    @given(cases(load_target("generic8"), experiment=short, max_trials=1))
    def exact(case: Case) -> None:
        assert case.experiment == short
        assert_bit_exact(case)

    exact()
