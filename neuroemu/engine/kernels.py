"""The loops over time, lanes and events. Arithmetic is in `neuroemu.models` and `neuroemu.numeric`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from neuroemu.engine.bundles import (
    DEFERRED,
    DELIVERY_COUNTS,
    DELIVERY_PROJECTION,
    DELIVERY_TRIAL,
    DELIVERY_UNIT,
    DRIVE,
    EVENT_DRIVEN,
    INPUT,
    LEAK,
    MEMBRANE,
    PAIRS,
    PERIODIC,
    PRE_START,
    PRE_STOP,
    ROW_START,
    SLOT_START,
    SYN_START,
)
from neuroemu.engine.compiled import at, either, kernel, lowest_byte, prefer_wide_vectors, put
from neuroemu.engine.learning import count, defer, end_period, learn, learn_deferred
from neuroemu.engine.pairs import pair_at_post, pair_at_pre
from neuroemu.engine.recording import count_site, sample, touch, write_changes
from neuroemu.engine.words import drive_word, leak_word
from neuroemu.models.neurons import advance, clipped, flushed, receive, reset, stuck
from neuroemu.models.synapse import drive
from neuroemu.numeric.ops import overflowed

FEW_LANES = 8
"""Below this many lanes a scalar loop is faster than a vector loop with its scan for spikes."""

HOUSEKEEPING = 1024
"""Steps between flushes of subnormal membranes and counts of lanes in the leak's dead zone."""

PLACE = 256 ** np.arange(8, dtype=np.uint64)
"""What one unit of each byte adds to its word; the lowest byte comes first in memory."""

TINY = 1e-290


@register_jitable(forceinline=True)
def _sweep_few(
    k: Any, n: Any, params: Any, start: Any, stop: Any,
    neurons: Any, lanes: Any, words: Any, spikes: Any,
) -> Any:  # fmt: skip
    """Advance the lanes of one group one by one, and return the number of spikes recorded."""
    for lane in range(start, stop):
        word = leak_word(words, neurons.lanes, lane, k)
        after, sent = advance(at(lanes, lane), params, neurons.sites, word)
        put(lanes, lane, after)
        for _ in range(np.int64(sent)):
            spikes[n, 0] = k
            spikes[n, 1], spikes[n, 2] = neurons.lanes[lane, 0], neurons.lanes[lane, 1]
            n += 1
    return n


@register_jitable(forceinline=True)
def _advance_few(
    k: Any, stop: Any, trials: Any, n: Any, neurons: Any, lanes: Any, words: Any, spikes: Any
) -> Any:
    """Advance until a step has spikes or `stop` is reached; return the next step and the spikes recorded."""
    first = n
    bounds = neurons.bounds
    params = at(
        neurons.params, 0
    )  # read once: a store to a lane might change them, for all numba knows
    while k < stop and n == first:
        end = bounds[0, 1] * trials
        n = _sweep_few(k, n, params, 0, end, neurons, lanes, words, spikes)
        for g in range(1, bounds.shape[0]):
            start, end = bounds[g, 0] * trials, bounds[g, 1] * trials
            other = at(neurons.params, g)
            n = _sweep_few(k, n, other, start, end, neurons, lanes, words, spikes)
        k += 1
    return k, n


@register_jitable(forceinline=True)
def _sweep_many(
    k: Any, params: Any, start: Any, stop: Any,
    neurons: Any, lanes: Any, words: Any, fired: Any,
) -> Any:  # fmt: skip
    """Advance the lanes of one group in a vector loop, note which fired, and return whether any did."""
    any_fired = np.int32(0)
    for lane in range(start, stop):
        word = leak_word(words, neurons.lanes, lane, k)
        after, sent = advance(at(lanes, lane), params, neurons.sites, word)
        put(lanes, lane, after)
        fired[np.uint64(lane)] = sent
        any_fired = either(any_fired, np.int32(sent))
    return any_fired


