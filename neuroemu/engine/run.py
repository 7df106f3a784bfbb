"""What a simulation leaves behind, in the experiment's units, and how it is saved."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from neuroemu.errors import OutputError

Steps = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SpikeTrains(Sequence[Steps]):
    """The output spikes of one population, trial by trial.

    Indexing gives the step indices of a trial, (spikes,) int64; `neurons` gives who fired.

    Parameters
    ----------
    steps, neurons : tuple of (spikes,) int64, one per trial
        Sorted by step, then neuron.
    size : int
        Neurons in the population.
    """

    steps: tuple[Steps, ...]
    neurons: tuple[Steps, ...]
    size: int

    def __getitem__(self, trial: Any) -> Any:
        return self.steps[trial]

    def __len__(self) -> int:
        return len(self.steps)

    def counts(self, edges: Sequence[int]) -> NDArray[np.int64]:
        """Return the spikes between step `edges`: (trials, len(edges) - 1)."""
        cuts = np.asarray([np.searchsorted(s, edges) for s in self.steps])
        return np.diff(cuts, axis=1)


@dataclass(frozen=True, slots=True)
class WeightChanges:
    """The changes of plastic weights in one trial: one entry per synapse and step that changed it.

    Parameters
    ----------
    step : (changes,) int64
    synapse : (changes,) int64
        Index within the projection.
    raw : (changes,) int64 or float64
        What the register holds after the step; the weight itself in a float rung.
    value : (changes,) float64
        The weight in the experiment's unit.
    """

    step: Steps
    synapse: Steps
    raw: NDArray[Any]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WeightRecord(Sequence[WeightChanges]):
    """The weight changes of one projection: ``record[trial].step`` or ``record.step[trial]``.

    Parameters
    ----------
    trials : tuple of WeightChanges
    initial : float
        Weight before the first change, in the experiment's unit.
    lsb : float
        Value of one LSB; 0 in a float rung.
    """

    trials: tuple[WeightChanges, ...]
    initial: float
    lsb: float

    def __getitem__(self, trial: Any) -> Any:
        return self.trials[trial]

    def __len__(self) -> int:
        return len(self.trials)

    @property
    def step(self) -> list[Steps]:
        """Steps of the changes, one array per trial."""
        return [t.step for t in self.trials]

    @property
    def raw(self) -> list[NDArray[Any]]:
        """Registers after the changes, one array per trial."""
        return [t.raw for t in self.trials]

    @property
    def value(self) -> list[NDArray[np.float64]]:
        """Weights after the changes, one array per trial."""
        return [t.value for t in self.trials]


@dataclass(frozen=True, slots=True)
class MembraneRecord:
    """Membranes of one population, at the start of a step.

    Parameters
    ----------
    step : (samples,) int64
    value : (samples, neurons, trials) float64
        In the experiment's unit.
    """

    step: Steps
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One experiment, one rung, all trials.

    Parameters
    ----------
    rung, target : str
        Which arithmetic ran; `target` is empty for the float reference.
    step_ms : float
        Biological time of a step.
    spikes : dict of str to SpikeTrains
        By population.
    weights : dict of str to WeightRecord
        By plastic projection that the experiment records.
    membrane : dict of str to MembraneRecord
        By population that the experiment records.
    sites : dict of str to dict
        What each site did, over all trials: ``overflowed``, ``lost`` (changes that were rounded
        away) and the first step of each, or None. ``lost`` of the leak is sampled, once every
        1,024 steps.
    input_coincidences : int
        Input spikes that share source and step with another because the tick is coarse.
    """

    rung: str
    target: str
    seed: int
    first_trial: int
    step_ms: float
    n_steps: int
    spikes: dict[str, SpikeTrains]
    weights: dict[str, WeightRecord]
    membrane: dict[str, MembraneRecord]
    sites: dict[str, dict[str, int | None]] = field(default_factory=dict)
    input_coincidences: int = 0

    @property
    def trials(self) -> int:
        """Number of trials."""
        return max((len(s) for s in self.spikes.values()), default=0)

    def rates(self, population: str, edges_ms: Sequence[float], settle_ms: float = 0.0) -> Any:
        """Return the mean rate per neuron in each phase.

        Parameters
        ----------
        edges_ms : sequence of float
            Edges of the phases, biological time.
        settle_ms : float
            Left out at the start of each phase.

        Returns
        -------
        rates : (trials, phases) float64, Hz
        """
        trains = self.spikes[population]
        edges = np.asarray(edges_ms, float)
        starts, stops = edges[:-1] + settle_ms, edges[1:]
        cuts = np.stack((starts, stops), axis=1).ravel() / self.step_ms
        counts = trains.counts(np.ceil(cuts - 1e-9).astype(np.int64).tolist())[:, ::2]
        return counts / ((stops - starts) / 1000.0) / trains.size

    def save(self, path: str | Path) -> Path:
        """Write the run to one npz file; `load_run` gives it back, equal.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        arrays: dict[str, NDArray[Any]] = {}
        meta: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                *("rung", "target", "seed", "first_trial", "step_ms", "n_steps"),
                *("sites", "input_coincidences"),
            )
        }
        meta["sizes"] = {name: s.size for name, s in self.spikes.items()}
        meta["weights"] = {n: {"initial": w.initial, "lsb": w.lsb} for n, w in self.weights.items()}
        for key, values in self._columns():
            arrays[f"{key}/offsets"] = np.cumsum([0, *(v.size for v in values)])
            arrays[key] = np.concatenate(values) if values else np.empty(0)
        for name, membrane in self.membrane.items():
            arrays[f"membrane/{name}/step"] = membrane.step
            arrays[f"membrane/{name}/value"] = membrane.value
        arrays["meta"] = np.array(json.dumps(meta))
        path = Path(path)
        aside = path.with_name(f".{path.name}.partial")
        try:
            with aside.open("wb") as file:
                _write_npz(file, arrays)
            aside.replace(path)
        except OSError as error:
            raise OutputError(
                f"{path}: the run cannot be written; {error}; choose another place"
            ) from None
        finally:
            with suppress(OSError):
                aside.unlink()
        return path

    def _columns(self) -> Iterator[tuple[str, Sequence[NDArray[Any]]]]:
        for name, trains in self.spikes.items():
            yield f"spikes/{name}/step", trains.steps
            yield f"spikes/{name}/neuron", trains.neurons
        for name, record in self.weights.items():
            for column in ("step", "synapse", "raw", "value"):
                yield f"weights/{name}/{column}", [getattr(t, column) for t in record.trials]


def _write_npz(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write what ``numpy.savez_compressed`` writes, at the fastest level: a fifth of the time."""
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)  # type: ignore[no-untyped-call]


