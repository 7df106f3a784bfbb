"""A proposal as a TOML file that ``neuroemu run`` takes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import tomli_w

import neuroemu
from neuroemu.hardware.config import Target

if TYPE_CHECKING:
    from neuroemu.fitting.whole import Fit


def target_toml(target: Target, comment: str = "") -> str:
    """Return a target as TOML, with the keys that were set and those only.

    Parameters
    ----------
    target : Target
    comment : str
        Lines to stand above it.

    Examples
    --------
    >>> from neuroemu.hardware.load import load_target
    >>> text = target_toml(load_target("generic8"), "My own numbers.")
    >>> text.splitlines()[:2]
    ['# My own numbers.', 'name = "generic8"']
    """
    data = target.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    above = "".join(f"# {line}\n" for line in comment.splitlines())
    return above + tomli_w.dumps(data, multiline_strings=True)


def proposal_toml(found: Fit) -> str:
    """Return the proposal of a fit as TOML; `load_target` reads it back, equal."""
    request = found.request
    comment = f"Formats of {request.target.name} fitted to {request.experiment.name} by neuroemu fit; see [sources].\n"
    if found.verdict is not None:
        comment += f"On other input (seed {found.judged_seed}) the verdict was: {found.verdict}.\n"
    comment += f"neuroemu run {found.target.name}.toml --experiment {request.experiment.name}"
    return target_toml(found.target, comment)


def digest(found: Fit) -> str:
    """Return what identifies a fit: equal digests, equal results."""
    request = found.request
    parts = {
        "target": request.target.model_dump(mode="json"),
        "experiment": request.experiment.model_dump(mode="json"),
        "margin": str(request.margin),
        "precision": str(request.precision),
        "trials": found.observation.trials,
        "seed": found.observation.seed,
        "version": neuroemu.__version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
