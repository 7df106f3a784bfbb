"""What a kernel writes down: what each site did, how weights changed, where the membrane was."""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable


@register_jitable(forceinline=True)
def count_site(tally: Any, trial: Any, site: Any, happened: Any, k: Any, what: Any) -> None:
    """Count what `site` did; `what` is 0 for an overflow, 2 for a lost change."""
    if happened:
        if tally[trial, site, what] == 0:
            tally[trial, site, what + 1] = k
        tally[trial, site, what] += 1


@register_jitable(forceinline=True)
def touch(rec: Any, weight: Any, touched: Any, k: Any, trial: Any, slot: Any) -> Any:
    """Note the weight as it was before the first update of this step."""
    if rec.is_recorded.size > 0 and rec.is_recorded[slot] and rec.touched_at[trial, slot] != k:
        rec.touched_at[trial, slot] = k
        rec.touched[touched, 0], rec.touched[touched, 1] = slot, trial
        rec.touched_old[touched] = weight[trial, slot]
        touched += 1
    return touched


@register_jitable(forceinline=True)
def write_changes(k: Any, touched: Any, weight: Any, rec: Any) -> None:
    """Record the weights that this step has changed, one entry each."""
    n = rec.cursor[2]
    for i in range(touched):
        slot, trial = rec.touched[i, 0], rec.touched[i, 1]
        if weight[trial, slot] != rec.touched_old[i]:
            rec.changes[n, 0], rec.changes[n, 1], rec.changes[n, 2] = k, slot, trial
            rec.change_value[n] = weight[trial, slot]
            n += 1
    rec.cursor[2] = n


@register_jitable(forceinline=True)
def sample(k: Any, trials: Any, v: Any, rec: Any) -> None:
    """Record membranes at the start of step `k`, if it is one to be recorded."""
    start, last, every = rec.sample_grid[0], rec.sample_grid[1], rec.sample_grid[2]
    if rec.sample_neuron.size > 0 and start <= k < last and (k - start) % every == 0:
        for i in range(rec.sample_neuron.size):
            for trial in range(trials):
                lane = rec.sample_neuron[i] * trials + trial
                rec.sample_v[(k - start) // every, i, trial] = v[lane]
