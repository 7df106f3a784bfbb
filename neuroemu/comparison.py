"""Target against float reference on the same input spikes, and everything the verdict needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroemu.engine.run import Run, WeightChanges
from neuroemu.engine.simulate import run_trains, simulate_inputs
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment, Question
from neuroemu.explain import explain
from neuroemu.hardware.config import Target
from neuroemu.metrics.attribution import Attribution, attribution
from neuroemu.metrics.verdict import Decision, PhaseResult, Verdict, decide
from neuroemu.metrics.weights import sample_changes, settling_time, weight_error_lsb
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import RUNGS, ideal, on_target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SETTLING_BAND = 0.1
"""Band around a phase's final mean weight, in parts of the weight range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Where the target first leaves the float reference.

    Parameters
    ----------
    trial, step : int
        In steps of the target.
    register, site : str
        ``weight`` or ``membrane``, and the site (or ``constants``, ``update period``) behind it.
    rung : str
        First rung of the ladder that has the difference.
    reference, target : float
        Weight on both, in the experiment's unit, more than half an LSB apart; or 1 and 0 for a spike that only
        one of them has.
    """

    trial: int
    step: int
    time_ms: float
    register: str
    site: str
    rung: str
    reference: float
    target: float


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
    runs : dict of str to Run
        By rung; all saw the same input spikes.
    rates, control : dict of str to (trials, phases) float64
        Hz, by rung: of the neurons with homeostasis and of those without.
    weight_error : dict of str to float
        ``mean``, ``rms``, ``max_abs`` of target minus reference in weight LSBs, over time and trials.
    settling_ms : dict of str to list
        By rung, the median settling time of the weight in each phase; None where it never settles.
    sentence : str
        The verdict's reason in plain words.
    """

    experiment: Experiment
    target: Target
    discretized: Discretized
    seed: int
    runs: dict[str, Run]
    rates: dict[str, NDArray[np.float64]]
    control: dict[str, NDArray[np.float64]]
    decision: Decision
    attribution: Attribution
    blame: Blame | None
    divergence: Divergence | None
    weight_error: dict[str, float] | None
    settling_ms: dict[str, list[float | None]]
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
    trains = simulate_inputs(experiment, trials=trials, seed=seed, spikes=spikes)
    arithmetics = {"ideal": ideal(experiment)}
    arithmetics |= {rung: on_target(discretized, rung) for rung in RUNGS if rung != "ideal"}
    runs = {}
    for i, (rung, arithmetic) in enumerate(arithmetics.items()):
        if progress is not None:
            progress(i / (len(arithmetics) + 1), rung)
        runs[rung] = run_trains(experiment, target, arithmetic, trains, seed=seed)
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
    if decision.verdict in (Verdict.SHIFTED, Verdict.DEAD):
        if progress is not None:
            progress(len(arithmetics) / (len(arithmetics) + 1), "the site to blame")
        blame = _blame(discretized, question, decision, split, runs["fixed"], trains, seed)
    if progress is not None:
        progress(1.0, "done")
    return Comparison(
        experiment=experiment,
        target=target,
        discretized=discretized,
        seed=seed,
        runs=runs,
        rates=rates,
        control=control,
        decision=decision,
        attribution=split,
        blame=blame,
        divergence=_divergence(discretized, question, runs),
        weight_error=_weight_error(
            question, runs, float(discretized.synapses[question.projection].lsb)
        ),
        settling_ms=_settling(experiment, question, runs),
        sentence=explain(discretized, decision, split, blame.site if blame else ""),
    )


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
            if site.shift > 0 or fixed.sites[name]["overflowed"]:
                exact = on_target(d, "fixed", frozenset({name}))
                run = run_trains(d.experiment, d.target, exact, trains, seed=seed)
                rates = run.rates(question.population, edges, question.settle_ms)
                recovered[name] = float(rates.mean(axis=0)[worst]) - on_chip
    missing = -sum(s.phases[worst].value for s in split.steps if s.rung in ("range", "fixed"))
    best = max(recovered, key=lambda n: recovered[n] * np.sign(missing), default="")
    helps = bool(best) and recovered[best] * np.sign(missing) > abs(missing) / 4
    return Blame(rung=step.rung, site=best if helps else "", recovered=recovered)


