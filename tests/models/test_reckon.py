"""ReckOn: operations recorded from the circuit's simulation, every case of small widths, and what holds for all."""

import csv
from fractions import Fraction
from itertools import product
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit
from numba.extending import register_jitable

import neuroemu.engine.compiled  # noqa: F401 - makes the texts callable from compiled code
from neuroemu.models import reckon
from neuroemu.models.reckon import (
    ChangeParams,
    ChangeSites,
    DecayParams,
    DecaySites,
    NeuronParams,
    NoiseSites,
    RegularParams,
    RegularSites,
    TraceSites,
    UpdateParams,
    UpdateSites,
    change,
    decay,
    event_weight,
    excess,
    integrate,
    noise_from,
    regularisation,
    shifted,
    strike,
    tick,
    update,
)
from neuroemu.numeric.site import Overflow, Site
from neuroemu.testing.texts import text_faults

TRACES = Path(__file__).parents[1] / "traces" / "reckon"
S8, S16, S32, S63 = ((-(2 ** (n - 1)), 2 ** (n - 1) - 1) for n in (8, 16, 32, 63))
U1, U10, U12, U28, U32 = ((0, 2**n - 1) for n in (1, 10, 12, 28, 32))


def site(ends: tuple[int, int], overflow: Overflow = "saturate", shift: int = 0) -> Any:
    lo, hi = ends
    return Site(name="", shift=shift, rounding="floor", overflow=overflow, lo=lo, hi=hi).as_fixed()


def decay_sites(shift: int, register: tuple[int, int]) -> DecaySites:
    return DecaySites(whole=site(S63, shift=shift), store=site(register, "wrap"))


def update_sites(word: tuple[int, int], lr: int) -> UpdateSites:
    return UpdateSites(gain=site(word), rate=site(S63, shift=lr), weight=site(S8))


def regular_sites(k: int, m: int) -> RegularSites:
    return RegularSites(
        bits=site(U32, "wrap"), regular=site(S32, "wrap", k), ratio=site(S63, shift=m)
    )


def noise_sites(strength: int) -> NoiseSites:
    return NoiseSites(word=site(S16, "wrap"), noise=site(S16, shift=strength))


MEMBRANE, OUTPUT = decay_sites(15, S16), decay_sites(7, S16)
TRACE, TRACE_OUT = decay_sites(15, U12), decay_sites(7, U10)
CHANGE = ChangeSites(
    sixteenth=site(S63, shift=4), change=site(S32, "wrap"), guard=site(U1, "wrap", 31)
)
FULL = ChangeParams(full=16, certain=S32[0])
NEURON = NeuronParams(
    threshold=1000, reset_to_zero=0, unit_rec=1, unit_inp=1, lowest=S16[0], highest=S16[1]
)


def rows(name: str) -> list[dict[str, int]]:
    text = (TRACES / f"{name}.csv").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [{k: int(x) for k, x in row.items()} for row in csv.DictReader(lines)]


# Recorded from the circuit


def test_recorded_changes_and_updates() -> None:
    recorded = rows("change")
    assert len(recorded) == 358
    for r in recorded:
        params = RegularParams(
            gain=2 ** r["p"],
            adds=(r["regul_mode"] & 2) and (r["regul_w"] & 1),
            multiplies=(r["regul_mode"] & 1) and r["regul_w"],
            full=16,
        )
        regular, multiplier = regularisation(r["excess"], params, regular_sites(r["r"], r["mul"]))
        eligible = r["signal"] * r["trace"] * r["h"]
        assert change(eligible, regular, multiplier, FULL, CHANGE) == r["d"], r
        rate = UpdateParams(gain=2 ** r["lr_p"], certain=S32[0])
        w, wide = update(r["w"], r["d"], rate, update_sites(U32, r["lr_r"]), r["word"])
        assert (w, int(wide != r["w"])) == (r["next_w"], r["written"]), r


def test_recorded_updates_of_output_weights() -> None:
    recorded = rows("output_update")
    assert len(recorded) == 150
    for r in recorded:
        rate = UpdateParams(gain=2 ** r["lr_p"], certain=-(2**27))
        w, wide = update(r["w"], r["d"], rate, update_sites(U28, r["lr_r"]), r["word"])
        assert (w, int(wide != r["w"])) == (r["next_w"], r["written"]), r


def test_recorded_ticks() -> None:
    recorded = rows("tick")
    assert len(recorded) == 275
    for r in recorded:
        neuron = NEURON._replace(threshold=r["threshold"], reset_to_zero=r["reset_to_zero"])
        params = DecayParams(factor=r["alpha"], unity=32768, stochastic=r["stochastic"])
        v, spike = tick(r["v"], neuron, params, MEMBRANE, r["word"])
        assert (v, int(spike)) == (r["next_v"], r["spike"]), r


