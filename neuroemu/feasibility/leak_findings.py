"""What is wrong with leak, reset and refractory time: docs/spec/feasibility.md, "Leak"."""

from __future__ import annotations

import math
from collections.abc import Iterator

from neuroemu.feasibility.decay import time_constant
from neuroemu.feasibility.findings import Finding, percent, severity
from neuroemu.feasibility.leak import Leak, reset_from_rest
from neuroemu.feasibility.step import lands_at, rest_of
from neuroemu.models.constants import COARSE
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal


def leak_findings(d: Discretized, found: tuple[Leak, ...]) -> Iterator[Finding]:
    """Yield what is wrong with the decay of each population."""
    for leak in found:
        if not leak.is_linear and leak.multiplier == 1:
            yield Finding(
                kind="no_leak",
                key=f"{_where(leak)}.tau_m_ms",
                sentence=f"the leak multiplier of {_names(d, leak)} is 1 in its register: the membrane never decays",
                remedy="add fraction bits to membrane.leak.format",
                register="membrane.leak.format",
            )
        elif leak.is_linear and leak.amount == 0:
            yield _no_amount(d, leak)
        elif not d.is_analog:
            yield from _standing(d, leak)
        yield from _time_constant(d, leak)
        yield from _current(d, leak)
        yield from _reset(d, leak)
        yield from _refractory(d, leak)


def _where(leak: Leak) -> str:
    return f"populations.{leak.populations[0]}"


def _no_amount(d: Discretized, leak: Leak) -> Finding:
    return Finding(
        kind="no_leak",
        key=f"{_where(leak)}.tau_m_ms",
        sentence=f"the leak of {_names(d, leak)} is less than half an LSB in a step, and 0 in its register: the "
        "membrane never decays",
        remedy="add fraction bits to membrane.format, or lengthen time.tick_us",
        register="membrane.format",
    )


def _standing(d: Discretized, leak: Leak) -> Iterator[Finding]:
    """Yield that a membrane has no rest, or stands still elsewhere."""
    low, high = leak.dead_zone_value
    neuron = d.neurons[leak.populations[0]]
    threshold = neuron.threshold - rest_of(d, leak.populations[0])
    share = max(-low, high) / (float(d.membrane_lsb or 1) * max(threshold, 1))
    if not leak.has_rest:
        ends = {"wrap": ", and wraps", "error": ", and the run is refused"}
        then = ends.get(d.target.membrane.overflow, "")
        yield Finding(
            kind="no_rest",
            key="neuron.floor",
            sentence=f"a step takes {leak.amount} LSB off the membrane of {_names(d, leak)} wherever it is, and no "
            f"floor stops it: without input it falls to the end of its register{then}",
            remedy="set neuron.floor = 0.0",
        )
        return
    if share <= COARSE:
        return
    lands = lands_at(d, leak.populations[0]) - rest_of(d, leak.populations[0])
    waits = (
        ", the reset included: there it waits for input" if leak.dead_zone[0] <= lands < 0 else ""
    )
    how = f"rounding {leak.rounding} leaves" if leak.rounding else "the leak leaves"
    yield Finding(
        kind="dead_zone",
        key="membrane.rounding",
        sentence=f"{how} the membrane of {_names(d, leak)} where it is between "
        f"{low:g} and {high:g} from rest ({100 * share:.0f} % of the threshold){waits}",
        remedy=_finer_membrane(leak),
        register="membrane.format",
    )


def _finer_membrane(leak: Leak) -> str:
    ways = ["set membrane.rounding = stochastic"] if leak.kind == "multiply" else []
    return ", or ".join([*ways, "add fraction bits to membrane.format"])


def _time_constant(d: Discretized, leak: Leak) -> Iterator[Finding]:
    if leak.is_linear:
        yield from _linear(d, leak)
        return
    if leak.multiplier == 1 or leak.register_tau_ms is None:
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
        how, (register, remedy) = _of_register(d, leak), _finer_multiplier(d, leak)
    else:
        time = leak.decay_ms[worst] or 0.0
        within = f"{time:.3g} ms" if math.isfinite(time) else f"over {4 * leak.float_tau_ms:.3g} ms"
        how = f"the membrane of {_names(d, leak)} decays from the {worst} to 1/e in {within}"
        register, remedy = "membrane.format", _finer_membrane(leak)
    size = f" ({percent(errors[worst])})" if math.isfinite(errors[worst]) else ""
    yield Finding(
        kind="time_constant",
        key=f"{_where(leak)}.tau_m_ms",
        sentence=f"{how} instead of {leak.float_tau_ms:.3g} ms{size}",
        remedy=remedy,
        severity=severity(errors[worst]),
        register=register,
    )


def _of_register(d: Discretized, leak: Leak) -> str:
    what = f"multiplier {leak.multiplier:.6g}"
    if leak.kind == "shift":
        what = f"shift by {round(-math.log2(1 - leak.multiplier))} bits"
    return f"the leak's {what} of {_names(d, leak)} gives a time constant of {leak.register_tau_ms:.3g} ms"


