"""The plan: what it says must hold of the run that follows."""

from pathlib import Path

from neuroemu.study.plan import plan
from neuroemu.study.run import run_study
from tests.study.small import BITS, small_space


def test_the_plan_bounds_the_runs_that_follow(tmp_path: Path) -> None:
    space = small_space(tmp_path)
    before = plan(space, tmp_path, 2)
    assert (before.points, before.refused, before.finished) == (8, 0, 0)
    assert (before.least_runs, before.most_runs) == (8 * 4, 8 * 8)
    results = run_study(space, tmp_path)
    of_targets = sum(r.trials for r in results.rows)
    assert before.least_runs <= of_targets <= before.most_runs
    after = plan(space, tmp_path, 2)
    assert (after.finished, after.least_runs, after.most_runs) == (8, 0, 0)


def test_nothing_is_kept_by_a_plan(tmp_path: Path) -> None:
    plan(small_space(tmp_path), tmp_path / "out", 2)
    assert not (tmp_path / "out").exists()


def test_time_and_disk_are_told_once_kernels_are_compiled(finished: Path, tmp_path: Path) -> None:
    found = plan(small_space(tmp_path), tmp_path, 2)
    assert found.kernels == 0
    assert found.seconds is not None and found.bytes is not None
    assert 0 < found.seconds[0] <= found.seconds[1]
    assert 0 < found.bytes[0] <= found.bytes[1]


def test_refused_points_are_told_with_their_reasons(tmp_path: Path) -> None:
    axis = BITS | {"keys": ["membrane.format"], "bits": [1, 4]}
    found = plan(small_space(tmp_path, axes=[axis]), tmp_path, 1)
    assert found.refused >= 1
    assert "signed format" in found.reasons[0]
