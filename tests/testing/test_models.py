"""`check_model` on the texts that ship, and on texts with one fault each."""

from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st

from neuroemu.models import counter, crossings, cuba, homeostasis, lif
from neuroemu.numeric.format import Format
from neuroemu.numeric.ops import requantize
from neuroemu.numeric.site import ROUNDINGS, Site
from neuroemu.testing import check_model
from neuroemu.testing.texts import text_faults

V = Format.parse("fxp-s8/5")
W = Format.parse("fxp-u6/5")


def site(name: str, form: Format, shift: int = 0, rounding: Any = "floor", **more: Any) -> Site:
    return Site(
        name=name,
        shift=shift,
        rounding=rounding,
        overflow=more.get("overflow", "saturate"),
        lo=form.lo,
        hi=form.hi,
    )


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_the_neuron_that_ships(rounding: str) -> None:
    check_model(
        lif.advance,
        examples=150,
        state=lif.LifState(v=V, refractory=Format.parse("fxp-u6/0")),
        params=lif.LifParams(leak=-3, unit=256, threshold=32, reset=-32, refractory_steps=10),
        sites=lif.LifSites(
            leak=site("leak", V, 8, rounding),
            input=lif.LifSites._fields.index("input"),
            wait=site("wait", Format.parse("fxp-u62/0")),
        ),
    )


@pytest.mark.parametrize("overflow", ["saturate", "wrap"])
def test_the_rule_that_ships(overflow: str) -> None:
    total = Format.parse("fxp-s12/4")
    check_model(
        homeostasis.update,
        examples=150,
        w=W,
        change=Format.parse("fxp-s10/4"),
        params=homeostasis.HomeostasisParams(5, 7, 16, 0, 63 * 16, 0),
        sites=homeostasis.HomeostasisSites(
            accumulate=site("accumulate", total, overflow=overflow),
            store=site("store", W, 4, "stochastic"),
            plus=0,
            minus=0,
            change=0,
        ),
    )


def test_the_counter_that_ships() -> None:
    form = Format.parse("fxp-u8/0")
    check_model(
        counter.increment,
        examples=150,
        counter=counter.Counter(form, st.booleans()),
        sites=counter.CounterSites(site("count", form, overflow="wrap"), 0),
    )


CURRENT = Format.parse("fxp-s9/5")
ANY = Format.parse("fxp-s30/0")


def chip_sites(rounding: Any, overflow: str, fire: Any) -> cuba.CubaSites:
    return cuba.CubaSites(
        decay=site("decay", ANY, 4, rounding),
        current=site("current", CURRENT, overflow=overflow),
        force=site("force", V, 2, rounding, overflow=overflow),
        leak=site("leak", ANY, 8, rounding),
        slope=site("slope", V),
        membrane=site("membrane", V, overflow=overflow),
        input=site("input", V, overflow=overflow),
        wait=site("wait", Format.parse("fxp-u62/0")),
        fire=fire,
    )


def chip_params(**choices: Any) -> cuba.CubaParams:
    usual = {"to_membrane": 0, "to_current": 0, "split": 1, "through": 0,
             "unleaked": 0, "at_events": 0, "keep": 1, "reset": 0, "floor": -100}  # fmt: skip
    return cuba.CubaParams(
        decay=-2, decay_unit=16, decay_least=1, scale=3, resistance=5, leak=-3, unit=256, least=2,
        early_bias=1, bias=-1, threshold=31, step=32, refractory_steps=2, most_spikes=3,
        **(usual | choices),
    )  # fmt: skip


CHIP_STATE = cuba.CubaState(
    v=V, refractory=Format.parse("fxp-u6/0"), excitatory=CURRENT, inhibitory=CURRENT,
    excitatory_buffer=V, inhibitory_buffer=V, pending=st.integers(0, 99),
    clipped=st.integers(0, 99),
)  # fmt: skip


