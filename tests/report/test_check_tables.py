"""What `neuroemu check` prints: every topic, at most 100 columns, for every target and experiment."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from neuroemu.experiment import Poisson
from neuroemu.feasibility.check import Feasibility, check
from neuroemu.feasibility.repair import repair
from neuroemu.hardware.load import load_experiment, load_target, shipped_targets
from neuroemu.report.check_tables import details, summary_lines
from neuroemu.report.console import WIDTH, console
from neuroemu.report.fix_tables import fix_text
from neuroemu.report.tables import console as console_of_tables
from tests.engine.small import homeostasis, network, neuron, synapses

REFERENCE = load_experiment("spike_based_homeostasis")
UNASKED = REFERENCE.model_copy(update={"question": None})
POPULATION = load_experiment("homeostatic_population").model_copy(update={"question": None})


def printed(what) -> str:
    out = io.StringIO()
    Console(file=out, width=WIDTH, highlight=False).print(what)
    return out.getvalue()


def squeezed(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def of(name: str, *overrides: str, experiment=UNASKED) -> Feasibility:
    return check(experiment, load_target(name, overrides))


@pytest.mark.parametrize("name", shipped_targets())
@pytest.mark.parametrize("experiment", [UNASKED, POPULATION], ids=lambda e: e.name)
def test_every_topic_is_there_and_fits(name: str, experiment) -> None:
    text = printed(details(of(name, experiment=experiment)))
    assert max(map(len, text.splitlines())) <= WIDTH
    for topic in (
        "Constants",
        "Leak of",
        "Membrane from rest",
        "Widest",
        "Time and",
    ):
        assert topic in text
    assert "…" not in text, "nothing is cut"
    learning = load_target(name).plasticity
    by_increments = learning.by_increments
    assert ("Learning of" in text) == by_increments
    assert ("Periodic updates" in text) == (by_increments and learning.update == "periodic")


def test_a_prediction_comes_first_with_its_rates() -> None:
    text = printed(details(check(REFERENCE, load_target("generic16"))))
    lines = text.splitlines()
    assert lines[0].startswith("generic16 with spike_based_homeostasis: 40 s biological, not run")
    assert lines[1].startswith("Predicted: ✓ survives")
    assert all(
        label in text for label in ("on the target", "in float", "control", "at 25", "at 35")
    )
    assert "no findings, no notes" in text


def test_findings_have_their_sentence_and_remedy() -> None:
    found = of("generic8", "membrane.rounding=floor")
    text = squeezed(printed(details(found)))
    for f in found.all_findings:
        assert f.kind in text
        assert f.sentence[1:] in text
        assert f"-> {f.remedy}" in text
    assert "No verdict is predicted: the experiment asks no question." in text


def test_long_names_and_many_populations_fit() -> None:
    cells = {f"a_population_with_a_rather_long_name_{i}": neuron(tau=1.0 + i) for i in range(4)}
    first = next(iter(cells))
    experiment = network(
        cells,
        {"a_stimulus_with_a_rather_long_name": Poisson(size=5, rates_hz=(4321.5,))},
        {
            "a_projection_with_a_rather_long_name": synapses(
                "a_stimulus_with_a_rather_long_name", first, 0.123456789, plasticity=homeostasis()
            )
        },
        steps=4000,
    )
    found = of("brainscales2", experiment=experiment)
    text = printed(details(found))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "123457" in text


def test_what_is_not_stated_says_so() -> None:
    text = squeezed(printed(details(of("brainscales2"))))
    assert "the chip takes: not stated" in text
    told = of("brainscales2", "plasticity.row_time_us=2.5", "capacity.events_per_us=30.0")
    text = squeezed(printed(details(told)))
    assert "rows 1; time to serve them: 2.5 us of 100 us" in text
    assert "the chip takes: 30 per us" in text


def test_one_line_a_target() -> None:
    checks = [of("generic4"), of("generic16")]
    lines = printed(summary_lines(checks)).splitlines()
    (dead,) = [line for line in lines if "generic4" in line]
    assert dead.split() == ["generic4", "-", "-", "1", "0", "dead_update"]
    (clean,) = [line for line in lines if "generic16" in line]
    assert clean.split() == ["generic16", "-", "-", "0", "0"]


def test_a_fix_can_be_pasted() -> None:
    target = load_target("brainscales2", ["plasticity.update=event", "capacity.fan_in=1"])
    text = printed(fix_text(repair(UNASKED, target)))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "  --set plasticity.weight.format=fxp-u9/0\n" in text
    assert '[plasticity.weight]\nformat = "fxp-u9/0"' in text.replace(" \n", "\n").replace("  ", "")
    assert (
        "Without any bits: plasticity.weight.rounding = around or half_up or stochastic."
        in squeezed(text)
    )
    assert "2 -> 1 findings" in text
    assert "Left, with another remedy" in text and "fan_in" in text


def test_a_fix_of_nothing_and_one_without_a_format() -> None:
    assert "Nothing to fix." in printed(fix_text(repair(UNASKED, load_target("generic16"))))
    stuck = load_target("brainscales2", ["capacity.fan_in=1"])
    assert "No format clears what was found." in printed(fix_text(repair(UNASKED, stuck)))


def test_the_console_is_never_wider_than_the_tables() -> None:
    assert console().width == WIDTH
    assert console_of_tables is console
