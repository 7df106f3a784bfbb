"""Carries points to their answers: which batches are missing, where they run, when a point is decided."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from neuroemu.engine.warm import compile_one
from neuroemu.errors import NeuroemuError, OutputError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.models.discretize import discretize
from neuroemu.prediction.predict import predict
from neuroemu.study.batch import Batch, Job, run_batch
from neuroemu.study.digest import arithmetic_version, config_digest
from neuroemu.study.looks import Answer, answer, batches, joined
from neuroemu.study.points import Index, Point, Space
from neuroemu.study.store import BatchKey, Kept, Store
from neuroemu.study.workers import Workers

IN_FLIGHT = 2
"""Jobs for each slot: one at work, one waiting."""

CRASHED = "the worker process died on it"
"""Memory may have run out; it is tried again by the next command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A point and what became of it; `answer` is None where it was refused."""

    point: Point
    answer: Answer | None
    refusal: str = ""

    @property
    def passes(self) -> bool:
        """Whether the point is as the question wants it."""
        return self.answer is not None and self.answer.passes


@dataclass(slots=True)
class Work:
    """How far a study is: points decided and known of, trials run, and what goes on."""

    done: int = 0
    points: int = 0
    runs: int = 0
    began: float = field(default_factory=time.monotonic)
    what: str = ""

    @property
    def seconds(self) -> float:
        """Wall time so far."""
        return time.monotonic() - self.began


@dataclass(slots=True)
class _State:
    """A point on its way."""

    point: Point
    config: str
    reference: str
    look: int = 0
    waits_for: set[BatchKey] = field(default_factory=set)


class _Order(NamedTuple):
    """A job as it was given out; `key` is None if it brings no batch."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    key: BatchKey | None
    host: str


class Campaign:
    """Evaluates points of one space, with results in one store.

    Parameters
    ----------
    space : Space
    store : Store
        Open for writing.
    workers : Workers
    show : callable
        Called with the `Work` whenever something has changed.
    """

    def __init__(
        self,
        space: Space,
        store: Store,
        workers: Workers,
        show: Callable[[Work], None],
    ) -> None:
        self._space, self._store, self._workers, self._show = space, store, workers, show
        self._study = space.study
        self._batches = batches(self._study.trials)
        self.work = Work()
        self._known: dict[BatchKey, Kept] = {}
        self._waiting: dict[BatchKey, list[_State]] = {}
        self._futures: dict[Future[Any], _Order] = {}
        self._outcomes: dict[Index, Outcome] = {}

    def evaluate(self, points: Iterable[Point]) -> dict[Index, Outcome]:
        """Bring all `points` to their answers, and return these.

        Raises
        ------
        OutputError
            If a result cannot be kept; what was kept before stays.
        """
        todo = [p for p in points if p.index not in self._outcomes]
        self.work.points += len(todo)
        self._compile(todo)
        self.work.what = "running"
        for point in todo:
            while len(self._futures) >= IN_FLIGHT * self._workers.slots:
                self._collect()
            self._begin(point)
        while self._futures:
            self._collect()
        return self._outcomes

    def _compile(self, points: Iterable[Point]) -> None:
        """Have the kernels that are missing compiled, each by one worker."""
        kernels = [
            (name, experiment, target, host)
            for experiment, targets in by_experiment(points)
            for name, target, host in self._workers.missing(experiment, targets)
        ]
        kernels = list({(k[0], k[3]): k for k in kernels}.values())
        if kernels:
            self.work.what = f"compiling {len(kernels)} kernels, first run only"
            self._show(self.work)
        for name, experiment, target, host in kernels:
            self._submit(_prepare, (experiment, target, name), host=host)
        while self._futures:
            self._collect()

    def _begin(self, point: Point) -> None:
        if point.target is None or point.experiment is None:
            self._finish(point, None, point.refusal)
            return
        seed, version = self._study.seed, arithmetic_version()
        own = config_digest(point.target, point.experiment, seed, version)
        if self._study.predict and self._store.prediction(own) is None:
            self._submit(_forecast, (own, point.experiment, point.target))
        self._advance(_State(point, own, config_digest(None, point.experiment, seed, version)))

    def _advance(self, state: _State) -> None:
        """Ask for the batches of the state's look, or ask its question if they are there."""
        first, trials = self._batches[state.look]
        for target, key in zip(
            (state.point.target, None),
            self._keys(state, first, trials),
            strict=True,
        ):
            if self._kept(key) is None:
                state.waits_for.add(key)
                self._demand(key, state, target)
        if not state.waits_for:
            self._ask(state)

    def _keys(self, state: _State, first: int, trials: int) -> tuple[BatchKey, BatchKey]:
        return (state.config, first, trials, self._study.kind), (
            state.reference,
            first,
            trials,
            "verdict",
        )

    def _kept(self, key: BatchKey) -> Kept | None:
        if key not in self._known:
            found = self._store.batch(key)
            if found is None:
                return None
            self._known[key] = found
        return self._known[key]

    def _demand(self, key: BatchKey, state: _State, target: Target | None) -> None:
        waiting = self._waiting.setdefault(key, [])
        waiting.append(state)
        if len(waiting) > 1:  # it is under way
            return
        experiment = state.point.experiment
        assert experiment is not None  # noqa: S101 - refused points do not come here
        config, first, trials, _ = key
        is_reference = target is None
        job = Job(
            config=config,
            target=target,
            experiment=experiment,
            seed=self._study.seed,
            first=first,
            trials=trials,
            metric="verdict" if is_reference else self._study.question.metric,
            weights=self._study.weights and not is_reference,
        )
        self._submit(run_batch, (job,), key)

    def _submit(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        key: BatchKey | None = None,
        host: str = "",
    ) -> None:
        future = self._workers.submit(function, *arguments, host=host)
        self._futures[future] = _Order(function, arguments, key, host)

    def _collect(self) -> None:
        """Take in what has finished."""
        finished, _ = wait(self._futures, return_when=FIRST_COMPLETED)
        lost, kept = [], []
        for future in finished:
            order = self._futures.pop(future)
            try:
                self._keep(self._result(future, order), order)
                kept.append(order)
            except BrokenExecutor:
                lost.append(order)
        self._go_on(kept + self._one_by_one(lost) if lost else kept)
        self._show(self.work)

    def _result(self, future: Future[Any], order: _Order) -> Any:
        """Return what a job has brought, or that its own worker died."""
        try:
            return future.result()
        except self._workers.deaths:
            return _crashed(order.key)

    def _one_by_one(self, lost: list[_Order]) -> list[_Order]:
        """After all workers are gone, give the jobs in flight one at a time, to learn which one they died of."""
        flying, self._futures = self._futures, {}
        self._workers.restart()
        kept = []
        for future, order in flying.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                self._keep(future.result(), order)
                kept.append(order)
            else:
                lost.append(order)
        for order in lost:
            self._keep(self._alone(order), order)
        return kept + lost

    def _alone(self, order: _Order) -> Any:
        future = self._workers.submit(order.function, *order.arguments, host=order.host)
        try:
            return self._result(future, order)
        except BrokenExecutor:
            self._workers.restart()
            return _crashed(order.key)

    def _keep(self, result: Any, order: _Order) -> None:
        """Store what a job has brought."""
        if order.key is None:
            if result is not None:
                self._store.add_prediction(*result)
            return
        batch: Batch = result
        if batch.arithmetic != arithmetic_version():
            raise OutputError(
                f"a worker runs another version of the arithmetic, {batch.arithmetic} instead of "
                f"{arithmetic_version()}: its results would not be these; install the same neuroemu there"
            )
        if batch.refusal != CRASHED:
            self._store.add(batch, order.key[3])
            self.work.runs += batch.trials
        self._known[order.key] = Kept(batch.arrays, batch.seconds, batch.refusal)

    def _go_on(self, orders: list[_Order]) -> None:
        """Ask the questions of the points that have waited for these batches alone."""
        for key in (order.key for order in orders if order.key is not None):
            for state in self._waiting.pop(key, []):
                state.waits_for.discard(key)
                if not state.waits_for:
                    self._ask(state)

    def _ask(self, state: _State) -> None:
        """Ask a point's question; finish it, or go on to the next look."""
        pairs = [self._keys(state, *b) for b in self._batches[: state.look + 1]]
        mine, theirs = ([self._known[p[side]] for p in pairs] for side in (0, 1))
        refusal = next((k.refusal for k in (*mine, *theirs) if k.refusal), "")
        if refusal:
            self._finish(state.point, None, refusal)
            return
        found = self._answer(state.point, mine, theirs)
        if found.is_open and state.look + 1 < len(self._batches):
            state.look += 1
            self._advance(state)
            return
        self._finish(state.point, found, "")

    def _answer(self, point: Point, mine: list[Kept], theirs: list[Kept]) -> Answer:
        return answer_of(self._space, point, [k.arrays for k in mine], [k.arrays for k in theirs])

    def _finish(self, point: Point, found: Answer | None, refusal: str) -> None:
        self._outcomes[point.index] = Outcome(point=point, answer=found, refusal=refusal)
        self.work.done += 1


