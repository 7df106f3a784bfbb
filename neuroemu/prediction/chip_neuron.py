"""The chip neuron as its chain sees it: docs/spec/prediction.md, "A chip's own step"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuroemu.models.cuba import CubaParams, CubaSites
from neuroemu.numeric.ops import requantize
from neuroemu.prediction.arrivals import OutOfScopeError
from neuroemu.prediction.grid import Floats
from neuroemu.prediction.neuron import lowest_above, narrowed_input, narrowed_leak, part_above

LONGEST_WAY = 4000
"""Steps in which a membrane that has a rest has come to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipNeuron:
    """A neuron of docs/spec/chip-neuron.md, of integers.

    Parameters
    ----------
    params : CubaParams
    sites : CubaSites
        Over Python's own integers.
    is_stochastic : bool
        Whether the leak draws random bits.
    rest : float
        See `Neuron`.
    """

    params: CubaParams
    sites: CubaSites
    is_stochastic: bool
    rest: float = 0.0
    is_integer: bool = True

    @property
    def multiplier(self) -> float:
        """See `Neuron`."""
        return 1.0 + float(self.params.leak) / float(self.params.unit)

    @property
    def acts_at_once(self) -> bool:
        """Whether the step that takes an input tests the membrane after it; else it leaks before."""
        p = self.params
        return bool(not p.to_membrane or p.unleaked or p.at_events)

    @property
    def dead_steps(self) -> int:
        """See `Neuron`; input that waits a step is lost one step less."""
        steps = int(self.params.refractory_steps)
        return steps if self.params.to_membrane else max(steps - 1, 0)

    @property
    def start(self) -> float:
        """See `Neuron`; of a membrane that subtracts, what is left by one just above the threshold."""
        p = self.params
        landed = float(p.threshold + 1 - p.step) if p.keep else float(p.reset)
        return float(self._before(np.array([landed]))[0])

    @property
    def top(self) -> float:
        """See `Neuron`."""
        if self.acts_at_once or self.is_stochastic:
            return float(self.params.threshold)
        return self.fires_from - 1.0

    @property
    def fires_from(self) -> float:
        """Lowest membrane that spikes, if the leak is not stochastic."""
        threshold = int(self.params.threshold)
        if self.acts_at_once:
            return threshold + 1.0
        return float("inf") if self.multiplier == 0.0 else lowest_above(self, threshold)

    @property
    def lasting(self) -> float:
        """The part of a current that is left a step later."""
        p = self.params
        return 0.0 if p.to_membrane else 1.0 + float(p.decay) / float(p.decay_unit)

    @property
    def force(self) -> float:
        """What a current of 1 adds to the membrane in a step, before it is rounded."""
        p = self.params
        resisted = float(p.resistance) * 2.0**-self.sites.force.shift
        return float(resisted * (1.0 - self.multiplier) if p.through else resisted)

    @property
    def drive(self) -> float:
        """What an input of 1 adds to the membrane, where its current does not last."""
        return 1.0 if self.params.to_membrane else float(self.params.scale) * self.force

    def current_after(self, current: Floats, received: Floats) -> Floats:
        """Return the current that the next step uses, of the one that this step used and its input."""
        p = self.params
        wide = np.round(current + received * p.to_current).astype(np.int64)
        left = _decayed(wide, p.decay, p.decay_unit, p.decay_least, self.sites.decay)
        return np.asarray(left + received * (1 - p.to_current) * p.scale, np.float64)

    def leaked(self, v: Any) -> Any:
        """See `Neuron`: a step of the text without input."""
        p, sites = self.params, self.sites
        force = requantize(int(p.early_bias), sites.force, 0)
        onto = 1 - p.through
        turn = onto - p.through
        gap = turn * (v - p.through * force)
        site = None if self.is_stochastic else sites.leak
        leaked = _decayed(gap, p.leak, p.unit, p.least, site)
        after = v + turn * (leaked - gap) + onto * force + p.bias
        return np.where(after < p.floor, p.keep * (after - p.floor), after)

    def received(self, wide: Floats) -> Floats:
        """See `Neuron`."""
        return narrowed_input(
            wide, self.sites.input if self.params.to_membrane else self.sites.membrane
        )

    def fires(self, v: Floats) -> Floats:
        """See `Neuron`."""
        if self.is_stochastic and not self.acts_at_once:
            return part_above(self.leaked(v), float(self.params.threshold))
        return np.asarray(v >= self.fires_from, np.float64)

    def restarts(self, v: Floats) -> tuple[Floats, Floats]:
        """See `Neuron`; spikes that what is left makes in the next steps count at once."""
        p = self.params
        if not p.keep:
            return np.ones(v.shape), np.full(v.shape, self.start)
        spikes, at, is_first = np.zeros(v.shape), v.astype(np.int64), True
        while True:
            leaked = self.leaked(at)
            left = at if is_first and (p.at_events or not p.to_membrane) else leaked
            tested = at if p.unleaked else left
            more = np.ceil((tested - float(p.threshold)) / float(p.step))
            more = np.minimum(np.maximum(more, 0.0), float(p.most_spikes))
            if not more.any():
                return spikes, self._before(at.astype(np.float64))
            at = np.where(more > 0.0, left - more * float(p.step), at).astype(np.int64)
            spikes, is_first = spikes + more, False

    def _before(self, v: Floats) -> Floats:
        """Return the membrane whose leak leaves `v`, where the step of a spike takes input after its reset."""
        p = self.params
        if not p.to_membrane or p.at_events or self.dead_steps > 0:
            return v
        return np.asarray(2.0 * v - self.leaked(np.round(v).astype(np.int64)), np.float64)


def _decayed(x: Any, leak: int, unit: int, least: int, site: Any) -> Any:
    """Return numbers nearer to 0 as the text does, many at once; without a site nothing is rounded."""
    wide = leak * x + unit * x
    kept = wide / unit if site is None else narrowed_leak(wide, site)
    nearer = x - np.minimum(np.maximum(x, -least), least)
    return np.where(x > 0, np.minimum(kept, nearer), np.maximum(kept, nearer))


def chip_neuron(
    params: CubaParams, sites: CubaSites, population: str, *, is_stochastic: bool
) -> ChipNeuron:
    """Return the neuron of `population`, with its rest.

    Raises
    ------
    OutOfScopeError
        If it has none, or spikes on the way to it.
    """
    neuron = ChipNeuron(params=params, sites=sites, is_stochastic=is_stochastic)
    v = np.int64(params.reset)
    if neuron.multiplier < 1.0:
        force = requantize(int(params.early_bias), sites.force, 0)
        held = float((1 - params.through) * force + params.bias) / (1.0 - neuron.multiplier)
        v = np.int64(round(held + params.through * force))
    calm = replace(neuron, is_stochastic=False)
    for _ in range(LONGEST_WAY):
        before, v = v, np.int64(calm.leaked(v))
        if v > params.threshold:
            raise OutOfScopeError(f"{population} spikes without input")
        if v == before:
            return replace(neuron, rest=float(v))
    raise OutOfScopeError(f"{population} has no rest: nothing stops its leak")
