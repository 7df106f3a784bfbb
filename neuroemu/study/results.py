"""What a study has found, read back from its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.errors import ConfigError, OutputError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.study.campaign import Outcome, answer_of
from neuroemu.study.config import Study, Value, study_from
from neuroemu.study.digest import arithmetic_version, config_digest
from neuroemu.study.find import Frontier
from neuroemu.study.looks import Answer, batches
from neuroemu.study.points import Index, Point, Space
from neuroemu.study.store import BatchKey, Kept, Store, reading

FILE = "results.sqlite"
MISSING = "missing"
"""Answer of a point that has not run yet."""
REFUSED = "refused"
"""Answer of a point whose configuration cannot be, or cannot run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A point of a study and what became of it.

    Parameters
    ----------
    point : Point
        Its `values` by column, and its configurations.
    word : str
        The answer: a verdict, ``within``, ``beyond`` or ``undecided``; ``refused``; ``missing`` if it has not run.
    answer : Answer or None
        Rates with intervals, decision, metric.
    reason : str
        Why it was refused.
    prediction : dict or None
        `Prediction.as_json`.
    trials : int
    codes, share : (codes,) int64, (codes,) float64
        What the weight register held in the counted time, and for which part of it; empty unless the study asked.
    """

    point: Point
    word: str
    answer: Answer | None = None
    reason: str = ""
    prediction: dict[str, Any] | None = None
    trials: int = 0
    codes: NDArray[np.int64]
    share: NDArray[np.float64]

    @property
    def values(self) -> dict[str, Value]:
        """The target's name, then the axes, each under its column."""
        return self.point.values

    @property
    def predicted(self) -> str:
        """The verdict to expect, its leaning on the edge; empty if unknown."""
        found = self.prediction or {}
        return str(found.get("verdict") or found.get("leaning") or "")


@dataclass(frozen=True, kw_only=True)
class StudyResults:
    """A study's points with their answers.

    Parameters
    ----------
    path : Path
        The results file.
    space : Space
        Study, base targets, experiment.
    rows : tuple of Row
        All points of a map; of a search those that were judged. In the order of the points.
    frontiers : tuple of Frontier
        What a search found, one for each combination of the other axes.
    runs : int
        Trials that the answers rest on, the float reference's too.
    core_seconds, seconds : float
        Of one core, over these; wall time of the commands that wrote the file.
    command : str
        What reproduces it.
    arithmetic : str
        Version that the results are of.
    """

    path: Path
    space: Space
    rows: tuple[Row, ...]
    frontiers: tuple[Frontier, ...]
    runs: int
    core_seconds: float
    seconds: float
    command: str
    arithmetic: str

    @property
    def study(self) -> Study:
        """The study file."""
        return self.space.study

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the axes; ``target`` first if there are several."""
        names = tuple(a.name for a in self.study.axes)
        return ("target", *names) if len(self.space.targets) > 1 else names

    @property
    def is_current(self) -> bool:
        """Whether the arithmetic of these results is that of this neuroemu."""
        return self.arithmetic == arithmetic_version()

    @property
    def agreement(self) -> tuple[int, int]:
        """Decided verdicts that were predicted as measured, and all that were predicted."""
        if self.study.question.metric != "verdict":
            return 0, 0
        known = [r for r in self.rows if r.predicted and r.answer and not r.answer.is_open]
        return sum(r.predicted == r.word for r in known), len(known)

    def where(self, /, **values: Value) -> StudyResults:
        """Return the rows in which each column has the value given.

        Raises
        ------
        ConfigError
            If there is no such column, or no point has a value of an axis.
        """
        for name in values:
            if name not in ("target", *self.columns, "answer", "predicted"):
                remedy = f"use one of {', '.join((*self.columns, 'answer', 'predicted'))}"
                raise ConfigError.one("where", name, rule="no such column", remedy=remedy)
            held = dict.fromkeys(str(r.values.get(name)) for r in self.rows)
            if name in ("target", *self.columns) and not any(
                _is(r, name, values[name]) for r in self.rows
            ):
                remedy = f"use one of {', '.join(held)}"
                rule = "no point has this value"
                raise ConfigError.one("where", name, values[name], rule=rule, remedy=remedy)
        kept = tuple(r for r in self.rows if all(_is(r, n, v) for n, v in values.items()))
        return replace(self, rows=kept)

    def table(self) -> list[dict[str, Any]]:
        """Return one plain row for each point, for export: axes, answer, rates with intervals, prediction."""
        return [_plain(row, self.columns) for row in self.rows]


def _held_in(row: Row, name: str) -> Value | None:
    return {"answer": row.word, "predicted": row.predicted}.get(name, row.values.get(name))


def _is(row: Row, name: str, value: Value) -> bool:
    """Return whether a column holds a value; a number is that number however it is written."""
    held = _held_in(row, name)
    if isinstance(held, (int, float)) and not isinstance(held, bool):
        with suppress(ValueError, TypeError):
            return held == float(value)  # type: ignore[arg-type]
    return str(held) == str(value)


def _plain(row: Row, columns: Sequence[str]) -> dict[str, Any]:
    plain: dict[str, Any] = {name: row.values[name] for name in columns}
    plain |= {"answer": row.word, "trials": row.trials}
    found = row.answer
    if found is not None:
        plain["worst_difference_hz"] = found.worst_difference_hz
        if found.metric is not None:
            plain |= {
                f"metric{end}": getattr(found.metric, name)
                for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))
            }
        for i, phase in enumerate(found.decision.phases, 1):
            for name in ("target", "reference", "control", "difference"):
                estimate = getattr(phase, name)
                plain[f"{name}_hz_{i}"] = estimate.value
                if name == "difference":
                    plain[f"{name}_low_hz_{i}"] = estimate.low
                    plain[f"{name}_high_hz_{i}"] = estimate.high
    plain |= {"predicted": row.predicted, "reason": row.reason}
    return plain


def results_path(path: str | Path) -> Path:
    """Return the results file of a study's folder, or the file itself."""
    path = Path(path)
    return path / FILE if path.is_dir() else path


