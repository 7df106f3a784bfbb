"""The reference experiment in live Brian2 under given input spikes: judge of the float reference.

Brian2's documentation example `spike_based_homeostasis`: one neuron receives a steady source
through a plastic synapse and a varying source through a static one; a control neuron receives
the varying source alone. Runs Brian2's numpy code generation, so that no compiler decides bits.

Source
------
Brian2 documentation, examples/synapses/spike_based_homeostasis (Sebastian Schmitt, 2021).
"""

import importlib
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int64]
Values = NDArray[np.float64]

EQUATIONS = "dv/dt = (0 - v)/tau : 1 (unless refractory)"
ON_PRE_STATIC = "v_post += w_static"
ON_PRE_PLASTIC = """v_post += w
w = clip(w + dw_plus, w_min, w_max)"""
ON_POST_PLASTIC = "w = clip(w - dw_minus, w_min, w_max)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The experiment's constants; the defaults are the example's, 40 s long.

    Times are in seconds, membranes and weights dimensionless. Brian2 counts the refractory
    period in whole steps: `refractory_s` is floored to a multiple of `dt_s`.
    """

    dt_s: float = 1e-4
    n_steps: int = 400_000
    tau_s: float = 10e-3
    v_threshold: float = 1.0
    v_reset: float = -1.0
    refractory_s: float = 1e-3
    w_static: float = 2.0
    w_initial: float = 0.0
    dw_plus: float = 0.05
    dw_minus: float = 0.05
    w_min: float = 0.0
    w_max: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What Brian2 did.

    out_with, out_without : (spikes,) int64, steps in which the neuron with, and the control
        without, homeostasis fired.
    w_change_step : (changes,) int64, steps at whose end the plastic weight differs from the end
        of the step before (from `w_initial` for step 0).
    w_change_value : (changes,) float64, the weight at the end of those steps.
    w_final : the weight after the last step.
    v_with : (n_steps,) float64, membrane of the neuron with homeostasis at the end of each step.
    """

    out_with: Steps
    out_without: Steps
    w_change_step: Steps
    w_change_value: Values
    w_final: float
    v_with: Values


@contextmanager
def process_state_kept() -> Iterator[None]:
    """Keep the importer's warning filters and hooks; silence deprecations inside Brian2."""
    hook = sys.excepthook
    with warnings.catch_warnings():
        # Brian2 2.9 calls pyparsing by names that pyparsing 3.3 deprecates, on import and on use.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            yield
        finally:
            logging.captureWarnings(False)
            sys.excepthook = hook


def _close_log_files(brian2: ModuleType) -> None:
    """Remove the log and the script copy that Brian2 makes on import, before prefs can be set."""
    brian2.prefs["logging.file_log"] = False
    brian2.prefs["logging.save_script"] = False
    logger = brian2.BrianLogger
    if logger.file_handler is not None:
        logging.getLogger("brian2").removeHandler(logger.file_handler)
        logger.file_handler.close()
        logger.file_handler = None
    for name in (logger.tmp_log, logger.tmp_script):
        if name is not None:
            Path(name).unlink(missing_ok=True)
    logger.tmp_log = logger.tmp_script = None


def import_brian2() -> ModuleType:
    """Import Brian2 without its log files, its exception hook and its capture of warnings.

    Raises
    ------
    ImportError
        Brian2 is absent, or too old for the numpy that is installed.
    """
    if "brian2" in sys.modules:
        return sys.modules["brian2"]
    with process_state_kept():
        try:
            brian2 = importlib.import_module("brian2")
        except AttributeError as error:
            message = f"Brian2 and numpy {np.__version__}: {error}; Brian2 2.9 needs numpy < 2.4"
            raise ImportError(message) from error
        _close_log_files(brian2)
    return brian2


b2: Any = import_brian2()


@contextmanager
def numpy_code_generation() -> Iterator[None]:
    """Generate numpy code inside, and leave Brian2's preferences as they were."""
    target = b2.prefs["codegen.target"]
    b2.prefs["codegen.target"] = "numpy"
    try:
        yield
    finally:
        b2.prefs["codegen.target"] = target


def _checked_steps(name: str, steps: NDArray[Any], n_steps: int) -> Steps:
    """Return the steps as int64; refuse what a single source cannot emit."""
    checked = np.asarray(steps)
    if checked.ndim != 1 or (checked.size and not np.issubdtype(checked.dtype, np.integer)):
        raise ValueError(f"{name}: needs a one-dimensional array of integer steps")
    checked = checked.astype(np.int64)
    if checked.size and (checked.min() < 0 or checked.max() >= n_steps):
        raise ValueError(f"{name}: steps must lie in 0..{n_steps - 1}")
    if np.any(np.diff(checked) <= 0):
        # SpikeGeneratorGroup refuses two spikes of one neuron in one step, too.
        raise ValueError(f"{name}: steps must rise strictly, one spike per step at most")
    return checked


