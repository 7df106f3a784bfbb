"""Pair sensors in the kernels' arrays, and the bundles that hold their constants."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from neuroemu.engine.bundles import PairArrays
from neuroemu.engine.network import Layout
from neuroemu.experiment import Experiment
from neuroemu.models.arithmetic import Arithmetic
from neuroemu.models.pair_controller import (
    PairParams,
    PairSites,
    PairState,
    Pattern,
    at_post,
    at_pre,
    at_readout,
    start,
)
from neuroemu.numeric.site import unlimited

NO_PAIRS = PairParams(
    causal_decay=np.zeros(1),
    acausal_decay=np.zeros(1),
    threshold_high=0.0,
    threshold_low=0.0,
    pattern_0=Pattern(0, 0, 0, 0),
    pattern_1=Pattern(0, 0, 0, 0),
    tables=np.zeros((4, 1), np.int64),
    keep_causal=np.ones(4),
    keep_acausal=np.ones(4),
)


def pair_bundle(a: Arithmetic, experiment: Experiment) -> PairParams:
    """Return the constants of all projections: they share all but the thresholds."""
    shared = next(iter(a.pairs.values()), NO_PAIRS)
    each = [a.pairs.get(name, NO_PAIRS) for name in experiment.projections]
    return shared._replace(
        threshold_high=np.asarray([p.threshold_high for p in each], np.float64),
        threshold_low=np.asarray([p.threshold_low for p in each], np.float64),
    )


def pair_sites() -> PairSites:
    """Return the sensors' sites: no capacity is published."""
    return PairSites(charge=unlimited())


def row_offsets(layout: Layout, slots: Any, a: Arithmetic) -> Any:
    """Return the step of a turn at which each unit's row is read; rows are those with plastic synapses."""
    offsets = np.zeros(layout.n_units, np.int64)
    rows = np.unique(slots[:, 0])
    offsets[rows] = np.arange(rows.size) * a.clock.row_steps % max(a.clock.period_steps, 1)
    return offsets


def pair_arrays(a: Arithmetic, trials: int, slots: int) -> PairArrays:
    """Return the sensors of synapses that have never seen a spike."""
    first = start(0, next(iter(a.pairs.values()), NO_PAIRS))
    shape = (trials, slots if a.update == "pairs" else 0)
    return PairArrays(
        causal=np.full(shape, first.causal),
        acausal=np.full(shape, first.acausal),
        pre_step=np.full(shape, first.pre_step, np.int64),
        post_step=np.full(shape, first.post_step, np.int64),
    )


@register_jitable
def _load(weight: Any, pairs: Any, trial: Any, slot: Any) -> Any:
    return PairState(
        weight[trial, slot],
        pairs.causal[trial, slot],
        pairs.acausal[trial, slot],
        pairs.pre_step[trial, slot],
        pairs.post_step[trial, slot],
    )


@register_jitable
def _keep(pairs: Any, trial: Any, slot: Any, after: Any) -> None:
    pairs.causal[trial, slot], pairs.acausal[trial, slot] = after.causal, after.acausal
    pairs.pre_step[trial, slot], pairs.post_step[trial, slot] = after.pre_step, after.post_step


@register_jitable
def _params(pairs: Any, p: Any) -> Any:
    return PairParams(
        pairs.causal_decay,
        pairs.acausal_decay,
        pairs.threshold_high[p],
        pairs.threshold_low[p],
        pairs.pattern_0,
        pairs.pattern_1,
        pairs.tables,
        pairs.keep_causal,
        pairs.keep_acausal,
    )


@register_jitable
def pair_at_pre(rule: Any, state: Any, k: Any, trial: Any, slot: Any, p: Any) -> None:
    """Show a presynaptic spike to a synapse's sensors."""
    before = _load(state.weight, state.pairs, trial, slot)
    _keep(state.pairs, trial, slot, at_pre(before, k, _params(rule.pairs, p), rule.pair_sites))


@register_jitable
def pair_at_post(rule: Any, state: Any, k: Any, trial: Any, slot: Any, p: Any) -> None:
    """Show a postsynaptic spike to a synapse's sensors."""
    before = _load(state.weight, state.pairs, trial, slot)
    _keep(state.pairs, trial, slot, at_post(before, k, _params(rule.pairs, p), rule.pair_sites))


@register_jitable
def pair_readout(rule: Any, state: Any, trial: Any, slot: Any, p: Any) -> None:
    """Let the controller read one synapse and write its weight."""
    before = _load(state.weight, state.pairs, trial, slot)
    after, _ = at_readout(before, _params(rule.pairs, p), rule.pair_sites)
    _keep(state.pairs, trial, slot, after)
    state.weight[trial, slot] = after.weight
