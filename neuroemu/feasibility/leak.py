"""What a step without input does to membrane and current: docs/spec/feasibility.md, "Leak"."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from neuroemu.feasibility.decay import (
    MOST_STEPS,
    Step,
    decay_steps,
    mean_bias,
    steps_to,
    still,
    time_constant,
)
from neuroemu.feasibility.step import alone, from_rest, lands_at, raw_multiplier, rest_of
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The decay of a synaptic current.

    Parameters
    ----------
    multiplier : float
        What a step leaves of a large one.
    asked_ms, tau_ms : float
        Time constant asked for (0: as short as can be), and of the register.
    """

    multiplier: float
    asked_ms: float
    tau_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """The decay of the populations that share all constants. Voltages are measured from the experiment's rest.

    Parameters
    ----------
    populations : tuple of str
        Who they are.
    kind : str
        ``multiply``, ``shift``, ``subtract`` or ``constant``.
    multiplier : float
        What the register leaves of a large distance from rest; 1 for a linear leak.
    amount : int
        LSB that a step takes at least: of a shift 1, of a linear leak all it takes.
    rounding : str
        Empty on an analog membrane.
    has_rest : bool
        Whether there is a membrane that stays where it is.
    dead_zone : (int, int)
        Lowest and highest membrane that stays where it is, in LSB from rest; (0, 0) where only rest does.
    dead_zone_value : (float, float)
        The same in biological units.
    smallest_decaying : (int or None, int or None)
        Membranes next to the dead zone that do decay, below and above. None where the register holds none.
    bias_lsb, shift : float
        Mean change by the rounding in a step, LSB; and what it shifts the membrane by, biological units.
        For ``fix`` towards rest.
    tau_ms, float_tau_ms : float
        Time constant asked for, and of the float reference's steps.
    register_tau_ms : float or None
        Of the register's multiplier; None of a linear leak.
    decay_ms : dict of str to (float or None)
        Time to 1/e of the distance from rest, from ``threshold`` and from ``reset``; None where it never gets there.
        Inf: not within four float time constants.
    rests_after_ms : float or None
        Time from the threshold to rest; None of a leak that is not linear, or if it does not end there.
    refractory_ms, float_refractory_ms : float
        Realised on the target and in float.
    current : Current or None
        None where input acts at once or within one step.
    """

    populations: tuple[str, ...]
    kind: str
    multiplier: float
    amount: int
    rounding: str
    has_rest: bool
    dead_zone: tuple[int, int]
    dead_zone_value: Span
    smallest_decaying: tuple[int | None, int | None]
    bias_lsb: float
    shift: float
    tau_ms: float
    register_tau_ms: float | None
    float_tau_ms: float
    decay_ms: dict[str, float | None]
    rests_after_ms: float | None
    refractory_ms: float
    float_refractory_ms: float
    current: Current | None

    @property
    def is_linear(self) -> bool:
        """Whether a step takes an amount, and not a part."""
        return self.kind in ("subtract", "constant")


