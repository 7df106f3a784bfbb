"""An experiment in biological units: populations, stimuli, projections, what to record and to judge."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class Table(BaseModel):
    """A table of an experiment file: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class TimeTable(Table):
    """Biological time."""

    dt_ms: Positive
    """Step of the float reference, and grid of the input spikes."""
    duration_ms: Positive


class Population(Table):
    """Leaky integrate-and-fire neurons; names as PyNN has them."""

    size: int = Field(default=1, ge=1)
    model: Literal["lif"] = "lif"
    tau_m_ms: Positive
    v_rest: Finite = 0.0
    v_thresh: Finite
    v_reset: Finite
    v_init: Finite = 0.0
    tau_refrac_ms: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class Poisson(Table):
    """Poisson sources with a piecewise constant rate, the same for all."""

    kind: Literal["poisson"] = "poisson"
    size: int = Field(default=1, ge=1)
    rates_hz: tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], ...] = Field(min_length=1)
    """One rate for each interval; the last holds for ever. Rates past the end are allowed."""
    interval_ms: Positive | None = None
    """How long each rate holds; may be left out if there is one rate only."""


class Homeostasis(Table):
    """The rule of docs/spec/plasticity.md."""

    rule: Literal["homeostasis"] = "homeostasis"
    dw_plus: float = Field(ge=0, allow_inf_nan=False)
    """Added on a presynaptic spike."""
    dw_minus: float = Field(ge=0, allow_inf_nan=False)
    """Taken on a postsynaptic spike."""
    w_min: Finite = 0.0
    w_max: Finite


class Projection(Table):
    """Synapses from one population or stimulus to a population."""

    pre: Name
    post: Name
    connector: Literal["all_to_all", "one_to_one", "fixed_probability"] = "all_to_all"
    probability: float | None = Field(default=None, gt=0, le=1)
    weight: Finite
    plasticity: Homeostasis | None = None


class MembraneRecord(Table):
    """A window in which the membrane is recorded, at the start of a step."""

    populations: tuple[Name, ...]
    start_ms: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    stop_ms: Positive
    every_ms: Positive | None = None
    """Default: every step."""


class Record(Table):
    """What is kept of a run beside the output spikes, which always are."""

    weights: tuple[Name, ...] = ()
    """Plastic projections of which every change is recorded."""
    membrane: MembraneRecord | None = None
    rate_window: Literal["gaussian", "flat"] = "gaussian"
    rate_width_ms: Positive = 100.0
    """Window of the smoothed population rate."""


class Question(Table):
    """What the verdict is about."""

    population: Name
    """The neurons with homeostasis."""
    control: Name
    """The same neurons without."""
    projection: Name
    """The plastic projection under judgement."""
    stimulus: Name
    """The stimulus whose intervals are the phases."""
    settle_ms: float = Field(default=2000.0, ge=0, allow_inf_nan=False)
    """Left out at the start of each phase."""
    set_point_hz: Positive | None = None
    """Default: the rule's own, presynaptic rate * dw_plus / dw_minus."""
    margin: float = Field(default=0.1, gt=0, lt=1)
    """Part of the set point by which target and float reference may differ."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)


class Experiment(Table):
    """A network, its stimuli, what to record and the question asked."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    title: str
    description: str = ""
    connection_seed: int = Field(default=0, ge=0)
    """Draws the synapses of ``fixed_probability``; independent of the seed of the spikes."""
    time: TimeTable
    populations: dict[Name, Population] = Field(min_length=1)
    stimuli: dict[Name, Poisson] = Field(default_factory=dict)
    projections: dict[Name, Projection] = Field(default_factory=dict)
    record: Record = Record()
    question: Question | None = None

    @property
    def n_steps(self) -> int:
        """Steps of the float reference."""
        return round(self.time.duration_ms / self.time.dt_ms)

    def phase_edges_ms(self) -> tuple[float, ...]:
        """Return the edges of the phases that lie inside the experiment, first 0, last its end."""
        if self.question is None:
            return (0.0, self.time.duration_ms)
        stimulus = self.stimuli[self.question.stimulus]
        if stimulus.interval_ms is None:
            return (0.0, self.time.duration_ms)
        edges = [i * stimulus.interval_ms for i in range(len(stimulus.rates_hz))]
        return (*(e for e in edges if e < self.time.duration_ms), self.time.duration_ms)

    def set_point_hz(self) -> float | None:
        """Return the rate at which the rule stands still, if it can be known beforehand."""
        if self.question is None:
            return None
        if self.question.set_point_hz is not None:
            return self.question.set_point_hz
        projection = self.projections[self.question.projection]
        stimulus, rule = self.stimuli.get(projection.pre), projection.plasticity
        if stimulus is None or rule is None or rule.dw_minus == 0 or len(stimulus.rates_hz) != 1:
            return None
        return stimulus.rates_hz[0] * rule.dw_plus / rule.dw_minus


def rates_per_step(stimulus: Poisson, n_steps: int, dt_ms: float) -> NDArray[np.float64]:
    """Return the rate of `stimulus` in every step.

    Returns
    -------
    rates : (n_steps,) float64, Hz
    """
    if stimulus.interval_ms is None:
        return np.full(n_steps, stimulus.rates_hz[0])
    per_interval = round(stimulus.interval_ms / dt_ms)
    index = np.minimum(np.arange(n_steps) // per_interval, len(stimulus.rates_hz) - 1)
    rates: NDArray[np.float64] = np.asarray(stimulus.rates_hz, np.float64)[index]
    return rates
