"""What the golden trial refuses, and overflow that ends a run."""

from dataclasses import replace

import pytest

from neuroemu.golden.narrow import Narrowing
from neuroemu.golden.trial import Network, SiteOverflowError, run
from tests.golden.networks import (
    CHIP,
    DEFERRED,
    EVENT,
    INTEGRATOR,
    KEEP,
    PERIODIC,
    SIGN,
    network,
    projection,
    site,
    times,
)


class TestErrors:
    def test_error_names_site_lane_and_step(self) -> None:
        narrow = site(width=4, overflow="error")
        neuron = replace(INTEGRATOR, threshold=7, leak_site=narrow, input_site=narrow)
        connected = network(projection((0, 1, 6)), neuron=neuron, size=2)
        assert run(connected, {"A": times(0)}, 3).membrane["N"][2] == [0, 6]
        with pytest.raises(SiteOverflowError, match="site input, lane 1, step 2") as caught:
            run(connected, {"A": times(0, 2)}, 3)
        assert (caught.value.site, caught.value.lane, caught.value.step) == ("input", 1, 2)

    @pytest.mark.parametrize(
        ("spikes", "message"),
        [
            ({"B": times(0)}, "no source"),
            ({"N": times(0)}, "no source"),
            ({"A": times(-1)}, "no spike"),
            ({"A": times(0, index=1)}, "no spike"),
        ],
    )
    def test_spikes_of_nobody_are_refused(
        self, spikes: dict[str, list[tuple[int, int]]], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            run(network(), spikes, 1)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"unit": 2}, "unit 2"),
            ({"input_site": site(1)}, "shift is 1"),
            ({"refractory_steps": -1}, "refractory_steps"),
            ({"reset": 128}, "reset"),
            ({"v_init": -129}, "v_init"),
        ],
    )
    def test_neurons_against_the_page_are_refused(
        self, change: dict[str, object], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            replace(INTEGRATOR, **change)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"unit": 2}, "unit 2"),
            ({"accumulate_site": site(1)}, "shift is 1"),
            ({"w_min": 8, "w_max": 9}, "range"),
            ({"w_min": 5, "w_max": 4}, "above"),
        ],
    )
    def test_updates_against_the_page_are_refused(
        self, change: dict[str, object], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            replace(EVENT, **change)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"period_steps": 0}, "period_steps"),
            ({"counter_site": site(width=4)}, "unsigned"),
            ({"change_site": site(1)}, "shift is 1"),
        ],
    )
    def test_periods_against_the_page_are_refused(
        self, change: dict[str, object], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            replace(PERIODIC, **change)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"input": "soma"}, "input 'soma'"),
            ({"channels": "two"}, "second channel"),
            ({"tests": "both"}, "tests 'both'"),
            ({"evaluation": "never"}, "evaluation 'never'"),
            ({"membrane_site": site(1, width=8)}, "site membrane .* shift is 1"),
            ({"force_site": site(1)}, "site force .* shift is 1"),
            ({"resistance": 3, "bias_in": 1}, "bias joins"),
            ({"scale": 0}, "scale 0"),
            ({"most_spikes": 0}, "most_spikes 0"),
            ({"refractory_steps": -1}, "refractory_steps"),
            ({"reset": 128}, "reset 128"),
            ({"v_init": -129}, "v_init -129"),
        ],
    )
    def test_chip_neurons_against_the_page_are_refused(
        self, change: dict[str, object], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            replace(CHIP, **change)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("change", "message"), [({"factor": 2}, "factor 2"), ({"least": -1}, "least -1")]
    )
    def test_decays_away_from_0_are_refused(self, change: dict[str, object], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            replace(KEEP, **change)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"target": 8}, "no count reaches 8"),
            ({"event": replace(SIGN.event, unit=2, store_site=site(1, width=4))}, "whole weight"),
            ({"change_site": site(width=2)}, "sign saturates"),
            ({"read_site": site(width=4, overflow="wrap")}, "signed reading"),
            ({"read_site": site(width=3)}, "signed reading"),
        ],
    )
    def test_rules_of_signs_against_the_page_are_refused(
        self, change: dict[str, object], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            replace(SIGN, **change)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("counter", "message"),
        [
            (site(width=4), "unsigned"),
            (site(1, signed=False, width=4), "shift is 1"),
            (site(signed=False, width=4, overflow="wrap"), "saturate"),
        ],
    )
    def test_deferred_counters_against_the_page_are_refused(
        self, counter: Narrowing, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            replace(DEFERRED, counter_site=counter)

    def test_connections_to_nowhere_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no population or source 'B'"):
            network(projection(pre="B"))
        with pytest.raises(ValueError, match="no population 'A'"):
            network(projection(post="A"))
        with pytest.raises(ValueError, match=r"no pair \(0, 1\)"):
            network(projection((0, 1, 1)))
        with pytest.raises(ValueError, match="twice"):
            projection((0, 0, 1), (0, 0, 2))
        with pytest.raises(ValueError, match="weight 8"):
            projection((0, 0, 8), plasticity=EVENT)
        with pytest.raises(ValueError, match="both"):
            Network(populations={"A": (1, INTEGRATOR)}, sources={"A": 1}, projections=())
