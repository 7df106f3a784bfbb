"""The ladder of arithmetics: the same step texts with other constants and other sites.

``ideal`` float, ideal constants, the experiment's own grid · ``parameters`` float, constants as the registers
hold them, the target's tick and its cadence of learning · ``range`` the limits as well · ``fixed`` the chip.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from neuroemu.experiment import Experiment, Homeostasis
from neuroemu.hardware.clock import Clock, reference_clock
from neuroemu.hardware.config import MismatchTable, RandomTable, Target
from neuroemu.models.arithmetic import Arithmetic, Rung, SynapseNumbers
from neuroemu.models.chip import in_floats, on_chip
from neuroemu.models.containers import OF_NEURON
from neuroemu.models.counter import CounterSites
from neuroemu.models.crossings import Often, Once
from neuroemu.models.cuba import CubaParams, CubaSites
from neuroemu.models.homeostasis import HomeostasisParams, HomeostasisSites
from neuroemu.models.lif import LifParams, LifSites
from neuroemu.models.mismatch import mismatched
from neuroemu.models.pair_controller import PairParams
from neuroemu.models.pair_settings import pair_params
from neuroemu.models.registers import Discretized
from neuroemu.models.synapse import SynapseSites
from neuroemu.numeric.site import NOISE_SD, Exact, Fixed, Noisy, Site, unlimited, wait_site

MS = 0.001
"""Brian2 holds seconds: ``9*ms`` is this product, an ulp above the double next to 0.009."""

_CHIP_SITES = ("decay", "current", "force", "slope", "membrane")
_RULE_SITES = ("accumulate", "store", "plus", "minus", "change")


def ideal(experiment: Experiment) -> Arithmetic:
    """Return the float reference: Brian2's numbers."""
    dt = experiment.time.dt_ms * MS
    neurons: dict[str, LifParams | CubaParams] = {}
    v_init = {}
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
        zero={name: p.v_rest for name, p in experiment.populations.items()},
        synapses=synapses,
        update="event" if has_rule else "none",
        sites=_float_sites(),
    )


def _float_sites() -> dict[str, Any]:
    """Return sites that change nothing.

    Only the leak, which every neuron meets in every step, is `Exact`; the others are the `Double` that all
    float rungs and analog membranes share, so that one compilation serves them all.
    """
    names = ("drive", "input", "count", "read", *_RULE_SITES, *_CHIP_SITES)
    return {"leak": Exact()} | dict.fromkeys(names, unlimited())


def _ideal_rule(rule: Homeostasis | None) -> HomeostasisParams | None:
    if rule is None:
        return None
    return HomeostasisParams(
        dw_plus=rule.dw_plus,
        dw_minus=rule.dw_minus,
        unit=1.0,
        w_min=rule.w_min,
        w_max=rule.w_max,
        target_count=0.0,
    )


def on_target(d: Discretized, rung: Rung, exact_sites: frozenset[str] = frozenset()) -> Arithmetic:
    """Return a rung on a target; the registers of `d` in an arithmetic.

    Parameters
    ----------
    d : Discretized
        The experiment in the target's numbers.
    rung : str
        ``parameters``, ``range`` or ``fixed``.
    exact_sites : frozenset of str
        Sites that neither round nor limit, in an otherwise ``fixed`` run: it is then held in doubles.
    """
    arithmetic = _on_rung(d, rung, exact_sites)
    table = d.target.membrane.mismatch
    return (
        arithmetic if table is None else replace(arithmetic, pattern=_pattern(d, arithmetic, table))
    )


def _pattern(d: Discretized, a: Arithmetic, table: MismatchTable) -> dict[str, list[LifParams]]:
    sizes = {name: p.size for name, p in d.experiment.populations.items()}
    return {
        name: mismatched(params, table, name, sizes[name])
        for name, params in a.neurons.items()
        if isinstance(params, LifParams)
    }


def _on_rung(d: Discretized, rung: Rung, exact_sites: frozenset[str]) -> Arithmetic:
    if rung == "fixed":
        return _fixed(d, exact_sites)
    sites = _float_sites()
    if rung == "range":
        sites |= {name: site.as_range() for name, site in d.sites.items()}
        if d.target.plasticity.by_sign:
            sites["change"] = d.sites["change"].as_double()
        sites["leak"] = Exact()  # a leak stays between its argument and 0: it meets no limit
    lsb = 1.0 if d.membrane_lsb is None else float(d.membrane_lsb)
    neurons = {name: _float_neuron(d, name, lsb) for name in d.neurons}
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
                target_count=float(s.target_count),
            ),
            lsb=float(s.lsb),
        )
        for name, s in d.synapses.items()
    }
    return _assemble(
        rung,
        d.clock,
        neurons=neurons,
        target=d.target,
        v_init={name: r.v_init * lsb for name, r in d.neurons.items()},
        zero={name: r.zero for name, r in d.neurons.items()},
        synapses=_drop_rules(d, synapses),
        update=d.target.plasticity.update,
        sites=sites,
        counter_width=d.target.plasticity.counter.width,
        pairs=_pairs(d),
    )


