"""What rounding does to a decaying membrane: docs/spec/feasibility.md, "Leak"."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from neuroemu.feasibility.findings import Finding, percent, severity
from neuroemu.feasibility.search import last
from neuroemu.models.registers import COARSE, Discretized
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.ops import requantize
from neuroemu.numeric.site import Site

MOST_STEPS = 20_000
"""A decay is followed no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """The decay of the populations that share all constants.

    Parameters
    ----------
    populations : tuple of str
        Who they are.
    multiplier : float
        As the register holds it.
    dead_zone : (int, int)
        Lowest and highest membrane that stays where it is, in LSB; 0 where there is none on that side.
    dead_zone_value : (float, float)
        The same in biological units, from rest.
    smallest_decaying : (int or None, int or None)
        Membranes next to the dead zone that do decay, below and above rest, LSB. None where the register holds none.
    bias_lsb, shift : float
        Mean change by the rounding in a step, LSB; and what it shifts the membrane by, biological units.
        For ``fix`` towards rest.
    tau_ms, register_tau_ms, float_tau_ms : float
        Time constant asked for, of the register's multiplier, and of the float reference's steps.
    decay_ms : dict of str to (float or None)
        Time to 1/e from ``threshold`` and from ``reset``; None where it never gets there. Inf: not
        within four float time constants.
    refractory_ms, float_refractory_ms : float
        Realised on the target and in float.
    """

    populations: tuple[str, ...]
    multiplier: float
    rounding: str
    dead_zone: tuple[int, int]
    dead_zone_value: tuple[float, float]
    smallest_decaying: tuple[int | None, int | None]
    bias_lsb: float
    shift: float
    tau_ms: float
    register_tau_ms: float
    float_tau_ms: float
    decay_ms: dict[str, float | None]
    refractory_ms: float
    float_refractory_ms: float


def leaks(d: Discretized) -> tuple[Leak, ...]:
    """Return the decay of each population, those with the same constants together."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, p in d.experiment.populations.items():
        same = (d.neurons[name], p.tau_m_ms, p.tau_refrac_ms, p.v_thresh - p.v_rest)
        groups.setdefault(same, []).append(name)
    return tuple(_leak(d, names) for names in groups.values())


def _leak(d: Discretized, names: list[str]) -> Leak:
    neuron, population = d.neurons[names[0]], d.experiment.populations[names[0]]
    lsb = float(d.membrane_lsb or 1)
    zone = (0, 0) if d.is_analog else dead_zone(d.sites["leak"], raw_multiplier(d, names[0]))
    bias = 0.0 if d.is_analog else float(mean_bias(d.sites["leak"], raw_multiplier(d, names[0])))
    has_leak = neuron.multiplier < 1
    dt, step = d.experiment.time.dt_ms, float(d.clock.step_ms)
    float_tau = _tau(dt, 1 - decimal(dt) / decimal(population.tau_m_ms))
    register_tau = _tau(step, neuron.multiplier)
    return Leak(
        populations=tuple(names),
        multiplier=float(neuron.multiplier),
        rounding="" if d.is_analog else d.target.membrane.rounding,
        dead_zone=zone,
        dead_zone_value=(zone[0] * lsb, zone[1] * lsb),
        smallest_decaying=(None, None) if d.is_analog else _beside(zone, d.sites["leak"]),
        bias_lsb=bias,
        shift=bias * lsb / float(1 - neuron.multiplier) if has_leak else 0.0,
        tau_ms=population.tau_m_ms,
        register_tau_ms=register_tau,
        float_tau_ms=float_tau,
        decay_ms=_decays(d, names[0], register_tau, float_tau),
        refractory_ms=max(neuron.refractory_steps, 1) * step,
        float_refractory_ms=max(float_refractory_steps(population.tau_refrac_ms, dt), 1) * dt,
    )


def float_refractory_steps(tau_refrac_ms: float, dt_ms: float) -> int:
    """Return the steps that the float reference waits: docs/spec/lif.md."""
    return math.floor(decimal(tau_refrac_ms) / decimal(dt_ms) + Fraction(1, 1000))


def raw_multiplier(d: Discretized, population: str) -> int:
    """Return the leak multiplier as its register holds it."""
    neuron = d.neurons[population]
    return int(neuron.multiplier * neuron.unit)


def leaked(v: int, multiplier: int, site: Site, word: int = 0) -> int:
    """Return the membrane after one step's leak, all in LSB."""
    return int(requantize(multiplier * v, site.as_fixed(), word))


