"""`neuroemu check` as a person meets it: its output and exit codes, once in a real process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import neuroemu

POPULATION = ["--experiment", "homeostatic_population"]
"""No rates are predicted for it, which makes it fast."""

BROKEN = [*POPULATION, "--set", "plasticity.update=event"]


def check(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return neuroemu("check", *arguments, cwd=cwd)


def test_one_target_in_detail_in_a_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "neuroemu", "check", "generic4"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Predicted: ✗ dead" in done.stdout
    assert "dead_update" in done.stdout and "-> add bits to plasticity.weight.format" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert list(tmp_path.iterdir()) == [], "nothing is run and nothing is written"


def test_all_targets_have_a_line_each(tmp_path: Path) -> None:
    done = check("--strict", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
    for name in ("generic4", "brainscales2", "generic16", "generic8", "loihi1", "spinnaker1"):
        assert sum(line.split()[:1] == [name] for line in done.stdout.splitlines()) == 1


def test_a_fix_is_printed_and_cures(tmp_path: Path) -> None:
    done = check("brainscales2", *BROKEN, "--fix", "--strict", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    changes = [line.removeprefix("--set ") for line in lines if line.startswith("--set ")]
    assert changes
    again = [part for change in changes for part in ("--set", change)]
    cured = check("brainscales2", *BROKEN, *again, "--strict", cwd=tmp_path)
    assert cured.returncode == 0, cured.stdout


def test_json_has_everything(tmp_path: Path) -> None:
    done = check("brainscales2", "--json", "--fix", *POPULATION, cwd=tmp_path)
    (found,) = json.loads(done.stdout)
    assert (found["target"], found["findings"]) == ("brainscales2", [])
    assert found["fix"]["changes"] == {}
    assert found["periodic"][0]["period_ms"] == pytest.approx(100.0)


def test_bad_input_ends_in_lines_and_exit_code_2(tmp_path: Path) -> None:
    done = check("brainscales2", "--set", "plasticity.weight.fromat=fxp-u4/0", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --set:plasticity.weight.fromat")
    narrow = ["--set", "plasticity.weight.format=fxp-u2/6"]
    refused = check("generic8", "generic4", *narrow, *POPULATION, cwd=tmp_path)
    assert refused.returncode == 2
    errors = refused.stderr.splitlines()
    assert errors and all(line.startswith("error: ") for line in errors)
    assert "homeostatic_population on generic8" in refused.stderr
    assert "generic4" in refused.stdout, "one that fits is still shown"


def test_only_what_it_needs_is_loaded(tmp_path: Path) -> None:
    """No numba, scipy or matplotlib: the whole process stays near a second."""
    code = (
        "import sys; from click.testing import CliRunner; from neuroemu.cli import cli; "
        "r = CliRunner().invoke(cli, ['check', 'generic16']); assert r.exit_code == 0, r.output; "
        "print([m for m in ('numba', 'scipy', 'matplotlib', 'hypothesis', 'fxpmath') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_misspelt_key_of_the_experiment_is_named_as_it_was_typed(tmp_path: Path) -> None:
    done = check("generic8", "--set", "experiment.projections.drive.weigth=3", cwd=tmp_path)
    assert done.returncode == 2
    assert "--set:experiment.projections.drive.weigth = 3: no such key" in done.stderr
    assert "did you mean experiment.projections.drive.weight?" in done.stderr


@pytest.mark.parametrize("name", ["truenorth", "spinnaker1", "brainscales2-sign", "brainscales1"])
def test_chips_of_every_kind_fit_the_page(name: str, tmp_path: Path) -> None:
    done = check(name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 100
    told = {
        "truenorth": ("threshold to rest", "no counter: a step", "no on-chip plasticity"),
        "spinnaker1": ("Deferred updates", "15 remembered", "A weight LSB is"),
        "brainscales2-sign": ("by the sign of a count", "63 periods", "read as negative"),
        "brainscales1": ("Pair controller of", "15 readouts", "sensors"),
    }[name]
    text = done.stdout.lower()
    assert [part for part in told if part.lower() not in text] == []
