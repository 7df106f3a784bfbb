"""Reading: every bad file or override is refused in one line with key, value, rule and remedy."""

# The tables have a line for each error, as long as the error is.
# ruff: noqa: E501

import os
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from neuroemu.errors import ConfigError
from neuroemu.hardware.load import (
    load_experiment,
    load_target,
    shipped_experiments,
    shipped_targets,
)
from tests.hardware.files import EXPERIMENTS, TARGETS, edited, lines, refusal

GENERIC = TARGETS / "generic16.toml"
BSS2 = TARGETS / "brainscales2.toml"
HOMEOSTASIS = EXPERIMENTS / "spike_based_homeostasis.toml"
FORMAT = 'format = "fxp-s16/12"'

BAD_VALUES = [
    # file, text, its replacement, the line after the file's name
    (GENERIC, FORMAT, 'formt = "fxp-s16/12"', ':membrane.formt = "fxp-s16/12": unknown key; did you mean format?'),
    (GENERIC, "tick_us = 100.0", "tick_us = 100.0\nrounding = 1", ":time.rounding = 1: unknown key; did you mean membrane.rounding?"),
    (GENERIC, "tick_us = 100.0", "tick_us = 100.0\nqqq = 1", ":time.qqq = 1: unknown key; keys here are acceleration, tick_us"),
    (GENERIC, "[time]", "[clock]\n[time]", ":clock = {}: unknown key; keys here are name, title,"),
    (GENERIC, FORMAT, 'format = "s16/12"', ':membrane.format = "s16/12": this is no format; write "fxp-<s|u>'),
    (GENERIC, FORMAT, "format = 16", ":membrane.format = 16: this is no format; write"),
    (GENERIC, FORMAT, 'format = "fxp-s99/12"', ':membrane.format = "fxp-s99/12": no register has this format: the width is 99, and must be 1 to 63 bits; change'),
    (GENERIC, FORMAT, 'format = "fxp-s1/0"', "a signed format needs at least 2 bits; change the format"),
    (GENERIC, FORMAT, 'format = "fxp-s16/65"', "65 fraction bits; they must be -64 to 64; change"),
    (GENERIC, "tick_us = 100.0", "", ":time.tick_us: a required key is missing; add tick_us to [time]"),
    (GENERIC, 'exactness = "generic"', "", ":exactness: a required key is missing; add exactness above the first table"),
    (GENERIC, 'arithmetic = "fixed"', 'arithmetic = "fxed"', ':membrane.arithmetic = "fxed": must be "fixed" or "analog"; did you mean fixed?'),
    (GENERIC, 'arithmetic = "fixed"', "arithmetic = 1", ':membrane.arithmetic = 1: must be "fixed" or "analog"; use one of them'),
    (GENERIC, "tick_us = 100.0", 'tick_us = "100"', ':time.tick_us = "100": must be a number; this is a text; write a number, without quotes'),
    (GENERIC, "tick_us = 100.0", "tick_us = true", ":time.tick_us = true: must be a number; this is true or false; change"),
    (GENERIC, "tick_us = 100.0", "tick_us = [1]", ":time.tick_us = [1]: must be a number; this is an array; change"),
    (GENERIC, "tick_us = 100.0", "tick_us = 1979-05-27", ':time.tick_us = "1979-05-27": must be a number; this is a date; change'),
    (GENERIC, "tick_us = 100.0", "tick_us = 0.0", ":time.tick_us = 0.0: must be a number more than 0; raise it"),
    (GENERIC, "tick_us = 100.0", "tick_us = inf", ":time.tick_us = Infinity: must be a finite number; change"),
    (GENERIC, "tick_us = 100.0", "tick_us = 1" + 400 * "0", "...: must be a number; this is too large; change"),
    (GENERIC, 'lsb = "format"', "lsb = -1.0", ':synapse.weight.lsb = -1.0: must be "format", "full_scale" or "network" or a number more than 0; use one of them'),
    (GENERIC, 'lsb = "format"', 'lsb = "fullscale"', ':synapse.weight.lsb = "fullscale": must be "format", "full_scale" or "network" or a number; did you mean full_scale?'),
    (GENERIC, 'lsb = "format"', "lsb = true", ':synapse.weight.lsb = true: must be "format", "full_scale" or "network" or a number; use one'),
    (GENERIC, 'name = "generic16"', 'name = "generic 16"', ':name = "generic 16": must be letters, digits and _ . - only; change'),
    (GENERIC, 'name = "generic16"', "name = 16", ":name = 16: must be a text in quotes; this is a whole number; write it in quotes"),
    (GENERIC, "[time]", "time = 3\n[time2]", ":time = 3: must be a table; this is a whole number; write its keys under"),
    (GENERIC, '"time" =', "time.tick_us =", ":sources.time = {"),
    (BSS2, "width = 8", "width = 33", ":plasticity.counter.width = 33: must be a number at most 32; lower it"),
    (BSS2, "width = 8", "width = 8.5", ":plasticity.counter.width = 8.5: must be a whole number; this is a fraction; write it without a decimal point"),
    (BSS2, "[plasticity.counter]", "[plasticity.random]\ntaps = [4, 99]\n[plasticity.counter]", ":plasticity.random.taps[1] = 99: must be a number at most 32; lower it"),
    (BSS2, "[plasticity.counter]", "[plasticity.random]\ntaps = 16\n[plasticity.counter]", ":plasticity.random.taps = 16: must be an array; this is a whole number; write [16]"),
    (HOMEOSTASIS, "rates_hz = [50.0]", "rates_hz = []", ":stimuli.steady.rates_hz = []: must be at least 1 long; add an entry"),
    (HOMEOSTASIS, "rates_hz = [50.0]", 'rates_hz = ["50"]', ':stimuli.steady.rates_hz[0] = "50": must be a number; this is a text'),
    (HOMEOSTASIS, "rates_hz = [50.0]", "rates_hz = [50.0]\nsize = true", ":stimuli.steady.size = true: must be a whole number; this is true or false"),
    (HOMEOSTASIS, "[stimuli.steady]", '[stimuli."st.eady"]', ':stimuli."st.eady": this is no name; a letter first, then letters, digits and _; rename the table'),
    (HOMEOSTASIS, "dw_plus = 0.05", "dw_pluss = 0.05", ":projections.homeostatic.plasticity.dw_pluss = 0.05: unknown key; did you mean dw_plus?"),
    (HOMEOSTASIS, "tau_m_ms = 10.0", "tau_ms = 10.0", ":populations.with_homeostasis.tau_ms = 10.0: unknown key; did you mean tau_m_ms?"),
    (HOMEOSTASIS, 'pre = "varying"', 'pre = "1 2"', ':projections.drive.pre = "1 2": must be a letter, then letters, digits and _; change'),
]  # fmt: skip


