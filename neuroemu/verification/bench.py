"""A compiled kernel on many lanes, whose registers are set by hand before it does one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.setup import resolve
from neuroemu.engine.simulate import Session
from neuroemu.experiment import Experiment
from neuroemu.golden.randomness import philox_2x32
from neuroemu.hardware.config import Target
from neuroemu.numeric.bits import stream_key
from neuroemu.numeric.site import Site
from neuroemu.verification.definition import Ints, random_integer

LANES = 2**16


class Bench:
    """One lane for each neuron of an experiment of `experiment_of`, one trial.

    Parameters
    ----------
    target : Target
    experiment : Experiment
        Of `neuroemu.verification.small.experiment_of`.
    spikes : int
        How often every source spikes in step 0.
    step : int
        Which step is done.
    seed : int
        Of random words.
    """

    def __init__(
        self, target: Target, experiment: Experiment, *, spikes: int, step: int = 0, seed: int = 0
    ) -> None:
        trains = {}
        for name, stimulus in experiment.stimuli.items():
            sources = np.repeat(np.arange(stimulus.size), int(spikes))
            trains[name] = np.stack((np.zeros_like(sources), sources), axis=1)
        self.first = step
        self.session = Session(experiment, resolve(experiment, target), [trains], seed, 0)
        self.lfsr = self.session.state.lfsr.copy()

    @property
    def lanes(self) -> int:
        """How many neurons there are."""
        return self.session.layout.n_neurons

    def do(
        self,
        v: NDArray[Any] | int = 0,
        weight: NDArray[Any] | None = None,
        counts: tuple[NDArray[Any], NDArray[Any]] | None = None,
        since: NDArray[Any] | int = 0,
        registers: Mapping[str, NDArray[Any]] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Do one step from the given registers; those that are not given are 0.

        Parameters
        ----------
        v : (lanes,) int64
            Membranes.
        weight : (lanes,) int64, optional
            Weights of the synapses, as loaded if left out.
        counts : two (lanes,) int64, optional
            Counters of sources and of neurons.
        since : (lanes,) int64
            Postsynaptic spikes that wait at plastic synapses.
        registers : dict of str to (lanes,) int64, optional
            Other registers of a neuron, by name; also `v`.

        Returns
        -------
        v, weight : (lanes,) int64
            After the step; the weights of static synapses are not returned.
        spikes : (lanes,) int64
            How many each neuron has sent.
        """
        session = self.session
        state, recorder = session.state, session.recorder
        given = {"v": v} | dict(registers or {})
        for name, values in state.neurons._asdict().items():
            values[:] = given.get(name, 0)
        state.lfsr[:] = self.lfsr
        state.since[:] = since
        if weight is not None:
            session.wiring.weight[:] = weight
            state.weight[:] = weight if state.weight.size else 0
        if counts is not None:
            state.counters.count[0, :] = np.concatenate(counts)
            state.counters.sticky[:] = False
            state.counting[:] = True
        recorder.cursor[:] = 0
        session.spikes, session.changes = [], []
        session.step = self.first
        session.run_until(self.first + 1)
        spikes = np.zeros(self.lanes, np.int64)
        for rows in session.spikes:
            np.add.at(spikes, rows[:, 1], 1)
        return self.register("v"), state.weight[0].astype(np.int64), spikes

    def register(self, name: str) -> NDArray[np.int64]:
        """Return a register of the neurons as the last step left it, (lanes,) int64."""
        values: NDArray[Any] = getattr(self.session.state.neurons, name)
        return values.astype(np.int64)


def pieces(columns: tuple[NDArray[np.int64], ...], lanes: int) -> Iterator[list[NDArray[np.int64]]]:
    """Cut columns of equal length into pieces of `lanes` rows, the last one filled up by its first row."""
    for start in range(0, columns[0].size, lanes):
        rows = [column[start : start + lanes] for column in columns]
        short = lanes - rows[0].size
        yield [np.concatenate((r, np.repeat(r[:1], short))) for r in rows]


def drawn_integers(name: str, site: Site, lanes: int, seed: int) -> Ints:
    """Return the random integer that each lane draws at `name` in step 0 of trial 0, by the golden model."""
    if not site.is_stochastic:
        return np.zeros(lanes, np.int64)
    key = stream_key(seed, 0, name)
    return random_integer([philox_2x32((0, lane), key)[0] for lane in range(lanes)], site)
