"""Each law of the emulator holds on shipped targets, and breaks where the emulator is wrong."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase

from neuroemu.hardware.load import load_target
from neuroemu.testing import search
from neuroemu.verification import bench
from neuroemu.verification.certificate import verify
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Outcome
from neuroemu.verification.laws import law_named
from tests.verification import defects as d

EXAMPLES = 40
STOCHASTIC = ("plasticity.increment.format=fxp-u8/3", "plasticity.weight.rounding=stochastic")
NARROW = ("membrane.format=fxp-s7/5",)


def outcome(law: str, target: str = "generic8", *overrides: str, seed: int = 1) -> Outcome:
    chip = load_target(target, overrides)
    return verify(chip, examples=EXAMPLES, seed=seed, laws=[law])[law]


def shown(law: str, found: Outcome) -> str:
    """What the law's judge says of the counterexample, as a replay does."""
    known = law_named(law)
    assert known is not None and found.case is not None
    said = known.judge(Evidence(found.case))
    assert said is not None
    return said


@pytest.fixture
def no_shrinking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PHASES", (Phase.generate,))


Plant = Callable[[pytest.MonkeyPatch], None]

SAMPLED: dict[str, tuple[Plant, str, tuple[str, ...]]] = {
    "kernel-is-executor": (d.dropped_input, "generic8", ()),
    "kernel-is-golden": (
        lambda m: d.rounding_in_the_plan(m, "leak", "floor"), "generic8", (),
    ),
    "doubles-hold-integers": (lambda m: d.field(m, "as_double", hi=1.0), "generic8", NARROW),
    "containers-hold": (lambda m: d.narrower_proof(m, "input"), "generic8", ()),
    "sites-round-as-defined": (
        lambda m: d.addends(m, d.base_of("leak", 20)), "generic8", (),
    ),
    "registers-keep-their-range": (lambda m: d.field(m, "as_fixed", hi=1), "generic8", NARROW),
    "overflows-are-counted": (lambda m: d.silent_overflow(m, "input"), "generic8", NARROW),
    "chunks-change-nothing": (d.forgetful_chunks, "generic8", ()),
    "trials-are-independent": (d.words_by_place, "generic8", STOCHASTIC),
    "acceleration-is-only-time": (d.period_of_fast_chips, "brainscales2", ()),
}  # fmt: skip


@pytest.mark.parametrize("law", SAMPLED)
def test_a_sampled_law_breaks(
    law: str, monkeypatch: pytest.MonkeyPatch, no_shrinking: None
) -> None:
    plant, target, overrides = SAMPLED[law]
    plant(monkeypatch)
    found = outcome(law, target, *overrides)
    assert (found.status, found.how) == ("broken", "sampled")
    assert shown(law, found) == found.text


def test_sampled_laws_hold_together() -> None:
    found = verify(load_target("generic8", NARROW), examples=6, laws=list(SAMPLED))
    assert [r.outcome.status for r in found.results] == ["holds"] * len(SAMPLED)
    assert {r.outcome.cases for r in found.results} - {6} <= {found["trials-are-independent"].cases}


def test_a_broken_law_is_shrunk_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    d.silent_overflow(monkeypatch, "input")
    monkeypatch.setattr(search, "MOST_SHRINKS", 10)
    laws, found = ["overflows-are-counted", "chunks-change-nothing"], []
    for phases in (search.PHASES[:1], search.PHASES):
        monkeypatch.setattr(search, "PHASES", phases)
        found.append(verify(load_target("generic8", NARROW), examples=5, seed=1, laws=laws))
    first, shrunk = (json.dumps(c[laws[0]].case.as_json()) for c in found)  # type: ignore[union-attr]
    assert len(shrunk) < 0.8 * len(first)
    assert all(c[laws[0]].status == "broken" and c[laws[1]].status == "holds" for c in found)


def test_doubles_do_not_apply_beside_an_analog_membrane() -> None:
    found = verify(load_target("brainscales1"), examples=2, laws=["doubles-hold-integers"])
    assert found["doubles-hold-integers"].status == "does not apply"


# By enumeration

