"""Tools for property-based tests of a chip, an experiment, or a model of your own."""

from __future__ import annotations

from neuroemu.testing.assertions import assert_bit_exact, assert_survives
from neuroemu.testing.case import Case
from neuroemu.testing.experiments import experiments, spike_trains
from neuroemu.testing.judges import golden_difference, kernel_difference
from neuroemu.testing.models import check_model
from neuroemu.testing.registers import formats, register_values, sites, wide_values
from neuroemu.testing.strategies import cases
from neuroemu.testing.targets import neighbours, targets

__all__ = [
    "Case",
    "assert_bit_exact",
    "assert_survives",
    "cases",
    "check_model",
    "experiments",
    "formats",
    "golden_difference",
    "kernel_difference",
    "neighbours",
    "register_values",
    "sites",
    "spike_trains",
    "targets",
    "wide_values",
]