def _linear(d: Discretized, leak: Leak) -> Iterator[Finding]:
    """Yield that an amount in every step is no exponential decay."""
    time = leak.decay_ms.get("threshold")
    if leak.amount == 0 or time is None or leak.float_tau_ms == 0:
        return
    error = _off(time, leak.float_tau_ms)
    ends = (
        "" if leak.rests_after_ms is None else f", and at rest after {leak.rests_after_ms:.3g} ms"
    )
    yield Finding(
        kind="time_constant",
        key="membrane.leak.kind",
        sentence=f"the leak of {_names(d, leak)} is linear, {leak.amount} LSB in a step: from the threshold it is at "
        f"1/e after {time:.3g} ms instead of {leak.float_tau_ms:.3g} ms ({percent(error)}){ends}",
        remedy="a straight line has no time constant; membrane.leak.kind = multiply has, if the chip does",
        severity=severity(error),
    )


def _off(time: float, wanted: float) -> float:
    if wanted == 0:
        return 0.0 if time == 0 else math.inf
    return time / wanted - 1


def _finer_multiplier(d: Discretized, leak: Leak) -> tuple[str, str]:
    """Return the register that can give the wanted time constant, empty if none can, and the remedy."""
    step = float(d.clock.step_ms)
    if leak.kind == "shift":
        bits = round(-math.log2(1 - leak.multiplier))
        return "", f"a shift gives powers of two alone: ask for tau_m_ms = {step * 2**bits:g}"
    exact = time_constant(step, 1 - d.clock.step_ms / decimal(leak.tau_ms))
    too_long = abs(_off(exact, leak.float_tau_ms)) > COARSE
    if d.target.membrane.integration == "euler" and too_long:
        return "", "shorten time.tick_us, or set membrane.integration = exponential"
    return "membrane.leak.format", "add fraction bits to membrane.leak.format"


def _current(d: Discretized, leak: Leak) -> Iterator[Finding]:
    """Yield that a current's time constant is another than the one asked for."""
    current = leak.current
    if current is None or not current.asked_ms:
        return
    error = _off(current.tau_ms, current.asked_ms)
    if abs(error) <= COARSE:
        return
    table = d.target.neuron
    is_shift = table is not None and table.current is not None and table.current.decay == "shift"
    key = "neuron.current.decay_format"
    yield Finding(
        kind="time_constant",
        key="neuron.current.tau_ms",
        sentence=f"the current of {_names(d, leak)} decays with {current.tau_ms:.3g} ms instead of "
        f"{current.asked_ms:g} ms ({percent(error)})",
        remedy="a shift gives powers of two alone" if is_shift else f"add fraction bits to {key}",
        register="" if is_shift else key,
    )


def _reset(d: Discretized, leak: Leak) -> Iterator[Finding]:
    """Yield that a spike leaves the membrane elsewhere than asked, where the chip decides."""
    table = d.target.neuron
    if table is None or table.reset == "value":
        return
    name = leak.populations[0]
    asked, lands = reset_from_rest(d, name)
    p = d.experiment.populations[name]
    error = (lands - asked) / float(decimal(p.v_thresh) - decimal(p.v_rest))
    if error == 0:
        return
    how = "subtracts its threshold: from there it lands" if table.reset == "subtract" else "lands"
    yield Finding(
        kind="reset",
        key=f"{_where(leak)}.v_reset",
        sentence=f"the reset of {_names(d, leak)} {how} at {lands:g} from rest, where {asked:g} is asked "
        f"({100 * error:+.0f} % of the threshold)",
        remedy="the chip has no other reset; a bias may hold the rest above it (neuron.rest = bias)",
        severity=severity(error),
    )


def _refractory(d: Discretized, leak: Leak) -> Iterator[Finding]:
    table = d.target.refractory
    error = leak.refractory_ms / leak.float_refractory_ms - 1
    if abs(error) <= COARSE:
        return
    is_full = d.neurons[leak.populations[0]].refractory_steps >= table.format.hi
    how = f"the refractory time of {_names(d, leak)} is {leak.refractory_ms:g} ms"
    remedy, register = "shorten time.tick_us", ""
    if not table.counter:
        how = f"the chip has no refractory counter: {_names(d, leak)} can spike every {leak.refractory_ms:g} ms,"
        remedy = "choose a chip with a refractory counter, or ask for tau_refrac_ms = 0"
    elif is_full:
        remedy, register = "widen refractory.format", "refractory.format"
    elif table.counts == "steps_after" and leak.refractory_ms > leak.float_refractory_ms:
        remedy = "the spike's own step is not counted: ask for one tick less"
    yield Finding(
        kind="refractory",
        key=f"{_where(leak)}.tau_refrac_ms",
        sentence=f"{how} instead of {leak.float_refractory_ms:g} ms ({percent(error)})",
        remedy=remedy,
        register=register,
    )


def _names(d: Discretized, leak: Leak) -> str:
    are_all = len(leak.populations) > 1 and set(leak.populations) == set(d.experiment.populations)
    return "all populations" if are_all else ", ".join(leak.populations)
