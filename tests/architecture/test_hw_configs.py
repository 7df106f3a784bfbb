"""Every shipped target loads, bears the name of its file, and says where its numbers are from."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neuroemu.hardware.load import load_target, shipped_targets
from neuroemu.numeric.format import Format

FOLDER = Path(__file__).parents[2] / "hw_configs"
FILES = sorted(FOLDER.glob("*.toml"))
WITH_SOURCES = (*("time", "membrane", "neuron", "refractory", "synapse", "plasticity", "capacity"),)
every_file = pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _numbers(config: dict[str, Any]) -> dict[str, Any]:
    return dict(_leaves({name: config[name] for name in WITH_SOURCES if name in config}))


def _covers(source: str, key: str) -> bool:
    return key == source or key.startswith(f"{source}.")


def test_the_targets_are_shipped() -> None:
    assert {path.stem for path in FILES} == {
        *("brainscales1", "brainscales2", "brainscales2-sign", "spikey", "loihi1", "spinnaker1"),
        *("odin", "tinyodin", "reckon", "xylo", "truenorth", "generic4", "generic8", "generic16"),
    }
    assert shipped_targets() == sorted(path.stem for path in FILES)


@every_file
def test_it_loads_and_bears_the_files_name(path: Path) -> None:
    assert load_target(path).name == path.stem


@every_file
def test_every_number_has_a_source(path: Path) -> None:
    config = _read(path)
    bare = [key for key in _numbers(config) if not any(_covers(s, key) for s in config["sources"])]
    assert bare == []


@every_file
def test_every_source_is_of_a_number_that_is_there(path: Path) -> None:
    config = _read(path)
    numbers = _numbers(config)
    idle = [s for s in config["sources"] if not any(_covers(s, key) for key in numbers)]
    assert idle == []


@every_file
def test_every_source_says_something(path: Path) -> None:
    assert all(text.strip() for text in _read(path)["sources"].values())


@every_file
def test_title_and_summary_read_well(path: Path) -> None:
    target = load_target(path)
    assert len(target.title) <= 80 and "\n" not in target.title
    assert 2 <= target.summary.count(". ") + target.summary.count(".\n") <= 5


@every_file
def test_formats_are_the_text_of_the_file(path: Path) -> None:
    numbers = _numbers(_read(path))
    formats = {key: text for key, text in numbers.items() if key.endswith(".format")}
    assert formats
    loaded = dict(_leaves(load_target(path).model_dump(mode="json")))
    for key, text in formats.items():
        assert str(Format.parse(text)) == text == loaded[key]


@every_file
def test_a_tick_is_a_multiple_of_the_reference_experiments_step(path: Path) -> None:
    time = load_target(path).time
    assert round(time.tick_us * time.acceleration, 6) in (100.0, 1000.0, 2500.0)