@pytest.mark.parametrize(("shipped", "old", "new", "expected"), BAD_VALUES)
def test_a_bad_value_is_refused_in_one_line(
    shipped: Path, old: str, new: str, expected: str, tmp_path: Path
) -> None:
    path = edited(shipped, tmp_path, (old, new))
    assert any(line.startswith(str(path)) and expected in line for line in lines(refusal(path)))


def test_all_violations_come_at_once_each_on_its_line(tmp_path: Path) -> None:
    path = edited(
        GENERIC,
        tmp_path,
        ("tick_us = 100.0", "tick_us = -1.0"),
        (FORMAT, 'format = "fxp-s0/0"'),
        ('update = "event"', 'update = "sometimes"'),
    )
    assert [v.key for v in refusal(path).violations] == [
        "time.tick_us",
        "membrane.format",
        "plasticity.update",
    ]


def test_a_file_may_carry_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GENERIC.read_bytes())
    assert load_target(path) == load_target("generic16")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"name = \n", ": this is no valid TOML; Invalid value (at line 1, column 8); mend"),
        (b"a = 1\na = 2\n", ": this is no valid TOML; Cannot overwrite a value (at line 2"),
        (b"a = " + b"[" * 5000, ": this is no valid TOML; "),
        (b"a = " + b"9" * 5000, ": this is no valid TOML; "),
        (b"name = '\xff\xfe'\n", ": TOML is UTF-8; "),
    ],
)
def test_a_file_that_is_no_toml(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    (line,) = lines(refusal(path))
    assert line.startswith(str(path) + expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("brainscale2", "brainscale2: no shipped target has this name; shipped are brainscales1, "),
        ("brainscale2", "; did you mean brainscales2?"),
        ("", '"": no shipped target has this name'),
        ("no/such/file.toml", "no/such/file.toml: no such file; shipped are"),
        ("generic16.tml", "; did you mean generic16?"),
        ("x" * 5000, "x: no shipped target has this name"),
        ("zzz", "; name one of them, or the path of a TOML file for the target"),
        ("zz\0z", "no shipped target has this name"),
    ],
)
def test_a_name_that_leads_nowhere(name: str, expected: str) -> None:
    (line,) = lines(refusal(name))
    assert expected in line


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert ": this is a folder, not a file; " in str(refusal(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = edited(GENERIC, tmp_path)
    path.chmod(0)
    (line,) = lines(refusal(path))
    assert line == f"{path}: the file must be readable; Permission denied; check its rights"


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("plasticity.wait.format=fxp-u4/3", "--set:plasticity.wait.format = fxp-u4/3: no such key; did you mean plasticity.weight.format?"),
        ("populations.with_homeostasis.v_thresh=2", "--set:populations.with_homeostasis.v_thresh = 2: no such key; "),
        ("sources.tim=me", "--set:sources.tim = me: no such key; "),
        ("time.tick_us", "--set:time.tick_us: an override is key=value; for example "),
        ("=5", "--set:=5: an override is key=value; "),
        ("time..tick_us=5", "--set:time..tick_us = 5: no such key; did you mean time.tick_us?"),
        ("time.tick_us=fast", '--set:time.tick_us = "fast": must be a number; '),
        ("time.tick_us=", '--set:time.tick_us = "": must be a number; '),
        ("time.tick_us=-1", "--set:time.tick_us = -1: must be a number more than 0; "),
        ("membrane=analog", '--set:membrane = "analog": must be a table; '),
        ("plasticity.random.taps=[16, 40]", "--set:plasticity.random.taps[1] = 40: must be a number at most 32; "),
        ("plasticity.update=periodic", "plasticity.update_period_us: a periodic update needs its period; "),
    ],
)  # fmt: skip
def test_a_bad_override(override: str, expected: str) -> None:
    (line,) = lines(refusal("generic16", override))
    assert expected in line


