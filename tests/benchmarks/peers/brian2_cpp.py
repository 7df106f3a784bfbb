"""The reference experiment as Brian2's C++ standalone binary: the fastest Brian2 there is.

40 s of biological time at 0.1 ms, the neuron with homeostasis and its control, Poisson inputs
drawn by the binary itself, spikes and the weight recorded, in double precision.

Source
------
Brian2 documentation, examples/synapses/spike_based_homeostasis (Sebastian Schmitt, 2021).
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.oracles.brian2_reference import import_brian2, process_state_kept

b2: Any = import_brian2()

DURATION_S = 40.0
STEADY_RATE_HZ = 50.0
VARYING_RATES_HZ = (25.0, 50.0, 0.0, 35.0, 0.0)
VARYING_PHASE_S = 10.0
SEED = 1

NEURON = {
    "model": "dv/dt = (0 - v)/(10*ms) : 1 (unless refractory)",
    "threshold": "v > 1",
    "reset": "v = -1",
    "method": "euler",
}


@contextmanager
def _standalone(directory: Path) -> Iterator[None]:
    """Generate C++ into the directory inside, and give back the device and target of before."""
    target = b2.prefs["codegen.target"]
    b2.set_device("cpp_standalone", directory=str(directory), build_on_run=False)
    try:
        yield
    finally:
        b2.device.reinit()
        b2.devices.reset_device()
        b2.prefs["codegen.target"] = target


def _network() -> tuple[Any, dict[str, Any]]:
    """Build the example's network; return it with the names that its equations use."""
    clock = b2.Clock(dt=0.1 * b2.ms)
    varying_rate = b2.TimedArray(
        np.array(VARYING_RATES_HZ) * b2.Hz, dt=VARYING_PHASE_S * b2.second, name="varying_rate"
    )
    steady = b2.PoissonGroup(1, rates=STEADY_RATE_HZ * b2.Hz, clock=clock)
    varying = b2.PoissonGroup(1, rates="varying_rate(t)", clock=clock)
    homeostatic = b2.NeuronGroup(1, **NEURON, refractory=1 * b2.ms, clock=clock)
    control = b2.NeuronGroup(1, **NEURON, refractory=1 * b2.ms, clock=clock)
    plastic = b2.Synapses(
        steady,
        homeostatic,
        "w : 1",
        on_pre="v_post += w\nw = clip(w + 0.05, 0, 2)",
        on_post="w = clip(w - 0.05, 0, 2)",
        clock=clock,
    )
    static = [
        b2.Synapses(varying, n, on_pre="v_post += 2", clock=clock) for n in (homeostatic, control)
    ]
    for synapses in (plastic, *static):
        synapses.connect(i=0, j=0)
    monitors = [
        b2.SpikeMonitor(homeostatic, name="spikes_with"),
        b2.SpikeMonitor(control, name="spikes_without"),
        b2.StateMonitor(plastic, "w", record=[0], clock=clock, name="weight"),
    ]
    network = b2.Network(steady, varying, homeostatic, control, plastic, *static, *monitors)
    return network, {"varying_rate": varying_rate, "ms": b2.ms}


def build(directory: Path) -> Path:
    """Generate and compile the experiment; the compiler takes about half a minute.

    Parameters
    ----------
    directory : Path
        Where the C++ project goes; created where it is missing.

    Returns
    -------
    Path
        The executable.

    Raises
    ------
    RuntimeError
        The compiler failed.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    with process_state_kept(), _standalone(directory):
        b2.seed(SEED)
        network, namespace = _network()
        network.run(DURATION_S * b2.second, namespace=namespace)
        b2.device.build(directory=str(directory), compile=True, run=False)
    return directory / "main"


def time_binary(path: Path, repeats: int) -> list[float]:
    """Return the wall seconds of each of `repeats` executions of the binary, in order.

    The process start and the writing of the results count; code generation and compiler do not.

    Raises
    ------
    subprocess.CalledProcessError
        The binary failed.
    """
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        subprocess.run([str(path)], cwd=path.parent, check=True, capture_output=True)
        seconds.append(time.perf_counter() - begin)
    return seconds
