"""Random words for the sites that round stochastically: counter-based, or from a synapse's LFSR."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import overload, register_jitable

from neuroemu.engine.bundles import COUNTER, NO_BITS, LeakConstant
from neuroemu.numeric.bits import lfsr_clock, lfsr_word, philox


def leak_word(source: Any, lanes: Any, lane: Any, k: Any) -> Any:
    """Return the random word for the leak of one lane in step `k`."""
    raise NotImplementedError("compiled code only")


@overload(leak_word)
def _leak_word(source: Any, lanes: Any, lane: Any, k: Any) -> Any:
    def none(source: Any, lanes: Any, lane: Any, k: Any) -> Any:
        return np.int64(0)

    def drawn(source: Any, lanes: Any, lane: Any, k: Any) -> Any:
        return philox(k, np.int64(lanes[lane, 0]), source.keys[lanes[lane, 1]])

    return none if source.instance_class is LeakConstant else drawn


@register_jitable(forceinline=True)
def store_word(draws: Any, lfsr: Any, k: Any, trial: Any, slot: Any) -> Any:
    """Return the random word for the site `store`."""
    if draws.store == NO_BITS:
        return np.int64(0)
    if draws.store == COUNTER:
        return philox(k, slot, draws.store_keys[trial])
    after = lfsr_clock(lfsr[trial, slot], draws.width, draws.taps, draws.clocks)
    lfsr[trial, slot] = after
    return lfsr_word(after, draws.output_bits)


@register_jitable(forceinline=True)
def drive_word(draws: Any, k: Any, trial: Any, synapse: Any) -> Any:
    """Return the random word for the site `drive`."""
    if draws.drive == COUNTER:
        return philox(k, synapse, draws.drive_keys[trial])
    return np.int64(0)
