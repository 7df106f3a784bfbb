"""What holds for every network of the golden trial."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.golden.narrow import narrow_fxpmath
from neuroemu.golden.trial import Event, Network, Neuron, Periodic, run
from tests.golden.networks import (
    FREE,
    projection,
    site,
)

roundings = st.sampled_from(["floor", "ceil", "fix", "around"])


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A leaky pair of neurons with plastic input and a plastic recurrent projection."""
    overflow = draw(st.sampled_from(["saturate", "wrap"]))
    membrane = site(width=6, overflow=overflow)
    neuron = Neuron(
        leak=draw(st.integers(-16, 0)),
        unit=16,
        threshold=draw(st.integers(0, 12)),
        reset=draw(st.integers(-8, 0)),
        refractory_steps=draw(st.integers(0, 3)),
        leak_site=site(4, draw(roundings), width=6),
        input_site=membrane,
        v_init=0,
    )
    event = Event(
        dw_plus=draw(st.integers(0, 15)),
        dw_minus=draw(st.integers(0, 15)),
        unit=8,
        w_min=draw(st.integers(-8, 0)),
        w_max=draw(st.integers(1, 7)),
        accumulate_site=draw(st.sampled_from([FREE, site(width=6, overflow="wrap")])),
        store_site=site(3, draw(roundings), width=4),
    )
    rule = Periodic(
        event=event,
        period_steps=draw(st.integers(1, 4)),
        plus_site=site(width=5),
        minus_site=site(width=5),
        change_site=site(width=5),
        counter_site=site(signed=False, width=1),
    )
    drive = site(1, draw(roundings), width=6, overflow=overflow)
    weights = st.integers(-8, 7)
    return Network(
        populations={"N": (2, neuron)},
        sources={"A": 2, "K": 1},
        projections=(
            projection((0, 0, 7), (0, 1, 7), pre="K", gain=3, drive_site=drive),
            projection(
                *((i, j, draw(weights)) for i in range(2) for j in range(2)),
                gain=3,
                drive_site=drive,
                plasticity=event if draw(st.booleans()) else rule,
            ),
            projection(
                (0, 1, draw(weights)),
                (1, 0, draw(weights)),
                pre="N",
                gain=3,
                drive_site=drive,
                plasticity=event,
            ),
        ),
    )


def spike_trains(n_steps: int) -> st.SearchStrategy[dict[str, list[tuple[int, int]]]]:
    steps = st.integers(0, n_steps - 1)
    return st.fixed_dictionaries(
        {
            "A": st.lists(st.tuples(steps, st.integers(0, 1)), unique=True),
            "K": st.lists(st.tuples(steps, st.just(0)), unique=True),
        }
    )


@given(network=networks(), spikes=spike_trains(8))
@settings(max_examples=10, deadline=None)
def test_fxpmath_runs_the_same_trial(
    network: Network, spikes: dict[str, list[tuple[int, int]]]
) -> None:
    assert run(network, spikes, 8, narrow=narrow_fxpmath) == run(network, spikes, 8)


@given(network=networks(), spikes=spike_trains(20), cut=st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_a_shorter_run_is_the_beginning_of_a_longer_one(
    network: Network, spikes: dict[str, list[tuple[int, int]]], cut: int
) -> None:
    long, short = run(network, spikes, 20), run(network, spikes, cut)
    assert short.membrane["N"] == long.membrane["N"][:cut]
    assert short.spikes["N"] == [spike for spike in long.spikes["N"] if spike[0] < cut]
    for p, changes in long.weights.items():
        assert short.weights[p] == [change for change in changes if change[0] < cut]


@given(network=networks(), spikes=spike_trains(20), data=st.data())
@settings(max_examples=30, deadline=None)
def test_order_of_the_description_does_not_matter(
    network: Network, spikes: dict[str, list[tuple[int, int]]], data: st.DataObject
) -> None:
    shuffled = replace(
        network,
        projections=tuple(
            replace(p, synapses=tuple(data.draw(st.permutations(p.synapses))))
            for p in network.projections
        ),
    )
    reordered = {name: data.draw(st.permutations(train)) for name, train in spikes.items()}
    assert run(shuffled, reordered, 20) == run(network, spikes, 20)


@given(network=networks(), spikes=spike_trains(20))
@settings(max_examples=50, deadline=None)
def test_a_spike_is_followed_by_the_reset_until_it_is_over(
    network: Network, spikes: dict[str, list[tuple[int, int]]]
) -> None:
    neuron = network.populations["N"][1]
    trace = run(network, spikes, 20)
    for step, index in trace.spikes["N"]:
        end = step + max(neuron.refractory_steps, 1)
        # v at the start of a step: the reset holds through the last refractory step
        values = [trace.membrane["N"][k][index] for k in range(step + 1, min(end + 1, 20))]
        assert set(values) <= {neuron.reset}
        assert not {(k, index) for k in range(step + 1, end)} & set(trace.spikes["N"])


@given(network=networks(), spikes=spike_trains(20))
@settings(max_examples=50, deadline=None)
def test_changed_weights_lie_in_their_limits(
    network: Network, spikes: dict[str, list[tuple[int, int]]]
) -> None:
    trace = run(network, spikes, 20)
    assert trace.weights[0] == []
    for p in (1, 2):
        event = network.projections[p].event
        assert event is not None
        assert all(event.w_min <= w <= event.w_max for _, _, w in trace.weights[p])
