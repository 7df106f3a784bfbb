"""A run's folder: what is in it, what names it, and that it is whole or not there."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from neuroemu.comparison import Comparison, compare
from neuroemu.engine.run import Run, load_run
from neuroemu.errors import OutputError
from neuroemu.experiment import Experiment
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.discretize import discretize
from neuroemu.report import folder as folders
from neuroemu.report.folder import check_writable, clock_summary, digest, write_aside, write_folder
from tests.engine.small import assert_equal

RUNGS = ("ideal", "parameters", "range", "fixed")
SHORT = (
    "time.duration_ms=8000.0",
    "stimuli.varying.interval_ms=4000.0",
    "question.settle_ms=1000.0",
)


def experiment(*overrides: str) -> Experiment:
    return load_experiment("spike_based_homeostasis", [*SHORT, *overrides])


@cache
def comparison(
    target: str = "generic4",
    overrides: tuple[str, ...] = (),
    of_experiment: tuple[str, ...] = (),
    seed: int = 1,
    trials: int = 2,
) -> Comparison:
    chip = load_target(target, overrides)
    return compare(experiment(*of_experiment), chip, trials=trials, seed=seed)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(comparison("brainscales2"), tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(comparison(), tmp_path_factory.mktemp("out"))


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def read(path: Path) -> Any:
    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# content


def test_a_folder_holds_manifest_verdict_runs_and_figures(written: Path) -> None:
    assert written.name == "brainscales2"
    assert names(written) == {
        *("manifest.json", "verdict.json", "figure.png", "figure.svg"),
        *(f"run-{rung}.npz" for rung in RUNGS),
    }
    assert (written / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (written / "figure.svg").read_text(encoding="utf-8")
    assert names(written.parent) == {"brainscales2"}


def test_the_manifest_says_what_ran(written: Path) -> None:
    c, found = comparison("brainscales2"), read(written / "manifest.json")
    assert found["digest"] == digest(c)
    assert (found["seed"], found["trials"]) == (1, 2)
    assert {"python", "neuroemu", "numpy", "numba"} <= set(found["versions"])
    assert found["target"]["plasticity"]["weight"]["format"] == "fxp-u6/0"
    assert found["target"]["sources"]
    assert found["experiment"]["time"]["duration_ms"] == 8000.0
    by_key = {k["key"]: k for k in found["constants"]}
    assert by_key["projections.homeostatic.plasticity.dw_plus"]["raw"] == 806
    assert len(by_key) == len(found["constants"]) == len(c.discretized.constants)
    assert found["container"] == "double"
    assert found["widest"]["accumulate"] == [-32768, 63 * 512 + 32767]


def test_the_configurations_of_a_manifest_run_again(written: Path) -> None:
    found = read(written / "manifest.json")
    c = comparison("brainscales2")
    again = compare(
        Experiment.model_validate(found["experiment"]),
        type(c.target).model_validate(found["target"]),
        trials=found["trials"],
        seed=found["seed"],
    )
    assert again.experiment == c.experiment and again.target == c.target
    assert digest(again) == found["digest"]
    assert json.dumps(again.as_json()) == json.dumps(c.as_json())


def test_times_are_in_both_units(written: Path) -> None:
    assert read(written / "manifest.json")["time"] == {
        "acceleration": 1000.0,
        "steps": 80_000,
        "input_steps_per_step": 1,
        "step_ms_biological": 0.1,
        "step_us_hardware": pytest.approx(0.1),
        "duration_ms_biological": 8000.0,
        "duration_us_hardware": pytest.approx(8000.0),
        "plasticity_period_ms_biological": pytest.approx(100.0),
        "plasticity_period_us_hardware": pytest.approx(100.0),
    }
    event_driven = discretize(experiment(), load_target("generic8"))
    assert clock_summary(event_driven)["plasticity_period_us_hardware"] is None


def test_the_verdict_is_that_of_the_comparison(written: Path) -> None:
    c, found = comparison("brainscales2"), read(written / "verdict.json")
    assert found == json.loads(json.dumps(c.as_json()))
    assert (found["verdict"], found["sentence"]) == (str(c.verdict), c.sentence)


@pytest.mark.parametrize("rung", RUNGS)
def test_saved_runs_are_the_runs(written: Path, rung: str) -> None:
    run = comparison("brainscales2").runs[rung]
    if rung in ("parameters", "range"):  # saved without their membranes
        run = replace(run, membrane={})
    assert_equal(load_run(written / f"run-{rung}.npz"), run)


def test_no_number_is_missing_from_json_even_with_one_trial_and_one_phase(tmp_path: Path) -> None:
    """One trial has no interval, one phase no spread: neither may end as NaN."""
    short = ("time.duration_ms=4000.0",)
    for target, trials in (("generic4", 1), ("generic8", 2)):
        c = comparison(target, (), short, 1, trials)
        folder = write_folder(c, tmp_path)
        assert read(folder / "verdict.json")["verdict"] == str(c.verdict)
        assert read(folder / "manifest.json")["trials"] == trials


# the digest


def test_the_digest_of_equal_comparisons_is_equal() -> None:
    chip = load_target("generic4")
    again = compare(experiment(), chip, trials=2, seed=1)
    assert again is not comparison()
    assert digest(again) == digest(comparison())


def test_the_digest_changes_with_anything_that_the_results_depend_on() -> None:
    rule = "projections.homeostatic.plasticity"
    others = [
        comparison(overrides=("plasticity.weight.rounding=floor",)),
        comparison(overrides=("plasticity.weight.format=fxp-u5/0",)),
        comparison(overrides=("time.tick_us=0.005",)),
        comparison(overrides=("refractory.format=fxp-u8/0",)),
        comparison("brainscales2"),
        comparison(of_experiment=(f"{rule}.dw_plus=0.0500000001",)),
        comparison(of_experiment=("question.margin=0.2",)),
        comparison(of_experiment=("record.rate_width_ms=100.0",)),
        comparison(of_experiment=("connection_seed=1",)),
        comparison(seed=2),
        comparison(trials=3),
    ]
    digests = {digest(c) for c in [comparison(), *others]}
    assert len(digests) == 1 + len(others)


def test_a_source_is_part_of_a_target() -> None:
    c = comparison()
    chip = c.target.model_copy(update={"sources": {"time.tick_us": "assumed"}})
    assert digest(compare(c.experiment, chip, trials=2, seed=1)) != digest(c)


# the name


def test_an_equal_run_replaces_its_folder(plain: Path, tmp_path: Path) -> None:
    first = Path(shutil.copytree(plain, tmp_path / "generic4"))
    before = snapshot(first)
    (first / "stray.txt").write_text("from another time")
    assert write_folder(comparison(), tmp_path) == first
    assert names(tmp_path) == {"generic4"}
    assert snapshot(first).keys() == before.keys()
    for name in ("manifest.json", "verdict.json", "figure.png"):
        assert snapshot(first)[name] == before[name]


def test_different_runs_get_numbers_and_keep_them(tmp_path: Path) -> None:
    seeds = [comparison(seed=s) for s in (1, 2, 3)]
    paths = [write_folder(c, tmp_path) for c in seeds]
    assert [p.name for p in paths] == ["generic4", "generic4-2", "generic4-3"]
    before = snapshot(tmp_path)
    assert write_folder(seeds[1], tmp_path) == paths[1]
    assert snapshot(tmp_path).keys() == before.keys()
    assert [read(p / "manifest.json")["seed"] for p in paths] == [1, 2, 3]


@pytest.mark.parametrize("content", [None, "not json", "[]"])
def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path, content: str | None) -> None:
    theirs = tmp_path / "generic4"
    theirs.mkdir()
    (theirs / "notes.txt").write_text("mine")
    if content is not None:
        (theirs / "manifest.json").write_text(content)
    before = snapshot(theirs)
    assert write_folder(comparison(), tmp_path).name == "generic4-2"
    assert snapshot(theirs) == before


# whole or not there


@pytest.mark.parametrize("there_before", [False, True])
@pytest.mark.parametrize("failing", ["run-ideal.npz", "run-fixed.npz", "figure.svg"])
def test_a_failure_midway_leaves_what_was_there(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there_before: bool, failing: str
) -> None:
    from neuroemu.report import figures

    if there_before:
        shutil.copytree(plain, tmp_path / "generic4")
    before = snapshot(tmp_path)
    save_run, save_figure = Run.save, figures.save_figure

    def full(path: Path) -> None:
        if path.name == failing:
            assert names(path.parent) >= {"manifest.json", "verdict.json"}
            raise OSError(28, "No space left on device")

    def run(self: Run, path: Path) -> Path:
        full(path)
        return save_run(self, path)

    def figure(drawn: Any, path: Path) -> Path:
        full(path)
        return save_figure(drawn, path)

    monkeypatch.setattr(Run, "save", run)
    monkeypatch.setattr(figures, "save_figure", figure)
    with pytest.raises(OutputError, match="No space left on device; choose another --out"):
        write_folder(comparison(), tmp_path)
    assert snapshot(tmp_path) == before
    assert names(tmp_path) == ({"generic4"} if there_before else set())


def test_an_interrupt_midway_leaves_nothing(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_aside(tmp_path / "generic4", fill)
    assert names(tmp_path) == set()


LIMITED = """
import resource, sys
from pathlib import Path
from neuroemu.errors import OutputError
from neuroemu.report import figures
from tests.report.test_folder import comparison
from neuroemu.report.folder import write_folder
c, out = comparison(), Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    print(write_folder(c, out))
except OutputError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_takes_no_more_leaves_nothing(tmp_path: Path) -> None:
    """A real limit of the operating system: the manifest fits, the arrays do not."""
    source = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIMITED, str(tmp_path / "out"), "20000"],
        cwd=source,
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert "cannot be written" in line and "choose another" in line
    assert list((tmp_path / "out").iterdir()) == []


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for parent in (file, file / "below", Path("/proc/nowhere"), tmp_path / ("n" * 300)):
        with pytest.raises(OutputError, match="choose another"):
            write_folder(comparison(), parent)
        with pytest.raises(OutputError, match="choose another folder"):
            check_writable(parent)
    assert names(tmp_path) == {"file"}
    assert file.read_text() == "mine"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere"
)
def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="choose another folder"):
            check_writable(tmp_path)
        with pytest.raises(OutputError, match="choose another"):
            write_folder(comparison(), tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_checking_a_place_makes_it_and_leaves_it_empty(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "deep")
    assert names(tmp_path / "new" / "deep") == set()


def test_json_refuses_a_number_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        folders._write_json(tmp_path / "x.json", {"rate": float("nan")})
    assert names(tmp_path) == set()
