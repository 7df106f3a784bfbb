"""Ticks, events and places on the chip: docs/spec/feasibility.md, "Time and capacity"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neuroemu.errors import NeuroemuError
from neuroemu.feasibility.findings import Finding, severity
from neuroemu.feasibility.traffic import Stretch, fan_in, onto, stretches
from neuroemu.models.registers import Discretized


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What the chip's clock does to the input.

    Parameters
    ----------
    tick_us, resolution_ms : float
        Hardware time of a tick, and the biological time that it stands for.
    step_ms : float
        Step of the emulation, biological: the longer of the tick and the experiment's own.
    run_us : float
        Hardware time of the whole experiment.
    input_spikes, coincident : float
        Expected in a trial; how many of them share a step with an earlier one of their source.
    events_per_us : float
        Input spikes per hardware microsecond in the busiest stretch.
    most_events_per_us : float or None
        What the chip takes; None if the target does not state it.
    """

    tick_us: float
    resolution_ms: float
    step_ms: float
    run_us: float
    input_spikes: float
    coincident: float
    events_per_us: float
    most_events_per_us: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an experiment takes of something that the chip has; `available` is None if not stated."""

    key: str
    what: str
    used: int
    available: int | None
    is_bound: bool = False


def timing(d: Discretized) -> Timing:
    """Return resolution, coincidences and event rate."""
    clock, time = d.clock, d.target.time
    per_step = d.experiment.time.dt_ms / 1000.0
    spikes = coincident = 0.0
    for stimulus in d.experiment.stimuli.values():
        for stretch in stretches(d.experiment, stimulus):
            p, m = stretch.rate_hz * per_step, clock.input_steps
            spikes += stimulus.size * stretch.steps * p
            shared = m * p - (1.0 - (1.0 - p) ** m)
            coincident += stimulus.size * stretch.steps / m * max(shared, 0.0)
    return Timing(
        tick_us=time.tick_us,
        resolution_ms=time.tick_us * time.acceleration / 1000.0,
        step_ms=float(clock.step_ms),
        run_us=clock.hardware_us(d.experiment.time.duration_ms),
        input_spikes=spikes,
        coincident=coincident,
        events_per_us=_busiest(d) * time.acceleration * 1e-6,
        most_events_per_us=d.target.capacity.events_per_us,
    )


def _busiest(d: Discretized) -> float:
    """Return the highest sum of all sources' rates at one time, Hz."""
    by_source = [
        (stimulus.size, stretches(d.experiment, stimulus))
        for stimulus in d.experiment.stimuli.values()
    ]
    starts = {0}
    for _, pieces in by_source:
        at = 0
        for piece in pieces:
            starts.add(at)
            at += piece.steps
    return max(sum(size * _rate_at(pieces, k) for size, pieces in by_source) for k in starts)


def _rate_at(pieces: Sequence[Stretch], k: int) -> float:
    for piece in pieces:
        if k < piece.steps:
            return piece.rate_hz
        k -= piece.steps
    raise NeuroemuError("a stretch ends before the experiment")


def places(d: Discretized) -> tuple[Place, ...]:
    """Return what is used of the chip's neurons and of their synapses."""
    populations, capacity = d.experiment.populations, d.target.capacity
    most, is_bound = 0, False
    for name in populations:
        projections = [p for _, p in onto(d.experiment, name)]
        total = sum(fan_in(d.experiment, p) for p in projections)
        if total > most:
            most = total
            is_bound = any(p.connector == "fixed_probability" for p in projections)
    neurons = sum(p.size for p in populations.values())
    return (
        Place(key="capacity.neurons", what="neurons", used=neurons, available=capacity.neurons),
        Place(
            key="capacity.fan_in",
            what="synapses on one neuron",
            used=most,
            available=capacity.fan_in,
            is_bound=is_bound,
        ),
    )


def timing_findings(d: Discretized, found: Timing, room: tuple[Place, ...]) -> Iterator[Finding]:
    """Yield what does not fit the chip's clock, its interface or its size."""
    share = found.coincident / found.input_spikes if found.input_spikes else 0.0
    if found.coincident >= 1:
        yield Finding(
            kind="coincident",
            key="time.tick_us",
            sentence=f"a tick of {found.resolution_ms:g} ms biological is coarser than the input: about "
            f"{found.coincident:.3g} of {found.input_spikes:.4g} input spikes ({100 * share:.2g} %) share it with "
            "another of their source",
            remedy=f"shorten time.tick_us, down to {_fine_tick(d):g}",
            severity=severity(share),
        )
    most = found.most_events_per_us
    if most is not None and found.events_per_us > most:
        yield Finding(
            kind="bandwidth",
            key="capacity.events_per_us",
            sentence=f"{found.events_per_us:.3g} input spikes per hardware microsecond, the chip takes {most:g}",
            remedy="lower time.acceleration, the rates or the number of sources",
        )
    for place in room:
        if place.available is not None and place.used > place.available:
            up_to = "up to " if place.is_bound else ""
            yield Finding(
                kind=place.key.removeprefix("capacity."),
                key=place.key,
                sentence=f"the experiment takes {up_to}{place.used} {place.what}, the chip has {place.available}",
                remedy="make the populations or their connections smaller",
            )


def _fine_tick(d: Discretized) -> float:
    return d.experiment.time.dt_ms * 1000.0 / d.target.time.acceleration
