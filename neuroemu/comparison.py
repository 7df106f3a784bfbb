"""Target against float reference on the same input spikes, and everything the verdict needs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroemu.divergence import Divergence, first_divergence, settling_ms, weight_error
from neuroemu.engine.run import Run
from neuroemu.engine.simulate import run_trains, simulate_inputs
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment, Question
from neuroemu.explain import explain
from neuroemu.hardware.config import Target
from neuroemu.metrics.attribution import Attribution, attribution
from neuroemu.metrics.verdict import Decision, PhaseResult, Verdict, decide
from neuroemu.models.arithmetic import RUNGS
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import ideal, on_target
from neuroemu.prediction.predict import Prediction, predict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


UPDATES_PER_CHUNK = 100_000_000
"""Neuron updates between two movements of the progress bar: about a twentieth of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """What costs most.

    Parameters
    ----------
    rung : str
        The step of the ladder with the largest difference of rates.
    site : str
        The site that, made exact, gives most of it back; empty if no site does.
    recovered : dict of str to float
        For each candidate the rate in the worst phase when it is exact, minus that on the target, Hz.
    """

    rung: str
    site: str
    recovered: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The outcome of `compare`.

    Parameters
    ----------
    input_digest : str
        Of given input spikes; empty if they were drawn from the seed.
    runs : dict of str to Run
        By rung; all saw the same input spikes.
    rates, control : dict of str to (trials, phases) float64
        Hz, by rung: of the neurons with homeostasis and of those without.
    weight_error : dict of str to float
        ``mean``, ``rms``, ``max_abs`` of target minus reference in weight LSBs, over time and trials.
    settling_ms : dict of str to list
        By rung, the median settling time of the weight in each phase; None where it never settles.
    prediction : Prediction
        What was to be expected before the run.
    sentence : str
        The verdict's reason in plain words.
    """

    experiment: Experiment
    target: Target
    discretized: Discretized
    seed: int
    input_digest: str
    runs: dict[str, Run]
    rates: dict[str, NDArray[np.float64]]
    control: dict[str, NDArray[np.float64]]
    decision: Decision
    attribution: Attribution
    blame: Blame | None
    divergence: Divergence | None
    weight_error: dict[str, float] | None
    settling_ms: dict[str, list[float | None]]
    prediction: Prediction
    sentence: str

    @property
    def verdict(self) -> Verdict:
        """``survives``, ``shifted``, ``dead`` or ``inconclusive``."""
        return self.decision.verdict

    @property
    def phases(self) -> tuple[PhaseResult, ...]:
        """Rates of each phase with their intervals."""
        return self.decision.phases

    @property
    def trials(self) -> int:
        """Number of trials."""
        return self.decision.trials

    def as_json(self) -> dict[str, Any]:
        """Return verdict, reason and all numbers behind them as plain data."""
        return {
            "target": self.target.name,
            "experiment": self.experiment.name,
            "verdict": str(self.verdict),
            "sentence": self.sentence,
            "decision": asdict(self.decision),
            "attribution": asdict(self.attribution),
            "blame": asdict(self.blame) if self.blame else None,
            "divergence": asdict(self.divergence) if self.divergence else None,
            "weight_error_lsb": self.weight_error,
            "settling_ms": self.settling_ms,
            "prediction": self.prediction.as_json(),
            "sites": self.runs["fixed"].sites,
            "input_coincidences": self.runs["fixed"].input_coincidences,
        }

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the example's three panels and the rates over trials; save them if `path` is given.

        Parameters
        ----------
        path : str or Path, optional
            File to write; its ending chooses the format (png, svg, pdf).
        """
        from neuroemu.report.figures import comparison_figure, save_figure

        figure = comparison_figure(self)
        if path is not None:
            save_figure(figure, Path(path))
        return figure


