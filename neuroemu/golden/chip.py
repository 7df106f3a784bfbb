"""The registers of the chip neuron: docs/spec/chip-neuron.md."""

from dataclasses import dataclass, replace

from neuroemu.golden.checks import require, require_shift_0
from neuroemu.golden.narrow import Narrowing

CHOICES = {
    "input": ("membrane", "current", "buffer"),
    "channels": ("one", "two"),
    "tests": ("leaked", "unleaked"),
    "evaluation": ("step", "event"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decay:
    """What brings a value nearer to 0.

    Attributes
    ----------
    factor : int
        The page's a, in 1 / 2**shift of the site.
    least : int
        What at least is taken away, as far as there is so much.
    site : Narrowing
        Site ``decay`` of a current, ``leak`` of a membrane.
    """

    factor: int
    least: int
    site: Narrowing

    def __post_init__(self) -> None:
        one = 2**self.site.shift
        require(0 <= self.factor <= one, f"factor {self.factor} is not in 0..{one}")
        require(self.least >= 0, f"least {self.least} is negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipNeuron:
    """Registers, sites and choices of every neuron of a population; v in LSBs from its 0.

    Attributes
    ----------
    input, channels, tests, evaluation : str
        Choices, each one of `CHOICES`.
    current, leak : Decay
        Of the currents, of the membrane.
    scale : int
        LSBs of a current in one of a buffer.
    resistance : int or None
        R, in 1 / 2**shift of `force_site`; None is 1, and the membrane decays towards 0.
    bias, bias_in : int
        Added in every step to the slope, to the current.
    threshold, v_init : int
        A neuron spikes above it; the membrane before the first step.
    reset : int
        Where a spike takes the membrane, if it takes no `step` away.
    step : int or None
        What a spike takes away; None where it resets.
    floor : int or None
        Below it the membrane starts again.
    most_spikes : int
        Sent by a neuron in one step.
    refractory_steps : int
        Steps, the spiking one included.
    current_site, force_site, slope_site, membrane_site, input_site : Narrowing
        Sites ``current``, ``force``, ``slope``, ``membrane``, ``input``.
    """

    input: str
    channels: str = "one"
    tests: str = "leaked"
    evaluation: str = "step"
    current: Decay
    leak: Decay
    scale: int = 1
    resistance: int | None = None
    bias: int = 0
    bias_in: int = 0
    threshold: int
    reset: int = 0
    step: int | None = None
    floor: int | None = None
    most_spikes: int = 1
    refractory_steps: int = 0
    v_init: int = 0
    current_site: Narrowing
    force_site: Narrowing
    slope_site: Narrowing
    membrane_site: Narrowing
    input_site: Narrowing

    def __post_init__(self) -> None:
        for name, names in CHOICES.items():
            require(
                getattr(self, name) in names, f"{name} {getattr(self, name)!r} is none of {names}"
            )
        for name in ("current", "slope", "membrane", "input"):
            require_shift_0(getattr(self, f"{name}_site"), name)
        if self.resistance is None:
            require_shift_0(self.force_site, "force")
        else:
            require(self.bias_in == 0, "a bias joins a current that no resistance multiplies")
        require(
            self.channels == "one" or self.input != "membrane", "a membrane has no second channel"
        )
        require(self.scale >= 1, f"scale {self.scale} is below 1")
        require(self.most_spikes >= 1, f"most_spikes {self.most_spikes} is below 1")
        require(self.refractory_steps >= 0, f"refractory_steps is {self.refractory_steps}")
        full = replace(self.membrane_site, symmetric=False)  # constants saturate in the format
        for name, v in (("reset", self.reset), ("v_init", self.v_init)):
            require(full.holds(v), f"{name} {v} is not in the membrane's range")
