"""A study as frozen data: the tables and keys of a study file. See docs/spec/study.md."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from neuroemu.errors import Violation
from neuroemu.experiment import Finite, Name, Table
from neuroemu.hardware.load import find_file, load_file, shipped
from neuroemu.hardware.schema import Report, as_key, report_for
from neuroemu.metrics.per_trial import METRICS
from neuroemu.numeric.format import MAX_WIDTH

Value = bool | int | float | str | tuple[float, ...]
Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]

MOST_SEARCHED = 4
"""Axes with ``find`` up to which the frontier is searched exhaustively from its corner."""


class Axis(Table):
    """Keys that all take one of several values: `values`, `from` to `to`, or `bits`."""

    name: Name
    """Names the column, and the axis in filters."""
    label: str = ""
    """What figures write beside it, with the unit; default: the name."""
    keys: tuple[str, ...] = Field(min_length=1)
    """Dotted keys of the target, or of the experiment with the prefix ``experiment.``; all get the same value."""
    values: tuple[Value, ...] | None = Field(default=None, min_length=1)
    start: Finite | None = Field(default=None, alias="from")
    stop: Finite | None = Field(default=None, alias="to")
    points: int = Field(default=5, ge=2)
    """Of `from` to `to`."""
    scale: Literal["linear", "log"] = "linear"
    """Of `from` to `to`, and of a figure's axis."""
    bits: tuple[Width, Width] | None = None
    """Least and largest width of a format."""
    hold: Literal["range", "fraction"] = "range"
    """What `bits` leaves as the base target has it."""
    along: dict[str, tuple[Value, ...]] = Field(default_factory=dict)
    """Further keys that change along with the axis: one value for each of its own."""
    find: Literal["minimum"] | None = None


class Trials(Table):
    """Trials of a point: batches are added until its question is answered."""

    first: int = Field(default=16, ge=2)
    most: int = Field(default=64, ge=2, le=10_000)


class Asked(Table):
    """The question asked of each point: the verdict, or a metric with a bound."""

    metric: str = "verdict"
    at_least: Finite | None = None
    at_most: Finite | None = None
    alpha: float | None = Field(default=None, gt=0, lt=0.5)
    """Level of the whole sequence of looks; default: the experiment's own."""


class Search(Table):
    """Optuna's search, where there are too many axes for the frontier, or on demand."""

    points: int = Field(default=100, ge=1)


class Study(Table):
    """A study file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    title: str
    summary: str = ""
    targets: tuple[str, ...] = Field(min_length=1)
    """Shipped names, or paths from the study file's folder."""
    experiment: str = "spike_based_homeostasis"
    seed: int = Field(default=1, ge=0, lt=2**63)
    set: dict[str, Any] = Field(default_factory=dict)
    """Keys changed in all points, before the axes; dotted or as tables."""
    axes: tuple[Axis, ...] = Field(min_length=1)
    trials: Trials = Trials()
    question: Asked = Asked()
    confirm: bool = True
    """Whether a frontier judges what a monotone search would take for granted."""
    search: Search | None = None
    predict: bool = True
    """Whether the verdict to expect is worked out for each point, without running it."""
    weights: bool = False
    """Whether the distribution of the plastic weight is kept."""

    @property
    def kind(self) -> str:
        """What is measured beside the rates; batches of other kinds are no substitute."""
        return self.question.metric + ("+weights" if self.weights else "")

    @property
    def searched(self) -> tuple[Axis, ...]:
        """The axes whose minimum is to be found."""
        return tuple(a for a in self.axes if a.find)


def shipped_studies() -> list[str]:
    """Return the names of the studies that come with neuroemu, sorted."""
    return shipped("studies")


def load_study_file(name: str | Path, overrides: Sequence[str] = ()) -> tuple[Study, Path]:
    """Read a study.

    Parameters
    ----------
    name : str or Path
        A shipped name, or the path of a TOML file.
    overrides : sequence of str
        ``dotted.key=value`` of the study file.

    Returns
    -------
    study : Study
    folder : Path
        Where its relative paths begin.

    Raises
    ------
    ConfigError
        With every violation in the file.
    """
    path = find_file(name, "studies", "study")
    return load_file(path, overrides, Study, _violations), path.parent


def study_from(data: dict[str, Any]) -> Study:
    """Return the study that `Study.model_dump` wrote."""
    return Study.model_validate(data)


