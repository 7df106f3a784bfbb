"""A counterexample as a file, and the same run again, value by value."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from neuroemu.errors import ConfigError, OutputError
from neuroemu.hardware.load import load_target
from neuroemu.numeric.site import Site
from neuroemu.verification.certificate import verify
from neuroemu.verification.counterexample import Counterexample, read_counterexample
from neuroemu.verification.laws import law_named
from neuroemu.verification.replay import Replay, _mark


def counterexample(law: str, target: str, *overrides: str) -> Counterexample:
    found = verify(load_target(target, overrides), laws=[law])[law]
    known = law_named(law)
    assert known is not None and found.case is not None
    return Counterexample(law=known, text=found.text, version="0.1.0", case=found.case)


@pytest.fixture(scope="module")
def dead_zone() -> Counterexample:
    return counterexample("membrane-decays", "generic8", "membrane.rounding=floor")


def test_a_file_gives_the_counterexample_back(dead_zone: Counterexample, tmp_path: Path) -> None:
    path = dead_zone.write(tmp_path / "a" / "b")
    assert path == tmp_path / "a" / "b" / "membrane-decays.json"
    assert list(path.parent.iterdir()) == [path]
    again = read_counterexample(path)
    assert again.as_json() == dead_zone.as_json()
    assert again.case.target == dead_zone.case.target
    assert again.case.experiment == dead_zone.case.experiment


def test_a_place_that_cannot_be_written(dead_zone: Counterexample, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="the counterexample cannot be written"):
        dead_zone.write(tmp_path / "file")


def test_a_dead_zone_step_by_step(dead_zone: Counterexample) -> None:
    replay = Replay(dead_zone)
    assert replay.verdict == "neuron[0]: v = -85 LSB is still -85 LSB after 19 steps"
    assert replay.n_steps == 20
    assert [(r.step, r.site, r.place) for r in replay.rows] == [
        (k, "leak", "neuron[0]") for k in range(20)
    ]
    row = replay.rows[7]
    assert row.wide == -85 * 253
    assert row.exact == Fraction(-85 * 253, 256)
    assert (row.stored, row.lost) == (-85, Fraction(-255, 256))
    assert (row.value, row.mark) == (-85 / 32, "")
    data = json.loads(json.dumps(replay.as_json()))
    assert data["broken"] is True
    assert data["rows"][7] == {
        "step": 7, "trial": 0, "site": "leak", "place": "neuron[0]", "wide": -21505,
        "stored": -85, "value": -2.65625, "mark": "", "exact": "-21505/256",
    }  # fmt: skip


def test_a_wrap_is_marked_and_named() -> None:
    replay = Replay(
        counterexample("pre-never-lowers", "generic8", "plasticity.accumulator.format=fxp-s8/0",
                       "plasticity.accumulator.overflow=wrap")
    )  # fmt: skip
    first = {r.site: r for r in replay.rows if r.step == 0}
    assert list(first) == ["drive", "input", "accumulate", "store"] or list(first) == [
        "drive",
        "input",
        "accumulate",
    ]
    assert first["drive"].place == "synapse[0 to 0]"
    assert (first["drive"].wide, first["drive"].exact, first["drive"].stored) == (
        125, Fraction(125, 2), 63,
    )  # fmt: skip
    wrapped = first["accumulate"]
    assert (wrapped.wide, wrapped.stored, wrapped.mark) == (128, -128, "wrapped")
    assert wrapped.value == -2.0
    assert replay.verdict == "step 0: 3/1 LSB are asked of weight 125, it becomes 0"


def test_counters_have_the_name_of_their_unit() -> None:
    replay = Replay(counterexample("counters-hold", "brainscales2", "plasticity.counter.width=1"))
    counts = [r for r in replay.rows if r.site == "count"]
    assert {r.place for r in counts} <= {"steady[0]", "with_homeostasis[0]"}
    assert any(r.mark == "wrapped" and (r.wide, r.stored) == (2, 0) for r in counts)


def test_a_case_that_breaks_nothing_any_more(dead_zone: Counterexample, tmp_path: Path) -> None:
    data: Any = dead_zone.as_json()
    data["case"]["target"]["membrane"]["rounding"] = "fix"
    path = tmp_path / "mended.json"
    path.write_text(json.dumps(data))
    assert Replay(read_counterexample(path)).verdict is None


def test_a_stochastic_case_draws_the_same_words_again() -> None:
    case = counterexample("membrane-decays", "generic8", "membrane.rounding=floor").case
    target = load_target("generic8", ["membrane.rounding=stochastic"])
    law = law_named("membrane-decays")
    assert law is not None
    stochastic = type(case)(target=target, experiment=case.experiment, seed=7)
    runs = [
        Replay(Counterexample(law=law, text="", version="", case=stochastic)).rows for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len({r.stored for r in runs[0]}) > 3


# Files that are no counterexample


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_counterexample(path)
    return str(error.value).replace(str(path), "x.json")


def edited(found: Counterexample, *keys: Any, value: Any) -> str:
    data: Any = json.loads(json.dumps(found.as_json()))
    table = data
    for key in keys[:-1]:
        table = table[key]
    if value is None:
        del table[keys[-1]]
    else:
        table[keys[-1]] = value
    return json.dumps(data)


def test_no_file_no_json_no_counterexample(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nope.json: no such file"):
        read_counterexample(tmp_path / "nope.json")
    with pytest.raises(ConfigError, match="it must be readable"):
        read_counterexample(tmp_path)
    assert refused(tmp_path, "{").startswith("x.json: this is no JSON; Expecting property name")
    assert refused(tmp_path, "[]").startswith(
        'x.json:format: the file starts with "neuroemu counterexample 1"'
    )
    assert 'x.json:format = "neuroemu counterexample 9"' in refused(
        tmp_path, '{"format": "neuroemu counterexample 9"}'
    )


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("law",), "membrane-decay", 'x.json:law = "membrane-decay": no law has this name; '
                                     "did you mean membrane-decays?"),
        (("law",), 3, "x.json:law = 3: must be a text; "),
        (("version",), None, "x.json:version: a required key is missing; "),
        (("case", "seed"), True, "x.json:case.seed = true: must be a whole number; "),
        (("case", "target", "membrane", "rounding"), "flor",
         'x.json:case.target.membrane.rounding = "flor": must be '),
        (("case", "experiment", "populations", "neuron", "v_init"), -100.0, ""),
        (("case", "spikes"), {"input": [[[0, "x"]]]}, "x.json:case.spikes: spikes are lists of"),
        (("case", "spikes"), {"input": 3}, "x.json:case.spikes: spikes are lists of"),
    ],
)  # fmt: skip
def test_an_edited_file_is_refused_or_fits(
    dead_zone: Counterexample, tmp_path: Path, keys: Any, value: Any, message: str
) -> None:
    text = edited(dead_zone, *keys, value=value)
    if not message:  # a constant beyond its register saturates
        path = tmp_path / "x.json"
        path.write_text(text)
        assert read_counterexample(path).case.plan.neurons["neuron"].v_init == -128
        return
    assert refused(tmp_path, text).startswith(message)


def test_spikes_of_no_stimulus_are_refused(dead_zone: Counterexample, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(edited(dead_zone, "case", "spikes", value={"nobody": [[[0, 0]]]}))
    with pytest.raises(ConfigError, match="the experiment has no such stimulus"):
        _ = Replay(read_counterexample(path)).verdict


@pytest.mark.parametrize(
    ("rounding", "wide", "mark"),
    [
        ("half_up", 2040, "saturated"),  # 127.5 becomes 128
        ("half_up", 2039, ""),
        ("floor", 2047, ""),  # 127.94 is 127, and nothing was lost but the fraction
        ("floor", 2048, "saturated"),
        ("stochastic", 2040, ""),  # a word decided
        ("stochastic", 2064, "saturated"),
        ("floor", -2049, "saturated"),
        ("ceil", -2049, ""),
    ],
)
def test_a_mark_is_what_happened_after_rounding(rounding: Any, wide: int, mark: str) -> None:
    site = Site(name="store", shift=4, rounding=rounding, overflow="saturate", lo=-128, hi=127)
    assert _mark(wide, site) == mark
