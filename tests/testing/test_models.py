"""`check_model` on the texts that ship, and on texts with one fault each."""

from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st

from neuroemu.models import counter, homeostasis, lif
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
        params=homeostasis.HomeostasisParams(5, 7, 16, 0, 63 * 16),
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
        sites=counter.CounterSites(site("count", form, overflow="wrap")),
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
