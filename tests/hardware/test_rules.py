"""Rules between the keys of a target."""

# The tables have a line for each error, as long as the error is.
# ruff: noqa: E501

from pathlib import Path

import pytest

from neuroemu.hardware.load import load_target
from tests.hardware.files import TARGETS, edited, lines, refusal

LFSR = "plasticity.random.source=lfsr"

BROKEN = [
    # shipped target, overrides, what the line says after "--set:"
    ("generic16", ["membrane.format=fxp-u16/12"], 'membrane.format = "fxp-u16/12": the membrane is measured from rest and takes both signs; use a signed format'),
    ("generic16", ["membrane.leak.format=fxp-s16/0"], 'membrane.leak.format = "fxp-s16/0": the leak multiplier lies between 0 and 1; use as many'),
    ("generic16", ["membrane.leak.format=fxp-u8/12"], 'membrane.leak.format = "fxp-u8/12": the leak multiplier lies between 0 and 1; use as many'),
    ("generic16", ["membrane.leak.format=fxp-u40/33", "membrane.rounding=stochastic"], 'membrane.leak.format = "fxp-u40/33": stochastic rounding drops at most 32 bits; use at most 32'),
    ("generic16", ["refractory.format=fxp-s8/0"], 'refractory.format = "fxp-s8/0": a counter of ticks is unsigned and has no fraction bits; use fxp-u8/0'),
    ("generic16", ["refractory.format=fxp-u8/2"], 'refractory.format = "fxp-u8/2": a counter of ticks is unsigned and has no fraction bits; use fxp-u8/0'),
    ("generic16", ["synapse.gain.format=fxp-u16/-1"], 'synapse.gain.format = "fxp-u16/-1": the gain\'s fraction bits are what the drive\'s rounding drops; -1 of them; use 0 to 32'),
    ("generic16", ["synapse.gain.format=fxp-u40/33", "synapse.gain.drive_rounding=stochastic"], 'synapse.gain.format = "fxp-u40/33": the gain\'s fraction bits are what the drive\'s rounding drops; 33 of them'),
    ("brainscales2", ["plasticity.update_period_us=100.05"], "plasticity.update_period_us = 100.05: the period is a multiple of time.tick_us; the tick is 0.1 us; use 100"),
    ("brainscales2", ["plasticity.update_period_us=0.01"], "plasticity.update_period_us = 0.01: the period is a multiple of time.tick_us; the tick is 0.1 us; use 0.1"),
    ("generic16", ["plasticity.increment.format=fxp-s16/-1"], 'plasticity.increment.format = "fxp-s16/-1": increments are counted in weight LSBs and have 0 to 32 fraction bits; for example'),
    ("generic16", ["plasticity.increment.format=fxp-s40/33"], 'plasticity.increment.format = "fxp-s40/33": increments are counted in weight LSBs'),
    ("brainscales2", ["plasticity.accumulator.format=fxp-s16/7"], 'plasticity.accumulator.format = "fxp-s16/7": the accumulator has the increments\' fraction bits; plasticity.increment.format is fxp-s16/9; use fxp-s16/9'),
    ("loihi1", [LFSR, "plasticity.random.taps=[15, 3]"], "plasticity.random.taps = [15, 3]: the highest tap is the register's width; make 16 the highest tap"),
    ("loihi1", [LFSR, "plasticity.random.taps=[]"], "plasticity.random.taps = []: the highest tap is the register's width"),
    ("loihi1", [LFSR, "plasticity.random.output_bits=17"], "plasticity.random.output_bits = 17: a register cannot give more bits than it has; use at most 16"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "overrides", "expected"), BROKEN)
def test_keys_that_do_not_fit_together(name: str, overrides: list[str], expected: str) -> None:
    (line,) = lines(refusal(name, *overrides))
    assert line.startswith("--set:" + expected)


MISSING = [
    ('format = "fxp-s16/12"\n', ":membrane.format: a fixed-point membrane needs it; add format to [membrane]"),
    ('[membrane.leak]\nformat = "fxp-u16/15"\nrounding = "around"\n', ":membrane.leak: a fixed-point membrane needs it; add [membrane.leak]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MISSING)
def test_a_fixed_point_membrane_needs_its_registers(
    text: str, expected: str, tmp_path: Path
) -> None:
    path = edited(TARGETS / "generic16.toml", tmp_path, (text, ""))
    assert lines(refusal(path)) == [f"{path}{expected}"]


def test_a_periodic_update_needs_its_period(tmp_path: Path) -> None:
    path = edited(TARGETS / "brainscales2.toml", tmp_path, ("update_period_us = 100.0", ""))
    (line,) = lines(refusal(path))
    assert ":plasticity.update_period_us: a periodic update needs its period; add" in line


def test_a_source_belongs_to_a_key(tmp_path: Path) -> None:
    path = edited(TARGETS / "loihi1.toml", tmp_path, ('"membrane.fires"', '"membrane.fire"'))
    (line,) = lines(refusal(path))
    assert line.startswith(f'{path}:sources."membrane.fire" = "lava-nc/lava')
    assert line.endswith(": a source belongs to a key; did you mean membrane.fires?")


def test_violations_of_several_rules_come_together() -> None:
    error = refusal("generic16", "membrane.format=fxp-u16/12", "refractory.format=fxp-u8/1")
    assert [v.key for v in error.violations] == ["membrane.format", "refractory.format"]


@pytest.mark.parametrize(
    "override",
    [
        "plasticity.update_period_us=0.05",  # not read without a periodic update
        "plasticity.random.taps=[3]",  # not read without an LFSR
        "membrane.leak.format=fxp-u16/16",
        "membrane.leak.format=fxp-s17/16",
        "synapse.gain.format=fxp-u40/33",
        "plasticity.increment.format=fxp-s40/32",
        "plasticity.row_time_us=0.5",
        "capacity.events_per_us=12.5",
    ],
)
def test_what_breaks_no_rule(override: str) -> None:
    assert load_target("generic16", [override]).name == "generic16"


@pytest.mark.parametrize("key", ["plasticity.row_time_us", "capacity.events_per_us"])
def test_times_and_rates_of_the_chip_are_positive(key: str) -> None:
    (line,) = lines(refusal("generic16", f"{key}=0.0"))
    assert line.startswith(f"--set:{key} = 0.0: ")
    assert (
        getattr(load_target("generic16"), key.split(".")[0]).model_dump()[key.split(".")[1]] is None
    )