@register_jitable(forceinline=True)
def _note_spikes(k: Any, n: Any, neurons: Any, fired: Any, fired_words: Any, spikes: Any) -> Any:
    """Record the spikes of a step by lane, eight lanes at a glance, and return the number recorded."""
    for i in range(fired_words.size):
        word = fired_words[i]
        while word != 0:
            byte = lowest_byte(word)
            lane = 8 * i + byte
            word -= PLACE[byte] * fired[lane]
            for _ in range(fired[lane]):
                spikes[n, 0] = k
                spikes[n, 1], spikes[n, 2] = neurons.lanes[lane, 0], neurons.lanes[lane, 1]
                n += 1
    return n


@register_jitable(forceinline=True)
def _advance_many(
    k: Any, stop: Any, trials: Any, n: Any, neurons: Any, lanes: Any, words: Any, spikes: Any,
    fired: Any, fired_words: Any,
) -> Any:  # fmt: skip
    """Do the same in vector loops; who has fired is looked up afterwards, if any lane has."""
    prefer_wide_vectors()
    first = n
    bounds = neurons.bounds
    params = at(neurons.params, 0)
    while k < stop and n == first:
        end = bounds[0, 1] * trials
        any_fired = _sweep_many(k, params, 0, end, neurons, lanes, words, fired)
        for g in range(1, bounds.shape[0]):
            start, end = bounds[g, 0] * trials, bounds[g, 1] * trials
            other = at(neurons.params, g)
            in_group = _sweep_many(k, other, start, end, neurons, lanes, words, fired)
            any_fired = either(any_fired, in_group)
        if any_fired != 0:
            n = _note_spikes(k, n, neurons, fired, fired_words, spikes)
        k += 1
    return k, n


@register_jitable(forceinline=True)
def _deliver(
    p: Any, unit: Any, trial: Any, k: Any, trials: Any, touched: Any,
    neurons: Any, wiring: Any, rule: Any, draws: Any, state: Any, rec: Any,
) -> Any:  # fmt: skip
    """Bring one spike to every target of its row, and let plastic synapses learn from it."""
    row = wiring.projections[p, ROW_START] + unit - wiring.projections[p, PRE_START]
    plastic = wiring.projections[p, SLOT_START] >= 0
    to_slot = wiring.projections[p, SLOT_START] - wiring.projections[p, SYN_START]
    gain = wiring.gain[p]
    for s in range(wiring.indptr[row], wiring.indptr[row + 1]):
        neuron = wiring.target[s]
        lane = neuron * trials + trial
        if plastic and rule.mode == DEFERRED:
            touched = touch(rec, state.weight, touched, k, trial, s + to_slot)
            learn_deferred(rule, draws, state, rec.tally, k, trial, s + to_slot, p)
        w = state.weight[trial, s + to_slot] if plastic else wiring.weight[s]
        word = drive_word(draws, k, trial, s)
        amount = drive(w, gain, wiring.sites, word)
        before = at(state.neurons, lane)
        params = at(neurons.params, neurons.group[neuron])
        after, over = receive(before, amount, params, neurons.sites)
        put(state.neurons, lane, after)
        count_site(rec.tally, trial, DRIVE, overflowed(w * gain, wiring.sites.drive, word), k, 0)
        count_site(rec.tally, trial, DRIVE, amount == 0 and w != 0, k, 2)
        count_site(rec.tally, trial, INPUT, over, k, 0)
        if plastic and rule.mode == PAIRS:
            pair_at_pre(rule, state, k, trial, s + to_slot, p)
        if plastic and rule.mode == EVENT_DRIVEN:
            touched = touch(rec, state.weight, touched, k, trial, s + to_slot)
            learn(
                rule, draws, state.weight, state.lfsr, rec.tally,
                k, trial, s + to_slot, p, rule.params.dw_plus[p],
            )  # fmt: skip
    return touched


