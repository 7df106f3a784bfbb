"""Observe, propose, judge: the whole of ``neuroemu fit``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neuroemu.comparison import Comparison, compare
from neuroemu.engine.run import Run
from neuroemu.engine.simulate import simulate
from neuroemu.errors import ConfigError, Violation
from neuroemu.experiment import Experiment
from neuroemu.fitting.observe import observe
from neuroemu.fitting.observed import Observation
from neuroemu.fitting.propose import Proposal, memory_bits, propose
from neuroemu.fitting.register import Register, Request
from neuroemu.fitting.supported import check_supported
from neuroemu.hardware.config import Target
from neuroemu.metrics.verdict import Verdict
from neuroemu.models.constants import Constant
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal

MARGIN = 0.25
PRECISION = 0.02
TRIALS = 16

LARGEST_PRECISION = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The outcome of `fit`.

    Parameters
    ----------
    request : Request
        Experiment, target, observation, margin and precision.
    proposal : Proposal
        The new target, and the reason for each format.
    discretized : Discretized
        The experiment in the new target's numbers.
    comparison : Comparison or None
        The judgement on other input; None if the experiment asks no question.
    overflowed : dict of str to int
        How often each site left its range in the judgement's run on the new target.
    judged_seed : int
        Of that input.
    """

    request: Request
    proposal: Proposal
    discretized: Discretized
    comparison: Comparison | None
    overflowed: dict[str, int]
    judged_seed: int

    @property
    def target(self) -> Target:
        """The new target."""
        return self.proposal.target

    @property
    def observation(self) -> Observation:
        """What the float run held."""
        return self.request.observation

    @property
    def registers(self) -> tuple[Register, ...]:
        """The fitted registers."""
        return self.proposal.registers

    @property
    def verdict(self) -> Verdict | None:
        """Whether the proposal survives; None if the experiment asks no question."""
        return None if self.comparison is None else self.comparison.verdict

    @property
    def bits(self) -> tuple[int, int]:
        """Sum of the widths of the fitted registers, as proposed and as the target has them."""
        own = sum(r.own.width for r in self.registers if r.own is not None)
        return sum(r.format.width for r in self.registers), own

    @property
    def memory(self) -> tuple[int, int]:
        """Bits that the network of the experiment holds, as proposed and on the target."""
        proposed = {r.key: r.format.width for r in self.registers}
        own = {r.key: r.own.width for r in self.registers if r.own is not None}
        return memory_bits(self.request, proposed), memory_bits(self.request, own)

    @property
    def off(self) -> tuple[Constant, ...]:
        """Constants of the experiment that are further from what was asked than the precision.

        The membrane's constants are compared with the threshold: rest may lie anywhere.
        """
        return tuple(c for c in self.discretized.constants if self._is_off(c))

    def _is_off(self, constant: Constant) -> bool:
        precision = float(self.request.precision) * (1 + 1e-9)
        key = constant.key
        if key.endswith(".tau_refrac_ms"):
            return False  # whole steps, whatever the register
        if key.endswith((".dw_plus", ".dw_minus")) and not self.request.learns:
            return False
        if key.endswith(".leak_multiplier"):
            return abs(constant.realised - constant.asked) > precision * (1 - constant.asked)
        if key.endswith((".v_reset", ".v_init")):
            population = self.request.experiment.populations[key.split(".")[1]]
            scale = population.v_thresh - population.v_rest
            return abs(constant.realised - constant.asked) > precision * scale
        return abs(constant.relative_error) > precision

    def as_json(self) -> dict[str, Any]:
        """Return the proposal and all numbers behind it as plain data."""
        bits, memory = self.bits, self.memory
        return {
            "target": self.request.target.name,
            "experiment": self.request.experiment.name,
            "margin": float(self.request.margin),
            "precision": float(self.request.precision),
            "trials": self.observation.trials,
            "seed": self.observation.seed,
            "registers": [r.as_json() for r in self.registers],
            "bits": {"proposed": bits[0], "own": bits[1]},
            "memory_bits": {"proposed": memory[0], "own": memory[1]},
            "shortfalls": list(self.proposal.shortfalls),
            "off": [c.as_json() for c in self.off],
            "judged_seed": self.judged_seed,
            "verdict": None if self.verdict is None else str(self.verdict),
            "sentence": None if self.comparison is None else self.comparison.sentence,
            "overflowed": self.overflowed,
            "proposal": self.target.model_dump(mode="json", exclude_none=True),
        }