def by_experiment(points: Iterable[Point]) -> list[tuple[Experiment, list[Target]]]:
    """Return the targets that run each experiment, of the points that can run."""
    found: dict[str, tuple[Experiment, list[Target]]] = {}
    for point in points:
        if point.target is not None and point.experiment is not None:
            key = point.experiment.model_dump_json()
            found.setdefault(key, (point.experiment, []))[1].append(point.target)
    return list(found.values())


def answer_of(
    space: Space,
    point: Point,
    mine: list[dict[str, Any]],
    theirs: list[dict[str, Any]],
) -> Answer:
    """Return the answer of a point's batches beside those of its reference."""
    experiment = point.experiment
    assert experiment is not None and experiment.question is not None  # noqa: S101
    return answer(
        joined(mine, theirs),
        experiment.question,
        space.study.question,
        experiment.set_point_hz() or 0.0,  # a point without one is refused
        len(batches(space.study.trials)),
    )


def _prepare(experiment: Experiment, target: Target, name: str) -> None:
    """Compile a kernel; what is wrong with the configuration is said by its batch."""
    with suppress(NeuroemuError):
        compile_one(experiment, target, name)


def _forecast(
    config: str, experiment: Experiment, target: Target
) -> tuple[str, dict[str, Any]] | None:
    """Return what is to be expected of a configuration, under its digest."""
    try:
        return config, predict(discretize(experiment, target)).as_json()
    except NeuroemuError:
        return None


def _crashed(key: BatchKey | None) -> Batch | None:
    if key is None:
        return None
    return Batch(
        config=key[0],
        first=key[1],
        trials=key[2],
        arithmetic=arithmetic_version(),
        seconds=0.0,
        arrays={},
        refusal=CRASHED,
    )