ENUMERATED: dict[str, tuple[Plant, str, tuple[str, ...]]] = {
    "leak-as-defined": (lambda m: d.addends(m, d.base_of("leak", 3)), "generic8", ()),
    "leak-stays-between": (lambda m: d.addends(m, d.base_of("leak", 300)), "generic8", ()),
    "delivery-as-defined": (lambda m: d.addends(m, d.base_of("drive", -1)), "generic8", ()),
    "update-as-defined": (lambda m: d.addends(m, d.base_of("store", 200)), "brainscales2", ()),
    "rounding-unbiased": (lambda m: d.addends(m, d.base_of("store", 1)), "generic8", STOCHASTIC),
    "words-unbiased": (
        lambda m: d.addends(m, d.words_of_half_the_size), "generic8", STOCHASTIC,
    ),
}  # fmt: skip


@pytest.mark.parametrize("law", ENUMERATED)
def test_an_enumerated_law_breaks(law: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, target, overrides = ENUMERATED[law]
    assert outcome(law, target, *overrides).status == "holds"
    plant(monkeypatch)
    found = outcome(law, target, *overrides)
    assert found.status == "broken"
    assert shown(law, found)
    assert "does not show" not in found.text


@pytest.mark.parametrize(
    ("law", "target", "overrides", "cases"),
    [
        ("leak-as-defined", "generic8", (), 2 * 2**8),
        ("leak-as-defined", "generic16", (), 2 * 2**16),
        ("leak-stays-between", "generic8", ("membrane.rounding=stochastic",), 2**8),
        ("update-as-defined", "generic8", (), 3 * 129),
        ("update-as-defined", "generic8", STOCHASTIC, 3 * 129),
        ("update-as-defined", "generic4", (), 3 * 16),
        (
            "update-as-defined",
            "brainscales2",
            ("plasticity.counter.width=4", "plasticity.weight.rounding=stochastic",
             "plasticity.random.source=lfsr"),
            64 * 16 * 16,
        ),
        ("delivery-as-defined", "generic8", (), 2**8 * (2**8 + 129)),
    ],
)  # fmt: skip
def test_enumeration_tries_every_case(
    law: str, target: str, overrides: tuple[str, ...], cases: int
) -> None:
    found = outcome(law, target, *overrides)
    draws = any("stochastic" in override for override in overrides)
    how = "sampled" if draws else "proof"  # all states, one random word each
    assert (found.status, found.how, found.cases) == ("holds", how, cases)


def test_wide_registers_are_sampled() -> None:
    found = outcome("leak-as-defined", "spinnaker1")
    assert (found.status, found.how) == ("holds", "sampled")
    assert outcome("delivery-as-defined", "generic16").how == "sampled"


def test_a_leak_that_turns_membranes_around(monkeypatch: pytest.MonkeyPatch) -> None:
    right = bench.Bench.do

    def swapped(self: Any, v: Any = 0, **more: Any) -> Any:
        after, weight, fired = right(self, v, **more)
        at = {int(state): i for i, state in enumerate(np.atleast_1d(v))}
        after[[at[20], at[21]]] = after[[at[21], at[20]]]
        return after, weight, fired

    monkeypatch.setattr(bench.Bench, "do", swapped)
    found = outcome("leak-stays-between")
    assert found.status == "broken"
    assert found.text.startswith(
        "population with_homeostasis: 20 LSB leaks to 20, and 21 LSB to 19"
    )
    assert "does not show" in found.text  # the kernel itself is right


def test_stochastic_laws_say_their_error_rate() -> None:
    found = outcome("words-unbiased", "loihi1", "plasticity.increment.mantissa_bits=15")
    assert (found.how, found.text) == ("statistical", "2 tests, error rate 1e-06")
    assert outcome("rounding-unbiased", "loihi1").how == "proof"
    assert outcome("words-unbiased").status == "does not apply"


def test_an_lfsr_of_few_bits_is_within_its_stated_bias() -> None:
    lfsr = ("plasticity.random.source=lfsr", "plasticity.random.output_bits=2")
    assert outcome("words-unbiased", "generic8", *STOCHASTIC, *lfsr).status == "holds"
