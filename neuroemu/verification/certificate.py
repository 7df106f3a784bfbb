"""Every law tried on one target: the certificate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_experiment
from neuroemu.testing.case import Case
from neuroemu.testing.search import search
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, does_not_apply, holds
from neuroemu.verification.laws import LAWS
from neuroemu.verification.neighbourhood import cases_around

Progress = Callable[[float, str], None]
"""Called with the part that is done and what is tried."""

EXAMPLES = 50
"""Cases of the sampled laws, if not said otherwise."""

DEFAULT_EXPERIMENT = "spike_based_homeostasis"
SAMPLED_PART = 0.7
"""Part of the time that the sampled laws take, for the progress bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One law and what came of it."""

    law: Law
    outcome: Outcome

    @property
    def is_broken(self) -> bool:
        """Whether there is a counterexample."""
        return self.outcome.status == "broken"

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain data, without the counterexample."""
        o = self.outcome
        return {
            "law": self.law.name,
            "sentence": self.law.sentence,
            "kind": self.law.kind,
            "page": self.law.page,
            "status": o.status,
            "how": o.how,
            "cases": o.cases,
            "text": o.text,
            "small": o.is_small,
            "numbers": o.numbers,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is known of a target's arithmetic.

    Parameters
    ----------
    target : Target
    experiment : Experiment
        Where the constants are from.
    seed, examples : int
        With the version they decide every sampled case.
    results : tuple of Result
        One for each law that was tried, in the order of docs/spec/laws.md.
    seconds : float
        How long it took.
    """

    target: Target
    experiment: Experiment
    seed: int
    examples: int
    results: tuple[Result, ...]
    seconds: float

    @property
    def faults(self) -> tuple[Result, ...]:
        """Broken emulator laws. There must be none; where there is one, neuroemu is wrong."""
        return tuple(r for r in self.results if r.is_broken and r.law.kind == "emulator")

    @property
    def findings(self) -> tuple[Result, ...]:
        """Broken arithmetic laws, facts about the target, small ones included."""
        return tuple(r for r in self.results if r.is_broken and r.law.kind == "arithmetic")

    @property
    def untried(self) -> tuple[str, ...]:
        """Names of the laws that were not asked for, or not reached before an interruption."""
        tried = {r.law.name for r in self.results}
        return tuple(law.name for law in LAWS if law.name not in tried)

    def __getitem__(self, law: str) -> Outcome:
        return next(r.outcome for r in self.results if r.law.name == law)

    def as_json(self) -> dict[str, Any]:
        """Return the certificate as plain data."""
        from neuroemu import __version__

        return {
            "version": __version__,
            "target": self.target.name,
            "experiment": self.experiment.name,
            "seed": self.seed,
            "examples": self.examples,
            "seconds": round(self.seconds, 3),
            "faults": len(self.faults),
            "findings": len(self.findings),
            "laws": [r.as_json() for r in self.results],
            "untried": list(self.untried),
        }


def verify(
    target: Target,
    *,
    experiment: Experiment | None = None,
    examples: int = EXAMPLES,
    seed: int = 0,
    laws: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Certificate:
    """Try every law of docs/spec/laws.md on a target.

    Parameters
    ----------
    target : Target
    experiment : Experiment, optional
        Where the constants are from; Brian2's example if left out.
    examples : int
        Cases of the sampled laws.
    seed : int
        Of everything that is drawn.
    laws : sequence of str, optional
        Only these.
    progress : callable, optional
        Called with the part that is done and what is tried.

    Returns
    -------
    Certificate

    Raises
    ------
    ConfigError
        If the experiment does not fit the target, or a number or name is out of range.

    Examples
    --------
    >>> from neuroemu.hardware.load import load_target
    >>> generic8 = load_target("generic8", ["membrane.rounding=floor"])
    >>> certificate = verify(generic8, laws=["membrane-decays", "leak-stays-between"])
    >>> print(certificate["membrane-decays"].text)
    membrane fxp-s8/5, leak floor: v = -85 to -1 LSB (-2.656 to -0.03125) do not decay; up to 2.7e+02 % of the threshold
    >>> certificate["leak-stays-between"].status, certificate["leak-stays-between"].how
    ('holds', 'proof')
    """
    start = time.perf_counter()
    setting = setting_for(target, experiment=experiment, examples=examples, seed=seed)
    results = tuple(try_laws(setting, laws, progress or (lambda *_: None)))
    return certificate_of(setting, results, time.perf_counter() - start)


def setting_for(
    target: Target, *, experiment: Experiment | None, examples: int, seed: int
) -> Setting:
    """Return the setting of a certificate, its arguments checked and its experiment discretized."""
    for name, value, low in (("examples", examples, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ConfigError.one(
                name,
                value=value,
                rule=f"{name} is a whole number from {low}",
                remedy=f"use {low}",
            )
    chosen = experiment or load_experiment(DEFAULT_EXPERIMENT)
    setting = Setting(target=target, experiment=chosen, examples=examples, seed=seed)
    _ = setting.plan
    return setting


def certificate_of(setting: Setting, results: Sequence[Result], seconds: float) -> Certificate:
    """Return the certificate of the results at hand."""
    order = {law.name: i for i, law in enumerate(LAWS)}
    return Certificate(
        target=setting.target,
        experiment=setting.experiment,
        seed=setting.seed,
        examples=setting.examples,
        results=tuple(sorted(results, key=lambda r: order[r.law.name])),
        seconds=seconds,
    )


def try_laws(setting: Setting, names: Sequence[str] | None, progress: Progress) -> Iterator[Result]:
    """Try laws one after the other, those that enumerate first; yield each result as it is known."""
    chosen = _chosen(names)
    alone = [law for law in chosen if law.test is not None]
    sampled = [law for law in chosen if law.test is None]
    share = (1 - SAMPLED_PART) / max(len(alone), 1)
    for i, law in enumerate(alone):
        progress(i * share, law.name)
        if law.test is not None:
            yield Result(law=law, outcome=law.test(setting))
    yield from _sample(setting, sampled, progress)


def _chosen(names: Sequence[str] | None) -> list[Law]:
    unknown = sorted(set(names or ()) - {law.name for law in LAWS})
    if unknown:
        raise ConfigError.one(
            "laws",
            value=", ".join(unknown),
            rule="no law has this name",
            remedy=f"use some of {', '.join(law.name for law in LAWS)}",
        )
    return [law for law in LAWS if names is None or law.name in names]


def _sample(setting: Setting, laws: list[Law], progress: Progress) -> Iterator[Result]:
    """Judge the same drawn cases by all sampled laws; a law that breaks is shrunk and leaves."""
    left = list(laws)
    while left:
        panel = _Panel(left, setting, progress)
        case = search(
            cases_around(setting.plan), panel.breaks, examples=setting.examples, seed=setting.seed
        )
        if case is None:
            yield from panel.kept()
            return
        evidence = Evidence(case)
        law, text = next((w, t) for w in left if (t := w.judge(evidence)) is not None)
        outcome = Outcome(status="broken", how="sampled", cases=panel.seen, text=text, case=case)
        yield Result(law=law, outcome=outcome)
        left.remove(law)


class _Panel:
    """Laws that judge the same cases."""

    def __init__(self, laws: Sequence[Law], setting: Setting, progress: Progress) -> None:
        self.laws, self.examples, self.progress = tuple(laws), setting.examples, progress
        self.seen = 0
        self.judged = dict.fromkeys((law.name for law in laws), 0)

    def breaks(self, case: Case) -> bool:
        """Return whether a case breaks one of the laws."""
        self.seen += 1
        part = min(self.seen / self.examples, 1.0)
        what = f"case {self.seen} of {self.examples}" if part < 1 else "shrinking a case"
        self.progress(1 - SAMPLED_PART * (1 - part), what)
        evidence = Evidence(case)
        for law in self.laws:
            self.judged[law.name] += law.judges(evidence)
        return any(law.judge(evidence) is not None for law in self.laws)

    def kept(self) -> Iterator[Result]:
        """Yield the laws that no case broke."""
        for law in self.laws:
            n = self.judged[law.name]
            outcome = holds("sampled", n) if n else does_not_apply(law.unless)
            yield Result(law=law, outcome=outcome)
