"""``neuroemu study`` as a person meets it: its output, exit codes, files, and what it says of mistakes."""

import csv
import json
import re
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests import command
from tests.study.small import write_study


@pytest.fixture(scope="module")
def one_study(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    return folder, command.process("study", "small.toml", cwd=folder)


def test_a_study_ends_in_a_map_counts_and_places(one_study) -> None:
    folder, done = one_study
    assert done.returncode == 0, done.stderr
    assert re.search(r"rounding \\ bits +4 +5 +6 +7", done.stdout)
    assert re.search(r"floor +[✓~✗?]", done.stdout)
    assert re.search(r"\d+ runs, ", done.stdout)
    for line in done.stdout.splitlines():
        if line.startswith(("Results:", "Figure:")):
            assert (folder / line.split(maxsplit=1)[1]).is_file()
    assert "Figure:" in done.stdout


def test_output_fits_100_columns(one_study) -> None:
    folder, done = one_study
    for printed in (
        done.stdout,
        command.process("study", "show", "studies/small", cwd=folder).stdout,
        command.process("study", "small.toml", "--plan", cwd=folder).stdout,
        command.process("study", cwd=folder).stdout,
        command.process("study", "--help", cwd=folder).stdout,
    ):
        lines = [line for line in printed.splitlines() if "studies/" not in line]
        assert lines
        assert max(map(len, lines)) <= 100


def test_the_same_command_again_runs_nothing(one_study) -> None:
    folder, done = one_study
    runs = re.search(r"([\d,]+) runs", done.stdout)
    again = command.process("study", "small.toml", cwd=folder)
    found = re.search(r"([\d,]+) runs", again.stdout)
    assert runs is not None and found is not None
    assert found.group(1) == runs.group(1)


def test_show_filters_and_speaks_json(one_study) -> None:
    folder, _ = one_study
    shown = command.process(
        *("study", "show", "studies/small", "--where", "rounding=floor", "--json"), cwd=folder
    )
    points = json.loads(shown.stdout)["points"]
    assert [p["bits"] for p in points] == [4, 5, 6, 7]


def test_export_writes_what_it_says(one_study) -> None:
    folder, _ = one_study
    done = command.process("study", "export", "studies/small", "--csv", "points.csv", cwd=folder)
    assert done.stdout == "8 points: points.csv\n"
    with (folder / "points.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 8


def test_the_gate_fails_where_a_point_does_not_pass(one_study) -> None:
    folder, _ = one_study
    assert command.process("study", "small.toml", "--gate", cwd=folder).returncode == 1


def test_a_plan_runs_nothing(tmp_path: Path) -> None:
    write_study(tmp_path)
    done = command.process("study", "small.toml", "--plan", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "8: 1 target(s) x 2 rounding x 4 bits" in done.stdout
    assert "32 to 64" in done.stdout
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("study", "nothing.toml"), "nothing.toml: no such file"),
        (("study", "wieght-bits"), "did you mean weight-bits?"),
        (("study", "small.toml", "--shard", "3/2"), "--shard = 3/2: a part is I/N"),
        (
            ("study", "small.toml", "--workers", "1", "--scheduler", "tcp://127.0.0.1:1"),
            "exclude each other",
        ),
        (("study", "small.toml", "--set", "trials.frist=3"), "did you mean trials.first?"),
        (("study", "show", "nowhere"), "no such results file"),
        (("study", "show", "small.toml"), "small.toml"),
        (("study", "export", "studies/small"), "add --csv FILE or --parquet FILE"),
        (("study", "merge", "into", "nowhere"), "nowhere"),
    ],
)
def test_a_mistake_ends_in_one_line_and_exit_code_2(
    one_study, arguments: tuple[str, ...], expected: str
) -> None:
    folder, _ = one_study
    done = command.neuroemu(*arguments, cwd=folder)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("error: ")
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
