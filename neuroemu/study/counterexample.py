"""Where a width that does not pass parts from the float reference, in a run as short as can be found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuroemu.divergence import Divergence, first_divergence
from neuroemu.engine.inputs import Inputs
from neuroemu.engine.run import Run
from neuroemu.engine.simulate import run_trains, simulate_inputs
from neuroemu.errors import FixedPointOverflowError
from neuroemu.experiment import Experiment, Question, Record
from neuroemu.hardware.clock import Clock
from neuroemu.hardware.config import Target
from neuroemu.models.arithmetic import RUNGS, Arithmetic
from neuroemu.models.discretize import discretize
from neuroemu.models.rungs import ideal, on_target
from neuroemu.study.config import Study
from neuroemu.study.find import Counterexample, Judged
from neuroemu.study.points import Point

T = TypeVar("T")

MOST_TRIES = 250
"""Runs spent on thinning the input of a counterexample; each takes some milliseconds."""
FIRST_STEPS = 10_000
"""Steps of the target that are searched first; each stretch after them is twice as long."""

Spike = tuple[int, str, int]
"""Of the input: step on the experiment's grid, stimulus, source."""


def counterexample(point: Point, judged: Judged, minimum: Target, study: Study) -> Counterexample:
    """Return a short run in which a point of a study parts from the reference.

    Of the first look's trials that one in which they part soonest while the minimum still follows (or soonest at all)
    is cut where they part, and its input spikes are thinned as long as all this remains, and register and site.

    Parameters
    ----------
    point : Point
        That is not refused.
    judged : Judged
        What became of it.
    minimum : Target
        With one bit more; it passes.
    study : Study
    """
    assert point.target is not None and point.experiment is not None  # noqa: S101
    bench = _Bench.of(point.experiment, point.target, minimum, study.seed)
    cut = bench.first(study.trials.first)
    about: dict[str, Any] = {"widths": judged.widths, "word": judged.word}
    if cut is None:
        sentence = f"{NOT_PARTED}; {study.trials.first} trials"
        return Counterexample(**about, sentence=sentence, case={})
    cut = bench.without_silence(bench.thinned(cut))
    parting = cut.parting
    return Counterexample(
        **about,
        sentence=_sentence(cut),
        trial=cut.trial,
        time_ms=parting.time_ms,
        register=parting.register,
        site=parting.site,
        reference=parting.reference,
        target=parting.target,
        minimum_follows=cut.minimum_follows,
        input_spikes=len(cut.spikes),
        case=bench.case(cut),
    )


NOT_PARTED = (
    "no spike differs from the reference's, nor the weight by more than half an LSB: "
    "it fails in the mean alone"
)


@dataclass(frozen=True, slots=True)
class _Cut:
    """A trial's input, and where the two part on it; the run ends there."""

    trial: int
    spikes: tuple[Spike, ...]
    parting: Divergence
    minimum_follows: bool

    @property
    def steps(self) -> int:
        """Steps of the target that it takes to see it."""
        return max(self.parting.step + 1, 1)

    def ended(self, ratio: int) -> _Cut:
        """Return the cut without the input after its end, whose grid is `ratio` times finer."""
        end = self.steps * ratio
        return replace(self, spikes=tuple(s for s in self.spikes if s[0] < end))

    def is_like(self, other: _Cut) -> bool:
        """Whether the same register parts at the same site, and the minimum follows, or not, as there."""
        mine, theirs = (
            (c.parting.register, c.parting.site, c.minimum_follows) for c in (self, other)
        )
        return mine == theirs