def _violations(study: Study, source: str) -> list[Violation]:
    report = report_for(source)
    found = [v for i, axis in enumerate(study.axes) for v in _axis(axis, f"axes[{i}]", report)]
    names = [a.name for a in study.axes]
    for i, name in enumerate(names):
        if name in names[:i] or RESERVED.fullmatch(name):
            rule = "every axis has a name of its own" if name in names[:i] else "this name is taken"
            found.append(report(f"axes[{i}].name", name, rule, "choose another name"))
    found += [
        report(f"set.{as_key(key)}", value, "numbers are finite", "change the value")
        for key, value in study.set.items()
        if not _is_finite(value)
    ]
    keys = [k for a in study.axes for k in (*a.keys, *a.along)]
    for key in sorted({k for k in keys if keys.count(k) > 1}):
        rule, remedy = "one axis alone sets a key, and once", "take it out of one place"
        found.append(report("axes", key, rule, remedy))
    if study.trials.most < study.trials.first:
        remedy = f"use at least {study.trials.first}"
        found.append(report("trials.most", study.trials.most, "not below trials.first", remedy))
    return found + list(_question(study.question, report)) + list(_search(study, report))


RESERVED = re.compile(
    r"target|answer|trials|predicted|reason|metric(_low|_high)?|worst_difference_hz"
    r"|(target|reference|control|difference)_(low_|high_)?hz_\d+"
)
"""Columns of every table of points."""


def _axis(axis: Axis, place: str, report: Report) -> Iterator[Violation]:
    spans = axis.start is not None or axis.stop is not None
    given = [axis.values is not None, spans, axis.bits is not None]
    if sum(given) != 1:
        rule = "an axis has one of values, from and to, or bits"
        yield report(place, axis.name, rule, "give one of them" if not any(given) else "keep one")
    if spans and (axis.start is None or axis.stop is None):
        missing = "from" if axis.start is None else "to"
        yield report(f"{place}.{missing}", None, "from and to go together", f"add {missing}")
    elif axis.start is not None and axis.stop is not None:
        if axis.start >= axis.stop:
            yield report(f"{place}.from", axis.start, "from is below to", "swap them")
        if axis.scale == "log" and axis.start <= 0:
            remedy = "raise it, or use scale = linear"
            yield report(f"{place}.from", axis.start, "equal ratios start above 0", remedy)
    if axis.bits is not None and axis.bits[0] > axis.bits[1]:
        rule = "the least width comes first"
        yield report(f"{place}.bits", list(axis.bits), rule, "swap them")
    if axis.find and axis.bits is None:
        yield report(f"{place}.find", axis.find, "a width is searched for", "give the axis bits")
    if axis.values is not None and len(set(map(repr, axis.values))) < len(axis.values):
        yield report(
            f"{place}.values", list(axis.values), "every value once", "take the second one out"
        )
    for name, held in (("values", axis.values or ()), *axis.along.items()):
        if not all(map(_is_finite, held)):
            yield report(f"{place}.{name}", list(held), "numbers are finite", "change the value")
    for key, values in axis.along.items():
        if axis.values is None or len(values) != len(axis.values):
            rule = "a key along an axis has one value for each of the axis's values"
            detail = f"there are {len(values)} for {len(axis.values or ())}"
            yield report(f"{place}.along.{as_key(key)}", list(values), rule, "give as many", detail)


def _is_finite(value: Any) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return all(not isinstance(p, float) or math.isfinite(p) for p in parts)


def _question(asked: Asked, report: Report) -> Iterator[Violation]:
    bounds = [b for b in (asked.at_least, asked.at_most) if b is not None]
    known = ("verdict", *METRICS)
    if asked.metric not in known:
        remedy = f"use one of {', '.join(known)}"
        yield report("question.metric", asked.metric, "no such metric", remedy)
    elif asked.metric == "verdict" and bounds:
        rule = "the verdict has no bound of its own"
        yield report("question.at_most", bounds[-1], rule, "set question.margin of the experiment")
    elif asked.metric != "verdict" and not bounds:
        yield report("question", asked.metric, "a metric needs a bound", "add at_most or at_least")
    if len(bounds) == 2 and bounds[0] >= bounds[1]:
        yield report("question.at_least", bounds[0], "at_least is below at_most", "swap them")


def _search(study: Study, report: Report) -> Iterator[Violation]:
    number = len(study.searched)
    if study.search is not None and not number:
        rule = "a search needs an axis to minimise"
        yield report("search", None, rule, 'add find = "minimum" to an axis')
    if number > MOST_SEARCHED and study.search is None:
        rule = f"more than {MOST_SEARCHED} widths are too many for the exhaustive frontier"
        yield report("axes", f"{number} with find", rule, "add a [search] table: it uses Optuna")
