"""The ladder of arithmetics: the same step texts with other constants and other sites.

``ideal`` float, ideal constants, the experiment's own grid · ``parameters`` float, constants as the registers
hold them, the target's tick and its cadence of learning · ``range`` the limits as well · ``fixed`` the chip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from neuroemu.experiment import Experiment, Homeostasis
from neuroemu.hardware.clock import Clock, reference_clock
from neuroemu.hardware.config import RandomTable
from neuroemu.models.counter import CounterSites
from neuroemu.models.homeostasis import HomeostasisParams, HomeostasisSites
from neuroemu.models.lif import LifParams, LifSites
from neuroemu.models.registers import Discretized
from neuroemu.models.synapse import SynapseSites
from neuroemu.numeric.site import Exact, unlimited, wait_site

Rung = Literal["ideal", "parameters", "range", "fixed"]
RUNGS: tuple[Rung, ...] = get_args(Rung)

MS = 0.001
"""Brian2 holds seconds: ``9*ms`` is this product, an ulp above the double next to 0.009."""

_RULE_SITES = ("accumulate", "store", "plus", "minus", "change")


@dataclass(frozen=True, slots=True, kw_only=True)
class SynapseNumbers:
    """One projection as the kernel sees it."""

    weight: Any
    gain: Any
    rule: HomeostasisParams | None
    lsb: float
    """Biological value of one unit of the kernel's weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """Everything numeric about one rung: constants, sites, containers, grid.

    Parameters
    ----------
    membrane, weight : numpy dtype
        Containers.
    membrane_lsb : float
        Biological value of one unit of the kernel's membrane.
    update : str
        ``event``, ``periodic`` or ``none``.
    stochastic : frozenset of str
        Sites that draw random bits.
    """

    rung: Rung
    clock: Clock
    membrane: Any
    weight: Any
    membrane_lsb: float
    neurons: dict[str, LifParams]
    v_init: dict[str, Any]
    synapses: dict[str, SynapseNumbers]
    neuron_sites: LifSites
    synapse_sites: SynapseSites
    rule_sites: HomeostasisSites
    counter_sites: CounterSites
    counter_overflow: int
    update: str
    stochastic: frozenset[str]
    random: RandomTable


def ideal(experiment: Experiment) -> Arithmetic:
    """Return the float reference: Brian2's numbers."""
    dt = experiment.time.dt_ms * MS
    neurons, v_init = {}, {}
    clock = reference_clock(experiment)
    for name, p in experiment.populations.items():
        steps = int((p.tau_refrac_ms * MS + 1e-3 * dt) / dt)  # Brian2's `timestep`
        neurons[name] = LifParams(
            leak=_euler_leak(experiment.time.dt_ms, p.tau_m_ms),
            unit=1.0,
            threshold=p.v_thresh - p.v_rest,
            reset=p.v_reset - p.v_rest,
            refractory_steps=steps,
        )
        v_init[name] = p.v_init - p.v_rest
    synapses = {
        name: SynapseNumbers(weight=p.weight, gain=1.0, rule=_ideal_rule(p.plasticity), lsb=1.0)
        for name, p in experiment.projections.items()
    }
    has_rule = any(s.rule is not None for s in synapses.values())
    return _assemble(
        "ideal",
        clock,
        neurons=neurons,
        v_init=v_init,
        synapses=synapses,
        update="event" if has_rule else "none",
        sites=_float_sites(),
    )


def _float_sites() -> dict[str, Any]:
    """Return sites that change nothing.

    Only the leak, which every neuron meets in every step, is `Exact`; the others are the `Double` that all
    float rungs and analog membranes share, so that one compilation serves them all.
    """
    return {"leak": Exact()} | dict.fromkeys(("drive", "input", "count", *_RULE_SITES), unlimited())


def _ideal_rule(rule: Homeostasis | None) -> HomeostasisParams | None:
    if rule is None:
        return None
    return HomeostasisParams(
        dw_plus=rule.dw_plus, dw_minus=rule.dw_minus, unit=1.0, w_min=rule.w_min, w_max=rule.w_max
    )


def on_target(d: Discretized, rung: Rung, exact_sites: frozenset[str] = frozenset()) -> Arithmetic:
    """Return a rung on a target.

    Parameters
    ----------
    d : Discretized
        The experiment in the target's numbers.
    rung : str
        ``parameters``, ``range`` or ``fixed``.
    exact_sites : frozenset of str
        Sites that neither round nor limit, in an otherwise ``fixed`` run: it is then held in doubles.
    """
    if rung == "fixed":
        return _fixed(d, exact_sites)
    sites = _float_sites()
    if rung == "range":
        sites |= {name: site.as_range() for name, site in d.sites.items()}
        sites["leak"] = Exact()  # a leak stays between its argument and 0: it meets no limit
    lsb = 1.0 if d.membrane_lsb is None else float(d.membrane_lsb)
    neurons = {
        name: LifParams(
            leak=_leak(d, name),
            unit=1.0,
            threshold=_float_threshold(d, r.threshold, lsb),
            reset=r.reset * lsb,
            refractory_steps=r.refractory_steps,
        )
        for name, r in d.neurons.items()
    }
    synapses = {
        name: SynapseNumbers(
            weight=float(s.weight),
            gain=float(s.lsb) * s.gain_value,
            rule=HomeostasisParams(
                dw_plus=s.dw_plus / s.unit,
                dw_minus=s.dw_minus / s.unit,
                unit=1.0,
                w_min=float(s.w_min),
                w_max=float(s.w_max),
            ),
            lsb=float(s.lsb),
        )
        for name, s in d.synapses.items()
    }
    return _assemble(
        rung,
        d.clock,
        neurons=neurons,
        v_init={name: r.v_init * lsb for name, r in d.neurons.items()},
        synapses=_drop_rules(d, synapses),
        update=d.target.plasticity.update,
        sites=sites,
        counter_width=d.target.plasticity.counter.width,
    )