def _divergence(d: Discretized, question: Question, runs: Mapping[str, Run]) -> Divergence | None:
    found = _first_difference(d, question, runs["ideal"], runs["fixed"])
    if found is None:
        return None
    trial, step, register, reference, target = found
    rung = "fixed"
    for candidate in ("parameters", "range"):
        other = _first_difference(d, question, runs["ideal"], runs[candidate])
        if other is not None and other[1] <= step:
            rung = candidate
            break
    site = {"weight": "store", "membrane": "leak"}[register]
    if rung == "parameters" or site not in d.sites:
        site = "update period" if d.clock.period_steps else "constants"
    return Divergence(
        trial=trial,
        step=step,
        time_ms=step * float(d.clock.step_ms),
        register=register,
        site=site,
        rung=rung,
        reference=reference,
        target=target,
    )


def _first_difference(
    d: Discretized, question: Question, reference: Run, other: Run
) -> tuple[int, int, str, float, float] | None:
    """Return trial, step, register and both values of the first spike or weight that differs."""
    half = float(d.synapses[question.projection].lsb) / 2
    found: list[tuple[int, int, str, float, float]] = []
    ratio = d.clock.input_steps
    for trial in range(reference.trials):
        a, b = (run.spikes[question.population] for run in (reference, other))
        mine = a.steps[trial] // ratio * a.size + a.neurons[trial]
        theirs = b.steps[trial] * b.size + b.neurons[trial]
        odd = np.setxor1d(mine, theirs)
        if odd.size:
            in_target = float(np.isin(odd[0], theirs))
            found.append((trial, int(odd[0]) // a.size, "membrane", 1.0 - in_target, in_target))
        if question.projection in reference.weights:
            x = reference.weights[question.projection]
            y = other.weights[question.projection]
            width = other.n_steps + 1
            synapses = np.union1d(x[trial].synapse, y[trial].synapse)
            records = (
                _one_record(x[trial], x.initial, ratio, synapses, width),
                _one_record(y[trial], y.initial, 1, synapses, width),
            )
            at = np.union1d(records[0][0], records[1][0])
            v, w = (sample_changes(*record, 0.0, at) for record in records)
            apart = np.flatnonzero(np.abs(v - w) > half)
            if apart.size:
                i = apart[np.argmin(at[apart] % width)]
                found.append((trial, int(at[i] % width) - 1, "weight", float(v[i]), float(w[i])))
    return min(found, key=lambda f: (f[1], f[0], f[2] != "weight"), default=None)


def _one_record(
    changes: WeightChanges, initial: float, ratio: int, synapses: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return all synapses' changes as one record: each is given `width` steps, its first the start."""
    steps = changes.synapse * width + changes.step // ratio + 1
    keys = np.concatenate((synapses * width, steps))
    values = np.concatenate((np.full(synapses.size, initial), changes.value))
    order = np.argsort(keys, kind="stable")
    return keys[order], values[order]


def _weight_error(
    question: Question, runs: Mapping[str, Run], lsb: float
) -> dict[str, float] | None:
    if question.projection not in runs["fixed"].weights:
        return None
    reference, target = (runs[r].weights[question.projection] for r in ("ideal", "fixed"))
    times = np.linspace(0, runs["fixed"].n_steps * runs["fixed"].step_ms, 401)[1:]
    errors = []
    for trial in range(len(target)):
        columns = []
        for run, record in ((runs["ideal"], reference), (runs["fixed"], target)):
            first = record[trial].synapse == 0
            at = np.floor(times / run.step_ms + 1e-9).astype(np.int64) - 1
            changes = record[trial]
            columns.append(
                sample_changes(changes.step[first], changes.value[first], record.initial, at)
            )
        errors.append(weight_error_lsb(columns[0], columns[1], lsb))
    return {
        "mean": float(np.mean([e.mean for e in errors])),
        "rms": float(np.sqrt(np.mean([e.rms**2 for e in errors]))),
        "max_abs": float(max(e.max_abs for e in errors)),
    }


def _settling(
    experiment: Experiment, question: Question, runs: Mapping[str, Run]
) -> dict[str, list[float | None]]:
    edges = experiment.phase_edges_ms()
    rule = experiment.projections[question.projection].plasticity
    result: dict[str, list[float | None]] = {}
    for rung in ("ideal", "fixed"):
        run = runs[rung]
        if question.projection not in run.weights or rule is None:
            continue
        record = run.weights[question.projection]
        medians: list[float | None] = []
        for start, stop in pairwise(edges):
            times = []
            for changes in record.trials:
                first = changes.synapse == 0
                steps = settling_time(
                    changes.step[first],
                    changes.value[first],
                    record.initial,
                    phase_start=round(start / run.step_ms),
                    phase_stop=round(stop / run.step_ms),
                    band=SETTLING_BAND * (rule.w_max - rule.w_min),
                )
                times.append(np.inf if steps is None else steps * run.step_ms)
            median = float(np.median(times))
            medians.append(median if np.isfinite(median) else None)
        result[rung] = medians
    return result
