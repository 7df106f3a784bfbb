"""The tables of a chip's own step, drawn: every choice of docs/spec/chip-neuron.md."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

PLAIN_ROUNDINGS = st.sampled_from(["floor", "ceil", "fix", "around", "half_up"])
_SHIFTS = st.sampled_from(["fxp-u2/0", "fxp-u3/0", "fxp-u4/0"])


class ChipTables:
    """Draws ``[membrane]``, ``[neuron]`` and ``[refractory]`` that fit together.

    Parameters
    ----------
    draw : callable
        Of Hypothesis.
    kernel : str
        A name of `neuroemu.testing.targets.KERNELS`: ``int32`` has small registers and at most one spike in a step
        that is taken away, ``int64`` wide ones and several.
    rounding, overflow : strategy
        Of the membrane.
    tick_us : float
        Hardware time.
    step_ms : float
        The same, biological.
    """

    def __init__(
        self,
        draw: st.DrawFn,
        kernel: str,
        *,
        rounding: st.SearchStrategy[str],
        overflow: st.SearchStrategy[Any],
        tick_us: float,
        step_ms: float,
    ) -> None:
        self.draw, self.overflow, self.tick_us, self.step_ms = draw, overflow, tick_us, step_ms
        self.is_wide = kernel.startswith("int64")
        self.width = draw(st.integers(33, 36) if self.is_wide else st.integers(5, 11))
        self.fraction = draw(st.integers(10, 20) if self.is_wide else st.integers(1, 6))
        self.rounding = rounding

    def tables(self) -> dict[str, Any]:
        """Return the three tables."""
        neuron = self.neuron()
        return {
            "membrane": self.membrane(neuron),
            "neuron": neuron,
            "refractory": self.refractory(),
        }

    def format(self, *, sign: str = "s", more: int = 0) -> str:
        """Return a format on the membrane's grid, `more` bits wider than the membrane."""
        return f"fxp-{sign}{max(self.width + more, 2)}/{self.fraction}"

    def membrane(self, neuron: dict[str, Any]) -> dict[str, Any]:
        """Draw the membrane and its leak."""
        draw = self.draw
        kinds = ["multiply", "multiply", "shift", "constant"]
        if neuron["rest"] == "zero":
            kinds.append("subtract")
        kind = draw(st.sampled_from(kinds))
        shift = draw(st.integers(1, 12))
        leak = {
            "multiply": st.sampled_from([f"fxp-u{shift}/{shift}", f"fxp-s{shift + 2}/{shift}"]),
            "shift": _SHIFTS,
            "subtract": st.just(f"fxp-u{draw(st.integers(2, 8))}/{self.fraction}"),
            "constant": st.just(f"fxp-s{draw(st.integers(2, 8))}/{self.fraction}"),
        }[kind]
        sign, overflow = draw(st.sampled_from("ssu")), draw(self.overflow)
        can_be_symmetric = sign == "s" and "wrap" not in (overflow, neuron["input_overflow"])
        return {
            "arithmetic": "fixed",
            "format": self.format(sign=sign),
            "range": draw(st.sampled_from(["full", "symmetric"])) if can_be_symmetric else "full",
            "rounding": draw(self.rounding),
            "overflow": overflow,
            "integration": draw(st.sampled_from(["euler", "exponential"])),
            "fires": draw(st.sampled_from(["above", "at_or_above"])),
            "leak": {"kind": kind, "format": draw(leak), "rounding": draw(PLAIN_ROUNDINGS)},
        }

    def neuron(self) -> dict[str, Any]:
        """Draw the choices of the step."""
        draw = self.draw
        place = draw(st.sampled_from(["membrane", "current", "buffer"]))
        resets = ["subtract"] if self.is_wide else ["value", "zero", "subtract"]
        reset = draw(st.sampled_from(resets))
        at_events = place == "membrane" and draw(st.booleans())
        most = 1 if reset == "subtract" or not at_events else draw(st.sampled_from([1, 2, 255]))
        if self.is_wide:
            most = draw(st.sampled_from([2, 3, 31]))
        table: dict[str, Any] = {
            "input": place,
            "input_overflow": draw(self.overflow),
            "channels": "one" if place == "membrane" else draw(st.sampled_from(["one", "two"])),
            "merges_input": draw(st.booleans()),
            "slope": draw(st.sampled_from(["exact", "exact", "saturate"])),
            "tests": draw(st.sampled_from(["leaked", "leaked", "unleaked"])),
            "evaluation": "event" if at_events else "step",
            "reset": reset,
            "most_spikes": most,
            "rest": "zero" if reset == "value" else draw(st.sampled_from(["zero", "bias"])),
        }
        if place == "current" or draw(st.booleans()):
            table["current"] = self.current()
        if place == "buffer":
            table["buffer"] = self.buffer()
        if reset != "value" and draw(st.sampled_from([False, False, True])):
            table["floor"] = float(draw(st.integers(-3, 2))) * 2.0**-self.fraction
        return table | self.constants()

    def current(self) -> dict[str, Any]:
        """Draw the synaptic current."""
        draw, shift = self.draw, self.draw(st.integers(1, 12))
        by_shift = draw(st.booleans())
        steps = draw(st.sampled_from([0, 1, 2, 5, 20]))
        return {
            "format": self.format(more=draw(st.integers(-2, 2))),
            "overflow": draw(self.overflow),
            "decay": "shift" if by_shift else "multiply",
            "decay_format": draw(_SHIFTS) if by_shift else f"fxp-u{shift}/{shift}",
            "rounding": draw(PLAIN_ROUNDINGS),
            "tau_ms": steps * self.step_ms,
        }

    def buffer(self) -> dict[str, Any]:
        """Draw the buffer of input."""
        draw = self.draw
        counts = draw(st.sampled_from(["weights", "current"]))
        table: dict[str, Any] = {"counts": counts, "overflow": draw(self.overflow)}
        if not self.is_wide or draw(st.booleans()):
            sign = draw(st.sampled_from(["s", "s", "u"]))
            table["format"] = self.format(sign=sign, more=draw(st.integers(-2, 2)))
        return table

    def constants(self) -> dict[str, Any]:
        """Draw registers of constants; without a table a constant is as the membrane is."""
        draw = self.draw
        table: dict[str, Any] = {}
        if draw(st.sampled_from([False, False, True])):
            bits = draw(st.sampled_from([0, 4]))
            form = f"fxp-{draw(st.sampled_from(['s', 'u']))}{10 + bits}/{bits}"
            table["resistance"] = {"format": form, "rounding": draw(PLAIN_ROUNDINGS)}
        coarse = draw(st.integers(0, self.fraction))
        width = max(self.width - self.fraction + coarse, 2)
        if draw(st.booleans()):
            table["threshold"] = {"format": f"fxp-{draw(st.sampled_from('su'))}{width}/{coarse}"}
        if draw(st.booleans()):
            joins = (
                "change" if "resistance" in table else draw(st.sampled_from(["change", "current"]))
            )
            table["bias"] = {"format": self.format(more=draw(st.integers(-2, 1))), "joins": joins}
        return table

    def refractory(self) -> dict[str, Any]:
        """Draw the refractory counter."""
        draw = self.draw
        table: dict[str, Any] = {
            "counter": draw(st.sampled_from([True, True, False])),
            "format": draw(st.sampled_from(["fxp-u2/0", "fxp-u8/0"])),
            "rounding": draw(st.sampled_from(["floor", "ceil", "around"])),
            "counts": draw(st.sampled_from(["spike_step", "steps_after"])),
        }
        clock = draw(st.sampled_from([None, None, 0.5, 2.0]))
        return table if clock is None else table | {"clock_us": clock * self.tick_us}
