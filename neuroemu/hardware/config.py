"""A target as frozen data: the tables and keys of a file in ``hw_configs/``.

Units are in the key names; ``_us`` is hardware time, everything biological is in the experiment.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema
from pydantic_core import PydanticCustomError, core_schema

from neuroemu.numeric.format import Format, FormatError
from neuroemu.numeric.site import Overflow, Rounding

Exactness = Literal[
    "rtl",
    "vendor-sim",
    "isa",
    "source",
    "lut",
    "reverse-engineered",
    "approximate",
    "generic",
]
ConstantRounding = Literal["floor", "ceil", "fix", "trunc", "around", "half_up"]


def _parse_format(value: Any) -> Format:
    if isinstance(value, Format):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("format", "a format is a text such as fxp-s16/12")
    try:
        return Format.parse(value)
    except FormatError as error:
        raise PydanticCustomError("format", "{reason}", {"reason": str(error)}) from None


FormatField = Annotated[
    Format,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_plain_validator_function(
            _parse_format,
            serialization=core_schema.to_string_ser_schema(),
            json_schema_input_schema=core_schema.str_schema(pattern=r"^fxp-[su]\d+/-?\d+$"),
        )
    ),
]


class Table(BaseModel):
    """A table of a configuration file: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class TimeTable(Table):
    """How hardware time and biological time belong together."""

    acceleration: float = Field(gt=0, allow_inf_nan=False)
    """Biological time over hardware time."""
    tick_us: float = Field(gt=0, allow_inf_nan=False)
    """Hardware time from one update of the neuron, or one distinguishable spike time, to the next."""


class MismatchTable(Table):
    """Fixed pattern of an analog membrane: each neuron's constants differ, drawn once; relative standard deviations."""

    seed: int = Field(default=0, ge=0, lt=2**32)
    threshold: float = Field(default=0.0, ge=0, lt=0.5)
    """Of threshold minus rest."""
    reset: float = Field(default=0.0, ge=0, lt=0.5)
    """Of reset minus rest."""
    tau_m: float = Field(default=0.0, ge=0, lt=0.5)


class LeakTable(Table):
    """What brings the membrane back to rest, and the register of its strength."""

    kind: Literal["multiply", "shift", "subtract", "constant"] = "multiply"
    """Times a multiplier; minus its own right shift; by an amount towards rest; by a signed amount, always the same."""
    format: FormatField
    """Of the multiplier; of the shift's number of bits; of the amount, in membrane LSBs."""
    rounding: ConstantRounding = "around"
    """How the constant is rounded into its register, once."""


class MembraneTable(Table):
    """The neuron's state and its arithmetic."""

    arithmetic: Literal["fixed", "analog"]
    format: FormatField | None = None
    range: Literal["full", "symmetric"] = "full"
    """Symmetric: the lowest code is not used."""
    rounding: Rounding = "floor"
    """How the leaked membrane is rounded, every step."""
    overflow: Overflow = "saturate"
    integration: Literal["euler", "exponential"] = "euler"
    fires: Literal["above", "at_or_above"] = "above"
    leak: LeakTable | None = None
    mismatch: MismatchTable | None = None
    noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Standard deviation of what an analog membrane gets in every step, in the experiment's membrane unit."""


class CurrentTable(Table):
    """The synaptic current, which decays from step to step."""

    format: FormatField
    overflow: Overflow = "saturate"
    decay: Literal["multiply", "shift"] = "multiply"
    decay_format: FormatField
    """Of the multiplier, or of the shift's number of bits."""
    rounding: ConstantRounding = "floor"
    """How the decayed current is rounded, every step."""
    tau_ms: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Biological time constant; 0: as short as the register allows."""


class BufferTable(Table):
    """Where the input of a step is summed until the neuron takes it."""

    format: FormatField | None = None
    """None: as wide as needed."""
    counts: Literal["weights", "current"] = "current"
    """Whether an LSB is one of the weight, or of the current (of the membrane, if there is none)."""
    overflow: Overflow = "saturate"


class BiasTable(Table):
    """The register of the bias, and where it is added."""

    format: FormatField
    joins: Literal["change", "current"] = "change"
    """What it is added to; with the current it is narrowed as that is."""


class ConstantTable(Table):
    """The register of a constant that has one of its own."""

    format: FormatField
    rounding: ConstantRounding = "around"
    """Of a resistance: how the product with the current is rounded, every step."""


class NeuronTable(Table):
    """The chip's own step; a target without it steps as the experiment does: docs/spec/chip-neuron.md."""

    input: Literal["membrane", "current", "buffer"] = "buffer"
    """Where a spike's input goes at once; a buffer is read in the next step."""
    input_overflow: Overflow = "saturate"
    channels: Literal["one", "two"] = "one"
    """Two: excitation and inhibition have a current each."""
    merges_input: bool = False
    """Whether several spikes of one source in one tick are one."""
    current: CurrentTable | None = None
    buffer: BufferTable = BufferTable()
    resistance: ConstantTable | None = None
    """From the current to the membrane; with it the membrane decays towards the input, as between spikes."""
    slope: Literal["exact", "saturate"] = "exact"
    """Whether the change of a step is narrowed to the membrane's range before it is added."""
    threshold: ConstantTable | None = None
    tests: Literal["leaked", "unleaked"] = "leaked"
    """Which membrane is compared with the threshold."""
    evaluation: Literal["step", "event"] = "step"
    """Event: the threshold is tested at every input as well."""
    reset: Literal["value", "zero", "subtract"] = "value"
    most_spikes: int = Field(default=1, ge=1, le=255)
    """Of one neuron in one step."""
    rest: Literal["zero", "bias"] = "zero"
    """Bias: the register's 0 is the reset, and a constant input holds the rest above it."""
    bias: BiasTable | None = None
    floor: float | None = Field(default=None, allow_inf_nan=False)
    """Raw membrane below which the neuron returns to its reset; None: it has none."""