def _leak(d: Discretized, name: str) -> float:
    """Return the leak of a float rung; on an analog Euler membrane the reference's own double."""
    if d.is_analog and d.target.membrane.integration == "euler":
        return _euler_leak(float(d.clock.step_ms), d.experiment.populations[name].tau_m_ms)
    return float(d.neurons[name].multiplier - 1)


def _euler_leak(step_ms: float, tau_m_ms: float) -> float:
    """Return -dt/tau as Brian2 computes it, from doubles in seconds."""
    return -(step_ms * MS) / (tau_m_ms * MS)


def _float_threshold(d: Discretized, threshold: float, lsb: float) -> float:
    """Return the threshold for doubles: where the chip fires at equality, the double below."""
    at_equality = d.target.membrane.fires == "at_or_above"
    value = (threshold + (at_equality and not d.is_analog)) * lsb
    return math.nextafter(value, -math.inf) if at_equality else value


def _drop_rules(d: Discretized, synapses: dict[str, Any]) -> dict[str, Any]:
    """Leave a rule only to projections that have one, on a target that can learn."""
    plastic = d.target.plasticity.update != "none"
    return {
        name: s
        if plastic and d.experiment.projections[name].plasticity is not None
        else SynapseNumbers(weight=s.weight, gain=s.gain, rule=None, lsb=s.lsb)
        for name, s in synapses.items()
    }


def _fixed(d: Discretized, exact_sites: frozenset[str]) -> Arithmetic:
    in_doubles = d.is_analog or bool(exact_sites)
    container: type = float
    sites: dict[str, Any]
    if in_doubles:
        sites = _float_sites() | {
            name: site.as_exact_double() if name in exact_sites else site.as_double()
            for name, site in d.sites.items()
        }
    else:
        container = np.int32 if d.container == "int32" else np.int64
        sites = {name: site.as_fixed(np.int64) for name, site in d.sites.items()}
        sites["leak"] = d.sites["leak"].as_narrowest(container)
    neurons = {
        name: LifParams(
            leak=_leak(d, name) if d.is_analog else int((r.multiplier - 1) * r.unit),
            unit=1.0 if d.is_analog else r.unit,
            threshold=_float_threshold(d, r.threshold, 1.0) if in_doubles else r.threshold,
            reset=r.reset,
            refractory_steps=r.refractory_steps,
        )
        for name, r in d.neurons.items()
    }
    synapses = {
        name: SynapseNumbers(
            weight=s.weight,
            gain=s.gain,
            rule=HomeostasisParams(
                dw_plus=s.dw_plus,
                dw_minus=s.dw_minus,
                unit=s.unit,
                w_min=s.w_min * s.unit,
                w_max=s.w_max * s.unit,
            ),
            lsb=float(s.lsb),
        )
        for name, s in d.synapses.items()
    }
    return _assemble(
        "fixed",
        d.clock,
        membrane=container,
        weight=float if in_doubles else np.int64,
        membrane_lsb=1.0 if d.membrane_lsb is None else float(d.membrane_lsb),
        neurons=neurons,
        v_init={name: r.v_init for name, r in d.neurons.items()},
        synapses=_drop_rules(d, synapses),
        update=d.target.plasticity.update,
        sites=sites,
        counter_width=d.target.plasticity.counter.width,
        stochastic=frozenset(
            name for name, s in d.sites.items() if s.is_stochastic and name not in exact_sites
        ),
        random=d.target.plasticity.random,
    )


def _assemble(
    rung: Rung,
    clock: Clock,
    *,
    neurons: dict[str, LifParams],
    v_init: dict[str, Any],
    synapses: dict[str, SynapseNumbers],
    update: str,
    sites: dict[str, Any],
    membrane: Any = float,
    weight: Any = float,
    membrane_lsb: float = 1.0,
    counter_width: int = 8,
    stochastic: frozenset[str] = frozenset(),
    random: RandomTable | None = None,
) -> Arithmetic:
    return Arithmetic(
        rung=rung,
        clock=clock,
        membrane=np.dtype(membrane),
        weight=np.dtype(weight),
        membrane_lsb=membrane_lsb,
        neurons=neurons,
        v_init=v_init,
        synapses=synapses,
        neuron_sites=LifSites(leak=sites["leak"], input=sites["input"], wait=wait_site()),
        synapse_sites=SynapseSites(drive=sites["drive"]),
        rule_sites=HomeostasisSites(**{name: sites[name] for name in _RULE_SITES}),
        counter_sites=CounterSites(count=sites["count"]),
        counter_overflow=2**counter_width - 1,
        update=update,
        stochastic=stochastic,
        random=random or RandomTable(),
    )
