"""What xylosim says: the published facts, the step written out, and the edges of every register."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles.xylo import run_xylo

HIGHEST = 32767
REST = {"dash_syn": 15, "dash_mem": 15, "threshold": HIGHEST}
EDGES = st.sampled_from([-32768, -32767, -129, -1, 0, 1, 128, 32766, HIGHEST])
WORDS = EDGES | st.integers(-32768, HIGHEST)


def sat(x):
    return max(-32768, min(HIGHEST, x))


def wrap(x):
    return (x + 32768) % 65536 - 32768


def decay(x, dash):
    return x >> dash or (x > 0) - (x < 0)


def written_out(counts, weights, *, recurrent, version, max_spikes, shift, **neurons):
    """Return (i_syn, v_mem, spikes), each (steps, neurons), by the step in xylo.py's docstring."""
    most_inputs = {31: 15, 1: 31}[max_spikes]
    n = len(weights[0])
    current, membrane, fired, rows = [0] * n, [0] * n, [0] * n, []
    for arriving in counts:
        sources = [(min(k, most_inputs), row) for k, row in zip(arriving, weights, strict=True)]
        sources += zip(fired, recurrent, strict=True) if recurrent else []
        for k, row in sources:
            for _ in range(k):
                current = [sat(i + wrap(w << shift)) for i, w in zip(current, row, strict=True)]
        fired = [0] * n
        for j, (dash_syn, dash_mem, threshold, bias) in enumerate(
            zip(*neurons.values(), strict=True)
        ):
            current[j] -= decay(current[j], dash_syn)
            v = membrane[j]
            if version == 2:
                v = sat(v + sat(sat(wrap(-decay(v, dash_mem)) + current[j]) + bias))
            else:
                v = sat(v - decay(v, dash_mem) + current[j])
            while v >= threshold and fired[j] < max_spikes:
                fired[j], v = fired[j] + 1, wrap(v - threshold)
            membrane[j] = v
        rows.append((list(current), list(membrane), list(fired)))
    return [np.array(values) for values in zip(*rows, strict=True)]


@st.composite
def networks(draw):
    """Draw (steps, channels) counts and the arguments of a run, edges first."""
    n, channels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    version, max_spikes = draw(st.sampled_from([1, 2])), draw(st.sampled_from([31, 1]))
    weight = st.sampled_from([-128, -127, -1, 0, 1, 126, 127]) | st.integers(-128, 127)

    def table(values, rows, columns):
        return draw(
            st.lists(
                st.lists(values, min_size=columns, max_size=columns), min_size=rows, max_size=rows
            )
        )

    counts = table(
        st.sampled_from([0, 0, 1, 15, 16, 31, 32, 255]), draw(st.integers(1, 30)), channels
    )
    dashes = st.integers(0, 15)
    arguments = {
        "weights": table(weight, channels, n),
        "recurrent": table(weight, n, n) if max_spikes == 31 and draw(st.booleans()) else None,
        "shift": draw(st.integers(0, 15)),
        "dash_syn": table(dashes, 1, n)[0],
        "dash_mem": table(dashes, 1, n)[0],
        "threshold": table(WORDS, 1, n)[0],
        "bias": table(WORDS, 1, n)[0] if version == 2 else [0] * n,
    }
    return counts, arguments | {"version": version, "max_spikes": max_spikes}


@settings(deadline=None)
@given(networks())
def test_equals_the_step_written_out(network):
    counts, arguments = network
    weights, shift = arguments.pop("weights"), arguments["shift"]
    trace = run_xylo(counts, weights=weights, recurrent_shift=shift, **arguments)
    for got, expected in zip(trace, written_out(counts, weights, **arguments), strict=True):
        np.testing.assert_array_equal(got, expected, strict=True)


def one_neuron(counts, weights, **arguments):
    """Return the traces, each (steps,), of one neuron whose parameters are REST's or given."""
    trace = run_xylo(counts, weights=[[w] for w in weights], **(REST | arguments))
    return [values[:, 0].tolist() for values in trace]


@pytest.mark.parametrize(("weight", "steps"), [(100, 52), (-100, 39)])
@pytest.mark.parametrize("version", [1, 2])
def test_published_decay_takes_longer_from_above_than_from_below(weight, steps, version):
    counts = np.zeros((60, 1), dtype=int)
    counts[0] = 1
    current, _, _ = one_neuron(counts, [weight], dash_syn=4, version=version)
    assert np.count_nonzero(current) == steps - 1
    assert current[steps - 2] != 0 == current[steps - 1]


def test_the_current_decays_before_it_reaches_the_membrane():
    current, membrane, _ = one_neuron([[1], [0], [0]], [100], dash_syn=1)
    assert current == [50, 25, 13]
    assert membrane == [50, 50 - 1 + 25, 74 - 1 + 13]
    current, membrane, _ = one_neuron([[15], [0]], [100], dash_syn=0)
    assert current == membrane == [0, 0]