@register_jitable(forceinline=True)
def _merge(
    sources: Any, events: Any, first_event: Any, last_event: Any, first: Any, last: Any,
    wiring: Any, rec: Any,
) -> Any:  # fmt: skip
    """Write this step's deliveries of input and of neurons' spikes to ``rec.now``, by projection."""
    e, n = first_event, 0
    for r in range(wiring.recurrent.size):
        p = wiring.recurrent[r]
        while e < last_event and events[e, DELIVERY_PROJECTION] < p:
            for column in range(4):
                rec.now[n, column] = events[e, column]
            e, n = e + 1, n + 1
        for i in range(first, last):
            unit = sources + rec.spikes[i, 1]
            if wiring.projections[p, PRE_START] <= unit < wiring.projections[p, PRE_STOP]:
                rec.now[n, DELIVERY_PROJECTION], rec.now[n, DELIVERY_UNIT] = p, unit
                rec.now[n, DELIVERY_TRIAL] = rec.spikes[i, 2]
                n += 1
    while e < last_event:
        for column in range(4):
            rec.now[n, column] = events[e, column]
        e, n = e + 1, n + 1
    return n


@register_jitable(forceinline=True)
def _synapses(
    k: Any, trials: Any, sources: Any,
    events: Any, first_event: Any, last_event: Any, first: Any, last: Any,
    neurons: Any, wiring: Any, rule: Any, draws: Any, state: Any, rec: Any,
) -> Any:  # fmt: skip
    """Lines 4 to 6 of the step: input and presynaptic plasticity, postsynaptic plasticity, reset."""
    touched = 0
    if rule.mode == PAIRS:  # a sensor takes the postsynaptic spike of a step first
        for i in range(first, last):
            neuron = rec.spikes[i, 1]
            for c in range(wiring.column_start[neuron], wiring.column_start[neuron + 1]):
                slot, p = wiring.columns[c, 0], wiring.columns[c, 1]
                pair_at_post(rule, state, k, rec.spikes[i, 2], slot, p)
    queue, begin, end = events, first_event, last_event
    if wiring.recurrent.size > 0 and first < last:
        queue, begin = rec.now, 0
        end = _merge(sources, events, first_event, last_event, first, last, wiring, rec)
    for i in range(begin, end):
        touched = _deliver(
            queue[i, DELIVERY_PROJECTION], queue[i, DELIVERY_UNIT], queue[i, DELIVERY_TRIAL],
            k, trials, touched, neurons, wiring, rule, draws, state, rec,
        )  # fmt: skip
    if rule.mode == PERIODIC:
        for i in range(first_event, last_event):
            if events[i, DELIVERY_COUNTS]:
                unit, trial = events[i, DELIVERY_UNIT], events[i, DELIVERY_TRIAL]
                count(rule, state, rec.tally, k, trial, unit)
    for i in range(first, last):
        neuron, trial = rec.spikes[i, 1], rec.spikes[i, 2]
        if rule.mode == PERIODIC:
            count(rule, state, rec.tally, k, trial, sources + neuron)
        if rule.mode == EVENT_DRIVEN:
            for c in range(wiring.column_start[neuron], wiring.column_start[neuron + 1]):
                slot, p = wiring.columns[c, 0], wiring.columns[c, 1]
                touched = touch(rec, state.weight, touched, k, trial, slot)
                learn(
                    rule, draws, state.weight, state.lfsr, rec.tally,
                    k, trial, slot, p, -rule.params.dw_minus[p],
                )  # fmt: skip
        if rule.mode == DEFERRED:
            for c in range(wiring.column_start[neuron], wiring.column_start[neuron + 1]):
                defer(rule, state.since, rec.tally, k, trial, wiring.columns[c, 0])
        lane = neuron * trials + trial
        params = at(neurons.params, neurons.group[neuron])
        put(state.neurons, lane, reset(at(state.neurons, lane), params))
    return touched