@pytest.mark.parametrize(
    ("rounding", "overflow", "fire", "choices"),
    [
        ("floor", "saturate", crossings.Often(), {}),
        ("fix", "wrap", crossings.Once(), {"through": 1}),
        ("stochastic", "saturate", crossings.Once(), {"unleaked": 1, "keep": 0}),
    ],
)
def test_the_chip_neuron_that_ships(
    rounding: str, overflow: str, fire: Any, choices: dict[str, int]
) -> None:
    sites = chip_sites(rounding, overflow, fire)
    check_model(
        cuba.advance,
        examples=150,
        state=CHIP_STATE,
        params=chip_params(**choices),
        sites=sites._replace(input=0),
    )


def test_the_input_of_the_chip_neuron() -> None:
    sites = chip_sites("floor", "wrap", crossings.Once())
    check_model(
        cuba.receive,
        examples=150,
        state=CHIP_STATE,
        drive=V,
        params=chip_params(to_membrane=1, split=0, at_events=st.integers(0, 1)),
        sites=sites._replace(decay=0, current=0, force=0, leak=0, slope=0, wait=0),
    )


def test_the_deferred_rule_that_ships() -> None:
    check_model(
        homeostasis.update_deferred,
        examples=150,
        w=W,
        n_post=Format.parse("fxp-u4/0"),
        params=homeostasis.HomeostasisParams(5, 7, 16, 0, 63 * 16, 0),
        sites=homeostasis.HomeostasisSites(
            accumulate=site("accumulate", Format.parse("fxp-s11/4"), overflow="wrap"),
            store=site("store", W, 4, "stochastic"),
            plus=0,
            minus=0,
            change=0,
        ),
    )


def test_the_rule_of_signs_that_ships() -> None:
    counts, sign = Format.parse("fxp-s8/0"), Site(
        name="change", shift=0, rounding="floor", overflow="saturate", lo=-1, hi=1
    )  # fmt: skip
    check_model(
        homeostasis.change_from_counts,
        examples=150,
        n_pre=counts,
        n_post=counts,
        params=homeostasis.HomeostasisParams(0, 1, 1, 0, 63, 5),
        sites=homeostasis.HomeostasisSites(
            accumulate=0,
            store=0,
            plus=site("plus", counts),
            minus=site("minus", counts),
            change=sign,
        ),
    )


class Sites(NamedTuple):
    leak: Any


def halves(v: Any, sites: Any, bits: Any) -> Any:
    return v // 2


def floats(v: Any, sites: Any, bits: Any) -> Any:
    return requantize(v, sites.leak, bits) * 1.0


def forgets(v: Any, step: Any, sites: Any, bits: Any) -> Any:
    return requantize(v, sites.leak, bits) - step


def overruns(v: Any, gain: Any, sites: Any, bits: Any) -> Any:
    return requantize(v * gain * gain, sites.leak, bits)


def ignores(v: Any, sites: Any, bits: Any) -> Any:
    return v


CALLS: list[int] = []


def remembers(v: Any, sites: Any, bits: Any) -> Any:
    CALLS.append(1)
    return requantize(v + len(CALLS), sites.leak, bits)


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        (halves, {}, "the operator FloorDiv"),
        (floats, {}, "is no integer"),
        (forgets, {"step": 1}, "every register keeps its format: v = -129 is outside fxp-s8/5"),
        (overruns, {"gain": Format.parse("fxp-s40/0")}, "compiled in 64 bits as on Python ints"),
        (ignores, {}, "sites: leak is never reached"),
        (remembers, {}, "two calls differ"),
    ],
)
def test_a_faulty_text_is_told_its_fault(text: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(AssertionError) as error:
        check_model(text, examples=200, v=V, sites=Sites(site("leak", V)), **more)
    assert said in str(error.value)


def test_a_text_that_numba_refuses_is_told_so() -> None:
    def own(v: Any, sites: Any, bits: Any) -> Any:
        return requantize(v, sites._asdict()["leak"], bits)

    with pytest.raises(AssertionError, match="own cannot be compiled"):
        check_model(own, v=V, sites=Sites(site("leak", V)))


def test_faults_of_a_source() -> None:
    assert text_faults("def f(a, b): return a + b * 1 if a > b else 0") == []
    source = "import numpy\ndef f(a):\n    for i in a: a -= 2\n    return a >> 1"
    assert [fault.split(":")[0] for fault in text_faults(source)] == [
        "line 1",
        "line 3",
        "line 4",
        "line 3",
    ]