def test_recorded_decays_strikes_and_excesses() -> None:
    recorded = rows("decay")
    assert len(recorded) == 384
    for r in recorded:
        alpha = DecayParams(factor=r["alpha"], unity=32768, stochastic=r["stochastic"])
        kappa = DecayParams(factor=r["kappa"], unity=128, stochastic=r["stochastic"])
        trace = TraceSites(trace=site(U12), shifted=site(U12, shift=r["f"]))
        trace_out = TraceSites(trace=site(U10), shifted=site(U10, shift=r["f"]))
        unit = 2 ** r["f"]
        assert decay(r["trace"], alpha, TRACE, r["word"]) == r["decayed"], r
        assert decay(r["trace_out"], kappa, TRACE_OUT, r["word7"]) == r["decayed_out"], r
        assert decay(r["output"], kappa, OUTPUT, r["word7"]) == r["decayed_output"], r
        assert strike(r["trace"], 8 * unit, trace) == r["struck"], r
        assert strike(r["trace_out"], 2 * unit, trace_out) == r["struck_out"], r
        assert excess(shifted(r["own_trace"], trace), r["f0"]) == r["excess"], r


def test_recorded_events() -> None:
    recorded = rows("event")
    assert len(recorded) == 290
    for r in recorded:
        neuron = NEURON._replace(unit_rec=2 ** r["f_rec"], unit_inp=2 ** r["f_inp"])
        weight = event_weight(r["w_rec"], r["w_inp"], neuron)
        addend = noise_from(r["word"], noise_sites(r["strength"])) if r["noise_on"] else 0
        assert integrate(r["v"], weight, addend, neuron, MEMBRANE) == r["next_v"], r


# The update: probability and ends


@pytest.mark.parametrize(("gain", "lr"), list(product([1, 2, 8], [0, 1, 3])))
def test_a_change_is_due_for_p_plus_one_words(gain: int, lr: int) -> None:
    """All changes and all words of 6 bits."""
    params, sites = UpdateParams(gain=gain, certain=-32), update_sites((0, 63), lr)
    for d in range(-32, 32):
        moved = sum(update(0, d, params, sites, word)[0] != 0 for word in range(64))
        p = min(gain * abs(d), 63) // 2**lr
        assert moved == (0 if d == 0 else 64 if d == -32 else p + 1)


@given(w=st.integers(*S8), d=st.integers(*S32), word=st.integers(*U32))
def test_a_weight_moves_by_one_towards_the_change(w: int, d: int, word: int) -> None:
    after, wide = update(w, d, UpdateParams(1, S32[0]), update_sites(U32, 0), word)
    assert wide - w in (0, (d > 0) - (d < 0))
    assert after == min(max(wide, -128), 127)


def test_the_ends_of_a_weight_and_of_the_gain() -> None:
    sites, hardest = update_sites(U32, 0), U32[1]
    always = UpdateParams(gain=2**31, certain=S32[0])
    assert update(127, 2, always, sites, hardest) == (127, 128)
    assert update(-128, -2, always, sites, hardest) == (-128, -129)
    assert update(5, 1, always, sites, 2**31) == (6, 6)
    assert update(5, 1, always, sites, 2**31 + 1) == (5, 5)
    assert update(5, 0, always, sites, 0) == (5, 5)
    # the change that is always due, at a rate that lets no other through
    slow = update_sites(U32, 31)
    assert update(5, S32[0], UpdateParams(1, S32[0]), slow, hardest) == (4, 4)
    assert update(5, S32[0] + 1, UpdateParams(1, S32[0]), slow, hardest) == (5, 5)
    assert update(5, 1, UpdateParams(1, S32[0]), slow, 0) == (6, 6)  # p is 0, and so is the word


# The guard: stoch_update's prob_winp of srnn.v, by hand


@pytest.mark.parametrize(
    ("eligible", "regular", "d"),
    [
        (2**27 - 1, 0, 2**27 - 1),
        (2**27, 0, S32[0]),  # bit 31 of 16 * 2^27
        (2**28 - 1, 0, S32[0]),
        (2**28, 0, 2**28),
        (2**28 + 2**27, 0, S32[0]),
        (2**27, 2**27, S32[0]),  # the difference is 0
        (2**27, 2**27 + 1, -1),  # negative: no guard
        (-5, 0, -5),
        (-5, -6, S32[0]),  # what the guard is for
        (-5, -5, S32[0]),
        (-(2**27) - 1, -(2**28), 2**27 - 1),  # bit 31 is clear: it misses this one
        (S32[0] + 1, 5, S32[1] - 3),  # wraps; bit 31 of 16 * (1 - 2^31) is clear
    ],
)
def test_the_guard(eligible: int, regular: int, d: int) -> None:
    assert change(eligible, regular, 16, FULL, CHANGE) == d


