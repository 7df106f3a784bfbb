"""Laws of a chip's own step, of its currents and of two forms of learning: they hold, and break at planted faults."""

from collections.abc import Callable
from typing import Any

import pytest

from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models import rungs
from neuroemu.testing import search
from neuroemu.verification.certificate import verify
from neuroemu.verification.counterexample import Counterexample
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Outcome
from neuroemu.verification.laws import LAWS, law_named
from neuroemu.verification.replay import Replay

SAMPLED = [law.name for law in LAWS if law.test is None]
BY_ENUMERATION = [law.name for law in LAWS if law.kind == "emulator" and law.test is not None]
CHIPS = ("loihi1", "reckon", "spinnaker1", "tinyodin", "truenorth", "xylo")


def outcome(law: str, target: str, *overrides: str, examples: int = 12) -> Outcome:
    return verify(load_target(target, overrides), laws=[law], examples=examples)[law]


def broken(law: str, target: str, *overrides: str) -> Outcome:
    """The outcome of a law that is broken, and that its case shows to be so."""
    found = outcome(law, target, *overrides)
    known = law_named(law)
    assert found.status == "broken" and found.case is not None and known is not None
    assert known.judge(Evidence(found.case)) is not None
    return found


@pytest.mark.parametrize("target", (*CHIPS, "brainscales2-sign"))
def test_no_law_of_the_emulator_is_broken(target: str) -> None:
    laws = [*BY_ENUMERATION, *SAMPLED]
    if target == "xylo":  # its kernel in doubles is compiled for nothing else
        laws.remove("doubles-hold-integers")
    found = verify(load_target(target), laws=laws, examples=4)
    assert found.faults == ()
    applies = {r.law.name for r in found.results if r.outcome.status == "holds"}
    assert {"kernel-is-golden", "spikes-are-bounded", "overflows-are-counted"} <= applies


APPLIES = {
    "resets-conserve": {"xylo"},
    "current-as-defined": {"loihi1", "xylo"},
    "leak-stays-between": set(CHIPS) - {"truenorth"},
    "leak-as-defined": set(CHIPS),
    "delivery-as-defined": set(CHIPS),
    "signs-move-one-step": {"brainscales2-sign"},
    "late-updates-add-up": {"spinnaker1"},
    "currents-decay": {"loihi1", "xylo"},
}


@pytest.mark.parametrize("law", APPLIES)
def test_laws_apply_where_they_say_something(law: str) -> None:
    for target in (*CHIPS, "brainscales2-sign"):
        found = outcome(law, target)
        assert found.status == ("holds" if target in APPLIES[law] else "does not apply"), target
        assert found.text or found.status == "holds"


# Planted faults: constants of the kernel that are not those of the plan


Change = Callable[[Any], dict[str, Any]]


def plant(monkeypatch: pytest.MonkeyPatch, name: str, change: Change) -> None:
    """Change what a function of `neuroemu.models.rungs` returns."""
    right = getattr(rungs, name)

    def wrong(*args: Any, **more: Any) -> Any:
        made = right(*args, **more)
        return made._replace(**change(made))

    monkeypatch.setattr(rungs, name, wrong)


FAULTS: dict[str, tuple[str, str, Change]] = {
    "leak-as-defined": ("reckon", "on_chip", lambda p: {"leak": p.leak + 1}),
    "leak-stays-between": ("xylo", "on_chip", lambda p: {"leak": -p.unit - 1}),
    "resets-conserve": ("xylo", "on_chip", lambda p: {"step": p.step + 1}),
    "current-as-defined": ("xylo", "on_chip", lambda p: {"decay": p.decay + 64}),
    "delivery-as-defined": ("tinyodin", "on_chip", lambda p: {"at_events": 0}),
    "signs-move-one-step": (
        "brainscales2-sign",
        "HomeostasisParams",
        lambda p: {"target_count": p.target_count + 1},
    ),
    "update-as-defined": (
        "spinnaker1",
        "HomeostasisParams",
        lambda p: {"dw_minus": p.dw_minus + 1},
    ),
}


