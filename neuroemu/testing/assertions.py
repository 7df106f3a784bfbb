"""Assertions for a user's own tests."""

from __future__ import annotations

from pathlib import Path

from neuroemu.comparison import Comparison, compare
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.metrics.verdict import Verdict
from neuroemu.models.arithmetic import RUNGS
from neuroemu.testing.case import Case
from neuroemu.testing.judges import golden_difference, is_in_golden, kernel_difference


def assert_bit_exact(case: Case) -> None:
    """Assert that kernel, Python-int executor and golden model do the same in every bit.

    Kernel and executor are compared on every rung; the golden model judges ``fixed``, of an analog membrane the
    learning. It knows no controller of pair sensors (``plasticity.update = "pairs"``).

    Parameters
    ----------
    case : Case
        Drawn by `cases`, or made by hand. A source spikes at most once in a step of the target.

    Raises
    ------
    AssertionError
        With the first place where two of them differ.
    ValueError
        If a source spikes twice in a step of the target, on a coarse tick: the golden model does not judge that.
    """
    for rung in RUNGS:
        found = kernel_difference(case, rung)
        if found is not None:
            raise AssertionError(f"rung {rung}, kernel against Python ints: {found}")
    found = golden_difference(case) if is_in_golden(case.target) else None
    if found is not None:
        raise AssertionError(f"kernel against golden model: {found}")


def assert_survives(
    experiment: Experiment | str | Path,
    target: Target | str | Path,
    *,
    trials: int = 32,
    seed: int = 0,
) -> Comparison:
    """Assert that the verdict on `target` is ``survives``.

    Parameters
    ----------
    experiment, target : object, shipped name, or path of a TOML file
    trials : int
        Runs with different input spikes.
    seed : int
        Of input and stochastic rounding.

    Returns
    -------
    Comparison
        For assertions of one's own.

    Raises
    ------
    AssertionError
        With the verdict, its reason and the rates, if it is another one.
    """
    loaded = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    chip = target if isinstance(target, Target) else load_target(target)
    result = compare(loaded, chip, trials=trials, seed=seed)
    if result.verdict is not Verdict.SURVIVES:
        rates = ", ".join(
            f"{p.target.value:.1f} (float {p.reference.value:.1f})" for p in result.phases
        )
        raise AssertionError(
            f"{loaded.name} on {chip.name}: {result.verdict}. {result.sentence} Rates in Hz: {rates}"
        )
    return result
