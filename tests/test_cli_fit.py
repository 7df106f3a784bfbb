"""``neuroemu fit`` as a person meets it: its output, exit code and folder, once in a real process."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests import command

SHORT = ["--trials", "2", "--set", "experiment.time.duration_ms=20000"]


@pytest.fixture(scope="module")
def one_fit(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, CompletedProcess[str]]:
    """A fit where a folder of the user's own is in the way."""
    folder = tmp_path_factory.mktemp("fit")
    (folder / "fits/generic16").mkdir(parents=True)
    (folder / "fits/generic16/generic16-fit.toml").write_text("# mine")
    return folder, command.process("fit", "generic16", "--seed", "2", cwd=folder)


def test_it_prints_each_format_with_its_reason_and_the_verdict(one_fit) -> None:
    _, done = one_fit
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    for part in (
        "generic16, spike_based_homeostasis: 16 trials in float, seed 2; margin 25 %, precision 2 %",
        "membrane",
        "s16/12",
        "off by 2 % at most",
        "bits in total 53 96",
        "survives on other input (seed 3)",
        "nothing: no site left its range",
        "fits/generic16-2/generic16-fit.toml",
    ):
        assert part in text, part
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_what_is_in_the_way_is_left_alone_and_said_so(one_fit) -> None:
    folder, done = one_fit
    assert "fits/generic16 holds something else, and was left alone" in done.stdout
    assert (folder / "fits/generic16/generic16-fit.toml").read_text() == "# mine"


def test_the_proposal_runs(one_fit) -> None:
    folder, _ = one_fit
    proposal = "fits/generic16-2/generic16-fit.toml"
    done = command.neuroemu("run", proposal, "--gate", "--trials", "8", "--seed", "9", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_json_and_a_changed_target(tmp_path: Path) -> None:
    change = ["--set", "plasticity.weight.rounding=stochastic", "--set"]
    change += ["plasticity.increment.format=fxp-u16/8", "--precision", "0.05", "--margin", "0.5"]
    done = command.neuroemu(
        "fit", "generic8", "--json", "--out", "here", *change, *SHORT, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["target"], data["precision"], data["margin"]) == ("generic8", 0.05, 0.5)
    assert data["proposal"]["plasticity"]["weight"]["rounding"] == "stochastic"
    assert data["bits"]["proposed"] == sum(
        int(r["format"].removeprefix("fxp-")[1:].partition("/")[0]) for r in data["registers"]
    )
    assert (tmp_path / "here/generic8/figure.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["fit", "generic9"], ["generic9", "did you mean generic"]),
        (
            ["fit", "generic8", "--margin", "-0.1", "--precision", "2"],
            ["margin = -0.1", "use 0.25", "precision = 2", "use 0.02"],
        ),
        (["fit", "generic8", "--trials", "0"], ["trials = 0"]),
        (["fit", "generic8", "--out", "taken"], ["taken", "choose another folder"]),
    ],
)
def test_mistakes_end_in_one_line_and_exit_code_2(
    arguments: list[str], expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    done = command.neuroemu(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    for part in expected:
        assert part in done.stderr, done.stderr
    assert {p.name for p in tmp_path.iterdir()} - {"fits"} == {"taken"}
    assert not any((tmp_path / "fits").glob("*"))
