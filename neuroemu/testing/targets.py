"""Hypothesis strategies for targets: any, at the edges of their registers, or the neighbours of one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from neuroemu.errors import ConfigError
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import target_from
from neuroemu.numeric.format import Format, FormatError
from neuroemu.numeric.site import ROUNDINGS
from neuroemu.testing.chip_targets import PLAIN_ROUNDINGS, ChipTables

KERNELS = {
    "int32, addends": ("floor", "ceil", "fix", "trunc", "half_up"),
    "int32, any rounding": ("around",),
    "int32, random bits": ("stochastic",),
    "int64": ("around",),
    "int32, chip": ("floor", "ceil", "fix", "trunc", "half_up"),
    "int64, chip": ("floor", "ceil", "fix", "trunc", "half_up"),
    "int32, chip, any rounding": ("around",),
    "int32, chip, random bits": ("stochastic",),
    "analog": ("floor",),
}
"""What one compiled kernel serves, and the roundings of the membrane that lead there. A chip steps on its own; one of
``int64, chip`` may send several spikes in a step."""

ANY_ROUNDING = st.one_of(PLAIN_ROUNDINGS, st.just("stochastic"))
OVERFLOW = st.sampled_from(["saturate", "wrap"])
_WEIGHTS = st.sampled_from(["fxp-u3/1", "fxp-u4/3", "fxp-u6/5", "fxp-u8/7", "fxp-s5/3"])
_LFSRS = [
    *({"width": 16, "taps": (16, 15, 13, 4), "output_bits": n} for n in (1, 8, 16)),
    {"width": 5, "taps": (5, 3), "output_bits": 5},
    {"width": 32, "taps": (32, 22, 2, 1), "output_bits": 32},
]


@st.composite
def targets(
    draw: st.DrawFn, *, kernel: str | None = None, overflow: st.SearchStrategy[Any] = OVERFLOW
) -> Target:
    """Draw a target whose registers are small, so that most of them can overflow.

    Parameters
    ----------
    kernel : str, optional
        A name of `KERNELS`: targets of one name run on one compiled kernel. Any if left out.
    overflow : strategy
        Of ``saturate``, ``wrap`` and ``error``.
    """
    kernel = kernel or draw(st.sampled_from(list(KERNELS)))
    acceleration = draw(st.sampled_from([1, 1000]))
    tick_us = Fraction(draw(st.sampled_from(["100", "200", "500", "1000", "5000"]))) / acceleration
    has_gain = kernel != "analog" and draw(st.booleans())
    weight_lsb = draw(st.sampled_from(["format", "full_scale", 0.23])) if has_gain else "format"
    if "chip" in kernel:
        weight_lsb = draw(st.sampled_from([weight_lsb, "network"]))
    data = {
        "name": "drawn",
        "title": "",
        "summary": "",
        "exactness": "generic",
        "time": {"acceleration": float(acceleration), "tick_us": float(tick_us)},
        **_tables(draw, kernel, overflow, tick_us, acceleration),
        "synapse": {
            "weight": {"format": draw(_WEIGHTS), "lsb": weight_lsb},
            "gain": {"drive_rounding": draw(ANY_ROUNDING)}
            | ({"format": draw(st.sampled_from(["fxp-u20/8", "fxp-u12/0"]))} if has_gain else {}),
        },
        "plasticity": _plasticity(draw, tick_us, overflow, weight_lsb),
    }
    return target_from(data, "drawn")


def _tables(
    draw: st.DrawFn, kernel: str, overflow: Any, tick_us: Fraction, acceleration: int
) -> dict[str, Any]:
    """Draw the tables of the neuron: the experiment's own step, or a chip's."""
    roundings = st.sampled_from(KERNELS[kernel])
    if "chip" in kernel:
        return ChipTables(
            draw,
            kernel,
            rounding=roundings,
            overflow=overflow,
            tick_us=float(tick_us),
            step_ms=float(tick_us * acceleration / 1000),
        ).tables()
    shift = draw(st.integers(20, 30) if kernel == "int64" else st.integers(1, 12))
    fraction = draw(st.integers(10, 25) if kernel == "int64" else st.integers(1, 12))
    width = fraction + draw(st.integers(2, 5))
    if kernel == "int64":
        width, shift = max(width, 33 - shift), min(shift, 62 - width)
    else:
        shift = min(shift, 29 - width)
    leak = draw(st.sampled_from([f"fxp-u{shift}/{shift}", f"fxp-s{shift + 2}/{shift}"]))
    return {
        "membrane": {
            "arithmetic": "analog" if kernel == "analog" else "fixed",
            "format": f"fxp-s{width}/{fraction}",
            "rounding": draw(roundings),
            "overflow": draw(overflow),
            "integration": draw(st.sampled_from(["euler", "exponential"])),
            "fires": draw(st.sampled_from(["above", "at_or_above"])),
            "leak": {"format": leak, "rounding": draw(PLAIN_ROUNDINGS)},
        },
        "refractory": {"format": draw(st.sampled_from(["fxp-u2/0", "fxp-u8/0"]))},
    }


def _plasticity(draw: st.DrawFn, tick_us: Fraction, overflow: Any, lsb: Any) -> dict[str, Any]:
    updates = ["event", "event", "periodic", "periodic", "deferred", "none"]
    update = draw(st.sampled_from(updates))
    form = draw(st.sampled_from(["counts", "sign"])) if update == "periodic" else "counts"
    fraction = 0 if form == "sign" else draw(st.integers(0, 10))
    bits = draw(st.sampled_from([None, 1, 2, 4, 8, 12]))
    accumulator: dict[str, Any] = {}
    if bits is not None:
        sign = draw(st.sampled_from(["s", "s", "u"]))
        accumulator = {"format": f"fxp-{sign}{bits + 1 + fraction}/{fraction}"}
        accumulator["overflow"] = draw(overflow)
        accumulator["products"] = draw(st.one_of(st.none(), overflow))
    increment = {"format": f"fxp-u24/{fraction}", "rounding": draw(PLAIN_ROUNDINGS)}
    mantissa = draw(st.sampled_from([None, None, 1, 3]))
    is_signed = draw(st.sampled_from([False, False, True]))
    return {
        "update": update,
        "form": form,
        "update_period_us": float(tick_us * draw(st.integers(1, 20))),
        "weight": {
            "format": draw(_WEIGHTS),
            "lsb": lsb,
            "rounding": draw(ANY_ROUNDING if fraction else PLAIN_ROUNDINGS),
            "overflow": draw(overflow),
        },
        "increment": increment if mantissa is None else increment | {"mantissa_bits": mantissa},
        "accumulator": accumulator,
        "counter": {
            "width": draw(st.integers(1 + is_signed, 5)),
            "overflow": draw(overflow),
            "signed": is_signed,
        },
        "random": {
            "source": draw(st.sampled_from(["counter", "lfsr"])),
            **draw(st.sampled_from(_LFSRS)),
            "bits_per_draw": draw(st.integers(1, 9)),
        },
    }


@st.composite
def neighbours(draw: st.DrawFn, target: Target, *, changes: int = 3) -> Target:
    """Draw a target that differs from `target` in a few formats, roundings or overflow rules.

    Parameters
    ----------
    target : Target
    changes : int
        At most so many keys change.
    """
    data = target.model_dump(mode="json", exclude={"sources"}, exclude_none=True)
    for key in draw(st.lists(st.sampled_from(_KEYS), max_size=changes, unique=True)):
        *parents, last = key.split(".")
        table = data
        for parent in parents:
            table = table.get(parent, {})
        if last in table:
            before = table[last]
            table[last] = draw(_beside(last, before))
            if "neuron" in data and key in ("membrane.format", "neuron.current.format"):
                table[last] = f"{table[last].split('/')[0]}/{Format.parse(before).fraction}"
            if key == "plasticity.increment.format":
                _follow(data["plasticity"]["accumulator"], before, table[last])
    if _contradicts(data):
        return target
    try:
        return target_from(data, f"a neighbour of {target.name}")
    except (ConfigError, FormatError):
        return target


def _contradicts(data: dict[str, Any]) -> bool:
    """Return whether a register without its lowest code would wrap, or a signed count have no room for a sign."""
    membrane, counter = data["membrane"], data["plasticity"]["counter"]
    overflows = (membrane["overflow"], data.get("neuron", {}).get("input_overflow"))
    is_odd = membrane["range"] == "symmetric" and "wrap" in overflows
    return is_odd or (counter["signed"] and counter["width"] < 2)


_KEYS = (
    "membrane.format",
    "membrane.rounding",
    "membrane.overflow",
    "membrane.integration",
    "membrane.fires",
    "membrane.leak.format",
    "membrane.leak.rounding",
    "refractory.format",
    "refractory.counts",
    "neuron.input_overflow",
    "neuron.tests",
    "neuron.slope",
    "neuron.merges_input",
    "neuron.current.format",
    "neuron.current.overflow",
    "neuron.current.rounding",
    "neuron.buffer.format",
    "neuron.buffer.overflow",
    "neuron.resistance.rounding",
    "synapse.weight.format",
    "synapse.weight.rounding",
    "synapse.gain.format",
    "synapse.gain.drive_rounding",
    "plasticity.update",
    "plasticity.weight.format",
    "plasticity.weight.rounding",
    "plasticity.weight.overflow",
    "plasticity.increment.format",
    "plasticity.increment.rounding",
    "plasticity.accumulator.format",
    "plasticity.accumulator.overflow",
    "plasticity.accumulator.products",
    "plasticity.counter.width",
    "plasticity.counter.overflow",
    "plasticity.counter.signed",
    "plasticity.random.source",
)

_WORDS = {
    "rounding": ROUNDINGS,
    "drive_rounding": ROUNDINGS,
    "overflow": ("saturate", "wrap"),
    "input_overflow": ("saturate", "wrap"),
    "products": ("saturate", "wrap"),
    "counts": ("spike_step", "steps_after"),
    "tests": ("leaked", "unleaked"),
    "slope": ("exact", "saturate"),
    "merges_input": (False, True),
    "signed": (False, True),
    "integration": ("euler", "exponential"),
    "fires": ("above", "at_or_above"),
    "update": ("event", "periodic", "deferred", "none"),
    "source": ("counter", "lfsr"),
}


def _beside(name: str, value: Any) -> st.SearchStrategy[Any]:
    """Draw what may stand in a key instead of `value`."""
    if name in _WORDS:
        return st.sampled_from(_WORDS[name])
    if name == "width":
        return st.integers(max(value - 2, 1), min(value + 2, 32))
    form = Format.parse(value)
    shifted = st.builds(
        lambda bits, fraction: f"fxp-{value[4]}{form.width + bits}/{form.fraction + fraction}",
        st.integers(max(-2, 2 - form.width), 2),
        st.integers(-1, 1),
    )
    return shifted if form.fraction else shifted.map(lambda text: f"{text.split('/')[0]}/0")


def _follow(accumulator: dict[str, Any], before: str, after: str) -> None:
    """Let the accumulator have the increments' fraction bits."""
    if "format" in accumulator:
        form = Format.parse(accumulator["format"])
        more = Format.parse(after).fraction - Format.parse(before).fraction
        sign = "s" if form.signed else "u"
        accumulator["format"] = f"fxp-{sign}{form.width + more}/{form.fraction + more}"
