"""Counterexamples of widths just below a minimum: short, thinned, and true when they are run again."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuroemu as ne
from neuroemu.engine.run import Run
from neuroemu.metrics.weights import sample_changes
from neuroemu.study.counterexample import MOST_TRIES, counterexample, thinned
from neuroemu.study.find import Counterexample, Judged
from neuroemu.study.points import Point, Space
from neuroemu.testing import Case
from tests.study.small import BITS, SHORT, small_space

MEMBRANE = {"name": "membrane", "keys": ["membrane.format"], "bits": [5, 8]}
RULE = "experiment.projections.homeostatic.plasticity"
EXACT_WEIGHT = {f"{RULE}.dw_plus": 0.0625, f"{RULE}.dw_minus": 0.0625}
"""Increments that the weight register holds, so that spikes part first."""


def space_of(folder: Path, axis: dict[str, Any], **changes: Any) -> Space:
    return small_space(folder, axes=[axis], set=SHORT | changes)


def found(space: Space, place: int) -> tuple[Counterexample, Point, Point]:
    below, minimum = space.point((0, place)), space.point((0, place + 1))
    judged = Judged(widths={"bits": place}, total=place, word="dead", worst_difference_hz=9.0)
    assert minimum.target is not None
    return counterexample(below, judged, minimum.target, space.study), below, minimum


def both(case: Case, **changed: Any) -> tuple[Run, Run]:
    """Replay a case on the target and on the reference."""
    given = case.input | changed
    target = ne.simulate(case.experiment, case.target, **given)
    return target, ne.simulate(case.experiment, **given)


def part_at(case: Case, target: Run, reference: Run) -> int | None:
    """Return the first step at which spikes, or weights by over half an LSB, differ: one step after the other."""
    question = case.experiment.question
    assert question is not None
    ratio = case.plan.clock.input_steps
    half = float(case.plan.synapses[question.projection].lsb) / 2
    weights = [_weight(run, question.projection) for run in (target, reference)]
    spikes = [run.spikes[question.population][0] for run in (target, reference)]
    for step in range(case.plan.clock.n_steps):
        ours = weights[0](step), weights[1]((step + 1) * ratio - 1)
        fired = [np.any(spikes[0] == step), np.any(spikes[1] // ratio == step)]
        if fired[0] != fired[1] or abs(ours[0] - ours[1]) > half:
            return step
    return None


def _weight(run: Run, projection: str) -> Any:
    record = run.weights[projection]
    changes = record[0]
    return lambda step: float(
        sample_changes(changes.step, changes.value, record.initial, np.asarray([step]))[0]
    )


AXES = pytest.mark.parametrize(
    ("axis", "place", "changes", "parts", "follows"),
    [
        (BITS, 0, {}, ("weight", "store"), False),
        (BITS, 1, {"plasticity.weight.rounding": "around"}, ("weight", "store"), True),
        (BITS, 2, {"plasticity.weight.rounding": "stochastic"}, ("weight", "store"), True),
        (MEMBRANE, 0, EXACT_WEIGHT, ("membrane", "leak"), False),
        (BITS, 2, {"time.tick_us": 200.0}, ("membrane", "constants"), False),
    ],
    ids=["floor", "around", "stochastic", "membrane", "tick of two steps"],
)


@AXES
def test_the_replay_parts_at_the_last_step(tmp_path, axis, place, changes, parts, follows):
    c, below, minimum = found(space_of(tmp_path, axis, **changes), place)
    case = Case.from_json(json.loads(json.dumps(c.case)), "study")
    assert case.target == below.target
    step = case.plan.clock.n_steps - 1
    assert part_at(case, *both(case)) == step
    assert c.time_ms == pytest.approx(step * float(case.plan.clock.step_ms))
    assert (c.register, c.site) == parts
    assert c.minimum_follows == follows
    on_minimum = ne.simulate(case.experiment, minimum.target, **case.input)
    assert (part_at(case, on_minimum, both(case)[1]) is None) == follows


@AXES
def test_no_input_spike_can_be_left_out(tmp_path, axis, place, changes, parts, follows):
    c, _, minimum = found(space_of(tmp_path, axis, **changes), place)
    case = Case.from_json(c.case, "study")
    rows = [(n, r) for n, trains in case.spikes.items() for r in trains[0].tolist()]
    assert len(rows) == c.input_spikes > 0
    for left_out in rows:
        kept = {
            n: [[r for r in t[0].tolist() if (n, r) != left_out]] for n, t in case.spikes.items()
        }
        runs = both(case, spikes=kept)
        still = part_at(case, *runs) is not None
        if still and follows:  # then it is the minimum that no longer follows
            on_minimum = ne.simulate(
                case.experiment, minimum.target, **case.input | {"spikes": kept}
            )
            assert part_at(case, on_minimum, runs[1]) is not None
        else:
            assert not still


def test_a_run_in_which_nothing_parts_is_said_to_fail_in_the_mean(tmp_path):
    space = space_of(tmp_path, BITS)
    below = space.point((0, 0))
    assert below.experiment is not None and below.target is not None
    time = below.experiment.time.model_copy(update={"duration_ms": 0.1})
    short = replace(below, experiment=below.experiment.model_copy(update={"time": time}))
    judged = Judged(widths={"bits": 4}, total=4, word="shifted", worst_difference_hz=9.0)
    c = counterexample(short, judged, below.target, space.study)
    assert "fails in the mean alone" in c.sentence
    assert (c.trial, c.time_ms, c.register, c.site, c.case) == (None, None, "", "", {})


def test_a_counterexample_is_plain_data(tmp_path):
    c, _, _ = found(space_of(tmp_path, BITS), 0)
    assert Counterexample(**json.loads(json.dumps(asdict(c)))) == c


@given(st.sets(st.integers(0, 199), max_size=4))
def test_thinning_leaves_what_is_needed_and_nothing_else(needed):
    assert set(thinned(range(200), lambda x: needed <= set(x), MOST_TRIES)) == needed


@given(st.integers(0, 60))
def test_thinning_asks_no_more_often_than_it_may(tries):
    asked = []

    def remains(items):
        asked.append(items)
        return len(items) % 3 != 0

    left = thinned(range(100), remains, tries)
    assert len(asked) <= tries
    assert len(left) == 100 or len(left) % 3 != 0
