"""A neuron whose plastic weight is held: how often it spikes, and how regularly. docs/spec/prediction.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroemu.prediction.arrivals import Arrivals
from neuroemu.prediction.grid import Floats
from neuroemu.prediction.membrane_chain import MembraneChain

GIVES_UP = 1e-9
"""Chance for each input that a neuron which cannot spike is no longer followed."""


SURE = 0.5
"""A neuron that spikes with less than this chance before it gives up has no spread of intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where an input takes the membrane, all chances those of an input that has come."""

    waiting: Floats
    waited_steps: Floats
    static_moved: Floats
    static_spikes: Floats
    q: float


def static_input(chain: MembraneChain, arriving: Arrivals) -> Given:
    """Return the part of the input without a plastic spike, which leaves the level as it is."""
    q = arriving.any_event
    jumps, chances = arriving.static
    moved, spikes = chain.jumps(jumps)
    waiting, steps = chain.waiting(q)
    share = chances * arriving.plastic[0] / q
    share[0] = 0.0  # nothing came
    return Given(
        waiting=waiting,
        waited_steps=steps,
        static_moved=np.tensordot(share, moved, 1),
        static_spikes=share @ spikes,
        q=q,
    )


def plastic_input(
    chain: MembraneChain, arriving: Arrivals, drives: Floats, count: int
) -> tuple[Floats, Floats]:
    """Return what `count` plastic spikes and any static ones do, at each level."""
    levels, n = len(drives), len(chain.nodes)
    moved, spikes = np.zeros((levels, n, n)), np.zeros((levels, n))
    for jump, chance in zip(*arriving.static, strict=True):
        part = chance * arriving.plastic[count] / arriving.any_event
        if part > 1e-7:
            one_moved, one_spikes = chain.jumps(count * drives + jump)
            moved += part * one_moved
            spikes += part * one_spikes
    return moved, spikes


def static_rate(chain: MembraneChain, arriving: Arrivals, *, in_order: bool = False) -> float:
    """Return the spikes per step of a neuron whose weights all stay.

    Parameters
    ----------
    chain : MembraneChain
    arriving : Arrivals
        Without a plastic synapse.
    in_order : bool
        Whether each input of a step is judged before the next one comes.
    """
    q = arriving.any_event
    if q <= 0.0:
        return 0.0
    share = arriving.static[1] / q
    share[0] = 0.0  # nothing came
    if in_order:
        moved, spikes = _one_by_one(chain, arriving.orders, share)
    else:
        outcomes, counts = chain.outcomes(arriving.static[0])
        moved, spikes = np.asarray(np.tensordot(share, outcomes, 1)), share @ counts
    waiting, _ = chain.waiting(q)
    visits = np.linalg.solve(still_waiting(waiting @ moved).T, chain.start) * GIVES_UP
    rate = float(visits @ waiting @ spikes)
    return rate / (float(visits.sum()) / q + rate * chain.neuron.dead_steps)


def _one_by_one(
    chain: MembraneChain, orders: tuple[tuple[float, ...], ...], share: Floats
) -> tuple[Floats, Floats]:
    """Return the outcome of a step's inputs, each judged alone: (nodes, nodes), and the spikes (nodes,)."""
    drives = sorted({drive for order in orders for drive in order})
    outcomes, counts = chain.outcomes(np.array(drives, np.float64))
    size = len(chain.nodes)
    moved, spikes = np.zeros((size, size)), np.zeros(size)
    for order, part in zip(orders, share, strict=True):
        after, made = np.eye(size), np.zeros(size)
        for drive in order:
            made = made + after @ counts[drives.index(drive)]
            after = after @ outcomes[drives.index(drive)]
        moved += part * after
        spikes += part * made
    return moved, spikes


