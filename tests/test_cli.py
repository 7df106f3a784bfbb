"""The command line as a person meets it: its output, exit codes and folders, in real processes where they matter."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import command

SHORT = ["--set", "experiment.time.duration_ms=40000", "--trials", "4"]


def neuroemu(
    *arguments: str, cwd: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neuroemu", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | (environment or {}),
        timeout=240,
    )


@pytest.fixture(scope="module")
def one_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("one")
    return folder, neuroemu("run", "generic4", "--seed", "1", cwd=folder)


def test_a_run_says_the_verdict_and_why(one_run) -> None:
    _, done = one_run
    assert done.returncode == 0, done.stderr
    assert "dead" in done.stdout
    text = " ".join(done.stdout.split())
    assert (
        "4-bit weights with rounding to nearest: an increment of 0.05 is 0.375 LSB and rounds to 0, so the weight "
        "never moves. Use stochastic rounding or at least 5 bits." in text
    )


def test_output_fits_100_columns(one_run) -> None:
    _, done = one_run
    assert max(len(line) for line in done.stdout.splitlines() if "runs/" not in line) <= 100


def test_a_run_leaves_a_whole_folder(one_run) -> None:
    folder, _ = one_run
    files = {p.name for p in (folder / "runs" / "generic4").iterdir()}
    assert files == {
        *("manifest.json", "verdict.json", "figure.png", "figure.svg"),
        *(f"run-{rung}.npz" for rung in ("ideal", "parameters", "range", "fixed")),
    }
    manifest = json.loads((folder / "runs/generic4/manifest.json").read_text())
    assert {c["key"] for c in manifest["constants"]} >= {
        "projections.homeostatic.plasticity.dw_plus"
    }
    assert all(
        {"asked", "realised", "relative_error", "register", "raw"} <= set(c)
        for c in manifest["constants"]
    )
    assert manifest["time"]["duration_us_hardware"] == pytest.approx(4000.0)
    verdict = json.loads((folder / "runs/generic4/verdict.json").read_text())
    assert verdict["verdict"] == "dead"


def test_the_same_run_again_replaces_its_folder_and_another_keeps_it(one_run) -> None:
    folder, _ = one_run
    again = command.neuroemu("run", "generic4", "--seed", "1", cwd=folder)
    assert again.returncode == 0
    other = command.neuroemu("run", "generic4", "--seed", "2", cwd=folder)
    assert other.returncode == 0
    assert {p.name for p in (folder / "runs").iterdir()} == {"generic4", "generic4-2"}


def test_gate_and_json(tmp_path: Path) -> None:
    dead = neuroemu("run", "generic4", "--gate", "--json", *SHORT, cwd=tmp_path)
    assert dead.returncode == 1, dead.stderr
    assert [c["verdict"] for c in json.loads(dead.stdout)] == ["dead"]
    alive = command.neuroemu(
        "run", "brainscales2", "--gate", "--json", "--trials", "16", cwd=tmp_path
    )
    assert alive.returncode == 0, alive.stderr
    assert [c["verdict"] for c in json.loads(alive.stdout)] == ["survives"]


def test_all_targets_side_by_side(tmp_path: Path) -> None:
    done = neuroemu("run", "--trials", "4", "--out", "here", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("generic4", "brainscales2", "generic16", "generic8", "loihi1", "spinnaker1"):
        assert name in done.stdout
        assert (tmp_path / "here" / name / "manifest.json").is_file()
    assert (tmp_path / "here" / "summary" / "figure.png").stat().st_size > 10_000


def test_a_users_own_files(tmp_path: Path) -> None:
    shown = command.neuroemu("targets", "generic16", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["membrane"]["format"] == "fxp-s16/12"
    source = Path(__file__).parents[1]
    chip = (source / "hw_configs/generic16.toml").read_text().replace('"generic16"', '"my_chip"')
    (tmp_path / "my_chip.toml").write_text(chip)
    experiment = source / "neuroemu/experiments/spike_based_homeostasis.toml"
    (tmp_path / "my.toml").write_text(experiment.read_text())
    options = ["--experiment", "my.toml", "--trials", "4", "--seed", "1", "--out", "out", "--json"]
    change = ["--set", "plasticity.weight.format=fxp-u4/3"]
    done = command.neuroemu("run", "my_chip.toml", *options, *change, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (verdict,) = json.loads(done.stdout)
    assert (verdict["target"], verdict["verdict"]) == ("my_chip", "dead")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "brainscale2"], ["brainscale2", "did you mean brainscales2?"]),
        (["run", "no/such.toml"], ["no/such.toml", "no such file"]),
        (["run", "generic8", "--experiment", "homeostasis"], ["spike_based_homeostasis"]),
        (["run", "generic8", "--trials", "0"], ["trials = 0", "whole number from 1"]),
        (["run", "generic8", "--trials", "-3"], ["trials = -3"]),
        (["run", "generic8", "--seed", "-1"], ["seed = -1"]),
        (
            ["run", "generic8", "--set", "plasticity.weigth.format=fxp-u4/3"],
            ["no such key", "weight"],
        ),
        (["run", "generic8", "--set", "membrane.format=fxp-s80/3"], ["membrane.format", "63"]),
        (["run", "generic8", "--set", "plasticity.weight.format=fxp-u8/7x"], ["fxp-s16/12"]),
        (["run", "generic8", "--set", "plasticity.weight.format=fxp-u8/9"], ["fits its register"]),
        (["run", "generic8", "--set", "membrane.leak.format=fxp-u60/60"], ["63 bits", "takes"]),
        (
            ["run", "generic8", "--set", "time.tick_us=70"],
            ["time.tick_us", "multiples of one another"],
        ),
        (
            ["run", "generic8", "--set", "experiment.stimuli.steady.rates_hz=[20000.0]"],
            ["stimuli.steady.rates_hz", "one spike a step"],
        ),
        (
            ["run", "generic8", "--out", "/proc/nowhere"],
            ["--out", "/proc/nowhere", "another folder"],
        ),
        (["targets", "nothing"], ["nothing", "shipped"]),
        (["run", "generic8", "--frobnicate"], ["--frobnicate"]),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_bad_input_is_one_clear_line(
    arguments: list[str], expected: list[str], tmp_path: Path
) -> None:
    done = command.neuroemu(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    for fragment in expected:
        assert fragment in done.stderr
    leftover = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert leftover == []


def test_broken_toml_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("name = \n")
    done = neuroemu("run", "broken.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert "broken.toml" in done.stderr and "TOML" in done.stderr


def test_interrupt_keeps_what_is_whole(tmp_path: Path) -> None:
    """A real process, a real SIGINT, after the first of several targets is done."""
    process = subprocess.Popen(
        [sys.executable, "-m", "neuroemu", "run", "generic4", "generic16", "--trials", "150"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = tmp_path / "runs" / "generic4" / "manifest.json"
    deadline = time.monotonic() + 200
    while not first.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "1 of 2 targets are done" in err
    assert "generic4" in out
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["generic4"]