def fit(
    experiment: Experiment,
    target: Target,
    *,
    margin: float = MARGIN,
    precision: float = PRECISION,
    trials: int = TRIALS,
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
) -> Fit:
    """Propose the narrowest formats in which `target` runs `experiment`.

    Parameters
    ----------
    experiment : Experiment
    target : Target
        Gives everything that is no format.
    margin : float
        Headroom over what was observed, as a part of it.
    precision : float
        Part by which a constant, or what rounding adds up to, may be off; at most a half.
    trials : int
        Runs with different input spikes.
    seed : int
        Of the input that is observed; the proposal is judged on that of the next seed.
    progress : callable, optional
        Called with the part that is done and what is running.

    Returns
    -------
    Fit

    Raises
    ------
    ConfigError
        If an argument is out of range, the target's step or learning is not the experiment's own, times do not fit
        together, or no register could hold a value.
    FixedPointOverflowError
        If a site of the proposal with ``overflow = "error"`` overflows on other input.

    Examples
    --------
    >>> import neuroemu as ne
    >>> experiment = ne.load_experiment("spike_based_homeostasis", ["time.duration_ms=15000"])
    >>> found = fit(experiment, ne.load_target("generic8"), trials=4)
    >>> str(found.target.membrane.leak.format), found.off
    ('fxp-u12/12', ())
    """
    check_parts(margin, precision)
    check_supported(target)
    say = progress if progress is not None else _quiet
    observation = observe(
        experiment,
        target,
        trials=trials,
        seed=seed,
        progress=lambda part: say(0.5 * part, "the float run (its first time compiles a kernel)"),
    )
    request = Request(
        experiment=experiment,
        target=target,
        observation=observation,
        margin=decimal(margin),
        precision=decimal(precision),
    )
    proposal = propose(request)
    discretized = discretize(experiment, proposal.target)
    judged_seed = (seed + 1) % 2**64
    comparison, run = _judge(experiment, proposal.target, trials, judged_seed, say)
    return Fit(
        request=request,
        proposal=proposal,
        discretized=discretized,
        comparison=comparison,
        overflowed={name: did["overflowed"] or 0 for name, did in run.sites.items()},
        judged_seed=judged_seed,
    )


def _quiet(part: float, what: str) -> None:
    """Say nothing."""


def _judge(
    experiment: Experiment,
    target: Target,
    trials: int,
    seed: int,
    say: Callable[[float, str], None],
) -> tuple[Comparison | None, Run]:
    if experiment.question is None:
        say(0.5, "the proposal")
        return None, simulate(experiment, target, trials=trials, seed=seed)
    comparison = compare(
        experiment,
        target,
        trials=trials,
        seed=seed,
        progress=lambda part, what: say(0.5 + 0.5 * part, f"the proposal, {what}"),
    )
    return comparison, comparison.runs["fixed"]


def check_parts(margin: float, precision: float) -> None:
    """Refuse a margin or a precision out of range, before any work is done.

    Raises
    ------
    ConfigError
    """
    violations = []
    if not 0 <= margin < math.inf:
        violations.append(
            Violation(
                source="margin",
                value=f"{margin:g}",
                rule="the headroom over what was observed is 0 or more",
                remedy="use 0.25",
            )
        )
    if not 0 < precision <= LARGEST_PRECISION:
        violations.append(
            Violation(
                source="precision",
                value=f"{precision:g}",
                rule="the part by which a quantity may be off is more than 0 and at most 0.5",
                remedy="use 0.02",
            )
        )
    if violations:
        raise ConfigError(violations)
