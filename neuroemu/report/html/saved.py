"""What a run left in its folder, read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroemu import __version__
from neuroemu.errors import ConfigError, OutputError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import experiment_from, target_from
from neuroemu.metrics.attribution import Attribution, RungStep
from neuroemu.metrics.intervals import Estimate
from neuroemu.metrics.verdict import Decision, PhaseResult, Reason, Verdict
from neuroemu.models.constants import Constant
from neuroemu.models.discretize import discretize
from neuroemu.wording import site_words

Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRun:
    """A run as its folder tells it; the fields are those of `neuroemu.comparison.Comparison` and the manifest.

    Parameters
    ----------
    time : mapping
        Times in biological and hardware units, as in the manifest.
    blame, divergence, weight_error : mapping or None
        As in ``verdict.json``.
    sites : mapping
        What each site did, over all trials.
    site_words : mapping of str to str
        What each site is on this target.
    """

    folder: Path
    target: Target
    experiment: Experiment
    seed: int
    input_digest: str
    digest: str
    versions: Mapping[str, str]
    time: Plain
    constants: tuple[Constant, ...]
    sentence: str
    decision: Decision
    attribution: Attribution
    blame: Plain | None
    divergence: Plain | None
    weight_error: Plain | None
    settling_ms: Mapping[str, list[float | None]]
    prediction: Plain
    sites: Mapping[str, Mapping[str, int | None]]
    site_words: Mapping[str, str]
    input_coincidences: int

    @property
    def trials(self) -> int:
        """Number of trials."""
        return self.decision.trials


def read_run(folder: Path) -> SavedRun:
    """Read the folder of a run.

    Raises
    ------
    OutputError
        If something is missing or unreadable, or another version wrote it in another form.
    """
    manifest, verdict = read_json(folder / "manifest.json"), read_json(folder / "verdict.json")
    with _in_our_form(folder, manifest):
        target = target_from(manifest["target"], "manifest.json:target")
        experiment = experiment_from(manifest["experiment"], "manifest.json:experiment")
        d = discretize(experiment, target)
        return SavedRun(
            folder=folder,
            target=target,
            experiment=experiment,
            seed=manifest["seed"],
            input_digest=manifest["input_digest"],
            digest=manifest["digest"],
            versions=manifest["versions"],
            time=_with_keys(manifest["time"], *TIMES),
            constants=tuple(_constant(c) for c in manifest["constants"]),
            sentence=verdict["sentence"],
            decision=_decision(verdict["decision"]),
            attribution=Attribution(
                steps=tuple(_step(s) for s in verdict["attribution"]["steps"]),
                whole=_step(verdict["attribution"]["whole"]),
            ),
            blame=_optional(verdict["blame"], "rung", "site", "recovered"),
            divergence=_optional(
                verdict["divergence"], "trial", "step", "time_ms", "register", "site"
            ),
            weight_error=_optional(verdict["weight_error_lsb"], "mean", "rms", "max_abs"),
            settling_ms=verdict["settling_ms"],
            prediction=_with_keys(verdict["prediction"], "verdict", "sentence", "set_point_hz"),
            sites={name: _with_keys(did, *COUNTERS) for name, did in verdict["sites"].items()},
            site_words={name: site_words(d, name) for name in verdict["sites"]},
            input_coincidences=verdict["input_coincidences"],
        )


TIMES = (
    *("acceleration", "steps", "step_ms_biological", "step_us_hardware"),
    *("duration_ms_biological", "duration_us_hardware"),
    *("plasticity_period_ms_biological", "plasticity_period_us_hardware"),
)
COUNTERS = ("overflowed", "overflow_step", "lost", "lost_step")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    OutputError
        If it cannot be read, or is none.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or error
    except (ValueError, RecursionError) as error:
        why = f"no JSON: {error}"
    raise OutputError(f"{path}: a report needs this file; {why}; run it again") from None


@contextmanager
def _in_our_form(folder: Path, manifest: Any) -> Iterator[None]:
    """Say of what is in another form which version wrote it."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else str(error)
    except ConfigError as error:
        why = str(error.violations[0])
    else:
        return
    try:
        wrote = f"neuroemu {manifest['versions']['neuroemu']}"
    except (KeyError, TypeError):
        wrote = "no version of neuroemu that it names"
    raise OutputError(
        f"{folder}: a report needs a run in the form of neuroemu {__version__}; "
        f"this one was written by {wrote} ({why}); run it again"
    ) from None


def _with_keys(data: Plain, *keys: str) -> Plain:
    return {key: data[key] for key in keys}


def _optional(data: Plain | None, *keys: str) -> Plain | None:
    return None if data is None else _with_keys(data, *keys)


def _constant(data: Plain) -> Constant:
    kept = {k: v for k, v in data.items() if k != "relative_error"}
    return Constant(**kept | {"flags": tuple(data["flags"])})


def _estimate(data: Plain | None) -> Estimate | None:
    return None if data is None else Estimate(**data)


def _phase(data: Plain) -> PhaseResult:
    rates = ("target", "reference", "control", "difference", "lift")
    return PhaseResult(
        **{name: Estimate(**data[name]) for name in rates},
        within_margin=data["within_margin"],
        open=data["open"],
    )


def _step(data: Plain) -> RungStep:
    return RungStep(**{**data, "phases": tuple(Estimate(**p) for p in data["phases"])})


def _decision(data: Plain) -> Decision:
    parsed = {
        "verdict": Verdict(data["verdict"]),
        "reason": Reason(data["reason"]),
        "phases": tuple(_phase(p) for p in data["phases"]),
        "spread_ratio": _estimate(data["spread_ratio"]),
        "realised_set_point": _estimate(data["realised_set_point"]),
        "leaning": None if data["leaning"] is None else Verdict(data["leaning"]),
    }
    return Decision(**{**data, **parsed})