def load_run(path: str | Path) -> Run:
    """Read a run that `Run.save` wrote.

    Raises
    ------
    OutputError
        If there is no such file or it is none of ours.
    """
    try:
        return _read(Path(path))
    except (*_UNREADABLE, OSError) as error:
        what = str(error).strip() or type(error).__name__
        raise OutputError(
            f"{path}: this is no saved run; {what}; give a file of Run.save"
        ) from None


_UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error)
"""What numpy and zipfile raise over a file that is damaged or another's."""


def _read(path: Path) -> Run:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        arrays = dict(data)
    meta = json.loads(str(arrays["meta"]))

    def split(key: str) -> tuple[NDArray[Any], ...]:
        offsets = arrays[f"{key}/offsets"]
        return tuple(arrays[key][a:b] for a, b in pairwise(offsets))

    spikes = {
        name: SpikeTrains(split(f"spikes/{name}/step"), split(f"spikes/{name}/neuron"), size)
        for name, size in meta.pop("sizes").items()
    }
    weights = {}
    for name, about in meta.pop("weights").items():
        columns = [split(f"weights/{name}/{c}") for c in ("step", "synapse", "raw", "value")]
        trials = tuple(WeightChanges(*parts) for parts in zip(*columns, strict=True))
        weights[name] = WeightRecord(trials, about["initial"], about["lsb"])
    names = [key.split("/")[1] for key in arrays if key.startswith("membrane/")]
    membrane = {
        name: MembraneRecord(arrays[f"membrane/{name}/step"], arrays[f"membrane/{name}/value"])
        for name in dict.fromkeys(names)
    }
    return Run(spikes=spikes, weights=weights, membrane=membrane, **meta)
