"""``neuroemu verify`` and ``neuroemu replay`` as a user calls them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from neuroemu.cli import cli
from neuroemu.errors import NeuroemuError
from neuroemu.numeric.site import Site
from neuroemu.verification import certificate
from tests.verification import defects


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("verify") / "kept"
    done = call("verify", "generic8", "--examples", "2", "--out", out)
    return done, out / "generic8"


def test_the_report_fits_the_terminal(findings: tuple[Result, Path]) -> None:
    done, folder = findings
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert all(len(line) <= 100 for line in lines if str(folder) not in line)
    text = " ".join(done.output.split())
    assert "The emulator: laws that must never fail" in text
    assert "leak-as-defined ✓ holds proof: all 512 cases" in text
    assert "kernel-is-golden ✓ holds 2 sampled cases" in text
    assert "input-reaches-threshold ! finding proof: all 129 cases" in text
    assert "Not applied, learning is not periodic: counts-keep-their-sign" in text
    assert "a presynaptic spike asks for +3.2 LSB and gives +3 (-6.25 %)" in text
    assert "2 findings; no law of the emulator is broken" in text


def test_findings_are_kept_as_files(findings: tuple[Result, Path]) -> None:
    _, folder = findings
    assert sorted(p.name for p in folder.iterdir()) == [
        "input-reaches-threshold.json",
        "updates-keep-their-size.json",
    ]


def test_replay_shows_the_numbers(findings: tuple[Result, Path]) -> None:
    done = call("replay", findings[1] / "input-reaches-threshold.json")
    assert done.exit_code == 0
    assert all(len(line) <= 100 for line in done.output.splitlines())
    text = " ".join(done.output.split())
    assert "1 leak neuron[0] 253 0.988281 0 -0.988281 0 " in text
    assert "values left out; --steps A:B shows the steps A to B - 1" in text
    assert "still broken. neuron: 0 spikes on the target" in text
    some = call("replay", findings[1] / "input-reaches-threshold.json", "--steps", "3:5")
    steps = {line.split()[0] for line in some.output.splitlines() if line.split()[:1]}
    assert {"3", "4"} <= steps and "2" not in steps and "left out" not in some.output


def test_replay_as_json(findings: tuple[Result, Path]) -> None:
    done = call("replay", findings[1] / "updates-keep-their-size.json", "--json")
    data = json.loads(done.stdout)
    assert data["broken"] and data["law"] == "updates-keep-their-size"
    assert [r["site"] for r in data["rows"][:4]] == ["drive", "input", "accumulate", "store"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("replay", "nope.json"), "nope.json: no such file"),
        (("verify", "nope"), "no shipped target has this name"),
        (("verify", "generic8", "--examples", "0"), "examples = 0: examples is a whole number"),
        (("verify", "generic8", "--seed", "-1"), "seed = -1"),
        (("verify", "generic8", "--out", __file__), "--out = "),
    ],
)
def test_bad_input(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = call(*arguments)
    assert isinstance(done.exception, NeuroemuError)
    assert message in str(done.exception)


def test_a_span_of_steps_has_to_be_one(findings: tuple[Result, Path]) -> None:
    path = findings[1] / "updates-keep-their-size.json"
    for span in ("5:3", "x", "1:2:3"):
        done = call("replay", path, "--steps", span)
        assert "a span of steps is A:B" in str(done.exception)
    assert call("replay", path, "--steps", "0:").exit_code == 0


def test_strict_minds_findings_but_not_small_ones(tmp_path: Path) -> None:
    out = ("--examples", "1", "--out", tmp_path / "x")
    assert call("verify", "generic8", "--strict", *out).exit_code == 1
    assert call("verify", "spinnaker1", "--strict", *out).exit_code == 0
    assert (tmp_path / "x" / "spinnaker1" / "membrane-decays.json").is_file()


def test_nothing_is_written_where_nothing_fails(tmp_path: Path) -> None:
    done = call("verify", "xylo", "--examples", "1", "--out", tmp_path / "x", "--json")
    assert done.exit_code == 0
    data = json.loads(done.stdout)
    assert [(c["target"], c["faults"], c["findings"]) for c in data] == [("xylo", 0, 0)]
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_emulator_is_said_to_be_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("neuroemu.testing.search.MOST_SHRINKS", 1)
    defects.addends(monkeypatch, defects.base_of("leak", 3))
    done = call("verify", "generic8", "--examples", "1", "--out", tmp_path)
    assert done.exit_code == 1
    text = " ".join(done.output.split())
    assert "leak-as-defined ✗ BROKEN" in text
    assert "neuroemu is wrong" in text
    assert "the emulator is wrong, please report it" in text
    path = tmp_path / "generic8" / "leak-as-defined.json"
    assert call("replay", path).exit_code == 1
    monkeypatch.undo()
    assert isinstance(Site.addends, property)
    again = call("replay", path)
    assert again.exit_code == 0
    assert "the law holds in this case" in " ".join(again.output.split())


def test_ctrl_c_keeps_what_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[object] = []

    class Interrupted(certificate.Evidence):
        def __init__(self, case: object) -> None:
            seen.append(case)
            if len(seen) == 3:
                raise KeyboardInterrupt
            super().__init__(case)  # type: ignore[arg-type]

    monkeypatch.setattr(certificate, "Evidence", Interrupted)
    done = call("verify", "generic8", "loihi1", "--examples", "9", "--out", tmp_path)
    assert done.exit_code == 130
    assert "interrupted: 1 of 2 targets, the last in part" in done.stderr
    text = " ".join(done.stdout.split())
    assert "input-reaches-threshold ! finding" in text
    assert "Not tried: kernel-is-executor, kernel-is-golden, " in text
    assert "no law of the emulator that was tried is broken" in text
    assert (tmp_path / "generic8" / "input-reaches-threshold.json").is_file()


def test_a_certificate_is_printed_even_if_its_counterexamples_cannot_be_kept(
    tmp_path: Path,
) -> None:
    (tmp_path / "generic8").write_text("in the way")
    done = call("verify", "generic8", "--examples", "1", "--out", tmp_path)
    assert isinstance(done.exception, NeuroemuError)
    assert "the counterexample cannot be written" in str(done.exception)
    assert "input-reaches-threshold  broken" in done.output
    assert (tmp_path / "generic8").read_text() == "in the way"


@pytest.mark.parametrize("spike", [[1.5, 0], [True, False], ["1", "0"]])
def test_spikes_of_an_edited_file_are_whole_numbers(
    spike: list[object], findings: tuple[Result, Path], tmp_path: Path
) -> None:
    data = json.loads((findings[1] / "input-reaches-threshold.json").read_text())
    data["case"]["spikes"] = {"input": [[spike]]}
    edited = tmp_path / "edited.json"
    edited.write_text(json.dumps(data))
    refused = call("replay", edited).exception
    assert isinstance(refused, NeuroemuError)
    assert "edited.json:case.spikes" in str(refused)
    assert "step and source are whole numbers" in str(refused)
