"""What the kernels do to plastic weights: arithmetic is in `neuroemu.models`."""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

from neuroemu.engine.bundles import ACCUMULATE, CHANGE, COUNT, MINUS, PAIRS, PLUS, STORE
from neuroemu.engine.compiled import at
from neuroemu.engine.pairs import pair_readout
from neuroemu.engine.recording import count_site, touch
from neuroemu.engine.words import store_word
from neuroemu.models import counter as counters
from neuroemu.models.homeostasis import change_from_counts, update, update_deferred
from neuroemu.numeric.ops import overflowed


@register_jitable
def _count_update(
    rule: Any,
    tally: Any,
    k: Any,
    trial: Any,
    before: Any,
    after: Any,
    wide: Any,
    unit: Any,
    word: Any,
) -> None:
    """Count what the sites of an update did."""
    count_site(
        tally, trial, ACCUMULATE, overflowed(wide.accumulate, rule.sites.accumulate, 0), k, 0
    )
    count_site(tally, trial, STORE, overflowed(wide.store, rule.sites.store, word), k, 0)
    count_site(tally, trial, STORE, after == before and wide.store != before * unit, k, 2)


@register_jitable(forceinline=True)
def learn(
    rule: Any, draws: Any, weight: Any, lfsr: Any, tally: Any,
    k: Any, trial: Any, slot: Any, p: Any, change: Any,
) -> None:  # fmt: skip
    """Change one weight, and count what its sites did."""
    params = at(rule.params, p)
    word = store_word(draws, lfsr, k, trial, slot)
    before = weight[trial, slot]
    after, wide = update(before, change, params, rule.sites, word)
    weight[trial, slot] = after
    _count_update(rule, tally, k, trial, before, after, wide, params.unit, word)


@register_jitable
def learn_deferred(
    rule: Any, draws: Any, state: Any, tally: Any, k: Any, trial: Any, slot: Any, p: Any
) -> None:
    """Change one weight by the spikes since its last update, and a presynaptic one."""
    params = at(rule.params, p)
    word = store_word(draws, state.lfsr, k, trial, slot)
    before = state.weight[trial, slot]
    n_post = state.since[trial, slot]
    after, wide = update_deferred(before, n_post, params, rule.sites, word)
    state.weight[trial, slot], state.since[trial, slot] = after, 0
    _count_update(rule, tally, k, trial, before, after, wide, params.unit, word)


@register_jitable
def count(rule: Any, state: Any, tally: Any, k: Any, trial: Any, unit: Any) -> None:
    """Let the counter of a unit that spiked count."""
    counts = state.counters
    if rule.counted[unit]:
        state.counting[0] = True
        before = counters.Counter(counts.count[trial, unit], counts.sticky[trial, unit])
        after = counters.increment(before, rule.counter_sites)
        counts.count[trial, unit] = after.count
        counts.sticky[trial, unit] = after.sticky
        count_site(tally, trial, COUNT, after.sticky and not before.sticky, k, 0)


@register_jitable
def defer(rule: Any, since: Any, tally: Any, k: Any, trial: Any, slot: Any) -> None:
    """Let a synapse remember a postsynaptic spike until its next presynaptic one."""
    before = counters.Counter(since[trial, slot], False)
    after = counters.increment(before, rule.counter_sites)
    since[trial, slot] = after.count
    count_site(tally, trial, COUNT, after.sticky, k, 0)


@register_jitable(forceinline=True)
def _read(rule: Any, counts: Any, trial: Any, unit: Any) -> Any:
    counter = counters.Counter(counts.count[trial, unit], counts.sticky[trial, unit])
    return counters.read(counter, rule.on_overflow, rule.counter_sites)


@register_jitable
def _read_rows(k: Any, trials: Any, wiring: Any, rule: Any, state: Any, rec: Any) -> Any:
    """Let a pair controller read the rows whose turn it is."""
    touched = 0
    for trial in range(trials):
        for slot in range(wiring.slots.shape[0]):
            if (k + 1) % rule.turn == rule.row_offset[wiring.slots[slot, 0]]:
                touched = touch(rec, state.weight, touched, k, trial, slot)
                pair_readout(rule, state, trial, slot, wiring.slots[slot, 2])
    return touched


@register_jitable
def end_period(
    k: Any, trials: Any, sources: Any, wiring: Any, rule: Any, draws: Any, state: Any, rec: Any
) -> Any:
    """Let the plasticity processor read the counters and update every plastic synapse."""
    sites = rule.sites
    touched = 0
    if rule.mode == PAIRS:
        return _read_rows(k, trials, wiring, rule, state, rec)
    for trial in range(trials):
        for slot in range(wiring.slots.shape[0]):
            p = wiring.slots[slot, 2]
            n_pre = _read(rule, state.counters, trial, wiring.slots[slot, 0])
            n_post = _read(rule, state.counters, trial, sources + wiring.slots[slot, 1])
            change, wide = change_from_counts(n_pre, n_post, at(rule.params, p), sites)
            count_site(rec.tally, trial, PLUS, overflowed(wide.plus, sites.plus, 0), k, 0)
            count_site(rec.tally, trial, MINUS, overflowed(wide.minus, sites.minus, 0), k, 0)
            count_site(rec.tally, trial, CHANGE, overflowed(wide.change, sites.change, 0), k, 0)
            touched = touch(rec, state.weight, touched, k, trial, slot)
            learn(
                rule, draws, state.weight, state.lfsr, rec.tally, k, trial, slot, p, change
            )  # fmt: skip
        for unit in range(rule.counted.size):
            state.counters.count[trial, unit] = 0
            state.counters.sticky[trial, unit] = False
    state.counting[0] = False
    return touched