@register_jitable(forceinline=True)
def _housekeeping(k: Any, trials: Any, neurons: Any, lanes: Any, words: Any, tally: Any) -> None:
    """Flush subnormal membranes, and count the lanes that the leak no longer moves."""
    for g in range(neurons.bounds.shape[0]):
        params = at(neurons.params, g)
        for lane in range(neurons.bounds[g, 0] * trials, neurons.bounds[g, 1] * trials):
            before = flushed(at(lanes, lane), TINY)
            put(lanes, lane, before)
            trial, word = neurons.lanes[lane, 1], leak_word(words, neurons.lanes, lane, k)
            count_site(tally, trial, LEAK, stuck(before, params, neurons.sites, word), k, 2)
            if clipped(before) > 0 and tally[trial, MEMBRANE, 1] == 0:
                tally[trial, MEMBRANE, 1] = k


@register_jitable(forceinline=True)
def _next_stop(k: Any, stop: Any, period: Any, quiet: Any, events: Any, rec: Any) -> Any:
    """Return the step before which nothing but the neurons themselves can happen.

    `quiet`: the end of a period in which nothing is counted changes nothing.
    """
    until = min(stop, (k // HOUSEKEEPING + 1) * HOUSEKEEPING)
    if period > 0 and not quiet:
        until = min(until, (k // period + 1) * period)
    if rec.cursor[0] < events.shape[0]:
        until = min(until, np.int64(events[rec.cursor[0], 0]) + 1)
    start, last, every = rec.sample_grid[0], rec.sample_grid[1], rec.sample_grid[2]
    if rec.sample_neuron.size > 0 and k < last:
        until = min(until, start if k < start else start + ((k - start) // every + 1) * every)
    return until


def run_steps(
    k: Any, stop: Any, trials: Any, period: Any, sources: Any,
    neurons: Any, wiring: Any, rule: Any, draws: Any, words: Any,
    state: Any, events: Any, rec: Any,
) -> Any:  # fmt: skip
    """Run the steps `k` to `stop` and return the step reached.

    It returns early, after a whole step, where a buffer of `rec` might overflow in the next one; the
    caller empties the buffers and calls again. `events` are deliveries of input spikes, see `bundles`.
    """
    prefer_wide_vectors()
    lanes = neurons.group.size * trials
    while k < stop:
        if rec.cursor[1] + neurons.most_spikes * lanes > rec.spikes.shape[0]:
            break
        if rec.cursor[2] + rec.touched.shape[0] > rec.changes.shape[0]:
            break
        if k % HOUSEKEEPING == 0:
            _housekeeping(k, trials, neurons, state.neurons, words, rec.tally)
        sample(k, trials, state.neurons.v, rec)
        quiet = rule.rests and not state.counting[0]
        until = _next_stop(k, stop, period, quiet, events, rec)
        first, n = rec.cursor[1], rec.cursor[1]
        if lanes < FEW_LANES:
            k, n = _advance_few(k, until, trials, n, neurons, state.neurons, words, rec.spikes)
        else:
            k, n = _advance_many(
                k, until, trials, n, neurons, state.neurons, words, rec.spikes,
                state.fired, state.fired_words,
            )  # fmt: skip
        first_event = rec.cursor[0]
        last_event = first_event
        while last_event < events.shape[0] and events[last_event, 0] == k - 1:
            last_event += 1
        rec.cursor[0], rec.cursor[1] = last_event, n
        if first_event < last_event or first < n:
            touched = _synapses(
                k - 1, trials, sources, events, first_event, last_event, first, n,
                neurons, wiring, rule, draws, state, rec,
            )  # fmt: skip
            write_changes(k - 1, touched, state.weight, rec)
        if period > 0 and k % period == 0 and (state.counting[0] or not rule.rests):
            touched = end_period(k - 1, trials, sources, wiring, rule, draws, state, rec)
            write_changes(k - 1, touched, state.weight, rec)
    return k


run_steps_compiled = kernel(run_steps)
"""`run_steps`, compiled once for every combination of containers."""