class RefractoryTable(Table):
    """The refractory counter."""

    counter: bool = True
    """Whether there is one; without, a neuron is never refractory."""
    format: FormatField = Format(False, 16, 0)
    clock_us: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Hardware time of one count; None: a tick."""
    rounding: ConstantRounding = "floor"
    """How the period is rounded to counts."""
    counts: Literal["spike_step", "steps_after"] = "spike_step"
    """Whether the step of the spike is the first that is counted, or the one after it."""


class WeightTable(Table):
    """A weight register."""

    format: FormatField
    lsb: (
        Literal["format", "full_scale", "network"]
        | Annotated[float, Field(gt=0, allow_inf_nan=False)]
    ) = "format"
    """Value of one LSB: the format's, the largest weight over the highest code, by the load of the whole network as
    docs/spec/chip-neuron.md has it, or a number."""
    rounding: Rounding = "around"
    """How an updated weight is rounded when it is stored; how a constant weight is rounded, once."""
    overflow: Overflow = "saturate"


class GainTable(Table):
    """From weight LSBs to membrane LSBs, where their ratio is no power of two."""

    format: FormatField | None = None
    drive_rounding: Rounding = "floor"
    """How the product of weight and gain is rounded to the membrane's grid."""


class SynapseTable(Table):
    """Static synapses, and the way from any weight to the membrane."""

    weight: WeightTable
    gain: GainTable = GainTable()


class IncrementTable(Table):
    """The registers of the increments, counted in weight LSBs."""

    format: FormatField
    rounding: ConstantRounding = "around"
    mantissa_bits: int | None = Field(default=None, ge=1, le=32)
    """Leading bits that are held, times a power of two; None: all."""


class AccumulatorTable(Table):
    """Where an updated weight is summed, in the increments' scale."""

    format: FormatField | None = None
    overflow: Overflow = "saturate"
    products: Overflow | None = None
    """Of the products and sums before the weight is added; None: as the sum with the weight."""


class CounterTable(Table):
    """The spike counters of periodic and deferred plasticity."""

    width: int = Field(default=8, ge=1, le=32)
    overflow: Overflow = "wrap"
    signed: bool = False
    """Whether a program takes what it reads for a signed number."""


class RandomTable(Table):
    """Where the random bits of stochastic rounding come from."""

    source: Literal["counter", "lfsr"] = "counter"
    width: int = Field(default=16, ge=2, le=32)
    taps: tuple[Annotated[int, Field(ge=1, le=32)], ...] = (16, 15, 13, 4)
    """Exponents of the feedback polynomial."""
    output_bits: int = Field(default=8, ge=1, le=32)
    bits_per_draw: int = Field(default=1, ge=1, le=64)


class PairsTable(Table):
    """The pair sensors and look-up tables of docs/spec/pair-controller.md."""

    tau_us: float = Field(gt=0, allow_inf_nan=False)
    """Time constant of the sensors, hardware time."""
    step: int = Field(default=1, ge=1, le=15)
    """Codes that the tables move a weight by."""


class PlasticityTable(Table):
    """On-chip learning."""

    update: Literal["event", "periodic", "deferred", "pairs", "none"]
    form: Literal["counts", "sign"] = "counts"
    """Of a periodic update: by the increments times the counts, or one LSB towards a target count."""
    update_period_us: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    row_time_us: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Hardware time in which periodic learning does one row: one presynaptic unit."""
    weight: WeightTable
    increment: IncrementTable = IncrementTable(format=Format(False, 16, 0))
    pairs: PairsTable | None = None
    accumulator: AccumulatorTable = AccumulatorTable()
    counter: CounterTable = CounterTable()
    random: RandomTable = RandomTable()

    @property
    def has_period(self) -> bool:
        """Whether weights are updated at fixed times."""
        return self.update in ("periodic", "pairs")

    @property
    def by_sign(self) -> bool:
        """Whether an update is one LSB towards a target count."""
        return self.update == "periodic" and self.form == "sign"

    @property
    def computes(self) -> bool:
        """Whether weights are changed by arithmetic: they are, and not through tables."""
        return self.update not in ("none", "pairs")

    @property
    def by_increments(self) -> bool:
        """Whether weights are changed by the rule's increments."""
        return self.computes and not self.by_sign


class CapacityTable(Table):
    """How much fits on the chip."""

    neurons: int | None = Field(default=None, ge=1)
    fan_in: int | None = Field(default=None, ge=1)
    events_per_us: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Input spikes that the chip takes in a microsecond of hardware time."""


class Target(Table):
    """A chip."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    title: str
    summary: str
    exactness: Exactness
    time: TimeTable
    membrane: MembraneTable
    neuron: NeuronTable | None = None
    refractory: RefractoryTable = RefractoryTable()
    synapse: SynapseTable
    plasticity: PlasticityTable
    capacity: CapacityTable = CapacityTable()
    sources: dict[str, str] = Field(default_factory=dict)
    """Where each number is from, by dotted key; a key stands for all below it. Or ``assumed``."""
