"""The neuron of docs/spec/lif.md, line by line."""

from neuroemu.golden.network import Neuron
from neuroemu.golden.sites import Sites


class LifPopulation:
    """The neurons of one population.

    Parameters
    ----------
    size : int
    neuron : Neuron
    first_lane : int
        Number of the first neuron within the trial.
    sites : Sites
    """

    def __init__(self, size: int, neuron: Neuron, first_lane: int, sites: Sites) -> None:
        self.neuron = neuron
        self.size = size
        self.first_lane = first_lane
        self.sites = sites
        self.v = [neuron.v_init] * size
        self.refractory = [0] * size

    @property
    def membrane(self) -> list[int]:
        """The raw v of each neuron."""
        return list(self.v)

    def advance(self) -> list[int]:
        """Wait, leak, compare with the threshold; return who spikes, in order."""
        waiting = [max(steps - 1, 0) for steps in self.refractory]
        self.leak(waiting)
        return self.fire(waiting)

    def leak(self, waiting: list[int]) -> None:
        """Line 2."""
        neuron, v = self.neuron, self.v
        for i in range(self.size):
            wide = neuron.leak * v[i] + neuron.unit * v[i]
            leaked = self.sites.narrow("leak", self.first_lane + i, wide, neuron.leak_site)
            if waiting[i] == 0:
                v[i] = leaked

    def fire(self, waiting: list[int]) -> list[int]:
        """Line 3."""
        neuron, v = self.neuron, self.v
        spike = [waiting[i] == 0 and v[i] > neuron.threshold for i in range(self.size)]
        self.refractory = [
            neuron.refractory_steps if spike[i] else waiting[i] for i in range(self.size)
        ]
        return [i for i in range(self.size) if spike[i]]

    def receive(self, i: int, drive: int) -> None:
        """Line 4, at the neuron."""
        if self.refractory[i] == 0:
            site, lane = self.neuron.input_site, self.first_lane + i
            self.v[i] = self.sites.narrow("input", lane, self.v[i] + drive, site)

    def reset(self, spiked: list[int]) -> None:
        """Line 6."""
        for i in spiked:
            self.v[i] = self.neuron.reset