@given(
    eligible=st.integers(-(2**27), 2**27 - 1),
    regular=st.integers(0, 2**31 - 2**27 - 1),
    multiplier=st.integers(0, 16),
)
@example(eligible=1, regular=0, multiplier=15)  # 15/16: nothing is left
@example(eligible=-1, regular=0, multiplier=0)  # downwards there is no multiplier
def test_below_the_guard_the_change_is_the_one_meant(
    eligible: int, regular: int, multiplier: int
) -> None:
    factor = Fraction(1) if eligible < 0 else Fraction(multiplier, 16)
    expected = floor(factor * eligible) - regular
    assert change(eligible, regular, multiplier, FULL, CHANGE) == expected


def test_regularisation_by_hand() -> None:
    both = RegularParams(gain=2**20, adds=1, multiplies=1, full=16)
    # 0x801 << 20 = 0x80100000, in 32 bits; not shifted down it is negative
    assert regularisation(0x801, both, regular_sites(0, 8)) == (0x80100000 - 2**32, 8)
    assert regularisation(0x801, both, regular_sites(4, 7)) == (0x08010000, 0)
    assert regularisation(0xFFF, both._replace(gain=2**31), regular_sites(31, 12)) == (1, 16)
    off = RegularParams(gain=2**20, adds=0, multiplies=0, full=16)
    assert regularisation(0xFFF, off, regular_sites(0, 0)) == (0, 16)


# Decay


def test_every_decay_of_a_trace_for_outputs() -> None:
    """All traces and all factors, the word at the lost part and beside it."""
    for factor, x in product(range(0, 256, 5), range(0, 1024, 3)):
        q = Fraction(factor * x, 128)
        kept, part = floor(q) % 1024, int((q - floor(q)) * 128)
        for word in {max(part - 1, 0), part, min(part + 1, 127)}:
            up = factor != 128 and part >= word and kept != 0
            found = decay(x, DecayParams(factor, 128, 1), TRACE_OUT, word)
            assert found == (kept + up) % 1024
        assert decay(x, DecayParams(factor, 128, 0), TRACE_OUT, 0) == kept


@given(
    x=st.one_of(st.integers(*S16), st.integers(-3, 3)),
    factor=st.integers(0x7000, 0x8FFF),
    word=st.integers(0, 2**15 - 1),
)
@example(x=-1, factor=0x7000, word=0x1000)  # part is 0x1000: lifted to 0
@example(x=1, factor=0x7FFF, word=0)  # decayed to 0: not lifted
@example(x=32767, factor=0x8001, word=0)  # whole is 32767: lifted, it wraps
def test_a_membrane_decays(x: int, factor: int, word: int) -> None:
    q = Fraction(factor * x, 2**15)
    kept = (floor(q) + 2**15) % 2**16 - 2**15
    up = factor != 2**15 and (q - floor(q)) * 2**15 >= word and kept != 0
    expected = (kept + up + 2**15) % 2**16 - 2**15
    assert decay(x, DecayParams(factor, 2**15, 1), MEMBRANE, word) == expected


def test_the_dead_zone_of_a_negative_membrane() -> None:
    params = DecayParams(factor=0x7FC0, unity=32768, stochastic=0)  # 1 - 1/512
    for x in range(-1030, 0):
        stays = decay(x, params, MEMBRANE, 0) == x
        assert stays == (-x * (32768 - 0x7FC0) < 32768)


# The neuron: neur_u_leak to neur_u_step of srnn.v, by hand


@pytest.mark.parametrize(
    ("v", "threshold", "to_zero", "expected"),
    [
        (1000, 1000, 0, (-125, True)),  # 1000 * 0x7000 / 2^15 = 875; judged at 1000
        (1000, 1000, 1, (0, True)),
        (999, 1000, 0, (874, False)),  # 874.125
        (-1, -1, 0, (0, True)),  # floor is -1, minus -1
        (-2, -1, 1, (-2, False)),  # -1.75
        (-30000, -32768, 0, (6518, True)),  # -26250 + 32768
        (32767, -32768, 0, (-4097, True)),  # 28671 + 32768 = 61439 wraps
    ],
)
def test_ticks_by_hand(v: int, threshold: int, to_zero: int, expected: tuple[int, bool]) -> None:
    neuron = NEURON._replace(threshold=threshold, reset_to_zero=to_zero)
    assert tick(v, neuron, DecayParams(0x7000, 0x8000, 0), MEMBRANE, 0) == expected