def still_waiting(moves: Floats) -> Floats:
    """Return 1 - moves, never singular: a neuron that cannot spike gives up after a very long time."""
    return np.asarray(np.eye(moves.shape[-1]) - moves * (1.0 - GIVES_UP))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a neuron does at each level of its plastic weight while that is held.

    Parameters
    ----------
    rates : (levels,) float64
        Spikes per step.
    released : (levels,) float64
        Spikes per step that a plastic spike released, in the step after it.
    variance : (levels,) float64
        Variance of the number of spikes in a long time, per step.
    covariance : (levels,) float64
        Covariance of that number with the number of plastic spikes, per step.
    """

    rates: Floats
    released: Floats
    variance: Floats
    covariance: Floats


def held(chain: MembraneChain, arriving: Arrivals, drives: Floats) -> Held:
    """Return what a neuron does while its plastic weight is held.

    Parameters
    ----------
    chain : MembraneChain
    arriving : Arrivals
    drives : (levels,) float64
        What a plastic spike adds to the membrane.
    """
    levels, n = len(drives), len(chain.nodes)
    if arriving.any_event <= 0.0:
        nothing = np.zeros(levels)
        return Held(rates=nothing, released=nothing, variance=nothing, covariance=nothing)
    given = static_input(chain, arriving)
    plastic, releasing = np.zeros((levels, n, n)), np.zeros((levels, n))
    for count in range(1, len(arriving.plastic)):
        moved, spikes = plastic_input(chain, arriving, drives, count)
        plastic += moved
        releasing += spikes
    start = np.broadcast_to(chain.start[:, None], (levels, n, 1))
    moves = given.static_moved + plastic
    system = still_waiting(given.waiting @ moves)
    visits = np.linalg.solve(system.transpose(0, 2, 1), start)[:, :, 0]
    ahead = np.linalg.solve(system, np.ones((levels, n, 1)))  # inputs still to come from each node
    after = (moves @ ahead)[:, :, 0]
    after_plastic = (plastic @ ahead)[:, :, 0]
    waited = visits @ given.waiting
    by_plastic = np.einsum("ln,ln->l", waited, releasing)
    spikes = by_plastic + waited @ given.static_spikes
    return _long_run(
        chain,
        arriving,
        inputs=visits.sum(axis=1),
        spikes=spikes,
        by_plastic=by_plastic,
        later=np.einsum("ln,ln->l", visits @ given.waited_steps, after),
        later_plastic=np.einsum("ln,ln->l", waited, after_plastic),
    )


def _long_run(
    chain: MembraneChain,
    arriving: Arrivals,
    *,
    inputs: Floats,
    spikes: Floats,
    by_plastic: Floats,
    later: Floats,
    later_plastic: Floats,
) -> Held:
    """Return rate, variance and covariance from the moments of one interval between spikes.

    Parameters
    ----------
    inputs : (levels,) float64
        Mean inputs in an interval.
    spikes, by_plastic : (levels,) float64
        Chance that it ends, and that a plastic spike ends it.
    later, later_plastic : (levels,) float64
        Steps to each input, and whether it is plastic, times the inputs that follow; summed over an interval.

    Source
    ------
    D. R. Cox, *Renewal Theory* (Methuen 1962), ch. 8: cumulative processes.
    """
    q, dead = arriving.any_event, chain.neuron.dead_steps
    pre = arriving.mean_plastic
    share = pre / q  # plastic spikes for each input
    steps = inputs / q + dead * spikes
    n = inputs * share
    steps_square = inputs * (2.0 - q) / q**2 + 2.0 / q * later
    product = inputs * share / q + share * later + later_plastic / q
    steps_variance = steps_square - (inputs / q) ** 2
    between = product - inputs / q * n
    rates = spikes / steps
    known = spikes > SURE
    variance = np.where(known, steps_variance * rates**3, rates)
    # of spikes and of plastic spikes, the latter at their mean rate `pre`
    covariance = np.where(known, (pre * steps_variance - between) * rates**2, 0.0)
    return Held(
        rates=rates,
        released=by_plastic / np.maximum(steps, 1.0),
        variance=np.maximum(variance, 0.0),
        covariance=np.maximum(covariance, 0.0),
    )
