"""A neuron as its chain sees it: constants, the leak of a step, and when it spikes. docs/spec/prediction.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuroemu.models.lif import LifParams
from neuroemu.numeric.ops import requantize, rounded
from neuroemu.numeric.site import Fixed
from neuroemu.prediction.grid import Floats


class Neuron(Protocol):
    """A neuron whose membrane leaks between inputs and starts anew when it has spiked."""

    @property
    def is_integer(self) -> bool:
        """Whether its membrane is an integer."""

    @property
    def is_stochastic(self) -> bool:
        """Whether the leak draws random bits."""

    @property
    def multiplier(self) -> float:
        """What the leak leaves of the distance from rest in one step, before it is rounded."""

    @property
    def dead_steps(self) -> int:
        """Steps from a spike on in which input is lost."""

    @property
    def rest(self) -> float:
        """Membrane that a long time without input leaves."""

    @property
    def start(self) -> float:
        """Membrane after a spike, one leak before the first input that it can take."""

    @property
    def top(self) -> float:
        """Highest membrane after which no spike is certain."""

    def leaked(self, v: Any) -> Any:
        """Return the membranes `v` a step later; the mean if the leak is stochastic."""

    def received(self, wide: Floats) -> Floats:
        """Return membranes with their input, narrowed where the chip narrows them."""

    def fires(self, v: Floats) -> Floats:
        """Return the chance that a membrane of `v`, its input included, leads to a spike."""

    def restarts(self, v: Floats) -> tuple[Floats, Floats]:
        """Return how often a membrane of `v` that spikes does so, and where it starts anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifNeuron:
    """The experiment's own neuron, of docs/spec/lif.md: it receives, and leaks before it is tested.

    Parameters
    ----------
    params : LifParams
    leak, input : site
    is_integer, is_stochastic : bool
        See `Neuron`.
    """

    params: LifParams
    leak: Any
    input: Any
    is_integer: bool
    is_stochastic: bool

    @property
    def multiplier(self) -> float:
        """See `Neuron`."""
        return 1.0 + float(self.params.leak) / float(self.params.unit)

    @property
    def dead_steps(self) -> int:
        """See `Neuron`; the step of the spike itself is one."""
        return max(int(self.params.refractory_steps), 1)

    @property
    def rest(self) -> float:
        """See `Neuron`."""
        return 0.0

    @property
    def start(self) -> float:
        """See `Neuron`."""
        return float(self.params.reset)

    @property
    def top(self) -> float:
        """See `Neuron`."""
        lowest = self.fires_from
        if self.is_stochastic or np.isinf(lowest):
            return float(self.params.threshold)
        return lowest - 1.0 if self.is_integer else float(np.nextafter(lowest, -np.inf))

    @property
    def fires_from(self) -> float:
        """Lowest membrane that spikes in the next step, if the leak is not stochastic."""
        threshold = self.params.threshold
        if not self.is_integer or self.is_stochastic:
            return float(np.nextafter(threshold / self.multiplier, np.inf))
        if self.multiplier == 0.0:
            return float("inf")
        return lowest_above(self, int(threshold))

    def leaked(self, v: Any) -> Any:
        """See `Neuron`."""
        if self.is_stochastic or not self.is_integer:
            return v * self.multiplier
        wide = int(self.params.leak) * v + int(self.params.unit) * v
        return narrowed_leak(wide, self.leak)

    def received(self, wide: Floats) -> Floats:
        """See `Neuron`."""
        return narrowed_input(wide, self.input) if self.is_integer else wide

    def fires(self, v: Floats) -> Floats:
        """See `Neuron`."""
        if self.is_stochastic:
            return part_above(self.leaked(v), float(self.params.threshold))
        return np.asarray(v >= self.fires_from, np.float64)

    def restarts(self, v: Floats) -> tuple[Floats, Floats]:
        """See `Neuron`."""
        return np.ones(v.shape), np.full(v.shape, self.start)


def lowest_above(neuron: Neuron, threshold: int) -> float:
    """Return the lowest integer membrane that is above `threshold` when it has leaked."""
    low, high = threshold, threshold + 1
    while neuron.leaked(high) <= threshold:
        low, high = high, 2 * high - threshold
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if neuron.leaked(middle) > threshold else (middle, high)
    return float(high)


def narrowed_leak(wide: Any, site: Any) -> Any:
    """Return leaked integers, many at once: a leak never leaves its range."""
    return rounded(wide, site, 0) if isinstance(site, Fixed) else requantize(wide, site, 0)


def narrowed_input(wide: Floats, site: Any) -> Floats:
    """Return whole numbers at a site that drops no bits."""
    out: NDArray[np.bool_] = (wide < site.lo) | (wide > site.hi)
    if out.any():
        wide = wide.copy()
        wide[out] = [requantize(int(x), site, 0) for x in wide[out]]
    return wide


def part_above(mean: Floats, threshold: float) -> Floats:
    """Return the chance that a number rounded stochastically to integers exceeds `threshold`."""
    return np.asarray(np.minimum(np.maximum(mean - threshold, 0.0), 1.0))