@dataclass(frozen=True, slots=True)
class _Bench:
    """Runs stretches of an experiment on target, reference and minimum, and compares them."""

    experiment: Experiment
    question: Question
    target: Target
    minimum: Target
    seed: int
    clock: Clock

    @classmethod
    def of(cls, experiment: Experiment, target: Target, minimum: Target, seed: int) -> _Bench:
        question = experiment.question
        assert question is not None  # noqa: S101 - a study has seen to it
        clock = discretize(experiment, target).clock
        question = question.model_copy(update={"settle_ms": 0.0})  # which may be longer than a cut
        changed = {"question": question, "record": Record(weights=(question.projection,))}
        return cls(experiment.model_copy(update=changed), question, target, minimum, seed, clock)

    def stretch(self, steps: int) -> Experiment:
        """Return the experiment cut to a number of the target's steps."""
        duration = {"duration_ms": float(steps * self.clock.step_ms)}
        time = self.experiment.time.model_copy(update=duration)
        return self.experiment.model_copy(update={"time": time})

    def look(self, trial: int, spikes: Sequence[Spike], steps: int) -> _Cut | None:
        """Return where the two part first in so many steps, None if they do not or a site refuses the run."""
        experiment, end = self.stretch(steps), steps * self.clock.input_steps
        spikes = tuple(s for s in spikes if s[0] < end)
        d, inputs = discretize(experiment, self.target), Inputs([self.trains(spikes)])
        arithmetics = {r: ideal(experiment) if r == "ideal" else on_target(d, r) for r in RUNGS}

        def run(arithmetic: Arithmetic, target: Target = self.target) -> Run:
            return run_trains(
                experiment, target, arithmetic, inputs, seed=self.seed, first_trial=trial
            )

        try:
            runs = {str(rung): run(a) for rung, a in arithmetics.items()}
            parting = first_divergence(d, self.question, runs)
            if parting is None:
                return None
            more = on_target(discretize(experiment, self.minimum), "fixed")
            of_minimum = runs | {"fixed": run(more, self.minimum)}
        except FixedPointOverflowError:
            return None
        later = first_divergence(d, self.question, of_minimum)
        follows = later is None or later.step > parting.step
        return _Cut(trial, spikes, parting, follows).ended(self.clock.input_steps)

    def first(self, trials: int) -> _Cut | None:
        """Return where the two part in so many trials: soonest with the minimum following, or soonest at all."""
        drawn = simulate_inputs(self.experiment, trials=trials, seed=self.seed)
        waiting = {trial: _spikes(drawn[trial]) for trial in range(trials)}
        found: list[_Cut] = []
        steps = min(FIRST_STEPS, self.clock.n_steps)
        while waiting and not any(cut.minimum_follows for cut in found):
            cuts = [self.look(trial, spikes, steps) for trial, spikes in waiting.items()]
            found += [cut for cut in cuts if cut is not None]
            for cut in found:
                waiting.pop(cut.trial, None)
            if steps == self.clock.n_steps:
                break
            steps = min(2 * steps, self.clock.n_steps)
        return min(found, key=lambda c: (not c.minimum_follows, c.steps), default=None)

    def thinned(self, cut: _Cut) -> _Cut:
        """Return the cut with as few input spikes as were found."""

        def remains(spikes: Sequence[Spike]) -> bool:
            found = self.look(cut.trial, spikes, cut.steps)
            return found is not None and found.is_like(cut)

        fewer = thinned(cut.spikes, remains, MOST_TRIES)
        return self.look(cut.trial, fewer, cut.steps) or cut

    def without_silence(self, cut: _Cut) -> _Cut:
        """Return the cut begun with its first input spike, if they part all the same."""
        ratio = self.clock.input_steps
        silent = min((s[0] for s in cut.spikes), default=0) // ratio
        moved = [(step - silent * ratio, name, source) for step, name, source in cut.spikes]
        found = self.look(cut.trial, moved, cut.steps - silent)
        return found if found is not None and found.is_like(cut) else cut

    def trains(self, spikes: Sequence[Spike]) -> dict[str, NDArray[np.int64]]:
        """Return input spikes as the engine takes them: by stimulus (spikes, 2) int64."""
        rows: dict[str, list[tuple[int, int]]] = {name: [] for name in self.experiment.stimuli}
        for step, name, source in spikes:
            rows[name].append((step, source))
        return {name: np.asarray(r, np.int64).reshape(-1, 2) for name, r in rows.items()}

    def case(self, cut: _Cut) -> dict[str, Any]:
        """Return the run as `neuroemu.testing.Case` keeps it."""
        return {
            "target": self.target.model_dump(mode="json"),
            "experiment": self.stretch(cut.steps).model_dump(mode="json"),
            "spikes": {n: [train.tolist()] for n, train in self.trains(cut.spikes).items()},
            "seed": self.seed,
            "first_trial": cut.trial,
        }


def _spikes(trains: Mapping[str, NDArray[np.int64]]) -> tuple[Spike, ...]:
    rows = ((step, name, source) for name, t in trains.items() for step, source in t.tolist())
    return tuple(sorted(rows))


def thinned(items: Sequence[T], remains: Callable[[Sequence[T]], bool], tries: int) -> Sequence[T]:
    """Leave out items as long as what is asked for remains: halves, quarters, at last one by one.

    Parameters
    ----------
    items : sequence
        For which `remains` holds.
    remains : callable
    tries : int
        How often it is asked at most.

    Examples
    --------
    >>> thinned(range(100), lambda x: 3 in x and 77 in x, 100)
    [3, 77]
    """
    items, size = list(items), max(len(items) // 2, 1)
    while True:
        start, shrunk = 0, False
        while start < len(items):
            if tries == 0:
                return items
            tries -= 1
            fewer = items[:start] + items[start + size :]
            if remains(fewer):
                items, shrunk = fewer, True
            else:
                start += size
        if size == 1 and not shrunk:
            return items
        size = max(size // 2, 1)


def _sentence(cut: _Cut) -> str:
    parting, number = cut.parting, len(cut.spikes)
    text = f"at {parting.time_ms:g} ms, after {number} input spike{'' if number == 1 else 's'}, "
    if parting.register == "weight":
        text += f"the weight is {parting.target:g}, on the reference {parting.reference:g}"
    else:
        fires = ("target", "reference") if parting.target else ("reference", "target")
        text += "the {} fires and the {} does not".format(*fires)
    return text + (
        "; the minimum still follows" if cut.minimum_follows else "; the minimum parts from it, too"
    )