def _source(steps: Steps, clock: Any) -> Any:
    """Return a source of one neuron that fires in the given steps."""
    # Brian2 bins a time by floor(time/dt + 0.001), which undoes this product exactly.
    times = steps * clock.dt_ * b2.second
    return b2.SpikeGeneratorGroup(1, np.zeros(steps.size, dtype=np.int32), times, clock=clock)


def _network(p: Parameters, steady: Steps, varying: Steps) -> tuple[Any, Any, Any, Any]:
    """Build the network; return it with its spike, membrane and weight monitors."""
    clock = b2.Clock(dt=p.dt_s * b2.second)
    # Neuron 0 has the plastic synapse, neuron 1 is the control.
    neurons = b2.NeuronGroup(
        2,
        EQUATIONS,
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=p.refractory_s * b2.second,
        method="euler",
        clock=clock,
    )
    sources = _source(varying, clock), _source(steady, clock)
    static = b2.Synapses(sources[0], neurons, on_pre=ON_PRE_STATIC, clock=clock)
    plastic = b2.Synapses(
        sources[1], neurons, "w : 1", on_pre=ON_PRE_PLASTIC, on_post=ON_POST_PLASTIC, clock=clock
    )
    static.connect(i=0, j=[0, 1])
    plastic.connect(i=0, j=0)
    plastic.w = p.w_initial
    # Brian2 gives every on_pre the order -1 and sorts equal orders by name; say which is first.
    static.pre.order = plastic.pre.order - 1
    spikes = b2.SpikeMonitor(neurons)
    membrane = b2.StateMonitor(neurons, "v", record=[0], when="end", clock=clock)
    weight = b2.StateMonitor(plastic, "w", record=[0], when="end", clock=clock)
    network = b2.Network(neurons, *sources, static, plastic, spikes, membrane, weight)
    return network, spikes, membrane, weight


def _namespace(p: Parameters) -> dict[str, Any]:
    """Return every name that the equations use, so that none is taken from a caller's frame."""
    return {
        "tau": p.tau_s * b2.second,
        "v_threshold": float(p.v_threshold),
        "v_reset": float(p.v_reset),
        "w_static": float(p.w_static),
        "dw_plus": float(p.dw_plus),
        "dw_minus": float(p.dw_minus),
        "w_min": float(p.w_min),
        "w_max": float(p.w_max),
    }


def run(parameters: Parameters, steady_steps: NDArray[Any], varying_steps: NDArray[Any]) -> Result:
    """Run the reference experiment in Brian2, about 0.1 ms of wall time per step.

    Parameters
    ----------
    parameters : Parameters
        The experiment's constants.
    steady_steps : (spikes,) integer, strictly rising
        Steps in which the source of the plastic synapse fires.
    varying_steps : (spikes,) integer, strictly rising
        Steps in which the source of the static synapses fires.

    Raises
    ------
    ValueError
        Steps out of range, or not strictly rising.
    """
    steady = _checked_steps("steady_steps", steady_steps, parameters.n_steps)
    varying = _checked_steps("varying_steps", varying_steps, parameters.n_steps)
    with process_state_kept(), numpy_code_generation():
        network, spikes, membrane, weight = _network(parameters, steady, varying)
        duration = parameters.n_steps * parameters.dt_s * b2.second
        network.run(duration, namespace=_namespace(parameters))
        fired = np.rint(np.asarray(spikes.t_) / parameters.dt_s).astype(np.int64)
        neuron = np.asarray(spikes.i)
        v_with = np.array(membrane.v[0], dtype=np.float64)
        w = np.array(weight.w[0], dtype=np.float64)
    if w.size != parameters.n_steps:
        raise RuntimeError(f"Brian2 ran {w.size} steps, not {parameters.n_steps}")
    changed = np.flatnonzero(np.diff(w, prepend=parameters.w_initial))
    return Result(
        out_with=fired[neuron == 0],
        out_without=fired[neuron == 1],
        w_change_step=changed.astype(np.int64),
        w_change_value=w[changed],
        w_final=float(w[-1]) if w.size else parameters.w_initial,
        v_with=v_with,
    )