def test_an_override_reaches_only_tables_that_are_there() -> None:
    key = "populations.with_homeostasi.v_thresh"
    (line,) = lines(refusal("spike_based_homeostasis", f"{key}=2"))
    assert line == (
        f"--set:{key} = 2: no such key; did you mean populations.with_homeostasis.v_thresh?"
    )


def test_overrides_are_told_from_the_file_and_are_all_reported() -> None:
    error = refusal("generic16", "time.tick=1", "nothing", "membrane.ronding=floor")
    assert [v.key for v in error.violations] == ["time.tick", "nothing", "membrane.ronding"]
    error = refusal("generic16", "membrane.format=fxp-u16/12")
    assert [v.source for v in error.violations] == ["--set"]


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("time.tick_us=50", "time", "tick_us", 50.0),
        (" membrane.rounding = stochastic ", "membrane", "rounding", "stochastic"),
        ('membrane.rounding="fix"', "membrane", "rounding", "fix"),
        ("capacity.fan_in=64", "capacity", "fan_in", 64),
        ("plasticity.update=none", "plasticity", "update", "none"),
    ],
)
def test_an_override_replaces_or_adds_a_value(
    override: str, section: str, key: str, value: object
) -> None:
    target = load_target("generic16", [override])
    assert getattr(getattr(target, section), key) == value
    assert target.sources[f"{section}.{key}"].startswith("assumed")