@given(v=st.integers(*S16), w_rec=st.integers(*S8), w_inp=st.integers(*S8), f=st.integers(0, 7))
def test_without_noise_an_event_saturates(v: int, w_rec: int, w_inp: int, f: int) -> None:
    neuron = NEURON._replace(unit_rec=2**f, unit_inp=2 ** (7 - f))
    weight = event_weight(w_rec, w_inp, neuron)
    assert S16[0] <= weight <= S16[1]
    expected = min(max(v + weight, S16[0]), S16[1])
    assert integrate(v, weight, 0, neuron, MEMBRANE) == expected


@pytest.mark.parametrize(
    ("v", "weight", "addend", "after"),
    [
        (0, 0, -1, 32767),  # no overflow, and taken for one
        (3, 0, -3, 0),
        (30000, -1, 3000, -32537),  # overflow by noise, opposite signs: wraps
        (-30000, 0, -3000, 32536),  # a weight of 0 counts as positive
        (-30000, -1, -3000, -32768),
        (-1, -1, 5, -32768),  # no underflow, and taken for one
        (-1, -1, 2, -32768),  # 0 is not negative
        (-32768, -32768, 0, -32768),  # a total of 0 by wrapping
        (32767, 32512, 300, 43),  # beyond 65535: not noticed
    ],
)
def test_noise_by_hand(v: int, weight: int, addend: int, after: int) -> None:
    assert integrate(v, weight, addend, NEURON, MEMBRANE) == after


def test_every_noise() -> None:
    for strength in range(16):
        sites = noise_sites(strength)
        for word in range(0, 65536, 13):
            signed = word - 65536 if word >= 32768 else word
            assert noise_from(word, sites) == signed // 2**strength


# Compiled

for _text in vars(reckon).values():
    if (
        callable(_text)
        and getattr(_text, "__module__", "") == reckon.__name__
        and not isinstance(_text, type)
    ):
        register_jitable(_text)


@njit(cache=False)
def compiled_learning(draws, regular_params, sites, rate_params, rate_sites, full, change_sites):
    found = np.empty((len(draws), 4), np.int64)
    for i in range(len(draws)):
        above, eligible, w, word = draws[i]
        regular, multiplier = regularisation(above, regular_params, sites)
        d = change(eligible, regular, multiplier, full, change_sites)
        w, _ = update(w, d, rate_params, rate_sites, word)
        found[i, 0], found[i, 1], found[i, 2], found[i, 3] = regular, multiplier, d, w
    return found


@njit(cache=False)
def compiled_neuron(draws, neuron, params, sites, noisy):
    found = np.empty((len(draws), 2), np.int64)
    v = 0
    for i in range(len(draws)):
        w_rec, w_inp, word = draws[i]
        v, spike = tick(v, neuron, params, sites, word)
        addend = noise_from(word + word, noisy)
        v = integrate(v, event_weight(w_rec, w_inp, neuron), addend, neuron, sites)
        found[i, 0], found[i, 1] = v, spike
    return found


def test_compiled_as_python() -> None:
    rng = np.random.default_rng(3)
    columns = [rng.integers(lo, hi, 2000, endpoint=True) for lo, hi in (U12, S32, S8, U32)]
    columns[1][::3] //= 2 ** rng.integers(0, 31, len(columns[1][::3]))
    draws = np.stack(columns, axis=1)
    for gain, lr in ((1, 0), (2**31, 31), (2**31, 0)):
        arguments = (
            RegularParams(gain, 1, 1, 16),
            regular_sites(3, 9),
            UpdateParams(gain, S32[0]),
            update_sites(U32, lr),
            FULL,
            CHANGE,
        )
        expected = compiled_learning.py_func(draws.tolist(), *arguments)
        np.testing.assert_array_equal(compiled_learning(draws, *arguments), expected)
    columns = [rng.integers(lo, hi, 2000, endpoint=True) for lo, hi in (S8, S8, (0, 32767))]
    draws = np.stack(columns, axis=1)
    neuron = NEURON._replace(unit_rec=16, unit_inp=64)
    for factor in (0x7000, 0x8000, 0x8FFF):
        arguments = (neuron, DecayParams(factor, 0x8000, 1), MEMBRANE, noise_sites(3))
        expected = compiled_neuron.py_func(draws.tolist(), *arguments)
        np.testing.assert_array_equal(compiled_neuron(draws, *arguments), expected)


def test_the_text_uses_only_the_allowed_operators() -> None:
    assert text_faults(Path(reckon.__file__).read_text(encoding="utf-8")) == []
