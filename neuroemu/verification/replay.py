"""A case again, step by step: what met each site, what it is exactly, what was stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any
from zlib import crc32

from neuroemu.engine.network import connect
from neuroemu.models.containers import OF_NEURON
from neuroemu.numeric.site import Site
from neuroemu.verification.counterexample import Counterexample
from neuroemu.verification.definition import rounded
from neuroemu.verification.evidence import Evidence, Passed
from neuroemu.verification.step import input_place

OF_INPUT = ("drive", "input")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value at one site.

    Parameters
    ----------
    step, trial : int
        Steps of the target, from 0.
    site, place : str
        Place: population or projection, with indices.
    wide : int
        What met the site.
    exact : Fraction
        The same, in LSBs of what is stored.
    stored : int
    value : float
        What is stored, in the experiment's unit (counts for a counter).
    mark : str
        ``saturated`` or ``wrapped`` where it left the range, else empty.
    """

    step: int
    trial: int
    site: str
    place: str
    wide: int
    exact: Fraction
    stored: int
    value: float
    mark: str

    @property
    def lost(self) -> Fraction:
        """Stored less exact, in LSBs."""
        return self.stored - self.exact

    def as_json(self) -> dict[str, Any]:
        """Return the row as plain data; the exact value as a text."""
        names = ("step", "trial", "site", "place", "wide", "stored", "value", "mark")
        return {name: getattr(self, name) for name in names} | {"exact": str(self.exact)}


class Replay:
    """A counterexample run again.

    Parameters
    ----------
    counterexample : Counterexample
    """

    def __init__(self, counterexample: Counterexample) -> None:
        self.counterexample = counterexample
        self.evidence = Evidence(counterexample.case)

    @cached_property
    def verdict(self) -> str | None:
        """How the law is broken with this version; None if it is not."""
        return self.counterexample.law.judge(self.evidence)

    @property
    def n_steps(self) -> int:
        """Steps of the target in the case."""
        return self.evidence.plan.clock.n_steps

    @cached_property
    def rows(self) -> list[Row]:
        """Every value that is not 0 before and after, at every site that narrows integers, in order."""
        return list(self._rows())

    def _rows(self) -> Iterator[Row]:
        plan, places = self.evidence.plan, _Places(self.evidence)
        for p in self.evidence.trace:
            site = plan.sites.get(p.site)
            if site is None or (p.wide == 0 and p.stored == 0):
                continue
            exact = Fraction(p.wide, 2**site.shift)
            yield Row(
                step=p.step,
                trial=p.trial,
                site=p.site,
                place=places.of(p),
                wide=int(p.wide),
                exact=exact,
                stored=int(p.stored),
                value=places.value(p),
                mark=_mark(int(p.wide), site),
            )

    def as_json(self) -> dict[str, Any]:
        """Return the replay as plain data."""
        c = self.counterexample
        return {
            "law": c.law.name,
            "text": c.text,
            "found_by": c.version,
            "broken": self.verdict is not None,
            "verdict": self.verdict,
            "steps": self.n_steps,
            "rows": [row.as_json() for row in self.rows],
        }


def _mark(wide: int, site: Site) -> str:
    """Return how a value was brought into the range; empty where a random word decided whether it was."""
    ends = [int(rounded(wide, site, r)) for r in (0, 2**site.shift - 1)]
    if not (max(ends) < site.lo or min(ends) > site.hi):
        return ""
    return "wrapped" if site.overflow == "wrap" else "saturated"


class _Places:
    """Names and units of what the trace numbers through."""

    def __init__(self, evidence: Evidence) -> None:
        self.plan, layout = evidence.plan, evidence.layout
        self.neurons = [(n, i) for n, r in layout.neurons.items() for i in range(len(r))]
        self.units = [(n, i) for n, r in layout.units.items() for i in range(len(r))]
        self.synapses: list[tuple[str, str]] = []
        self.slots: list[tuple[str, str]] = []
        experiment = evidence.case.experiment
        for name, projection in experiment.projections.items():
            sizes = len(layout.units[projection.pre]), len(layout.neurons[projection.post])
            seed: Any = [experiment.connection_seed, crc32(name.encode())]
            pre, post = connect(projection, *sizes, seed)
            here = [(name, f"{i} to {j}") for i, j in zip(pre.tolist(), post.tolist(), strict=True)]
            self.synapses += here
            self.slots += here if projection.plasticity is not None else []

    def _entry(self, p: Passed) -> tuple[str, Any]:
        if p.site in OF_NEURON:
            return self.neurons[p.lane]
        if p.site == "drive":
            return self.synapses[p.lane]
        waits = self.plan.target.plasticity.update == "deferred"  # a counter at each synapse
        return self.units[p.lane] if p.site == "count" and not waits else self.slots[p.lane]

    def of(self, p: Passed) -> str:
        """Return where a value was narrowed."""
        name, index = self._entry(p)
        return f"{name}[{index}]"

    def value(self, p: Passed) -> float:
        """Return what was stored in the experiment's unit."""
        name, _ = self._entry(p)
        if p.site in OF_NEURON or p.site == "drive":
            lsb = self.plan.membrane_lsb or Fraction(1)
            scale = self.plan.buffer_scale if p.site in OF_INPUT else 1
            return float(p.stored * lsb * scale) + self._zero(p.site, name)
        if p.site in ("count", "read"):
            return float(p.stored)
        synapse = self.plan.synapses[name]
        return float(p.stored * synapse.lsb / (1 if p.site == "store" else synapse.unit))

    def _zero(self, site: str, name: str) -> float:
        """Return the biological value of a site's 0: of a membrane, which a chip's leak is not, but what decays."""
        is_chip = self.plan.target.neuron is not None
        is_input = site == "input" and input_place(self.plan) == "v"
        is_membrane = is_input or site == ("membrane" if is_chip else "leak")
        return self.plan.neurons[name].zero if is_membrane else 0.0