@pytest.mark.parametrize("law", FAULTS)
def test_a_planted_fault_breaks_the_law(law: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, name, change = FAULTS[law]
    plant(monkeypatch, name, change)
    found = outcome(law, target)
    assert found.status == "broken" and found.case is not None


def test_a_neuron_that_sends_too_many_spikes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PHASES", search.PHASES[:1])  # not shrunk
    plant(monkeypatch, "on_chip", lambda p: {"most_spikes": p.most_spikes + 7})
    found = broken("spikes-are-bounded", "xylo", "neuron.most_spikes=2")
    assert " spikes in step " in found.text


# What a chip's arithmetic does


def test_a_shift_decays_to_0_and_a_floored_product_does_not() -> None:
    assert outcome("membrane-decays", "xylo").cases == 2**16
    assert outcome("currents-decay", "xylo").cases == 2**16
    slow = ("neuron.current.tau_ms=5.0", "neuron.current.rounding=floor")
    found = broken("currents-decay", "loihi1", *slow)
    assert (found.numbers["lowest"], found.numbers["highest"]) == (-49, 0)
    assert found.is_small


def test_an_amount_that_rounds_to_0_leaves_every_membrane_where_it_is() -> None:
    slow = load_experiment(
        "spike_based_homeostasis",
        [
            f"populations.{name}.tau_m_ms=1000.0"
            for name in ("with_homeostasis", "without_homeostasis")
        ],
    )
    found = verify(load_target("tinyodin"), laws=["membrane-decays"], experiment=slow)
    text = found["membrane-decays"].text
    assert "leak subtract: v = -2048 to -1 LSB (-512 to -0.25) and 1 to 3 LSB" in text
    assert "does not show" not in text
    amount = load_target("tinyodin", ["membrane.leak.rounding=ceil"])
    found = verify(amount, laws=["membrane-decays"], experiment=slow)
    assert found["membrane-decays"].status == "holds"


def test_a_buffer_that_wraps_turns_input_around() -> None:
    found = broken("input-keeps-its-sign", "loihi1", "neuron.buffer.format=fxp-s20/18")
    assert found.text.startswith("buffer of -524288 to 524287, overflow wrap")
    assert outcome("input-keeps-its-sign", "loihi1").status == "holds"


def test_a_membrane_that_wraps_at_every_add() -> None:
    strong = load_experiment("spike_based_homeostasis", ["projections.drive.weight=7.5"])
    found = verify(load_target("truenorth"), laws=["input-keeps-its-sign"], experiment=strong)
    assert "takes a membrane from 31 to -241 LSB" in found["input-keeps-its-sign"].text
    assert outcome("input-keeps-its-sign", "truenorth").status == "holds"


def test_a_program_that_takes_counts_for_signed_numbers() -> None:
    found = broken("counts-keep-their-sign", "brainscales2-sign")
    assert "0 presynaptic and 128 postsynaptic spikes ask for -123 LSB" in found.text
    assert outcome("counts-keep-their-sign", "brainscales2-sign",
                   "plasticity.counter.signed=false").status == "holds"  # fmt: skip


def test_an_accumulator_too_small_for_what_waits() -> None:
    small = ("plasticity.accumulator.format=fxp-u16/3",)
    found = broken("late-updates-add-up", "spinnaker1", *small)
    assert "one by one" in found.text
    assert outcome("late-updates-add-up", "spinnaker1").how == "proof"


def test_replay_shows_every_site_of_a_chip() -> None:
    found = broken("input-keeps-its-sign", "loihi1", "neuron.buffer.format=fxp-s20/18")
    law = law_named("input-keeps-its-sign")
    assert law is not None and found.case is not None
    replay = Replay(Counterexample(law=law, text=found.text, version="x", case=found.case))
    assert replay.verdict is not None
    seen = {row.site: row for row in replay.rows}
    assert {"drive", "input", "current", "force", "leak", "slope", "membrane"} <= set(seen)
    assert all(row.place.endswith("]") for row in replay.rows)
    assert any(row.site == "input" and row.mark == "wrapped" for row in replay.rows)


def test_replay_shows_updates_that_wait() -> None:
    found = broken("late-updates-add-up", "spinnaker1", "plasticity.accumulator.format=fxp-u16/3")
    law = law_named("late-updates-add-up")
    assert law is not None and found.case is not None
    replay = Replay(Counterexample(law=law, text=found.text, version="x", case=found.case))
    assert replay.verdict is not None
    assert {row.place for row in replay.rows if row.site in ("accumulate", "store")} == {
        "synapse[0 to 0]"
    }
