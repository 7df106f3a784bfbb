"""What a study varies, as figures see it: targets and axes, and which of them goes where."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuroemu.study.config import Axis, Value
from neuroemu.study.points import PREFIX, axis_values
from neuroemu.study.results import Row, StudyResults

MOST_SERIES = 5
"""Lines that are told apart in one panel."""

LONGEST_NAME, LONGEST_UNIT = 18, 4
"""Letters of what stands beside a value in a title."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """The targets, or an axis of a study, with the values that its rows have.

    Parameters
    ----------
    name, label : str
        The column's name; what is written beside it, with the unit.
    kind : {"width", "number", "category"}
    values : tuple
        In the axis' order.
    places : tuple of int
        Of these values among all of the axis.
    position : int
        Of the axis in `Point.index`.
    is_log : bool
        Whether equal ratios are equal distances.
    is_rounding : bool
        Whether its keys are roundings.
    moves_reference : bool
        Whether it varies the experiment, and with it the float reference.
    """

    name: str
    label: str
    kind: Literal["width", "number", "category"]
    values: tuple[Value, ...]
    places: tuple[int, ...]
    position: int
    is_log: bool = False
    is_rounding: bool = False
    moves_reference: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether its values have an order and distances."""
        return self.kind != "category"

    def place(self, row: Row) -> int:
        """Return where a row's value stands among `values`."""
        return self.places.index(row.point.index[self.position])

    def texts(self) -> list[str]:
        """Return the values as they are written."""
        return [value_text(v) for v in self.values]

    def tagged(self, place: int) -> str:
        """Return a value with what it is of, unless it says so itself: ``tick 3 ms``, ``floor``."""
        text = value_text(self.values[place])
        if isinstance(self.values[place], str):
            return text
        what, _, unit = self.label.partition(" (")
        unit = f" {unit.removesuffix(')')}" if 0 < len(unit) <= LONGEST_UNIT + 1 else ""
        return f"{what if len(what) <= LONGEST_NAME else self.name} {text}{unit}"

    def along(self) -> NDArray[np.float64]:
        """Return the (values,) positions of a numeric dimension on a linear scale; logarithms if `is_log`."""
        numbers = np.asarray(self.values, np.float64)
        return np.log10(numbers) if self.is_log else numbers


def dimensions(results: StudyResults) -> tuple[Dimension, ...]:
    """Return what varies over a study's rows, the targets first; the last axis if nothing does."""
    found = [_targets(results)]
    found += [_of_axis(results, a, i) for i, a in enumerate(results.study.axes, 1)]
    varied = tuple(d for d in found if len(d.values) > 1)
    return varied or (found[-1],)


def _targets(results: StudyResults) -> Dimension:
    places = _places(results, 0)
    names = tuple(results.space.targets[i].name for i in places)
    return Dimension(
        name="target", label="target", kind="category", values=names, places=places, position=0
    )


def _of_axis(results: StudyResults, axis: Axis, position: int) -> Dimension:
    places = _places(results, position)
    values = tuple(axis_values(axis)[i] for i in places)
    kind: Literal["width", "number", "category"] = "width" if axis.bits is not None else "number"
    is_numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return Dimension(
        name=axis.name,
        label=axis.label or axis.name,
        kind=kind if is_numeric else "category",
        values=values,
        places=places,
        position=position,
        is_log=is_numeric and axis.scale == "log" and all(v > 0 for v in values),  # type: ignore[operator]
        is_rounding=all(k.endswith("rounding") for k in axis.keys),
        moves_reference=any(k.startswith(PREFIX) for k in axis.keys),
    )


def _places(results: StudyResults, position: int) -> tuple[int, ...]:
    return tuple(sorted({row.point.index[position] for row in results.rows}))


def value_text(value: Value) -> str:
    """Return a value of an axis as figures write it.

    Examples
    --------
    >>> [value_text(v) for v in (8, 0.25, 2.5e6, True, "floor", (1.0, 0.5))]
    ['8', '0.25', '2.5e6', 'true', 'floor', '1, 0.5']
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(value_text, value))
    if isinstance(value, str):
        return value
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


class Roles(NamedTuple):
    """Which dimension goes where: along x, beside it (rows of a map, series of lines), and into panels."""

    x: Dimension
    beside: Dimension | None
    panels: tuple[Dimension, ...]


def map_roles(results: StudyResults) -> Roles:
    """Return the two dimensions of the map: axes before targets, numbers before categories, long before short."""

    def rank(d: Dimension) -> tuple[bool, bool, int, bool, int]:
        return (d.is_numeric, d.name != "target", len(d.values), d.kind == "width", d.position)

    x, *others = sorted(dimensions(results), key=rank, reverse=True)
    beside = others[0] if others else None
    return Roles(x, beside, _without(results, x, beside))


def has_numbers(results: StudyResults) -> bool:
    """Tell whether there is an axis of numbers for lines to go along."""
    return bool(results.rows) and any(d.is_numeric for d in dimensions(results))


def line_roles(results: StudyResults) -> Roles:
    """Return what goes along x and into series, where there are numbers.

    Series share their reference, so what moves it has panels of its own.
    """
    numeric = [d for d in dimensions(results) if d.is_numeric]
    x = max(numeric, key=lambda d: (len(d.values), d.kind == "width", d.position))
    rest = _without(results, x)
    fit = [
        d for d in rest if not d.moves_reference and (d.is_numeric or len(d.values) <= MOST_SERIES)
    ]
    beside = max(
        fit,
        key=lambda d: (d.is_rounding, d.name != "target", not d.is_numeric, -len(d.values)),
        default=None,
    )
    return Roles(x, beside, _without(results, x, beside))


def _without(results: StudyResults, *taken: Dimension | None) -> tuple[Dimension, ...]:
    return tuple(d for d in dimensions(results) if d not in taken)


Key = tuple[int, ...]
"""Places on some dimensions."""


def grouped(rows: Sequence[Row], dims: Sequence[Dimension]) -> dict[Key, list[Row]]:
    """Return rows by their places on `dims`, in the order of these; combinations without a row are left out."""
    found: dict[Key, list[Row]] = {
        key: [] for key in itertools.product(*(range(len(d.values)) for d in dims))
    }
    for row in rows:
        found[tuple(d.place(row) for d in dims)].append(row)
    return {key: members for key, members in found.items() if members}


def key_text(dims: Sequence[Dimension], key: Key) -> str:
    """Return a combination as a panel's title."""
    return ", ".join(d.tagged(i) for d, i in zip(dims, key, strict=True))


def spread(items: Sequence[T], most: int) -> list[T]:
    """Return at most `most` items, evenly chosen, first and last among them.

    Examples
    --------
    >>> spread(range(2, 13), 4)
    [2, 5, 9, 12]
    """
    if len(items) <= most:
        return list(items)
    chosen = np.rint(np.linspace(0, len(items) - 1, most)).astype(int)
    return [items[i] for i in chosen]
