"""A run's folder: manifest, arrays, verdict, figures. Written aside, then renamed."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import neuroemu
from neuroemu.comparison import Comparison
from neuroemu.errors import OutputError
from neuroemu.models.registers import Discretized


def digest(comparison: Comparison) -> str:
    """Return what identifies a comparison: equal digests, equal results."""
    parts = {
        "target": comparison.target.model_dump(mode="json"),
        "experiment": comparison.experiment.model_dump(mode="json"),
        "seed": comparison.seed,
        "input": comparison.input_digest,
        "trials": comparison.trials,
        "version": neuroemu.__version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def manifest(comparison: Comparison) -> dict[str, Any]:
    """Return versions, configurations as resolved, constants, time and seeds of a comparison."""
    d = comparison.discretized
    packages = ("neuroemu", "numpy", "scipy", "numba", "pydantic", "matplotlib")
    return {
        "digest": digest(comparison),
        "seed": comparison.seed,
        "input_digest": comparison.input_digest,
        "trials": comparison.trials,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in packages},
        "time": clock_summary(d),
        "container": d.container,
        "widest": {site: list(interval) for site, interval in d.widest.items()},
        "constants": [c.as_json() for c in d.constants],
        "target": comparison.target.model_dump(mode="json"),
        "experiment": comparison.experiment.model_dump(mode="json"),
    }


def clock_summary(d: Discretized) -> dict[str, Any]:
    """Return every time in biological and in hardware units."""
    clock = d.clock
    duration = float(clock.step_ms) * clock.n_steps
    period = float(clock.step_ms) * clock.period_steps
    return {
        "acceleration": clock.acceleration,
        "steps": clock.n_steps,
        "input_steps_per_step": clock.input_steps,
        "step_ms_biological": float(clock.step_ms),
        "step_us_hardware": clock.hardware_us(float(clock.step_ms)),
        "duration_ms_biological": duration,
        "duration_us_hardware": clock.hardware_us(duration),
        "plasticity_period_ms_biological": period or None,
        "plasticity_period_us_hardware": clock.hardware_us(period) or None,
    }


def check_writable(parent: Path) -> None:
    """Make the folder `parent`, and see that files can be made in it, before any work is done.

    Raises
    ------
    OutputError
        If they cannot.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise OutputError(
            f"--out = {parent}: results must be writable there; {error.strerror or error}; "
            "choose another folder"
        ) from None


def write_folder(comparison: Comparison, parent: Path) -> Path:
    """Write a comparison into a new folder below `parent`.

    The folder has the target's name. A folder of the same digest is replaced; another one is left
    alone, and the new one gets a number.

    Raises
    ------
    OutputError
        If it cannot be written; nothing half-written stays.
    """

    def fill(folder: Path) -> None:
        _write_json(folder / "manifest.json", manifest(comparison))
        _write_json(folder / "verdict.json", comparison.as_json())
        with ThreadPoolExecutor(1) as beside:  # compressing needs no interpreter: draw meanwhile
            saved = beside.submit(_save_runs, comparison, folder)
            _draw(comparison, folder)
            saved.result()

    try:
        folder = _free_name(parent, comparison)
    except OSError as error:
        raise _cannot_write(parent, error) from None
    return write_aside(folder, fill)


def _save_runs(comparison: Comparison, folder: Path) -> None:
    for rung, run in comparison.runs.items():
        between = rung in ("parameters", "range")  # their membranes are large and of little use
        kept = replace(run, membrane={}) if between else run
        kept.save(folder / f"run-{rung}.npz")


def _draw(comparison: Comparison, folder: Path) -> None:
    from neuroemu.report.figures import comparison_figure, save_figure

    figure = comparison_figure(comparison)
    for ending in ("png", "svg"):
        save_figure(figure, folder / f"figure.{ending}")


def write_aside(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Fill a folder beside `folder`, then move it there.

    Raises
    ------
    OutputError
        If anything cannot be written.
    """
    aside = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        fill(aside)
        if folder.exists():
            shutil.rmtree(folder)
        aside.replace(folder)
    except OSError as error:
        raise _cannot_write(folder, error) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _cannot_write(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{folder}: the results cannot be written; {error.strerror or error}; choose another --out"
    )


def _free_name(parent: Path, comparison: Comparison) -> Path:
    own, number = digest(comparison), 1
    while True:
        name = comparison.target.name if number == 1 else f"{comparison.target.name}-{number}"
        folder = parent / name
        if not folder.exists() or _digest_in(folder) == own:
            return folder
        number += 1


def _digest_in(folder: Path) -> str | None:
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(found.get("digest")) if isinstance(found, dict) else None


def _write_json(path: Path, data: Any) -> None:
    text = json.dumps(data, indent=2, allow_nan=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")
