"""Physical constants into registers, with a report of what each lost. Units end here."""

from __future__ import annotations

from neuroemu.errors import ConfigError, Violation
from neuroemu.experiment import Experiment
from neuroemu.hardware.clock import target_clock
from neuroemu.hardware.config import Target
from neuroemu.models.constants import Constant, ConstantsReport
from neuroemu.models.containers import build_sites, choose_container, widest_values
from neuroemu.models.discretize_neuron import neuron_registers
from neuroemu.models.discretize_synapse import (
    buffer_scale,
    fill_gains,
    place_of_input,
    synapse_registers,
)
from neuroemu.models.registers import Discretized
from neuroemu.models.row_time import refuse_short_period


def discretize(experiment: Experiment, target: Target) -> Discretized:
    """Return `experiment` in the numbers of `target`.

    Raises
    ------
    ConfigError
        With every constant or time that cannot be held, and every product that is too wide.
    """
    clock = target_clock(experiment, target)
    constants: list[Constant] = []
    violations: list[Violation] = []
    lsb = target.membrane.format.lsb if target.membrane.format else None
    lsb = lsb if target.membrane.arithmetic == "fixed" else None
    report = ConstantsReport(constants, violations, experiment, target)
    neurons = {
        name: neuron_registers(report, f"populations.{name}", population, clock, lsb)
        for name, population in experiment.populations.items()
    }
    synapses = {
        name: synapse_registers(report, f"projections.{name}", projection, clock)
        for name, projection in experiment.projections.items()
    }
    place = place_of_input(target, synapses, lsb)
    drive_shift = fill_gains(report, synapses, place)
    scale = buffer_scale(report, place, lsb)
    refuse_short_period(report)
    if violations:
        raise ConfigError(violations)
    sites = build_sites(target, synapses, neurons, drive_shift)
    widest = widest_values(target, neurons, synapses, sites, scale)
    return Discretized(
        experiment=experiment,
        target=target,
        clock=clock,
        constants=tuple(constants),
        membrane_lsb=lsb,
        neurons=neurons,
        synapses=synapses,
        sites=sites,
        widest=widest,
        container=choose_container(target, widest),
        buffer_scale=scale,
    )
