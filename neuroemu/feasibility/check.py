"""Everything that is known about an experiment on a target before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from neuroemu.experiment import Experiment
from neuroemu.feasibility.accumulator import accumulator_findings
from neuroemu.feasibility.constants import constant_findings
from neuroemu.feasibility.deferred import Deferred, deferred, deferred_findings
from neuroemu.feasibility.findings import Finding, plain
from neuroemu.feasibility.leak import Leak, leaks
from neuroemu.feasibility.leak_findings import leak_findings
from neuroemu.feasibility.learning import Learning, learning, with_prediction
from neuroemu.feasibility.learning_findings import learning_findings
from neuroemu.feasibility.network_lsb import NetworkLsb, network_lsb, network_lsb_findings
from neuroemu.feasibility.pairs import Pairs, pair_findings, pairs
from neuroemu.feasibility.periodic import Periodic, periodic, periodic_findings
from neuroemu.feasibility.range_findings import range_findings
from neuroemu.feasibility.ranges import Reach, reaches
from neuroemu.feasibility.signs import Signs, sign_findings, signs
from neuroemu.feasibility.timing import Place, Timing, places, timing, timing_findings
from neuroemu.feasibility.widest import Widest, widest
from neuroemu.hardware.config import Target
from neuroemu.metrics.outcome import Verdict
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.prediction.predict import Prediction, predict

TOPICS = (
    *("network_lsb", "learning", "periodic", "deferred", "signs", "pairs"),
    *("leak", "ranges", "widest", "timing", "places"),
)
"""Fields of `Feasibility` that are the result of one analysis."""

KNOWN_TO_PREDICTION = ("dead_zone", "time_constant", "refractory", "slow")
"""Kinds that the predicted rates take into account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feasibility:
    """What is known about an experiment on a target before it runs.

    Parameters
    ----------
    discretized : Discretized
        Registers, sites, steps, constants.
    prediction : Prediction or None
        Rates and verdict; None if the experiment asks no question.
    network_lsb, learning, periodic, deferred, signs, pairs, leak, ranges, widest, timing, places
        One analysis each, of the modules with these names; empty where it is not for this target.
    all_findings : tuple of Finding
        Problems first, then notes.
    """

    discretized: Discretized
    prediction: Prediction | None
    network_lsb: tuple[NetworkLsb, ...]
    learning: tuple[Learning, ...]
    periodic: tuple[Periodic, ...]
    deferred: tuple[Deferred, ...]
    signs: tuple[Signs, ...]
    pairs: tuple[Pairs, ...]
    leak: tuple[Leak, ...]
    ranges: tuple[Reach, ...]
    widest: tuple[Widest, ...]
    timing: Timing
    places: tuple[Place, ...]
    all_findings: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What changes the result beyond its limit."""
        return tuple(f for f in self.all_findings if f.is_problem)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What one should know, and does not change the result."""
        return tuple(f for f in self.all_findings if not f.is_problem)

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        d = self.discretized
        data = {
            "target": d.target.name,
            "experiment": d.experiment.name,
            "prediction": None if self.prediction is None else plain(self.prediction.as_json()),
            "findings": plain(self.findings),
            "notes": plain(self.notes),
            "constants": [plain(c.as_json()) for c in d.constants],
        }
        return data | {name: plain(getattr(self, name)) for name in TOPICS}


def check(experiment: Experiment, target: Target) -> Feasibility:
    """Analyse `experiment` on `target` without running anything.

    Parameters
    ----------
    experiment : Experiment
        With or without a question.
    target : Target
        A chip.

    Raises
    ------
    ConfigError
        If the experiment does not fit the target at all.

    Examples
    --------
    >>> from neuroemu.hardware.load import load_experiment, load_target
    >>> found = check(load_experiment("spike_based_homeostasis"), load_target("generic4"))
    >>> [f.kind for f in found.findings]
    ['dead_update']
    """
    d = discretize(experiment, target)
    prediction = None if experiment.question is None else predict(d)
    rules, found_leaks, room = learning(d), leaks(d), places(d)
    gain = None if prediction is None else prediction.loop_gain
    if prediction is not None and prediction.applies and prediction.set_point_hz is not None:
        rules = with_prediction(d, rules, prediction.set_point_hz)
    periods, reach, clock = periodic(d, rules, gain), reaches(d), timing(d)
    later, by_sign, by_pairs, steps = deferred(d, rules), signs(d), pairs(d), network_lsb(d)
    found = [
        *constant_findings(d),
        *network_lsb_findings(steps),
        *learning_findings(d, rules),
        *periodic_findings(d, periods),
        *deferred_findings(d, later),
        *sign_findings(d, by_sign),
        *pair_findings(d, by_pairs),
        *accumulator_findings(d, rules, periods),
        *leak_findings(d, found_leaks),
        *range_findings(d, reach),
        *timing_findings(d, clock, room),
    ]
    if prediction is not None:
        found = [*found, *verdict_finding(d, prediction, found)]
        if prediction.verdict is Verdict.SURVIVES:
            found = [_known(f) for f in found]
    return Feasibility(
        discretized=d,
        prediction=prediction,
        network_lsb=steps,
        learning=rules,
        periodic=periods,
        deferred=later,
        signs=by_sign,
        pairs=by_pairs,
        leak=found_leaks,
        ranges=reach,
        widest=widest(d),
        timing=clock,
        places=room,
        all_findings=tuple(_problems_first(found)),
    )


def verdict_finding(
    d: Discretized, prediction: Prediction, others: Sequence[Finding]
) -> Iterator[Finding]:
    """Yield the predicted verdict as a finding where no other problem stands for it."""
    fails = prediction.verdict in (Verdict.DEAD, Verdict.SHIFTED)
    if fails and not any(f.is_problem for f in others):
        yield Finding(
            kind="verdict",
            key="question.projection",
            sentence=f"predicted {prediction.verdict}: {prediction.sentence.rstrip('.')}",
            remedy=f"neuroemu run {d.target.name} shows which rung and which site it is",
        )


def _known(finding: Finding) -> Finding:
    """Return a finding as a note if the prediction has taken it into account, and it does no harm."""
    return replace(finding, severity="note") if finding.kind in KNOWN_TO_PREDICTION else finding


def _problems_first(found: Sequence[Finding]) -> Iterator[Finding]:
    yield from (f for f in found if f.is_problem)
    yield from (f for f in found if not f.is_problem)
