"""Rates of a neuron over the course of an experiment, from its chain in each phase: docs/spec/prediction.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroemu.prediction.grid import Floats
from neuroemu.prediction.passage import Renewal


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Steps in which all rates stand still; `phase` counts their spikes, -1 if none does."""

    steps: int
    rates: tuple[float, ...]
    phase: int


class Flow:
    """A chain in time: a distribution over states, moved on in equal steps.

    Parameters
    ----------
    moves : (states, states) float64
    step : float
        Steps of the experiment in one of the chain.
    rate : (states,) float64
        Spikes per step of the experiment.
    is_aligned : bool
        Whether it moves at multiples of `step` since the start of the experiment.
    """

    def __init__(self, moves: Floats, step: float, rate: Floats, *, is_aligned: bool) -> None:
        size = len(rate)
        matrix = np.zeros((size + 1, size + 1))
        matrix[:size, :size] = moves
        matrix[:size, size] = rate * step
        matrix[size, size] = 1.0
        self.step, self.rate, self.is_aligned = step, rate, is_aligned
        self.powers = [matrix]

    def advance(self, state: Floats, elapsed: int, steps: int) -> tuple[Floats, float]:
        """Return the distribution over states after some steps, and the mean spikes in them."""
        lead = min(-elapsed % self.step, steps) if self.is_aligned else 0.0
        spikes = lead * float(state @ self.rate)
        if lead and (elapsed + lead) % self.step == 0:
            state = state @ self.powers[0][:-1, :-1]
        whole, rest = divmod(steps - lead, self.step)
        moved = self._moved(np.append(state, spikes), int(whole))
        return moved[:-1], float(moved[-1] + rest * (moved[:-1] @ self.rate))

    def _moved(self, state: Floats, count: int) -> Floats:
        bit = 0
        while count >> bit:
            if bit == len(self.powers):
                self.powers.append(self.powers[-1] @ self.powers[-1])
            if (count >> bit) & 1:
                state = state @ self.powers[bit]
            bit += 1
        return state


def renewal_flow(chain: Renewal) -> Flow:
    """Return a renewal chain in time: each state is left with the chance that gives its mean time."""
    step = float(chain.steps.min())
    leave = (step / chain.steps)[:, None]
    moves = np.eye(len(chain.steps)) * (1.0 - leave) + leave * chain.moves
    return Flow(moves, step, chain.spikes / chain.steps, is_aligned=False)


def follow(
    stretches: Sequence[Stretch], flows: dict[tuple[float, ...], Flow], start: Floats, phases: int
) -> Floats:
    """Return the mean spikes per step of each phase."""
    spikes, steps = np.zeros(phases), np.zeros(phases)
    state, elapsed = start, 0
    for stretch in stretches:
        state, more = flows[stretch.rates].advance(state, elapsed, stretch.steps)
        elapsed += stretch.steps
        if stretch.phase >= 0:
            spikes[stretch.phase] += more
            steps[stretch.phase] += stretch.steps
    return np.asarray(spikes / np.maximum(steps, 1))