def test_an_override_of_a_table_replaces_the_sources_of_its_keys() -> None:
    sources = load_target("loihi1", ["membrane.leak={format = 'fxp-u16/16'}"]).sources
    assert sources["membrane.leak"] == "assumed: set for this run"
    assert "membrane.leak.format" not in sources


def test_a_source_may_be_overridden() -> None:
    target = load_target("generic16", ["sources.time=my own clock", "title=mine"])
    assert (target.title, target.sources["time"]) == ("mine", "my own clock")
    assert set(target.sources) == set(load_target("generic16").sources)


def test_nested_and_structured_overrides() -> None:
    target = load_target(
        "generic16", ["plasticity.weight.format=fxp-u4/3", "plasticity.counter={width = 4}"]
    )
    assert (str(target.plasticity.weight.format), target.plasticity.counter.width) == (
        "fxp-u4/3",
        4,
    )
    experiment = load_experiment(
        "spike_based_homeostasis",
        ["stimuli.steady.rates_hz=[20, 30]", "stimuli.steady.interval_ms=500", "question.set_point_hz=25"],
    )  # fmt: skip
    assert experiment.stimuli["steady"].rates_hz == (20.0, 30.0)


def test_the_last_override_of_a_key_counts() -> None:
    assert load_target("generic16", ["time.tick_us=1", "time.tick_us=2"]).time.tick_us == 2.0


def test_shipped_files_load_by_name_and_by_path() -> None:
    for name in shipped_targets():
        assert load_target(name) == load_target(TARGETS / f"{name}.toml")
    for name in shipped_experiments():
        assert load_experiment(name) == load_experiment(EXPERIMENTS / f"{name}.toml")


def test_a_loaded_target_cannot_change() -> None:
    with pytest.raises(ValidationError):
        load_target("generic16").time.tick_us = 3.0  # type: ignore[misc]


def _paths(table: dict[str, object], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in table.items():
        found.append((*prefix, key))
        if isinstance(value, dict):
            found += _paths(value, (*prefix, key))
    return found


def _toml(value: object) -> str:
    """Write a value as TOML; strings by JSON's escapes, of which TOML takes all but one."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


TEXTS = st.one_of(
    st.sampled_from(["floor", "wrap", "format", "none", "periodic", "analog", "fixed", "lfsr"]),
    st.builds(
        "fxp-{}{}/{}".format, st.sampled_from("su"), st.integers(0, 70), st.integers(-70, 70)
    ),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
SCALARS = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-3, 70),
    st.integers(),
    st.sampled_from([10**30, -(10**400), 2**63, 2**53 + 1]),
    st.floats(),
    st.dates(min_value=date(1, 1, 1)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)
SHIPPED = sorted([*TARGETS.glob("*.toml"), *EXPERIMENTS.glob("*.toml")])


@settings(max_examples=300, deadline=None)
@given(shipped=st.sampled_from(SHIPPED), data=st.data())
def test_any_change_of_one_value_loads_or_is_refused_in_words(
    shipped: Path, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = tomllib.loads(shipped.read_text(encoding="utf-8"))
    path = data.draw(st.sampled_from(_paths(config)))
    table = config
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = data.draw(VALUES)
    mutant = tmp_path_factory.getbasetemp() / "mutant.toml"
    mutant.write_text("\n".join(f"{_toml(k)} = {_toml(v)}" for k, v in config.items()), "utf-8")
    load = load_target if shipped.parent == TARGETS else load_experiment
    try:
        load(mutant)
    except ConfigError as error:
        assert all(line.startswith(f"{mutant}:") for line in lines(error))