def load_study(path: str | Path) -> StudyResults:
    """Read what a study has found; it may still be running.

    Parameters
    ----------
    path : str or Path
        The study's folder, or its results file.

    Raises
    ------
    OutputError
        If there is none, or it is none of ours.
    """
    found = results_path(path)
    with reading(found) as store:
        return read_results(store)


def read_results(store: Store, outcomes: Mapping[Index, Outcome] | None = None) -> StudyResults:
    """Return what an open file holds; answers that are at hand are not worked out again."""
    about = store.meta("study")
    if about is None:
        raise OutputError(f"{store.path}: no study has begun in this file; run one first")
    made = _space(about)
    indices: Iterable[Index] = made.indices()
    if made.study.searched:
        indices = (tuple(index) for index in store.meta("judged") or ())
    reader = _Reader(made, store, str(about["arithmetic"]), outcomes or {})
    rows = tuple(map(reader.row, indices))
    return StudyResults(
        path=store.path,
        space=made,
        rows=rows,
        frontiers=tuple(Frontier.from_json(f) for f in store.meta("frontiers") or ()),
        runs=sum(trials for trials, _ in reader.used.values()),
        core_seconds=sum(seconds for _, seconds in reader.used.values()),
        seconds=store.seconds(),
        command=str(store.meta("command") or ""),
        arithmetic=str(about["arithmetic"]),
    )


def describe(space: Space) -> dict[str, Any]:
    """Return a space as plain data, from which `read_results` makes it again."""
    return {
        "study": space.study.model_dump(mode="json", by_alias=True),
        "targets": [t.model_dump(mode="json") for t in space.targets],
        "experiment": space.experiment.model_dump(mode="json"),
        "arithmetic": arithmetic_version(),
    }


def _space(about: dict[str, Any]) -> Space:
    return Space(
        study_from(about["study"]),
        tuple(Target.model_validate(t) for t in about["targets"]),
        Experiment.model_validate(about["experiment"]),
    )


NO_WEIGHTS: dict[str, Any] = {"codes": np.empty(0, np.int64), "share": np.empty(0)}


class _Reader:
    """Reads points one by one, and notes which batches their answers rest on."""

    def __init__(
        self, made: Space, store: Store, arithmetic: str, outcomes: Mapping[Index, Outcome]
    ) -> None:
        self._made, self._store, self._arithmetic = made, store, arithmetic
        self._outcomes = outcomes
        self.used: dict[BatchKey, tuple[int, float]] = {}
        """Trials and core seconds of each batch."""

    def row(self, index: Index) -> Row:
        """Return a point and what became of it."""
        known = self._outcomes.get(index)
        point = known.point if known else self._made.point(index)
        if point.target is None or point.experiment is None:
            return Row(point=point, word=REFUSED, reason=point.refusal, **NO_WEIGHTS)
        seed = self._made.study.seed
        own = config_digest(point.target, point.experiment, seed, self._arithmetic)
        reference = config_digest(None, point.experiment, seed, self._arithmetic)
        prediction = self._store.prediction(own)
        found, mine, refusal = self._last_answer(point, own, reference, known)
        if found is None:
            word = REFUSED if refusal else MISSING
            return Row(point=point, word=word, reason=refusal, prediction=prediction, **NO_WEIGHTS)
        return Row(
            point=point,
            word=found.word,
            answer=found,
            prediction=prediction,
            trials=found.decision.trials,
            **_distribution(mine),
        )

    def _last_answer(
        self, point: Point, own: str, reference: str, known: Outcome | None
    ) -> tuple[Answer | None, list[Kept], str]:
        """Return the answer of the look that decided, or of the last one there is; its batches; a refusal."""
        found: Answer | None = None
        mine: list[Kept] = []
        theirs: list[Kept] = []
        trials = known.answer.decision.trials if known and known.answer else 0
        for first, more in batches(self._made.study.trials):
            a = self._batch((own, first, more, self._made.study.kind))
            b = self._batch((reference, first, more, "verdict"))
            if a is None or b is None:
                break
            if a.refusal or b.refusal:
                return None, [], a.refusal or b.refusal
            mine.append(a)
            theirs.append(b)
            if first + more < trials:
                continue
            if known and known.answer:
                return known.answer, mine, ""
            parts = ([k.arrays for k in side] for side in (mine, theirs))
            found = answer_of(self._made, point, *parts)
            if not found.is_open:
                break
        return found, mine, ""

    def _batch(self, key: BatchKey) -> Kept | None:
        kept = self._store.batch(key)
        if kept is not None and not kept.refusal:
            self.used[key] = (key[2], kept.seconds)
        return kept


def _distribution(mine: Sequence[Kept]) -> dict[str, Any]:
    """Return the weight's distribution over batches; each weighs as many trials as it has."""
    kept = [k.arrays for k in mine if "codes" in k.arrays]
    if not kept:
        return NO_WEIGHTS
    codes = np.unique(np.concatenate([k["codes"] for k in kept]))
    share = np.zeros(codes.size)
    trials = sum(len(k["rates"]) for k in kept)
    for k in kept:
        share[np.searchsorted(codes, k["codes"])] += k["share"] * len(k["rates"]) / trials
    return {"codes": codes, "share": share}