def _pairs(d: Discretized) -> dict[str, PairParams]:
    """Return the settings of the pair controllers, the same on every rung."""
    table = d.target.plasticity.pairs
    if table is None:
        return {}
    tau_ms = table.tau_us * d.clock.acceleration / 1000.0
    return {
        name: pair_params(
            s.pairs, dt_ms=float(d.clock.step_ms), tau_causal_ms=tau_ms, tau_acausal_ms=tau_ms
        )
        for name, s in d.synapses.items()
        if s.pairs is not None
    }


def _float_neuron(d: Discretized, name: str, lsb: float) -> LifParams | CubaParams:
    r, membrane = d.neurons[name], d.target.membrane
    threshold = _float_threshold(d, r.threshold, lsb)
    if d.target.neuron is not None and membrane.leak is not None:
        return in_floats(d.target.neuron, membrane.leak.kind, r, threshold, lsb)
    return LifParams(
        leak=_leak(d, name),
        unit=1.0,
        threshold=threshold,
        reset=r.reset * lsb,
        refractory_steps=r.refractory_steps,
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
        if d.target.neuron is not None:
            sites |= {name: _in_container(d.sites[name], container) for name in OF_NEURON}
        sites["leak"] = d.sites["leak"].as_narrowest(container)
    stochastic = {
        name for name, s in d.sites.items() if s.is_stochastic and name not in exact_sites
    }
    if d.target.membrane.noise:
        sites["leak"] = Noisy(d.target.membrane.noise / NOISE_SD)
        stochastic.add("leak")
    neurons = {name: _fixed_neuron(d, name, in_doubles=in_doubles) for name in d.neurons}
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
                target_count=s.target_count,
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
        target=d.target,
        v_init={name: r.v_init for name, r in d.neurons.items()},
        zero={name: r.zero for name, r in d.neurons.items()},
        synapses=_drop_rules(d, synapses),
        update=d.target.plasticity.update,
        sites=sites,
        counter_width=d.target.plasticity.counter.width,
        stochastic=frozenset(stochastic),
        refused=frozenset(name for name, s in d.sites.items() if s.overflow == "error"),
        random=d.target.plasticity.random,
        pairs=_pairs(d),
    )


def _in_container(site: Site, container: Any) -> Fixed:
    """Return the site in the membrane's container; a range that is never left is the container's own.

    All are of one class, so that all targets with one container share one compilation.
    """
    limits = np.iinfo(container)
    if site.never_overflows:
        site = replace(site, lo=int(limits.min), hi=int(limits.max))
    return site.as_fixed(container)


def _fixed_neuron(d: Discretized, name: str, *, in_doubles: bool) -> LifParams | CubaParams:
    r = d.neurons[name]
    threshold = _float_threshold(d, r.threshold, 1.0) if in_doubles else r.threshold
    if d.target.neuron is not None:
        lowest = d.sites["membrane"].lo
        return on_chip(d.target.neuron, r, d.buffer_scale, threshold, lowest)
    return LifParams(
        leak=_leak(d, name) if d.is_analog else int((r.multiplier - 1) * r.unit),
        unit=1.0 if d.is_analog else r.unit,
        threshold=threshold,
        reset=r.reset,
        refractory_steps=r.refractory_steps,
    )


def _neuron_sites(target: Target | None, sites: dict[str, Any]) -> LifSites | CubaSites:
    table = None if target is None else target.neuron
    if table is None:
        return LifSites(leak=sites["leak"], input=sites["input"], wait=wait_site())
    often = table.reset == "subtract" and table.most_spikes > 1
    named = {name: sites[name] for name in OF_NEURON}
    return CubaSites(**named, wait=wait_site(), fire=Often() if often else Once())


def _assemble(
    rung: Rung,
    clock: Clock,
    *,
    target: Target | None = None,
    neurons: dict[str, LifParams | CubaParams],
    v_init: dict[str, Any],
    zero: dict[str, float],
    synapses: dict[str, SynapseNumbers],
    update: str,
    sites: dict[str, Any],
    membrane: Any = float,
    weight: Any = float,
    membrane_lsb: float = 1.0,
    counter_width: int = 8,
    stochastic: frozenset[str] = frozenset(),
    refused: frozenset[str] = frozenset(),
    random: RandomTable | None = None,
    pairs: dict[str, PairParams] | None = None,
) -> Arithmetic:
    return Arithmetic(
        rung=rung,
        clock=clock,
        membrane=np.dtype(membrane),
        weight=np.dtype(weight),
        membrane_lsb=membrane_lsb,
        neurons=neurons,
        v_init=v_init,
        zero=zero,
        synapses=synapses,
        neuron_sites=_neuron_sites(target, sites),
        synapse_sites=SynapseSites(drive=sites["drive"]),
        rule_sites=HomeostasisSites(**{name: sites[name] for name in _RULE_SITES}),
        counter_sites=CounterSites(count=sites["count"], read=sites["read"]),
        counter_overflow=2**counter_width - 1,
        update=update,
        stochastic=stochastic,
        refused=refused,
        random=random or RandomTable(),
        pairs=pairs or {},
        merges_input=target is not None
        and target.neuron is not None
        and target.neuron.merges_input,
    )
