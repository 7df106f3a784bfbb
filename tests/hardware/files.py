"""Edited copies of shipped files."""

from pathlib import Path

from neuroemu.errors import ConfigError
from neuroemu.hardware.load import load_experiment, load_target

ROOT = Path(__file__).parents[2]
TARGETS = ROOT / "hw_configs"
EXPERIMENTS = ROOT / "neuroemu" / "experiments"


def edited(shipped: Path, folder: Path, *edits: tuple[str, str]) -> Path:
    """Write a copy of `shipped` with pieces of its text replaced, each of which must be there."""
    text = shipped.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, f"{shipped.name} has no {old!r}"
        text = text.replace(old, new, 1)
    path = folder / shipped.name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path | str, *overrides: str) -> ConfigError:
    """Return the error with which a target or an experiment is refused."""
    is_experiment = Path(path).stem == "spike_based_homeostasis"
    load = load_experiment if is_experiment else load_target
    try:
        config = load(path, overrides)
    except ConfigError as error:
        return error
    raise AssertionError(f"{config.name} was taken")


def lines(error: ConfigError) -> list[str]:
    """Return an error's lines; each has place, rule and remedy."""
    found = str(error).splitlines()
    assert len(found) == len(error.violations)
    for violation in error.violations:
        assert violation.rule and violation.remedy
    return found