def dead_zone(site: Site, multiplier: int) -> tuple[int, int]:
    """Return the lowest and the highest membrane that the leak leaves where it is, 0 if none.

    Parameters
    ----------
    site : Site
        The site ``leak``.
    multiplier : int
        Raw.

    Examples
    --------
    >>> half_up = Site(name="leak", shift=8, rounding="half_up", overflow="saturate", lo=-128, hi=127)
    >>> dead_zone(half_up, 253)
    (-42, 42)
    """
    if site.is_stochastic and multiplier != 2**site.shift:
        return 0, 0
    above = last(lambda v: leaked(v, multiplier, site) == v, site.hi)
    below = last(lambda v: leaked(-v, multiplier, site) == -v, -site.lo)
    return -below, above


def _beside(zone: tuple[int, int], site: Site) -> tuple[int | None, int | None]:
    """Return the membranes next to a dead zone, None where it reaches to the end of the register."""
    low, high = zone
    return low - 1 if low > site.lo else None, high + 1 if high < site.hi else None


def mean_bias(site: Site, multiplier: int) -> Fraction:
    """Return the mean change of a membrane above rest by the rounding alone, in LSB a step."""
    part = Fraction(math.gcd(multiplier, 2**site.shift), 2**site.shift)
    return mean_rounding(part, site.rounding)


def mean_rounding(part: Fraction, rounding: str) -> Fraction:
    """Return the mean change, in LSB, by the rounding of a sum that is any multiple of `part` LSB alike.

    Parameters
    ----------
    part : Fraction
        1 over a power of two.
    rounding : str
        Of a sum that is not negative: ``fix`` is then ``floor``.

    Examples
    --------
    >>> mean_rounding(Fraction(1, 4), "floor"), mean_rounding(Fraction(1, 4), "half_up")
    (Fraction(-3, 8), Fraction(1, 8))
    """
    if part == 1:
        return Fraction(0)
    match rounding:
        case "floor" | "fix" | "trunc":
            return -(1 - part) / 2
        case "ceil":
            return (1 - part) / 2
        case "half_up":
            return part / 2
        case _:
            return Fraction(0)


def _tau(step_ms: float, multiplier: Fraction) -> float:
    if multiplier <= 0:
        return 0.0
    return -step_ms / math.log(multiplier) if multiplier < 1 else math.inf


def _decays(
    d: Discretized, name: str, register_tau: float, float_tau: float
) -> dict[str, float | None]:
    neuron = d.neurons[name]
    starts = {"threshold": neuron.threshold, "reset": neuron.reset}
    if d.is_analog or d.sites["leak"].is_stochastic:
        return {k: register_tau for k, v in starts.items() if v != 0}
    step = float(d.clock.step_ms)
    most = min(MOST_STEPS, math.ceil(4 * float_tau / step) + 1)
    multiplier, site = raw_multiplier(d, name), d.sites["leak"]
    found: dict[str, float | None] = {}
    for k, v in starts.items():
        if v != 0:
            steps = decay_steps(v, multiplier, site, most)
            found[k] = None if steps is None else steps * step
    return found


def decay_steps(start: int, multiplier: int, site: Site, most: int) -> float | None:
    """Return the steps in which a membrane decays to 1/e of `start`.

    Returns
    -------
    float or None
        The last step counts in part, as of an exponential decay; None if the membrane stops before, inf if it takes
        more than `most` steps.
    """
    goal, v, fixed = abs(start) / math.e, start, site.as_fixed()
    for k in range(most):
        after = int(requantize(multiplier * v, fixed, 0))
        if after == v:
            return None
        if abs(after) <= goal:
            return k + _part(abs(v), abs(after), goal)
        v = after
    return math.inf


def _part(before: int, after: int, goal: float) -> float:
    """Return the part of a step after which a membrane between two values passes `goal`."""
    if after == 0:
        return (before - goal) / before
    return math.log(before / goal) / math.log(before / after)


def leak_findings(d: Discretized, found: tuple[Leak, ...]) -> Iterator[Finding]:
    """Yield what is wrong with the decay of each population."""
    for leak in found:
        first = leak.populations[0]
        where = f"populations.{first}"
        if leak.multiplier == 1:
            yield Finding(
                kind="no_leak",
                key=f"{where}.tau_m_ms",
                sentence=f"the leak multiplier of {_names(d, leak)} is 1 in its register: the membrane never decays",
                remedy="add fraction bits to membrane.leak.format",
                register="membrane.leak.format",
            )
        elif not d.is_analog:
            yield from _dead_zone(d, leak)
        yield from _time_constant(d, leak, where)
        yield from _refractory(d, leak, where)


