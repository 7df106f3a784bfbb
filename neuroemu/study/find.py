"""The smallest formats that pass, as data: docs/spec/study.md, "Frontier"."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from neuroemu.study.config import Value
from neuroemu.study.looks import PASSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One combination of widths of a search.

    Parameters
    ----------
    widths : dict of str to int
        By axis, bits.
    total : int
        Their sum.
    word : str
        The point's answer; ``refused`` where it cannot be, or cannot run.
    worst_difference_hz : float or None
        Largest magnitude of the phases' mean differences from the reference; None where it was refused.
    """

    widths: dict[str, int]
    total: int
    word: str
    worst_difference_hz: float | None

    @property
    def passes(self) -> bool:
        """Whether the combination is as the question wants it."""
        return self.word in PASSES

    @property
    def is_refused(self) -> bool:
        """Whether there is no answer, and so nothing to learn of its neighbours."""
        return self.worst_difference_hz is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """Where the target parts from the reference at widths just below a minimum, in a run as short as was found.

    Where they do not part, `sentence` says so, and what comes after it is None or empty.

    Parameters
    ----------
    widths : dict of str to int
    word : str
        The point's answer.
    sentence : str
        What differs, in plain words.
    trial : int or None
        Of the study, from which the input spikes are taken; moved to the front, if the run begins in silence.
    time_ms : float or None
        Biological time of the first step at which they differ, the last of the run.
    register, site : str
        What differs first, and where it was narrowed.
    reference, target : float or None
        Weight on both, in the experiment's unit; or 1 and 0 for a spike that only one of them has.
    minimum_follows : bool
        Whether the minimum one bit above, on the same input, does not part from the reference by as much until then.
    input_spikes : int
        That the run sees.
    case : dict
        The run as `neuroemu.testing.Case` keeps it: ``target``, ``experiment``, ``spikes``, ``seed``, ``first_trial``.

    Notes
    -----
    To see the two part::

        case = neuroemu.testing.Case.from_json(counterexample.case, "study")
        neuroemu.simulate(case.experiment, case.target, **case.input)
        neuroemu.simulate(case.experiment, **case.input)
    """

    widths: dict[str, int]
    word: str
    sentence: str
    trial: int | None = None
    time_ms: float | None = None
    register: str = ""
    site: str = ""
    reference: float | None = None
    target: float | None = None
    minimum_follows: bool = False
    input_spikes: int = 0
    case: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """What a search found with the other axes at given values.

    Parameters
    ----------
    others : dict of str to value
        The target's name and the values of the axes that were not searched.
    axes : tuple of str
        Those that were.
    minima : tuple of Judged
        Combinations that pass, and below which none that was judged passes; empty if none passes.
    front : tuple of Judged
        Of those judged: none has as few bits and as small a difference.
    exceptions : tuple of Judged
        What contradicts monotony: does not pass, though a combination below it does.
    is_confirmed : bool
        Whether what monotony takes for granted was judged, too: all widths of one axis, the neighbours of the minima
        of several.
    counterexamples : tuple of Counterexample
        One for each combination that was judged one bit below a minimum.
    judged : int
        Points that the search has looked at and that could run.
    """

    others: dict[str, Value]
    axes: tuple[str, ...]
    minima: tuple[Judged, ...]
    front: tuple[Judged, ...]
    exceptions: tuple[Judged, ...]
    is_confirmed: bool
    counterexamples: tuple[Counterexample, ...]
    judged: int

    def as_json(self) -> dict[str, Any]:
        """Return the frontier as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Frontier:
        """Return the frontier that `as_json` gave."""
        parts: dict[str, Any] = {
            name: tuple(Judged(**j) for j in data[name])
            for name in ("minima", "front", "exceptions")
        }
        parts["counterexamples"] = tuple(Counterexample(**c) for c in data["counterexamples"])
        parts["axes"] = tuple(data["axes"])
        parts["others"] = {
            name: tuple(value) if isinstance(value, list) else value  # JSON has no tuples
            for name, value in data["others"].items()
        }
        return cls(**(data | parts))
