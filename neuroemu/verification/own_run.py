"""Arithmetic laws of the experiment itself: what its own run does to its registers."""

from __future__ import annotations

from dataclasses import replace

from neuroemu.engine.run import Run
from neuroemu.engine.setup import simulate_inputs
from neuroemu.engine.simulate import run_trains
from neuroemu.models.rungs import on_target
from neuroemu.testing.case import Case
from neuroemu.testing.judges import difference
from neuroemu.verification.agreement import IN_DOUBLES
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.learning import has_target
from neuroemu.verification.small import shortened

TRIALS = 4
FAR = 2**45
"""A range that no register leaves."""
COUNTED_WITH = {"membrane": ("current", "force", "slope")}
"""Sites whose overflows are counted with those of another."""


def own_run(setting: Setting, *, trial: int = 0, trials: int = TRIALS, freed: str = "") -> Run:
    """Run the experiment on the target, with one site's range out of the way if `freed` names it.

    Where a site's overflow is ``error`` the run is not refused: it goes on as if saturated, and counts.
    """
    experiment, plan = setting.experiment, setting.plan
    arithmetic = replace(on_target(plan, "fixed"), refused=frozenset())
    if freed:
        wide = {
            name: replace(plan.sites[name], lo=-FAR, hi=FAR, overflow="saturate")
            for name in (freed, *COUNTED_WITH.get(freed, ()))
            if name in plan.sites
        }
        freed_plan = replace(plan, sites=plan.sites | wide)
        arithmetic = replace(on_target(freed_plan, "fixed", IN_DOUBLES), refused=frozenset())
    trains = simulate_inputs(experiment, trials=trials, seed=setting.seed, first_trial=trial)
    return run_trains(experiment, None, arithmetic, trains, seed=setting.seed, first_trial=trial)


def experiment_in_range(setting: Setting) -> Outcome:
    """Run the experiment and look at what left its range."""
    passed_over = {"leak", "count"} | ({"change"} if has_target(setting) else set())
    return _overflows(setting, [n for n in setting.plan.sites if n not in passed_over])


def counters_hold(setting: Setting) -> Outcome:
    """Run the experiment and look at its spike counters."""
    if setting.target.plasticity.update != "periodic" or not setting.plastic:
        return does_not_apply("learning is not periodic")
    return _overflows(setting, ["count"])


def _overflows(setting: Setting, names: list[str]) -> Outcome:
    run = own_run(setting)
    found = {n: run.sites[n] for n in names if n in run.sites and run.sites[n]["overflowed"]}
    if not found:
        return holds("trials", TRIALS)
    step = min(int(did["overflow_step"] or 0) for did in found.values())
    case = own_start(setting, step + 1, _trial_of_first(setting, step))
    numbers = {name: did["overflowed"] for name, did in found.items()}
    texts, effects = [], []
    for name in found:
        effects.append(name == "count" or _has_effect(setting, run, name))
        texts.append(_told(setting, run, name, effects[-1]))
    return broken(
        leaves_range,
        case,
        "; ".join(texts),
        how="trials",
        cases=TRIALS,
        is_small=not any(effects),
        **numbers,
    )


def _told(setting: Setting, run: Run, name: str, has_effect: bool) -> str:
    did, site = run.sites[name], setting.plan.sites[name]
    step, number = int(did["overflow_step"] or 0), int(did["overflowed"] or 0)
    text = (
        f"site {name} ({site.lo} to {site.hi}, {site.overflow}) overflows {number:,} times in {TRIALS} trials, "
        f"first in step {step:,} ({step * run.step_ms:g} ms)"
    )
    if name == "count":
        return text
    return f"{text}; {'with' if has_effect else 'without'} effect on spikes and weights"


def _has_effect(setting: Setting, run: Run, name: str) -> bool:
    """Return whether spikes or weights would be others if the site had all the range it needs."""
    free = own_run(setting, freed=name)
    weights = [
        {n: [(t.step, t.raw) for t in r.trials] for n, r in each.weights.items()}
        for each in (run, free)
    ]
    return (
        difference(run.spikes, free.spikes) is not None
        or difference(weights[0], weights[1]) is not None
    )


def _trial_of_first(setting: Setting, step: int) -> int:
    """Return the trial in which a site overflowed first."""
    for trial in range(TRIALS):
        run = own_run(setting, trial=trial, trials=1)
        if any(did["overflow_step"] == step and did["overflowed"] for did in run.sites.values()):
            return trial
    return 0


def own_start(setting: Setting, steps: int, trial: int) -> Case:
    """Return the first steps of one trial of the experiment."""
    clock = setting.plan.clock
    period = max(clock.period_steps, 1)
    steps = -(-steps // period) * period
    steps = min(max(steps, 2), clock.n_steps)
    experiment = shortened(setting.experiment, float(steps * clock.step_ms))
    drawn = simulate_inputs(setting.experiment, trials=1, seed=setting.seed, first_trial=trial)[0]
    end = steps * clock.input_steps
    spikes = {name: [train[train[:, 0] < end]] for name, train in drawn.items()}
    return Case(
        target=setting.target,
        experiment=experiment,
        spikes=spikes,
        seed=setting.seed,
        first_trial=trial,
    )


def leaves_range(e: Evidence) -> str | None:
    """Return what left its range in a case."""
    if isinstance(e.kernel, str):
        return e.kernel
    for name, did in e.kernel.sites.items():
        if did["overflowed"]:
            return f"site {name} overflows {did['overflowed']} times, first in step {did['overflow_step']}"
    return None


LAWS = (
    Law(
        name="experiment-in-range",
        sentence="In the experiment no register leaves its range.",
        kind="arithmetic",
        judge=leaves_range,
        test=experiment_in_range,
    ),
    Law(
        name="counters-hold",
        sentence="In the experiment no spike counter overflows within a period.",
        kind="arithmetic",
        judge=leaves_range,
        test=counters_hold,
    ),
)