def test_the_current_saturates_spike_by_spike():
    top = 127 << 8
    current, _, _ = one_neuron([[2, 0], [0, 1]], [127, -128], shift=8)
    assert current == [HIGHEST - 1, HIGHEST - 1 - 32768 + 1]
    current, _, _ = one_neuron([[2, 1]], [127, -128], shift=8)
    assert current == [HIGHEST - 32768 + 1] != [2 * top - 32768 - 1]


def test_a_shifted_weight_wraps():
    current, _, _ = one_neuron([[1]], [127], shift=9)
    assert current == [wrap(127 << 9) + 1] == [-511]


def test_the_membranes_change_saturates_before_and_after_the_bias_in_version_2():
    # From the third step on the decay of a negative membrane and the current exceed 16 bits.
    weights, counts = [127, -128], [[0, 1], [0, 1], [4, 0]]
    drive = {"shift": 8, "dash_mem": 1}
    below = one_neuron(counts, weights, **drive)
    assert below[0][2] == HIGHEST - 1
    assert below[1][1] == -32768
    assert below[1][2] == -1, "sat(16384 + 32766) = 32767 is what may be added"
    with_bias = one_neuron(counts, weights, **drive, bias=-5)
    assert with_bias[1][2] == -6, "the bias is added to what was saturated"
    first = one_neuron(counts, weights, **drive, version=1)
    assert first[1][2] == -32768 + 16384 + HIGHEST - 1, "version 1 decays the membrane first"


def test_the_lowest_membrane_does_not_decay_at_dash_0_in_version_2():
    counts = [[2], [0], [0]]
    drive = {"shift": 8, "dash_syn": 0, "bias": -32768}
    assert one_neuron(counts, [0], **drive, dash_mem=0)[1] == [-32768] * 3
    quiet = {"shift": 8, "dash_mem": 0}
    assert one_neuron([[1], [0]], [-128], **quiet)[1] == [-HIGHEST, -32766]


def test_at_most_31_spikes_of_a_hidden_neuron_the_rest_stays_on_the_membrane():
    _, membrane, spikes = one_neuron([[15], [0]], [100], threshold=10, dash_syn=15)
    assert spikes == [31, 31]
    assert membrane[0] == 1499 - 310
    assert one_neuron([[1]], [11], threshold=10)[1:] == [[0], [1]], "reached is enough"


def test_one_spike_of_a_readout_neuron():
    _, membrane, spikes = one_neuron([[15], [0]], [100], threshold=10, max_spikes=1)
    assert spikes == [1, 1]
    assert membrane == [1489, 1489 - 1 + 1498 - 10]


def test_15_spikes_of_a_channel_reach_a_hidden_neuron_31_a_readout_neuron():
    for max_spikes, most in ((31, 15), (1, 31)):
        for count in (most - 1, most, most + 1, 255):
            current, _, _ = one_neuron([[count]], [2], max_spikes=max_spikes)
            assert current == [2 * min(count, most) - 1]


@pytest.mark.parametrize(
    ("threshold", "membrane", "spikes"),
    [(0, 0, 31), (-1, 31, 31), (1, 0, 0), (-32768, -32768, 31)],
)
def test_a_threshold_of_0_or_less_spikes_at_rest(threshold, membrane, spikes):
    trace = one_neuron([[0]], [0], threshold=threshold)
    assert trace == [[0], [membrane], [spikes]]


def test_subtracting_a_negative_threshold_wraps_the_membrane():
    assert one_neuron([[0]], [0], threshold=-1, bias=HIGHEST) == [[0], [-32768], [1]]


def test_a_recurrent_spike_arrives_one_step_late():
    arguments = {"recurrent": [[0, 7], [0, 0]], "weights": [[2, 0]], "threshold": [1, HIGHEST]}
    trace = run_xylo([[1], [0], [0]], **(REST | arguments))
    assert trace.spikes[:, 0].tolist() == [1, 0, 0]
    assert trace.i_syn[:, 1].tolist() == [0, 6, 5]


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (ValueError, {"dash_mem": 16}),
        (ValueError, {"shift": -1}),
        (ValueError, {"max_spikes": 2}),
        (ValueError, {"max_spikes": 1, "recurrent": [[0]]}),
        (ValueError, {"version": 1, "bias": 1}),
        (ValueError, {"weights": [[1], [1]]}),
        (TypeError, {"weights": [[128]]}),
        (TypeError, {"threshold": 32768}),
        (TypeError, {"bias": -32769}),
    ],
)
def test_refuses_what_the_chip_cannot_hold(error, wrong):
    with pytest.raises(error):
        run_xylo([[1]], **(REST | {"weights": [[1]]} | wrong))
