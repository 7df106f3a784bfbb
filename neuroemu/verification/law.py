"""What a law is, in what setting it is tried, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from neuroemu.experiment import Experiment, Population, Projection
from neuroemu.hardware.config import Target, WeightTable
from neuroemu.models.discretize import discretize
from neuroemu.models.network_load import load_lsb, network_load
from neuroemu.models.registers import Discretized
from neuroemu.testing.case import Case
from neuroemu.verification.evidence import Evidence

Kind = Literal["emulator", "arithmetic"]
Status = Literal["holds", "broken", "does not apply"]
Judge = Callable[[Evidence], str | None]
"""Returns how a case breaks a law, in words and numbers; None if it does not."""

PAGE = "spec/laws.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one law.

    Parameters
    ----------
    status : str
        ``holds``, ``broken`` or ``does not apply``.
    how : str
        ``proof``, ``sampled``, ``statistical`` or ``trials``; empty if the law does not apply.
    cases : int
        How many were tried.
    text : str
        How it is broken, or why it does not apply.
    case : Case or None
        The counterexample.
    numbers : dict
        What a program may want of the text.
    is_small : bool
        Whether a broken arithmetic law hardly matters; docs/spec/laws.md says when.
    """

    status: Status
    how: str = ""
    cases: int = 0
    text: str = ""
    case: Case | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    is_small: bool = False


def holds(how: str, cases: int, text: str = "") -> Outcome:
    """Return the outcome of a law that no case broke."""
    return Outcome(status="holds", how=how, cases=cases, text=text)


def does_not_apply(why: str) -> Outcome:
    """Return the outcome of a law that says nothing here."""
    return Outcome(status="does not apply", text=why)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a certificate is about.

    Parameters
    ----------
    target : Target
    experiment : Experiment
        Where the constants are from.
    examples : int
        Cases of the sampled laws.
    seed : int
        Of everything that is drawn.
    """

    target: Target
    experiment: Experiment
    examples: int
    seed: int

    @cached_property
    def plan(self) -> Discretized:
        """The experiment in the target's numbers."""
        return discretize(self.experiment, self.target)

    @cached_property
    def pinned(self) -> Target:
        """The target for small experiments and for many of them at once.

        A weight LSB that the load of the network sets is a number, and no row takes time.
        """
        synapse, plasticity = self.target.synapse, self.target.plasticity
        load = network_load(self.experiment)

        def pin(table: WeightTable) -> WeightTable:
            if table.lsb != "network":
                return table
            return table.model_copy(update={"lsb": float(load_lsb(load, table.format))})

        return self.target.model_copy(
            update={
                "synapse": synapse.model_copy(update={"weight": pin(synapse.weight)}),
                "plasticity": plasticity.model_copy(
                    update={"weight": pin(plasticity.weight), "row_time_us": None}
                ),
            }
        )

    @cached_property
    def populations(self) -> dict[str, Population]:
        """One population of each set of constants."""
        kinds: dict[Any, tuple[str, Population]] = {}
        for name, population in self.experiment.populations.items():
            kinds.setdefault(self.plan.neurons[name], (name, population))
        return dict(kinds.values())

    @cached_property
    def plastic(self) -> dict[str, Projection]:
        """One plastic projection of each set of constants; none where docs/spec/plasticity.md is not what learns."""
        kinds: dict[Any, tuple[str, Projection]] = {}
        if not self.target.plasticity.computes:
            return {}
        for name, projection in self.experiment.projections.items():
            if projection.plasticity is not None:
                kinds.setdefault(self.plan.synapses[name], (name, projection))
        return dict(kinds.values())

    def rng(self, law: str) -> np.random.Generator:
        """Return the random numbers of one law."""
        return np.random.default_rng([self.seed, *law.encode()])


def _always(_: Evidence) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A sentence that must hold for a target's arithmetic; docs/spec/laws.md has each under its name.

    Parameters
    ----------
    name : str
        Also the anchor on the page.
    sentence : str
    kind : str
        ``emulator``: a failure is a fault of neuroemu. ``arithmetic``: a failure is a fact about the target.
    judge : callable
        Of one case, for replay; sampled laws are tried with it as well.
    test : callable or None
        Tries the law in a setting. None: the law is sampled, together with the others.
    judges : callable
        Whether a sampled law says anything about a case.
    unless : str
        Why a sampled law does not apply if it says nothing about any case.
    """

    name: str
    sentence: str
    kind: Kind
    judge: Judge
    test: Callable[[Setting], Outcome] | None = None
    judges: Callable[[Evidence], bool] = _always
    unless: str = ""

    @property
    def page(self) -> str:
        """Where the documentation defines it."""
        return f"{PAGE}#{self.name}"


def broken(
    judge: Judge,
    case: Case,
    text: str,
    *,
    how: str,
    cases: int,
    is_small: bool = False,
    **numbers: Any,
) -> Outcome:
    """Return the outcome of a broken law, after its judge has seen the counterexample.

    Parameters
    ----------
    judge : callable
        Of the law.
    case : Case
        The counterexample.
    text : str
        How the law is broken as a whole.
    how, cases, is_small, **numbers
        As for `Outcome`.
    """
    if judge(Evidence(case)) is None:
        text = f"{text}; the case kept beside it does not show it"
    return Outcome(
        status="broken",
        how=how,
        cases=cases,
        text=text,
        case=case,
        numbers=numbers,
        is_small=is_small,
    )
