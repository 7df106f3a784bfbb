"""Small networks of raw registers for the tests of the golden trial."""

from neuroemu.golden.narrow import Narrowing
from neuroemu.golden.trial import Event, Network, Neuron, Periodic, Projection


def site(
    shift: int = 0,
    rounding: str = "floor",
    *,
    overflow: str = "saturate",
    signed: bool = True,
    width: int | None = None,
) -> Narrowing:
    return Narrowing(shift=shift, rounding=rounding, overflow=overflow, signed=signed, width=width)


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


def projection(
    *synapses: tuple[int, int, int],
    pre: str = "A",
    post: str = "N",
    gain: int = 1,
    drive_site: Narrowing = S8,
    plasticity: Event | Periodic | None = None,
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
    *projections: Projection, neuron: Neuron = INTEGRATOR, size: int = 1, n_sources: int = 1
) -> Network:
    return Network(
        populations={"N": (size, neuron)},
        sources={"A": n_sources, "K": 1},
        projections=projections,
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
