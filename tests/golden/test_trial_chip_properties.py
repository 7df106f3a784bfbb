"""What holds for every network of golden chip neurons."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.golden.narrow import narrow_fxpmath
from neuroemu.golden.trial import ChipNeuron, Decay, Deferred, Event, Network, run
from tests.golden.networks import FREE, site
from tests.golden.test_trial_properties import networks, roundings, spike_trains

WIDTH = 6


@st.composite
def decays(draw: st.DrawFn) -> Decay:
    return Decay(
        factor=draw(st.integers(0, 16)),
        least=draw(st.integers(0, 3)),
        site=site(4, draw(roundings)),
    )


@st.composite
def chip_neurons(draw: st.DrawFn) -> ChipNeuron:
    """Every choice of the page, in registers of six bits, whose edges are never far."""
    signed = draw(st.booleans())
    where = draw(st.sampled_from(["membrane", "current", "buffer"]))
    two = where != "membrane" and draw(st.booleans())
    overflows = st.sampled_from(["saturate", "wrap"])
    symmetric = draw(st.booleans())
    membrane = site(
        width=WIDTH, symmetric=symmetric, overflow="saturate" if symmetric else draw(overflows)
    )
    current = site(width=WIDTH, signed=signed or not two, overflow=draw(overflows))
    resistance = draw(st.none() | st.integers(0, 12))
    joins = resistance is None and draw(st.booleans())
    threshold = draw(st.integers(-2, 12))
    return ChipNeuron(
        input=where,
        channels="two" if two else "one",
        tests=draw(st.sampled_from(["leaked", "unleaked"])),
        evaluation=draw(st.sampled_from(["step", "event"])),
        current=draw(decays()),
        leak=draw(decays()),
        scale=draw(st.integers(1, 3)),
        resistance=resistance,
        bias=draw(st.integers(-3, 3)),
        bias_in=draw(st.integers(-3, 3)) if joins else 0,
        threshold=threshold,
        reset=draw(st.integers(-8, 8)),
        step=draw(st.none() | st.integers(0, 12)),
        floor=draw(st.none() | st.integers(-16, 0)),
        most_spikes=draw(st.integers(1, 3)),
        refractory_steps=draw(st.integers(0, 3)),
        v_init=draw(st.integers(-31, 31)),
        current_site=current,
        force_site=current
        if resistance is None
        else site(2, draw(roundings), width=WIDTH, overflow=draw(overflows)),
        slope_site=draw(st.sampled_from([FREE, site(width=WIDTH)])),
        membrane_site=membrane,
        input_site=membrane if where == "membrane" else replace(current, overflow=draw(overflows)),
    )


@st.composite
def chip_networks(draw: st.DrawFn) -> Network:
    """The networks of the experiment's neuron, with the chip's, and with deferred updates."""
    network = draw(networks())
    neuron = draw(chip_neurons())
    deferred = Deferred(
        event=learning(network), counter_site=site(signed=False, width=draw(st.integers(1, 3)))
    )
    first, second, third = network.projections
    if draw(st.booleans()):
        second = replace(second, plasticity=deferred)
    if draw(st.booleans()):
        third = replace(third, plasticity=deferred)
    return replace(
        network,
        populations={"N": (2, neuron)},
        projections=(first, second, third),
        merges_input=draw(st.booleans()),
    )


def learning(network: Network) -> Event:
    event = network.projections[2].event
    assert event is not None
    return event


Spikes = dict[str, list[tuple[int, int]]]


@given(network=chip_networks(), spikes=spike_trains(8))
@settings(max_examples=10, deadline=None)
def test_fxpmath_runs_the_same_trial(network: Network, spikes: Spikes) -> None:
    assert run(network, spikes, 8, narrow=narrow_fxpmath) == run(network, spikes, 8)


@given(network=chip_networks(), spikes=spike_trains(20), cut=st.integers(0, 20))
@settings(max_examples=50, deadline=None)
def test_a_shorter_run_is_the_beginning_of_a_longer_one(
    network: Network, spikes: Spikes, cut: int
) -> None:
    long, short = run(network, spikes, 20), run(network, spikes, cut)
    assert short.membrane["N"] == long.membrane["N"][:cut]
    assert short.spikes["N"] == [spike for spike in long.spikes["N"] if spike[0] < cut]
    for p, changes in long.weights.items():
        assert short.weights[p] == [change for change in changes if change[0] < cut]


@given(network=chip_networks(), spikes=spike_trains(20))
@settings(max_examples=100, deadline=None)
def test_membranes_weights_and_spikes_keep_their_limits(network: Network, spikes: Spikes) -> None:
    neuron = network.populations["N"][1]
    assert isinstance(neuron, ChipNeuron)
    trace = run(network, spikes, 20)
    assert all(neuron.membrane_site.holds(v) for step in trace.membrane["N"][1:] for v in step)
    assert max(map(trace.spikes["N"].count, trace.spikes["N"]), default=0) <= neuron.most_spikes
    for p, changes in trace.weights.items():
        event = network.projections[p].event
        assert event is not None or changes == []
        assert all(event is not None and event.store_site.holds(w) for _, _, w in changes)


@given(network=chip_networks(), spikes=spike_trains(20))
@settings(max_examples=50, deadline=None)
def test_merging_input_is_the_same_as_giving_every_spike_once(
    network: Network, spikes: Spikes
) -> None:
    twice = {name: [*train, *train[::2]] for name, train in spikes.items()}
    merging = replace(network, merges_input=True)
    assert run(merging, twice, 20) == run(replace(network, merges_input=False), spikes, 20)


@given(network=networks(), spikes=spike_trains(20), data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_chip_that_chooses_what_the_experiment_does_is_its_neuron(
    network: Network, spikes: Spikes, data: st.DataObject
) -> None:
    """Input to the membrane, a leak by a multiplier, a reset to a value, and at least one step of waiting."""
    size, lif = network.populations["N"]
    assert not isinstance(lif, ChipNeuron)
    lif = replace(lif, refractory_steps=data.draw(st.integers(1, 3)))
    chip = ChipNeuron(
        input="membrane",
        current=Decay(factor=0, least=0, site=FREE),
        leak=Decay(factor=lif.leak + lif.unit, least=0, site=lif.leak_site),
        threshold=lif.threshold,
        reset=lif.reset,
        refractory_steps=lif.refractory_steps,
        v_init=lif.v_init,
        current_site=FREE,
        force_site=FREE,
        slope_site=FREE,
        membrane_site=lif.input_site,
        input_site=lif.input_site,
    )
    as_lif = replace(network, populations={"N": (size, lif)})
    as_chip = replace(network, populations={"N": (size, chip)})
    assert run(as_chip, spikes, 20) == run(as_lif, spikes, 20)
