"""What the kernels read and write, as NamedTuples of arrays. Right of here nothing has a unit.

A **lane** is one (neuron, trial) pair, ``lane = neuron * trials + trial``. A **unit** is whatever spikes: stimulus
sources first, then neurons. A **slot** is one plastic synapse.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Neurons(NamedTuple):
    """Neurons by group; all neurons of a group share their constants."""

    bounds: Any  # (groups, 2) int64, first neuron and the one after the last
    group: Any  # (neurons,) int32
    lanes: Any  # (lanes, 2) int32: neuron, trial
    params: Any  # NamedTuple of (groups,) arrays
    sites: Any  # NamedTuple of sites
    most_spikes: Any  # of one neuron in one step


class Wiring(NamedTuple):
    """Projections in the experiment's order; synapses by row (CSR), plastic ones also by column."""

    projections: Any  # (projections, 5) int64: PRE_START ... SLOT_START
    gain: Any  # (projections,) membrane units per weight LSB
    indptr: Any  # (rows + projections,) int64
    target: Any  # (synapses,) int32, postsynaptic neuron
    weight: Any  # (synapses,) static or initial weight
    column_start: Any  # (neurons + 1,) int64, into the next
    columns: Any  # (slots, 2) int64: slot, projection; sorted by neuron, then projection
    slots: Any  # (slots, 3) int64: presynaptic unit, postsynaptic neuron, projection
    recurrent: Any  # (projections from neurons,) int64, ascending
    sites: Any  # SynapseSites


PRE_START, PRE_STOP, ROW_START, SYN_START, SLOT_START = range(5)
"""Of a projection: its presynaptic units, where its rows begin in ``indptr``, its first synapse, its
first slot (or -1 if it is static)."""


class Rule(NamedTuple):
    """On-chip learning."""

    mode: Any  # NO_UPDATE, EVENT_DRIVEN, PERIODIC, DEFERRED or PAIRS
    rests: Any  # whether a period without spikes changes nothing
    period: Any  # steps between periodic updates, 0 if not periodic
    counted: Any  # (units,) bool: has a spike counter
    on_overflow: Any  # what an overflowed counter reads
    params: Any  # HomeostasisParams of (projections,) arrays
    sites: Any  # HomeostasisSites
    counter_sites: Any  # CounterSites
    turn: Any  # steps in which a pair controller reads all rows
    row_offset: Any  # (units,) int64, step of the turn at which a row is read
    pairs: Any  # PairParams, its thresholds (projections,) arrays
    pair_sites: Any  # PairSites


NO_UPDATE, EVENT_DRIVEN, PERIODIC, DEFERRED, PAIRS = 0, 1, 2, 3, 4


class Draws(NamedTuple):
    """Where random bits of synaptic sites come from."""

    store: Any  # NO_BITS, COUNTER or LFSR
    drive: Any  # NO_BITS or COUNTER
    store_keys: Any  # (trials,) int64
    drive_keys: Any  # (trials,) int64
    width: Any  # of the LFSR
    taps: Any
    clocks: Any
    output_bits: Any


NO_BITS, COUNTER, LFSR = 0, 1, 2


class LeakConstant(NamedTuple):
    """No random bits for the leak."""


class LeakRandom(NamedTuple):
    """Counter-based random bits for the leak."""

    keys: Any  # (trials,) int64


class PairArrays(NamedTuple):
    """What each synapse's pair sensors hold; (trials, slots), or (trials, 0)."""

    causal: Any  # float64
    acausal: Any  # float64
    pre_step: Any  # int64
    post_step: Any  # int64


class State(NamedTuple):
    """All that changes from step to step."""

    neurons: Any  # NamedTuple of (lanes,) arrays
    weight: Any  # (trials, slots)
    lfsr: Any  # (trials, slots) int64, or (trials, 0)
    counters: Any  # Counter of (trials, units) arrays
    since: Any  # (trials, slots) int64: postsynaptic spikes since the last deferred update, or (trials, 0)
    pairs: Any  # PairArrays
    counting: Any  # (1,) bool: whether a spike was counted in this period
    fired: Any  # (lanes rounded up to 8,) uint8, spikes of this step
    fired_words: Any  # the same memory as uint64


DELIVERY_STEP, DELIVERY_PROJECTION, DELIVERY_UNIT, DELIVERY_TRIAL, DELIVERY_COUNTS = range(5)
"""Columns of the input: one row for each input spike and projection that it meets, sorted; the last column is 1 in
the first row of a spike and 0 in its others."""


class Recorder(NamedTuple):
    """Where results go, and how far each is filled."""

    cursor: Any  # (3,) int64: next input spike, output spikes, weight changes
    spikes: Any  # (capacity, 3) int32: step, neuron, trial
    now: Any  # (deliveries that one step can hold, 5) int32: workspace, as the input's rows
    is_recorded: Any  # (slots,) bool, or (0,) if no weight is recorded
    changes: Any  # (capacity, 3) int32: step, slot, trial
    change_value: Any  # (capacity,) weight
    touched: Any  # (trials * recorded slots, 2) int32: slot, trial
    touched_old: Any  # (trials * recorded slots,) weight
    touched_at: Any  # (trials, slots) int32, step of the last touch
    sample_neuron: Any  # (recorded neurons,) int32
    sample_grid: Any  # (3,) int64: start, stop, every, in steps
    sample_v: Any  # (samples, recorded neurons, trials)
    tally: Any  # (trials, sites, 4) int64


TALLIED = (
    *("leak", "drive", "input", "accumulate", "store", "plus", "minus", "change", "count"),
    *("membrane",),
)
"""Sites in the order of `Recorder.tally`; the last axis is overflows, first step of one,
changes that were lost, first step of one. `membrane` is counted in the neuron's own state."""
(LEAK, DRIVE, INPUT, ACCUMULATE, STORE, PLUS, MINUS, CHANGE, COUNT, MEMBRANE) = range(len(TALLIED))
