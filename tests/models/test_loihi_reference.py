"""The reference rule on Loihi 1: terms of the engine against the periodic form with counters of one bit."""

from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from neuroemu.models import loihi
from neuroemu.models.counter import Counter, CounterSites, increment, read
from neuroemu.models.homeostasis import (
    HomeostasisParams,
    HomeostasisSites,
    change_from_counts,
    update,
)
from neuroemu.models.loihi import Term, Variables
from neuroemu.models.loihi_registers import Floating, learning_scale, term, weight_params
from neuroemu.models.loihi_sites import term_sites, weight_sites
from neuroemu.numeric.site import Site

NONE = Variables(0, 0, 0)


def _fixed(lo: int, hi: int, shift: int = 0, rounding: Any = "floor") -> Any:
    site = Site(name="", shift=shift, rounding=rounding, overflow="saturate", lo=lo, hi=hi)
    return site.as_fixed()


def test_a_counter_of_one_bit_reads_whether_there_was_a_spike() -> None:
    for overflow in ("saturate", "wrap"):
        site = Site(name="count", shift=0, rounding="floor", overflow=overflow, lo=0, hi=1)
        sites = CounterSites(count=site.as_fixed(), read=site.as_fixed())
        counter, read_as = Counter(0, sticky=False), []
        for _ in range(4):
            read_as.append(read(counter, 1, sites))
            counter = increment(counter, sites)
        assert read_as == [0, 1, 1, 1]


def _engine(w: int, spikes: tuple[int, int], terms: tuple[Term, Term]) -> int:
    total = loihi.open_total(w, weight_params())
    for spike, one in zip(spikes, terms, strict=True):
        total = loihi.add_term(total, spike, NONE, one, term_sites())
    return int(total)


PERIODIC = HomeostasisSites(
    accumulate=_fixed(-(2**15), 2**15 - 1),
    store=_fixed(0, 255, 7, "stochastic"),
    plus=_fixed(-(2**15), 2**15 - 1),
    minus=_fixed(-(2**15), 2**15 - 1),
    change=_fixed(-(2**15), 2**15 - 1),
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Fraction(32, 5), Fraction(32, 5)),
        (Fraction(51, 8), Fraction(51, 4)),
        (Fraction(1, 128), 8),
        (40, Fraction(1, 3)),
        (224, 20),
        (200, 224),
    ],
)
def test_the_reference_rule_is_the_periodic_form_with_one_bit_counters(a: Any, b: Any) -> None:
    terms = term(learning_scale(a)), term(learning_scale(-b))
    plus, minus = (abs(t.mantissa) * t.scale for t in terms)
    params = HomeostasisParams(
        dw_plus=plus, dw_minus=minus, unit=128, w_min=0, w_max=255 * 128, target_count=0
    )
    words = [r * 2**25 + 77 for r in (0, 50, 64, 127)]
    exceptions = 0
    for w, x0, y0 in product(range(256), (0, 1), (0, 1)):
        total = _engine(w, (x0, y0), terms)
        change, _ = change_from_counts(x0, y0, params, PERIODIC)
        for word in words:
            periodic, _ = update(w, change, params, PERIODIC, word)
            stored = loihi.store_total(total, weight_params(), weight_sites(), word)
            if x0 and y0 and 128 * w + plus > 32767:
                exceptions += 1
                lost = 128 * w + plus - 32767
                kept = min(max(total + lost, 0), 255 * 128)
                assert periodic == min((kept + word // 2**25) // 128, 255) >= stored
            else:
                assert periodic == stored
    assert (exceptions > 0) == (plus > 127)


def test_the_reference_increment_is_six_weight_lsb_up_and_down() -> None:
    for asked in (Fraction(32, 5), Fraction(51, 8)):
        up, down = learning_scale(asked), learning_scale(-asked)
        assert (up, down) == (Floating(6, 0), Floating(-6, 0))
