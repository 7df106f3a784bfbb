"""Kernels are compiled before a job begins: each combination once, and none is left for the job itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from neuroemu.engine import warm
from neuroemu.engine.compiled import cache_directory
from neuroemu.experiment import Experiment
from neuroemu.hardware.load import load_experiment, load_target, shipped_targets
from neuroemu.models.discretize import discretize
from neuroemu.models.rungs import on_target

on_linux = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="the cache folder is moved as Linux has it"
)
STRAIGHT = "float64-float64-lif-exact"
CHIP = "float64-float64-chip-once-exact"


def reference() -> Experiment:
    return load_experiment("spike_based_homeostasis")


def mark(*names: str) -> None:
    cache_directory().mkdir(parents=True, exist_ok=True)
    for name in names:
        (cache_directory() / f"{name}.compiled").touch()


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@on_linux
def test_every_combination_is_missing_once(empty_cache: Path) -> None:
    targets = [load_target(name) for name in shipped_targets()]
    found = warm.missing(reference(), targets)
    assert list(dict.fromkeys(sorted(found))) == sorted(
        [
            "float64-float64-chip-often-exact",
            CHIP,
            STRAIGHT,
            "int32-int64-chip-often-round",
            "int32-int64-chip-once-round",
            "int32-int64-lif-round",
            "int64-int64-chip-once-round",
        ]
    )
    for name, target in found.items():
        d = discretize(reference(), target)
        assert name in {warm.combination(on_target(d, r)) for r in ("parameters", "fixed")}
    assert list(empty_cache.iterdir()) == []  # asking makes no files


@on_linux
@pytest.mark.parametrize(
    ("target", "rounding", "names"),
    [
        ("generic16", "around", [STRAIGHT, "int32-int64-lif-fixed"]),
        ("generic16", "stochastic", [STRAIGHT, "int32-int64-lif-random"]),
        ("loihi1", "around", [CHIP, "int64-int64-chip-once-fixed"]),
        ("brainscales2", "floor", [STRAIGHT]),
    ],
)
def test_a_rounding_of_the_leak_is_a_combination_of_its_own(
    empty_cache: Path, target: str, rounding: str, names: list[str]
) -> None:
    chip = load_target(target, [f"membrane.rounding={rounding}"])
    assert sorted(warm.missing(reference(), [chip])) == sorted(names)


@on_linux
def test_what_is_compiled_is_not_missing(empty_cache: Path) -> None:
    targets = [load_target(name) for name in ("generic16", "spinnaker1")]
    mark(STRAIGHT, "int32-int64-lif-round")
    assert list(warm.missing(reference(), targets)) == [CHIP, "int64-int64-chip-once-round"]
    mark(CHIP, "int64-int64-chip-once-round")
    assert warm.missing(reference(), targets) == {}
    said: list[str] = []
    warm.warm_up(reference(), targets, lambda: said.append("compiling"))
    assert said == []


WARM = """
import json
from neuroemu.engine import warm
from neuroemu.hardware.load import load_experiment, load_target
experiment = load_experiment("spike_based_homeostasis")
targets = [load_target("generic4"), load_target("generic16")]
said, before = [], list(warm.missing(experiment, targets))
child = warm.warm_up(experiment, targets, lambda: said.append("compiling"))
first = list(warm.missing(experiment, targets[:1]))
warm.warm_up(experiment, targets[1:], lambda: None, child)
child.wait()
print(json.dumps([before, said, first, list(warm.missing(experiment, targets))]))
"""


def python(*arguments: str, cwd: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def files(folder: Path) -> dict[str, tuple[int, int]]:
    found = [p for p in folder.rglob("*") if p.is_file()]
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in found}


@on_linux
def test_after_warming_up_a_run_compiles_nothing(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    said = python("-W", "error", "-c", WARM, cwd=Path(__file__).parents[2], cache=cache)
    assert json.loads(said.stdout) == [[STRAIGHT, "int32-int64-lif-round"], ["compiling"], [], []]
    kernels = cache / "neuroemu"
    compiled = files(kernels)
    assert sum(name.endswith(".nbc") for name in compiled) == 2
    run = ["-m", "neuroemu", "run", "generic4", "--trials", "2", "--json"]
    short = ["--set", "experiment.time.duration_ms=20000.0"]
    done = python(*run, *short, "--out", str(tmp_path / "out"), cwd=tmp_path, cache=cache)
    assert json.loads(done.stdout)[0]["target"] == "generic4"
    assert "compiling" not in done.stderr
    assert files(kernels) == compiled
