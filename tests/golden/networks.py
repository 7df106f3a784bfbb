"""Small networks of raw registers for the tests of the golden trial."""

from neuroemu.golden.narrow import Narrowing
from neuroemu.golden.trial import (
    ChipNeuron,
    Decay,
    Deferred,
    Event,
    Network,
    Neuron,
    Periodic,
    Projection,
)


def site(
    shift: int = 0,
    rounding: str = "floor",
    *,
    overflow: str = "saturate",
    signed: bool = True,
    width: int | None = None,
    symmetric: bool = False,
) -> Narrowing:
    return Narrowing(
        shift=shift,
        rounding=rounding,
        overflow=overflow,
        signed=signed,
        width=width,
        symmetric=symmetric,
    )


FREE = site()
S8 = site(width=8)

# An integrator without leak: spikes above 5, one refractory step, resets to 0.
INTEGRATOR = Neuron(
    leak=0,
    unit=1,
    threshold=5,
    reset=0,
    refractory_steps=1,
    leak_site=S8,
    input_site=S8,
    v_init=0,
)

# The same on a chip: nothing decays, input goes to the membrane, spikes above 5 reset to 0.
KEEP = Decay(factor=1, least=0, site=FREE)
GONE = Decay(factor=0, least=0, site=FREE)
CHIP = ChipNeuron(
    input="membrane",
    current=GONE,
    leak=KEEP,
    threshold=5,
    current_site=FREE,
    force_site=FREE,
    slope_site=FREE,
    membrane_site=S8,
    input_site=S8,
)


def projection(
    *synapses: tuple[int, int, int],
    pre: str = "A",
    post: str = "N",
    gain: int = 1,
    drive_site: Narrowing = S8,
    plasticity: Event | Periodic | Deferred | None = None,
) -> Projection:
    return Projection(
        pre=pre,
        post=post,
        synapses=synapses,
        gain=gain,
        drive_site=drive_site,
        plasticity=plasticity,
    )


def network(
    *projections: Projection,
    neuron: Neuron | ChipNeuron = INTEGRATOR,
    size: int = 1,
    n_sources: int = 1,
    merges_input: bool = False,
) -> Network:
    return Network(
        populations={"N": (size, neuron)},
        sources={"A": n_sources, "K": 1},
        projections=projections,
        merges_input=merges_input,
    )


# A 3-bit weight; increments of 1.5 LSB in quarters of an LSB: floor makes them +1 and -2.
EVENT = Event(
    dw_plus=6,
    dw_minus=6,
    unit=4,
    w_min=0,
    w_max=7,
    accumulate_site=FREE,
    store_site=site(2, signed=False, width=3),
)


# 3-bit weight, halves of an LSB, +1.5 and -2.5 per count, 2-bit counters, four steps
HALVES = Event(
    dw_plus=3,
    dw_minus=5,
    unit=2,
    w_min=0,
    w_max=7,
    accumulate_site=FREE,
    store_site=site(1, signed=False, width=3),
)
PERIODIC = Periodic(
    event=HALVES,
    period_steps=4,
    plus_site=FREE,
    minus_site=FREE,
    change_site=FREE,
    counter_site=site(signed=False, width=2),
)


def times(*steps: int, index: int = 0) -> list[tuple[int, int]]:
    return [(step, index) for step in steps]


# Halves of an LSB; up to three spikes wait at a synapse.
DEFERRED = Deferred(event=HALVES, counter_site=site(signed=False, width=2))

# The rule of signs: one postsynaptic spike in four steps.
SIGN = Periodic(
    event=Event(
        dw_plus=0,
        dw_minus=0,
        unit=1,
        w_min=0,
        w_max=7,
        accumulate_site=FREE,
        store_site=site(signed=False, width=3),
    ),
    period_steps=4,
    plus_site=FREE,
    minus_site=FREE,
    change_site=site(width=2, symmetric=True),
    counter_site=site(signed=False, width=3),
    target=1,
)
