"""The command of a report gives the same run."""

import shlex
from base64 import b64decode
from pathlib import Path

import pytest
from click.testing import CliRunner

from neuroemu.cli import cli
from neuroemu.cli.options import load_configurations
from neuroemu.hardware.load import (
    load_experiment,
    load_target,
    shipped_experiments,
    shipped_targets,
)
from neuroemu.report.html.find import page_of
from neuroemu.report.html.parts import Attachments, Command, Page, Paragraph
from neuroemu.report.html.reproduce import toml_of
from neuroemu.report.html.saved import read_json, read_run
from tests.report.html.runs import run

CHANGES = (
    "--set=plasticity.weight.rounding=stochastic",
    "--set=plasticity.increment.format=fxp-u12/8",
)


def commands(page: Page) -> list[list[str]]:
    parts = page.sections[-1].parts
    return [shlex.split(p.text) for p in parts if isinstance(p, Command)]


def save_files(page: Page, folder: Path) -> None:
    (found,) = [p for p in page.sections[-1].parts if isinstance(p, Attachments)]
    for file in found.files:
        (folder / file.name).write_bytes(b64decode(file.source.partition(",")[2]))


@pytest.mark.parametrize("name", shipped_targets())
def test_every_shipped_target_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(toml_of(load_target(name)), encoding="utf-8")
    assert load_target(path).model_dump(mode="json") == load_target(name).model_dump(mode="json")


@pytest.mark.parametrize("name", shipped_experiments())
def test_every_shipped_experiment_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    path, shipped = tmp_path / f"{name}.toml", load_experiment(name)
    path.write_text(toml_of(shipped), encoding="utf-8")
    assert load_experiment(path).model_dump(mode="json") == shipped.model_dump(mode="json")


def test_the_short_command_holds_every_override(tmp_path: Path) -> None:
    folder = run(tmp_path, "generic4", options=CHANGES)
    short, _ = commands(page_of(folder))
    assert short[:3] == ["neuroemu", "run", "generic4"]
    assert {o for o in short if o.startswith("--set=plasticity")} == set(CHANGES)
    overrides = [o.removeprefix("--set=") for o in short if o.startswith("--set=")]
    experiment, (target,) = load_configurations("spike_based_homeostasis", ["generic4"], overrides)
    saved = read_run(folder)
    assert target.model_dump(mode="json") == saved.target.model_dump(mode="json")
    assert experiment.model_dump(mode="json") == saved.experiment.model_dump(mode="json")


def test_the_files_and_their_command_give_the_same_digest_and_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run(tmp_path / "first", "generic4", options=CHANGES)
    page = page_of(folder)
    save_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, commands(page)[1][1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    again = tmp_path / "runs" / "generic4"
    assert (
        read_json(again / "manifest.json")["digest"]
        == read_json(folder / "manifest.json")["digest"]
    )
    assert read_json(again / "verdict.json") == read_json(folder / "verdict.json")


def test_a_target_of_ones_own_is_run_from_its_file(tmp_path: Path) -> None:
    text = toml_of(load_target("generic4")).replace('name = "generic4"', 'name = "my_chip"')
    (tmp_path / "my_chip.toml").write_text(text, encoding="utf-8")
    run(tmp_path, str(tmp_path / "my_chip.toml"))
    page = page_of(tmp_path / "my_chip")
    (only,) = commands(page)
    assert only[2] == "my_chip.toml"


def test_several_targets_run_again_in_one_command(tmp_path: Path) -> None:
    page = page_of(run(tmp_path, "generic4", "generic16"))
    short, by_files = commands(page)
    assert short[2:4] == ["generic4", "generic16"]
    assert by_files[2:4] == ["generic4.toml", "generic16.toml"]
    save_files(page, tmp_path)
    assert load_target(tmp_path / "generic16.toml") == load_target("generic16")
    last = page.sections[-1].parts[-1]
    assert isinstance(last, Paragraph) and "the same digest" in last.text
