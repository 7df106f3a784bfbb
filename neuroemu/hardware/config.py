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


class LeakTable(Table):
    """The register of the leak multiplier."""

    format: FormatField
    rounding: ConstantRounding = "around"
    """How the multiplier is rounded into its register, once."""


class MembraneTable(Table):
    """The neuron's state and its arithmetic."""

    arithmetic: Literal["fixed", "analog"]
    format: FormatField | None = None
    rounding: Rounding = "floor"
    """How the leaked membrane is rounded, every step."""
    overflow: Overflow = "saturate"
    integration: Literal["euler", "exponential"] = "euler"
    fires: Literal["above", "at_or_above"] = "above"
    leak: LeakTable | None = None


class RefractoryTable(Table):
    """The refractory counter, in ticks."""

    format: FormatField = Format(False, 16, 0)


class WeightTable(Table):
    """A weight register."""

    format: FormatField
    lsb: Literal["format", "full_scale"] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = (
        "format"
    )
    """Value of one LSB: the format's, the largest weight over the highest code, or a number."""
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


class AccumulatorTable(Table):
    """Where an updated weight is summed, in the increments' scale."""

    format: FormatField | None = None
    overflow: Overflow = "saturate"


class CounterTable(Table):
    """The spike counters of periodic plasticity."""

    width: int = Field(default=8, ge=1, le=32)
    overflow: Overflow = "wrap"


class RandomTable(Table):
    """Where the random bits of stochastic rounding come from."""

    source: Literal["counter", "lfsr"] = "counter"
    width: int = Field(default=16, ge=2, le=32)
    taps: tuple[Annotated[int, Field(ge=1, le=32)], ...] = (16, 15, 13, 4)
    """Exponents of the feedback polynomial."""
    output_bits: int = Field(default=8, ge=1, le=32)
    bits_per_draw: int = Field(default=1, ge=1, le=64)


class PlasticityTable(Table):
    """On-chip learning."""

    update: Literal["event", "periodic", "none"]
    update_period_us: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    row_time_us: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Hardware time in which the processor of periodic learning does one row: one presynaptic unit."""
    weight: WeightTable
    increment: IncrementTable
    accumulator: AccumulatorTable = AccumulatorTable()
    counter: CounterTable = CounterTable()
    random: RandomTable = RandomTable()


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
    refractory: RefractoryTable = RefractoryTable()
    synapse: SynapseTable
    plasticity: PlasticityTable
    capacity: CapacityTable = CapacityTable()
    sources: dict[str, str] = Field(default_factory=dict)
    """Where each number is from, by dotted key; a key stands for all below it. Or ``assumed``."""
