"""The smallest change of formats that clears findings: docs/spec/feasibility.md, "--fix"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.feasibility.accumulator import accumulator_findings
from neuroemu.feasibility.check import KNOWN_TO_PREDICTION, Feasibility, check
from neuroemu.feasibility.constants import constant_findings
from neuroemu.feasibility.deferred import deferred, deferred_findings
from neuroemu.feasibility.findings import Finding, plain
from neuroemu.feasibility.grow import (
    FORMATS,
    Group,
    Grow,
    bits,
    groups,
    value_at,
    with_value,
)
from neuroemu.feasibility.leak import leaks
from neuroemu.feasibility.leak_findings import leak_findings
from neuroemu.feasibility.learning import learning
from neuroemu.feasibility.learning_findings import learning_findings
from neuroemu.feasibility.network_lsb import network_lsb, network_lsb_findings
from neuroemu.feasibility.periodic import periodic, periodic_findings
from neuroemu.feasibility.range_findings import range_findings
from neuroemu.feasibility.ranges import reaches
from neuroemu.hardware.config import Target
from neuroemu.hardware.rules import target_violations
from neuroemu.metrics.outcome import Verdict
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.numeric.site import ROUNDINGS

MOST_BITS = 16
"""A register grows by no more."""

Judge = Callable[[Target], "list[Finding] | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What clears the findings.

    Parameters
    ----------
    changes : dict of str to str
        New value of each changed key.
    added_bits : int
        Over all registers.
    unsolved : tuple of str
        Groups that no added bits clear.
    roundings : dict of str to (tuple of str)
        For each key the roundings that clear its group by themselves, at the present formats.
    before, after : Feasibility
        The check of the target as it is, and as changed.
    """

    changes: dict[str, str]
    added_bits: int
    unsolved: tuple[str, ...]
    roundings: dict[str, tuple[str, ...]]
    before: Feasibility
    after: Feasibility

    def as_overrides(self) -> tuple[str, ...]:
        """Return the changes as ``--set`` takes them."""
        return tuple(f"{key}={value}" for key, value in self.changes.items())

    def as_toml(self) -> str:
        """Return the changes as tables of a target's file."""
        tables: dict[str, list[str]] = {}
        for key, value in self.changes.items():
            table, _, name = key.rpartition(".")
            written = value if value.isdigit() else f'"{value}"'
            tables.setdefault(table, []).append(f"{name} = {written}")
        return "\n\n".join("\n".join([f"[{t}]", *lines]) for t, lines in tables.items())

    def as_json(self) -> dict[str, Any]:
        """Return the repair as plain data."""
        return {
            "changes": self.changes,
            "added_bits": self.added_bits,
            "unsolved": list(self.unsolved),
            "roundings": plain(self.roundings),
            "left": plain(self.after.findings),
            "prediction": plain(self.after.as_json()["prediction"]),
        }


def repair(experiment: Experiment, target: Target, before: Feasibility | None = None) -> Repair:
    """Find the fewest bits that clear what formats can clear.

    Parameters
    ----------
    experiment, target
        As for `check`.
    before : Feasibility, optional
        Their check, if it is there already.

    Raises
    ------
    ConfigError
        If the experiment does not fit the target at all.
    """
    before = before or check(experiment, target)
    current, now = target, before
    unsolved: list[str] = []
    roundings: dict[str, tuple[str, ...]] = {}
    for group in groups(experiment):
        wrong = [f for f in now.findings if _belongs(f, group)]
        if not wrong:
            continue
        judge = _judge(experiment, group, _ignored(now))
        roundings |= _roundings(current, group, judge)
        found = cheapest(current, group, judge)
        if found is None:
            unsolved.append(group.name)
            continue
        current = found
        now = check(experiment, current)
    changes = _changes(target, current)
    return Repair(
        changes=changes,
        added_bits=bits(current) - bits(target),
        unsolved=tuple(unsolved),
        roundings=roundings,
        before=before,
        after=now,
    )


def _ignored(found: Feasibility) -> frozenset[str]:
    prediction = found.prediction
    survives = prediction is not None and prediction.verdict is Verdict.SURVIVES
    return frozenset(KNOWN_TO_PREDICTION if survives else ())


def _belongs(finding: Finding, group: Group) -> bool:
    return finding.is_problem and finding.register.startswith(group.registers)


def _judge(experiment: Experiment, group: Group, ignored: frozenset[str]) -> Judge:
    """Return what finds the problems of a group on a target; None if the target is refused."""

    def problems(target: Target) -> list[Finding] | None:
        if target_violations(target, target.name):
            return None
        try:
            d = discretize(experiment, target)
        except ConfigError:
            return None
        found = _learning_side(d) if group.name == "learning" else _membrane_side(d)
        return [f for f in found if _belongs(f, group) and f.kind not in ignored]

    return problems


def _learning_side(d: Discretized) -> Iterator[Finding]:
    rules = learning(d)
    periods = periodic(d, rules)
    yield from constant_findings(d)
    yield from network_lsb_findings(network_lsb(d))
    yield from learning_findings(d, rules)
    yield from periodic_findings(d, periods)
    yield from deferred_findings(d, deferred(d, rules))
    yield from accumulator_findings(d, rules, periods)


def _membrane_side(d: Discretized) -> Iterator[Finding]:
    yield from constant_findings(d)
    yield from leak_findings(d, leaks(d))
    yield from range_findings(d, reaches(d))


def cheapest(start: Target, group: Group, judge: Judge) -> Target | None:
    """Return the target with the fewest added bits that has no problem of the group; None if none has."""
    best: Target | None = None
    for total in range(MOST_BITS * len(group.grow) + 1):
        if best is not None and total >= bits(best) - bits(start):
            break
        for shares in _shares(total, len(group.grow)):
            grown = _grown(start, group.grow, shares)
            held = None if grown is None else _held(grown, group, judge)
            if held is not None and (best is None or bits(held) < bits(best)):
                best = held
    return best


def _shares(total: int, ways: int) -> Iterator[tuple[int, ...]]:
    if ways == 1:
        yield (total,)
        return
    for one in range(max(0, total - MOST_BITS), min(total, MOST_BITS) + 1):
        yield (one, total - one)


def _grown(target: Target, ways: tuple[Grow, ...], shares: tuple[int, ...]) -> Target | None:
    current: Target | None = target
    for grow, share in zip(ways, shares, strict=True):
        if share and current is not None:
            current = grow(current, share)
    return current


def _held(target: Target, group: Group, judge: Judge) -> Target | None:
    """Return the target with what has to follow grown as far as needed; None if a problem is left."""
    found = judge(target)
    for is_cleared_by_it, grow in group.hold:
        for _ in range(MOST_BITS):
            if found is None or not any(map(is_cleared_by_it, found)):
                break
            wider = grow(target, 1)
            if wider is None:
                return None
            target, found = wider, judge(wider)
    return target if found == [] else None


def _changes(old: Target, new: Target) -> dict[str, str]:
    keys = (*FORMATS, "plasticity.counter.width")
    return {
        key: str(value_at(new, key)) for key in keys if value_at(new, key) != value_at(old, key)
    }


def _roundings(target: Target, group: Group, judge: Judge) -> dict[str, tuple[str, ...]]:
    """Return which other roundings clear a group at the present formats."""
    found = {}
    for key in group.roundings:
        own = value_at(target, key)
        others = [r for r in ROUNDINGS if r not in (own, "trunc")]
        if key == "plasticity.increment.rounding":
            others = [r for r in others if r != "stochastic"]
        good = tuple(r for r in others if judge(with_value(target, key, r)) == [])
        if good:
            found[key] = good
    return found