def compare(
    experiment: Experiment,
    target: Target,
    *,
    trials: int = 32,
    seed: int = 0,
    spikes: Mapping[str, Sequence[ArrayLike]] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Comparison:
    """Run `experiment` on `target`, on the float reference and on the rungs between, and judge.

    Parameters
    ----------
    experiment : Experiment
        It must ask a question: what homeostasis, what control.
    target : Target
    trials : int
        Runs with different input spikes; the verdict needs at least 2, and 8 or more to be sharp.
    seed : int
        Of input spikes and stochastic rounding.
    spikes : mapping, optional
        Given input, as for `simulate`.
    progress : callable, optional
        Called with the part that is done and what is running.

    Raises
    ------
    ConfigError
        If the experiment asks no question, or does not fit the target.
    """
    question = experiment.question
    if question is None:
        raise ConfigError.one(
            experiment.name,
            "question",
            rule="a verdict needs a question",
            remedy="add a [question] table with population, control, projection and stimulus",
        )
    discretized = discretize(experiment, target)
    prediction = predict(discretized)
    trains = simulate_inputs(experiment, trials=trials, seed=seed, spikes=spikes)
    arithmetics = {"ideal": ideal(experiment)}
    arithmetics |= {rung: on_target(discretized, rung) for rung in RUNGS if rung != "ideal"}
    runs = {}
    lanes = len(trains) * sum(p.size for p in experiment.populations.values())
    for i, (rung, arithmetic) in enumerate(arithmetics.items()):

        def show(part: float, i: int = i, rung: str = rung) -> None:
            if progress is not None:
                progress((i + part) / (len(arithmetics) + 1), rung)

        show(0.0)
        runs[rung] = run_trains(
            experiment,
            target,
            arithmetic,
            trains,
            seed=seed,
            chunk_ms=max(UPDATES_PER_CHUNK // lanes, 1) * float(arithmetic.clock.step_ms),
            progress=show,
        )
    edges = experiment.phase_edges_ms()
    rates = {
        r: run.rates(question.population, edges, question.settle_ms) for r, run in runs.items()
    }
    control = {r: run.rates(question.control, edges, question.settle_ms) for r, run in runs.items()}
    set_point = experiment.set_point_hz() or 0.0
    decision = decide(
        rates["fixed"],
        rates["ideal"],
        control["fixed"],
        set_point_hz=set_point,
        margin=question.margin,
        alpha=question.alpha,
    )
    split = attribution(rates, alpha=question.alpha)
    blame = None
    can_learn = target.plasticity.computes  # there, no site is to blame
    if can_learn and decision.verdict in (Verdict.SHIFTED, Verdict.DEAD):
        if progress is not None:
            what = "the site to blame (its first time compiles a kernel)"
            progress(len(arithmetics) / (len(arithmetics) + 1), what)
        blame = _blame(discretized, question, decision, split, runs["fixed"], trains, seed)
    if progress is not None:
        progress(1.0, "done")
    return Comparison(
        experiment=experiment,
        target=target,
        discretized=discretized,
        seed=seed,
        input_digest="" if spikes is None else _digest_of(trains),
        runs=runs,
        rates=rates,
        control=control,
        decision=decision,
        attribution=split,
        blame=blame,
        divergence=first_divergence(discretized, question, runs),
        weight_error=weight_error(
            question, runs, float(discretized.synapses[question.projection].lsb)
        ),
        settling_ms=settling_ms(experiment, question, runs),
        prediction=prediction,
        sentence=explain(
            discretized,
            decision,
            split,
            blame.site if blame else "",
            prediction.set_point_hz,
            (control["fixed"] - control["ideal"]).mean(axis=0).tolist(),
        ),
    )


def _digest_of(trains: Sequence[Mapping[str, NDArray[np.int64]]]) -> str:
    digest = hashlib.sha256()
    for by_name in trains:
        for name in sorted(by_name):
            digest.update(f"{name} {len(by_name[name])} ".encode())
            digest.update(np.ascontiguousarray(by_name[name], "<i8").tobytes())
    return digest.hexdigest()


def _overflowed(d: Discretized, fixed: Run, site: str) -> bool:
    """Whether a site left its range; those of a chip's step are counted together, a sign that is read not at all."""
    if site == "read":
        return d.target.plasticity.counter.signed
    counted = fixed.sites.get(site) or fixed.sites["membrane"]
    return bool(counted["overflowed"])


def _blame(
    d: Discretized,
    question: Question,
    decision: Decision,
    split: Attribution,
    fixed: Run,
    trains: Any,
    seed: int,
) -> Blame:
    """Find the rung with the largest step, and within ``fixed`` the site that gives most back."""
    worst = decision.worst_phase
    step = max(split.steps, key=lambda s: abs(s.phases[worst].value))
    recovered = {}
    if step.rung in ("range", "fixed"):
        edges = d.experiment.phase_edges_ms()
        on_chip = decision.phases[worst].target.value
        for name, site in d.sites.items():
            if site.shift > 0 or _overflowed(d, fixed, name):
                exact = on_target(d, "fixed", frozenset({name}))
                run = run_trains(d.experiment, d.target, exact, trains, seed=seed)
                rates = run.rates(question.population, edges, question.settle_ms)
                recovered[name] = float(rates.mean(axis=0)[worst]) - on_chip
    missing = -sum(s.phases[worst].value for s in split.steps if s.rung in ("range", "fixed"))
    best = max(recovered, key=lambda n: recovered[n] * np.sign(missing), default="")
    helps = bool(best) and recovered[best] * np.sign(missing) > abs(missing) / 4
    return Blame(rung=step.rung, site=best if helps else "", recovered=recovered)
