"""The fixed-point peers do the work they are timed for: same membranes as plain Python integers."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.benchmarks.peers import (
    LEAK_FRACTION_BITS,
    LEAK_MULTIPLIER,
    MEMBRANE_HI,
    MEMBRANE_LO,
    REFRACTORY_STEPS,
    RESET,
    THRESHOLD,
    Raw,
    apytypes_lif,
    fxpmath_lif,
    initial_state,
    numpy_lif,
)

N_NEURONS = 200
N_STEPS = 60

PEERS = [
    pytest.param(numpy_lif, id="numpy"),
    pytest.param(fxpmath_lif, id="fxpmath"),
    pytest.param(apytypes_lif, id="apytypes"),
]


def saturate(value: int) -> int:
    return min(max(value, MEMBRANE_LO), MEMBRANE_HI)


def one_neuron(membrane: int, drive: int, n_steps: int) -> tuple[int, list[str]]:
    """Return the last membrane and the names of the things that happened on the way."""
    counter, seen = 0, []
    for _ in range(n_steps):
        counter = max(counter - 1, 0)
        if counter:
            continue
        leaked = saturate(membrane * LEAK_MULTIPLIER >> LEAK_FRACTION_BITS)
        membrane = saturate(leaked + drive)
        if membrane != leaked + drive:
            seen.append("saturated low" if drive < 0 else "saturated high")
        if membrane > THRESHOLD:
            seen.append("fired")
            membrane, counter = RESET, REFRACTORY_STEPS
    return membrane, seen


def python_ints(membrane: Raw, drive: Raw, n_steps: int) -> tuple[Raw, set[str]]:
    pairs = zip(membrane.tolist(), drive.tolist(), strict=True)
    runs = [one_neuron(start, push, n_steps) for start, push in pairs]
    return np.array([end for end, _ in runs]), {name for _, seen in runs for name in seen}


@pytest.mark.parametrize("n_steps", [1, 2, 11, N_STEPS])
@pytest.mark.parametrize("peer", PEERS)
def test_peer_gives_the_membranes_of_plain_python_integers(peer, n_steps):
    membrane, drive = initial_state(N_NEURONS)
    expected, _ = python_ints(membrane, drive, n_steps)
    np.testing.assert_array_equal(peer.simulate(membrane, drive, n_steps), expected)


def test_the_comparison_reaches_firing_and_both_ends_of_the_format():
    _, seen = python_ints(*initial_state(N_NEURONS), N_STEPS)
    assert seen == {"fired", "saturated low", "saturated high"}


@pytest.mark.parametrize("peer", PEERS)
def test_peer_reports_a_time_per_update(peer):
    step_time_ns: Callable[[int, int], float] = peer.step_time_ns
    # A time per update: thousands of updates, not the whole run and not one step.
    assert 0.01 < step_time_ns(500, 4) < 1e6
