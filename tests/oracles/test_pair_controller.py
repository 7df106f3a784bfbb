"""The pair controller against NEST's model of it, live."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.models.pair_controller import (
    PairSites,
    PairState,
    Pattern,
    at_post,
    at_pre,
    at_readout,
)
from neuroemu.models.pair_settings import PairSettings, pair_params
from neuroemu.numeric.site import Exact
from tests.oracles.nest_facetshw import DT_MS, FIRST_STEP, in_nest_order, nest_defaults, run_nest

SITES = PairSites(Exact())
CODE = st.integers(0, 15)
TABLE = st.tuples(*[CODE] * 16)
BITS = st.tuples(*[st.integers(0, 1)] * 4)
STEPS = st.sets(st.integers(FIRST_STEP + 1, 600), max_size=60).map(sorted)
TAU = st.sampled_from([2.0, 2.5, 6.7, 20.0])  # 600 steps are less than 40 of each
THRESHOLD = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.0]) | st.floats(0.0, 8.0)
SETTINGS = st.builds(
    PairSettings,
    causal_table=TABLE,
    acausal_table=TABLE,
    combined_table=TABLE,
    pattern_0=BITS.map(lambda bits: Pattern(*bits)),
    pattern_1=BITS.map(lambda bits: Pattern(*bits)),
    threshold_high=THRESHOLD,
    threshold_low=THRESHOLD,
    resets=st.tuples(*[st.integers(0, 1)] * 6),
)


def by_nests_names(controller, *, tau_plus, tau_minus, readout_steps):
    """NEST's vector of bits is cc, ca, ac, aa, which is the order of Pattern."""
    return {
        "tau_plus": tau_plus,
        "tau_minus_stdp": tau_minus,
        "driver_readout_time": readout_steps * DT_MS,
        "a_thresh_th": controller.threshold_high,
        "a_thresh_tl": controller.threshold_low,
        "configbit_0": list(controller.pattern_0),
        "configbit_1": list(controller.pattern_1),
        "lookuptable_0": list(controller.causal_table),
        "lookuptable_1": list(controller.acausal_table),
        "lookuptable_2": list(controller.combined_table),
        "reset_pattern": list(controller.resets),
    }


def ours(controller, weight, pre, post, *, tau_plus, tau_minus, readout_steps):
    params = pair_params(controller, dt_ms=DT_MS, tau_causal_ms=tau_plus, tau_acausal_ms=tau_minus)
    never = -len(params.causal_decay) - len(params.acausal_decay)
    choices = []

    def read(state):
        after, choice = at_readout(state, params, SITES)
        choices.append(int(choice))
        return after

    states = in_nest_order(
        PairState(
            weight, 0.0, 0.0, 0, never
        ),  # NEST takes a presynaptic spike at time 0 for granted
        pre,
        post,
        readout_steps=readout_steps,
        at_readout=read,
        at_post=lambda state, k: at_post(state, k, params, SITES),
        at_pre=lambda state, k: at_pre(state, k, params, SITES),
    )
    return states, choices


def assert_nest_agrees(controller, weight, pre, post, **timing):
    states, choices = ours(controller, weight, pre, post, **timing)
    traces = run_nest(by_nests_names(controller, **timing), weight, pre, post)
    got = [(int(s.weight), float(s.causal), float(s.acausal)) for s in states]
    assert got == [tuple(trace) for trace in traces]
    return choices


@given(SETTINGS, CODE, STEPS, STEPS, TAU, TAU, st.integers(1, 200))
@settings(max_examples=120, deadline=None)
def test_nest_has_the_same_weight_and_charges_in_every_bit(
    controller, weight, pre, post, tau_plus, tau_minus, readout_steps
):
    assert_nest_agrees(
        controller,
        weight,
        pre,
        post,
        tau_plus=tau_plus,
        tau_minus=tau_minus,
        readout_steps=readout_steps,
    )


def test_a_pair_forty_time_constants_apart_leaves_nothing_here_and_next_to_nothing_in_nest():
    controller = PairSettings(
        causal_table=tuple(range(16)),
        acausal_table=tuple(range(16)),
        pattern_0=Pattern(0, 0, 1, 0),
        pattern_1=Pattern(0, 1, 0, 0),
        threshold_high=9.0,
        threshold_low=9.0,
    )
    timing = {"tau_plus": 1.0, "tau_minus": 1.0, "readout_steps": 8}
    pre, post = [10, 340], [329, 330]
    (_, last), _ = ours(controller, 5, pre, post, **timing)
    (_, trace) = run_nest(by_nests_names(controller, **timing), 5, pre, post)
    assert (last.causal, trace.causal) == (math.exp(-319 / 8), math.exp(-319 / 8))
    (_, last), _ = ours(controller, 5, pre, post[1:], **timing)
    (_, trace) = run_nest(by_nests_names(controller, **timing), 5, pre, post[1:])
    assert (last.causal, trace.causal) == (0.0, math.exp(-40.0))


def test_nests_own_settings_over_ten_thousand_steps_use_three_of_the_choices():
    shipped = nest_defaults()
    controller = PairSettings(
        causal_table=tuple(shipped["lookuptable_0"].tolist()),
        acausal_table=tuple(shipped["lookuptable_1"].tolist()),
        combined_table=tuple(shipped["lookuptable_2"].tolist()),
        pattern_0=Pattern(*shipped["configbit_0"].tolist()),
        pattern_1=Pattern(*shipped["configbit_1"].tolist()),
        threshold_high=shipped["a_thresh_th"],
        threshold_low=shipped["a_thresh_tl"],
        resets=tuple(shipped["reset_pattern"].tolist()),
    )
    pre = list(range(10, 10_000, 40))
    post = [k + (3 if k < 5_000 else 33) for k in pre]
    timing = {"tau_plus": 20.0, "tau_minus": 20.0, "readout_steps": 120}
    choices = assert_nest_agrees(controller, 5, pre, post, **timing)
    assert set(choices) == {0, 1, 2}


def test_the_documented_defaults_are_those_of_nest():
    shipped = nest_defaults()
    assert shipped["lookuptable_0"].tolist() == [2, 3, 4, 4, *range(5, 15), 14, 15]
    assert shipped["lookuptable_1"].tolist() == [0, 0, *range(1, 11), 10, 11, 12, 13]
    assert shipped["lookuptable_2"].tolist() == list(range(16))
    assert shipped["configbit_0"].tolist() == [0, 0, 1, 0]
    assert shipped["configbit_1"].tolist() == [0, 1, 0, 0]
    assert shipped["reset_pattern"].tolist() == [1] * 6
    assert (shipped["a_thresh_th"], shipped["a_thresh_tl"]) == (21.835, 21.835)
    assert (shipped["tau_plus"], shipped["tau_minus_stdp"]) == (20.0, 20.0)
    assert (shipped["driver_readout_time"], shipped["synapses_per_driver"]) == (15.0, 50)