def _dead_zone(d: Discretized, leak: Leak) -> Iterator[Finding]:
    neuron = d.neurons[leak.populations[0]]
    low, high = leak.dead_zone_value
    share = max(-low, high) / (float(d.membrane_lsb or 1) * max(neuron.threshold, 1))
    if share <= COARSE:
        return
    holds_reset = leak.dead_zone[0] <= neuron.reset < 0
    waits = ", the reset included: there it waits for input" if holds_reset else ""
    yield Finding(
        kind="dead_zone",
        key="membrane.rounding",
        sentence=f"rounding {leak.rounding} leaves the membrane of {_names(d, leak)} where it is between "
        f"{low:g} and {high:g} from rest ({100 * share:.0f} % of the threshold){waits}",
        remedy="set membrane.rounding = stochastic, or add fraction bits to membrane.format",
        register="membrane.format",
    )


def _time_constant(d: Discretized, leak: Leak, where: str) -> Iterator[Finding]:
    if leak.multiplier == 1:
        return
    errors = {"register": _off(leak.register_tau_ms, leak.float_tau_ms)}
    if leak.float_tau_ms > 0:
        errors |= {k: _off(t, leak.float_tau_ms) for k, t in leak.decay_ms.items() if t is not None}
    worst = max(errors, key=lambda k: abs(errors[k]))
    if abs(errors[worst]) <= COARSE:
        return
    if abs(errors["register"]) > COARSE and not abs(errors[worst]) > 1.5 * abs(errors["register"]):
        worst = "register"
    if worst == "register":
        how = (
            f"the leak multiplier {leak.multiplier:.6g} of {_names(d, leak)} gives a time constant of "
            f"{leak.register_tau_ms:.3g} ms"
        )
        register, remedy = _finer_multiplier(d, leak)
    else:
        time = leak.decay_ms[worst] or 0.0
        within = f"{time:.3g} ms" if math.isfinite(time) else f"over {4 * leak.float_tau_ms:.3g} ms"
        how = f"the membrane of {_names(d, leak)} decays from the {worst} to 1/e in {within}"
        register = "membrane.format"
        remedy = "set membrane.rounding = stochastic, or add fraction bits to membrane.format"
    size = f" ({percent(errors[worst])})" if math.isfinite(errors[worst]) else ""
    yield Finding(
        kind="time_constant",
        key=f"{where}.tau_m_ms",
        sentence=f"{how} instead of {leak.float_tau_ms:.3g} ms{size}",
        remedy=remedy,
        severity=severity(errors[worst]),
        register=register,
    )


def _off(time: float, wanted: float) -> float:
    if wanted == 0:
        return 0.0 if time == 0 else math.inf
    return time / wanted - 1


def _finer_multiplier(d: Discretized, leak: Leak) -> tuple[str, str]:
    """Return the register that can give the wanted time constant, empty if the step is too long, and the remedy."""
    step = float(d.clock.step_ms)
    exact = _tau(step, 1 - d.clock.step_ms / decimal(leak.tau_ms))
    too_long = abs(_off(exact, leak.float_tau_ms)) > COARSE
    if d.target.membrane.integration == "euler" and too_long:
        return "", "shorten time.tick_us, or set membrane.integration = exponential"
    return "membrane.leak.format", "add fraction bits to membrane.leak.format"


def _refractory(d: Discretized, leak: Leak, where: str) -> Iterator[Finding]:
    error = leak.refractory_ms / leak.float_refractory_ms - 1
    if abs(error) > COARSE:
        is_full = d.neurons[leak.populations[0]].refractory_steps == d.target.refractory.format.hi
        yield Finding(
            kind="refractory",
            key=f"{where}.tau_refrac_ms",
            sentence=f"the refractory time of {_names(d, leak)} is {leak.refractory_ms:g} ms instead of "
            f"{leak.float_refractory_ms:g} ms ({percent(error)})",
            remedy="widen refractory.format" if is_full else "shorten time.tick_us",
            register="refractory.format" if is_full else "",
        )


def _names(d: Discretized, leak: Leak) -> str:
    are_all = len(leak.populations) > 1 and set(leak.populations) == set(d.experiment.populations)
    return "all populations" if are_all else ", ".join(leak.populations)