def leaks(d: Discretized) -> tuple[Leak, ...]:
    """Return the decay of each population, those with the same constants together."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, p in d.experiment.populations.items():
        same = (d.neurons[name], p.tau_m_ms, p.tau_refrac_ms, p.v_thresh - p.v_rest)
        groups.setdefault(same, []).append(name)
    return tuple(_leak(d, names) for names in groups.values())


def _leak(d: Discretized, names: list[str]) -> Leak:
    name = names[0]
    neuron, population, table = d.neurons[name], d.experiment.populations[name], d.target.neuron
    lsb, leak = float(d.membrane_lsb or 1), d.target.membrane.leak
    kind = "multiply" if leak is None or table is None else leak.kind
    zone, beside = _standing(d, name)
    bias = _bias(d, name) if kind == "multiply" else 0.0
    dt, step = d.experiment.time.dt_ms, float(d.clock.step_ms)
    float_tau = time_constant(dt, 1 - decimal(dt) / decimal(population.tau_m_ms))
    is_linear = kind in ("subtract", "constant")
    tau = None if is_linear else time_constant(step, neuron.multiplier)
    low, high = zone or (0, 0)
    return Leak(
        populations=tuple(names),
        kind=kind,
        multiplier=float(neuron.multiplier),
        amount=_amount(d, name, kind),
        rounding="" if d.is_analog else _rounding(d, kind),
        has_rest=zone is not None,
        dead_zone=(low, high),
        dead_zone_value=(low * lsb, high * lsb),
        smallest_decaying=beside,
        bias_lsb=bias,
        shift=bias * lsb / float(1 - neuron.multiplier) if neuron.multiplier < 1 else 0.0,
        tau_ms=population.tau_m_ms,
        register_tau_ms=tau,
        float_tau_ms=float_tau,
        decay_ms=_decays(d, name, tau, float_tau),
        rests_after_ms=_rests_after(d, name) if is_linear and zone == (0, 0) else None,
        refractory_ms=max(neuron.refractory_steps, 1) * step,
        float_refractory_ms=max(float_refractory_steps(population.tau_refrac_ms, dt), 1) * dt,
        current=_current(d, name),
    )


def float_refractory_steps(tau_refrac_ms: float, dt_ms: float) -> int:
    """Return the steps that the float reference waits: docs/spec/lif.md."""
    return math.floor(decimal(tau_refrac_ms) / decimal(dt_ms) + Fraction(1, 1000))


def _rounding(d: Discretized, kind: str) -> str:
    return d.target.membrane.rounding if kind == "multiply" else ""


def _amount(d: Discretized, name: str, kind: str) -> int:
    chip = d.neurons[name].chip
    if chip is None:
        return 0
    return -chip.bias if kind == "constant" else chip.leak.least


def _standing(
    d: Discretized, name: str
) -> tuple[tuple[int, int] | None, tuple[int | None, int | None]]:
    """Return the membranes that stand still, and those beside them, in LSB from rest."""
    if d.is_analog:
        return (0, 0), (None, None)
    form, rest = d.sites["input" if d.target.neuron is None else "membrane"], rest_of(d, name)
    if d.sites["leak"].is_stochastic and d.neurons[name].multiplier < 1:
        return (0, 0), (-1, 1)
    step = _without_input(d, name)
    found = still(step, form.lo, form.hi)
    if found is None:
        return None, (None, None)
    low, high = found
    beside = (
        low - 1 - rest if low > form.lo else None,
        high + 1 - rest if high < form.hi else None,
    )
    return (low - rest, high - rest), beside


def _without_input(d: Discretized, name: str) -> Step:
    step = alone(d, name)
    return lambda v: step(v, 0)


def _bias(d: Discretized, name: str) -> float:
    if d.is_analog:
        return 0.0
    table = d.target.neuron
    turned = table is not None and table.resistance is not None  # what is rounded is rest minus v
    bias = float(mean_bias(d.sites["leak"], raw_multiplier(d, name)))
    return -bias if turned and d.sites["leak"].rounding not in ("fix", "trunc") else bias


def _decays(
    d: Discretized, name: str, register_tau: float | None, float_tau: float
) -> dict[str, float | None]:
    rest = 0 if d.is_analog else rest_of(d, name)
    starts = {"threshold": d.neurons[name].threshold, "reset": _landing(d, name)}
    starts = {k: v for k, v in starts.items() if v != rest}
    if d.is_analog or d.sites["leak"].is_stochastic:
        return dict.fromkeys(starts, register_tau)
    step = float(d.clock.step_ms)
    most = min(MOST_STEPS, math.ceil(4 * float_tau / step) + 1)
    found: dict[str, float | None] = {}
    for k, v in starts.items():
        steps = decay_steps(v, _without_input(d, name), most, rest)
        found[k] = None if steps is None else steps * step
    return found


def _landing(d: Discretized, name: str) -> Any:
    return d.neurons[name].reset if d.is_analog else lands_at(d, name)


def _rests_after(d: Discretized, name: str) -> float | None:
    steps = steps_to(int(d.neurons[name].threshold), _without_input(d, name), MOST_STEPS)
    return None if steps is None else steps * float(d.clock.step_ms)


def _current(d: Discretized, name: str) -> Current | None:
    table, chip = d.target.neuron, d.neurons[name].chip
    if table is None or chip is None or table.current is None:
        return None
    multiplier = chip.current.multiplier
    return Current(
        multiplier=float(multiplier),
        asked_ms=table.current.tau_ms,
        tau_ms=time_constant(float(d.clock.step_ms), multiplier),
    )


def reset_from_rest(d: Discretized, name: str) -> tuple[float, float]:
    """Return where the reset is asked for, and where a spike from the threshold lands; from rest."""
    p, lsb = d.experiment.populations[name], float(d.membrane_lsb or 1)
    asked = float(decimal(p.v_reset) - decimal(p.v_rest))
    return asked, float(_landing(d, name)) * lsb + float(from_rest(d, name))
