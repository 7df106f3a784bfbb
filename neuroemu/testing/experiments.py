"""Hypothesis strategies for small busy experiments that fit a given target."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target, WeightTable
from neuroemu.hardware.load import experiment_from
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.format import Format
from neuroemu.testing.registers import near, register_values

ANALOG_LSB = Fraction(1, 32)
"""Grid of the constants of an analog membrane, in parts of the largest plastic weight."""

NETWORK_LOAD = 8
"""Power of two for which weights are drawn where their LSB follows from the load of the network."""

MOST_PERIODS = 3
"""Update periods in a run, if they are short enough for it."""


@st.composite
def experiments(
    draw: st.DrawFn, target: Target, *, min_steps: int = 40, max_steps: int = 120
) -> Experiment:
    """Draw a network of a few neurons with static, plastic and recurrent synapses.

    Constants and initial states are drawn as raw values of their registers, aimed at the registers' edges, and
    written in the experiment's units.

    Parameters
    ----------
    target : Target
        What the experiment has to fit.
    min_steps, max_steps : int
        Steps of the target.
    """
    grid = _Grid(draw, target)
    n_steps = draw(st.integers(min_steps, max_steps))
    input_steps = draw(st.sampled_from([1, 1, 2, 5]))
    duration_ms = float(n_steps * grid.step_ms)
    projections = {
        "fixed": grid.static("input", "first"),
        "learning": grid.plastic("input", "first"),
        "recurrent": grid.recurrent("first", "first"),
        "onwards": grid.recurrent("first", "second"),
        "back": grid.recurrent("second", "first"),
    }
    if draw(st.booleans()):
        projections["onwards"] |= {"connector": "fixed_probability", "probability": 0.5}
    order = draw(st.permutations(list(projections)))
    plastic = [n for n, p in projections.items() if "plasticity" in p]
    data = {
        "name": "drawn",
        "title": "",
        "connection_seed": draw(st.integers(0, 3)),
        "time": {"dt_ms": float(grid.step_ms / input_steps), "duration_ms": duration_ms},
        "stimuli": {
            "input": {"size": draw(st.integers(1, 3)), "rates_hz": [grid.rate_hz(input_steps)]}
        },
        "populations": {"first": grid.population(), "second": grid.population()},
        "projections": {name: projections[name] for name in order},
        "record": {
            "weights": plastic,
            "membrane": {
                "populations": ["second", "first"],
                "stop_ms": duration_ms,
                "every_ms": float(grid.step_ms * draw(st.sampled_from([1, 1, 3]))),
            },
        },
    }
    return experiment_from(data, "drawn")


class _Grid:
    """The registers of a target, as places from which constants are drawn."""

    def __init__(self, draw: st.DrawFn, target: Target) -> None:
        self.draw, self.target = draw, target
        time = target.time
        self.step_ms = decimal(time.tick_us) * decimal(time.acceleration) / 1000
        self.largest = self._largest_weight()
        form = target.membrane.format
        if target.membrane.arithmetic == "analog" or form is None:
            self.lsb, self.form = self.largest * ANALOG_LSB, Format(True, 10, 0)
        else:
            self.lsb, self.form = form.lsb, form

    def _largest_weight(self) -> Fraction:
        table = self.target.plasticity.weight
        if table.lsb != "full_scale":
            return table.format.hi * self._lsb(table)
        membrane = self.target.membrane
        if membrane.arithmetic == "analog" or membrane.format is None:
            return Fraction(2)
        if self.target.synapse.gain.format is not None:
            return self.draw(st.sampled_from([1, 2, 5])) * membrane.format.lsb * table.format.hi
        # the gain has to be a power of two, and its decimal text exact
        scales = [table.format.hi * membrane.format.lsb * Fraction(2) ** k for k in range(-4, 3)]
        exact = [s for s in scales if decimal(float(s)) == s]
        return self.draw(st.sampled_from(exact)) if exact else Fraction(table.format.hi)

    def population(self) -> dict[str, Any]:
        """Draw neurons whose threshold lies where their input can take them."""
        draw, form, chip = self.draw, self.form, self.target.neuron
        strength = max(int(self.largest / self.lsb), 1)
        top = form.hi - 1
        threshold = draw(near(1, top, tuple(min(top, strength // k or 1) for k in (1, 2, 8))))
        if draw(st.booleans()):
            threshold = min(top, draw(st.integers(1, max(strength, 1))))
        deep = max(form.lo, -2 * strength)
        reset = draw(near(deep, threshold - 1, (0, -1, -strength // 2)))
        init = draw(near(form.lo, form.hi, (0, threshold, reset)))
        zero = draw(st.sampled_from([0.0, 0.0, -64.5]))
        rest = 0
        if chip is not None and chip.rest == "bias":  # the register's 0 is the reset
            rest, reset = draw(near(0, threshold - 1, (threshold // 2,))), 0
        steps = draw(st.one_of(st.integers(1, 30), st.sampled_from([100, 1000])))
        return {
            "size": draw(st.integers(1, 2)),
            "tau_m_ms": float(self.step_ms * steps),
            "v_rest": zero + float(rest * self.lsb),
            "v_thresh": zero + float(threshold * self.lsb),
            "v_reset": zero + float(reset * self.lsb),
            "v_init": zero + float(init * self.lsb),
            "tau_refrac_ms": float(self.step_ms * draw(st.integers(0, 5))),
        }

    def recurrent(self, pre: str, post: str) -> dict[str, Any]:
        """Draw a static or a plastic projection; some rules need a source whose rate is known."""
        learns = not (self.has_target or self.has_pairs) and self.draw(st.booleans())
        return (self.plastic if learns else self.static)(pre, post)

    @property
    def has_target(self) -> bool:
        """Whether weights follow a target count."""
        table = self.target.plasticity
        return table.by_sign

    @property
    def has_pairs(self) -> bool:
        """Whether a controller of pair sensors is set for a rate."""
        return self.target.plasticity.update == "pairs"

    def rate_hz(self, input_steps: int) -> float:
        """Return the rate of the input; where it sets a target count, a few spikes in a period; many for pairs."""
        period_us = self.target.plasticity.update_period_us
        if self.has_pairs:
            return float(self.draw(st.sampled_from([100, 200, 500])) / self.step_ms)
        if not self.has_target or period_us is None:
            return 1.0
        period_ms = decimal(period_us) * decimal(self.target.time.acceleration) / 1000
        most = int(period_ms / self.step_ms) * input_steps
        return float(1000 * self.draw(st.integers(1, min(most, 40))) / period_ms)

    def static(self, pre: str, post: str) -> dict[str, Any]:
        """Draw a projection that only carries; a negative weight in an unsigned register is an inhibitory row."""
        table = self.target.synapse.weight
        if table.lsb == "full_scale":
            same = table.format.hi == self.target.plasticity.weight.format.hi
            weight = self.largest if same else table.format.hi * self._pow2()
        else:
            weight = self.draw(register_values(table.format)) * self._lsb(table)
        inhibits = not table.format.signed and self.draw(st.sampled_from([False, False, True]))
        return {"pre": pre, "post": post, "weight": float(-weight if inhibits else weight)}

    def _pow2(self) -> Fraction:
        """Return a weight LSB with which the full scale of a static register has an exact gain."""
        return self.lsb if self.target.membrane.arithmetic == "fixed" else Fraction(1, 16)

    def plastic(self, pre: str, post: str) -> dict[str, Any]:
        """Draw a projection that learns, its limits on the grid or half a step off it."""
        draw, table = self.draw, self.target.plasticity.weight
        form = table.format
        lsb = self.largest / form.hi
        high = form.hi
        if table.lsb != "full_scale" and draw(st.booleans()):
            high = draw(st.integers(max(form.lo + 2, 2), form.hi))
        low = draw(near(max(form.lo, -high), high - 2, (0,))) if high >= 2 else form.lo
        start = draw(st.integers(low, high))
        off_grid = table.lsb != "full_scale" and high > 2 and draw(st.booleans())
        w_min, w_max = (float(w * lsb) for w in (low, high - Fraction(1, 2) * off_grid))
        return {
            "pre": pre,
            "post": post,
            "weight": min(max(float(start * lsb), w_min), w_max),
            "plasticity": {
                "dw_plus": self._increment(lsb),
                "dw_minus": self._increment(lsb) or (float(lsb) if self.has_target else 0.0),
                "w_min": w_min,
                "w_max": w_max,
            },
        }

    def _increment(self, lsb: Fraction) -> float:
        if self.has_pairs:  # only their ratio matters
            return float(lsb * self.draw(st.integers(1, 3)))
        form = self.target.plasticity.increment.format
        unit = 2**form.fraction
        most = min(form.hi, self.target.plasticity.weight.format.hi * unit)
        raw = self.draw(near(0, most, (unit // 2, unit, 3 * unit // 2, min(most, 8 * unit))))
        if self.draw(st.booleans()):
            raw = min(raw, self.draw(st.integers(0, 4 * unit)))
        return float(raw * form.lsb * lsb)

    def _lsb(self, table: WeightTable) -> Fraction:
        """Return the weight LSB; where the load of the network sets it, one that is near."""
        if table.lsb == "network":
            return Fraction(NETWORK_LOAD, table.format.hi + 1)
        return table.format.lsb if table.lsb == "format" else decimal(float(table.lsb))


@st.composite
def spike_trains(draw: st.DrawFn, *, n_steps: int, size: int = 1) -> NDArray[np.int64]:
    """Draw the spikes of one stimulus in one trial: dense or sparse, each source at most once in a step.

    Parameters
    ----------
    n_steps : int
        Steps of the experiment's grid.
    size : int
        Sources.

    Returns
    -------
    spikes : (spikes, 2) int64
        Step, source; sorted.
    """
    n_bytes = -(-n_steps * size // 8)
    layers = draw(st.sampled_from([1, 1, 2, 3]))  # each halves the density
    spikes = np.ones(n_steps * size, np.bool_)
    for _ in range(layers):
        raw = draw(st.binary(min_size=n_bytes, max_size=n_bytes))
        spikes &= np.unpackbits(np.frombuffer(raw, np.uint8))[: n_steps * size].astype(np.bool_)
    cells = np.flatnonzero(spikes)
    return np.stack((cells // size, cells % size), axis=1)
